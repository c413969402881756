//! Heikin-Ashi candles.

use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;

use crate::arrays::run;
use crate::quick::add;
use crate::stream::stream_class;

type In<'py> = PyReadonlyArray1<'py, f64>;
type Out<'py> = PyReadwriteArray1<'py, f64>;

#[pyfunction]
#[pyo3(signature = (open, high, low, close, ha_open, ha_high, ha_low, ha_close, /))]
#[allow(clippy::too_many_arguments)] // four columns in, four out
fn heikin_ashi(
    py: Python<'_>,
    open: In<'_>,
    high: In<'_>,
    low: In<'_>,
    close: In<'_>,
    mut ha_open: Out<'_>,
    mut ha_high: Out<'_>,
    mut ha_low: Out<'_>,
    mut ha_close: Out<'_>,
) -> PyResult<()> {
    let (o, h, l, c) = (
        open.as_slice()?,
        high.as_slice()?,
        low.as_slice()?,
        close.as_slice()?,
    );
    let (a, b) = (ha_open.as_slice_mut()?, ha_high.as_slice_mut()?);
    let (d, e) = (ha_low.as_slice_mut()?, ha_close.as_slice_mut()?);
    run(py, o.len(), || {
        tradewind_kernels::heikin_ashi(o, h, l, c, (a, b, d, e))
    })
}

stream_class!(
    HeikinAshi,
    "Streaming Heikin-Ashi candles: `update` returns open, high, low, close.",
    new(),
    update(open_, high, low, close) -> [open, high, low, close]
);

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(heikin_ashi, m)?)?;
    add::<HeikinAshi>(m)
}
