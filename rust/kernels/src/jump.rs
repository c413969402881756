//! Statistical jump model: coordinate descent between centres and a dynamic programme over states, and its online decode.
//!
//! Objective `Σ_t ½‖x_t − θ_{s_t}‖² + λ Σ 1{s_t ≠ s_{t−1}}` (Bemporad et al. 2018; Nystrup, Lindström and Madsen 2020).
//! `V_t(k) = ½‖x_t − θ_k‖² + min(V_{t−1}(k), min_j V_{t−1}(j) + λ)`; a tie stays in its state, and between states the
//! lower wins. The continuous variant (Aydınhan, Kolm, Mulvey and Shu 2024) runs the same programme over points of the
//! simplex with a penalty for every pair of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;

use crate::codec::{Reader, Writer};
use crate::error::{same_len, KernelError, Result};
use crate::simd::{dispatch, Job, F4};

/// Most states of a jump model.
pub const MAX_JUMP_STATES: usize = 16;
/// Figures per start: objective, iterations, whether it converged.
pub const JUMP_FIGURES: usize = 3;
const BLOCK: usize = 256;

/// What the dynamic programme runs over.
#[derive(Debug, Clone, Copy)]
pub enum Grid<'a> {
    /// The states themselves; a jump costs this.
    States(f64),
    /// Points of the simplex (N x K) and what a move from one to another costs (N x N).
    Simplex(&'a [f64], &'a [f64]),
}

/// Series by columns, and how many states.
struct Data<'a> {
    columns: &'a [f64],
    bars: usize,
    features: usize,
    states: usize,
}

/// `½‖x − θ_k‖²` of a block, K x BLOCK.
struct Losses<'a> {
    data: &'a Data<'a>,
    centres: &'a [f64],
    at: usize,
    len: usize,
    out: &'a mut [[f64; BLOCK]],
}

impl Job for Losses<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        let d = self.data.features;
        for (row, centre) in self.out.iter_mut().zip(self.centres.chunks(d)) {
            let row = &mut row[..self.len];
            row.fill(0.0);
            for (j, &c) in centre.iter().enumerate() {
                let x = &self.data.columns[j * self.data.bars + self.at..][..self.len];
                for (loss, x) in row.iter_mut().zip(x) {
                    let z = x - c;
                    *loss += z * z;
                }
            }
            for loss in row {
                *loss *= 0.5;
            }
        }
    }
}

/// Index of the smallest value, the lower one of equals.
fn least(values: &[f64]) -> usize {
    let mut at = 0;
    for (i, v) in values.iter().enumerate() {
        if *v < values[at] {
            at = i;
        }
    }
    at
}

/// Buffers of one worker.
struct Space {
    losses: Vec<[f64; BLOCK]>,
    // discrete: per bar the best state, and a bit for every state that was jumped into
    best: Vec<u8>,
    jumped: Vec<u16>,
    // continuous: all values
    values: Vec<f64>,
    labels: Vec<u32>,
}

impl Space {
    fn new(data: &Data<'_>, grid: &Grid<'_>) -> Self {
        let (bars, points) = match grid {
            Grid::States(_) => (data.bars, 0),
            Grid::Simplex(points, _) => (0, points.len() / data.states),
        };
        Self {
            losses: vec![[0.0; BLOCK]; data.states],
            best: vec![0; bars],
            jumped: vec![0; bars],
            values: vec![0.0; points * data.bars],
            labels: vec![0; data.bars],
        }
    }

    /// Best labels for these centres; the objective.
    fn decode(&mut self, data: &Data<'_>, centres: &[f64], grid: &Grid<'_>) -> f64 {
        match grid {
            Grid::Simplex(points, costs) => self.decode_simplex(data, centres, points, costs),
            Grid::States(penalty) => match data.states {
                2 => self.decode_states::<2>(data, centres, *penalty),
                3 => self.decode_states::<3>(data, centres, *penalty),
                4 => self.decode_states::<4>(data, centres, *penalty),
                _ => self.decode_states::<MAX_JUMP_STATES>(data, centres, *penalty),
            },
        }
    }

