//! Multivariate t emissions with a diagonal scale: heavy tails, so that one wild bar is no change of state.

use crate::codec::{Reader, Writer};
use crate::error::{same_len, KernelError, Result};
use crate::hmm::{usable, Emission, Filter};
use crate::special::ln_gamma;

/// Filter with multivariate t emissions.
pub type HmmStudentFilter = Filter<DiagStudent>;

/// Constants of all states, worked out once.
///
/// The density of a bar with features i in S (those that are not NaN) is the marginal t density of S:
/// `ln Γ((v+m)/2) - ln Γ(v/2) - m/2 ln(v π) - ½ Σ ln s_i² - (v+m)/2 ln(1 + Σ (x_i - μ_i)² / s_i² / v)`, m = |S|.
#[derive(Clone, Debug, PartialEq)]
pub struct DiagStudent {
    features: usize,
    means: Vec<f64>,
    scales: Vec<f64>,
    dof: Vec<f64>,
    // per state and feature: mean, 1 / s², ½ ln s²
    terms: Vec<(f64, f64, f64)>,
    // per state and number of features seen, 0..=D
    norms: Vec<f64>,
}

impl DiagStudent {
    /// Means and squared scales (K x D, row-major), degrees of freedom (K).
    ///
    /// # Errors
    /// [`KernelError::Param`].
    pub fn new(states: usize, means: &[f64], scales: &[f64], dof: &[f64]) -> Result<Self> {
        if states == 0
            || means.is_empty()
            || !means.len().is_multiple_of(states)
            || means.len() != scales.len()
            || dof.len() != states
        {
            return Err(KernelError::Param(
                "means and scales must both be K x D with at least one feature, dof K",
            ));
        }
        let positive = |v: &f64| v.is_finite() && *v > 0.0;
        if !means.iter().all(|m| m.is_finite()) || !scales.iter().chain(dof).all(positive) {
            return Err(KernelError::Param(
                "means must be finite, scales and dof finite and positive",
            ));
        }
        let features = means.len() / states;
        let norms = dof
            .iter()
            .flat_map(|&nu| {
                (0..=features).map(move |m| {
                    let m = m as f64;
                    let log_pi = (nu * core::f64::consts::PI).ln();
                    ln_gamma(0.5 * (nu + m)) - ln_gamma(0.5 * nu) - 0.5 * m * log_pi
                })
            })
            .collect();
        Ok(Self {
            features,
            means: means.to_vec(),
            scales: scales.to_vec(),
            dof: dof.to_vec(),
            terms: means
                .iter()
                .zip(scales)
                .map(|(&m, &s)| (m, 1.0 / s, 0.5 * s.ln()))
                .collect(),
            norms,
        })
    }
}

impl Emission for DiagStudent {
    const TAG: &'static str = "HmmStudent";
    fn features(&self) -> usize {
        self.features
    }
    fn states(&self) -> usize {
        self.dof.len()
    }
    fn log_density(&self, row: usize, x: &[f64], log_b: &mut [f64]) -> Result<()> {
        usable(row, self.features, x)?;
        same_len(self.dof.len(), log_b.len())?;
        let d = self.features;
        for (k, (slot, state)) in log_b.iter_mut().zip(self.terms.chunks(d)).enumerate() {
            let (mut q, mut half_logs, mut seen) = (0.0, 0.0, 0);
            for (&v, &(mean, precision, half_log)) in x.iter().zip(state) {
                if !v.is_nan() {
                    let z = v - mean;
                    q += precision * (z * z);
                    half_logs += half_log;
                    seen += 1;
                }
            }
            let nu = self.dof[k];
            let norm = self.norms[k * (d + 1) + seen];
            *slot = norm - half_logs - 0.5 * (nu + seen as f64) * (1.0 + q / nu).ln();
        }
        Ok(())
    }
    fn write(&self, w: Writer) -> Writer {
        w.f64s(&self.means).f64s(&self.scales).f64s(&self.dof)
    }
    fn read(r: &mut Reader<'_>, states: usize, features: usize) -> Result<Self> {
        let (means, scales) = (r.f64s(states * features)?, r.f64s(states * features)?);
        Self::new(states, &means, &scales, &r.f64s(states)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hmm::Chain;

    #[test]
    fn density_by_hand_and_missing_features() {
        let e = DiagStudent::new(1, &[0.0, 1.0], &[1.0, 4.0], &[3.0]).unwrap();
        let mut b = [0.0];
        // t with 3 degrees of freedom at 0: 2 / (π √3)
        e.log_density(0, &[0.0, f64::NAN], &mut b).unwrap();
        assert!((b[0] - (2.0 / (std::f64::consts::PI * 3f64.sqrt())).ln()).abs() < 1e-14);
        e.log_density(0, &[f64::NAN, f64::NAN], &mut b).unwrap();
        assert!(b[0].abs() < 1e-14);
        // two features: Γ(5/2) / (Γ(3/2) 3π · 2) (1 + 1/3)^(-5/2) = (3/2) / (6π) · (4/3)^(-5/2)
        e.log_density(0, &[1.0, 1.0], &mut b).unwrap();
        let want = (1.5 / (6.0 * std::f64::consts::PI)).ln() - 2.5 * (4.0f64 / 3.0).ln();
        assert!((b[0] - want).abs() < 1e-14);
        assert!(e.log_density(0, &[f64::INFINITY, 0.0], &mut b).is_err());
        assert!(DiagStudent::new(1, &[0.0], &[1.0], &[0.0]).is_err());
    }

    #[test]
    fn a_snapshot_goes_on_and_a_run_is_its_updates() {
        let chain = Chain::new(&[0.6, 0.4], &[0.9, 0.1, 0.2, 0.8]).unwrap();
        let e = DiagStudent::new(2, &[0.0, 3.0], &[1.0, 4.0], &[4.0, 6.0]).unwrap();
        let x = [0.1, 2.0, 1e6, f64::NAN, -40.0, 3.0];
        let mut alpha = [0.0; 12];
        Filter::new(chain.clone(), e.clone()).run(&x, &mut alpha).unwrap();
        let mut f = Filter::new(chain, e);
        for (t, v) in x.iter().enumerate() {
            let mut g = HmmStudentFilter::restore(&f.snapshot()).unwrap();
            assert_eq!(f.update(&[*v]).unwrap(), &alpha[2 * t..2 * t + 2]);
            g.update(&[*v]).unwrap();
            assert_eq!(f.snapshot(), g.snapshot());
        }
    }
}
