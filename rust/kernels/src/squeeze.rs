//! Squeeze (Carter): 1 while both Bollinger bands lie strictly inside the Keltner channel, else 0.
//!
//! Bollinger bands of `n` bars at `bands_k` deviations; channel `EMA(n) ± channel_k*ATR(n)`, with the
//! operations of those kernels. NaN before bar `n` and where a line is undefined.

use crate::atr::Bars;
use crate::bollinger::{bollinger, Bands, Bollinger};
use crate::codec::{Reader, Writer};
use crate::error::{same_len, Result};
use crate::keltner::{keltner, Keltner};

/// Outer pair (channel) and inner pair (bands), each upper and lower.
#[inline(always)]
fn inside(channel: (f64, f64), bands: (f64, f64)) -> f64 {
    let defined = (channel.0 + channel.1) + (bands.0 + bands.1);
    if defined.is_nan() {
        return f64::NAN;
    }
    f64::from(u8::from(bands.0 < channel.0 && bands.1 > channel.1))
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
    let count = bars.count()?;
    same_len(count, out.len())?;
    let mut buffer = vec![0.0; 5 * count];
    let (bu, rest) = buffer.split_at_mut(count);
    let (bl, rest) = rest.split_at_mut(count);
    let (cu, rest) = rest.split_at_mut(count);
    let (cl, middle) = rest.split_at_mut(count);
    bollinger(
        bars.close,
        window,
        bands_k,
        Bands {
            upper: bu,
            middle: &mut *middle,
            lower: bl,
        },
    )?;
    keltner(
        bars,
        window,
        window,
        channel_k,
        Bands {
            upper: cu,
            middle,
            lower: cl,
        },
    )?;
    let channel = cu.iter().zip(cl.iter());
    let bands = bu.iter().zip(bl.iter());
    for ((o, (&cu, &cl)), (&bu, &bl)) in out.iter_mut().zip(channel).zip(bands) {
        *o = inside((cu, cl), (bu, bl));
    }
    Ok(())
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
