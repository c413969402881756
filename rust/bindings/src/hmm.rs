//! Hidden Markov models: filter, smoother, most likely path and fit.

use numpy::{
    PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1, PyReadwriteArray2, PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tradewind_kernels as k;
use tradewind_kernels::hmm_em as em;
use tradewind_kernels::Emission;

use crate::arrays::{run, to_py};

#[pyfunction]
#[pyo3(signature = (log_b, pi, transitions, alpha, /))]
fn hmm_forward_filter(
    py: Python<'_>,
    log_b: PyReadonlyArray2<'_, f64>,
    pi: PyReadonlyArray1<'_, f64>,
    transitions: PyReadonlyArray2<'_, f64>,
    mut alpha: PyReadwriteArray2<'_, f64>,
) -> PyResult<f64> {
    let chain = k::Chain::new(pi.as_slice()?, transitions.as_slice()?).map_err(to_py)?;
    let (b, a) = (log_b.as_slice()?, alpha.as_slice_mut()?);
    let mut total = f64::NAN;
    run(py, b.len(), || {
        total = k::hmm_forward_filter(&chain, b, a)?;
        Ok(())
    })?;
    Ok(total)
}

#[pyfunction]
#[pyo3(signature = (log_b, pi, transitions, gamma, /))]
fn hmm_smooth(
    py: Python<'_>,
    log_b: PyReadonlyArray2<'_, f64>,
    pi: PyReadonlyArray1<'_, f64>,
    transitions: PyReadonlyArray2<'_, f64>,
    mut gamma: PyReadwriteArray2<'_, f64>,
) -> PyResult<f64> {
    let chain = k::Chain::new(pi.as_slice()?, transitions.as_slice()?).map_err(to_py)?;
    let (b, g) = (log_b.as_slice()?, gamma.as_slice_mut()?);
    let mut total = f64::NAN;
    run(py, b.len(), || {
        total = k::hmm_smooth(&chain, b, g)?;
        Ok(())
    })?;
    Ok(total)
}

#[pyfunction]
#[pyo3(signature = (log_b, pi, transitions, states, /))]
fn hmm_viterbi(
    py: Python<'_>,
    log_b: PyReadonlyArray2<'_, f64>,
    pi: PyReadonlyArray1<'_, f64>,
    transitions: PyReadonlyArray2<'_, f64>,
    mut states: PyReadwriteArray1<'_, i64>,
) -> PyResult<f64> {
    let chain = k::Chain::new(pi.as_slice()?, transitions.as_slice()?).map_err(to_py)?;
    let (b, s) = (log_b.as_slice()?, states.as_slice_mut()?);
    let mut total = f64::NAN;
    run(py, b.len(), || {
        total = k::hmm_viterbi(&chain, b, s)?;
        Ok(())
    })?;
    Ok(total)
}

type Held<'py> = PyReadwriteArray2<'py, f64>;
type Counts<'py> = PyReadonlyArray1<'py, f64>;

#[pyfunction]
#[pyo3(signature = (
    x, start, transitions, means, covariances, dof, prior_start, prior_moves, prior_means, prior_scatter, mean_weight,
    weight, full, max_iterations, tolerance, fit_start, fit_dof, min_variance, threads, out, /
))]
#[allow(clippy::too_many_arguments)] // models, prior and rules, as Python passes them
fn hmm_fit(
    py: Python<'_>,
    x: PyReadonlyArray2<'_, f64>,
    mut start: Held<'_>,
    mut transitions: Held<'_>,
    mut means: Held<'_>,
    mut covariances: Held<'_>,
    mut dof: Held<'_>,
    prior_start: Counts<'_>,
    prior_moves: Counts<'_>,
    prior_means: Counts<'_>,
    prior_scatter: Counts<'_>,
    mean_weight: f64,
    weight: f64,
    full: bool,
    max_iterations: usize,
    tolerance: f64,
    fit_start: bool,
    fit_dof: bool,
    min_variance: f64,
    threads: usize,
    mut out: Held<'_>,
) -> PyResult<()> {
    let (starts, states) = (start.shape()[0], start.shape()[1]);
    let shape = em::Shape {
        states,
        features: x.shape()[1],
        full,
        student: dof.shape()[1] > 0,
    };
    let parts = [
        start.as_slice_mut()?,
        transitions.as_slice_mut()?,
        means.as_slice_mut()?,
        covariances.as_slice_mut()?,
        dof.as_slice_mut()?,
    ];
    if starts == 0 || parts.iter().any(|p| p.len() % starts != 0) || out.shape() != [starts, em::FIT_FIGURES]
    {
        return Err(PyValueError::new_err(
            "expected at least one start and four figures for each",
        ));
    }
    let sizes = [0, 1, 2, 3, 4].map(|i: usize| parts[i].len() / starts);
    let cut = |i: usize, part: &[f64], s: usize| part[s * sizes[i]..(s + 1) * sizes[i]].to_vec();
    let mut models: Vec<em::Model> = (0..starts)
        .map(|s| em::Model {
            start: cut(0, parts[0], s),
            transitions: cut(1, parts[1], s),
            means: cut(2, parts[2], s),
            covariances: cut(3, parts[3], s),
            dof: cut(4, parts[4], s),
        })
        .collect();
    let prior = em::Prior {
        start: prior_start.as_slice()?.to_vec(),
        moves: prior_moves.as_slice()?.to_vec(),
        mean_weight,
        means: prior_means.as_slice()?.to_vec(),
        weight,
        scatter: prior_scatter.as_slice()?.to_vec(),
    };
    let rules = em::FitRules {
        max_iterations,
        tolerance,
        fit_start,
        fit_dof,
        min_variance,
    };
    let bars = x.as_slice()?;
    let mut figures = vec![[0.0; em::FIT_FIGURES]; starts];
    let work = bars
        .len()
        .saturating_mul(max_iterations.max(1))
        .saturating_mul(starts);
    run(py, work, || {
        em::hmm_fit(bars, shape, &mut models, &prior, &rules, threads, &mut figures)
    })?;
    for (s, m) in models.iter().enumerate() {
        for (i, from) in [&m.start, &m.transitions, &m.means, &m.covariances, &m.dof]
            .into_iter()
            .enumerate()
        {
            parts[i][s * sizes[i]..(s + 1) * sizes[i]].copy_from_slice(from);
        }
    }
    out.as_slice_mut()?.copy_from_slice(figures.as_flattened());
    Ok(())
}

