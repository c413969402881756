//! The `f64` account of the vector backtest: one position, all-in or a fixed fraction, filled at the next open.
//!
//! Order of operations (the Python twin repeats it to the bit), with `d` the direction, +1 or -1:
//! entry `px = open * (1 + d * slip)`, `units = d * (cash * exposure / (px * (1 + fee)))`,
//! `paid = |units| * px * fee`, `cash = cash - units * px - paid`; exit `px = open * (1 - d * slip)`,
//! `paid = |units| * px * fee`, `cash = cash + units * px - paid`; equity of a bar `cash + units * close`.
//! A turn from long to short is an exit and an entry at the same open. An equity of zero or less at a close
//! (only a short can cause it) ends trading: the position is closed at that close.

use super::trade::{Costs, Summary, Trade};
use crate::error::{KernelError, Result};
use crate::simd::F4;

/// Bars looked at together when the equity is searched for a new peak.
const BLOCK: usize = 64;
/// Values compared side by side.
const LANES: usize = 8;
/// Groups of four whose chains of operations are independent.
const CHAINS: usize = 4;

/// The running account.
pub(crate) struct Account {
    costs: Costs,
    cash: f64,
    units: f64,
    held: i8,
    wanted: i8,
    before: f64,
    trade: Trade,
    peak: f64,
    /// Lowest equity since the peak.
    low: f64,
    worst: f64,
    fees: f64,
    slippage: f64,
    exposed: u64,
    ruined: i64,
    last: f64,
    words: Vec<u64>,
}

impl Account {
    pub(crate) fn new(costs: Costs) -> Self {
        Self {
            costs,
            cash: costs.cash,
            units: 0.0,
            held: 0,
            wanted: 0,
            before: costs.cash,
            trade: Trade {
                entry_bar: -1,
                exit_bar: -1,
                direction: 0,
                quantity: 0.0,
                entry_price: 0.0,
                exit_price: 0.0,
                fees: 0.0,
                slippage: 0.0,
                pnl: 0.0,
                return_frac: 0.0,
            },
            peak: costs.cash,
            low: costs.cash,
            worst: 0.0,
            fees: 0.0,
            slippage: 0.0,
            exposed: 0,
            ruined: -1,
            last: costs.cash,
            words: Vec::new(),
        }
    }

    /// Take the bars of a tile, of which `signs` tells the signals seen at their closes; write their equity.
    #[inline(always)]
    pub(crate) fn tile<V: F4, S: Signs>(
        &mut self,
        at: usize,
        open: &[f64],
        close: &[f64],
        signs: &S,
        equity: &mut [f64],
    ) {
        let bars = close.len();
        let (open, equity) = (&open[..bars], &mut equity[..bars]);
        let mut i = 0;
        while i < bars {
            if self.wanted != self.held {
                self.turn(at + i, open[i]);
            }
            let end = if self.ruined >= 0 {
                bars
            } else {
                signs.run_end(i, self.held)
            };
            // the sign that differs is seen at the close of bar `end`, so that bar still belongs to this stretch
            let stop = (end + 1).min(bars);
            self.stretch::<V>(at, close, equity, i, stop);
            self.wanted = if self.ruined >= 0 { 0 } else { signs.of(stop - 1) };
            i = stop;
        }
        self.falls::<V>(equity);
        self.last = close[bars - 1];
    }

    /// Fills at an open.
    #[inline(never)]
    fn turn(&mut self, bar: usize, open: f64) {
        if self.held != 0 {
            let d = f64::from(self.held);
            let lost = self.trade.quantity * open * self.costs.slip;
            self.leave(bar, open * (1.0 - d * self.costs.slip), lost);
        }
        if self.wanted != 0 {
            let (d, c) = (f64::from(self.wanted), self.costs);
            let px = open * (1.0 + d * c.slip);
            let size = self.cash * c.exposure / (px * (1.0 + c.fee));
            let paid = size * px * c.fee;
            let lost = size * open * c.slip;
            self.before = self.cash;
            self.units = d * size;
            self.cash = self.cash - self.units * px - paid;
            self.fees += paid;
            self.slippage += lost;
            self.held = self.wanted;
            self.trade = Trade {
                entry_bar: bar as i64,
                exit_bar: -1,
                direction: i64::from(self.wanted),
                quantity: size,
                entry_price: px,
                fees: paid,
                slippage: lost,
                ..self.trade
            };
        }
    }

