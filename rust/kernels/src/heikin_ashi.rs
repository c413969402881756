//! Heikin-Ashi candles: averaged bars whose open is the middle of the averaged bar before.
//!
//! `c' = (o + h + l + c) / 4`; `o'_0 = (o_0 + c_0) / 2`, `o'_t = (o'_{t-1} + c'_{t-1}) / 2`;
//! `h' = max(h, o', c')`, `l' = min(l, o', c')`. A NaN in a bar makes every later open NaN.

use crate::codec::{Reader, Writer};
use crate::error::{same_len, KernelError, Result};

/// Streaming form of [`heikin_ashi`]; two numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeikinAshi {
    seen: bool,
    open: f64,
    close: f64,
}

#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() {
        a
    } else {
        b
    }
}

#[inline(always)]
fn smaller(a: f64, b: f64) -> f64 {
    if a < b || a.is_nan() {
        a
    } else {
        b
    }
}

impl HeikinAshi {
    /// Nothing seen yet.
    ///
    /// # Errors
    /// Never; a `Result` like every other streaming kernel.
    pub fn new() -> Result<Self> {
        Ok(Self::default())
    }

    /// Take one bar; the averaged `(open, high, low, close)`.
    #[inline(always)]
    pub fn update(&mut self, open: f64, high: f64, low: f64, close: f64) -> (f64, f64, f64, f64) {
        let c = ((open + high) + (low + close)) * 0.25;
        let o = if self.seen {
            (self.open + self.close) * 0.5
        } else {
            (open + close) * 0.5
        };
        *self = Self {
            seen: true,
            open: o,
            close: c,
        };
        (o, larger(high, larger(o, c)), smaller(low, smaller(o, c)), c)
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        Writer::new("HeikinAshi")
            .u64(u64::from(self.seen))
            .f64s(&[self.open, self.close])
            .done()
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "HeikinAshi")?;
        let seen = match r.u64()? {
            0 => false,
            1 => true,
            _ => return Err(KernelError::Snapshot("a flag is neither 0 nor 1")),
        };
        let me = Self {
            seen,
            open: r.f64()?,
            close: r.f64()?,
        };
        r.end()?;
        Ok(me)
    }
}

/// The four output columns of [`heikin_ashi`].
pub type Columns<'a> = (&'a mut [f64], &'a mut [f64], &'a mut [f64], &'a mut [f64]);

/// Averaged candles of every bar.
///
/// # Errors
/// [`KernelError::Length`] for unequal lengths.
pub fn heikin_ashi(open: &[f64], high: &[f64], low: &[f64], close: &[f64], out: Columns<'_>) -> Result<()> {
    let lengths = [
        high.len(),
        low.len(),
        close.len(),
        out.0.len(),
        out.1.len(),
        out.2.len(),
        out.3.len(),
    ];
    for found in lengths {
        same_len(open.len(), found)?;
    }
    let mut state = HeikinAshi::default();
    let bars = open.iter().zip(high).zip(low).zip(close);
    let slots = out.0.iter_mut().zip(out.1).zip(out.2).zip(out.3);
    for ((((&o, &h), &l), &c), (((a, b), d), e)) in bars.zip(slots) {
        (*a, *b, *d, *e) = state.update(o, h, l, c);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked() {
        let (o, h, l, c) = ([1.0, 3.0], [4.0, 9.0], [0.0, 2.0], [3.0, 6.0]);
        let (mut a, mut b, mut d, mut e) = ([0.0; 2], [0.0; 2], [0.0; 2], [0.0; 2]);
        heikin_ashi(&o, &h, &l, &c, (&mut a, &mut b, &mut d, &mut e)).unwrap();
        assert_eq!((a, e), ([2.0, 2.0], [2.0, 5.0]));
        assert_eq!((b, d), ([4.0, 9.0], [0.0, 2.0]));
        let mut s = HeikinAshi::default();
        s.update(1.0, 4.0, 0.0, 3.0);
        let mut t = HeikinAshi::restore(&s.snapshot()).unwrap();
        assert_eq!(t.update(3.0, 9.0, 2.0, 6.0), (2.0, 9.0, 2.0, 5.0));
        assert!(HeikinAshi::restore(&s.snapshot()[1..]).is_err());
    }
}
