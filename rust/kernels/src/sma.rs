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
use crate::simd::{dispatch, prefetch, Job, F4};

/// Streaming moving average: `O(window)` memory, `O(1)` per bar.
#[derive(Debug, Clone)]
pub struct Sma {
    pub(crate) window: usize,
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

/// The same average along a series that lies in memory as a whole: without a ring of its own, so that a hundred
/// windows can be followed piece by piece.
#[derive(Debug, Clone)]
pub(crate) struct SmaAlong {
    window: usize,
    block: usize,
    inv: f64,
    limit: f64,
    left: usize,
    z: f64,
    s: f64,
    s_max: f64,
}

impl SmaAlong {
    /// Average over `window` bars, at least 1.
    pub fn new(window: usize) -> Self {
        Self {
            window,
            block: block_len(window),
            inv: 1.0 / window as f64,
            limit: restart_limit(window),
            left: 0,
            z: 0.0,
            s: 0.0,
            s_max: 0.0,
        }
    }

    /// Averages of the bars of `x` from `at` on, which must follow those of the call before.
    #[inline(always)]
    pub fn next(&mut self, x: &[f64], at: usize, out: &mut [f64]) {
        let (w, end) = (self.window, at + out.len());
        let mut i = end.min(at.max(w - 1));
        out[..i - at].fill(f64::NAN);
        while i < end {
            if self.left == 0 {
                self.restart(&x[i + 1 - w..=i]);
                self.left = self.block - 1;
                out[i - at] = self.s * self.inv + self.z;
                i += 1;
                continue;
            }
            let stop = end.min(i + self.left);
            let (new, old) = (&x[i..stop], &x[i - w..stop - w]);
            if !self.run(new, old, &mut out[i - at..stop - at]) {
                for k in i..stop {
                    self.s += x[k] - x[k - w];
                    self.s_max = larger(self.s_max, self.s.abs());
                    let safe = self.s_max <= self.limit * x[k].abs();
                    if !safe {
                        self.restart(&x[k + 1 - w..=k]);
                    }
                    out[k - at] = self.s * self.inv + self.z;
                }
            }
            self.left -= stop - i;
            i = stop;
        }
    }

    /// Bars without a restart; false, and no state changed, if one was due.
    #[inline(always)]
    fn run(&mut self, new: &[f64], old: &[f64], out: &mut [f64]) -> bool {
        let (mut s, mut s_max, mut near) = (self.s, self.s_max, f64::INFINITY);
        for ((x, o), out) in new.iter().zip(old).zip(out) {
            s += x - o;
            s_max = larger(s_max, s.abs());
            near = near.min(x.abs());
            *out = s * self.inv + self.z;
        }
        // what holds for the largest sum and the nearest input holds for each pair
        let safe = s_max <= self.limit * near;
        if safe {
            (self.s, self.s_max) = (s, s_max);
        }
        safe
    }

    #[cold]
    fn restart(&mut self, window: &[f64]) {
        self.z = window[window.len() - 1];
        self.s = window.iter().fold(-0.0, |s, v| s + (v - self.z));
        self.s_max = self.s.abs();
    }
}

/// The larger one; a NaN in `b` stays.
#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if b <= a {
        a
    } else {
        b
    }
}

/// Blocks worked on at once: their chains of additions are independent.
const FLIGHT: usize = 4;

struct Run<'a, const N: usize> {
    x: &'a [f64],
    out: &'a mut [f64],
    state: Sma,
    ask: [*const f64; N],
}

impl<const N: usize> Job for Run<'_, N> {
    #[inline(always)]
    fn run<V: F4>(mut self) {
        let (w, stride) = (self.state.window, FLIGHT * self.state.block);
        let mut at = w - 1;
        while at < self.x.len() {
            let end = (at + stride).min(self.x.len());
            let (past, out) = (&self.x[at + 1 - w..end], &mut self.out[at..end]);
            let ask = self.ask.map(|p| p.wrapping_add(at));
            if end - at < stride || !four_blocks::<V, N>(past, &self.state, out, ask) {
                self.state.follow(past, out);
            }
            at = end;
        }
    }
}

/// Moving average of `x` over `window` bars into `out` (shape of `x`, first `window - 1` NaN).
///
/// # Errors
/// [`KernelError`] for a window of 0 or unequal lengths.
pub fn sma(x: &[f64], window: usize, out: &mut [f64]) -> Result<()> {
    // the streams jump to the next four blocks too often for the hardware to follow
    let ahead = FLIGHT * block_len(window);
    let ask = [x.as_ptr().wrapping_add(ahead), out.as_ptr().wrapping_add(ahead)];
    sma_asking(x, window, out, ask)
}

/// [`sma`] that, while it works on bar `i`, asks for the cache lines that its caller wants next: `ask[..] + i`.
///
/// # Errors
/// As [`sma`].
pub(crate) fn sma_asking<const N: usize>(
    x: &[f64],
    window: usize,
    out: &mut [f64],
    ask: [*const f64; N],
) -> Result<()> {
    same_len(x.len(), out.len())?;
    let state = Sma::new(window)?;
    out[..(window - 1).min(x.len())].fill(f64::NAN);
    dispatch(Run { x, out, state, ask });
    Ok(())
}

