//! Bollinger bands: mean plus and minus `k` deviations (ddof 0); moments and NaN rule of [`crate::moments`].

use crate::error::{same_len, KernelError, Result};
use crate::moments::{block, Fit, Moments, Sink};
use crate::simd::{dispatch, Job, F4};

/// Upper band, middle and lower band of one bar.
pub type BandsValue = (f64, f64, f64);

/// Streaming bands: `O(window)` memory, `O(1)` per bar.
#[derive(Debug, Clone)]
pub struct Bollinger {
    moments: Moments,
    k: f64,
}

impl Bollinger {
    /// Bands over `window >= 1` bars at `k` deviations, finite and above 0.
    ///
    /// # Errors
    /// [`KernelError::Param`] for other parameters.
    pub fn new(window: usize, k: f64) -> Result<Self> {
        if !(k > 0.0 && k.is_finite()) {
            return Err(KernelError::Param("the band width must be finite and above 0"));
        }
        Ok(Self {
            moments: Moments::new(window)?,
            k,
        })
    }

    /// Take one bar; NaN until the window is full.
    #[inline]
    pub fn update(&mut self, x: f64) -> BandsValue {
        let (mean, sd) = self.moments.update(x);
        let half = self.k * sd;
        (mean + half, mean, mean - half)
    }

    /// Mean, deviation and half width of one bar.
    pub(crate) fn parts(&mut self, x: f64) -> (f64, f64, f64) {
        let (mean, sd) = self.moments.update(x);
        (mean, sd, self.k * sd)
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        self.moments.write("Bollinger", &[self.k])
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut k = [0.0];
        let moments = Moments::read(bytes, "Bollinger", &mut k)?;
        Ok(Self { moments, k: k[0] })
    }
}

/// Where the bands go.
pub struct Bands<'a> {
    /// Mean plus `k` deviations.
    pub upper: &'a mut [f64],
    /// Mean.
    pub middle: &'a mut [f64],
    /// Mean less `k` deviations.
    pub lower: &'a mut [f64],
}

impl Bands<'_> {
    fn cut(&mut self, from: usize, to: usize) -> Bands<'_> {
        Bands {
            upper: &mut self.upper[from..to],
            middle: &mut self.middle[from..to],
            lower: &mut self.lower[from..to],
        }
    }
}

struct Out<'a> {
    bands: Bands<'a>,
    k: f64,
}

impl Sink for Out<'_> {
    #[inline(always)]
    fn put<V: F4>(&mut self, i: usize, mean: V, sd: V) {
        let half = V::splat(self.k).mul(sd);
        let b = self.bands.cut(i, i + 4);
        // SAFETY: each slice has four doubles
        unsafe {
            mean.add(half).store(b.upper.as_mut_ptr());
            mean.store(b.middle.as_mut_ptr());
            mean.sub(half).store(b.lower.as_mut_ptr());
        }
    }
}

/// Bands of bars `at..end`, a whole block on the grid or the last bars of the series.
#[inline(always)]
pub(crate) fn advance<V: F4>(
    x: &[f64],
    at: usize,
    end: usize,
    state: &mut Bollinger,
    out: &mut Bands<'_>,
) -> Fit {
    let w = state.moments.window;
    let past = &x[at + 1 - w..end];
    if end - at == state.moments.block {
        let mut sink = Out {
            bands: out.cut(at, end),
            k: state.k,
        };
        let fit = block::<V, _>(past, &state.moments, &mut sink);
        if fit.moments {
            return fit;
        }
    }
    let (lead, bars) = past.split_at(w - 1);
    state.moments.stand(lead);
    for (i, v) in bars.iter().enumerate() {
        (out.upper[at + i], out.middle[at + i], out.lower[at + i]) = state.update(*v);
    }
    Fit {
        moments: false,
        mean: false,
    }
}

struct Run<'a, 'b> {
    x: &'a [f64],
    state: Bollinger,
    out: &'a mut Bands<'b>,
}

impl Job for Run<'_, '_> {
    #[inline(always)]
    fn run<V: F4>(mut self) {
        let stride = self.state.moments.block;
        let mut at = self.state.moments.window - 1;
        while at < self.x.len() {
            let end = (at + stride).min(self.x.len());
            advance::<V>(self.x, at, end, &mut self.state, self.out);
            at = end;
        }
    }
}

/// Bands of `x` into three outputs (each of the shape of `x`, first `window - 1` NaN).
///
/// # Errors
/// [`KernelError`] for bad parameters or unequal lengths.
pub fn bollinger(x: &[f64], window: usize, k: f64, mut out: Bands<'_>) -> Result<()> {
    for o in [out.upper.len(), out.middle.len(), out.lower.len()] {
        same_len(x.len(), o)?;
    }
    let state = Bollinger::new(window, k)?;
    let first = (window - 1).min(x.len());
    let lead = out.cut(0, first);
    for o in [lead.upper, lead.middle, lead.lower] {
        o.fill(f64::NAN);
    }
    dispatch(Run {
        x,
        state,
        out: &mut out,
    });
    Ok(())
}
