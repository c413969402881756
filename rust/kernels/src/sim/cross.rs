//! Backtest of the moving-average crossover, averages included, in one pass.
//!
//! The averages are those of [`crate::sma`] to the bit: each is computed a few of its own blocks ahead into a
//! buffer that stays in the cache, because its sums restart on the grid of its own window. The rule is that of
//! the strategy of the same name: `gap = (fast - slow) / slow`; long where `gap > band`, short where
//! `gap < -band`, flat between, while an average is undefined, and where the gap is not finite.

use super::account::{prices_ok, Account, Signs};
use super::signal::TILE;
use super::trade::{Costs, Summary};
use crate::blocks::block_len;
use crate::error::{same_len, window_ok, KernelError, Result};
use crate::simd::{dispatch, Job, F4};
use crate::sma::sma_asking;

/// Windows in bars and the band as a fraction of the slow average.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cross {
    /// Fast window.
    pub fast: usize,
    /// Slow window, above the fast one.
    pub slow: usize,
    /// Distance below which there is no signal.
    pub band: f64,
}

/// A moving average computed ahead of the walk, block by block.
struct Ahead {
    window: usize,
    /// Bar of the buffer's first valid value, and one past its last.
    from: usize,
    to: usize,
    chunk: usize,
    buffer: Vec<f64>,
}

impl Ahead {
    fn new(window: usize) -> Self {
        // whole groups of four blocks, which the average works through side by side
        let group = 4 * block_len(window);
        let chunk = group * TILE.div_ceil(group);
        Self {
            window,
            from: 0,
            to: window - 1,
            chunk,
            buffer: Vec::new(),
        }
    }

    /// Make the value of `bar` available (`bar >= window - 1`); one past the last bar that is.
    ///
    /// Meanwhile the lines that the walk reads or writes after these bars are asked for, from the columns `next`.
    fn reach<const N: usize>(&mut self, close: &[f64], bar: usize, next: [*const f64; N]) -> Result<usize> {
        if bar >= self.to {
            self.from = self.to;
            self.to = (self.from + self.chunk).min(close.len());
            let past = &close[self.from + 1 - self.window..self.to];
            self.buffer.resize(past.len(), 0.0);
            let shift = self.to + 1 - self.window;
            sma_asking(
                past,
                self.window,
                &mut self.buffer,
                next.map(|p| p.wrapping_add(shift)),
            )?;
        }
        Ok(self.to)
    }

    #[inline(always)]
    fn values(&self, from: usize, to: usize) -> &[f64] {
        let lead = self.window - 1;
        &self.buffer[from - self.from + lead..to - self.from + lead]
    }
}

struct Run<'a> {
    open: &'a [f64],
    close: &'a [f64],
    rule: Cross,
    costs: Costs,
    equity: &'a mut [f64],
    out: &'a mut Result<(Summary, Vec<u64>)>,
}

impl Run<'_> {
    #[inline(always)]
    fn walk<V: F4>(&mut self) -> Result<(Summary, Vec<u64>)> {
        let (open, close, bars) = (self.open, self.close, self.close.len());
        let mut account = Account::new(self.costs);
        let (mut signs, mut words) = ([0_i8; TILE], [0_u64; TILE / 64]);
        let (mut fast, mut slow) = (Ahead::new(self.rule.fast), Ahead::new(self.rule.slow));
        let warm = (self.rule.slow - 1).min(bars);
        let mut at = 0;
        while at < bars {
            let mut end = (at + TILE).min(bars);
            if at < warm {
                end = end.min(warm);
                signs[..end - at].fill(0);
                let (o, c) = (&open[at..end], &close[at..end]);
                prices_ok::<V>(at, o, c)?;
                account.tile::<V, _>(at, o, c, &&signs[..end - at], &mut self.equity[at..end]);
            } else {
                // the fast average may still have warm-up chunks that nobody reads
                let columns = [close.as_ptr(), open.as_ptr()];
                let mut reached = fast.reach(close, at, columns)?;
                while reached <= at {
                    reached = fast.reach(close, reached, columns)?;
                }
                end = end
                    .min(reached)
                    .min(slow.reach(close, at, [self.equity.as_ptr()])?);
                let (f, s) = (fast.values(at, end), slow.values(at, end));
                let (o, c) = (&open[at..end], &close[at..end]);
                prices_ok::<V>(at, o, c)?;
                let equity = &mut self.equity[at..end];
                if self.rule.band == 0.0 && !self.costs.short {
                    above::<V>(f, s, &mut words);
                    let bits = Above {
                        words: &words[..(end - at).div_ceil(64)],
                        bars: end - at,
                    };
                    account.tile::<V, _>(at, o, c, &bits, equity);
                } else {
                    compare(f, s, self.rule.band, self.costs.short, &mut signs[..end - at]);
                    account.tile::<V, _>(at, o, c, &&signs[..end - at], equity);
                }
            }
            at = end;
        }
        Ok(account.finish())
    }
}