    /// `K` is at least the number of states.
    fn decode_states<const K: usize>(&mut self, data: &Data<'_>, centres: &[f64], penalty: f64) -> f64 {
        let states = data.states;
        // a state that does not exist is never worth it
        let mut v = [f64::INFINITY; K];
        v[..states].fill(0.0);
        let mut floor = 0.0;
        for at in (0..data.bars).step_by(BLOCK) {
            let len = BLOCK.min(data.bars - at);
            dispatch(Losses {
                data,
                centres,
                at,
                len,
                out: &mut self.losses,
            });
            for i in 0..len {
                let jump = floor + penalty;
                let mut mask = 0u16;
                for (k, (v, loss)) in v.iter_mut().zip(&self.losses).enumerate() {
                    let jumps = jump < *v;
                    mask |= u16::from(jumps) << k;
                    *v = if jumps { jump } else { *v } + loss[i];
                }
                let mut best = 0;
                floor = v[0];
                for (k, &x) in v.iter().enumerate().skip(1) {
                    best = if x < floor { k } else { best };
                    floor = if x < floor { x } else { floor };
                }
                self.best[at + i] = best as u8;
                self.jumped[at + i] = mask;
            }
        }
        let mut state = usize::from(self.best[data.bars - 1]);
        for t in (0..data.bars).rev() {
            self.labels[t] = state as u32;
            if t > 0 && self.jumped[t] >> state & 1 == 1 {
                state = usize::from(self.best[t - 1]);
            }
        }
        floor
    }

    fn decode_simplex(&mut self, data: &Data<'_>, centres: &[f64], points: &[f64], costs: &[f64]) -> f64 {
        let (k, n) = (data.states, points.len() / data.states);
        for at in (0..data.bars).step_by(BLOCK) {
            let len = BLOCK.min(data.bars - at);
            dispatch(Losses {
                data,
                centres,
                at,
                len,
                out: &mut self.losses,
            });
            for i in 0..len {
                let t = at + i;
                let (past, now) = self.values.split_at_mut(t * n);
                let now = &mut now[..n];
                if t > 0 {
                    dispatch(Relax {
                        before: &past[(t - 1) * n..],
                        costs,
                        out: now,
                    });
                } else {
                    now.fill(0.0);
                }
                for (value, point) in now.iter_mut().zip(points.chunks(k)) {
                    *value += point
                        .iter()
                        .zip(&self.losses)
                        .fold(0.0, |s, (p, loss)| s + p * loss[i]);
                }
            }
        }
        let last = &self.values[(data.bars - 1) * n..];
        let mut at = least(last);
        let objective = last[at];
        for t in (0..data.bars).rev() {
            self.labels[t] = at as u32;
            if t > 0 {
                let before = &self.values[(t - 1) * n..t * n];
                // staying is looked at first, so that a tie stays
                let (mut from, mut reached) = (at, before[at] + costs[at * n + at]);
                for (m, v) in before.iter().enumerate() {
                    if v + costs[m * n + at] < reached {
                        (from, reached) = (m, v + costs[m * n + at]);
                    }
                }
                at = from;
            }
        }
        objective
    }

    /// Centres as means of their bars; a state without any keeps its own.
    fn centre(&self, data: &Data<'_>, grid: &Grid<'_>, centres: &mut [f64]) {
        let (k, d) = (data.states, data.features);
        let (mut mass, mut sums) = (vec![0.0; k], vec![0.0; k * d]);
        match grid {
            Grid::States(_) => {
                let mut from = 0;
                while from < data.bars {
                    let state = self.labels[from];
                    let run = self.labels[from..].iter().take_while(|&&s| s == state).count();
                    let s = state as usize;
                    mass[s] += run as f64;
                    for j in 0..d {
                        let x = &data.columns[j * data.bars + from..][..run];
                        sums[s * d + j] += x.iter().fold(0.0, |sum, v| sum + v);
                    }
                    from += run;
                }
            }
            Grid::Simplex(points, _) => {
                for (t, &label) in self.labels.iter().enumerate() {
                    for (s, &p) in points[label as usize * k..][..k].iter().enumerate() {
                        mass[s] += p;
                        for j in 0..d {
                            sums[s * d + j] += p * data.columns[j * data.bars + t];
                        }
                    }
                }
            }
        }
        for ((centre, sum), m) in centres.chunks_mut(d).zip(sums.chunks(d)).zip(mass) {
            if m > 0.0 {
                centre.iter_mut().zip(sum).for_each(|(c, s)| *c = s / m);
            }
        }
    }
}

