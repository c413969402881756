//! Stochastic RSI in the chart style: where the RSI stands in its own range, smoothed twice.
//!
//! `raw = 100*(rsi - min) / (max - min)` over the last `m` RSI values, `K = SMA(raw)`, `D = SMA(K)`; an average
//! of `s` values is their sum from the oldest to the newest times `1/s`. A range of zero is undefined, hence
//! NaN, and so is every average that holds it. Chart style is (14, 14, 3, 3); TA-Lib's FastK and FastD are
//! K and D of (14, 5, 1, 3).

use crate::codec::{Reader, Writer};
use crate::error::{same_len, window_ok, KernelError, Result};
use crate::extremes::{known, pass_len, Rows};
use crate::rsi::Rsi;
use crate::simd::{dispatch, Job, F4};
use crate::two_stack::{Max, Min, Window};

/// Windows of the four stages, in bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StochRsiParams {
    /// Changes of the RSI, at least 2.
    pub rsi: usize,
    /// RSI values of the range.
    pub range: usize,
    /// Raw values in K.
    pub k: usize,
    /// K values in D.
    pub d: usize,
}

impl StochRsiParams {
    fn check(self) -> Result<()> {
        window_ok(self.rsi, 2)?;
        [self.range, self.k, self.d]
            .into_iter()
            .try_for_each(|w| window_ok(w, 1))
    }
}

#[inline(always)]
fn raw(x: f64, high: f64, low: f64) -> f64 {
    100.0 * (x - low) / (high - low)
}

/// Mean of the last values, kept in a short row.
#[derive(Debug, Clone)]
struct Mean(Vec<f64>);

impl Mean {
    fn new(n: usize) -> Self {
        Self(vec![f64::NAN; n])
    }

    #[inline]
    fn push(&mut self, x: f64) -> f64 {
        let n = self.0.len();
        self.0.copy_within(1.., 0);
        if let Some(last) = self.0.last_mut() {
            *last = x;
        }
        let (first, rest) = match self.0.split_first() {
            Some((first, rest)) => (*first, rest),
            None => return f64::NAN,
        };
        rest.iter().fold(first, |sum, v| sum + v) * (1.0 / n as f64)
    }
}

/// Means over `n` values that end at each of the last `out.len()` values of `x`; same operations as [`Mean`].
#[inline(always)]
fn means(x: &[f64], n: usize, out: &mut [f64]) {
    let m = out.len();
    let share = 1.0 / n as f64;
    if n == 3 {
        let (a, b, c) = (&x[..m], &x[1..m + 1], &x[2..m + 2]);
        for i in 0..m {
            out[i] = (a[i] + b[i] + c[i]) * share;
        }
        return;
    }
    out.copy_from_slice(&x[..m]);
    for lag in 1..n {
        for (o, v) in out.iter_mut().zip(&x[lag..lag + m]) {
            *o += v;
        }
    }
    for o in out.iter_mut() {
        *o *= share;
    }
}

/// Streaming stochastic RSI: `O(window)` memory, `O(1)` amortised per bar.
#[derive(Debug, Clone)]
pub struct StochRsi {
    params: StochRsiParams,
    rsi: Rsi,
    high: Window<Max>,
    low: Window<Min>,
    k: Mean,
    d: Mean,
}

impl StochRsi {
    /// Windows of RSI changes, RSI range, K and D.
    ///
    /// # Errors
    /// [`KernelError::Param`] for an RSI window below 2 or another below 1.
    pub fn new(rsi: usize, range: usize, k: usize, d: usize) -> Result<Self> {
        let params = StochRsiParams { rsi, range, k, d };
        params.check()?;
        Ok(Self {
            params,
            rsi: Rsi::new(rsi)?,
            high: Window::new(range),
            low: Window::new(range),
            k: Mean::new(k),
            d: Mean::new(d),
        })
    }

    /// Take one bar; K and D, NaN while warming up.
    #[inline]
    pub fn update(&mut self, x: f64) -> (f64, f64) {
        let r = self.rsi.update(x);
        let k = self.k.push(raw(r, self.high.push(r), self.low.push(r)));
        (k, self.d.push(k))
    }

    /// State as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        let p = self.params;
        let w = Writer::new("StochRsi")
            .u64(p.range as u64)
            .u64(p.k as u64)
            .u64(p.d as u64);
        let w = self.low.write(self.high.write(w.nested(&self.rsi.snapshot())));
        w.f64s(&self.k.0).f64s(&self.d.0).u64(p.rsi as u64).done()
    }

    /// State from bytes.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when the bytes are not of this kernel.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "StochRsi")?;
        let (range, k, d) = (r.size()?, r.size()?, r.size()?);
        let state = Rsi::restore(r.nested()?)?;
        let (high, low) = (Window::read(&mut r, range)?, Window::read(&mut r, range)?);
        let (km, dm) = (Mean(r.f64s(k)?), Mean(r.f64s(d)?));
        let params = StochRsiParams {
            rsi: r.size()?,
            range,
            k,
            d,
        };
        r.end()?;
        params
            .check()
            .map_err(|_| KernelError::Snapshot("a window is out of range"))?;
        Ok(Self {
            params,
            rsi: state,
            high,
            low,
            k: km,
            d: dm,
        })
    }
}

