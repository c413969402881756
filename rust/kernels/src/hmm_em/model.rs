//! Parameters of a model and the prior that pulls on them.

use crate::error::{KernelError, Result};

/// Sizes of a model and the form of its emissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// States K.
    pub states: usize,
    /// Features D.
    pub features: usize,
    /// Full covariances (D x D per state) instead of diagonal ones (D).
    pub full: bool,
    /// Multivariate t emissions instead of Gaussian ones.
    pub student: bool,
}

impl Shape {
    /// Numbers that one state's covariance has.
    pub fn spread(&self) -> usize {
        if self.full {
            self.features * self.features
        } else {
            self.features
        }
    }

    /// Where variance `i` of a state's covariance stands.
    pub(super) fn diagonal(&self, i: usize) -> usize {
        if self.full {
            i * self.features + i
        } else {
            i
        }
    }
}

/// A model: everything row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Distribution of the first state, K.
    pub start: Vec<f64>,
    /// Transition probabilities, K x K, rows sum to 1.
    pub transitions: Vec<f64>,
    /// Means, K x D.
    pub means: Vec<f64>,
    /// Covariances (t: squared scales), K x D or K x D x D.
    pub covariances: Vec<f64>,
    /// Degrees of freedom of t emissions, K; empty for Gaussian ones.
    pub dof: Vec<f64>,
}

impl Model {
    pub(super) fn check(&self, shape: &Shape) -> Result<()> {
        let (k, d) = (shape.states, shape.features);
        let sizes = [
            (self.start.len(), k),
            (self.transitions.len(), k * k),
            (self.means.len(), k * d),
            (self.covariances.len(), k * shape.spread()),
            (self.dof.len(), if shape.student { k } else { 0 }),
        ];
        if let Some(&(found, expected)) = sizes.iter().find(|(found, expected)| found != expected) {
            return Err(KernelError::Length { expected, found });
        }
        let distribution =
            |p: &[f64]| p.iter().all(|&x| x >= 0.0) && (p.iter().sum::<f64>() - 1.0).abs() <= 1e-6;
        if !distribution(&self.start) || !self.transitions.chunks(k).all(distribution) {
            return Err(KernelError::Param(
                "pi and the rows of P must be non-negative and sum to 1 within 1e-6",
            ));
        }
        if !self.means.iter().chain(&self.covariances).all(|v| v.is_finite()) {
            return Err(KernelError::Param("means and covariances must be finite"));
        }
        let positive = |c: &[f64]| (0..d).all(|i| c[shape.diagonal(i)] > 0.0);
        if !self.covariances.chunks(shape.spread()).all(positive) {
            return Err(KernelError::Param("variances must be positive"));
        }
        if !self.dof.iter().all(|&v| v.is_finite() && v > 0.0) {
            return Err(KernelError::Param(
                "degrees of freedom must be finite and positive",
            ));
        }
        Ok(())
    }
}

/// Conjugate prior, in pseudo-observations; all zeros for none.
///
/// Its log density is, up to a constant, `Σ start ln π + Σ moves ln P - ½ Σ_k (weight ln|V| + tr(V⁻¹ scatter)
/// + mean_weight (m - m0)' V⁻¹ (m - m0))`.
#[derive(Debug, Clone, PartialEq)]
pub struct Prior {
    /// Counts of the first state, K.
    pub start: Vec<f64>,
    /// Counts of transitions, K x K.
    pub moves: Vec<f64>,
    /// Bars that the means below are worth.
    pub mean_weight: f64,
    /// Means, K x D.
    pub means: Vec<f64>,
    /// Bars that the scatter below is worth.
    pub weight: f64,
    /// Scatter (a covariance times `weight`), K x D or K x D x D.
    pub scatter: Vec<f64>,
}

impl Prior {
    /// A prior that says nothing.
    pub fn none(shape: &Shape) -> Self {
        let (k, d) = (shape.states, shape.features);
        Self {
            start: vec![0.0; k],
            moves: vec![0.0; k * k],
            mean_weight: 0.0,
            means: vec![0.0; k * d],
            weight: 0.0,
            scatter: vec![0.0; k * shape.spread()],
        }
    }

