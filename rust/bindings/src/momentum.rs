//! Momentum and direction: RSI, ADX.

use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;
use tradewind_kernels as k;

use crate::arrays::run;
use crate::quick::add;
use crate::stream::stream_class;

type In<'py> = PyReadonlyArray1<'py, f64>;
type Out<'py> = PyReadwriteArray1<'py, f64>;

#[pyfunction]
#[pyo3(signature = (x, window, out, /))]
fn rsi(py: Python<'_>, x: In<'_>, window: usize, mut out: Out<'_>) -> PyResult<()> {
    let (x, out) = (x.as_slice()?, out.as_slice_mut()?);
    run(py, x.len(), || k::rsi(x, window, out))
}

#[pyfunction]
#[pyo3(signature = (high, low, close, window, adx, plus_di, minus_di, /))]
#[allow(clippy::too_many_arguments)] // three inputs and three outputs, as Python passes them
fn adx(
    py: Python<'_>,
    high: In<'_>,
    low: In<'_>,
    close: In<'_>,
    window: usize,
    mut adx: Out<'_>,
    mut plus_di: Out<'_>,
    mut minus_di: Out<'_>,
) -> PyResult<()> {
    let bars = k::Bars {
        high: high.as_slice()?,
        low: low.as_slice()?,
        close: close.as_slice()?,
    };
    let (a, p, m) = (
        adx.as_slice_mut()?,
        plus_di.as_slice_mut()?,
        minus_di.as_slice_mut()?,
    );
    run(py, bars.close.len(), || k::adx(bars, window, a, p, m))
}

stream_class!(
    Rsi,
    "Streaming relative strength index. `update` takes one bar; NaN for the first `window` bars and while no price ever moved.",
    new(window: usize),
    update(x)
);

stream_class!(
    Adx,
    "Streaming directional movement. `update` takes one bar; ADX, +DI and -DI, NaN while warming up.",
    new(window: usize),
    update(high, low, close) -> [adx, plus_di, minus_di]
);

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(rsi, m)?)?;
    m.add_function(wrap_pyfunction!(adx, m)?)?;
    add::<Rsi>(m)?;
    add::<Adx>(m)
}
