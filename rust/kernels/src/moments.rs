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

/// Bars worked on between two passes over scratch memory; divides every block.
const CHUNK: usize = 256;
/// Blocks worked on at once: their chains of additions are independent.
pub(crate) const FLIGHT: usize = 2;

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

/// [`FLIGHT`] whole blocks side by side; `past` starts `window - 1` bars before them. False when the sums would
/// have restarted inside a block: then the bars must be followed one by one.
#[inline(always)]
pub(crate) fn blocks<V: F4, S: Sink>(past: &[f64], p: &Moments, sink: &mut S) -> bool {
    let (w, block) = (p.window, p.block);
    let mut z = [0.0; FLIGHT];
    let (mut s, mut q) = ([-0.0; FLIGHT], [-0.0; FLIGHT]);
    for k in 0..FLIGHT {
        z[k] = past[k * block + w - 1];
    }
    for j in 0..w {
        for k in 0..FLIGHT {
            let v = past[k * block + j] - z[k];
            s[k] += v;
            q[k] += v * v;
        }
    }
    let mut sums = [[0.0; CHUNK]; FLIGHT];
    let mut squares = [[0.0; CHUNK]; FLIGHT];
    let (inv, zero) = (V::splat(p.inv), V::splat(0.0));
    let mut q_max = [V::splat(f64::NEG_INFINITY); FLIGHT];
    let mut least = [V::splat(f64::INFINITY); FLIGHT];
    for from in (0..block).step_by(CHUNK) {
        for k in 0..FLIGHT {
            // the bar that leaves before bar `from` is at index w - 1 + from - w; bar 0 of a block restarts
            let new = &past[k * block + from + w - 1..][..CHUNK];
            let shift = usize::from(from == 0);
            let old = &past[k * block + from + shift - 1..][..CHUNK - shift];
            differences::<V>(
                &new[shift..],
                old,
                z[k],
                &mut sums[k][shift..],
                &mut squares[k][shift..],
            );
            if shift == 1 {
                (sums[k][0], squares[k][0]) = (s[k], q[k]);
                (s[k], q[k]) = (-0.0, -0.0);
            }
        }
        let [s0, s1] = &mut sums;
        let [q0, q1] = &mut squares;
        for j in 0..CHUNK {
            s[0] += s0[j];
            q[0] += q0[j];
            s[1] += s1[j];
            q[1] += q1[j];
            (s0[j], q0[j], s1[j], q1[j]) = (s[0], q[0], s[1], q[1]);
        }
        for k in 0..FLIGHT {
            let new = &past[k * block + from + w - 1..][..CHUNK];
            let vz = V::splat(z[k]);
            for j in (0..CHUNK).step_by(4) {
                // SAFETY: j + 4 <= CHUNK, the length of all three
                let (x, sum, square) = unsafe {
                    (
                        V::load(new.as_ptr().add(j)),
                        V::load(sums[k].as_ptr().add(j)),
                        V::load(squares[k].as_ptr().add(j)),
                    )
                };
                let m = sum.mul(inv);
                let sd = zero.max(square.mul(inv).sub(m.mul(m))).sqrt();
                q_max[k] = square.max(q_max[k]);
                least[k] = sd.mul(x.abs()).min(least[k]);
                sink.put(k * block + from + j, m.add(vz), sd);
            }
        }
    }
    (0..FLIGHT).all(|k| s[k].is_finite() && q[k].is_finite() && q_max[k].hmax() <= p.limit * least[k].hmin())
}

/// `d = new - old` and `d * ((new - z) + (old - z))` for each bar.
#[inline(always)]
fn differences<V: F4>(new: &[f64], old: &[f64], z: f64, d: &mut [f64], e: &mut [f64]) {
    let n = new.len().min(old.len()).min(d.len()).min(e.len());
    let vz = V::splat(z);
    let mut i = 0;
    while i + 4 <= n {
        // SAFETY: i + 4 <= n, at most the length of each slice
        unsafe {
            let (x, o) = (V::load(new.as_ptr().add(i)), V::load(old.as_ptr().add(i)));
            let step = x.sub(o);
            step.store(d.as_mut_ptr().add(i));
            step.mul(x.sub(vz).add(o.sub(vz))).store(e.as_mut_ptr().add(i));
        }
        i += 4;
    }
    for i in i..n {
        let (x, o) = (new[i], old[i]);
        d[i] = x - o;
        e[i] = d[i] * ((x - z) + (o - z));
    }
}