    pub(super) fn check(&self, shape: &Shape) -> Result<()> {
        let (k, d) = (shape.states, shape.features);
        let sizes = [
            (self.start.len(), k),
            (self.moves.len(), k * k),
            (self.means.len(), k * d),
            (self.scatter.len(), k * shape.spread()),
        ];
        if let Some(&(found, expected)) = sizes.iter().find(|(found, expected)| found != expected) {
            return Err(KernelError::Length { expected, found });
        }
        let counts = self
            .start
            .iter()
            .chain(&self.moves)
            .chain([&self.mean_weight, &self.weight]);
        let sound = counts.copied().all(|c| c.is_finite() && c >= 0.0)
            && self.means.iter().chain(&self.scatter).all(|v| v.is_finite())
            && self
                .scatter
                .chunks(shape.spread())
                .all(|s| (0..d).all(|i| s[shape.diagonal(i)] >= 0.0));
        if !sound {
            return Err(KernelError::Param(
                "a prior's counts and variances must be finite and not negative",
            ));
        }
        Ok(())
    }

    /// Log density of a model, up to a constant; minus infinity where a covariance is not positive definite.
    pub(super) fn log_density(&self, shape: &Shape, model: &Model) -> f64 {
        let log = |&(count, p): &(f64, f64)| if count > 0.0 { count * p.ln() } else { 0.0 };
        let pairs = |counts: &[f64], p: &[f64]| -> f64 {
            counts
                .iter()
                .copied()
                .zip(p.iter().copied())
                .map(|c| log(&c))
                .sum()
        };
        let mut total = pairs(&self.start, &model.start) + pairs(&self.moves, &model.transitions);
        if self.weight == 0.0 && self.mean_weight == 0.0 && self.scatter.iter().all(|&s| s == 0.0) {
            return total;
        }
        let (d, size) = (shape.features, shape.spread());
        for k in 0..shape.states {
            let pull: Vec<f64> = (0..d)
                .map(|i| model.means[k * d + i] - self.means[k * d + i])
                .collect();
            let v = &model.covariances[k * size..(k + 1) * size];
            let s = &self.scatter[k * size..(k + 1) * size];
            if !shape.full {
                for i in 0..d {
                    let force = s[i] + self.mean_weight * pull[i] * pull[i];
                    total -= 0.5 * (self.weight * v[i].ln() + force / v[i]);
                }
                continue;
            }
            let Some(w) = inverse_root(v, d) else {
                return f64::NEG_INFINITY;
            };
            for i in 0..d {
                let row = &w[i * d..i * d + i + 1];
                total += self.weight * row[i].ln();
                let (mut along, mut force) = (0.0, 0.0);
                for (a, wa) in row.iter().enumerate() {
                    along += wa * pull[a];
                    for (b, wb) in row.iter().enumerate() {
                        force += wa * wb * s[a * d + b];
                    }
                }
                total -= 0.5 * (force + self.mean_weight * along * along);
            }
        }
        total
    }
}

/// Lower triangular `W` with `W V W' = 1` (the inverse of Cholesky's factor), or `None`.
pub(super) fn inverse_root(v: &[f64], d: usize) -> Option<Vec<f64>> {
    let mut root = vec![0.0; d * d];
    for i in 0..d {
        for j in 0..=i {
            let mut sum = v[i * d + j];
            for a in 0..j {
                sum -= root[i * d + a] * root[j * d + a];
            }
            if i == j {
                if sum.is_nan() || sum <= 0.0 {
                    return None;
                }
                root[i * d + i] = sum.sqrt();
            } else {
                root[i * d + j] = sum / root[j * d + j];
            }
        }
    }
    let mut w = vec![0.0; d * d];
    for i in 0..d {
        w[i * d + i] = 1.0 / root[i * d + i];
        for j in 0..i {
            let mut sum = 0.0;
            for a in j..i {
                sum += root[i * d + a] * w[a * d + j];
            }
            w[i * d + j] = -sum / root[i * d + i];
        }
    }
    Some(w)
}
