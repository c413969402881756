//! Rolling mean and standard deviation (ddof 0) by centred running sums that restart on a fixed grid.
//!
//! Order of operations, with centre `z`, `s` the sum of `x - z` and `q` the sum of `(x - z)^2` over the window:
//! on a restart `z = x[i]` and both are summed from the oldest bar to the newest; otherwise, with `o` the bar
//! that leaves, `d = x - o`, `s += d`, `q += d * ((x - z) + (o - z))`. Then `m = s/w`, `var = max(q/w - m*m, 0)`,
//! mean `m + z`, deviation `sqrt(var)` (`/w` is a multiplication by `1/w`). The sums restart at every block of
//! [`block_len`] bars and on the bar where the largest `q` since the last restart exceeds
//! `limit * sd * |x|` ([`restart_limit`]): there rounding could reach about 1e-12 of the newest input. A value is
//! non-finite exactly while a non-finite input is inside its window.

use crate::blocks::{block_len, restart_limit};
use crate::codec::{Reader, Writer};
use crate::error::{window_ok, KernelError, Result};
use crate::simd::F4;

/// Streaming mean and deviation: `O(window)` memory, `O(1)` per bar.
#[derive(Debug, Clone)]
pub struct Moments {
    pub(crate) window: usize,
    pub(crate) block: usize,
    inv: f64,
    limit: f64,
    pos: usize,
    count: u64,
    left: usize,
    z: f64,
    s: f64,
    q: f64,
    q_max: f64,
    ring: Vec<f64>,
}

impl Moments {
    /// Moments over `window >= 1` bars.
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
            q: 0.0,
            q_max: 0.0,
            ring: vec![0.0; window],
        })
    }

    /// Take one bar; mean and deviation, NaN until the window is full.
    #[inline]
    pub fn update(&mut self, x: f64) -> (f64, f64) {
        let old = std::mem::replace(&mut self.ring[self.pos], x);
        self.pos += 1;
        if self.pos == self.window {
            self.pos = 0;
        }
        self.count += 1;
        if self.count < self.window as u64 {
            return (f64::NAN, f64::NAN);
        }
        if self.left == 0 {
            self.left = self.block - 1;
            self.restart(x);
            return self.values();
        }
        self.left -= 1;
        let d = x - old;
        self.s += d;
        self.q += d * ((x - self.z) + (old - self.z));
        self.q_max = if self.q <= self.q_max { self.q_max } else { self.q };
        let (mean, sd) = self.values();
        let safe = self.q_max <= self.limit * (sd * x.abs());
        if safe {
            return (mean, sd);
        }
        self.restart(x);
        self.values()
    }

    #[inline(always)]
    fn values(&self) -> (f64, f64) {
        let m = self.s * self.inv;
        let var = self.q * self.inv - m * m;
        // a NaN must pass, hence not `f64::max`
        let var = if 0.0 > var { 0.0 } else { var };
        (m + self.z, var.sqrt())
    }

    #[cold]
    fn restart(&mut self, centre: f64) {
        let (newer, older) = self.ring.split_at(self.pos);
        let (mut s, mut q) = (-0.0, -0.0);
        for x in older.iter().chain(newer) {
            let v = x - centre;
            s += v;
            q += v * v;
        }
        (self.z, self.s, self.q, self.q_max) = (centre, s, q, q);
    }

    pub(crate) fn write(&self, tag: &str, k: &[f64]) -> Vec<u8> {
        Writer::new(tag)
            .u64(self.window as u64)
            .f64s(k)
            .u64(self.count)
            .f64s(&[self.z, self.s, self.q, self.q_max])
            .f64s(&self.ring)
            .done()
    }

    pub(crate) fn read(bytes: &[u8], tag: &str, k: &mut [f64]) -> Result<Self> {
        let mut r = Reader::open(bytes, tag)?;
        let window = r.size()?;
        if window > bytes.len() {
            return Err(KernelError::Snapshot("truncated"));
        }
        let mut me = Self::new(window)?;
        for v in k {
            *v = r.f64()?;
        }
        me.count = r.u64()?;
        (me.z, me.s, me.q, me.q_max) = (r.f64()?, r.f64()?, r.f64()?, r.f64()?);
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

    /// Stand before a block: `lead` are the `window - 1` bars before it.
    pub(crate) fn stand(&mut self, lead: &[f64]) {
        self.ring[..lead.len()].copy_from_slice(lead);
        self.count = lead.len() as u64;
        self.place();
    }
}

