//! Keltner channel: exponential average of the close plus and minus `k` average true ranges.
//!
//! `middle = EMA(n)`, `upper, lower = middle ± k*ATR(m)`, with the operations of [`crate::ema`](fn@crate::ema)
//! and [`crate::atr`](fn@crate::atr). All three lines start together at bar `max(n - 1, m)`, and all three are
//! undefined after a non-finite input.

use crate::atr::{Atr, Bars};
use crate::bollinger::Bands;
use crate::codec::{Reader, Writer};
use crate::ema::Ema;
use crate::error::{same_len, KernelError, Result};
use crate::simd::{dispatch, Job, F4};

/// Bars per pass: the three outputs are written while they are in the first-level cache.
const PASS: usize = 512;

/// Upper, middle, lower from average, range and width; NaN in all unless both are finite.
#[inline(always)]
#[allow(clippy::eq_op)] // a - a is 0, or NaN where the range is undefined
pub(crate) fn lines(middle: f64, range: f64, k: f64) -> (f64, f64, f64) {
    let half = k * range;
    (middle + half, middle + (range - range), middle - half)
}

pub(crate) fn width_ok(k: f64) -> Result<()> {
    if k > 0.0 && k.is_finite() {
        Ok(())
    } else {
        Err(KernelError::Param("the channel width must be finite and above 0"))
    }
}

/// Streaming channel: `O(1)` memory and work.
#[derive(Debug, Clone)]
pub struct Keltner {
    middle: Ema,
    range: Atr,
    k: f64,
}

impl Keltner {
    /// Channel of an average of span `ema_window` and `k` ranges over `atr_window` bars.
    ///
    /// # Errors
    /// [`KernelError::Param`] for a window of 0 or a width that is not finite and above 0.
    pub fn new(ema_window: usize, atr_window: usize, k: f64) -> Result<Self> {
        width_ok(k)?;
        Ok(Self {
            middle: Ema::new(ema_window)?,
            range: Atr::new(atr_window)?,
            k,
        })
    }

    /// Take one bar; upper, middle, lower, NaN while warming up.
    #[inline]
    pub fn update(&mut self, high: f64, low: f64, close: f64) -> (f64, f64, f64) {
        lines(
            self.middle.update(close),
            self.range.update(high, low, close),
            self.k,
        )
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        let w = Writer::new("Keltner").f64s(&[self.k]);
        w.nested(&self.middle.snapshot())
            .nested(&self.range.snapshot())
            .done()
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "Keltner")?;
        let k = r.f64()?;
        width_ok(k)?;
        let me = Self {
            k,
            middle: Ema::restore(r.nested()?)?,
            range: Atr::restore(r.nested()?)?,
        };
        r.end()?;
        Ok(me)
    }
}

/// Channel of every bar into three outputs of the same length.
///
/// # Errors
/// [`KernelError`] for bad parameters or unequal lengths.
pub fn keltner(bars: Bars<'_>, ema_window: usize, atr_window: usize, k: f64, out: Bands<'_>) -> Result<()> {
    width_ok(k)?;
    let len = bars.count()?;
    for found in [out.upper.len(), out.middle.len(), out.lower.len()] {
        same_len(len, found)?;
    }
    let state = Keltner::new(ema_window, atr_window, k)?;
    dispatch(Run {
        bars,
        len,
        ema_window,
        state,
        out,
    });
    Ok(())
}

struct Run<'a, 'b> {
    bars: Bars<'a>,
    len: usize,
    ema_window: usize,
    state: Keltner,
    out: Bands<'b>,
}

impl Job for Run<'_, '_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        let Self {
            bars,
            len,
            ema_window,
            state,
            out,
        } = self;
        let Keltner {
            middle: mut ema,
            range: mut atr,
            k,
        } = state;
        let step = |atr: &mut Atr, i: usize| atr.update(bars.high[i], bars.low[i], bars.close[i]);
        // averages go where the middle stands, ranges where the lower line will
        let (mut e, mut a) = (ema_window.min(len), atr.lead().min(len));
        for (o, &x) in out.middle[..e].iter_mut().zip(bars.close) {
            *o = ema.update(x);
        }
        for (i, o) in out.lower[..a].iter_mut().enumerate() {
            *o = step(&mut atr, i);
        }
        let (mut end, mut done) = (0, 0);
        while end < len {
            end = (end + PASS).min(len);
            // groups of four count from the seed of each average, so the two do not end on the same bar
            let n = end.saturating_sub(e) / 4 * 4;
            if n > 0 {
                ema.groups::<V>(&bars.close[e..e + n], &mut out.middle[e..e + n]);
                e += n;
            }
            let n = end.saturating_sub(a) / 4 * 4;
            if n > 0 {
                atr.groups::<V>(bars, a, &mut out.lower[a..a + n]);
                a += n;
            }
            if end == len {
                for (o, &x) in out.middle[e..].iter_mut().zip(&bars.close[e..]) {
                    *o = ema.update(x);
                }
                for (i, o) in out.lower.iter_mut().enumerate().skip(a) {
                    *o = step(&mut atr, i);
                }
                (e, a) = (len, len);
            }
            let upto = e.min(a).min(end).max(done);
            let (u, m, l) = (
                &mut out.upper[done..upto],
                &mut out.middle[done..upto],
                &mut out.lower[done..upto],
            );
            for ((u, m), l) in u.iter_mut().zip(m).zip(l) {
                (*u, *m, *l) = lines(*m, *l, k);
            }
            done = upto;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_equals_batch_and_lines_start_together() {
        let c: Vec<f64> = (0..200).map(|i| 50.0 + (f64::from(i) * 0.7).sin()).collect();
        let h: Vec<f64> = c.iter().map(|x| x + 0.5).collect();
        let l: Vec<f64> = c.iter().map(|x| x - 0.25).collect();
        for (n, m) in [(20, 10), (3, 30), (1, 1)] {
            let (mut u, mut mid, mut d) = (vec![0.0; 200], vec![0.0; 200], vec![0.0; 200]);
            let out = Bands {
                upper: &mut u,
                middle: &mut mid,
                lower: &mut d,
            };
            keltner(
                Bars {
                    high: &h,
                    low: &l,
                    close: &c,
                },
                n,
                m,
                2.0,
                out,
            )
            .unwrap();
            let mut s = Keltner::new(n, m, 2.0).unwrap();
            for i in 0..200 {
                if i == 33 {
                    s = Keltner::restore(&s.snapshot()).unwrap();
                }
                let (a, b, e) = s.update(h[i], l[i], c[i]);
                let ready = i >= (n - 1).max(m);
                assert!(a.is_nan() != ready && b.is_nan() != ready && e.is_nan() != ready);
                if ready {
                    assert_eq!((a, b, e), (u[i], mid[i], d[i]));
                }
            }
        }
        assert!(Keltner::new(20, 10, 0.0).is_err() && Keltner::new(0, 10, 1.0).is_err());
    }
}
