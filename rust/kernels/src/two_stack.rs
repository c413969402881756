//! Sliding-window folds by two stacks (van Herk 1992; Gil and Werman 1993): O(1) amortised, no subtraction.
//!
//! The series is cut into blocks of `n` aligned to absolute index 0. A window that ends at offset `j`
//! of a block is `fold(suffix of the block before, prefix of this block)`. Nothing is ever taken out of
//! a sum, so there is no drift, a NaN leaves with its window, and batch and streaming forms perform the
//! same operations in the same order, hence agree to the bit.

use crate::codec::{Reader, Writer};
use crate::error::{KernelError, Result};

/// An associative operation with the order of its operands fixed: older first.
pub trait Fold {
    /// Combine an older part of a window with a newer one.
    fn fold(older: f64, newer: f64) -> f64;

    /// The same for values that are known not to be NaN: one instruction a lane.
    fn fold_known(older: f64, newer: f64) -> f64;
}

/// Sum of a window.
#[derive(Clone, Copy, Debug)]
pub struct Sum;
/// Largest value of a window; NaN if the window holds one.
#[derive(Clone, Copy, Debug)]
pub struct Max;
/// Smallest value of a window; NaN if the window holds one.
#[derive(Clone, Copy, Debug)]
pub struct Min;

impl Fold for Sum {
    #[inline(always)]
    fn fold(older: f64, newer: f64) -> f64 {
        older + newer
    }

    #[inline(always)]
    fn fold_known(older: f64, newer: f64) -> f64 {
        older + newer
    }
}

impl Fold for Max {
    #[inline(always)]
    fn fold(older: f64, newer: f64) -> f64 {
        if older > newer || older.is_nan() {
            older
        } else {
            newer
        }
    }

    #[inline(always)]
    fn fold_known(older: f64, newer: f64) -> f64 {
        if older > newer {
            older
        } else {
            newer
        }
    }
}

impl Fold for Min {
    #[inline(always)]
    fn fold(older: f64, newer: f64) -> f64 {
        if older < newer || older.is_nan() {
            older
        } else {
            newer
        }
    }

    #[inline(always)]
    fn fold_known(older: f64, newer: f64) -> f64 {
        if older < newer {
            older
        } else {
            newer
        }
    }
}

/// Write the suffix folds of one block into `suffix` (same length).
#[inline(always)]
pub fn suffixes<F: Fold>(block: &[f64], suffix: &mut [f64]) {
    let last = block.len().wrapping_sub(1);
    let mut acc = 0.0;
    for (j, (&x, s)) in block.iter().zip(suffix.iter_mut()).enumerate().rev() {
        acc = if j == last { x } else { F::fold(x, acc) };
        *s = acc;
    }
}

/// Fold of the last `n` values of a stream; memory O(n).
#[derive(Clone, Debug)]
pub struct Window<F> {
    block: Vec<f64>,
    // suffix[j] folds block values j.. of the block before; NaN until there is one
    suffix: Vec<f64>,
    offset: usize,
    prefix: f64,
    kind: core::marker::PhantomData<F>,
}

impl<F: Fold> Window<F> {
    /// A window of `n` values, `n` at least 1 (0 is taken as 1).
    pub fn new(n: usize) -> Self {
        let n = n.max(1);
        Self {
            block: vec![0.0; n],
            suffix: vec![f64::NAN; n],
            offset: 0,
            prefix: 0.0,
            kind: core::marker::PhantomData,
        }
    }

    /// Add a value; the fold of the last `n` values, or NaN while fewer have been seen.
    #[inline]
    pub fn push(&mut self, x: f64) -> f64 {
        let j = self.offset;
        self.prefix = if j == 0 { x } else { F::fold(self.prefix, x) };
        if let Some(slot) = self.block.get_mut(j) {
            *slot = x;
        }
        self.offset = j + 1;
        if let Some(&older) = self.suffix.get(j + 1) {
            return F::fold(older, self.prefix);
        }
        suffixes::<F>(&self.block, &mut self.suffix);
        self.offset = 0;
        self.prefix
    }

    /// Append the state to a snapshot: offset, the current block, the suffixes of the block before.
    pub fn write(&self, w: Writer) -> Writer {
        // what lies behind the offset belongs to the block before and is spent: written as zeros
        let mut block = self.block.clone();
        block.iter_mut().skip(self.offset).for_each(|x| *x = 0.0);
        w.u64(self.offset as u64).f64s(&block).f64s(&self.suffix)
    }

