//! The M-step: parameters from sums about the old means, each pulled by the prior.

use super::model::{Model, Prior, Shape};
use super::passes::Sums;
use super::FitRules;
use crate::special::digamma;

fn normalised(counts: impl Iterator<Item = f64>, out: &mut [f64]) {
    let mut sum = 0.0;
    let mut any = false;
    let raw: Vec<f64> = counts.collect();
    for &c in &raw {
        sum += c;
        any |= c > 0.0;
    }
    // a state that was never left keeps its row
    if any && sum > 0.0 {
        for (o, c) in out.iter_mut().zip(raw) {
            *o = c / sum;
        }
    }
}

/// Replace the parameters by those that maximise the expected posterior.
pub(super) fn maximise(shape: &Shape, model: &mut Model, prior: &Prior, rules: &FitRules, sums: &Sums) {
    let (states, d, size) = (shape.states, shape.features, shape.spread());
    if rules.fit_start {
        let counts: Vec<f64> = prior
            .start
            .iter()
            .zip(&sums.first_bar)
            .map(|(p, s)| p + s)
            .collect();
        normalised(counts.into_iter(), &mut model.start);
    }
    for k in 0..states {
        let row = k * states..(k + 1) * states;
        let counts = prior.moves[row.clone()]
            .iter()
            .zip(&sums.moves[row.clone()])
            .map(|(p, s)| p + s);
        normalised(counts, &mut model.transitions[row]);
    }
    for k in 0..states {
        let (mass, weight) = (sums.mass[k], sums.weight[k]);
        let whole = prior.mean_weight + weight;
        let spread_mass = prior.weight + mass;
        if !(whole > 1e-8 && spread_mass > 1e-8) {
            continue; // a state without bars and without a prior keeps its emission
        }
        let mut shift = vec![0.0; d]; // new mean minus old
        let mut pull = vec![0.0; d]; // new mean minus the prior's
        for a in 0..d {
            let at = k * d + a;
            let to_prior = prior.means[at] - model.means[at];
            shift[a] = (prior.mean_weight * to_prior + sums.first[at]) / whole;
            pull[a] = shift[a] - to_prior;
            model.means[at] += shift[a];
        }
        for a in 0..d {
            for b in 0..=a {
                if !shape.full && a != b {
                    continue;
                }
                let at = k * size + if shape.full { a * d + b } else { a };
                let (fa, fb) = (sums.first[k * d + a], sums.first[k * d + b]);
                let about = sums.second[at] - fa * shift[b] - fb * shift[a] + weight * shift[a] * shift[b];
                let mut v = (prior.scatter[at] + prior.mean_weight * pull[a] * pull[b] + about) / spread_mass;
                if a == b {
                    v = v.max(rules.min_variance);
                }
                model.covariances[at] = v;
                if shape.full {
                    model.covariances[k * size + b * d + a] = v;
                }
            }
        }
    }
    if rules.fit_dof && shape.student {
        let old = model.dof[0];
        let bars: f64 = sums.mass.iter().sum();
        let half = 0.5 * (old + d as f64);
        let level = 1.0 + sums.dof_term / bars + digamma(half) - half.ln();
        model.dof.fill(dof_root(level));
    }
}

/// The root of `ln(v/2) - ψ(v/2) + level` in [2.1, 200], by bisection of the logarithm; the nearer end if there is none.
fn dof_root(level: f64) -> f64 {
    let value = |nu: f64| (0.5 * nu).ln() - digamma(0.5 * nu) + level; // falls with nu
    let (mut low, mut high) = (2.1f64.ln(), 200f64.ln());
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if value(middle.exp()) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    (0.5 * (low + high)).exp()
}
