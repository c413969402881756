//! Smoother and most likely path of a hidden Markov model: both see the whole series, so neither may be used live.
//!
//! Smoother: `γ_T = α_T`, `γ_t(i) = α_t(i) Σ_j P_ij γ_{t+1}(j) / (α_t P)_j`, from the filtered `α`. Viterbi:
//! `δ_1 = ln π + ln b_1`, `δ_t(j) = max_i (δ_{t-1}(i) + ln P_ij) + ln b_t(j)`, ties to the lower index.

use crate::error::{same_len, KernelError, Result};
use crate::hmm::{hmm_forward_filter, Chain};

/// Smoothed probabilities of a series of log densities (T x K) into `gamma` (T x K); returns the log-likelihood.
///
/// # Errors
/// As [`hmm_forward_filter`].
pub fn hmm_smooth(chain: &Chain, log_b: &[f64], gamma: &mut [f64]) -> Result<f64> {
    let total = hmm_forward_filter(chain, log_b, gamma)?;
    let k = chain.states();
    let mut share = vec![0.0; k];
    for at in (k..gamma.len()).step_by(k).rev() {
        let (past, future) = gamma.split_at_mut(at);
        let (now, next) = (&mut past[at - k..], &future[..k]);
        for ((s, into), g) in share.iter_mut().zip(chain.into.chunks(k)).zip(next) {
            let ahead = into.iter().zip(now.iter()).fold(0.0, |sum, (&p, &a)| sum + a * p);
            *s = if ahead > 0.0 { g / ahead } else { 0.0 };
        }
        for (i, a) in now.iter_mut().enumerate() {
            let back = (0..k).fold(0.0, |sum, j| sum + chain.into[j * k + i] * share[j]);
            *a *= back;
        }
    }
    Ok(total)
}

/// Most likely states of a series of log densities (T x K) into `states` (T); returns the log probability of the path.
///
/// A row of NaN is a missing bar (density 1).
///
/// # Errors
/// [`KernelError::Length`] for wrong shapes, [`KernelError::Row`] for an unusable row.
pub fn hmm_viterbi(chain: &Chain, log_b: &[f64], states: &mut [i64]) -> Result<f64> {
    let k = chain.states();
    same_len(log_b.len() / k * k, log_b.len())?;
    same_len(log_b.len() / k, states.len())?;
    if states.is_empty() {
        return Ok(0.0);
    }
    let into: Vec<f64> = chain.into.iter().map(|p| p.ln()).collect();
    let mut best: Vec<f64> = chain.start.iter().map(|p| p.ln()).collect();
    let mut next = vec![0.0; k];
    let mut from = vec![0u32; log_b.len()];
    for (t, row) in log_b.chunks(k).enumerate() {
        let missing = row.iter().all(|x| x.is_nan());
        if t > 0 {
            for (j, slot) in next.iter_mut().enumerate() {
                let (mut top, mut at) = (f64::NEG_INFINITY, 0);
                for (i, (&d, &p)) in best.iter().zip(&into[j * k..(j + 1) * k]).enumerate() {
                    if d + p > top {
                        (top, at) = (d + p, i);
                    }
                }
                *slot = top;
                from[t * k + j] = at as u32;
            }
            core::mem::swap(&mut best, &mut next);
        }
        if !missing {
            if row.iter().any(|x| x.is_nan() || *x == f64::INFINITY) {
                return Err(KernelError::Row {
                    row: t,
                    what: "a log density is +inf or partly NaN",
                });
            }
            best.iter_mut().zip(row).for_each(|(d, b)| *d += b);
        }
        if best.iter().all(|&d| d == f64::NEG_INFINITY) {
            return Err(KernelError::Row {
                row: t,
                what: "no state that can be reached allows this observation",
            });
        }
    }
    let mut at = 0;
    for (i, &d) in best.iter().enumerate() {
        if d > best[at] {
            at = i;
        }
    }
    let total = best[at];
    for t in (0..states.len()).rev() {
        states[t] = at as i64;
        at = from[t * k + at] as usize;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every path of a short series, one by one.
    #[test]
    fn both_equal_enumeration() {
        let (start, p) = ([0.6, 0.4], [0.9, 0.1, 0.3, 0.7]);
        let chain = Chain::new(&start, &p).unwrap();
        let b: [f64; 10] = [0.5, 0.2, 0.1, 0.9, 0.4, 0.45, 0.05, 0.6, 0.7, 0.3];
        let log_b: Vec<f64> = b.iter().map(|x| x.ln()).collect();
        let (mut whole, mut first, mut best, mut best_path) = (0.0, [0.0; 5], 0.0, 0);
        for path in 0..32usize {
            let s = |t: usize| (path >> t) & 1;
            let mut prob = start[s(0)] * b[s(0)];
            for t in 1..5 {
                prob *= p[s(t - 1) * 2 + s(t)] * b[2 * t + s(t)];
            }
            whole += prob;
            (0..5).filter(|&t| s(t) == 0).for_each(|t| first[t] += prob);
            if prob > best {
                (best, best_path) = (prob, path);
            }
        }
        let mut gamma = [0.0; 10];
        let total = hmm_smooth(&chain, &log_b, &mut gamma).unwrap();
        assert!((total - f64::ln(whole)).abs() < 1e-14);
        for t in 0..5 {
            assert!((gamma[2 * t] - first[t] / whole).abs() < 1e-14);
        }
        let mut states = [0; 5];
        let total = hmm_viterbi(&chain, &log_b, &mut states).unwrap();
        assert!((total - f64::ln(best)).abs() < 1e-13);
        assert_eq!(
            states.map(|s| s as usize),
            core::array::from_fn(|t| (best_path >> t) & 1)
        );
    }
}
