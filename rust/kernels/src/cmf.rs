//! Chaikin money flow: volume weighted by where the close lies in its bar, over the volume of `n` bars.
//!
//! `sum(mfm * v) / sum(v)` with `mfm = ((c - l) - (h - c)) / (h - l)`, 0 when `h == l`. Window sums are
//! two-stack sums: no drift, and a window without volume is exactly 0/0, hence NaN.

use crate::codec::{Reader, Writer};
use crate::error::{same_len, window_ok, Result};
use crate::simd::{dispatch, Job, F4};
use crate::two_stack::{rolling, Sum, Window};

#[inline(always)]
fn flow(high: f64, low: f64, close: f64, volume: f64) -> f64 {
    let range = high - low;
    let share = ((close - low) - (high - close)) / range * volume;
    if range == 0.0 {
        0.0 * volume
    } else {
        share
    }
}

/// Bars per pass (about): the buffers stay in the first-level cache.
const PASS: usize = 512;

/// Money flow of every bar in [-1, 1]; NaN before index `window - 1` and where the window has no volume.
///
/// # Errors
/// [`KernelError`](crate::KernelError) for a window of 0 or unequal lengths.
pub fn cmf(
    high: &[f64],
    low: &[f64],
    close: &[f64],
    volume: &[f64],
    window: usize,
    out: &mut [f64],
) -> Result<()> {
    window_ok(window, 1)?;
    for found in [low.len(), close.len(), volume.len(), out.len()] {
        same_len(high.len(), found)?;
    }
    dispatch(Run {
        high,
        low,
        close,
        volume,
        window,
        out,
    });
    Ok(())
}

struct Run<'a> {
    high: &'a [f64],
    low: &'a [f64],
    close: &'a [f64],
    volume: &'a [f64],
    window: usize,
    out: &'a mut [f64],
}

impl Job for Run<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        let n = self.window;
        let pass = n * PASS.div_ceil(n);
        let mut flows = vec![0.0; pass.min(self.out.len())];
        let mut volumes = flows.clone();
        let (mut carry_flow, mut carry_volume) = (vec![f64::NAN; n], vec![f64::NAN; n]);
        let bars = self.high.chunks(pass).zip(self.low.chunks(pass));
        let bars = bars.zip(self.close.chunks(pass)).zip(self.volume.chunks(pass));
        for ((((h, l), c), v), o) in bars.zip(self.out.chunks_mut(pass)) {
            for ((((f, &h), &l), &c), &v) in flows.iter_mut().zip(h).zip(l).zip(c).zip(v) {
                *f = flow(h, l, c, v);
            }
            rolling::<Sum>(&flows[..v.len()], o, &mut carry_flow);
            rolling::<Sum>(v, &mut volumes, &mut carry_volume);
            for (o, &v) in o.iter_mut().zip(&volumes) {
                *o /= v;
            }
        }
    }
}

/// Streaming form of [`cmf`]; memory O(n), O(1) amortised per bar.
#[derive(Clone, Debug)]
pub struct Cmf {
    window: usize,
    flow: Window<Sum>,
    volume: Window<Sum>,
}

impl Cmf {
    /// Money flow over `window >= 1` bars.
    ///
    /// # Errors
    /// [`KernelError::Param`](crate::KernelError::Param) for a window of 0.
    pub fn new(window: usize) -> Result<Self> {
        window_ok(window, 1)?;
        Ok(Self {
            window,
            flow: Window::new(window),
            volume: Window::new(window),
        })
    }

    /// Take one bar; its money flow.
    #[inline]
    pub fn update(&mut self, high: f64, low: f64, close: f64, volume: f64) -> f64 {
        self.flow.push(flow(high, low, close, volume)) / self.volume.push(volume)
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        let w = Writer::new("Cmf").u64(self.window as u64);
        self.volume.write(self.flow.write(w)).done()
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`](crate::KernelError::Snapshot) when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "Cmf")?;
        let window = r.size()?;
        window_ok(window, 1)?;
        let me = Self {
            window,
            flow: Window::read(&mut r, window)?,
            volume: Window::read(&mut r, window)?,
        };
        r.end()?;
        Ok(me)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_with_a_flat_bar_and_a_dry_window() {
        let h = [2.0, 4.0, 3.0, 3.0, 3.0];
        let l = [0.0, 0.0, 3.0, 1.0, 1.0];
        let c = [2.0, 1.0, 3.0, 2.0, 3.0];
        let v = [10.0, 20.0, 5.0, 0.0, 0.0];
        let mut o = [0.0; 5];
        cmf(&h, &l, &c, &v, 2, &mut o).unwrap();
        assert!(o[0].is_nan());
        assert_eq!(o[1], (10.0 - 10.0) / 30.0);
        assert_eq!(o[2], (-10.0 + 0.0) / 25.0);
        assert_eq!(o[3], 0.0);
        assert!(o[4].is_nan(), "no volume in the window");
    }

    #[test]
    fn stream_equals_batch_to_the_bit() {
        let len = 1500;
        let wave = |i: usize, k: f64| ((i as f64) * k).sin();
        let c: Vec<f64> = (0..len).map(|i| 100.0 + 5.0 * wave(i, 0.37)).collect();
        let h: Vec<f64> = (0..len).map(|i| c[i] + 1.0 + wave(i, 1.1)).collect();
        let l: Vec<f64> = (0..len).map(|i| c[i] - 1.0 - wave(i, 1.7)).collect();
        let v: Vec<f64> = (0..len).map(|i| 50.0 + 40.0 * wave(i, 2.3)).collect();
        for n in [1, 2, 20, 21, 700, 1500] {
            let mut o = vec![0.0; len];
            cmf(&h, &l, &c, &v, n, &mut o).unwrap();
            let mut s = Cmf::new(n).unwrap();
            for i in 0..len {
                if i == 777 {
                    s = Cmf::restore(&s.snapshot()).unwrap();
                }
                let x = s.update(h[i], l[i], c[i], v[i]);
                assert!(x.to_bits() == o[i].to_bits() || i + 1 < n, "n {n} i {i}");
            }
        }
    }
}
