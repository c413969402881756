//! Baum and Welch's algorithm for a hidden Markov model, from several starts (Rabiner 1989; Peel and McLachlan 2000).
//!
//! Emissions are Gaussian with diagonal or full covariances, or multivariate t with a diagonal or full scale. Every
//! M-step is a maximum a posteriori one: a prior of weight 0 gives maximum likelihood. Densities, responsibilities and
//! sums run over blocks of 256 bars in lanes; the two recursions are plain and scaled by powers of two taken from the
//! bar before, so that no division and no logarithm lies on their way. A sequence that this cannot hold (a bar that no
//! reachable state explains within 1e-250) is done again with care (`passes::forward_with_care`).

mod emission;
mod model;
mod passes;
mod update;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use crate::error::{KernelError, Result};

pub use model::{Model, Prior, Shape};
use passes::Workspace;

/// Most states of a fit.
pub const MAX_STATES: usize = 8;
/// Figures per start: log-likelihood, objective, iterations, whether it converged.
pub const FIT_FIGURES: usize = 4;

/// What is fitted and when to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitRules {
    /// Updates at most.
    pub max_iterations: usize,
    /// Stop when an update gains less than this in the objective; minus infinity never stops.
    pub tolerance: f64,
    /// Whether the distribution of the first state is fitted.
    pub fit_start: bool,
    /// Whether the degrees of freedom, common to all states, are fitted (t emissions).
    pub fit_dof: bool,
    /// Floor of variances.
    pub min_variance: f64,
}

/// Fit `models` in place to `x` (T x D, row-major) on `threads` threads; figures of model i are `out[i]`.
///
/// A start whose likelihood cannot be worked out ends with NaN figures and does not disturb the others. The result
/// does not depend on the number of threads.
///
/// # Errors
/// [`KernelError`] for wrong shapes, an observation that is not finite or a model or prior out of range.
pub fn hmm_fit(
    x: &[f64],
    shape: Shape,
    models: &mut [Model],
    prior: &Prior,
    rules: &FitRules,
    threads: usize,
    out: &mut [[f64; FIT_FIGURES]],
) -> Result<()> {
    let d = shape.features;
    if d == 0 || shape.states == 0 || shape.states > MAX_STATES {
        return Err(KernelError::Param(
            "a fit needs 1 to 8 states and at least one feature",
        ));
    }
    if x.is_empty() || !x.len().is_multiple_of(d) {
        return Err(KernelError::Param("x must be T x D with at least one row"));
    }
    if let Some(bad) = x.iter().position(|v| !v.is_finite()) {
        return Err(KernelError::Row {
            row: bad / d,
            what: "an observation is not finite",
        });
    }
    if rules.min_variance.is_nan() || rules.min_variance <= 0.0 || rules.tolerance.is_nan() {
        return Err(KernelError::Param(
            "min_variance must be above 0 and tolerance a number",
        ));
    }
    if models.len() != out.len() {
        return Err(KernelError::Length {
            expected: models.len(),
            found: out.len(),
        });
    }
    prior.check(&shape)?;
    models.iter().try_for_each(|m| m.check(&shape))?;
    let bars = x.len() / d;
    let mut columns = vec![0.0; x.len()];
    for (t, row) in x.chunks(d).enumerate() {
        for (j, &v) in row.iter().enumerate() {
            columns[j * bars + t] = v;
        }
    }
    let workers = threads.clamp(1, models.len().max(1));
    let jobs: Vec<Mutex<(&mut Model, &mut [f64; FIT_FIGURES])>> =
        models.iter_mut().zip(out.iter_mut()).map(Mutex::new).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut space = Workspace::new(&shape, bars);
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            // nobody else takes this index, so the lock is free and never poisoned
            if let Ok(mut held) = job.lock() {
                let (model, figures) = &mut *held;
                **figures = climb(&columns, &shape, model, prior, rules, &mut space);
            }
        }
    };
    if workers == 1 {
        work();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(work);
            }
        });
    }
    Ok(())
}

fn climb(
    columns: &[f64],
    shape: &Shape,
    model: &mut Model,
    prior: &Prior,
    rules: &FitRules,
    space: &mut Workspace,
) -> [f64; FIT_FIGURES] {
    const LOST: [f64; FIT_FIGURES] = [f64::NAN; FIT_FIGURES];
    let mut before = f64::NEG_INFINITY;
    let mut done = 0;
    let mut converged = false;
    loop {
        let last = done == rules.max_iterations || converged;
        let Some(log_likelihood) = space.expect(columns, model, !last, rules.fit_dof) else {
            return LOST;
        };
        let objective = log_likelihood + prior.log_density(shape, model);
        if !objective.is_finite() {
            return LOST;
        }
        if last {
            return [log_likelihood, objective, done as f64, f64::from(converged)];
        }
        converged = done > 0 && objective - before < rules.tolerance;
        if converged {
            // the parameters are those that this likelihood belongs to
            return [log_likelihood, objective, done as f64, 1.0];
        }
        before = objective;
        update::maximise(shape, model, prior, rules, &space.sums);
        done += 1;
    }
}

#[cfg(test)]
mod tests;
