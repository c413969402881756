//! Stochastic RSI.

use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;
use tradewind_kernels::StochRsiParams;

use crate::arrays::run;
use crate::quick::add;
use crate::stream::stream_class;

#[pyfunction]
#[pyo3(signature = (x, rsi_window, range_window, k_window, d_window, k, d, /))]
#[allow(clippy::too_many_arguments)] // four windows, two columns out
fn stoch_rsi(
    py: Python<'_>,
    x: PyReadonlyArray1<'_, f64>,
    rsi_window: usize,
    range_window: usize,
    k_window: usize,
    d_window: usize,
    mut k: PyReadwriteArray1<'_, f64>,
    mut d: PyReadwriteArray1<'_, f64>,
) -> PyResult<()> {
    let params = StochRsiParams {
        rsi: rsi_window,
        range: range_window,
        k: k_window,
        d: d_window,
    };
    let (x, k, d) = (x.as_slice()?, k.as_slice_mut()?, d.as_slice_mut()?);
    run(py, x.len(), || tradewind_kernels::stoch_rsi(x, params, k, d))
}

stream_class!(
    StochRsi,
    "Streaming stochastic RSI: `update` returns K and D.",
    new(rsi_window: usize, range_window: usize, k_window: usize, d_window: usize),
    update(x) -> [k, d]
);

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(stoch_rsi, m)?)?;
    add::<StochRsi>(m)
}
