//! Channels and what is built on them: Keltner, squeeze.

use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;
use tradewind_kernels::{Bands, Bars};

use crate::arrays::run;
use crate::quick::add;
use crate::stream::stream_class;

type In<'py> = PyReadonlyArray1<'py, f64>;
type Out<'py> = PyReadwriteArray1<'py, f64>;

#[pyfunction]
#[pyo3(signature = (high, low, close, ema_window, atr_window, k, upper, middle, lower, /))]
#[allow(clippy::too_many_arguments)] // three columns in, three out
fn keltner(
    py: Python<'_>,
    high: In<'_>,
    low: In<'_>,
    close: In<'_>,
    ema_window: usize,
    atr_window: usize,
    k: f64,
    mut upper: Out<'_>,
    mut middle: Out<'_>,
    mut lower: Out<'_>,
) -> PyResult<()> {
    let bars = Bars {
        high: high.as_slice()?,
        low: low.as_slice()?,
        close: close.as_slice()?,
    };
    let out = Bands {
        upper: upper.as_slice_mut()?,
        middle: middle.as_slice_mut()?,
        lower: lower.as_slice_mut()?,
    };
    run(py, bars.close.len(), || {
        tradewind_kernels::keltner(bars, ema_window, atr_window, k, out)
    })
}

stream_class!(
    Keltner,
    "Streaming Keltner channel: `update` returns upper, middle, lower.",
    new(ema_window: usize, atr_window: usize, k: f64),
    update(high, low, close) -> [upper, middle, lower]
);

#[pyfunction]
#[pyo3(signature = (high, low, close, window, bands_k, channel_k, out, /))]
#[allow(clippy::too_many_arguments)] // three columns in, three parameters
fn squeeze(
    py: Python<'_>,
    high: In<'_>,
    low: In<'_>,
    close: In<'_>,
    window: usize,
    bands_k: f64,
    channel_k: f64,
    mut out: Out<'_>,
) -> PyResult<()> {
    let bars = Bars {
        high: high.as_slice()?,
        low: low.as_slice()?,
        close: close.as_slice()?,
    };
    let out = out.as_slice_mut()?;
    run(py, bars.close.len(), || {
        tradewind_kernels::squeeze(bars, window, bands_k, channel_k, out)
    })
}

stream_class!(
    Squeeze,
    "Streaming squeeze: 1 inside, 0 outside, NaN while warming up.",
    new(window: usize, bands_k: f64, channel_k: f64),
    update(high, low, close)
);

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(keltner, m)?)?;
    m.add_function(wrap_pyfunction!(squeeze, m)?)?;
    add::<Keltner>(m)?;
    add::<Squeeze>(m)
}
