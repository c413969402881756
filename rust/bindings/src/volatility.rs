//! Width of the market: rolling deviation, Bollinger bands, ATR.

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
fn std(py: Python<'_>, x: In<'_>, window: usize, mut out: Out<'_>) -> PyResult<()> {
    let (x, out) = (x.as_slice()?, out.as_slice_mut()?);
    run(py, x.len(), || k::std(x, window, out))
}

#[pyfunction]
#[pyo3(signature = (x, window, k_dev, upper, middle, lower, /))]
fn bollinger(
    py: Python<'_>,
    x: In<'_>,
    window: usize,
    k_dev: f64,
    mut upper: Out<'_>,
    mut middle: Out<'_>,
    mut lower: Out<'_>,
) -> PyResult<()> {
    let x = x.as_slice()?;
    let out = k::Bands {
        upper: upper.as_slice_mut()?,
        middle: middle.as_slice_mut()?,
        lower: lower.as_slice_mut()?,
    };
    run(py, x.len(), || k::bollinger(x, window, k_dev, out))
}

#[pyfunction]
#[pyo3(signature = (high, low, close, window, out, /))]
fn atr(
    py: Python<'_>,
    high: In<'_>,
    low: In<'_>,
    close: In<'_>,
    window: usize,
    mut out: Out<'_>,
) -> PyResult<()> {
    let bars = k::Bars {
        high: high.as_slice()?,
        low: low.as_slice()?,
        close: close.as_slice()?,
    };
    let out = out.as_slice_mut()?;
    run(py, bars.close.len(), || k::atr(bars, window, out))
}

stream_class!(
    Std,
    "Streaming standard deviation, ddof 0. `update` takes one bar; NaN until the window is full.",
    new(window: usize),
    update(x)
);

stream_class!(
    Bollinger,
    "Streaming Bollinger bands. `update` takes one bar; upper band, middle and lower band, NaN until the window is full.",
    new(window: usize, k_dev: f64),
    update(x) -> [upper, middle, lower]
);

stream_class!(
    Atr,
    "Streaming average true range. `update` takes one bar; NaN for the first `window` bars.",
    new(window: usize),
    update(high, low, close)
);

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(self::std, m)?)?;
    m.add_function(wrap_pyfunction!(bollinger, m)?)?;
    m.add_function(wrap_pyfunction!(atr, m)?)?;
    add::<Std>(m)?;
    add::<Bollinger>(m)?;
    add::<Atr>(m)
}
