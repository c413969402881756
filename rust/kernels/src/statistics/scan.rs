//! The one pass over a sample's returns, block by block.

use super::tail::Tail;
use super::totals::Totals;
use crate::error::{KernelError, Result};
use crate::simd::{Job, F4};

/// Returns per block.
pub const BLOCK: usize = 2048;
/// Returns per part of a block: its growth is multiplied up from 1, so that parts do not wait for each other.
pub const PART: usize = 512;
/// Figures that the whole set has.
pub const FIGURES: usize = 22;

/// Where the returns come from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// Simple returns.
    Returns(&'a [f64]),
    /// An equity curve; the first value stands before the first bar.
    Equity(&'a [f64]),
}

impl Source<'_> {
    pub(crate) fn bars(&self) -> usize {
        match self {
            Self::Returns(x) => x.len(),
            Self::Equity(e) => e.len().saturating_sub(1),
        }
    }

    #[inline(always)]
    pub(crate) fn at(&self, i: usize) -> f64 {
        match self {
            Self::Returns(x) => x[i],
            Self::Equity(e) => e[i + 1] / e[i] - 1.0,
        }
    }
}

/// Where the equity stands.
struct Walk {
    value: f64,
    peak: f64,
    exponent: f64,
}

impl Walk {
    /// Keep the value within reach of a double: powers of two change no digit of it.
    fn rescale(&mut self) {
        let reach = f64::from_bits((1023 + 256) << 52);
        if self.value > reach || (self.value > 0.0 && self.value < 1.0 / reach) {
            let bits = self.value.to_bits() >> 52;
            if bits == 0 || bits >= 2046 {
                return;
            }
            let factor = f64::from_bits((2046 - bits) << 52);
            self.value *= factor;
            // far below a peak only that it is far counts, but an infinite one would equal itself no more
            self.peak = (self.peak * factor).min(f64::MAX);
            self.exponent += bits as f64 - 1023.0;
        }
    }

    /// Equity after each return of a block; `value` holds as many.
    #[inline(always)]
    fn grow(&mut self, x: &[f64], value: &mut [f64]) {
        self.rescale();
        if x.len() == BLOCK {
            let mut product = [1.0; BLOCK / PART];
            for i in 0..PART {
                for (part, p) in product.iter_mut().enumerate() {
                    let at = PART * part + i;
                    *p *= 1.0 + x[at];
                    value[at] = *p;
                }
            }
        } else {
            for (x, value) in x.chunks(PART).zip(value.chunks_mut(PART)) {
                let mut product = 1.0;
                for (x, v) in x.iter().zip(value) {
                    product *= 1.0 + *x;
                    *v = product;
                }
            }
        }
        for part in value.chunks_mut(PART) {
            part.iter_mut().for_each(|v| *v *= self.value);
            self.value = part[part.len() - 1];
        }
    }
}

fn bad_row(source: &Source<'_>, from: usize, to: usize) -> Option<KernelError> {
    (from..to).find_map(|row| match source {
        Source::Returns(x) if !(x[row] >= -1.0 && x[row] < f64::INFINITY) => Some(KernelError::Row {
            row,
            what: "returns: expected a finite return of -1 or more",
        }),
        Source::Equity(e) if !(e[row + 1] > 0.0 && e[row + 1] < f64::INFINITY) => Some(KernelError::Row {
            row: row + 1,
            what: "equity: expected a finite value above 0",
        }),
        _ => None,
    })
}

/// The pass; `found` says which row could not be used.
pub(crate) struct Scan<'a> {
    pub source: Source<'a>,
    pub low: &'a mut Tail,
    pub high: &'a mut Tail,
    pub out: &'a mut [f64; FIGURES],
    pub found: &'a mut Result<()>,
}

impl Job for Scan<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        let bars = self.source.bars();
        // a whole block is read where it stands, unless it has to be computed; the last one is copied and filled up
        let (mut returns, mut equity) = ([0.0; BLOCK], [0.0; BLOCK]);
        let start = match self.source {
            Source::Returns(_) => 1.0,
            Source::Equity(e) => e[0],
        };
        let mut walk = Walk {
            value: start,
            peak: start,
            exponent: 0.0,
        };
        let mut t = Totals::<V>::new();
        let mut at = 0;
        while at < bars {
            let m = BLOCK.min(bars - at);
            let (room, words) = (m.div_ceil(8) * 8, m.div_ceil(64) * 64);
            match self.source {
                Source::Returns(r) if m < BLOCK => returns[..m].copy_from_slice(&r[at..]),
                Source::Returns(_) => {}
                Source::Equity(e) => {
                    for ((o, b), a) in returns.iter_mut().zip(&e[at + 1..=at + m]).zip(&e[at..at + m]) {
                        *o = *b / *a - 1.0;
                    }
                }
            }
            let total = match self.source {
                Source::Returns(r) if m == BLOCK => t.sums(&r[at..at + m]),
                _ => {
                    returns[m..words].fill(0.0);
                    let (best, worst) = (t.best, t.worst);
                    let total = t.sums(&returns[..room]);
                    if m < room {
                        // what fills the last group up is no return
                        (t.best, t.worst) = (best, worst);
                        for v in &returns[..m] {
                            t.best = t.best.max(V::splat(*v));
                            t.worst = t.worst.min(V::splat(*v));
                        }
                    }
                    total
                }
            };
            let unfit = match self.source {
                Source::Returns(_) => t.worst.hmin() < -1.0,
                // a curve that turns negative gives a return of -1 or less at least once
                Source::Equity(_) => t.worst.hmin() <= -1.0,
            };
            if !total.is_finite() || unfit {
                if let Some(e) = bad_row(&self.source, at, at + m) {
                    *self.found = Err(e);
                    return;
                }
            }
            let mean = total / m as f64;
            returns[m..room].fill(mean);
            let x = match self.source {
                Source::Returns(r) if m == BLOCK => &r[at..at + m],
                _ => &returns[..room],
            };
            t.moments(x, mean, m);
            let value = match self.source {
                Source::Equity(e) if m == BLOCK => &e[at + 1..=at + m],
                Source::Equity(e) => {
                    equity[..m].copy_from_slice(&e[at + 1..]);
                    &equity[..m]
                }
                Source::Returns(_) => {
                    walk.grow(&x[..m], &mut equity[..m]);
                    &equity[..m]
                }
            };
            walk.value = value[m - 1];
            let value = if m < words {
                let top = value.iter().fold(walk.peak, |p, v| if *v > p { *v } else { p });
                equity[m..words].fill(top);
                &equity[..words]
            } else {
                value
            };
            walk.peak = t.falls(value, walk.peak, m);
            returns[m..words].fill(0.0);
            let x = match self.source {
                Source::Returns(r) if m == BLOCK => &r[at..at + m],
                _ => &returns[..words],
            };
            t.signs(x, m, self.low, self.high);
            at += m;
        }
        let growth = match self.source {
            Source::Returns(_) => walk.value,
            Source::Equity(_) => walk.value / start,
        };
        self.out[..18].copy_from_slice(&[
            bars as f64,
            t.central.mean,
            t.central.m2,
            t.central.m3,
            t.central.m4,
            t.gains,
            -t.losses,
            t.downside,
            t.best.hmax(),
            t.worst.hmin(),
            t.won as f64,
            t.lost as f64,
            t.losing.longest as f64,
            growth,
            walk.exponent,
            t.deepest.hmax(),
            t.under.longest as f64,
            t.ulcer,
        ]);
    }
}
