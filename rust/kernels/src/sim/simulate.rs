//! A signal with protective orders over whole columns, in the exact simulator.
//!
//! At the close on which the signal turns positive a market order for a share of the cash goes out, with a stop, a
//! target and a trailing stop as its children (each optional, one cancels the others); at the close on which it turns
//! off, what is left of them is canceled and the position closed at the next open. A position that a protective order
//! or a liquidation closed is not opened again before the signal turns on anew. A spot account is long only; a
//! leveraged one goes short where the signal turns negative, and its share is of what the equity carries.

use super::bar::Bar;
use super::dec::Dec;
use super::order::{Force, Kind, Ticket, What, BUY};
use super::parts::Parts;
use super::venue::{OrderSim, BASE, QUOTE};
use crate::error::{same_len, KernelError, Result};

/// Columns of bars.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// Open, high, low, close, volume.
    pub values: [&'a [f64]; 5],
    /// Bit 1 set: filled forward. Empty: none is.
    pub flags: &'a [u8],
}

impl Columns<'_> {
    /// Check that all are equally long and there is a bar.
    ///
    /// # Errors
    /// [`KernelError`] when not.
    pub fn check(&self) -> Result<usize> {
        let bars = self.values[3].len();
        for column in self.values {
            same_len(bars, column.len())?;
        }
        if !self.flags.is_empty() {
            same_len(bars, self.flags.len())?;
        }
        if bars == 0 {
            return Err(KernelError::Param("a backtest needs at least one bar"));
        }
        Ok(bars)
    }

    /// One bar.
    #[inline(always)]
    pub fn bar(&self, i: usize) -> Bar {
        let [open, high, low, close, volume] = self.values;
        Bar {
            open: open[i],
            high: high[i],
            low: low[i],
            close: close[i],
            volume: volume[i],
            filled_forward: self.flags.get(i).is_some_and(|f| f & 1 != 0),
        }
    }
}

/// Size and protection of a position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Protection {
    /// Share of the cash put into an entry, in (0, 1].
    pub size: f64,
    /// Distance of the stop below the close of the decision, as a fraction; 0: none.
    pub stop: f64,
    /// Distance of the target above it; 0: none.
    pub target: f64,
    /// Distance of the trailing stop below its watermark; 0: none.
    pub trail: f64,
}

impl Protection {
    fn check(&self) -> Result<()> {
        let part = |x: f64| (0.0..1.0).contains(&x);
        if !(self.size > 0.0 && self.size <= 1.0) {
            return Err(KernelError::Param("size must lie in (0, 1]"));
        }
        if !part(self.stop) || !part(self.trail) || !(0.0..f64::INFINITY).contains(&self.target) {
            return Err(KernelError::Param(
                "stop and trail must lie in [0, 1), target must not be below 0",
            ));
        }
        Ok(())
    }
}

/// Run the signal, bars by their finer ones where there are some; `equity` gets the account's value at every close.
/// Reports stay in the simulator.
///
/// # Errors
/// [`KernelError`] for unequal lengths, no bars, a parameter out of range, or a row that cannot be used.
pub fn simulate(
    sim: &mut OrderSim,
    columns: Columns<'_>,
    parts: Option<Parts<'_>>,
    signal: &[f64],
    protection: Protection,
    equity: &mut [f64],
) -> Result<()> {
    protection.check()?;
    let bars = columns.check()?;
    same_len(bars, signal.len())?;
    same_len(bars, equity.len())?;
    match parts {
        Some(parts) => {
            parts.check(bars)?;
            walk(sim, columns, signal, protection, equity, |sim, i, bar| {
                sim.advance_parts(bar, parts.of(i))
            })
        }
        None => walk(sim, columns, signal, protection, equity, |sim, _, bar| {
            sim.advance(bar)
        }),
    }
}

