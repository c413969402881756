//! Donchian channel.

use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;

use crate::arrays::run;
use crate::quick::add;
use crate::stream::stream_class;

#[pyfunction]
#[pyo3(signature = (high, low, window, upper, lower, middle, /))]
fn donchian(
    py: Python<'_>,
    high: PyReadonlyArray1<'_, f64>,
    low: PyReadonlyArray1<'_, f64>,
    window: usize,
    mut upper: PyReadwriteArray1<'_, f64>,
    mut lower: PyReadwriteArray1<'_, f64>,
    mut middle: PyReadwriteArray1<'_, f64>,
) -> PyResult<()> {
    let (h, l) = (high.as_slice()?, low.as_slice()?);
    let (u, d, m) = (
        upper.as_slice_mut()?,
        lower.as_slice_mut()?,
        middle.as_slice_mut()?,
    );
    run(py, h.len(), || tradewind_kernels::donchian(h, l, window, u, d, m))
}

stream_class!(
    Donchian,
    "Streaming Donchian channel: `update` returns upper, lower, middle.",
    new(window: usize),
    update(high, low) -> [upper, lower, middle]
);

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(donchian, m)?)?;
    add::<Donchian>(m)
}
