//! On-balance volume (Granville 1963): volume added on a higher close, taken off on a lower one.
//!
//! Starts at the first volume, like TA-Lib. A NaN close, or a NaN volume that counts, makes every later
//! value NaN: a cumulative sum with an unknown term is unknown.

use crate::codec::{Reader, Writer};
use crate::error::{same_len, KernelError, Result};

/// Streaming form of [`obv`]; two numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Obv {
    seen: bool,
    close: f64,
    total: f64,
}

impl Obv {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// Never; a `Result` like every other streaming kernel.
    pub fn new() -> Result<Self> {
        Ok(Self::default())
    }

    /// Take one bar; the running total.
    #[inline(always)]
    pub fn update(&mut self, close: f64, volume: f64) -> f64 {
        if self.seen {
            self.total += step(self.close, close, volume);
        } else {
            self.seen = true;
            self.total = if close.is_nan() { f64::NAN } else { volume };
        }
        self.close = close;
        self.total
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        Writer::new("Obv")
            .u64(u64::from(self.seen))
            .f64s(&[self.close, self.total])
            .done()
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "Obv")?;
        let seen = match r.u64()? {
            0 => false,
            1 => true,
            _ => return Err(KernelError::Snapshot("a flag is neither 0 nor 1")),
        };
        let me = Self {
            seen,
            close: r.f64()?,
            total: r.f64()?,
        };
        r.end()?;
        Ok(me)
    }
}

/// Signed volume of one bar; selects, not branches, as the sign of a return cannot be predicted.
#[inline(always)]
fn step(before: f64, close: f64, volume: f64) -> f64 {
    let up = if close > before { volume } else { 0.0 };
    let down = if close < before { volume } else { 0.0 };
    let gap = if close.is_nan() || before.is_nan() {
        f64::NAN
    } else {
        0.0
    };
    (up - down) + gap
}

/// Running total of every bar.
///
/// # Errors
/// [`KernelError::Length`] for unequal lengths.
pub fn obv(close: &[f64], volume: &[f64], out: &mut [f64]) -> Result<()> {
    same_len(close.len(), volume.len())?;
    same_len(close.len(), out.len())?;
    let (Some(&c0), Some(&v0), Some((first, rest))) = (close.first(), volume.first(), out.split_first_mut())
    else {
        return Ok(());
    };
    let mut total = if c0.is_nan() { f64::NAN } else { v0 };
    *first = total;
    let pairs = close.iter().zip(close.iter().skip(1)).zip(volume.iter().skip(1));
    for (slot, ((&before, &c), &v)) in rest.iter_mut().zip(pairs) {
        total += step(before, c, v);
        *slot = total;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_and_streamed() {
        let (c, v) = (
            [10.0, 11.0, 11.0, 9.0, f64::NAN, 9.0],
            [5.0, 2.0, 7.0, 3.0, 1.0, 1.0],
        );
        let mut o = [0.0; 6];
        obv(&c, &v, &mut o).unwrap();
        assert_eq!(o[..4], [5.0, 7.0, 7.0, 4.0]);
        assert!(o[4].is_nan() && o[5].is_nan());
        let mut s = Obv::default();
        for i in 0..4 {
            assert_eq!(s.update(c[i], v[i]), o[i]);
            s = Obv::restore(&s.snapshot()).unwrap();
        }
        assert!(Obv::restore(b"TWK1Obv").is_err());
    }
}
