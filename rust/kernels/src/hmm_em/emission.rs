//! Emissions of one state over a block of bars: log densities before, weighted sums after the recursions.

use super::model::{inverse_root, Model, Shape};
use super::passes::{Sums, BLOCK};
use crate::simd::{dispatch, Job, F4};
use crate::special::{ln_above_one, ln_gamma};

const LN_2PI: f64 = 1.837_877_066_409_345_3;

/// Constants of all states.
#[derive(Debug, Clone, Default)]
pub(super) struct Emission {
    means: Vec<f64>,
    // diagonal: 1 / variance, K x D; full: the inverse root, K x D x D
    form: Vec<f64>,
    norm: Vec<f64>,
    dof: Vec<f64>,
}

impl Emission {
    /// Constants of a model; `None` if a covariance is not positive definite.
    pub(super) fn new(shape: &Shape, model: &Model) -> Option<Self> {
        let (d, size) = (shape.features, shape.spread());
        let mut out = Self {
            means: model.means.clone(),
            dof: model.dof.clone(),
            ..Self::default()
        };
        for (k, v) in model.covariances.chunks(size).enumerate() {
            let mut half_log_det = 0.0;
            if shape.full {
                let w = inverse_root(v, d)?;
                half_log_det -= (0..d).map(|i| w[i * d + i].ln()).sum::<f64>();
                out.form.extend(w);
            } else {
                if !v.iter().all(|&v| v > 0.0) {
                    return None;
                }
                half_log_det += 0.5 * v.iter().map(|v| v.ln()).sum::<f64>();
                out.form.extend(v.iter().map(|v| 1.0 / v));
            }
            let dims = d as f64;
            let norm = match out.dof.get(k) {
                None => -0.5 * dims * LN_2PI,
                Some(&nu) => {
                    ln_gamma(0.5 * (nu + dims))
                        - ln_gamma(0.5 * nu)
                        - 0.5 * dims * (nu * core::f64::consts::PI).ln()
                }
            };
            out.norm.push(norm - half_log_det);
        }
        Some(out)
    }
}

/// A block of bars of all features: `len` values from `at` on in each column of `bars`.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    pub columns: &'a [f64],
    pub bars: usize,
    pub at: usize,
    pub len: usize,
}

impl Block<'_> {
    #[inline(always)]
    fn feature(&self, j: usize) -> &[f64] {
        &self.columns[j * self.bars + self.at..j * self.bars + self.at + self.len]
    }
}

/// Squared Mahalanobis distance of every bar to a state.
#[inline(always)]
fn distances(shape: &Shape, e: &Emission, k: usize, block: &Block<'_>, q: &mut [f64; BLOCK]) {
    let (d, size) = (shape.features, shape.spread());
    let (means, form) = (&e.means[k * d..(k + 1) * d], &e.form[k * size..(k + 1) * size]);
    q[..block.len].fill(0.0);
    if !shape.full {
        for j in 0..d {
            let (m, p) = (means[j], form[j]);
            for (q, x) in q.iter_mut().zip(block.feature(j)) {
                let z = x - m;
                *q += z * z * p;
            }
        }
        return;
    }
    let mut along = [0.0; BLOCK];
    for i in 0..d {
        along[..block.len].fill(0.0);
        for j in 0..=i {
            let (m, w) = (means[j], form[i * d + j]);
            for (a, x) in along.iter_mut().zip(block.feature(j)) {
                *a += w * (x - m);
            }
        }
        for (q, a) in q.iter_mut().zip(&along[..block.len]) {
            *q += a * a;
        }
    }
}

/// Log densities of a block in one state, written to `out`.
pub(super) struct Densities<'a> {
    pub shape: &'a Shape,
    pub emission: &'a Emission,
    pub state: usize,
    pub block: Block<'a>,
    pub out: &'a mut [f64],
}

impl Job for Densities<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        let mut q = [0.0; BLOCK];
        distances(self.shape, self.emission, self.state, &self.block, &mut q);
        let norm = self.emission.norm[self.state];
        if self.shape.student {
            let nu = self.emission.dof[self.state];
            let (per, power) = (1.0 / nu, 0.5 * (nu + self.shape.features as f64));
            for (out, q) in self.out.iter_mut().zip(&q) {
                *out = norm - power * ln_above_one(1.0 + q * per);
            }
        } else {
            for (out, q) in self.out.iter_mut().zip(&q) {
                *out = norm - 0.5 * q;
            }
        }
    }
}

/// Adds one state's share of a block, with responsibilities `gamma`, to the sums.
pub(super) struct Gather<'a> {
    pub shape: &'a Shape,
    pub emission: &'a Emission,
    pub state: usize,
    pub block: Block<'a>,
    pub gamma: &'a [f64],
    pub fit_dof: bool,
    pub sums: &'a mut Sums,
}

/// Sum of a block in eight running sums, added up in order.
#[inline(always)]
pub(super) fn total(n: usize, term: impl Fn(usize) -> f64) -> f64 {
    let mut lanes = [0.0; 8];
    let mut i = 0;
    while i + 8 <= n {
        for (l, lane) in lanes.iter_mut().enumerate() {
            *lane += term(i + l);
        }
        i += 8;
    }
    let mut sum = lanes.iter().fold(0.0, |s, l| s + l);
    while i < n {
        sum += term(i);
        i += 1;
    }
    sum
}

impl Job for Gather<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        let Self {
            shape,
            emission,
            state: k,
            block,
            gamma,
            sums,
            ..
        } = self;
        let (d, size, n) = (shape.features, shape.spread(), block.len);
        let g = &gamma[..n];
        let mut weighted = [0.0; BLOCK];
        weighted[..n].copy_from_slice(g);
        let mass = total(n, |i| g[i]);
        sums.mass[k] += mass;
        if shape.student {
            let mut q = [0.0; BLOCK];
            distances(shape, emission, k, &block, &mut q);
            let nu = emission.dof[k];
            let power = nu + d as f64;
            for (w, q) in weighted[..n].iter_mut().zip(&q) {
                *w *= power / (nu + q);
            }
            if self.fit_dof {
                let (log_power, log_nu, per) = (power.ln(), nu.ln(), 1.0 / nu);
                let mut term = [0.0; BLOCK];
                for (t, q) in term[..n].iter_mut().zip(&q) {
                    *t = log_power - log_nu - ln_above_one(1.0 + q * per);
                }
                sums.dof_term += total(n, |i| g[i] * term[i] - weighted[i]);
            }
        }
        let w = &weighted[..n];
        sums.weight[k] += if shape.student { total(n, |i| w[i]) } else { mass };
        let means = &emission.means[k * d..(k + 1) * d];
        for a in 0..d {
            let (xa, ma) = (block.feature(a), means[a]);
            sums.first[k * d + a] += total(n, |i| w[i] * (xa[i] - ma));
            if !shape.full {
                sums.second[k * size + a] += total(n, |i| {
                    let z = xa[i] - ma;
                    w[i] * (z * z)
                });
                continue;
            }
            for (b, &mb) in means.iter().enumerate().take(a + 1) {
                let xb = block.feature(b);
                sums.second[k * size + a * d + b] += total(n, |i| w[i] * ((xa[i] - ma) * (xb[i] - mb)));
            }
        }
    }
}

/// Run a job of this file.
pub(super) fn run<J: Job>(job: J) {
    dispatch(job);
}