/// Turns a lane of means and deviations into outputs.
pub(crate) trait Sink {
    /// Take four bars from position `i` on.
    fn put<V: F4>(&mut self, i: usize, mean: V, sd: V);
}

/// Whether the running sums of a block stayed within their bounds.
pub(crate) struct Fit {
    /// Nothing would have restarted: means and deviations stand.
    pub moments: bool,
    /// The sum alone stayed within the bound of [`crate::sma`]: the means are moving averages.
    pub mean: bool,
}

/// One whole block; `past` starts `window - 1` bars before it. Where [`Fit::moments`] is false the bars must be
/// followed one by one.
#[inline(always)]
pub(crate) fn block<V: F4, S: Sink>(past: &[f64], p: &Moments, sink: &mut S) -> Fit {
    let w = p.window;
    let (lead, new) = past.split_at(w - 1);
    let new = &new[..p.block];
    let z = new[0];
    let (mut s, mut q) = (-0.0, -0.0);
    for x in lead.iter().chain(&new[..1]) {
        let v = x - z;
        s += v;
        q += v * v;
    }
    let mut walk = Walk::<V> {
        z: V::splat(z),
        inv: V::splat(p.inv),
        sums: V::pair(s, q),
        q_max: V::splat(f64::NEG_INFINITY),
        least: V::splat(f64::INFINITY),
        nearest: V::splat(f64::INFINITY),
    };
    // bar 0 is the restart itself: letting it leave as it enters adds two zeros
    let first = [z, past[0], past[1], past[2]];
    // SAFETY: a block has at least 256 bars, so `past[3..]` and `new` hold what is read; i + 4 <= block
    unsafe {
        walk.four(V::load(new.as_ptr()), V::load(first.as_ptr()), 0, sink);
        let mut i = 4;
        while i + 4 <= new.len() {
            walk.four(
                V::load(new.as_ptr().add(i)),
                V::load(past.as_ptr().add(i - 1)),
                i,
                sink,
            );
            i += 4;
        }
    }
    let (s, q) = V::unpair(walk.sums);
    let (top, near) = (walk.q_max.hmax(), p.limit * walk.nearest.hmin());
    let moments = s.is_finite() && q.is_finite() && top <= p.limit * walk.least.hmin();
    // |s| <= sqrt(w * q)
    Fit {
        moments,
        mean: moments && 1.01 * w as f64 * top <= near * near,
    }
}

/// Running state of a block, four bars at a time.
struct Walk<V: F4> {
    z: V,
    inv: V,
    sums: V::Pair,
    q_max: V,
    least: V,
    nearest: V,
}

impl<V: F4> Walk<V> {
    #[inline(always)]
    fn four<S: Sink>(&mut self, x: V, old: V, i: usize, sink: &mut S) {
        let d = x.sub(old);
        let e = d.mul(x.sub(self.z).add(old.sub(self.z)));
        let (sum, square, after) = d.running(e, self.sums);
        self.sums = after;
        let m = sum.mul(self.inv);
        let sd = V::splat(0.0).max(square.mul(self.inv).sub(m.mul(m))).sqrt();
        let size = x.abs();
        self.q_max = square.max(self.q_max);
        self.nearest = size.min(self.nearest);
        self.least = sd.mul(size).min(self.least);
        sink.put(i, m.add(self.z), sd);
    }
}
