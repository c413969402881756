//! The E-step: densities, the two recursions, and the sums that the M-step needs.
//!
//! `a_t = (a_{t-1} P) ∘ b_t s_t` with `s_t` the power of two that brings the sum of `a_{t-1}` near 1; `b_t` is relative
//! to the largest density of its bar. `z_{t-1} = P (b_t s_t ∘ z_t)`, `z_T = 1`. Then `Σ_k a_t(k) z_t(k)` is the same at
//! every bar, and dividing by it gives every responsibility.

use super::emission::{run, total, Block, Densities, Emission, Gather};
use super::model::{Model, Shape};
use crate::simd::{Job, F4};
use crate::special::exp_below;

/// Bars worked on at a time.
pub(super) const BLOCK: usize = 256;
/// A sum below this within one bar has lost digits: do it with care.
const FAINT: f64 = 1e-250;

/// What the M-step needs: sums over bars, emissions about the old means.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    pub first_bar: Vec<f64>,
    pub moves: Vec<f64>,
    pub mass: Vec<f64>,
    pub weight: Vec<f64>,
    pub first: Vec<f64>,
    pub second: Vec<f64>,
    pub dof_term: f64,
}

impl Sums {
    fn clear(&mut self) {
        for part in [
            &mut self.first_bar,
            &mut self.moves,
            &mut self.mass,
            &mut self.weight,
            &mut self.first,
            &mut self.second,
        ] {
            part.fill(0.0);
        }
        self.dof_term = 0.0;
    }
}

/// Buffers of one worker.
pub(super) struct Workspace {
    shape: Shape,
    bars: usize,
    /// `a_t`, K x T.
    a: Vec<f64>,
    /// Log densities, then densities times scale, K x T.
    b: Vec<f64>,
    pub sums: Sums,
}

impl Workspace {
    pub(super) fn new(shape: &Shape, bars: usize) -> Self {
        let (k, d) = (shape.states, shape.features);
        Self {
            shape: *shape,
            bars,
            a: vec![0.0; k * bars],
            b: vec![0.0; k * bars],
            sums: Sums {
                first_bar: vec![0.0; k],
                moves: vec![0.0; k * k],
                mass: vec![0.0; k],
                weight: vec![0.0; k],
                first: vec![0.0; k * d],
                second: vec![0.0; k * shape.spread()],
                dof_term: 0.0,
            },
        }
    }

    /// Log-likelihood of `model`, and its sums when `gather` is set; `None` if it cannot be worked out.
    pub(super) fn expect(
        &mut self,
        columns: &[f64],
        model: &Model,
        gather: bool,
        fit_dof: bool,
    ) -> Option<f64> {
        let emission = Emission::new(&self.shape, model)?;
        let top = self.densities(columns, &emission);
        macro_rules! by_states {
            ($($k:literal)+) => {
                match self.shape.states {
                    $($k => self.recursions::<$k>(columns, model, &emission, top, gather, fit_dof),)+
                    _ => None,
                }
            };
        }
        by_states!(1 2 3 4 5 6 7 8)
    }

    /// Fill `b` with densities relative to the largest of each bar; the sum of those largest logarithms.
    fn densities(&mut self, columns: &[f64], emission: &Emission) -> f64 {
        let mut sum = 0.0;
        for at in (0..self.bars).step_by(BLOCK) {
            let len = BLOCK.min(self.bars - at);
            self.log_densities(columns, emission, at, len);
            run(Relative {
                b: &mut self.b,
                bars: self.bars,
                at,
                len,
                sum: &mut sum,
            });
        }
        sum
    }

    fn log_densities(&mut self, columns: &[f64], emission: &Emission, at: usize, len: usize) {
        for state in 0..self.shape.states {
            let from = state * self.bars + at;
            run(Densities {
                shape: &self.shape,
                emission,
                state,
                block: Block {
                    columns,
                    bars: self.bars,
                    at,
                    len,
                },
                out: &mut self.b[from..from + len],
            });
        }
    }

