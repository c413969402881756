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
    pub(crate) window: usize,
    block: usize,
    inv: f64,
    pub(crate) limit: f64,
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

    /// Bars between two restarts.
    pub(crate) fn block(&self) -> usize {
        self.block
    }

    /// Work through whole blocks bar by bar; `past` starts `window - 1` bars before `out`.
    pub(crate) fn follow(&mut self, past: &[f64], out: &mut [f64]) {
        let (lead, bars) = past.split_at(self.window - 1);
        self.ring[..lead.len()].copy_from_slice(lead);
        self.count = lead.len() as u64;
        self.place();
        for (o, v) in out.iter_mut().zip(bars) {
            *o = self.update(*v);
        }
    }

    /// Derive ring position and bars to the next restart from the bar count.
    fn place(&mut self) {
        self.pos = (self.count % self.window as u64) as usize;
        let done = (self.count + 1).saturating_sub(self.window as u64);
        let used = (done % self.block as u64) as usize;
        self.left = if used == 0 { 0 } else { self.block - used };
    }
}

/// Blocks worked on at once: their chains of additions are independent.
const FLIGHT: usize = 4;

/// Moving average of `x` over `window` bars into `out` (shape of `x`, first `window - 1` NaN).
///
/// # Errors
/// [`KernelError`] for a window of 0 or unequal lengths.
pub fn sma(x: &[f64], window: usize, out: &mut [f64]) -> Result<()> {
    same_len(x.len(), out.len())?;
    let mut state = Sma::new(window)?;
    let first = (window - 1).min(x.len());
    out[..first].fill(f64::NAN);
    let mut at = first;
    let stride = FLIGHT * state.block;
    while at + stride <= x.len() {
        let past = &x[at + 1 - window..at + stride];
        let done = four_blocks(past, &state, &mut out[at..at + stride]);
        if !done {
            state.follow(past, &mut out[at..at + stride]);
        }
        at += stride;
    }
    if at < x.len() {
        state.follow(&x[at + 1 - window..], &mut out[at..]);
    }
    Ok(())
}

/// Four whole blocks side by side; `past` starts `window - 1` bars before them. False when a sum would have
/// restarted inside a block, so that the bars must be followed one by one.
fn four_blocks(past: &[f64], p: &Sma, out: &mut [f64]) -> bool {
    let (w, block) = (p.window, p.block);
    let mut z = [0.0; FLIGHT];
    let mut s = [-0.0; FLIGHT];
    for k in 0..FLIGHT {
        z[k] = past[k * block + w - 1];
    }
    for j in 0..w {
        for k in 0..FLIGHT {
            s[k] += past[k * block + j] - z[k];
        }
    }
    for k in 0..FLIGHT {
        out[k * block] = s[k] * p.inv + z[k];
    }
    let (o0, rest) = out.split_at_mut(block);
    let (o1, rest) = rest.split_at_mut(block);
    let (o2, o3) = rest.split_at_mut(block);
    let m = block - 1;
    let old = |k: usize| &past[k * block..k * block + m];
    let new = |k: usize| &past[k * block + w..k * block + w + m];
    let (a0, a1, a2, a3) = (old(0), old(1), old(2), old(3));
    let (b0, b1, b2, b3) = (new(0), new(1), new(2), new(3));
    let (o0, o1, o2, o3) = (&mut o0[1..], &mut o1[1..], &mut o2[1..=m], &mut o3[1..=m]);
    for j in 0..m {
        s[0] += b0[j] - a0[j];
        s[1] += b1[j] - a1[j];
        s[2] += b2[j] - a2[j];
        s[3] += b3[j] - a3[j];
        o0[j] = s[0] * p.inv + z[0];
        o1[j] = s[1] * p.inv + z[1];
        o2[j] = s[2] * p.inv + z[2];
        o3[j] = s[3] * p.inv + z[3];
    }
    s.iter().all(|v| v.is_finite()) && calm(past, w, p.limit)
}

/// Whether no running sum over these inputs can leave its bound: the sum is at most `w` times the spread.
#[inline]
pub(crate) fn calm(x: &[f64], window: usize, limit: f64) -> bool {
    let mut lo = [f64::INFINITY; 8];
    let mut hi = [f64::NEG_INFINITY; 8];
    let chunks = x.chunks_exact(8);
    let rest = chunks.remainder();
    for c in chunks {
        for k in 0..8 {
            lo[k] = if c[k] < lo[k] { c[k] } else { lo[k] };
            hi[k] = if c[k] > hi[k] { c[k] } else { hi[k] };
        }
    }
    let low = lo.iter().chain(rest).fold(f64::INFINITY, |m, v| m.min(*v));
    let high = hi.iter().chain(rest).fold(f64::NEG_INFINITY, |m, v| m.max(*v));
    let nearest = if low > 0.0 { low } else { (-high).max(0.0) };
    1.01 * window as f64 * (high - low) <= limit * nearest
}