    /// Close the position at `px`, of which slippage cost `lost`.
    fn leave(&mut self, bar: usize, px: f64, lost: f64) {
        let paid = self.trade.quantity * px * self.costs.fee;
        self.cash = self.cash + self.units * px - paid;
        self.units = 0.0;
        self.held = 0;
        self.fees += paid;
        self.slippage += lost;
        self.trade.fees += paid;
        self.trade.slippage += lost;
        self.file(bar as i64, px, self.cash);
    }

    fn file(&mut self, exit_bar: i64, px: f64, equity: f64) {
        let t = &mut self.trade;
        t.exit_bar = exit_bar;
        t.exit_price = px;
        t.pnl = equity - self.before;
        t.return_frac = t.pnl / (t.quantity * t.entry_price);
        self.words.extend_from_slice(&t.words());
    }

    /// Equity of the bars `from..to` of a tile, which share one position.
    ///
    /// Whole groups are written, so the last may reach beyond `to`: the next stretch writes there anew.
    #[inline(always)]
    fn stretch<V: F4>(&mut self, at: usize, close: &[f64], equity: &mut [f64], from: usize, to: usize) {
        // without a position `units` is 0, and a finite price times 0 adds nothing
        let (cash, units) = (self.cash, self.units);
        let (lots, money) = (V::splat(units), V::splat(cash));
        let mut i = from;
        while i < to && i + LANES <= close.len() {
            // SAFETY: eight doubles from `i` on lie in both tiles, which are equally long
            unsafe {
                let (c, e) = (close.as_ptr().add(i), equity.as_mut_ptr().add(i));
                money.add(lots.mul(V::load(c))).store(e);
                money.add(lots.mul(V::load(c.add(4)))).store(e.add(4));
            }
            i += LANES;
        }
        for i in i..to {
            equity[i] = cash + units * close[i];
        }
        self.exposed += ((to - from) * usize::from(self.held != 0)) as u64;
        if self.held < 0 && equity[from..to].iter().any(|e| *e <= 0.0) {
            self.ruin(at + from, &close[from..to], &mut equity[from..to]);
        }
    }

    /// Drawdown of a tile's equity: only the lowest value between two peaks counts.
    #[inline(always)]
    fn falls<V: F4>(&mut self, equity: &[f64]) {
        let (mut peak, mut low) = (self.peak, self.low);
        for block in equity.chunks(BLOCK) {
            let (mut least, mut most) = ([V::splat(low); 2], [V::splat(f64::NEG_INFINITY); 2]);
            let groups = block.chunks_exact(LANES);
            for v in groups.remainder() {
                let v = V::splat(*v);
                (least[0], most[0]) = (v.min(least[0]), v.max(most[0]));
            }
            for group in groups {
                for (k, v) in group.chunks_exact(LANES / 2).enumerate() {
                    // SAFETY: four doubles
                    let v = unsafe { V::load(v.as_ptr()) };
                    (least[k], most[k]) = (v.min(least[k]), v.max(most[k]));
                }
            }
            if most[0].max(most[1]).hmax() <= peak {
                low = least[0].min(least[1]).hmin();
                continue;
            }
            for &v in block {
                if v > peak {
                    self.worst = deeper(self.worst, low, peak);
                    (peak, low) = (v, v);
                } else if v < low {
                    low = v;
                }
            }
        }
        (self.peak, self.low) = (peak, low);
    }

    /// Close the position at the first close of the stretch without equity; nothing is traded afterwards.
    #[cold]
    fn ruin(&mut self, at: usize, close: &[f64], equity: &mut [f64]) {
        let i = equity.iter().position(|e| *e <= 0.0).unwrap_or(0);
        self.exposed -= (close.len() - 1 - i) as u64;
        self.ruined = (at + i) as i64;
        self.leave(at + i, close[i], 0.0);
        equity[i..].fill(self.cash);
    }

