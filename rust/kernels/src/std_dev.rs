//! Rolling standard deviation, ddof 0; order of operations and NaN rule as in [`crate::moments`].

use crate::error::{same_len, Result};
use crate::moments::{block, Moments, Sink};
use crate::simd::{dispatch, Job, F4};

/// Streaming standard deviation: `O(window)` memory, `O(1)` per bar.
#[derive(Debug, Clone)]
pub struct Std(Moments);

impl Std {
    /// Deviation over `window >= 1` bars.
    ///
    /// # Errors
    /// [`crate::KernelError::Param`] for a window of 0.
    pub fn new(window: usize) -> Result<Self> {
        Moments::new(window).map(Self)
    }

    /// Take one bar; NaN until the window is full.
    #[inline]
    pub fn update(&mut self, x: f64) -> f64 {
        self.0.update(x).1
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        self.0.write("Std", &[])
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`crate::KernelError::Snapshot`] when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        Moments::read(bytes, "Std", &mut []).map(Self)
    }
}

struct Out<'a>(&'a mut [f64]);

impl Sink for Out<'_> {
    #[inline(always)]
    fn put<V: F4>(&mut self, i: usize, _mean: V, sd: V) {
        let four = &mut self.0[i..i + 4];
        // SAFETY: the slice has four doubles
        unsafe { sd.store(four.as_mut_ptr()) }
    }
}

struct Run<'a> {
    x: &'a [f64],
    out: &'a mut [f64],
    state: Moments,
}

impl Job for Run<'_> {
    #[inline(always)]
    fn run<V: F4>(mut self) {
        let (w, stride) = (self.state.window, self.state.block);
        let mut at = w - 1;
        while at < self.x.len() {
            let end = (at + stride).min(self.x.len());
            let past = &self.x[at + 1 - w..end];
            let out = &mut self.out[at..end];
            if end - at < stride || !block::<V, _>(past, &self.state, &mut Out(out)).moments {
                let (lead, bars) = past.split_at(w - 1);
                self.state.stand(lead);
                for (o, v) in out.iter_mut().zip(bars) {
                    *o = self.state.update(*v).1;
                }
            }
            at = end;
        }
    }
}

/// Standard deviation (ddof 0) of `x` over `window` bars into `out` (shape of `x`, first `window - 1` NaN).
///
/// # Errors
/// [`crate::KernelError`] for a window of 0 or unequal lengths.
pub fn std(x: &[f64], window: usize, out: &mut [f64]) -> Result<()> {
    same_len(x.len(), out.len())?;
    let state = Moments::new(window)?;
    out[..(window - 1).min(x.len())].fill(f64::NAN);
    dispatch(Run { x, out, state });
    Ok(())
}
