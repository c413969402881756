//! The walk: tile by tile, every combination of a panel; panels on several threads.

use super::bits::{Sides, TILE};
use super::bollinger::BollingerGrid;
use super::book::Book;
use super::donchian::DonchianGrid;
use super::grid::{Grid, Panel, Take};
use super::ledger::Ledger;
use super::ma_cross::MaCrossGrid;
use super::momentum::MomentumGrid;
use super::record::{Record, RECORD_WORDS};
use super::rsi::RsiGrid;
use super::tile::Tile;
use crate::error::{same_len, KernelError, Result};
use crate::sim::{check_prices, Costs};
use crate::simd::{dispatch, Job, F4};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Combinations of a panel: a panel's books stay near the core, and memory does not grow with combinations.
const PANEL: usize = 8192;

/// Columns of one market, of one length.
#[derive(Debug, Clone, Copy)]
pub struct Market<'a> {
    /// Prices at which orders are filled.
    pub open: &'a [f64],
    /// Read by [`Family::Donchian`] only.
    pub high: &'a [f64],
    /// Read by [`Family::Donchian`] only.
    pub low: &'a [f64],
    /// Prices at which signals are seen and positions are marked.
    pub close: &'a [f64],
}

/// A rule with the values of its parameters.
#[derive(Debug, Clone)]
pub enum Family {
    /// Crossover of moving averages.
    MaCross(MaCrossGrid),
    /// Reversal of the relative strength index.
    Rsi(RsiGrid),
    /// Closes outside Bollinger bands.
    Bollinger(BollingerGrid),
    /// Closes outside Donchian channels.
    Donchian(DonchianGrid),
    /// Vote of past returns.
    Momentum(MomentumGrid),
}

impl Family {
    /// How many combinations there are.
    pub fn combinations(&self) -> usize {
        let firsts = match self {
            Self::MaCross(g) => g.firsts(),
            Self::Rsi(g) => g.firsts(),
            Self::Bollinger(g) => g.firsts(),
            Self::Donchian(g) => g.firsts(),
            Self::Momentum(g) => g.firsts(),
        };
        firsts[firsts.len() - 1]
    }
}

/// Where in the series a tile stands; columns from its first bar on.
pub(crate) struct Place<'a> {
    pub at: usize,
    pub open: &'a [f64],
    pub close: &'a [f64],
    pub fee: f64,
    /// Whether a short signal opens a short; else it means flat.
    pub short: bool,
}

/// Keeps the account of one combination.
pub(crate) trait Keeper {
    /// Before the first bar.
    fn new(costs: &Costs) -> Self;
    /// Take a tile.
    fn step<V: F4>(&mut self, place: &Place<'_>, tile: &Tile, sides: &Sides);
    /// The figures after the last bar.
    fn record(self, bars: usize, last_close: f64) -> Record;
}

/// Lets the keepers of a panel take a tile.
struct Step<'a, K> {
    place: &'a Place<'a>,
    tile: &'a Tile,
    keepers: &'a mut [K],
}

impl<K: Keeper> Take for Step<'_, K> {
    #[inline(always)]
    fn take<V: F4>(&mut self, k: usize, sides: &Sides) {
        if let Some(keeper) = self.keepers.get_mut(k) {
            keeper.step::<V>(self.place, self.tile, sides);
        }
    }
}

struct Work<'a, G, K> {
    grid: &'a G,
    groups: Vec<usize>,
    market: Market<'a>,
    costs: Costs,
    out: &'a Mutex<&'a mut [u64]>,
    failed: &'a Mutex<Option<KernelError>>,
    keeper: std::marker::PhantomData<K>,
}