    /// Round trips filed so far, [`TRADE_WORDS`] words each.
    pub(crate) fn trades(&self) -> &[u64] {
        &self.words
    }

    /// Drop them, for who has read them.
    pub(crate) fn forget_trades(&mut self) {
        self.words.clear();
    }

    /// Mark what is open; the totals and the trades as words.
    pub(crate) fn finish(mut self) -> (Summary, Vec<u64>) {
        let mut equity = self.cash;
        if self.held != 0 {
            equity = self.cash + self.units * self.last;
            let px = self.last;
            self.file(-1, px, equity);
        }
        let summary = Summary {
            final_equity: equity,
            max_drawdown: deeper(self.worst, self.low, self.peak),
            fees: self.fees,
            slippage: self.slippage,
            exposed_bars: self.exposed,
            ruined_bar: self.ruined,
        };
        (summary, self.words)
    }
}

/// The larger of `worst` and the fall from `peak` to `low`.
#[inline(always)]
fn deeper(worst: f64, low: f64, peak: f64) -> f64 {
    let fall = 1.0 - low / peak;
    if fall > worst {
        fall
    } else {
        worst
    }
}

/// Signs of the signal over one tile.
pub(crate) trait Signs {
    /// Sign at bar `i` of the tile.
    fn of(&self, i: usize) -> i8;
    /// First bar from `i` on whose sign is not `held`, else the length of the tile.
    fn run_end(&self, i: usize, held: i8) -> usize;
}

/// Bars looked at together when a sign is searched for.
pub(crate) const GROUP: usize = 16;

impl Signs for &[i8] {
    #[inline(always)]
    fn of(&self, i: usize) -> i8 {
        self[i]
    }

    #[inline(always)]
    fn run_end(&self, mut i: usize, held: i8) -> usize {
        while let Some(group) = self.get(i..i + GROUP) {
            let mut differ = 0_u8;
            for s in group {
                differ |= (*s ^ held) as u8;
            }
            if differ != 0 {
                break;
            }
            i += GROUP;
        }
        while i < self.len() && self[i] == held {
            i += 1;
        }
        i
    }
}

/// Check that every price of a tile is finite and above 0; the first row that is not otherwise.
#[inline(always)]
pub(crate) fn prices_ok<V: F4>(at: usize, open: &[f64], close: &[f64]) -> Result<()> {
    let (mut least, mut sums) = ([V::splat(1.0); CHAINS], [V::splat(0.0); CHAINS]);
    for prices in [open, close] {
        let groups = prices.chunks_exact(4 * CHAINS);
        for v in groups.remainder() {
            let v = V::splat(*v);
            (least[0], sums[0]) = (v.min(least[0]), sums[0].add(v));
        }
        for group in groups {
            for k in 0..CHAINS {
                // SAFETY: four doubles
                let v = unsafe { V::load(group.as_ptr().add(4 * k)) };
                (least[k], sums[k]) = (v.min(least[k]), sums[k].add(v));
            }
        }
    }
    // what is not finite leaves a sum that is not; a sum may also just be too large
    let total = sums[0].add(sums[1]).add(sums[2].add(sums[3]));
    let lowest = least[0].min(least[1]).min(least[2].min(least[3]));
    let mut lanes = [0.0; 4];
    // SAFETY: four doubles
    unsafe { total.store(lanes.as_mut_ptr()) };
    if lowest.hmin() > 0.0 && lanes.iter().all(|s| s.is_finite()) {
        return Ok(());
    }
    check_prices(at, open, close)
}

/// The same, price by price.
///
/// # Errors
/// [`KernelError::Row`] names the first row with a bad price.
#[cold]
pub(crate) fn check_prices(at: usize, open: &[f64], close: &[f64]) -> Result<()> {
    let bad = |x: f64| !(x > 0.0 && x < f64::INFINITY);
    let Some(row) = open.iter().zip(close).position(|(o, c)| bad(*o) || bad(*c)) else {
        return Ok(());
    };
    let what = if bad(open[row]) {
        "open: expected a finite price above 0"
    } else {
        "close: expected a finite price above 0"
    };
    Err(KernelError::Row { row: at + row, what })
}