    fn recursions<const K: usize>(
        &mut self,
        columns: &[f64],
        model: &Model,
        emission: &Emission,
        top: f64,
        gather: bool,
        fit_dof: bool,
    ) -> Option<f64> {
        let start: [f64; K] = model.start.as_slice().try_into().ok()?;
        let mut p = [[0.0; K]; K];
        for (row, from) in p.iter_mut().zip(model.transitions.chunks(K)) {
            row.copy_from_slice(from);
        }
        let mut careful = false;
        let log_likelihood = match forward(&start, &p, &mut self.a, &mut self.b, self.bars) {
            Some(found) => found + top,
            None => {
                careful = true;
                for at in (0..self.bars).step_by(BLOCK) {
                    self.log_densities(columns, emission, at, BLOCK.min(self.bars - at));
                }
                forward_with_care(&start, &p, &mut self.a, &mut self.b, self.bars)?
            }
        };
        if gather && !self.backward(columns, emission, &p, careful, fit_dof) {
            return None;
        }
        Some(log_likelihood)
    }

    /// Run backwards block by block and add up; whether every number was finite.
    fn backward<const K: usize>(
        &mut self,
        columns: &[f64],
        emission: &Emission,
        p: &[[f64; K]; K],
        careful: bool,
        fit_dof: bool,
    ) -> bool {
        let bars = self.bars;
        self.sums.clear();
        let whole: f64 = (0..K).fold(0.0, |s, k| s + self.a[k * bars + bars - 1]);
        let per = 1.0 / whole;
        let mut z = [1.0; K];
        let mut gamma = [[0.0; BLOCK]; K];
        let mut v = [[0.0; BLOCK]; K];
        let blocks = bars.div_ceil(BLOCK);
        for at in (0..blocks).rev().map(|i| i * BLOCK) {
            let len = BLOCK.min(bars - at);
            for i in (0..len).rev() {
                for k in 0..K {
                    gamma[k][i] = z[k];
                    v[k][i] = self.b[k * bars + at + i] * z[k];
                }
                for (k, row) in p.iter().enumerate() {
                    z[k] = (0..K).fold(0.0, |s, j| s + row[j] * v[j][i]);
                }
                if careful {
                    // a state that cannot be there may explain the future beyond all measure
                    z = z.map(|x| x.min(1e290));
                }
            }
            for (k, gamma) in gamma.iter_mut().enumerate() {
                run(Responsibilities {
                    gamma: &mut gamma[..len],
                    a: &self.a[k * bars + at..][..len],
                    per,
                });
                run(Gather {
                    shape: &self.shape,
                    emission,
                    state: k,
                    block: Block {
                        columns,
                        bars,
                        at,
                        len,
                    },
                    gamma,
                    fit_dof,
                    sums: &mut self.sums,
                });
            }
            // the first bar follows no other
            let skip = usize::from(at == 0);
            for i in 0..K {
                let before = &self.a[i * bars + at + skip - 1..][..len - skip];
                for (j, v) in v.iter().enumerate() {
                    run(Products {
                        a: before,
                        v: &v[skip..len],
                        sum: &mut self.sums.moves[i * K + j],
                    });
                }
            }
        }
        for i in 0..K {
            self.sums.first_bar[i] = gamma[i][0];
            for (j, pij) in p[i].iter().enumerate() {
                self.sums.moves[i * K + j] *= pij * per;
            }
        }
        let sums = &self.sums;
        sums.mass
            .iter()
            .chain(&sums.moves)
            .chain(&sums.second)
            .all(|s| s.is_finite())
    }
}

/// Turns a block of log densities into densities relative to the largest of each bar.
struct Relative<'a> {
    b: &'a mut [f64],
    bars: usize,
    at: usize,
    len: usize,
    sum: &'a mut f64,
}

