//! Averages of price: SMA, EMA, MACD.

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
fn sma(py: Python<'_>, x: In<'_>, window: usize, mut out: Out<'_>) -> PyResult<()> {
    let (x, out) = (x.as_slice()?, out.as_slice_mut()?);
    run(py, x.len(), || k::sma(x, window, out))
}

#[pyfunction]
#[pyo3(signature = (x, window, out, /))]
fn ema(py: Python<'_>, x: In<'_>, window: usize, mut out: Out<'_>) -> PyResult<()> {
    let (x, out) = (x.as_slice()?, out.as_slice_mut()?);
    run(py, x.len(), || k::ema(x, window, out))
}

#[pyfunction]
#[pyo3(signature = (x, fast, slow, signal, line, signal_line, histogram, /))]
#[allow(clippy::too_many_arguments)] // three spans and three outputs, as Python passes them
fn macd(
    py: Python<'_>,
    x: In<'_>,
    fast: usize,
    slow: usize,
    signal: usize,
    mut line: Out<'_>,
    mut signal_line: Out<'_>,
    mut histogram: Out<'_>,
) -> PyResult<()> {
    let x = x.as_slice()?;
    let out = k::MacdOut {
        line: line.as_slice_mut()?,
        signal: signal_line.as_slice_mut()?,
        histogram: histogram.as_slice_mut()?,
    };
    run(py, x.len(), || k::macd(x, fast, slow, signal, out))
}

stream_class!(
    Sma,
    "Streaming simple moving average. `update` takes one bar; NaN until the window is full.",
    new(window: usize),
    update(x)
);

stream_class!(
    Ema,
    "Streaming exponential moving average. `update` takes one bar; NaN before the seed.",
    new(window: usize),
    update(x)
);

stream_class!(
    Macd,
    "Streaming MACD. `update` takes one bar; line, signal and histogram, NaN until the signal has its seed.",
    new(fast: usize, slow: usize, signal: usize),
    update(x) -> [line, signal, histogram]
);

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(sma, m)?)?;
    m.add_function(wrap_pyfunction!(ema, m)?)?;
    m.add_function(wrap_pyfunction!(macd, m)?)?;
    add::<Sma>(m)?;
    add::<Ema>(m)?;
    add::<Macd>(m)
}
