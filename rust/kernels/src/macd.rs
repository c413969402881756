//! Moving average convergence and divergence, seeded like TA-Lib.
//!
//! Both averages are seeded at bar `slow - 1` (the fast one with the mean of the last `fast` bars up to it);
//! the signal is an average of the line seeded with the mean of its first `signal` values; all three outputs
//! start together at bar `slow + signal - 2`. Averages are those of [`crate::ema`], by the block scan of
//! [`crate::scan`]. A non-finite input makes every later value non-finite.

use crate::codec::{Reader, Writer};
use crate::ema::groups;
use crate::error::{same_len, window_ok, KernelError, Result};
use crate::scan::Scan;
use crate::simd::{dispatch, Job, F4};

/// Streaming MACD: `O(1)` memory and work.
#[derive(Debug, Clone)]
pub struct Macd {
    windows: [usize; 3],
    a: [f64; 3],
    count: u64,
    fast: Scan,
    slow: Scan,
    signal: Scan,
}

/// Line, signal and histogram of one bar.
pub type MacdValue = (f64, f64, f64);

const WARMING: MacdValue = (f64::NAN, f64::NAN, f64::NAN);

impl Macd {
    /// Spans with `1 <= fast < slow` and `signal >= 1`.
    ///
    /// # Errors
    /// [`KernelError::Param`] for other spans.
    pub fn new(fast: usize, slow: usize, signal: usize) -> Result<Self> {
        let windows = [fast, slow, signal];
        for w in windows {
            window_ok(w, 1)?;
        }
        if fast >= slow {
            return Err(KernelError::Param(
                "the fast span must be shorter than the slow one",
            ));
        }
        let a = windows.map(|w| 2.0 / (w as f64 + 1.0));
        let [f, s, g] = a.map(|a| Scan::new(1.0 - a));
        Ok(Self {
            windows,
            a,
            count: 0,
            fast: f,
            slow: s,
            signal: g,
        })
    }

    /// Take one bar; NaN until the signal has its seed.
    #[inline]
    pub fn update(&mut self, x: f64) -> MacdValue {
        if self.count < self.ready() {
            return self.warm_up(x);
        }
        let line = self.line(x);
        let signal = self.signal.step(self.a[2] * line);
        (line, signal, line - signal)
    }

    #[inline(always)]
    fn line(&mut self, x: f64) -> f64 {
        self.fast.step(self.a[0] * x) - self.slow.step(self.a[1] * x)
    }

    /// Bars up to and including the first with all three values.
    fn ready(&self) -> u64 {
        (self.windows[1] + self.windows[2] - 1) as u64
    }

    #[cold]
    fn warm_up(&mut self, x: f64) -> MacdValue {
        let [fast, slow, signal] = self.windows;
        self.count += 1;
        let count = self.count as usize;
        if count <= slow {
            self.slow.carry += x;
            if count > slow - fast {
                self.fast.carry += x;
            }
            if count < slow {
                return WARMING;
            }
            self.slow.seed(self.slow.carry / slow as f64);
            self.fast.seed(self.fast.carry / fast as f64);
            return self.warm_up_signal(self.fast.carry - self.slow.carry, signal == 1);
        }
        let line = self.line(x);
        self.warm_up_signal(line, count as u64 == self.ready())
    }

    fn warm_up_signal(&mut self, line: f64, seeded: bool) -> MacdValue {
        self.signal.carry += line;
        if !seeded {
            return WARMING;
        }
        let signal = self.signal.carry / self.windows[2] as f64;
        self.signal.seed(signal);
        (line, signal, line - signal)
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        let [f, s, g] = self.windows.map(|w| w as u64);
        let w = Writer::new("Macd").u64(f).u64(s).u64(g).u64(self.count);
        self.signal.write(self.slow.write(self.fast.write(w))).done()
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "Macd")?;
        let mut me = Self::new(r.size()?, r.size()?, r.size()?)?;
        me.count = r.u64()?;
        me.fast.read(&mut r)?;
        me.slow.read(&mut r)?;
        me.signal.read(&mut r)?;
        r.end()?;
        Ok(me)
    }
}

/// Where the three outputs go.
pub struct MacdOut<'a> {
    /// Fast average less slow average.
    pub line: &'a mut [f64],
    /// Average of the line.
    pub signal: &'a mut [f64],
    /// Line less signal.
    pub histogram: &'a mut [f64],
}

/// A batch in progress: bars `..line_at` have a line, bars `..signal_at` all three outputs.
pub(crate) struct MacdRun {
    state: Macd,
    line_at: usize,
    signal_at: usize,
}

impl MacdRun {
    /// Follow the warm-up bar by bar, then the line alone to the next whole group of its own grid.
    pub fn start(mut state: Macd, x: &[f64], out: &mut MacdOut<'_>) -> Self {
        let lead = state.ready() as usize;
        let signal_at = lead.min(x.len());
        for (i, v) in x[..signal_at].iter().enumerate() {
            (out.line[i], out.signal[i], out.histogram[i]) = state.update(*v);
        }
        let ahead = (4 - (lead - state.windows[1]) % 4) % 4;
        let line_at = (signal_at + ahead).min(x.len());
        for (o, v) in out.line[signal_at..line_at].iter_mut().zip(&x[signal_at..]) {
            *o = state.line(*v);
        }
        Self {
            state,
            line_at,
            signal_at,
        }
    }

