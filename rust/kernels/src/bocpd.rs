//! Bayesian online change-point detection (Adams and MacKay 2007) for a mean and variance that are constant in a segment.
//!
//! Run lengths r have weights `w(r)`; the conjugate prior is normal-inverse-gamma, so a bar's predictive density is
//! Student's t with `2α` degrees of freedom. `w'(r + 1) ∝ w(r) p(x | r) (1 − H)`, `w'(0) ∝ H Σ w(r) p(x | r)`. A run
//! longer than the limit is counted at the limit, with the posterior of the newest run that reached it. A NaN bar is
//! not counted. O(limit) per bar.

use crate::codec::{Reader, Writer};
use crate::error::{KernelError, Result};
use crate::special::ln_gamma;

/// Prior and hazard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BocpdParams {
    /// Probability of a change at any bar.
    pub hazard: f64,
    /// Prior mean, and how many bars it is worth.
    pub mean: f64,
    /// Weight of the prior mean in bars.
    pub kappa: f64,
    /// Shape of the prior of the variance.
    pub alpha: f64,
    /// Scale of the prior of the variance.
    pub beta: f64,
    /// Longest run told apart.
    pub max_run: usize,
    /// A change within this many bars counts as recent.
    pub recent: usize,
}

/// What a bar says: probability of a run of at most `recent` bars, mean and most likely run, surprise `−ln p(x | past)`.
pub type BocpdValue = [f64; 4];

/// Online detector.
#[derive(Debug, Clone, PartialEq)]
pub struct Bocpd {
    p: BocpdParams,
    weights: Vec<f64>,
    means: Vec<f64>,
    betas: Vec<f64>,
    // ln Γ(α + ½) − ln Γ(α) − ½ ln(2 π α) for each run length
    norms: Vec<f64>,
    scratch: Vec<f64>,
    last: BocpdValue,
}

impl Bocpd {
    /// A detector before its first bar.
    ///
    /// # Errors
    /// [`KernelError::Param`].
    pub fn new(p: BocpdParams) -> Result<Self> {
        let positive = [p.kappa, p.alpha, p.beta]
            .iter()
            .all(|v| v.is_finite() && *v > 0.0);
        if !(positive && p.mean.is_finite() && p.hazard > 0.0 && p.hazard < 1.0) {
            return Err(KernelError::Param(
                "kappa, alpha and beta must be finite and positive, mean finite, hazard within (0, 1)",
            ));
        }
        if p.max_run < 2 || p.max_run > 1 << 20 || p.recent >= p.max_run {
            return Err(KernelError::Param(
                "max_run must be 2 to 2^20 and recent below it",
            ));
        }
        let norms = (0..=p.max_run)
            .map(|r| {
                let alpha = p.alpha + 0.5 * r as f64;
                ln_gamma(alpha + 0.5) - ln_gamma(alpha) - 0.5 * (2.0 * core::f64::consts::PI * alpha).ln()
            })
            .collect();
        Ok(Self {
            p,
            weights: vec![1.0],
            means: vec![p.mean],
            betas: vec![p.beta],
            norms,
            scratch: Vec::new(),
            last: [f64::NAN; 4],
        })
    }

    /// Take one bar.
    ///
    /// # Errors
    /// [`KernelError::Param`] for an infinite bar; the detector is left as it was.
    pub fn update(&mut self, x: f64) -> Result<BocpdValue> {
        if x.is_nan() {
            return Ok(self.last);
        }
        if x.is_infinite() {
            return Err(KernelError::Param("an observation is infinite"));
        }
        let runs = self.weights.len();
        self.scratch.clear();
        let mut top = f64::NEG_INFINITY;
        for r in 0..runs {
            let (kappa, alpha) = (self.p.kappa + r as f64, self.p.alpha + 0.5 * r as f64);
            let scale = self.betas[r] * (kappa + 1.0) / (alpha * kappa);
            let z = x - self.means[r];
            let log_p =
                self.norms[r] - 0.5 * scale.ln() - (alpha + 0.5) * (1.0 + z * z / (2.0 * alpha * scale)).ln();
            self.scratch.push(log_p);
            top = if log_p > top { log_p } else { top };
        }
        let mut sum = 0.0;
        for (log_p, w) in self.scratch.iter_mut().zip(&self.weights) {
            *log_p = w * (*log_p - top).exp();
            sum += *log_p;
        }
        let surprise = -(sum.ln() + top);
        let stay = (1.0 - self.p.hazard) / sum;
        if runs <= self.p.max_run {
            self.weights.push(0.0);
            self.means.push(0.0);
            self.betas.push(0.0);
        } else {
            // the longest run stays where it is: its weight joins the one that reaches it now
            self.scratch[runs - 2] += self.scratch[runs - 1];
        }
        for r in (1..self.weights.len()).rev() {
            let kappa = self.p.kappa + (r - 1) as f64;
            let z = x - self.means[r - 1];
            self.weights[r] = self.scratch[r - 1] * stay;
            self.betas[r] = self.betas[r - 1] + 0.5 * kappa / (kappa + 1.0) * (z * z);
            self.means[r] = self.means[r - 1] + z / (kappa + 1.0);
        }
        self.weights[0] = self.p.hazard;
        self.means[0] = self.p.mean;
        self.betas[0] = self.p.beta;
        let (mut recent, mut mean, mut likely) = (0.0, 0.0, 0);
        for (r, &w) in self.weights.iter().enumerate() {
            if r <= self.p.recent {
                recent += w;
            }
            mean += r as f64 * w;
            if w > self.weights[likely] {
                likely = r;
            }
        }
        self.last = [recent, mean, likely as f64, surprise];
        Ok(self.last)
    }

