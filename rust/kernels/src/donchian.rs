//! Donchian channel: highest high, lowest low and their mean over `n` bars (Donchian 1960).

use crate::codec::{Reader, Writer};
use crate::error::{same_len, window_ok, Result};
use crate::extremes::{extremes, Rows};
use crate::simd::{dispatch, Job, F4};
use crate::two_stack::{Max, Min, Window};

/// Upper, lower and middle line of every bar; NaN before index `window - 1` and where a window holds a NaN.
///
/// # Errors
/// [`KernelError`](crate::KernelError) for a window of 0 or unequal lengths.
pub fn donchian(
    high: &[f64],
    low: &[f64],
    window: usize,
    upper: &mut [f64],
    lower: &mut [f64],
    middle: &mut [f64],
) -> Result<()> {
    window_ok(window, 1)?;
    for found in [low.len(), upper.len(), lower.len(), middle.len()] {
        same_len(high.len(), found)?;
    }
    dispatch(Run {
        high,
        low,
        window,
        upper,
        lower,
        middle,
    });
    Ok(())
}

struct Run<'a> {
    high: &'a [f64],
    low: &'a [f64],
    window: usize,
    upper: &'a mut [f64],
    lower: &'a mut [f64],
    middle: &'a mut [f64],
}

impl Job for Run<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        let mut rows = Rows::new(self.window);
        extremes::<Max>(self.high, &mut rows, self.upper);
        extremes::<Min>(self.low, &mut rows, self.lower);
        for ((m, &u), &l) in self
            .middle
            .iter_mut()
            .zip(self.upper.iter())
            .zip(self.lower.iter())
        {
            *m = mid(u, l);
        }
    }
}

#[inline(always)]
fn mid(upper: f64, lower: f64) -> f64 {
    (upper + lower) * 0.5
}

/// Streaming form of [`donchian`]; memory O(n), O(1) amortised per bar.
#[derive(Clone, Debug)]
pub struct Donchian {
    window: usize,
    upper: Window<Max>,
    lower: Window<Min>,
}

impl Donchian {
    /// A channel over `window >= 1` bars.
    ///
    /// # Errors
    /// [`KernelError::Param`](crate::KernelError::Param) for a window of 0.
    pub fn new(window: usize) -> Result<Self> {
        window_ok(window, 1)?;
        Ok(Self {
            window,
            upper: Window::new(window),
            lower: Window::new(window),
        })
    }

    /// Take one bar; `(upper, lower, middle)`.
    #[inline]
    pub fn update(&mut self, high: f64, low: f64) -> (f64, f64, f64) {
        let (u, l) = (self.upper.push(high), self.lower.push(low));
        (u, l, mid(u, l))
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        let w = Writer::new("Donchian").u64(self.window as u64);
        self.lower.write(self.upper.write(w)).done()
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`](crate::KernelError::Snapshot) when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "Donchian")?;
        let window = r.size()?;
        window_ok(window, 1)?;
        let me = Self {
            window,
            upper: Window::read(&mut r, window)?,
            lower: Window::read(&mut r, window)?,
        };
        r.end()?;
        Ok(me)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked() {
        let (h, l) = ([3.0, 5.0, 4.0, 2.0], [1.0, 2.0, 0.5, 1.5]);
        let (mut u, mut d, mut m) = ([0.0; 4], [0.0; 4], [0.0; 4]);
        donchian(&h, &l, 2, &mut u, &mut d, &mut m).unwrap();
        assert!(u[0].is_nan() && d[0].is_nan() && m[0].is_nan());
        assert_eq!((u[1], d[1], m[1]), (5.0, 1.0, 3.0));
        assert_eq!((u[2], d[2], m[2]), (5.0, 0.5, 2.75));
        assert_eq!((u[3], d[3], m[3]), (4.0, 0.5, 2.25));
        let mut s = Donchian::new(2).unwrap();
        for i in 0..4 {
            s = Donchian::restore(&s.snapshot()).unwrap();
            let (a, b, c) = s.update(h[i], l[i]);
            assert_eq!((a.to_bits(), b.to_bits()), (u[i].to_bits(), d[i].to_bits()));
            assert!(c == m[i] || i == 0);
        }
    }
}