impl Job for Relative<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        let mut top = [f64::NEG_INFINITY; BLOCK];
        let states = self.b.len() / self.bars;
        for k in 0..states {
            let row = &self.b[k * self.bars + self.at..][..self.len];
            for (t, &lb) in top.iter_mut().zip(row) {
                *t = if lb > *t { lb } else { *t };
            }
        }
        for k in 0..states {
            let row = &mut self.b[k * self.bars + self.at..][..self.len];
            for (lb, t) in row.iter_mut().zip(&top) {
                *lb = exp_below(*lb - t);
            }
        }
        *self.sum += total(self.len, |i| top[i]);
    }
}

/// `gamma` holds `z` and becomes `z a / whole`.
struct Responsibilities<'a> {
    gamma: &'a mut [f64],
    a: &'a [f64],
    per: f64,
}

impl Job for Responsibilities<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        for (g, a) in self.gamma.iter_mut().zip(self.a) {
            *g = *g * a * self.per;
        }
    }
}

struct Products<'a> {
    a: &'a [f64],
    v: &'a [f64],
    sum: &'a mut f64,
}

impl Job for Products<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        *self.sum += total(self.v.len(), |i| self.a[i] * self.v[i]);
    }
}

/// Run forwards; log-likelihood relative to the largest densities, or `None` where digits were lost.
fn forward<const K: usize>(
    start: &[f64; K],
    p: &[[f64; K]; K],
    a: &mut [f64],
    b: &mut [f64],
    bars: usize,
) -> Option<f64> {
    let mut now = [0.0; K];
    for k in 0..K {
        now[k] = start[k] * b[k * bars];
        a[k * bars] = now[k];
    }
    let mut sum = now.iter().fold(0.0, |s, x| s + x);
    let mut least = sum;
    let mut powers = 0i64;
    for t in 1..bars {
        // 2^-e of the sum: exact, and ready before the product below is
        let e = (sum.to_bits() >> 52) as i64;
        powers += e - 1023;
        let scale = f64::from_bits(((2046 - e) as u64) << 52);
        let mut next = [0.0; K];
        for j in 0..K {
            let into = (0..K).fold(0.0, |s, i| s + now[i] * p[i][j]);
            let dense = b[j * bars + t] * scale;
            b[j * bars + t] = dense;
            next[j] = into * dense;
            a[j * bars + t] = next[j];
        }
        now = next;
        sum = now.iter().fold(0.0, |s, x| s + x);
        least = if sum < least { sum } else { least };
    }
    // NaN fails the comparison too
    (least > FAINT).then(|| sum.ln() + powers as f64 * core::f64::consts::LN_2)
}

/// Run forwards over log densities `b`, each bar relative to the best of the states that can be reached.
fn forward_with_care<const K: usize>(
    start: &[f64; K],
    p: &[[f64; K]; K],
    a: &mut [f64],
    b: &mut [f64],
    bars: usize,
) -> Option<f64> {
    let mut before = *start;
    let mut total = 0.0;
    for t in 0..bars {
        let mut prior = before;
        if t > 0 {
            for (j, u) in prior.iter_mut().enumerate() {
                *u = (0..K).fold(0.0, |s, i| s + before[i] * p[i][j]);
            }
        }
        let mut top = f64::NEG_INFINITY;
        for j in 0..K {
            let lb = b[j * bars + t];
            if prior[j] > 0.0 && lb > top {
                top = lb;
            }
        }
        if !top.is_finite() {
            return None;
        }
        let mut sum = 0.0;
        for j in 0..K {
            let dense = if prior[j] > 0.0 {
                exp_below((b[j * bars + t] - top).min(0.0))
            } else {
                0.0
            };
            b[j * bars + t] = dense;
            before[j] = prior[j] * dense;
            sum += before[j];
        }
        if !(sum > 0.0 && sum.is_finite()) {
            return None;
        }
        total += top + sum.ln();
        for j in 0..K {
            // what is left of an impossible state would only overflow on the way back
            before[j] = if before[j] / sum > 1e-280 {
                before[j] / sum
            } else {
                0.0
            };
            a[j * bars + t] = before[j];
            b[j * bars + t] /= sum;
        }
    }
    total.is_finite().then_some(total)
}
