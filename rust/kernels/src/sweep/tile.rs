//! What a tile of bars holds for every combination: fills, prefix sums of returns, extremes of any range.
//!
//! A position bought at the open of bar `e` and sold at that of bar `x` has the returns `close[e]/paid[e] - 1`,
//! `close[i]/close[i-1] - 1` for the bars between, and `got[x]/close[x-1] - 1`, with the fills after costs. Their
//! sums, those of their squares and of the squares of the losses are differences of sums from the tile's first
//! bar on, so that an entry and an exit add one row each: what lies between them is never visited. The lowest and
//! highest close of any range come from two overlapping ranges whose length is a power of two.

use super::bits::TILE;
use crate::sim::Costs;
use crate::simd::F4;

/// Lengths that are powers of two.
const LEVELS: usize = TILE.trailing_zeros() as usize + 1;

/// Returns, squares, squares of losses, bars.
pub(crate) type Sums = [f64; 4];

#[derive(Clone, Copy)]
#[repr(C, align(32))]
struct Lane(Sums);

#[repr(C, align(64))]
pub(crate) struct Tile {
    /// Bars in use.
    pub len: usize,
    entry: [Lane; TILE],
    exit: [Lane; TILE],
    /// What holding through the whole tile adds.
    pub through: Sums,
    /// Fill price of a purchase, the same with its fee, and of a sale.
    pub buy: [f64; TILE],
    pub paid: [f64; TILE],
    pub sell: [f64; TILE],
    pub close: [f64; TILE],
    least: [[f64; TILE]; LEVELS],
    most: [[f64; TILE]; LEVELS],
    /// Level of a range by its length.
    level: [u8; TILE + 1],
}

impl Tile {
    pub fn new() -> Box<Self> {
        let mut level = [0; TILE + 1];
        for (length, l) in level.iter_mut().enumerate().skip(1) {
            *l = length.ilog2() as u8;
        }
        Box::new(Self {
            len: 0,
            entry: [Lane([0.0; 4]); TILE],
            exit: [Lane([0.0; 4]); TILE],
            through: [0.0; 4],
            buy: [0.0; TILE],
            paid: [0.0; TILE],
            sell: [0.0; TILE],
            close: [0.0; TILE],
            least: [[0.0; TILE]; LEVELS],
            most: [[0.0; TILE]; LEVELS],
            level,
        })
    }

    /// Take the bars from `at` on.
    pub fn take(&mut self, open: &[f64], close: &[f64], at: usize, costs: &Costs) {
        let len = TILE.min(close.len() - at);
        self.len = len;
        let mut before = close[at.max(1) - 1];
        let mut s = [0.0; 4];
        for i in 0..len {
            let (o, c) = (open[at + i], close[at + i]);
            self.buy[i] = o * (1.0 + costs.slip);
            self.paid[i] = self.buy[i] * (1.0 + costs.fee);
            self.sell[i] = o * (1.0 - costs.slip);
            let (first, held) = (c / self.paid[i] - 1.0, c / before - 1.0);
            let last = self.sell[i] * (1.0 - costs.fee) / before - 1.0;
            self.exit[i] = Lane(with(s, last, i));
            s = with(s, held, i + 1);
            self.entry[i] = Lane(with(s.map(|v| -v), first, i));
            self.entry[i].0[3] = -(i as f64);
            self.close[i] = c;
            before = c;
        }
        self.through = s;
        self.close[len..].fill(before);
        self.ranges();
    }

    fn ranges(&mut self) {
        self.least[0] = self.close;
        self.most[0] = self.close;
        for k in 1..LEVELS {
            let half = 1 << (k - 1);
            let (shorter, longer) = self.least.split_at_mut(k);
            halves(
                &shorter[k - 1],
                half,
                &mut longer[0],
                |a, b| if a < b { a } else { b },
            );
            let (shorter, longer) = self.most.split_at_mut(k);
            halves(
                &shorter[k - 1],
                half,
                &mut longer[0],
                |a, b| if a > b { a } else { b },
            );
        }
    }

    /// What a position opened at bar `i` adds to the sums.
    ///
    /// # Safety
    /// `i < TILE`.
    #[inline(always)]
    pub unsafe fn entry_sums<V: F4>(&self, i: usize) -> V {
        // SAFETY: four doubles, by the caller's promise
        unsafe { V::load(self.entry.get_unchecked(i).0.as_ptr()) }
    }