/// K and D of every bar into two outputs of the length of `x`.
///
/// # Errors
/// [`KernelError`] for bad parameters or unequal lengths.
pub fn stoch_rsi(x: &[f64], params: StochRsiParams, k: &mut [f64], d: &mut [f64]) -> Result<()> {
    params.check()?;
    same_len(x.len(), k.len())?;
    same_len(x.len(), d.len())?;
    dispatch(Run { x, params, k, d });
    Ok(())
}

struct Run<'a> {
    x: &'a [f64],
    params: StochRsiParams,
    k: &'a mut [f64],
    d: &'a mut [f64],
}

impl Job for Run<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        let p = self.params;
        let Ok(mut rsi) = Rsi::new(p.rsi) else { return };
        let (first, pass) = (rsi.lead(), pass_len(p.range));
        let mut rows = Rows::new(p.range);
        let (mut high, mut low) = (vec![0.0; pass], vec![0.0; pass]);
        // each row starts with what the pass before left over, NaN at first
        let (r_lead, k_lead, d_lead) = (p.range - 1, p.k - 1, p.d - 1);
        let mut rsis = vec![f64::NAN; r_lead + pass];
        let (mut raws, mut ks) = (vec![f64::NAN; k_lead + pass], vec![f64::NAN; d_lead + pass]);
        let (mut at, mut before) = (0, 0);
        while at < self.x.len() {
            let stop = if at < first { first } else { self.x.len() };
            let m = pass.min(stop.min(self.x.len()) - at);
            for (row, lead) in [(&mut rsis, r_lead), (&mut raws, k_lead), (&mut ks, d_lead)] {
                row.copy_within(before..before + lead, 0);
            }
            let fresh = &mut rsis[r_lead..r_lead + m];
            // groups of four count from the bar after the seed; passes are multiples of four
            let whole = if at < first { 0 } else { m / 4 * 4 };
            if whole > 0 {
                rsi.groups::<V>(&self.x[at - 1..at + whole], &mut fresh[..whole]);
            }
            for (o, &x) in fresh[whole..].iter_mut().zip(&self.x[at + whole..]) {
                *o = rsi.update(x);
            }
            let piece = &rsis[..r_lead + m];
            let clean = known(piece);
            rows.fold::<Max>(piece, clean, &mut high[..m]);
            rows.fold::<Min>(piece, clean, &mut low[..m]);
            let (r, h, l) = (&rsis[r_lead..r_lead + m], &high[..m], &low[..m]);
            let o = &mut raws[k_lead..k_lead + m];
            for i in 0..m {
                o[i] = raw(r[i], h[i], l[i]);
            }
            let k = &mut self.k[at..at + m];
            means(&raws[..k_lead + m], p.k, k);
            ks[d_lead..d_lead + m].copy_from_slice(k);
            means(&ks[..d_lead + m], p.d, &mut self.d[at..at + m]);
            (at, before) = (at + m, m);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_equals_batch_to_the_bit() {
        let mut x: Vec<f64> = (0..1700)
            .map(|i| 100.0 + 9.0 * (f64::from(i * i) * 0.013).sin())
            .collect();
        x[300..340].fill(100.0);
        for (n, m, sk, sd) in [
            (14, 14, 3, 3),
            (14, 5, 1, 3),
            (2, 1, 1, 1),
            (5, 600, 4, 7),
            (3, 8, 40, 700),
        ] {
            let (mut k, mut d) = (vec![0.0; 1700], vec![0.0; 1700]);
            let params = StochRsiParams {
                rsi: n,
                range: m,
                k: sk,
                d: sd,
            };
            stoch_rsi(&x, params, &mut k, &mut d).unwrap();
            let mut s = StochRsi::new(n, m, sk, sd).unwrap();
            for i in 0..1700 {
                if i % 97 == 0 {
                    s = StochRsi::restore(&s.snapshot()).unwrap();
                }
                let (a, b) = s.update(x[i]);
                assert!(
                    a.to_bits() == k[i].to_bits() || (a.is_nan() && k[i].is_nan()),
                    "{n} {m} {i}"
                );
                assert!(
                    b.to_bits() == d[i].to_bits() || (b.is_nan() && d[i].is_nan()),
                    "{n} {m} {i}"
                );
            }
            if m == 14 {
                assert!(d[n + m + 2].is_nan() && d[n + m + 3].is_finite());
            }
        }
    }
}