impl<G: Grid, K: Keeper> Job for Work<'_, G, K> {
    #[inline(always)]
    fn run<V: F4>(self) {
        let firsts = self.grid.firsts();
        let combos = || self.groups.iter().flat_map(|g| firsts[*g]..firsts[g + 1]);
        let mut panel = match self.grid.panel(&self.groups) {
            Ok(panel) => panel,
            Err(e) => {
                *lock(self.failed) = Some(e);
                return;
            }
        };
        let (open, close, costs) = (self.market.open, self.market.close, self.costs);
        let mut keepers: Vec<K> = combos().map(|_| K::new(&costs)).collect();
        let mut tile = Tile::new();
        for at in (0..close.len()).step_by(TILE) {
            tile.take(open, close, at, &costs);
            let place = Place {
                at,
                open: &open[at..],
                close: &close[at..],
                fee: costs.fee,
                short: costs.short,
            };
            panel.advance::<V>(&self.market, at, tile.len);
            let mut step = Step {
                place: &place,
                tile: &tile,
                keepers: &mut keepers,
            };
            panel.each::<V>(costs.short, &mut step);
        }
        let last = close[close.len() - 1];
        let mut out = lock(self.out);
        for (k, keeper) in combos().zip(keepers) {
            let words = keeper.record(close.len(), last).words();
            out[RECORD_WORDS * k..][..RECORD_WORDS].copy_from_slice(&words);
        }
    }
}

/// The value behind a lock; nobody who held it can have left it half written.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn panels<G: Grid, K: Keeper>(
    grid: &G,
    market: Market<'_>,
    costs: Costs,
    threads: usize,
    out: &mut [u64],
) -> Result<()> {
    let groups = grid.firsts().len() - 1;
    // groups that follow each other resemble each other: dealt out in turn, panels take about equally long
    let panels = (out.len() / RECORD_WORDS)
        .div_ceil(PANEL)
        .max(threads)
        .min(groups);
    let (next, failed, out) = (AtomicUsize::new(0), Mutex::new(None), Mutex::new(out));
    let work = || loop {
        let p = next.fetch_add(1, Ordering::Relaxed);
        if p >= panels {
            break;
        }
        dispatch(Work::<'_, G, K> {
            grid,
            groups: (p..groups).step_by(panels).collect(),
            market,
            costs,
            out: &out,
            failed: &failed,
            keeper: std::marker::PhantomData,
        });
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(panels) {
            scope.spawn(work);
        }
        work();
    });
    failed
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .map_or(Ok(()), Err)
}

/// Backtest every combination of a family; see [`crate::sim::signal_backtest`] for what one is.
///
/// `out` gets the [`Record`] of each, in the order of the family, as words.
///
/// # Errors
/// [`KernelError`] for unequal lengths, no bars or too many, a parameter out of range, or a row with a bad price.
pub fn sweep(
    family: &Family,
    market: Market<'_>,
    costs: Costs,
    threads: usize,
    out: &mut [u64],
) -> Result<()> {
    costs.check()?;
    let bars = market.close.len();
    for column in [market.open, market.high, market.low] {
        same_len(bars, column.len())?;
    }
    same_len(family.combinations().saturating_mul(RECORD_WORDS), out.len())?;
    if bars == 0 || bars >= 1 << 31 {
        return Err(KernelError::Param(
            "a sweep needs at least one bar and less than 2^31",
        ));
    }
    check_prices(0, market.open, market.close)?;
    let threads = threads.max(1);
    match family {
        Family::MaCross(g) => keep(g, market, costs, threads, out),
        Family::Rsi(g) => keep(g, market, costs, threads, out),
        Family::Bollinger(g) => keep(g, market, costs, threads, out),
        Family::Donchian(g) => keep(g, market, costs, threads, out),
        Family::Momentum(g) => keep(g, market, costs, threads, out),
    }
}

/// Choose how accounts are kept.
fn keep<G: Grid>(grid: &G, market: Market<'_>, costs: Costs, threads: usize, out: &mut [u64]) -> Result<()> {
    if costs.short || costs.exposure < 1.0 {
        panels::<G, Ledger>(grid, market, costs, threads, out)
    } else {
        panels::<G, Book>(grid, market, costs, threads, out)
    }
}