/// `out(n) = min_m before(m) + costs(m, n)`.
struct Relax<'a> {
    before: &'a [f64],
    costs: &'a [f64],
    out: &'a mut [f64],
}

impl Job for Relax<'_> {
    #[inline(always)]
    fn run<V: F4>(self) {
        self.out.fill(f64::INFINITY);
        for (&v, row) in self.before.iter().zip(self.costs.chunks(self.out.len())) {
            for (o, c) in self.out.iter_mut().zip(row) {
                let reached = v + c;
                *o = if reached < *o { reached } else { *o };
            }
        }
    }
}

fn checked(x: &[f64], centres: &[f64], features: usize, states: usize, grid: &Grid<'_>) -> Result<()> {
    if features == 0 || x.is_empty() || !x.len().is_multiple_of(features) {
        return Err(KernelError::Param("x must be T x D with at least one row"));
    }
    if states == 0 || states > MAX_JUMP_STATES {
        return Err(KernelError::Param("a jump model needs 1 to 16 states"));
    }
    if centres.is_empty() || !centres.len().is_multiple_of(states * features) {
        return Err(KernelError::Param("centres must be S x K x D"));
    }
    if let Some(bad) = x.iter().position(|v| !v.is_finite()) {
        return Err(KernelError::Row {
            row: bad / features,
            what: "an observation is not finite",
        });
    }
    if !centres.iter().all(|c| c.is_finite()) {
        return Err(KernelError::Param("centres must be finite"));
    }
    let sound = match grid {
        Grid::States(penalty) => *penalty >= 0.0,
        Grid::Simplex(points, costs) => {
            let n = points.len() / states;
            n > 0
                && points.len() == n * states
                && costs.len() == n * n
                && points.iter().chain(costs.iter()).all(|v| v.is_finite())
        }
    };
    if !sound {
        return Err(KernelError::Param(
            "the penalty must not be negative, a grid N x K and its costs N x N, all finite",
        ));
    }
    Ok(())
}

/// What is fitted and when to stop.
#[derive(Debug, Clone, Copy)]
pub struct JumpRules {
    /// Updates of the centres at most.
    pub max_iterations: usize,
    /// Stop when an update lowers the objective by no more than this.
    pub tolerance: f64,
    /// Workers.
    pub threads: usize,
}

/// Fit every start in `centres` (S x K x D) in place to `x` (T x D, row-major).
///
/// `out` gets objective, iterations and convergence of each start, `labels` (T) the states or points of the best one.
/// Returns the best start, the lower one of equals. The result does not depend on the number of threads.
///
/// # Errors
/// [`KernelError`] for wrong shapes or values.
#[allow(clippy::too_many_arguments)] // two inputs, two sizes, what to do, and two outputs
pub fn jump_fit(
    x: &[f64],
    centres: &mut [f64],
    features: usize,
    states: usize,
    grid: Grid<'_>,
    rules: JumpRules,
    labels: &mut [i64],
    out: &mut [[f64; JUMP_FIGURES]],
) -> Result<usize> {
    checked(x, centres, features, states, &grid)?;
    let (bars, size) = (x.len() / features, states * features);
    same_len(bars, labels.len())?;
    same_len(centres.len() / size, out.len())?;
    let mut columns = vec![0.0; x.len()];
    for (t, row) in x.chunks(features).enumerate() {
        for (j, &v) in row.iter().enumerate() {
            columns[j * bars + t] = v;
        }
    }
    let data = Data {
        columns: &columns,
        bars,
        features,
        states,
    };
    let workers = rules.threads.clamp(1, out.len().max(1));
    {
        let jobs: Vec<_> = centres
            .chunks_mut(size)
            .zip(out.iter_mut())
            .map(Mutex::new)
            .collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let mut space = Space::new(&data, &grid);
            while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Ok(mut held) = job.lock() {
                    let (centres, figures) = &mut *held;
                    **figures = descend(&data, centres, &grid, &rules, &mut space);
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
    }
    let objectives: Vec<f64> = out.iter().map(|f| f[0]).collect();
    let best = least(&objectives);
    let mut space = Space::new(&data, &grid);
    space.decode(&data, &centres[best * size..(best + 1) * size], &grid);
    for (to, &from) in labels.iter_mut().zip(&space.labels) {
        *to = i64::from(from);
    }
    Ok(best)
}

fn descend(
    data: &Data<'_>,
    centres: &mut [f64],
    grid: &Grid<'_>,
    rules: &JumpRules,
    space: &mut Space,
) -> [f64; JUMP_FIGURES] {
    let mut objective = space.decode(data, centres, grid);
    let mut done = 0;
    while done < rules.max_iterations {
        let labels = space.labels.clone();
        let kept = centres.to_vec();
        space.centre(data, grid, centres);
        let now = space.decode(data, centres, grid);
        done += 1;
        if now > objective {
            // rounding only: the descent is over
            centres.copy_from_slice(&kept);
            return [objective, done as f64, 1.0];
        }
        let gain = objective - now;
        objective = now;
        if gain <= rules.tolerance || labels == space.labels {
            return [objective, done as f64, 1.0];
        }
    }
    [objective, done as f64, 0.0]
}

/// Online decode of a fitted model: values `V_t(k)` less their smallest; a label once given never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct JumpFilter {
    features: usize,
    penalty: f64,
    centres: Vec<f64>,
    values: Vec<f64>,
    bars: u64,
}

