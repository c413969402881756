//! Forward filter of a hidden Markov model (Rabiner 1989), in the scaled form.
//!
//! `u_1 = pi * b_1`, `u_t = (alpha_{t-1} P) * b_t`, `c_t = sum(u_t)`, `alpha_t = u_t / c_t`,
//! log-likelihood `sum(ln c_t)`. `b_t` is used as `exp(log b_t - m_t)`, `m_t` the largest `log b_t` among
//! the states that can be reached, so a far outlier cannot give `c_t = 0`. A missing bar has `b_t = 1`.
//! Sums run in state order; batch and streaming share one step, hence agree to the bit.

const LN_2PI: f64 = 1.837_877_066_409_345_3;

/// Why a filter refused its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HmmError {
    /// Lengths do not fit together, or there is no state.
    Shape,
    /// `pi` or a row of `P` is not a probability vector (non-negative, sum 1 within 1e-6).
    Probability,
    /// A mean is not finite, or a variance is not finite and positive.
    Emission,
    /// An observation is infinite, or a log density is +inf or NaN beside numbers.
    Observation,
    /// No state that can be reached allows the observation.
    Impossible,
}

/// Initial and transition probabilities, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    start: Vec<f64>,
    // transposed, so that the prediction of one state reads one row
    into: Vec<f64>,
}

fn is_distribution(p: &[f64]) -> bool {
    p.iter().all(|&x| x >= 0.0) && (p.iter().sum::<f64>() - 1.0).abs() <= 1e-6
}

impl Chain {
    /// Check and store `pi` (K) and `P` (K x K, row-major, rows sum to 1).
    ///
    /// # Errors
    /// [`HmmError::Shape`] or [`HmmError::Probability`].
    pub fn new(start: &[f64], transitions: &[f64]) -> Result<Self, HmmError> {
        let k = start.len();
        if k == 0 || transitions.len() != k * k {
            return Err(HmmError::Shape);
        }
        if !is_distribution(start) || !transitions.chunks(k).all(is_distribution) {
            return Err(HmmError::Probability);
        }
        let into = (0..k * k).map(|i| transitions[(i % k) * k + i / k]).collect();
        Ok(Self { start: start.to_vec(), into })
    }

    /// Number of states.
    #[must_use]
    pub fn states(&self) -> usize {
        self.start.len()
    }

    /// One step from the distribution `alpha` (`None` before the first bar) to `next`; returns `ln c_t`.
    ///
    /// `log_b` is overwritten. A row of NaN is a missing bar.
    fn step(&self, alpha: Option<&[f64]>, log_b: &mut [f64], next: &mut [f64]) -> Result<f64, HmmError> {
        if log_b.iter().all(|x| x.is_nan()) {
            log_b.fill(0.0);
        }
        match alpha {
            None => next.copy_from_slice(&self.start),
            Some(alpha) => {
                for (u, row) in next.iter_mut().zip(self.into.chunks(alpha.len())) {
                    *u = row.iter().zip(alpha).fold(0.0, |sum, (&p, &a)| sum + a * p);
                }
            }
        }
        let mut top = f64::NEG_INFINITY;
        for (&u, &lb) in next.iter().zip(log_b.iter()) {
            if lb.is_nan() || lb == f64::INFINITY {
                return Err(HmmError::Observation);
            }
            if u > 0.0 && lb > top {
                top = lb;
            }
        }
        if top == f64::NEG_INFINITY {
            return Err(HmmError::Impossible);
        }
        let mut c = 0.0;
        for (u, &lb) in next.iter_mut().zip(log_b.iter()) {
            // a state that cannot be reached stays at 0 even where its density is far above `top`
            *u = if *u > 0.0 { *u * (lb - top).exp() } else { 0.0 };
            c += *u;
        }
        for u in next.iter_mut() {
            *u /= c;
        }
        Ok(c.ln() + top)
    }
}

/// Filter a whole series of log densities `log_b` (T x K, row-major) into `alpha` (T x K).
///
/// Returns the log-likelihood of the series.
///
/// # Errors
/// [`HmmError`] with the row at which it happened (0 for shapes).
pub fn forward_filter(chain: &Chain, log_b: &[f64], alpha: &mut [f64]) -> Result<f64, (HmmError, usize)> {
    let k = chain.states();
    if log_b.len() % k != 0 || alpha.len() != log_b.len() {
        return Err((HmmError::Shape, 0));
    }
    let mut row_b = vec![0.0; k];
    let mut total = 0.0;
    let mut before: Option<&[f64]> = None;
    for (t, (row, next)) in log_b.chunks(k).zip(alpha.chunks_mut(k)).enumerate() {
        row_b.copy_from_slice(row);
        total += chain.step(before, &mut row_b, next).map_err(|e| (e, t))?;
        before = Some(next);
    }
    Ok(total)
}

