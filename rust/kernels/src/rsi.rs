//! Relative strength index (Wilder 1978), seeded like TA-Lib with the first `n` changes.
//!
//! `G = b*G + max(x - x1, 0)`, `L = b*L + max(x1 - x, 0)`, `b = 1 - 1/n`, seeded with the sums of the first
//! `n` gains and losses (Wilder's averages times `n`: the factor cancels), by the block scan of
//! [`crate::scan`]; the output is `100*G / (G + L)`, NaN while no price ever moved. A non-finite input makes
//! every later value NaN.

use crate::codec::{Reader, Writer};
use crate::error::{same_len, window_ok, Result};
use crate::scan::{Decay, Scan};
use crate::simd::{dispatch, Job, F4};

/// `max(0, d)` that lets a NaN through.
#[inline(always)]
fn up(d: f64) -> f64 {
    if 0.0 > d {
        0.0
    } else {
        d
    }
}

/// Streaming relative strength index: `O(1)` memory and work.
#[derive(Debug, Clone)]
pub struct Rsi {
    window: usize,
    count: u64,
    last: f64,
    gain: Scan,
    loss: Scan,
}

impl Rsi {
    /// Index over `window >= 2` changes.
    ///
    /// # Errors
    /// [`crate::KernelError::Param`] for a window below 2.
    pub fn new(window: usize) -> Result<Self> {
        window_ok(window, 2)?;
        let scan = Scan::new(1.0 - 1.0 / window as f64);
        Ok(Self {
            window,
            count: 0,
            last: 0.0,
            gain: scan.clone(),
            loss: scan,
        })
    }

    /// Take one bar; NaN for the first `window` bars.
    #[inline]
    pub fn update(&mut self, x: f64) -> f64 {
        let (g, l) = (up(x - self.last), up(self.last - x));
        self.last = x;
        if self.count > self.window as u64 {
            let (g, l) = (self.gain.step(g), self.loss.step(l));
            return 100.0 * g / (g + l);
        }
        self.warm_up(g, l)
    }

    #[cold]
    fn warm_up(&mut self, g: f64, l: f64) -> f64 {
        self.count += 1;
        if self.count == 1 {
            return f64::NAN;
        }
        self.gain.carry += g;
        self.loss.carry += l;
        if self.count <= self.window as u64 {
            return f64::NAN;
        }
        100.0 * self.gain.carry / (self.gain.carry + self.loss.carry)
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        let w = Writer::new("Rsi")
            .u64(self.window as u64)
            .u64(self.count)
            .f64s(&[self.last]);
        self.loss.write(self.gain.write(w)).done()
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`crate::KernelError::Snapshot`] when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "Rsi")?;
        let mut me = Self::new(r.size()?)?;
        me.count = r.u64()?;
        me.last = r.f64()?;
        me.gain.read(&mut r)?;
        me.loss.read(&mut r)?;
        r.end()?;
        Ok(me)
    }

    /// Bars before the first whole group.
    pub(crate) fn lead(&self) -> usize {
        self.window + 1
    }

    /// Whole groups of four: `past` starts one bar before `out`.
    #[inline(always)]
    pub(crate) fn groups<V: F4>(&mut self, past: &[f64], out: &mut [f64]) {
        let d: Decay = self.gain.d;
        let (zero, hundred) = (V::splat(0.0), V::splat(100.0));
        let (mut g, mut l) = (V::splat(self.gain.carry), V::splat(self.loss.carry));
        let n = past.len().saturating_sub(1).min(out.len()) / 4 * 4;
        let mut i = 0;
        while i < n {
            // SAFETY: i + 4 <= n, one less than the bars of `past` and at most those of `out`
            unsafe {
                let older = V::load(past.as_ptr().add(i));
                let x = V::load(past.as_ptr().add(i + 1));
                let gain = zero.max(x.sub(older)).scan(&d, g);
                let loss = zero.max(older.sub(x)).scan(&d, l);
                hundred
                    .mul(gain)
                    .div(gain.add(loss))
                    .store(out.as_mut_ptr().add(i));
                g = gain.last();
                l = loss.last();
            }
            i += 4;
        }
        if n > 0 {
            self.last = past[n];
            self.gain.seed(g.first());
            self.loss.seed(l.first());
        }
    }
}

struct Run<'a> {
    past: &'a [f64],
    out: &'a mut [f64],
    state: &'a mut Rsi,
}

impl Job for Run<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        self.state.groups::<V>(self.past, self.out);
    }
}

/// Relative strength index of `x` over `window` changes into `out` (shape of `x`, first `window` NaN).
///
/// # Errors
/// [`crate::KernelError`] for a window below 2 or unequal lengths.
pub fn rsi(x: &[f64], window: usize, out: &mut [f64]) -> Result<()> {
    same_len(x.len(), out.len())?;
    let mut state = Rsi::new(window)?;
    let first = state.lead().min(x.len());
    for (o, v) in out[..first].iter_mut().zip(x) {
        *o = state.update(*v);
    }
    let n = (x.len() - first) / 4 * 4;
    if n > 0 {
        let past = &x[first - 1..first + n];
        dispatch(Run {
            past,
            out: &mut out[first..first + n],
            state: &mut state,
        });
    }
    for (o, v) in out[first + n..].iter_mut().zip(&x[first + n..]) {
        *o = state.update(*v);
    }
    Ok(())
}
