//! Forward filter of a hidden Markov model (Rabiner 1989), in the scaled form.
//!
//! `u_1 = pi * b_1`, `u_t = (alpha_{t-1} P) * b_t`, `c_t = sum(u_t)`, `alpha_t = u_t / c_t`,
//! log-likelihood `sum(ln c_t)`. `b_t` is used as `exp(log b_t - m_t)`, `m_t` the largest `log b_t` among
//! the states that can be reached, so a far outlier cannot give `c_t = 0`. A missing bar has `b_t = 1`.
//! Sums run in state order; batch and streaming share one step, hence agree to the bit.

use crate::codec::{Reader, Writer};
use crate::error::{same_len, KernelError, Result};

const LN_2PI: f64 = 1.837_877_066_409_345_3;

const NO_DISTRIBUTION: KernelError =
    KernelError::Param("pi and the rows of P must be non-negative and sum to 1 within 1e-6");
const OBSERVATION: &str = "an observation is infinite, or a log density is +inf or partly NaN";
const IMPOSSIBLE: &str = "no state that can be reached allows this observation";

/// Initial and transition probabilities, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    pub(crate) start: Vec<f64>,
    // transposed, so that the prediction of one state reads one row
    pub(crate) into: Vec<f64>,
}

fn is_distribution(p: &[f64]) -> bool {
    p.iter().all(|&x| x >= 0.0) && (p.iter().sum::<f64>() - 1.0).abs() <= 1e-6
}

impl Chain {
    /// Check and store `pi` (K) and `P` (K x K, row-major, rows sum to 1).
    ///
    /// # Errors
    /// [`KernelError`] for a wrong shape or a row that is no distribution.
    pub fn new(start: &[f64], transitions: &[f64]) -> Result<Self> {
        let k = start.len();
        if k == 0 {
            return Err(KernelError::Param("a model needs at least one state"));
        }
        same_len(k * k, transitions.len())?;
        if !is_distribution(start) || !transitions.chunks(k).all(is_distribution) {
            return Err(NO_DISTRIBUTION);
        }
        let into = (0..k * k).map(|i| transitions[(i % k) * k + i / k]).collect();
        Ok(Self {
            start: start.to_vec(),
            into,
        })
    }

    /// Number of states.
    pub fn states(&self) -> usize {
        self.start.len()
    }