/// The loop, once for whole bars and once for bars with finer ones.
#[inline(always)]
fn walk(
    sim: &mut OrderSim,
    columns: Columns<'_>,
    signal: &[f64],
    protection: Protection,
    equity: &mut [f64],
    mut advance: impl FnMut(&mut OrderSim, usize, &Bar) -> Result<()>,
) -> Result<()> {
    let bars = columns.values[3].len();
    let mut on = 0_i64;
    let mut live: (u64, usize) = (0, 0);
    let (mut seen, mut owned) = (u64::MAX, (0.0, 0.0));
    for i in 0..bars {
        let bar = columns.bar(i);
        advance(sim, i, &bar)?;
        if seen != sim.moves {
            seen = sim.moves;
            owned = (sim.owned[BASE].to_f64(), sim.owned[QUOTE].to_f64());
        }
        equity[i] = owned.1 + owned.0 * bar.close;
        let x = signal[i];
        if x.is_nan() {
            let what = "signal: expected a number, found NaN; use 0 for no opinion";
            return Err(KernelError::Row { row: i, what });
        }
        let now = i64::from(x > 0.0) - i64::from(sim.leveraged() && x < 0.0);
        if now == on {
            continue;
        }
        if on != 0 {
            leave(sim, live)?;
        }
        on = now;
        if now != 0 {
            let cash = if sim.leveraged() { equity[i] } else { owned.1 };
            live = enter(sim, &bar, protection, now, cash)?;
        }
    }
    Ok(())
}

fn ticket(side: i64, kind: Kind, lots: i64) -> Ticket {
    Ticket {
        side,
        kind,
        lots,
        limit: 0,
        stop: 0,
        trail: 0.0,
        trail_frac: true,
        force: Force::Gtc,
        expire: -1,
        post_only: false,
        reduce_only: false,
        list: 0,
        parent: 0,
    }
}

/// Entry with its children; first id and how many.
fn enter(sim: &mut OrderSim, bar: &Bar, p: Protection, side: i64, cash: f64) -> Result<(u64, usize)> {
    let (tick, lot, long) = (sim.rules.tick, sim.rules.lot, side == BUY);
    let (power, opening) = sim.power();
    let wanted = cash * power * p.size / (bar.close * opening);
    let lots = if wanted > 0.0 {
        Dec::steps_in(wanted, lot, false)?
    } else {
        0
    };
    if lots == 0 {
        return Ok((0, 0));
    }
    // on the worse tick a stop, on the own one a target
    let price = |distance: f64, up: bool| -> Result<i64> {
        let at = bar.close * if up { 1.0 + distance } else { 1.0 - distance };
        Ok(Dec::steps_in(at, tick, up)?.max(1))
    };
    let parent = sim.submit(ticket(side, Kind::Market, lots))?;
    let mut child = ticket(-side, Kind::Stop, lots);
    (child.list, child.parent) = (parent, parent);
    let mut count = 1;
    if p.stop > 0.0 {
        child.stop = price(p.stop, !long)?;
        sim.submit(child)?;
        count += 1;
    }
    if p.target > 0.0 && (long || p.target < 1.0) {
        (child.kind, child.stop, child.limit) = (Kind::Limit, 0, price(p.target, long)?);
        sim.submit(child)?;
        count += 1;
    }
    if p.trail > 0.0 {
        (child.kind, child.stop, child.limit, child.trail) = (Kind::TrailingStop, 0, 0, p.trail);
        sim.submit(child)?;
        count += 1;
    }
    Ok((parent, count))
}

fn leave(sim: &mut OrderSim, (first, count): (u64, usize)) -> Result<()> {
    for id in first..first + count as u64 {
        if sim.is_live(id) {
            sim.cancel(id);
        }
    }
    let lots = sim.position()?;
    if lots != 0 {
        sim.submit(ticket(-lots.signum(), Kind::Market, lots.abs()))?;
    }
    Ok(())
}

/// Reports as words, fills only or all.
///
/// # Errors
/// When a fee does not fit.
pub fn report_words(sim: &OrderSim, fills_only: bool) -> Result<Vec<u64>> {
    let mut words = Vec::with_capacity(sim.reports.len() * super::order::REPORT_WORDS);
    for r in &sim.reports {
        if !fills_only || r.what == What::Filled {
            words.extend_from_slice(&r.words()?);
        }
    }
    Ok(words)
}