/// Diagonal Gaussian emissions, constants worked out once.
#[derive(Clone, Debug, PartialEq)]
pub struct DiagGaussian {
    features: usize,
    // per state and feature: mean, 0.5 / variance, 0.5 * ln(2 pi variance)
    terms: Vec<(f64, f64, f64)>,
}

impl DiagGaussian {
    /// Means and variances (K x D, row-major).
    ///
    /// # Errors
    /// [`HmmError::Shape`] or [`HmmError::Emission`].
    pub fn new(states: usize, means: &[f64], variances: &[f64]) -> Result<Self, HmmError> {
        if states == 0 || means.is_empty() || means.len() % states != 0 || means.len() != variances.len() {
            return Err(HmmError::Shape);
        }
        if !means.iter().all(|m| m.is_finite()) || !variances.iter().all(|v| v.is_finite() && *v > 0.0) {
            return Err(HmmError::Emission);
        }
        let terms =
            means.iter().zip(variances).map(|(&m, &v)| (m, 0.5 / v, 0.5 * (LN_2PI + v.ln()))).collect();
        Ok(Self { features: means.len() / states, terms })
    }

    /// Number of features.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// Log densities of one bar. A NaN feature is integrated out (its term is left out); all NaN gives 0.
    ///
    /// # Errors
    /// [`HmmError::Shape`], or [`HmmError::Observation`] for an infinite feature.
    pub fn log_density(&self, x: &[f64], log_b: &mut [f64]) -> Result<(), HmmError> {
        if x.len() != self.features || log_b.len() * self.features != self.terms.len() {
            return Err(HmmError::Shape);
        }
        if x.iter().any(|v| v.is_infinite()) {
            return Err(HmmError::Observation);
        }
        for (slot, state) in log_b.iter_mut().zip(self.terms.chunks(self.features)) {
            let mut sum = 0.0;
            for (&v, &(mean, half_precision, norm)) in x.iter().zip(state) {
                if !v.is_nan() {
                    let d = v - mean;
                    sum -= half_precision * (d * d) + norm;
                }
            }
            *slot = sum;
        }
        Ok(())
    }
}

/// Streaming filter of a diagonal Gaussian HMM: O(K D + K^2) per bar, memory O(K).
#[derive(Clone, Debug, PartialEq)]
pub struct HmmFilter {
    chain: Chain,
    emission: DiagGaussian,
    alpha: Vec<f64>,
    next: Vec<f64>,
    log_b: Vec<f64>,
    log_likelihood: f64,
    bars: u64,
}

impl HmmFilter {
    /// A filter before its first bar.
    #[must_use]
    pub fn new(chain: Chain, emission: DiagGaussian) -> Self {
        let k = chain.states();
        let zeros = vec![0.0; k];
        let (alpha, next, log_b) = (zeros.clone(), zeros.clone(), zeros);
        Self { chain, emission, alpha, next, log_b, log_likelihood: 0.0, bars: 0 }
    }

    /// Take one bar; the filtered state probabilities.
    ///
    /// # Errors
    /// [`HmmError`]; the filter is left as it was.
    pub fn update(&mut self, x: &[f64]) -> Result<&[f64], HmmError> {
        self.emission.log_density(x, &mut self.log_b)?;
        let before = (self.bars > 0).then_some(self.alpha.as_slice());
        self.log_likelihood += self.chain.step(before, &mut self.log_b, &mut self.next)?;
        core::mem::swap(&mut self.alpha, &mut self.next);
        self.bars += 1;
        Ok(&self.alpha)
    }

    /// Filtered probabilities after the last bar; empty before the first.
    #[must_use]
    pub fn alpha(&self) -> &[f64] {
        if self.bars > 0 {
            &self.alpha
        } else {
            &[]
        }
    }

    /// Log-likelihood of all bars so far.
    #[must_use]
    pub fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// Bars taken.
    #[must_use]
    pub fn bars(&self) -> u64 {
        self.bars
    }

    /// Number of states and of features.
    #[must_use]
    pub fn shape(&self) -> (usize, usize) {
        (self.chain.states(), self.emission.features())
    }

