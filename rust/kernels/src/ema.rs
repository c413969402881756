//! Exponential moving average, seeded like TA-Lib with the mean of the first `n` values.
//!
//! `E += a*(x - E)` with `a = 2/(n+1)`, computed as `E = b*E + a*x`, `b = 1 - a`, by the block scan of
//! [`crate::scan`]. A non-finite input makes every later value non-finite.

use crate::codec::{Reader, Writer};
use crate::error::{same_len, window_ok, Result};
use crate::scan::{Decay, Scan};
use crate::simd::{dispatch, Job, F4};

/// Streaming exponential moving average: `O(1)` memory and work.
#[derive(Debug, Clone)]
pub struct Ema {
    window: usize,
    a: f64,
    count: u64,
    sum: f64,
    scan: Scan,
}

impl Ema {
    /// Average with span `window >= 1`.
    ///
    /// # Errors
    /// [`crate::KernelError::Param`] for a window of 0.
    pub fn new(window: usize) -> Result<Self> {
        window_ok(window, 1)?;
        let a = 2.0 / (window as f64 + 1.0);
        Ok(Self {
            window,
            a,
            count: 0,
            sum: -0.0,
            scan: Scan::new(1.0 - a),
        })
    }

    /// Take one bar; NaN before the seed.
    #[inline]
    pub fn update(&mut self, x: f64) -> f64 {
        if self.count >= self.window as u64 {
            return self.scan.step(self.a * x);
        }
        self.warm_up(x)
    }

    #[cold]
    fn warm_up(&mut self, x: f64) -> f64 {
        self.count += 1;
        self.sum += x;
        if self.count < self.window as u64 {
            return f64::NAN;
        }
        let seed = self.sum / self.window as f64;
        self.scan.seed(seed);
        seed
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        self.scan
            .write(
                Writer::new("Ema")
                    .u64(self.window as u64)
                    .u64(self.count)
                    .f64s(&[self.sum]),
            )
            .done()
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`crate::KernelError::Snapshot`] when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "Ema")?;
        let mut me = Self::new(r.size()?)?;
        me.count = r.u64()?;
        me.sum = r.f64()?;
        me.scan.read(&mut r)?;
        r.end()?;
        Ok(me)
    }
}

impl Ema {
    /// Whole groups of four after the seed.
    #[inline(always)]
    pub(crate) fn groups<V: F4>(&mut self, x: &[f64], out: &mut [f64]) {
        let d = self.scan.d;
        let y = groups::<V>(x, out, self.a, &d, self.scan.carry);
        self.scan.seed(y);
    }
}

/// Whole groups of four: scan `a * x` into `out`, return the carried value.
#[inline(always)]
pub(crate) fn groups<V: F4>(x: &[f64], out: &mut [f64], a: f64, d: &Decay, carry: f64) -> f64 {
    let (va, mut y) = (V::splat(a), V::splat(carry));
    let n = x.len().min(out.len()) / 4 * 4;
    let mut i = 0;
    while i < n {
        // SAFETY: i + 4 <= n, which is at most the length of either slice
        unsafe {
            let e = va.mul(V::load(x.as_ptr().add(i))).scan(d, y);
            e.store(out.as_mut_ptr().add(i));
            y = e.last();
        }
        i += 4;
    }
    if n > 0 {
        out[n - 1]
    } else {
        carry
    }
}

struct Run<'a> {
    x: &'a [f64],
    out: &'a mut [f64],
    state: &'a mut Ema,
}

impl Job for Run<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        self.state.groups::<V>(self.x, self.out);
    }
}

/// Exponential moving average of `x` with span `window` into `out` (shape of `x`, first `window - 1` NaN).
///
/// # Errors
/// [`crate::KernelError`] for a window of 0 or unequal lengths.
pub fn ema(x: &[f64], window: usize, out: &mut [f64]) -> Result<()> {
    same_len(x.len(), out.len())?;
    let mut state = Ema::new(window)?;
    let first = window.min(x.len());
    for (o, v) in out[..first].iter_mut().zip(x) {
        *o = state.update(*v);
    }
    let (x, out) = (&x[first..], &mut out[first..]);
    let n = x.len() / 4 * 4;
    dispatch(Run {
        x: &x[..n],
        out: &mut out[..n],
        state: &mut state,
    });
    for (o, v) in out[n..].iter_mut().zip(&x[n..]) {
        *o = state.update(*v);
    }
    Ok(())
}
