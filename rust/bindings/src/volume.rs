//! Kernels of price and volume: Chaikin money flow, on-balance volume.

use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;

use crate::arrays::run;
use crate::quick::add;
use crate::stream::stream_class;

#[pyfunction]
#[pyo3(signature = (high, low, close, volume, window, out, /))]
fn cmf(
    py: Python<'_>,
    high: PyReadonlyArray1<'_, f64>,
    low: PyReadonlyArray1<'_, f64>,
    close: PyReadonlyArray1<'_, f64>,
    volume: PyReadonlyArray1<'_, f64>,
    window: usize,
    mut out: PyReadwriteArray1<'_, f64>,
) -> PyResult<()> {
    let (h, l, c, v) = (
        high.as_slice()?,
        low.as_slice()?,
        close.as_slice()?,
        volume.as_slice()?,
    );
    let out = out.as_slice_mut()?;
    run(py, h.len(), || tradewind_kernels::cmf(h, l, c, v, window, out))
}

stream_class!(
    Cmf,
    "Streaming Chaikin money flow.",
    new(window: usize),
    update(high, low, close, volume)
);

#[pyfunction]
#[pyo3(signature = (close, volume, out, /))]
fn obv(
    py: Python<'_>,
    close: PyReadonlyArray1<'_, f64>,
    volume: PyReadonlyArray1<'_, f64>,
    mut out: PyReadwriteArray1<'_, f64>,
) -> PyResult<()> {
    let (c, v, out) = (close.as_slice()?, volume.as_slice()?, out.as_slice_mut()?);
    run(py, c.len(), || tradewind_kernels::obv(c, v, out))
}

stream_class!(Obv, "Streaming on-balance volume.", new(), update(close, volume));

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(cmf, m)?)?;
    m.add_function(wrap_pyfunction!(obv, m)?)?;
    add::<Cmf>(m)?;
    add::<Obv>(m)
}
