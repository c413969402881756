//! Simple moving average by running sums that restart on a fixed grid.
//!
//! Order of operations, with `z` the centre and `s` the sum of `x - z` over the window: on a restart
//! `z = x[i]` and `s` is summed from the oldest bar to the newest; otherwise `s += x[i] - x[i-w]`. The
//! output is `s * (1/w) + z`. A sum restarts at every block of [`block_len`] bars, and on the bar where
//! its rounding error could reach 1e-12 of the newest input or where it is not finite; so an output is
//! non-finite exactly while a non-finite input is inside its window.

use crate::blocks::{block_len, restart_limit};
use crate::codec::{Reader, Writer};
use crate::error::{same_len, window_ok, KernelError, Result};

/// Streaming moving average: `O(window)` memory, `O(1)` per bar.
#[derive(Debug, Clone)]
pub struct Sma {
    window: usize,
    block: usize,
    inv: f64,
    limit: f64,
    pos: usize,
    count: u64,
    left: usize,
    z: f64,
    s: f64,
    s_max: f64,
    ring: Vec<f64>,
}

impl Sma {
    /// Average over `window >= 1` bars.
    ///
    /// # Errors
    /// [`KernelError::Param`] for a window of 0.
    pub fn new(window: usize) -> Result<Self> {
        window_ok(window, 1)?;
        Ok(Self {
            window,
            block: block_len(window),
            inv: 1.0 / window as f64,
            limit: restart_limit(window),
            pos: 0,
            count: 0,
            left: 0,
            z: 0.0,
            s: 0.0,
            s_max: 0.0,
            ring: vec![0.0; window],
        })
    }

    /// Take one bar; NaN until the window is full.
    #[inline]
    pub fn update(&mut self, x: f64) -> f64 {
        let old = std::mem::replace(&mut self.ring[self.pos], x);
        self.pos += 1;
        if self.pos == self.window {
            self.pos = 0;
        }
        self.count += 1;
        if self.count < self.window as u64 {
            return f64::NAN;
        }
        if self.left == 0 {
            self.left = self.block;
            self.restart(x);
        } else {
            self.s += x - old;
            let a = self.s.abs();
            self.s_max = if a <= self.s_max { self.s_max } else { a };
            let safe = self.s_max <= self.limit * x.abs();
            if !safe {
                self.restart(x);
            }
        }
        self.left -= 1;
        self.s * self.inv + self.z
    }

    #[cold]
    fn restart(&mut self, centre: f64) {
        self.z = centre;
        let (newer, older) = self.ring.split_at(self.pos);
        let mut s = -0.0;
        for v in older.iter().chain(newer) {
            s += v - centre;
        }
        self.s = s;
        self.s_max = s.abs();
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        Writer::new("Sma")
            .u64(self.window as u64)
            .u64(self.count)
            .f64s(&[self.z, self.s, self.s_max])
            .f64s(&self.ring)
            .done()
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "Sma")?;
        let window = r.size()?;
        if window > bytes.len() {
            return Err(KernelError::Snapshot("truncated"));
        }
        let mut me = Self::new(window)?;
        me.count = r.u64()?;
        (me.z, me.s, me.s_max) = (r.f64()?, r.f64()?, r.f64()?);
        me.ring = r.f64s(window)?;
        r.end()?;
        me.place();
        Ok(me)
    }

    /// Derive ring position and bars to the next restart from the bar count.
    fn place(&mut self) {
        self.pos = (self.count % self.window as u64) as usize;
        let done = (self.count + 1).saturating_sub(self.window as u64);
        let used = (done % self.block as u64) as usize;
        self.left = if used == 0 { 0 } else { self.block - used };
    }
}

/// Moving average of `x` over `window` bars into `out` (shape of `x`, first `window - 1` NaN).
///
/// # Errors
/// [`KernelError`] for a window of 0 or unequal lengths.
pub fn sma(x: &[f64], window: usize, out: &mut [f64]) -> Result<()> {
    same_len(x.len(), out.len())?;
    let mut state = Sma::new(window)?;
    for (o, v) in out.iter_mut().zip(x) {
        *o = state.update(*v);
    }
    Ok(())
}
