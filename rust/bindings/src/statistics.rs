//! Statistics of returns and resampled paths.

use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tradewind_kernels::statistics::{self as s, Source, Tails, FIGURES};
use tradewind_kernels::statistics_bootstrap as b;

use crate::arrays::run;

type In<'py> = PyReadonlyArray1<'py, f64>;
type Out<'py> = PyReadwriteArray1<'py, f64>;

#[pyfunction]
#[pyo3(signature = (x, curve, low, high, mass, out, /))]
fn return_statistics(
    py: Python<'_>,
    x: In<'_>,
    curve: bool,
    low: f64,
    high: f64,
    mass: f64,
    mut out: Out<'_>,
) -> PyResult<()> {
    let x = x.as_slice()?;
    let figures: &mut [f64; FIGURES] = out
        .as_slice_mut()?
        .try_into()
        .map_err(|_| PyValueError::new_err("expected room for 22 figures"))?;
    let source = if curve {
        Source::Equity(x)
    } else {
        Source::Returns(x)
    };
    run(py, x.len(), || {
        s::return_statistics(source, Tails { low, high, mass }, figures)
    })
}

#[pyfunction]
#[pyo3(signature = (returns, steps, restart, seed, center, low, high, mass, growth, deepest, sums, /))]
#[allow(clippy::too_many_arguments)] // one input, seven parameters and three outputs, as Python passes them
fn bootstrap_paths(
    py: Python<'_>,
    returns: In<'_>,
    steps: usize,
    restart: u64,
    seed: u64,
    center: f64,
    low: f64,
    high: f64,
    mass: f64,
    mut growth: Out<'_>,
    mut deepest: Out<'_>,
    mut sums: Out<'_>,
) -> PyResult<()> {
    let x = returns.as_slice()?;
    let (g, d, t) = (
        growth.as_slice_mut()?,
        deepest.as_slice_mut()?,
        sums.as_slice_mut()?,
    );
    let draw = b::Draw {
        steps,
        restart,
        seed,
        center,
        tails: Tails { low, high, mass },
    };
    run(py, steps.saturating_mul(g.len()), || {
        b::bootstrap_paths(x, draw, g, d, t)
    })
}

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(return_statistics, m)?)?;
    m.add_function(wrap_pyfunction!(bootstrap_paths, m)?)
}