    /// Read a window of `n` values that [`Window::write`] wrote.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when the bytes do not hold one.
    pub fn read(r: &mut Reader<'_>, n: usize) -> Result<Self> {
        let offset = r.size()?;
        if offset >= n {
            return Err(KernelError::Snapshot("the offset lies outside its block"));
        }
        let (block, suffix) = (r.f64s(n)?, r.f64s(n)?);
        let mut prefix = 0.0;
        for (j, &x) in block.iter().take(offset).enumerate() {
            prefix = if j == 0 { x } else { F::fold(prefix, x) };
        }
        Ok(Self {
            block,
            suffix,
            offset,
            prefix,
            kind: core::marker::PhantomData,
        })
    }
}

/// Fold every window of `n` bars of `x` into `out` (same length); NaN before index `n - 1`.
///
/// `carry` holds `n` numbers: NaN before the first call. A series may be passed in pieces whose lengths
/// are multiples of `n` (the last one may be shorter); the carry links them.
#[inline(always)]
pub fn rolling<F: Fold>(x: &[f64], out: &mut [f64], carry: &mut [f64]) {
    let n = carry.len();
    for (block, o) in x.chunks(n).zip(out.chunks_mut(n)) {
        let mut acc = 0.0;
        // carry[j + 1] completes the window that ends at offset j; the last offset needs none
        let older = carry.get(1..).unwrap_or(&[]);
        for (j, ((&v, slot), &s)) in block.iter().zip(o.iter_mut()).zip(older).enumerate() {
            acc = if j == 0 { v } else { F::fold(acc, v) };
            *slot = F::fold(s, acc);
        }
        if block.len() == n {
            if let (Some(&v), Some(slot)) = (block.last(), o.last_mut()) {
                *slot = if n == 1 { v } else { F::fold(acc, v) };
            }
            suffixes::<F>(block, carry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noisy(len: usize) -> Vec<f64> {
        let mut s = 1u64;
        (0..len)
            .map(|_| {
                s = s
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                (s >> 33) as f64 / 1e6
            })
            .collect()
    }

    fn same<F: Fold>(n: usize, x: &[f64]) {
        let mut out = vec![0.0; x.len()];
        rolling::<F>(x, &mut out, &mut vec![f64::NAN; n]);
        let mut w = Window::<F>::new(n);
        for (i, &v) in x.iter().enumerate() {
            let got = w.push(v);
            assert!(
                got.to_bits() == out[i].to_bits() || got.is_nan() && out[i].is_nan(),
                "n {n} i {i}"
            );
            assert_eq!(
                out[i].is_nan(),
                i + 1 < n || x[i + 1 - n..=i].iter().any(|y| y.is_nan())
            );
        }
    }

    #[test]
    fn batch_equals_stream_and_nan_leaves_with_its_window() {
        let mut x = noisy(200);
        x[77] = f64::NAN;
        for n in [1, 2, 3, 7, 20, 199, 200, 201] {
            same::<Sum>(n, &x);
            same::<Max>(n, &x);
            same::<Min>(n, &x);
        }
    }

    #[test]
    fn extremes_are_exact() {
        let x = noisy(150);
        let (mut hi, mut lo) = (vec![0.0; 150], vec![0.0; 150]);
        rolling::<Max>(&x, &mut hi, &mut [f64::NAN; 11]);
        rolling::<Min>(&x, &mut lo, &mut [f64::NAN; 11]);
        for i in 10..150 {
            let w = &x[i - 10..=i];
            assert_eq!(hi[i], w.iter().copied().fold(f64::MIN, f64::max));
            assert_eq!(lo[i], w.iter().copied().fold(f64::MAX, f64::min));
        }
    }

    #[test]
    fn state_round_trip_has_the_same_future() {
        let x = noisy(90);
        for cut in 0..60 {
            let mut a = Window::<Sum>::new(7);
            for &v in &x[..cut] {
                a.push(v);
            }
            let saved = a.write(Writer::new("W")).done();
            let mut b = Window::<Sum>::read(&mut Reader::open(&saved, "W").unwrap(), 7).unwrap();
            for &v in &x[cut..] {
                assert_eq!(a.push(v).to_bits(), b.push(v).to_bits());
            }
            assert!(Window::<Sum>::read(&mut Reader::open(&saved, "W").unwrap(), 8).is_err());
        }
    }
}