impl JumpFilter {
    /// Centres (K x D, row-major) and the penalty of a jump.
    ///
    /// # Errors
    /// [`KernelError::Param`].
    pub fn new(states: usize, centres: &[f64], penalty: f64) -> Result<Self> {
        if states == 0 || centres.is_empty() || !centres.len().is_multiple_of(states) {
            return Err(KernelError::Param(
                "centres must be K x D with at least one feature",
            ));
        }
        if !centres.iter().all(|c| c.is_finite()) || penalty.is_nan() || penalty < 0.0 {
            return Err(KernelError::Param(
                "centres must be finite and the penalty not negative",
            ));
        }
        Ok(Self {
            features: centres.len() / states,
            penalty,
            centres: centres.to_vec(),
            values: vec![0.0; states],
            bars: 0,
        })
    }

    /// Number of states and of features.
    pub fn shape(&self) -> (usize, usize) {
        (self.values.len(), self.features)
    }

    /// Bars taken.
    pub fn bars(&self) -> u64 {
        self.bars
    }

    /// Take one bar; the values of the states, 0 for the best. A NaN feature costs nothing in any state.
    ///
    /// # Errors
    /// [`KernelError`]; the filter is left as it was.
    pub fn update(&mut self, x: &[f64]) -> Result<&[f64]> {
        same_len(self.features, x.len())?;
        if x.iter().any(|v| v.is_infinite()) {
            return Err(KernelError::Row {
                row: self.bars as usize,
                what: "an observation is infinite",
            });
        }
        let mut floor = f64::INFINITY;
        for (v, centre) in self.values.iter_mut().zip(self.centres.chunks(self.features)) {
            // the smallest value before this bar is 0
            let base = if self.penalty < *v { self.penalty } else { *v };
            let mut loss = 0.0;
            for (&x, &c) in x.iter().zip(centre) {
                if !x.is_nan() {
                    let z = x - c;
                    loss += z * z;
                }
            }
            *v = base + 0.5 * loss;
            floor = if *v < floor { *v } else { floor };
        }
        for v in &mut self.values {
            *v -= floor;
        }
        self.bars += 1;
        Ok(&self.values)
    }

    /// Take all bars of `x` (T x D); the states go to `labels` (T), the values to `values` (T x K).
    ///
    /// # Errors
    /// [`KernelError`].
    pub fn run(&mut self, x: &[f64], values: &mut [f64]) -> Result<()> {
        let (k, d) = self.shape();
        same_len(x.len() / d * d, x.len())?;
        same_len(x.len() / d * k, values.len())?;
        for (x, out) in x.chunks(d).zip(values.chunks_mut(k)) {
            out.copy_from_slice(self.update(x)?);
        }
        Ok(())
    }

    /// Model and state as bytes; the twin writes and reads the same.
    pub fn snapshot(&self) -> Vec<u8> {
        let (k, d) = self.shape();
        Writer::new("JumpFilter")
            .u64(k as u64)
            .u64(d as u64)
            .u64(self.bars)
            .f64s(&[self.penalty])
            .f64s(&self.centres)
            .f64s(&self.values)
            .done()
    }

