//! Time-series momentum: the vote of the signs of three past returns.

use super::bits::{above, above_value, known, words, Mask, Row, Sides, NONE};
use super::grid::{count, windows_ok, Distinct, Grid, Panel, Take};
use super::run::Market;
use crate::ema::Ema;
use crate::error::Result;
use crate::simd::F4;

/// Every increasing triple of spans with every span of the volatility, in that order; a group has one short span.
#[derive(Debug, Clone)]
pub struct MomentumGrid {
    short: Vec<usize>,
    middle: Vec<usize>,
    long: Vec<usize>,
    volatility: Vec<usize>,
    firsts: Vec<usize>,
}

impl MomentumGrid {
    /// Increasing spans in bars; that of the volatility is an exponential average of squared returns, and there
    /// is no vote before it is known and above 0.
    ///
    /// # Errors
    /// [`crate::KernelError::Param`] for other axes.
    pub fn new(short: &[usize], middle: &[usize], long: &[usize], volatility: &[usize]) -> Result<Self> {
        for axis in [short, middle, long, volatility] {
            windows_ok(axis, 1)?;
        }
        let after = |list: &[usize], x: usize| list.len() - list.partition_point(|y| *y <= x);
        let pairs = |s: usize| -> usize {
            let more = middle.iter().filter(|m| **m > s);
            more.map(|m| after(long, *m)).sum()
        };
        Ok(Self {
            firsts: count(short.iter().map(|s| pairs(*s) * volatility.len())),
            short: short.to_vec(),
            middle: middle.to_vec(),
            long: long.to_vec(),
            volatility: volatility.to_vec(),
        })
    }
}

impl Grid for MomentumGrid {
    type Panel = Votes;

    fn firsts(&self) -> &[usize] {
        &self.firsts
    }

    fn panel(&self, groups: &[usize]) -> Result<Votes> {
        let short = || groups.iter().map(|g| self.short[*g]);
        let distinct = Distinct::of(
            short()
                .chain(self.middle.iter().copied())
                .chain(self.long.iter().copied()),
        );
        let mut spans = Vec::new();
        for s in short() {
            for m in self.middle.iter().filter(|m| **m > s) {
                for l in self.long.iter().filter(|l| *l > m) {
                    spans.push([s, *m, *l].map(|x| distinct.place(x)));
                }
            }
        }
        let calm: Result<Vec<Calm>> = self.volatility.iter().map(|v| Calm::new(*v)).collect();
        Ok(Votes {
            signs: distinct.0.iter().map(|w| Sign::new(*w)).collect(),
            calm: calm?,
            spans,
        })
    }
}

/// Where the close is above, and below, that of `span` bars before.
struct Sign {
    span: usize,
    up: Mask,
    down: Mask,
    /// Bars that have a past that far back.
    known: Mask,
}

impl Sign {
    fn new(span: usize) -> Self {
        Self {
            span,
            up: NONE,
            down: NONE,
            known: NONE,
        }
    }

    #[inline(always)]
    fn advance<V: F4>(&mut self, close: &[f64], at: usize, len: usize) {
        let mut past = Row::UNDEFINED;
        let mut now = Row::UNDEFINED;
        now.0[..len].copy_from_slice(&close[at..at + len]);
        let first = self.span.saturating_sub(at).min(len);
        if first < len {
            past.0[first..len].copy_from_slice(&close[at + first - self.span..at + len - self.span]);
        }
        self.up = above::<V>(&now, &past);
        self.down = above::<V>(&past, &now);
        self.known = known::<V>(&past);
    }
}

/// Where the volatility forecast is known and above 0.
struct Calm {
    squares: Ema,
    last: f64,
    /// Of the returns up to the bar before.
    variance: f64,
    live: Mask,
}

impl Calm {
    fn new(span: usize) -> Result<Self> {
        Ok(Self {
            squares: Ema::new(span)?,
            last: f64::NAN,
            variance: f64::NAN,
            live: NONE,
        })
    }

    #[inline(always)]
    fn advance<V: F4>(&mut self, close: &[f64], at: usize, len: usize) {
        let mut row = Row::UNDEFINED;
        for (i, c) in close[at..at + len].iter().enumerate() {
            row.0[i] = self.variance;
            if at + i > 0 {
                let change = c / self.last - 1.0;
                self.variance = self.squares.update(change * change);
            }
            self.last = *c;
        }
        self.live = above_value::<V>(&row, 0.0);
    }
}

pub(crate) struct Votes {
    signs: Vec<Sign>,
    calm: Vec<Calm>,
    spans: Vec<[usize; 3]>,
}

impl Panel for Votes {
    #[inline(always)]
    fn advance<V: F4>(&mut self, market: &Market<'_>, at: usize, len: usize) {
        for sign in &mut self.signs {
            sign.advance::<V>(market.close, at, len);
        }
        for calm in &mut self.calm {
            calm.advance::<V>(market.close, at, len);
        }
    }

    #[inline(always)]
    fn each<V: F4>(&mut self, _short: bool, to: &mut impl Take) {
        let mut k = 0;
        for spans in &self.spans {
            let [a, b, c] = spans.map(|s| &self.signs[s]);
            let votes = [&a.up, &b.up, &c.up, &a.down, &b.down, &c.down];
            let long = words(votes, |[a, b, c, x, y, z]| more(a, b, c, x, y, z));
            let short = words(votes, |[a, b, c, x, y, z]| more(x, y, z, a, b, c));
            for calm in &self.calm {
                let gate = [&calm.live, &c.known];
                let live = words(gate, |[live, known]| live & known);
                let up = words([&long, &live], |[side, live]| side & live);
                let down = words([&short, &live], |[side, live]| side & live);
                to.take::<V>(k, &Sides { up, down });
                k += 1;
            }
        }
    }
}

/// Bits of which more are set in `a b c` than in `x y z`.
#[inline(always)]
fn more(a: u64, b: u64, c: u64, x: u64, y: u64, z: u64) -> u64 {
    let (ones, twos) = (a ^ b ^ c, (a & b) | (c & (a ^ b)));
    let (other_ones, other_twos) = (x ^ y ^ z, (x & y) | (z & (x ^ y)));
    (twos & !other_twos) | (!(twos ^ other_twos) & ones & !other_ones)
}