    /// Parameters and state as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        let p = &self.p;
        Writer::new("Bocpd")
            .u64(p.max_run as u64)
            .u64(p.recent as u64)
            .u64(self.weights.len() as u64)
            .f64s(&[p.hazard, p.mean, p.kappa, p.alpha, p.beta])
            .f64s(&self.weights)
            .f64s(&self.means)
            .f64s(&self.betas)
            .f64s(&self.last)
            .done()
    }

    /// Parameters and state from bytes.
    ///
    /// # Errors
    /// [`KernelError`].
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "Bocpd")?;
        let (max_run, recent, runs) = (r.size()?, r.size()?, r.size()?);
        if runs == 0 || runs > bytes.len() || runs > max_run + 1 {
            return Err(KernelError::Snapshot("truncated"));
        }
        let head = r.f64s(5)?;
        let mut me = Self::new(BocpdParams {
            hazard: head[0],
            mean: head[1],
            kappa: head[2],
            alpha: head[3],
            beta: head[4],
            max_run,
            recent,
        })?;
        me.weights = r.f64s(runs)?;
        me.means = r.f64s(runs)?;
        me.betas = r.f64s(runs)?;
        me.last = [r.f64()?, r.f64()?, r.f64()?, r.f64()?];
        r.end()?;
        if !me.weights.iter().all(|w| *w >= 0.0) || !me.betas.iter().all(|b| *b > 0.0) {
            return Err(KernelError::Snapshot("its weights are none"));
        }
        Ok(me)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(max_run: usize) -> BocpdParams {
        BocpdParams {
            hazard: 0.05,
            mean: 0.0,
            kappa: 0.5,
            alpha: 1.5,
            beta: 1.0,
            max_run,
            recent: 2,
        }
    }

    #[test]
    fn a_step_is_seen_and_forgotten() {
        let mut d = Bocpd::new(params(100)).unwrap();
        let noise = |t: usize| ((t * 7919 % 13) as f64 - 6.0) / 12.0;
        for t in 0..60 {
            d.update(noise(t)).unwrap();
        }
        assert!(d.last[2] >= 50.0);
        for t in 60..64 {
            d.update(8.0 + noise(t)).unwrap();
        }
        assert!(d.last[2] <= 4.0, "{:?}", d.last);
        assert!((d.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn limit_snapshot_and_missing_bars() {
        let mut d = Bocpd::new(params(5)).unwrap();
        for t in 0..30 {
            let mut copy = Bocpd::restore(&d.snapshot()).unwrap();
            let x = (t % 3) as f64;
            assert_eq!(copy.update(x).unwrap(), d.update(x).unwrap());
            assert_eq!(copy.snapshot(), d.snapshot());
            assert!((d.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        assert_eq!(d.weights.len(), 6);
        let kept = d.clone();
        assert_eq!(d.update(f64::NAN).unwrap(), d.last);
        assert!(d.update(f64::INFINITY).is_err());
        assert_eq!(d, kept);
        assert!(Bocpd::new(BocpdParams {
            hazard: 0.0,
            ..params(5)
        })
        .is_err());
        assert!(Bocpd::new(BocpdParams {
            recent: 5,
            ..params(5)
        })
        .is_err());
    }
}
