//! Squeeze (Carter): 1 while both Bollinger bands lie strictly inside the Keltner channel, else 0.
//!
//! Bollinger bands of `n` bars at `bands_k` deviations; channel `EMA(n) ± channel_k*ATR(n)`, with the
//! operations of those kernels. NaN before bar `n` and where a line is undefined.

use crate::atr::{Atr, Bars};
use crate::blocks::block_len;
use crate::bollinger::{self, Bands, Bollinger};
use crate::codec::{Reader, Writer};
use crate::ema::Ema;
use crate::error::{same_len, Result};
use crate::keltner::{lines, width_ok, Keltner};
use crate::simd::{dispatch, Job, F4};

/// Outer pair (channel) and inner pair (bands), each upper and lower.
#[inline(always)]
fn inside(channel: (f64, f64), bands: (f64, f64)) -> f64 {
    let defined = (channel.0 + channel.1) + (bands.0 + bands.1);
    let squeezed = (bands.0 < channel.0) & (bands.1 > channel.1);
    let value = if squeezed { 1.0 } else { 0.0 };
    if defined.is_nan() {
        f64::NAN
    } else {
        value
    }
}

/// Streaming squeeze: `O(window)` memory, `O(1)` per bar.
#[derive(Debug, Clone)]
pub struct Squeeze {
    bands: Bollinger,
    channel: Keltner,
}

impl Squeeze {
    /// Squeeze over `window >= 1` bars with the two widths, finite and above 0.
    ///
    /// # Errors
    /// [`crate::KernelError::Param`] for other parameters.
    pub fn new(window: usize, bands_k: f64, channel_k: f64) -> Result<Self> {
        Ok(Self {
            bands: Bollinger::new(window, bands_k)?,
            channel: Keltner::new(window, window, channel_k)?,
        })
    }

    /// Take one bar; 1 in a squeeze, 0 outside, NaN while warming up.
    #[inline]
    pub fn update(&mut self, high: f64, low: f64, close: f64) -> f64 {
        let (bu, _, bl) = self.bands.update(close);
        let (cu, _, cl) = self.channel.update(high, low, close);
        inside((cu, cl), (bu, bl))
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        Writer::new("Squeeze")
            .nested(&self.bands.snapshot())
            .nested(&self.channel.snapshot())
            .done()
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`crate::KernelError::Snapshot`] when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "Squeeze")?;
        let me = Self {
            bands: Bollinger::restore(r.nested()?)?,
            channel: Keltner::restore(r.nested()?)?,
        };
        r.end()?;
        Ok(me)
    }
}

/// Squeeze of every bar into `out`.
///
/// # Errors
/// [`crate::KernelError`] for bad parameters or unequal lengths.
pub fn squeeze(bars: Bars<'_>, window: usize, bands_k: f64, channel_k: f64, out: &mut [f64]) -> Result<()> {
    let len = bars.count()?;
    same_len(len, out.len())?;
    let run = Run {
        bars,
        window,
        channel_k,
        bands: Bollinger::new(window, bands_k)?,
        ema: Ema::new(window)?,
        atr: Atr::new(window)?,
        out,
    };
    width_ok(channel_k)?;
    dispatch(run);
    Ok(())
}

struct Run<'a> {
    bars: Bars<'a>,
    window: usize,
    channel_k: f64,
    bands: Bollinger,
    ema: Ema,
    atr: Atr,
    out: &'a mut [f64],
}

impl Job for Run<'_> {
    /// One walk in blocks of the bands' grid; rows hold what is known from bar `done` on.
    #[inline(always)]
    fn run<V: F4>(self) {
        let Self {
            bars,
            window: w,
            channel_k,
            mut bands,
            mut ema,
            mut atr,
            out,
        } = self;
        let (x, len, block) = (bars.close, out.len(), block_len(w));
        let step = |atr: &mut Atr, i: usize| atr.update(bars.high[i], bars.low[i], bars.close[i]);
        let mut done = (w - 1).min(len);
        out[..done].fill(f64::NAN);
        // averages and ranges may lag behind the bands by the three bars that make no whole group
        let row = vec![0.0; block + w + 8];
        let [mut upper, mut lower, mut middle, mut average, mut range] = std::array::from_fn(|_| row.clone());
        let (mut e, mut a) = (w.min(len), atr.lead().min(len));
        for (i, &v) in x[..e].iter().enumerate() {
            let y = ema.update(v);
            if i >= done {
                average[i - done] = y;
            }
        }
        for i in 0..a {
            let y = step(&mut atr, i);
            if i >= done {
                range[i - done] = y;
            }
        }
        let mut at = done;
        while at < len {
            let end = (at + block).min(len);
            // the bands stand w - 1 places later than their bar, as in a series that starts one window before
            let (ahead, past) = (at - done, at + 1 - w);
            let mut here = Bands {
                upper: &mut upper[ahead..],
                middle: &mut middle[ahead..],
                lower: &mut lower[ahead..],
            };
            bollinger::advance::<V>(&x[past..end], w - 1, end - past, &mut bands, &mut here);
            let n = end.saturating_sub(e) / 4 * 4;
            ema.groups::<V>(&x[e..e + n], &mut average[e - done..e - done + n]);
            e += n;
            let n = end.saturating_sub(a) / 4 * 4;
            if n > 0 {
                atr.groups::<V>(bars, a, &mut range[a - done..a - done + n]);
                a += n;
            }
            if end == len {
                for i in e..len {
                    average[i - done] = ema.update(x[i]);
                }
                for i in a..len {
                    range[i - done] = step(&mut atr, i);
                }
                (e, a) = (len, len);
            }
            let n = e.min(a).min(end) - done;
            let shifted = upper[w - 1..].iter().zip(&lower[w - 1..]);
            let channel = average.iter().zip(&range);
            for ((o, (&m, &r)), (&u, &l)) in out[done..done + n].iter_mut().zip(channel).zip(shifted) {
                let (cu, _, cl) = lines(m, r, channel_k);
                *o = inside((cu, cl), (u, l));
            }
            for (row, lead) in [
                (&mut upper, w - 1),
                (&mut lower, w - 1),
                (&mut average, 0),
                (&mut range, 0),
            ] {
                // at most four bars are left over
                let from = (lead + n).min(row.len() - 4);
                row.copy_within(from..from + 4, lead);
            }
            (done, at) = (done + n, end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_closes_in_wide_bars_squeeze() {
        let c: Vec<f64> = (0..60)
            .map(|i| {
                if i < 40 {
                    10.0 + 0.01 * f64::from(i % 2)
                } else {
                    f64::from(i)
                }
            })
            .collect();
        let h: Vec<f64> = c.iter().map(|x| x + 1.0).collect();
        let l: Vec<f64> = c.iter().map(|x| x - 1.0).collect();
        let mut o = vec![0.0; 60];
        squeeze(
            Bars {
                high: &h,
                low: &l,
                close: &c,
            },
            20,
            2.0,
            1.5,
            &mut o,
        )
        .unwrap();
        assert!(o[..20].iter().all(|x| x.is_nan()));
        assert!(o[20..40].iter().all(|x| *x == 1.0));
        assert_eq!(o[45], 0.0);
        let mut s = Squeeze::new(20, 2.0, 1.5).unwrap();
        for i in 0..60 {
            s = Squeeze::restore(&s.snapshot()).unwrap();
            let x = s.update(h[i], l[i], c[i]);
            assert!(x == o[i] || (i < 20 && x.is_nan()));
        }
    }
}
