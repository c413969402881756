//! Statistics of a run's returns in one pass: moments, downside, drawdown, runs, tails.
//!
//! Order of operations: blocks of [`BLOCK`] returns, each padded to whole groups of eight with values that change
//! nothing; eight lanes per sum, folded as `((l0+l4)+(l1+l5)) + ((l2+l6)+(l3+l7))`. Equity within a part of 512
//! returns is the value before it times the running product of `1 + r`. Central moments are taken about
//! the block's own mean and merged by Pébay (2008), "Formulas for robust, one-pass parallel computation of
//! covariances and arbitrary-order statistical moments". Quantiles are of type 7 (Hyndman & Fan, 1996); expected
//! shortfall counts the boundary observation by its fraction (Acerbi & Tasche, 2002). A return that is not finite
//! or below -1, and a value of an equity curve that is not finite and above 0, are refused with their row.

mod scan;
mod tail;
mod totals;

use crate::error::{KernelError, Result};
use crate::simd::dispatch;
use scan::Scan;
use tail::{at_ranks, everything, give_back, guess, room};

pub use scan::{Source, BLOCK, FIGURES};

/// Which order statistics are wanted, as the caller rounded them.
#[derive(Debug, Clone, Copy)]
pub struct Tails {
    /// Position of the lower quantile, `(n - 1) * a`.
    pub low: f64,
    /// Position of the upper quantile, `(n - 1) * (1 - a)`.
    pub high: f64,
    /// Observations in the lower tail, `a * n`, above 0.
    pub mass: f64,
}

impl Tails {
    /// Check that the tails lie within a sample.
    pub(crate) fn check(&self, bars: usize) -> Result<()> {
        let inside = |v: f64| (0.0..=bars as f64 - 1.0).contains(&v);
        if inside(self.low) && inside(self.high) && self.mass > 0.0 && self.mass <= bars as f64 {
            Ok(())
        } else {
            Err(KernelError::Param("the tails must lie within the sample"))
        }
    }
}

/// Sum in eight lanes, folded as those of a block.
fn fold(values: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    for group in values.chunks(8) {
        for (lane, v) in lanes.iter_mut().zip(group) {
            *lane += v;
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

/// Between two neighbours in order, as a type 7 quantile.
pub(crate) fn between(a: f64, b: f64, t: f64) -> f64 {
    a + (b - a) * t
}

/// Write the figures of a sample: bars, mean, sums of the 2nd to 4th powers of deviations, sum of gains, of losses
/// (positive), of squared losses, best, worst, bars won, bars lost, longest losing run, growth and its power of two,
/// deepest drawdown, longest time under water, sum of squared drawdowns, both quantiles, VaR by order statistic, ES.
///
/// # Errors
/// [`KernelError`] for a sample without a bar, unfit tails, or a row that cannot be used.
pub fn return_statistics(source: Source<'_>, tails: Tails, out: &mut [f64; FIGURES]) -> Result<()> {
    let bars = source.bars();
    if bars == 0 {
        return Err(KernelError::Param("statistics need at least one return"));
    }
    tails.check(bars)?;
    if let Source::Equity(e) = source {
        if !(e[0] > 0.0 && e[0] < f64::INFINITY) {
            return Err(KernelError::Row {
                row: 0,
                what: "equity: expected a finite value above 0",
            });
        }
    }
    let whole = tails.mass.floor();
    let edge = whole as usize - usize::from(tails.mass == whole);
    let first = tails.low.floor() as usize;
    let last = tails.high.floor() as usize;
    // from the smallest value up, and from the largest down
    let second = (first + 1).min(bars - 1);
    let (top, next) = (bars - 1 - (last + 1).min(bars - 1), bars - 1 - last);
    let [low, high, mut sorted] = room();
    let mut guessed = guess(&source, bars, tails, low, high);
    let (mut low, mut high) = loop {
        let (mut low, mut high) = guessed;
        let mut found = Ok(());
        dispatch(Scan {
            source,
            low: &mut low,
            high: &mut high,
            out,
            found: &mut found,
        });
        found?;
        if low.holds(edge.max(second), bars) && high.holds(next, bars) {
            break (low, high);
        }
        guessed = everything(low.beyond, high.beyond);
    };
    let mut ranks = [first, second, edge];
    ranks.sort_unstable();
    sorted.extend_from_slice(&low.beyond);
    let values = at_ranks(&mut sorted, low.bound, false, ranks);
    let at = |rank: usize| values[ranks.iter().position(|r| *r == rank).unwrap_or(0)];
    out[18] = between(at(first), at(second), tails.low - first as f64);
    let boundary = at(edge);
    // in the order in which they came, so that the sum does not depend on the guess
    let mut below = 0;
    for i in 0..low.beyond.len() {
        let v = low.beyond[i];
        low.beyond[below] = v;
        below += usize::from(v < boundary);
    }
    let sum = fold(&low.beyond[..below]);
    out[20] = -boundary;
    out[21] = -(sum + (tails.mass - below as f64) * boundary) / tails.mass;
    let [b, a] = at_ranks(&mut high.beyond, high.bound, true, [top, next]);
    give_back([low.beyond, high.beyond, sorted]);
    out[19] = between(a, b, tails.high - last as f64);
    Ok(())
}