/// Everything of a filter's class but its constructor.
macro_rules! filter_class {
    ($name:ident, $kernel:ty, $doc:literal, new($($arg:ident: $ty:ty),+) $build:expr) => {
        #[doc = $doc]
        #[pyclass(module = "_tradecore")]
        struct $name($kernel);

        #[pymethods]
        impl $name {
            #[new]
            #[pyo3(signature = ($($arg),+, /))]
            fn new($($arg: $ty),+) -> PyResult<Self> {
                Ok(Self($build))
            }

            /// Take one bar (a vector of features); the filtered state probabilities.
            #[pyo3(signature = (x, /))]
            fn update<'py>(
                &mut self,
                py: Python<'py>,
                x: PyReadonlyArray1<'py, f64>,
            ) -> PyResult<Bound<'py, PyArray1<f64>>> {
                let alpha = self.0.update(x.as_slice()?).map_err(to_py)?;
                Ok(PyArray1::from_slice(py, alpha))
            }

            /// Take many bars; their filtered probabilities go to `alpha`.
            #[pyo3(signature = (x, alpha, /))]
            fn run(
                &mut self,
                py: Python<'_>,
                x: PyReadonlyArray2<'_, f64>,
                mut alpha: PyReadwriteArray2<'_, f64>,
            ) -> PyResult<()> {
                if x.shape()[1] != self.0.shape().1 {
                    return Err(PyValueError::new_err(format!("expected {} features", self.0.shape().1)));
                }
                let (x, alpha) = (x.as_slice()?, alpha.as_slice_mut()?);
                run(py, x.len(), || self.0.run(x, alpha))
            }

            /// Filtered probabilities after the last bar; None before the first.
            #[getter]
            fn alpha<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray1<f64>>> {
                (self.0.bars() > 0).then(|| PyArray1::from_slice(py, self.0.alpha()))
            }

            /// Log-likelihood of all bars so far.
            #[getter]
            fn log_likelihood(&self) -> f64 {
                self.0.log_likelihood()
            }

            /// Bars taken.
            #[getter]
            fn bars(&self) -> u64 {
                self.0.bars()
            }

            fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
                PyBytes::new(py, &self.0.snapshot())
            }

            #[pyo3(signature = (data, /))]
            fn restore(&mut self, data: &[u8]) -> PyResult<()> {
                self.0 = <$kernel>::restore(data).map_err(to_py)?;
                Ok(())
            }

            fn __reduce__<'py>(
                slf: &Bound<'py, Self>,
            ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
                let rebuild = slf.get_type().getattr("from_snapshot")?;
                let bytes = PyBytes::new(slf.py(), &slf.borrow().0.snapshot());
                Ok((rebuild, (bytes,)))
            }

            #[staticmethod]
            #[pyo3(signature = (data, /))]
            fn from_snapshot(data: &[u8]) -> PyResult<Self> {
                <$kernel>::restore(data).map(Self).map_err(to_py)
            }
        }
    };
}