    /// The state as plain numbers: bars, log-likelihood, alpha (none before the first bar).
    #[must_use]
    pub fn save(&self) -> Vec<f64> {
        let mut out = vec![self.bars as f64, self.log_likelihood];
        out.extend_from_slice(self.alpha());
        out
    }

    /// Take over a saved state of the same model; `None` if it does not fit.
    #[must_use]
    pub fn load(&mut self, state: &[f64]) -> Option<()> {
        let (&[bars, log_likelihood], alpha) = state.split_first_chunk::<2>()?;
        let expected = if bars > 0.0 { self.chain.states() } else { 0 };
        if bars < 0.0 || bars.fract() != 0.0 || alpha.len() != expected || log_likelihood.is_nan() {
            return None;
        }
        if expected > 0 && !is_distribution(alpha) {
            return None;
        }
        if expected > 0 {
            self.alpha.copy_from_slice(alpha);
        }
        self.log_likelihood = log_likelihood;
        self.bars = bars as u64;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> (Chain, DiagGaussian) {
        let chain = Chain::new(&[0.6, 0.4], &[0.9, 0.1, 0.2, 0.8]).unwrap();
        (chain, DiagGaussian::new(2, &[0.0, 3.0], &[1.0, 4.0]).unwrap())
    }

    #[test]
    fn first_bar_by_hand() {
        let (chain, emission) = model();
        let mut f = HmmFilter::new(chain, emission);
        let a = f.update(&[1.0]).unwrap().to_vec();
        let b0 = 0.6 * (-0.5f64).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let b1 = 0.4 * (-0.5f64).exp() / (8.0 * std::f64::consts::PI).sqrt();
        assert!((a[0] - b0 / (b0 + b1)).abs() < 1e-15);
        assert!((f.log_likelihood() - (b0 + b1).ln()).abs() < 1e-14);
    }

    #[test]
    fn missing_bar_is_a_prediction_step() {
        let (chain, emission) = model();
        let mut f = HmmFilter::new(chain, emission);
        let a = f.update(&[1.0]).unwrap().to_vec();
        let before = f.log_likelihood();
        let b = f.update(&[f64::NAN]).unwrap().to_vec();
        assert!((b[0] - (a[0] * 0.9 + a[1] * 0.2)).abs() < 1e-15);
        assert!((f.log_likelihood() - before).abs() < 1e-15);
    }

    #[test]
    fn stream_equals_batch_to_the_bit_and_outliers_do_no_harm() {
        let (chain, emission) = model();
        let xs = [0.1, 2.0, 1e6, f64::NAN, -40.0, 3.0];
        let mut log_b = vec![0.0; 12];
        for (x, row) in xs.iter().zip(log_b.chunks_mut(2)) {
            emission.log_density(&[*x], row).unwrap();
        }
        let mut alpha = vec![0.0; 12];
        let total = forward_filter(&chain, &log_b, &mut alpha).unwrap();
        let mut f = HmmFilter::new(chain.clone(), emission.clone());
        for (t, x) in xs.iter().enumerate() {
            let saved = f.save();
            let mut g = HmmFilter::new(chain.clone(), emission.clone());
            assert_eq!(g.load(&saved), Some(()));
            assert_eq!(f.update(&[*x]).unwrap(), &alpha[2 * t..2 * t + 2]);
            g.update(&[*x]).unwrap();
            assert_eq!(f.save(), g.save());
        }
        assert_eq!(total, f.log_likelihood());
        assert!(total.is_finite());
    }

    #[test]
    fn refuses_nonsense_and_stays_as_it_was() {
        assert_eq!(Chain::new(&[0.5, 0.6], &[1.0, 0.0, 0.0, 1.0]), Err(HmmError::Probability));
        assert_eq!(Chain::new(&[1.0], &[1.0, 0.0]), Err(HmmError::Shape));
        assert_eq!(DiagGaussian::new(1, &[0.0], &[0.0]), Err(HmmError::Emission));
        let (chain, emission) = model();
        let mut f = HmmFilter::new(chain.clone(), emission);
        f.update(&[0.0]).unwrap();
        let kept = f.clone().save();
        assert_eq!(f.update(&[f64::INFINITY]), Err(HmmError::Observation));
        assert_eq!(f.update(&[0.0, 1.0]), Err(HmmError::Shape));
        assert_eq!(f.update(&[1e200]), Err(HmmError::Impossible));
        assert_eq!(f.save(), kept);
        let never = [f64::NEG_INFINITY; 2];
        assert_eq!(forward_filter(&chain, &never, &mut [0.0; 2]), Err((HmmError::Impossible, 0)));
    }
}