    /// One step from the distribution `alpha` (`None` before the first bar) to `next`; returns `ln c_t`.
    ///
    /// `log_b` is overwritten. A row of NaN is a missing bar.
    pub(crate) fn step(
        &self,
        row: usize,
        alpha: Option<&[f64]>,
        log_b: &mut [f64],
        next: &mut [f64],
    ) -> Result<f64> {
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
                return Err(KernelError::Row {
                    row,
                    what: OBSERVATION,
                });
            }
            if u > 0.0 && lb > top {
                top = lb;
            }
        }
        if top == f64::NEG_INFINITY {
            return Err(KernelError::Row {
                row,
                what: IMPOSSIBLE,
            });
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
/// [`KernelError::Length`] for wrong shapes, [`KernelError::Row`] for an unusable row.
pub fn hmm_forward_filter(chain: &Chain, log_b: &[f64], alpha: &mut [f64]) -> Result<f64> {
    let k = chain.states();
    same_len(log_b.len() - log_b.len() % k, log_b.len())?;
    same_len(log_b.len(), alpha.len())?;
    let mut row_b = vec![0.0; k];
    let mut total = 0.0;
    let mut before: Option<&[f64]> = None;
    for (t, (row, next)) in log_b.chunks(k).zip(alpha.chunks_mut(k)).enumerate() {
        row_b.copy_from_slice(row);
        total += chain.step(t, before, &mut row_b, next)?;
        before = Some(next);
    }
    Ok(total)
}

/// Diagonal Gaussian emissions, constants worked out once.
#[derive(Clone, Debug, PartialEq)]
pub struct DiagGaussian {
    features: usize,
    means: Vec<f64>,
    variances: Vec<f64>,
    // per state and feature: mean, 0.5 / variance, 0.5 * ln(2 pi variance)
    terms: Vec<(f64, f64, f64)>,
}

impl DiagGaussian {
    /// Means and variances (K x D, row-major).
    ///
    /// # Errors
    /// [`KernelError::Param`].
    pub fn new(states: usize, means: &[f64], variances: &[f64]) -> Result<Self> {
        if states == 0
            || means.is_empty()
            || !means.len().is_multiple_of(states)
            || means.len() != variances.len()
        {
            return Err(KernelError::Param(
                "means and vars must both be K x D with at least one feature",
            ));
        }
        if !means.iter().all(|m| m.is_finite()) || !variances.iter().all(|v| v.is_finite() && *v > 0.0) {
            return Err(KernelError::Param(
                "means must be finite, vars finite and positive",
            ));
        }
        let terms = means
            .iter()
            .zip(variances)
            .map(|(&m, &v)| (m, 0.5 / v, 0.5 * (LN_2PI + v.ln())))
            .collect();
        Ok(Self {
            features: means.len() / states,
            means: means.to_vec(),
            variances: variances.to_vec(),
            terms,
        })
    }

    /// Number of features.
    pub fn features(&self) -> usize {
        self.features
    }

    /// Log densities of one bar. A NaN feature is integrated out (its term is left out); all NaN gives 0.
    ///
    /// # Errors
    /// [`KernelError::Length`], or [`KernelError::Row`] (with `row`) for an infinite feature.
    pub fn log_density(&self, row: usize, x: &[f64], log_b: &mut [f64]) -> Result<()> {
        usable(row, self.features, x)?;
        same_len(self.terms.len() / self.features, log_b.len())?;
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

/// What a filter needs of its emissions.
pub trait Emission: Sized {
    /// Name of the filter's snapshots.
    const TAG: &'static str;
    /// Number of features.
    fn features(&self) -> usize;
    /// Number of states.
    fn states(&self) -> usize;
    /// Log densities of one bar. A NaN feature is integrated out; all NaN gives 0.
    ///
    /// # Errors
    /// [`KernelError::Length`], or [`KernelError::Row`] (with `row`) for an infinite feature.
    fn log_density(&self, row: usize, x: &[f64], log_b: &mut [f64]) -> Result<()>;
    /// Append the parameters.
    fn write(&self, w: Writer) -> Writer;
    /// Read them back.
    ///
    /// # Errors
    /// [`KernelError`] when they are none.
    fn read(r: &mut Reader<'_>, states: usize, features: usize) -> Result<Self>;
}

impl Emission for DiagGaussian {
    const TAG: &'static str = "HmmFilter";
    fn features(&self) -> usize {
        self.features
    }
    fn states(&self) -> usize {
        self.means.len() / self.features
    }
    fn log_density(&self, row: usize, x: &[f64], log_b: &mut [f64]) -> Result<()> {
        DiagGaussian::log_density(self, row, x, log_b)
    }
    fn write(&self, w: Writer) -> Writer {
        w.f64s(&self.means).f64s(&self.variances)
    }
    fn read(r: &mut Reader<'_>, states: usize, features: usize) -> Result<Self> {
        let (means, variances) = (r.f64s(states * features)?, r.f64s(states * features)?);
        Self::new(states, &means, &variances)
    }
}

/// Check a bar's features before their densities.
///
/// # Errors
/// [`KernelError`].
pub(crate) fn usable(row: usize, features: usize, x: &[f64]) -> Result<()> {
    same_len(features, x.len())?;
    if x.iter().any(|v| v.is_infinite()) {
        return Err(KernelError::Row {
            row,
            what: OBSERVATION,
        });
    }
    Ok(())
}

/// Streaming filter of a hidden Markov model: O(K D + K^2) per bar, memory O(K).
#[derive(Clone, Debug, PartialEq)]
pub struct Filter<E> {
    chain: Chain,
    emission: E,
    alpha: Vec<f64>,
    next: Vec<f64>,
    log_b: Vec<f64>,
    log_likelihood: f64,
    bars: u64,
}

/// Filter with diagonal Gaussian emissions.
pub type HmmFilter = Filter<DiagGaussian>;

impl<E: Emission> Filter<E> {
    /// A filter before its first bar.
    pub fn new(chain: Chain, emission: E) -> Self {
        let k = chain.states();
        let zeros = vec![0.0; k];
        let (alpha, next, log_b) = (zeros.clone(), zeros.clone(), zeros);
        Self {
            chain,
            emission,
            alpha,
            next,
            log_b,
            log_likelihood: 0.0,
            bars: 0,
        }
    }

    /// Take one bar; the filtered state probabilities.
    ///
    /// # Errors
    /// [`KernelError`]; the filter is left as it was.
    pub fn update(&mut self, x: &[f64]) -> Result<&[f64]> {
        let row = self.bars as usize;
        self.emission.log_density(row, x, &mut self.log_b)?;
        let before = (self.bars > 0).then_some(self.alpha.as_slice());
        self.log_likelihood += self.chain.step(row, before, &mut self.log_b, &mut self.next)?;
        core::mem::swap(&mut self.alpha, &mut self.next);
        self.bars += 1;
        Ok(&self.alpha)
    }

    /// Take all bars of `x` (T x D); their filtered probabilities go to `alpha` (T x K).
    ///
    /// # Errors
    /// [`KernelError`]; the bars before the refused one have been taken.
    pub fn run(&mut self, x: &[f64], alpha: &mut [f64]) -> Result<()> {
        let (k, d) = self.shape();
        same_len(x.len() / d * k, alpha.len())?;
        same_len(x.len() / d * d, x.len())?;
        for (x, out) in x.chunks(d).zip(alpha.chunks_mut(k)) {
            out.copy_from_slice(self.update(x)?);
        }
        Ok(())
    }

    /// Filtered probabilities after the last bar; empty before the first.
    pub fn alpha(&self) -> &[f64] {
        if self.bars > 0 {
            &self.alpha
        } else {
            &[]
        }
    }

    /// Log-likelihood of all bars so far.
    pub fn log_likelihood(&self) -> f64 {
        self.log_likelihood
    }

    /// Bars taken.
    pub fn bars(&self) -> u64 {
        self.bars
    }

    /// Number of states and of features.
    pub fn shape(&self) -> (usize, usize) {
        (self.chain.states(), self.emission.features())
    }

    /// Model and state as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        let (k, d) = self.shape();
        let w = Writer::new(E::TAG).u64(k as u64).u64(d as u64).u64(self.bars);
        let w = w.f64s(&self.chain.start).f64s(&self.chain.into);
        self.emission
            .write(w)
            .f64s(&[self.log_likelihood])
            .f64s(&self.alpha)
            .done()
    }

    /// Model and state from bytes.
    ///
    /// # Errors
    /// [`KernelError::Snapshot`] when the bytes are not of this kernel, [`KernelError::Param`] when the
    /// model in them is none.
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, E::TAG)?;
        let (k, d, bars) = (r.size()?, r.size()?, r.u64()?);
        if k == 0 || d == 0 || k.max(d) > bytes.len() {
            return Err(KernelError::Snapshot("truncated"));
        }
        let (start, into) = (r.f64s(k)?, r.f64s(k * k)?);
        let transitions: Vec<f64> = (0..k * k).map(|i| into[(i % k) * k + i / k]).collect();
        let emission = E::read(&mut r, k, d)?;
        let mut me = Self::new(Chain::new(&start, &transitions)?, emission);
        me.log_likelihood = r.f64()?;
        me.alpha = r.f64s(k)?;
        me.bars = bars;
        r.end()?;
        if me.log_likelihood.is_nan() || (bars > 0 && !is_distribution(&me.alpha)) {
            return Err(KernelError::Snapshot("its probabilities are none"));
        }
        Ok(me)
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
            emission.log_density(0, &[*x], row).unwrap();
        }
        let mut alpha = vec![0.0; 12];
        let total = hmm_forward_filter(&chain, &log_b, &mut alpha).unwrap();
        let mut f = HmmFilter::new(chain.clone(), emission.clone());
        for (t, x) in xs.iter().enumerate() {
            let mut g = HmmFilter::restore(&f.snapshot()).unwrap();
            assert_eq!(f.update(&[*x]).unwrap(), &alpha[2 * t..2 * t + 2]);
            g.update(&[*x]).unwrap();
            assert_eq!(f.snapshot(), g.snapshot());
        }
        assert_eq!(total, f.log_likelihood());
        assert!(total.is_finite());
    }

    #[test]
    fn refuses_nonsense_and_stays_as_it_was() {
        assert!(Chain::new(&[0.5, 0.6], &[1.0, 0.0, 0.0, 1.0]).is_err());
        assert!(Chain::new(&[1.0], &[1.0, 0.0]).is_err());
        assert!(Chain::new(&[], &[]).is_err());
        assert!(DiagGaussian::new(1, &[0.0], &[0.0]).is_err());
        let (chain, emission) = model();
        let mut f = HmmFilter::new(chain.clone(), emission);
        f.update(&[0.0]).unwrap();
        let kept = f.snapshot();
        assert_eq!(
            f.update(&[f64::INFINITY]),
            Err(KernelError::Row {
                row: 1,
                what: OBSERVATION
            })
        );
        assert_eq!(
            f.update(&[0.0, 1.0]),
            Err(KernelError::Length {
                expected: 1,
                found: 2
            })
        );
        assert_eq!(
            f.update(&[1e200]),
            Err(KernelError::Row {
                row: 1,
                what: IMPOSSIBLE
            })
        );
        assert_eq!(f.snapshot(), kept);
        let never = [f64::NEG_INFINITY; 2];
        assert_eq!(
            hmm_forward_filter(&chain, &never, &mut [0.0; 2]),
            Err(KernelError::Row {
                row: 0,
                what: IMPOSSIBLE
            })
        );
    }
}