    /// Model and state from bytes.
    ///
    /// # Errors
    /// [`KernelError`].
    pub fn restore(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::open(bytes, "JumpFilter")?;
        let (k, d, bars) = (r.size()?, r.size()?, r.u64()?);
        if k == 0 || d == 0 || k.max(d) > bytes.len() {
            return Err(KernelError::Snapshot("truncated"));
        }
        let penalty = r.f64()?;
        let mut me = Self::new(k, &r.f64s(k * d)?, penalty)?;
        me.values = r.f64s(k)?;
        me.bars = bars;
        r.end()?;
        if !me.values.iter().all(|v| *v >= 0.0) {
            return Err(KernelError::Snapshot("its values are none"));
        }
        Ok(me)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f64; 8] = [0.1, -0.2, 2.0, 0.0, 1.9, 2.2, 2.1, 0.4];

    fn objective(labels: &[usize], centres: &[f64], penalty: f64) -> f64 {
        let mut sum = 0.0;
        for (t, &s) in labels.iter().enumerate() {
            sum += 0.5 * (X[t] - centres[s]) * (X[t] - centres[s]);
            if t > 0 && labels[t - 1] != s {
                sum += penalty;
            }
        }
        sum
    }

    fn fit(centres: &mut [f64], grid: Grid<'_>, iterations: usize) -> (Vec<i64>, [f64; 3]) {
        let mut labels = vec![0; 8];
        let mut out = [[0.0; 3]];
        let rules = JumpRules {
            max_iterations: iterations,
            tolerance: 1e-12,
            threads: 1,
        };
        jump_fit(&X, centres, 1, 2, grid, rules, &mut labels, &mut out).unwrap();
        (labels, out[0])
    }

    #[test]
    fn decode_equals_enumeration() {
        for penalty in [0.0, 0.3, 1.0, 1e6] {
            let centres = [0.0, 2.0];
            let best = (0..256usize)
                .map(|p| (0..8).map(|t| (p >> t) & 1).collect::<Vec<_>>())
                .map(|l| objective(&l, &centres, penalty))
                .fold(f64::INFINITY, f64::min);
            let (labels, found) = fit(&mut centres.clone(), Grid::States(penalty), 0);
            assert!((found[0] - best).abs() < 1e-12);
            let labels: Vec<usize> = labels.iter().map(|&l| l as usize).collect();
            assert!((objective(&labels, &centres, penalty) - best).abs() < 1e-12);
            // the corners of the simplex are the states
            let costs = [0.0, penalty, penalty, 0.0];
            let (_, corner) = fit(
                &mut centres.clone(),
                Grid::Simplex(&[1.0, 0.0, 0.0, 1.0], &costs),
                0,
            );
            assert!((corner[0] - best).abs() < 1e-12);
        }
    }

    #[test]
    fn objective_falls_and_centres_are_means() {
        let mut before = f64::INFINITY;
        for n in 0..5 {
            let (_, found) = fit(&mut [0.5, 1.0], Grid::States(0.2), n);
            assert!(found[0] <= before);
            before = found[0];
        }
        let mut centres = [0.5, 1.0];
        let (labels, _) = fit(&mut centres, Grid::States(0.2), 20);
        let high: Vec<f64> = X
            .iter()
            .zip(&labels)
            .filter(|(_, l)| **l == 1)
            .map(|(x, _)| *x)
            .collect();
        assert!((centres[1] - high.iter().sum::<f64>() / high.len() as f64).abs() < 1e-12);
    }

    #[test]
    fn online_labels_are_those_of_the_prefix() {
        let centres = [0.0, 2.0];
        let mut filter = JumpFilter::new(2, &centres, 0.3).unwrap();
        for t in 0..8 {
            let mut copy = JumpFilter::restore(&filter.snapshot()).unwrap();
            let label = least(filter.update(&X[t..=t]).unwrap());
            copy.update(&X[t..=t]).unwrap();
            assert_eq!(copy, filter);
            let best = (0..1usize << (t + 1))
                .map(|p| (0..=t).map(|i| (p >> i) & 1).collect::<Vec<_>>())
                .min_by(|a, b| objective(a, &centres, 0.3).total_cmp(&objective(b, &centres, 0.3)))
                .unwrap();
            assert_eq!(label, best[t]);
        }
        assert!(filter.update(&[f64::INFINITY]).is_err());
        assert!(filter.update(&[f64::NAN]).is_ok());
        assert!(JumpFilter::new(2, &centres, -1.0).is_err());
    }
}