    /// What a position closed at bar `i` adds to the sums.
    ///
    /// # Safety
    /// `i < TILE`.
    #[inline(always)]
    pub unsafe fn exit_sums<V: F4>(&self, i: usize) -> V {
        // SAFETY: four doubles, by the caller's promise
        unsafe { V::load(self.exit.get_unchecked(i).0.as_ptr()) }
    }

    /// Lowest and highest close of bars `from..to`.
    ///
    /// # Safety
    /// `from < to <= TILE`.
    #[inline(always)]
    pub unsafe fn range(&self, from: usize, to: usize) -> (f64, f64) {
        // SAFETY: by the caller's promise every index lies in its array, and `1 << k <= to - from`
        unsafe {
            let k = usize::from(*self.level.get_unchecked(to - from));
            let second = to - (1 << k);
            let (least, most) = (self.least.get_unchecked(k), self.most.get_unchecked(k));
            let (a, b) = (*least.get_unchecked(from), *least.get_unchecked(second));
            let (c, d) = (*most.get_unchecked(from), *most.get_unchecked(second));
            (if a < b { a } else { b }, if c > d { c } else { d })
        }
    }
}

/// The sums with one more return, of `bars` bars.
fn with(s: Sums, r: f64, bars: usize) -> Sums {
    let down = if r < 0.0 { r } else { 0.0 };
    [s[0] + r, s[1] + r * r, s[2] + down * down, bars as f64]
}

fn halves(shorter: &[f64; TILE], half: usize, longer: &mut [f64; TILE], fold: impl Fn(f64, f64) -> f64) {
    for i in 0..TILE + 1 - 2 * half {
        longer[i] = fold(shorter[i], shorter[i + half]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: Costs = Costs {
        cash: 1.0,
        fee: 0.01,
        slip: 0.02,
        exposure: 1.0,
        short: false,
    };

    fn prices(bars: usize) -> (Vec<f64>, Vec<f64>) {
        let price = |i: usize, phase: f64| 100.0 + 40.0 * ((i * i) as f64 * 0.731 + phase).sin();
        (
            (0..bars).map(|i| price(i, 0.4)).collect(),
            (0..bars).map(|i| price(i, 0.0)).collect(),
        )
    }

    #[test]
    fn ranges_are_those_of_a_walk() {
        let (open, close) = prices(2 * TILE + 77);
        let mut tile = Tile::new();
        for at in [0, TILE, 2 * TILE] {
            tile.take(&open, &close, at, &COSTS);
            for from in (0..tile.len).step_by(5) {
                for to in from + 1..=tile.len {
                    let held = &close[at + from..at + to];
                    let least = held.iter().copied().fold(f64::INFINITY, f64::min);
                    let most = held.iter().copied().fold(0.0, f64::max);
                    // SAFETY: a range of the tile
                    assert_eq!(unsafe { tile.range(from, to) }, (least, most));
                }
            }
        }
    }

    #[test]
    fn an_entry_and_an_exit_sum_the_returns_between() {
        let (open, close) = prices(TILE);
        let mut tile = Tile::new();
        tile.take(&open, &close, 0, &COSTS);
        for (entry, exit) in [(1, 2), (3, 60), (60, 61), (7, 255)] {
            let mut equity = vec![1.0];
            let units = 1.0 / (open[entry] * 1.02 * 1.01);
            equity.extend(close[entry..exit].iter().map(|c| c * units));
            equity.push(units * open[exit] * 0.98 * 0.99);
            let returns: Vec<f64> = equity.windows(2).map(|e| e[1] / e[0] - 1.0).collect();
            let losses: f64 = returns.iter().map(|r| r.min(0.0).powi(2)).sum();
            let want = [
                returns.iter().sum(),
                returns.iter().map(|r| r * r).sum(),
                losses,
                (exit - entry) as f64,
            ];
            for (k, w) in want.iter().enumerate() {
                let got = tile.entry[entry].0[k] + tile.exit[exit].0[k];
                assert!((got - w).abs() < 1e-12, "{entry} {exit} {k}: {got} {w}");
            }
        }
    }
}