impl Job for Run<'_> {
    #[inline(always)]
    fn run<V: F4>(mut self) {
        *self.out = self.walk::<V>();
    }
}

/// Long where the fast average is above the slow one, one bit per bar: the sign of the gap without its division.
struct Above<'a> {
    words: &'a [u64],
    bars: usize,
}

impl Signs for Above<'_> {
    #[inline(always)]
    fn of(&self, i: usize) -> i8 {
        (self.words[i / 64] >> (i % 64) & 1) as i8
    }

    #[inline(always)]
    fn run_end(&self, i: usize, held: i8) -> usize {
        let flip = 0_u64.wrapping_sub(u64::from(held > 0));
        let mut at = i / 64;
        let mut differ = (self.words[at] ^ flip) & (u64::MAX << (i % 64));
        while differ == 0 {
            at += 1;
            match self.words.get(at) {
                Some(word) => differ = word ^ flip,
                None => return self.bars,
            }
        }
        (64 * at + differ.trailing_zeros() as usize).min(self.bars)
    }
}

/// Set the bits of the bars on which `fast` is above `slow`.
#[inline(always)]
fn above<V: F4>(fast: &[f64], slow: &[f64], words: &mut [u64; TILE / 64]) {
    for ((word, f), s) in words.iter_mut().zip(fast.chunks(64)).zip(slow.chunks(64)) {
        let (mut bits, fours) = (0_u64, f.len() / 4);
        for k in 0..fours {
            // SAFETY: four doubles each, as both chunks are equally long
            let (f, s) = unsafe { (V::load(f.as_ptr().add(4 * k)), V::load(s.as_ptr().add(4 * k))) };
            bits |= f.above(s) << (4 * k);
        }
        for k in 4 * fours..f.len() {
            bits |= u64::from(f[k] > s[k]) << k;
        }
        *word = bits;
    }
}

#[inline(always)]
fn compare(fast: &[f64], slow: &[f64], band: f64, short: bool, signs: &mut [i8]) {
    for ((sign, f), s) in signs.iter_mut().zip(fast).zip(slow) {
        let gap = (f - s) / s;
        let up = (gap > band) & (gap < f64::INFINITY);
        let down = short & (gap < -band) & (gap > f64::NEG_INFINITY);
        *sign = i8::from(up) - i8::from(down);
    }
}

/// Trade the crossover of two moving averages of the close: seen at a close, filled at the next open.
///
/// Outputs as in [`super::signal_backtest`].
///
/// # Errors
/// [`KernelError`] for unequal lengths, no bars, a parameter out of range, or a row with a bad price.
pub fn ma_cross_backtest(
    open: &[f64],
    close: &[f64],
    rule: Cross,
    costs: Costs,
    equity: &mut [f64],
) -> Result<(Summary, Vec<u64>)> {
    costs.check()?;
    window_ok(rule.fast, 1)?;
    window_ok(rule.slow, 2)?;
    if rule.fast >= rule.slow {
        return Err(KernelError::Param("the fast window must be below the slow one"));
    }
    if !(rule.band >= 0.0 && rule.band < f64::INFINITY) {
        return Err(KernelError::Param("the band must be finite and not below 0"));
    }
    same_len(close.len(), open.len())?;
    same_len(close.len(), equity.len())?;
    if close.is_empty() {
        return Err(KernelError::Param("a backtest needs at least one bar"));
    }
    let mut out = Err(KernelError::Param("a backtest needs at least one bar"));
    let run = Run {
        open,
        close,
        rule,
        costs,
        equity,
        out: &mut out,
    };
    dispatch(run);
    out
}