/// Four whole blocks side by side; `past` starts `window - 1` bars before them. False when a sum might have
/// restarted inside a block, so that the bars must be followed one by one.
#[inline(always)]
fn four_blocks<V: F4, const N: usize>(past: &[f64], p: &Sma, out: &mut [f64], ask: [*const f64; N]) -> bool {
    let (w, block) = (p.window, p.block);
    let (lead, new) = past.split_at(w - 1);
    let (new, out) = (&new[..FLIGHT * block], &mut out[..FLIGHT * block]);
    let z = [new[0], new[block], new[2 * block], new[3 * block]];
    let mut s = [-0.0; FLIGHT];
    for j in 0..w {
        for k in 0..FLIGHT {
            s[k] += past[k * block + j] - z[k];
        }
    }
    let inv = V::splat(p.inv);
    let (mut front, mut back) = (
        Twin::<V>::new(z[0], z[1], s[0], s[1]),
        Twin::<V>::new(z[2], z[3], s[2], s[3]),
    );
    // SAFETY: `new` and `out` hold four blocks, `past` those and window - 1 bars more; a block has at least 256
    // bars; i + 4 <= block. Twins read and write the first and second block from their pointers on.
    unsafe {
        let (x, o) = (new.as_ptr(), out.as_mut_ptr());
        let old = past.as_ptr();
        front.restart(x, old, o, block, inv);
        back.restart(x.add(2 * block), old.add(2 * block), o.add(2 * block), block, inv);
        let mut i = 4;
        while i + 4 <= block {
            if i % 8 == 4 {
                for k in 0..FLIGHT {
                    for line in ask {
                        prefetch(line.wrapping_add(FLIGHT * (i - 4) + 8 * k));
                    }
                }
            }
            front.four(x.add(i), old.add(i - 1), o.add(i), block, inv);
            let j = 2 * block + i;
            back.four(x.add(j), old.add(j - 1), o.add(j), block, inv);
            i += 4;
        }
    }
    let low = lead.iter().fold(front.lo.min(back.lo).hmin(), |m, v| m.min(*v));
    let high = lead.iter().fold(front.hi.max(back.hi).hmax(), |m, v| m.max(*v));
    // a running sum is at most `w` times the spread of its inputs
    let nearest = if low > 0.0 { low } else { (-high).max(0.0) };
    let ((a, b), (c, d)) = (V::unpair(front.sums), V::unpair(back.sums));
    let finite = [a, b, c, d].iter().all(|s| s.is_finite());
    finite && 1.01 * w as f64 * (high - low) <= p.limit * nearest
}

/// Two neighbouring blocks whose sums run in one register, with the least and greatest input so far.
struct Twin<V: F4> {
    z: (V, V),
    sums: V::Pair,
    lo: V,
    hi: V,
}

impl<V: F4> Twin<V> {
    #[inline(always)]
    fn new(za: f64, zb: f64, sa: f64, sb: f64) -> Self {
        let (lo, hi) = (V::splat(f64::INFINITY), V::splat(f64::NEG_INFINITY));
        Self {
            z: (V::splat(za), V::splat(zb)),
            sums: V::pair(sa, sb),
            lo,
            hi,
        }
    }

    /// Bars 0 to 3: bar 0 is the restart itself, and letting it leave as it enters adds a zero.
    ///
    /// # Safety
    /// As for [`Twin::four`], with `old` at the bar that leaves on bar 1.
    #[inline(always)]
    unsafe fn restart(&mut self, x: *const f64, old: *const f64, out: *mut f64, block: usize, inv: V) {
        // SAFETY: by the caller's promise
        unsafe {
            let mut first = [0.0; 8];
            for (at, k) in [(0, 0), (4, block)] {
                first[at] = *x.add(k);
                for j in 0..3 {
                    first[at + 1 + j] = *old.add(k + j);
                }
            }
            self.step(
                x,
                V::load(first.as_ptr()),
                V::load(first.as_ptr().add(4)),
                out,
                block,
                inv,
            );
        }
    }

    /// Four bars of both blocks.
    ///
    /// # Safety
    /// `x`, `old` and `out` must be valid for four doubles there and four doubles `block` later.
    #[inline(always)]
    unsafe fn four(&mut self, x: *const f64, old: *const f64, out: *mut f64, block: usize, inv: V) {
        // SAFETY: by the caller's promise
        unsafe { self.step(x, V::load(old), V::load(old.add(block)), out, block, inv) }
    }

    #[inline(always)]
    unsafe fn step(&mut self, x: *const f64, oa: V, ob: V, out: *mut f64, block: usize, inv: V) {
        // SAFETY: by the caller's promise
        unsafe {
            let (xa, xb) = (V::load(x), V::load(x.add(block)));
            self.lo = xa.min(xb.min(self.lo));
            self.hi = xa.max(xb.max(self.hi));
            let (a, b, after) = xa.sub(oa).running(xb.sub(ob), self.sums);
            self.sums = after;
            a.mul(inv).add(self.z.0).store(out);
            b.mul(inv).add(self.z.1).store(out.add(block));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_along_a_series_have_the_bits_of_the_stream() {
        let calm: Vec<f64> = (0..3_000)
            .map(|i| 100.0 + (f64::from(i * i) * 0.37).sin())
            .collect();
        let mut crash = calm.clone();
        crash[900..].iter_mut().for_each(|v| *v *= 1e-5);
        let mut hole = calm.clone();
        hole[1_500] = f64::INFINITY;
        for series in [calm, crash, hole] {
            for (window, piece) in [
                (1, 256),
                (2, 64),
                (20, 256),
                (64, 7),
                (65, 256),
                (300, 256),
                (3_000, 256),
            ] {
                let (mut stream, mut along) = (Sma::new(window).unwrap(), SmaAlong::new(window));
                for at in (0..series.len()).step_by(piece) {
                    let mut out = vec![0.0; piece.min(series.len() - at)];
                    along.next(&series, at, &mut out);
                    for (i, got) in out.iter().enumerate() {
                        let want = stream.update(series[at + i]);
                        assert!(
                            got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan()),
                            "{window} {at} {i}"
                        );
                    }
                }
            }
        }
    }
}
