//! Donchian breakout: in with a close beyond the channel of the bars before, out beyond a shorter channel.

use super::bits::{above, Events, Held, Mask, Row, NONE};
use super::grid::{count, windows_ok, Distinct, Grid, Panel, Take};
use super::run::Market;
use crate::donchian::Donchian;
use crate::error::Result;
use crate::simd::F4;

/// Every window for coming with every window for going that is not longer, in that order; a group has one window
/// for coming.
#[derive(Debug, Clone)]
pub struct DonchianGrid {
    entry: Vec<usize>,
    exit: Vec<usize>,
    firsts: Vec<usize>,
}

impl DonchianGrid {
    /// Increasing windows.
    ///
    /// # Errors
    /// [`crate::KernelError::Param`] for other axes.
    pub fn new(entry: &[usize], exit: &[usize]) -> Result<Self> {
        windows_ok(entry, 1)?;
        windows_ok(exit, 1)?;
        Ok(Self {
            firsts: count(entry.iter().map(|e| exit.partition_point(|x| x <= e))),
            entry: entry.to_vec(),
            exit: exit.to_vec(),
        })
    }
}

impl Grid for DonchianGrid {
    type Panel = Channels;

    fn firsts(&self) -> &[usize] {
        &self.firsts
    }

    fn panel(&self, groups: &[usize]) -> Result<Channels> {
        let entry = || groups.iter().map(|g| self.entry[*g]);
        let longest = entry().max().unwrap_or(0);
        let exit = self.exit.iter().copied().filter(|x| *x <= longest);
        let distinct = Distinct::of(entry().chain(exit));
        let pairs: Vec<(usize, Vec<usize>)> = entry()
            .map(|e| {
                let shorter = self.exit.iter().filter(|x| **x <= e);
                (distinct.place(e), shorter.map(|x| distinct.place(*x)).collect())
            })
            .collect();
        let channels: Result<Vec<Channel>> = distinct.0.iter().map(|w| Channel::new(*w)).collect();
        Ok(Channels {
            held: vec![0; pairs.iter().map(|(_, exits)| exits.len()).sum()],
            channels: channels?,
            close: Row::UNDEFINED,
            pairs,
        })
    }
}

/// One window: where the close left the channel of the bars before.
struct Channel {
    lines: Donchian,
    /// Channel of the bars up to the last one seen.
    before: (f64, f64),
    upper: Row,
    lower: Row,
    above: Mask,
    below: Mask,
    /// Where the channel has a width.
    wide: Mask,
}

impl Channel {
    fn new(window: usize) -> Result<Self> {
        Ok(Self {
            lines: Donchian::new(window)?,
            before: (f64::NAN, f64::NAN),
            upper: Row::UNDEFINED,
            lower: Row::UNDEFINED,
            above: NONE,
            below: NONE,
            wide: NONE,
        })
    }
}

pub(crate) struct Channels {
    channels: Vec<Channel>,
    close: Row,
    held: Vec<Held>,
    /// Channel of each window for coming, with those for going.
    pairs: Vec<(usize, Vec<usize>)>,
}

impl Panel for Channels {
    #[inline(always)]
    fn advance<V: F4>(&mut self, market: &Market<'_>, at: usize, len: usize) {
        let bars = at..at + len;
        let (high, low) = (&market.high[bars.clone()], &market.low[bars.clone()]);
        self.close.0[..len].copy_from_slice(&market.close[bars]);
        for c in &mut self.channels {
            for (i, (high, low)) in high.iter().zip(low).enumerate() {
                (c.upper.0[i], c.lower.0[i]) = c.before;
                let (upper, lower, _) = c.lines.update(*high, *low);
                c.before = (upper, lower);
            }
            c.above = above::<V>(&self.close, &c.upper);
            c.below = above::<V>(&c.lower, &self.close);
            // a difference of two doubles is above 0 exactly where the first is above the second
            c.wide = above::<V>(&c.upper, &c.lower);
        }
    }

    #[inline(always)]
    fn each<V: F4>(&mut self, short: bool, to: &mut impl Take) {
        let mut k = 0;
        for (entry, exits) in &self.pairs {
            let come = &self.channels[*entry];
            for exit in exits {
                let go = &self.channels[*exit];
                let events = Events {
                    enter_long: &come.above,
                    leave_long: &go.below,
                    enter_short: &come.below,
                    leave_short: &go.above,
                    live: &come.wide,
                };
                to.take::<V>(k, &events.sides(&mut self.held[k], short));
                k += 1;
            }
        }
    }
}