/// A filter whose chain and emissions have as many states.
fn filter<E: Emission>(chain: k::Chain, emission: E) -> PyResult<k::Filter<E>> {
    if chain.states() != emission.states() {
        return Err(PyValueError::new_err("expected as many emissions as states"));
    }
    Ok(k::Filter::new(chain, emission))
}

filter_class!(
    HmmFilter,
    k::HmmFilter,
    "Streaming forward filter of a Gaussian HMM with diagonal covariances.",
    new(
        pi: PyReadonlyArray1<'_, f64>,
        transitions: PyReadonlyArray2<'_, f64>,
        means: PyReadonlyArray2<'_, f64>,
        variances: PyReadonlyArray2<'_, f64>
    ) {
        let chain = k::Chain::new(pi.as_slice()?, transitions.as_slice()?).map_err(to_py)?;
        let emission = k::DiagGaussian::new(chain.states(), means.as_slice()?, variances.as_slice()?);
        filter(chain, emission.map_err(to_py)?)?
    }
);

filter_class!(
    HmmStudent,
    k::HmmStudentFilter,
    "Streaming forward filter of an HMM with multivariate t emissions and diagonal scales.",
    new(
        pi: PyReadonlyArray1<'_, f64>,
        transitions: PyReadonlyArray2<'_, f64>,
        means: PyReadonlyArray2<'_, f64>,
        scales: PyReadonlyArray2<'_, f64>,
        dof: PyReadonlyArray1<'_, f64>
    ) {
        let chain = k::Chain::new(pi.as_slice()?, transitions.as_slice()?).map_err(to_py)?;
        let (means, scales, dof) = (means.as_slice()?, scales.as_slice()?, dof.as_slice()?);
        let emission = k::DiagStudent::new(chain.states(), means, scales, dof);
        filter(chain, emission.map_err(to_py)?)?
    }
);

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(hmm_forward_filter, m)?)?;
    m.add_function(wrap_pyfunction!(hmm_smooth, m)?)?;
    m.add_function(wrap_pyfunction!(hmm_viterbi, m)?)?;
    m.add_function(wrap_pyfunction!(hmm_fit, m)?)?;
    m.add_class::<HmmFilter>()?;
    m.add_class::<HmmStudent>()
}
