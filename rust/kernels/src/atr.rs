//! Average true range (Wilder 1978), seeded like TA-Lib with the mean of the first `n` true ranges.
//!
//! True range from bar 1: `max(h, c1) - min(l, c1)`, which for `h >= l` is `max(h-l, |h-c1|, |l-c1|)` to the
//! bit; then `A = b*A + a*tr`, `a = 1/n`, `b = 1 - a`, by the block scan of [`crate::scan`]. A non-finite high,
//! low or previous close makes every later value non-finite.

use crate::codec::{Reader, Writer};
use crate::error::{same_len, window_ok, Result};
use crate::scan::Scan;
use crate::simd::{dispatch, Job, F4};

/// True range of one bar; the last term carries a NaN of the low, which the compares would swallow.
#[inline(always)]
#[allow(clippy::eq_op)] // l - l is 0, or NaN where l is not finite
pub(crate) fn true_range(h: f64, l: f64, c1: f64) -> f64 {
    let top = if c1 > h { c1 } else { h };
    let bottom = if l < c1 { l } else { c1 };
    top - bottom + (l - l)
}

/// Streaming average true range: `O(1)` memory and work.
#[derive(Debug, Clone)]
pub struct Atr {
    window: usize,
    a: f64,
    count: u64,
    last: f64,
    scan: Scan,
}

impl Atr {
    /// Average over `window >= 1` bars.
    ///
    /// # Errors
    /// [`crate::KernelError::Param`] for a window of 0.
    pub fn new(window: usize) -> Result<Self> {
        window_ok(window, 1)?;
        let a = 1.0 / window as f64;
        Ok(Self {
            window,
            a,
            count: 0,
            last: 0.0,
            scan: Scan::new(1.0 - a),
        })
    }

    /// Take one bar; NaN for the first `window` bars.
    #[inline]
    pub fn update(&mut self, high: f64, low: f64, close: f64) -> f64 {
        let tr = true_range(high, low, self.last);
        self.last = close;
        if self.count > self.window as u64 {
            return self.scan.step(self.a * tr);
        }
        self.warm_up(tr)
    }

    #[cold]
    fn warm_up(&mut self, tr: f64) -> f64 {
        self.count += 1;
        if self.count == 1 {
            return f64::NAN;
        }
        self.scan.carry += tr;
        if self.count <= self.window as u64 {
            return f64::NAN;
        }
        self.scan.carry /= self.window as f64;
        self.scan.carry
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        self.scan
            .write(
                Writer::new("Atr")
                    .u64(self.window as u64)
                    .u64(self.count)
                    .f64s(&[self.last]),
            )
            .done()
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`crate::KernelError::Snapshot`] when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "Atr")?;
        let mut me = Self::new(r.size()?)?;
        me.count = r.u64()?;
        me.last = r.f64()?;
        me.scan.read(&mut r)?;
        r.end()?;
        Ok(me)
    }

    /// Bars before the first whole group.
    pub(crate) fn lead(&self) -> usize {
        self.window + 1
    }

    /// Whole groups of four from bar `at >= 1`; `out` starts at bar `at`.
    #[inline(always)]
    pub(crate) fn groups<V: F4>(&mut self, bars: Bars<'_>, at: usize, out: &mut [f64]) {
        let (h, l, c) = (&bars.high[at..], &bars.low[at..], &bars.close[at - 1..]);
        let n = h.len().min(l.len()).min(c.len()).min(out.len()) / 4 * 4;
        let d = self.scan.d;
        let (a, mut y) = (V::splat(self.a), V::splat(self.scan.carry));
        let mut i = 0;
        while i < n {
            // SAFETY: i + 4 <= n, which is at most the length of each slice
            unsafe {
                let (hi, lo) = (V::load(h.as_ptr().add(i)), V::load(l.as_ptr().add(i)));
                let c1 = V::load(c.as_ptr().add(i));
                let tr = c1.max(hi).sub(lo.min(c1)).add(lo.sub(lo));
                let e = a.mul(tr).scan(&d, y);
                e.store(out.as_mut_ptr().add(i));
                y = e.last();
            }
            i += 4;
        }
        if n > 0 {
            self.last = bars.close[at + n - 1];
            self.scan.seed(y.first());
        }
    }
}

/// High, low and close of the same bars.
#[derive(Debug, Clone, Copy)]
pub struct Bars<'a> {
    /// Highest price per bar.
    pub high: &'a [f64],
    /// Lowest price per bar.
    pub low: &'a [f64],
    /// Last price per bar.
    pub close: &'a [f64],
}

impl Bars<'_> {
    /// Number of bars, if all three agree on it.
    ///
    /// # Errors
    /// [`crate::KernelError::Length`] when they do not.
    pub fn count(&self) -> Result<usize> {
        same_len(self.high.len(), self.low.len())?;
        same_len(self.high.len(), self.close.len())?;
        Ok(self.high.len())
    }
}

struct Run<'a> {
    bars: Bars<'a>,
    at: usize,
    out: &'a mut [f64],
    state: &'a mut Atr,
}

impl Job for Run<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        self.state.groups::<V>(self.bars, self.at, self.out);
    }
}

/// Average true range over `window` bars into `out` (first `window` NaN).
///
/// # Errors
/// [`crate::KernelError`] for a window of 0 or unequal lengths.
pub fn atr(bars: Bars<'_>, window: usize, out: &mut [f64]) -> Result<()> {
    let len = bars.count()?;
    same_len(len, out.len())?;
    let mut state = Atr::new(window)?;
    let first = state.lead().min(len);
    let step = |state: &mut Atr, i: usize| state.update(bars.high[i], bars.low[i], bars.close[i]);
    for (i, o) in out[..first].iter_mut().enumerate() {
        *o = step(&mut state, i);
    }
    let n = (len - first) / 4 * 4;
    if n > 0 {
        dispatch(Run {
            bars,
            at: first,
            out: &mut out[first..first + n],
            state: &mut state,
        });
    }
    for (i, o) in out.iter_mut().enumerate().skip(first + n) {
        *o = step(&mut state, i);
    }
    Ok(())
}