    /// Whole groups of all three lines in one loop, where the grids of line and signal coincide: the three
    /// chains overlap.
    #[inline(always)]
    fn together<V: F4>(&mut self, x: &[f64], limit: usize, out: &mut MacdOut<'_>) {
        let from = self.line_at;
        let n = limit.saturating_sub(from) / 4 * 4;
        let s = &mut self.state;
        let (df, ds, dg) = (s.fast.d, s.slow.d, s.signal.d);
        let [af, asl, ag] = s.a.map(V::splat);
        let [mut f, mut g, mut y] = [s.fast.carry, s.slow.carry, s.signal.carry].map(V::splat);
        let src = &x[from..from + n];
        let line = &mut out.line[from..from + n];
        let signal = &mut out.signal[from..from + n];
        let hist = &mut out.histogram[from..from + n];
        let mut i = 0;
        while i < n {
            // SAFETY: i + 4 <= n, the length of the four slices
            unsafe {
                let v = V::load(src.as_ptr().add(i));
                let ef = af.mul(v).scan(&df, f);
                let es = asl.mul(v).scan(&ds, g);
                let l = ef.sub(es);
                let e = ag.mul(l).scan(&dg, y);
                l.store(line.as_mut_ptr().add(i));
                e.store(signal.as_mut_ptr().add(i));
                l.sub(e).store(hist.as_mut_ptr().add(i));
                (f, g, y) = (ef.last(), es.last(), e.last());
            }
            i += 4;
        }
        if n > 0 {
            s.fast.seed(f.first());
            s.slow.seed(g.first());
            s.signal.seed(y.first());
            self.line_at += n;
            self.signal_at += n;
        }
    }

    /// Whole groups as far as `limit` bars allow; both outputs may lag by up to three bars.
    #[inline(always)]
    pub fn advance<V: F4>(&mut self, x: &[f64], limit: usize, out: &mut MacdOut<'_>) {
        if self.line_at == self.signal_at {
            return self.together::<V>(x, limit, out);
        }
        let n = limit.saturating_sub(self.line_at) / 4 * 4;
        let (s, from) = (&mut self.state, self.line_at);
        let (df, ds) = (s.fast.d, s.slow.d);
        let (af, asl) = (V::splat(s.a[0]), V::splat(s.a[1]));
        let (mut f, mut g) = (V::splat(s.fast.carry), V::splat(s.slow.carry));
        let (src, line) = (&x[from..from + n], &mut out.line[from..from + n]);
        let mut i = 0;
        while i < n {
            // SAFETY: i + 4 <= n, the length of both slices
            unsafe {
                let v = V::load(src.as_ptr().add(i));
                let ef = af.mul(v).scan(&df, f);
                let es = asl.mul(v).scan(&ds, g);
                ef.sub(es).store(line.as_mut_ptr().add(i));
                f = ef.last();
                g = es.last();
            }
            i += 4;
        }
        if n > 0 {
            s.fast.seed(f.first());
            s.slow.seed(g.first());
            self.line_at += n;
        }
        let from = self.signal_at;
        let n = self.line_at.saturating_sub(from) / 4 * 4;
        let line = &out.line[from..from + n];
        let signal = &mut out.signal[from..from + n];
        let y = groups::<V>(line, signal, s.a[2], &s.signal.d, s.signal.carry);
        let hist = &mut out.histogram[from..from + n];
        let mut i = 0;
        while i < n {
            // SAFETY: i + 4 <= n, the length of the three slices
            unsafe {
                let (a, b) = (V::load(line.as_ptr().add(i)), V::load(signal.as_ptr().add(i)));
                a.sub(b).store(hist.as_mut_ptr().add(i));
            }
            i += 4;
        }
        if n > 0 {
            s.signal.seed(y);
        }
        self.signal_at += n;
    }

    /// Bar by bar through what the groups left over.
    pub fn finish(mut self, x: &[f64], out: &mut MacdOut<'_>) {
        let s = &mut self.state;
        for (o, v) in out.line[self.line_at..].iter_mut().zip(&x[self.line_at..]) {
            *o = s.line(*v);
        }
        for i in self.signal_at..x.len() {
            out.signal[i] = s.signal.step(s.a[2] * out.line[i]);
            out.histogram[i] = out.line[i] - out.signal[i];
        }
    }
}

struct Run<'a, 'b> {
    x: &'a [f64],
    out: &'a mut MacdOut<'b>,
    run: &'a mut MacdRun,
}

impl Job for Run<'_, '_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        let mut limit = self.run.line_at;
        while limit < self.x.len() {
            limit = (limit + 512).min(self.x.len());
            self.run.advance::<V>(self.x, limit, self.out);
        }
    }
}

/// MACD of `x` into three outputs (each of the shape of `x`, first `slow + signal - 2` NaN).
///
/// # Errors
/// [`KernelError`] for bad spans or unequal lengths.
pub fn macd(x: &[f64], fast: usize, slow: usize, signal: usize, mut out: MacdOut<'_>) -> Result<()> {
    for o in [out.line.len(), out.signal.len(), out.histogram.len()] {
        same_len(x.len(), o)?;
    }
    let mut run = MacdRun::start(Macd::new(fast, slow, signal)?, x, &mut out);
    if run.signal_at < x.len() {
        dispatch(Run {
            x,
            out: &mut out,
            run: &mut run,
        });
    }
    run.finish(x, &mut out);
    Ok(())
}
