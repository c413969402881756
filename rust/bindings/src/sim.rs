//! Backtests in one pass.

use numpy::{PyArray1, PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;
use tradewind_kernels::sim as s;
use tradewind_kernels::KernelError;

use crate::arrays::run;

type In<'py> = PyReadonlyArray1<'py, f64>;
type Out<'py> = PyReadwriteArray1<'py, f64>;
/// Final equity, largest drawdown, fees, slippage, exposed bars, ruined bar; then the trades as words.
type Answer<'py> = ((f64, f64, f64, f64, u64, i64), Bound<'py, PyArray1<u64>>);

fn costs(cash: f64, fee: f64, slip: f64, exposure: f64, short: bool) -> s::Costs {
    s::Costs {
        cash,
        fee,
        slip,
        exposure,
        short,
    }
}

fn finished<'py, F>(py: Python<'py>, bars: usize, work: F) -> PyResult<Answer<'py>>
where
    F: Send + FnOnce() -> Result<(s::Summary, Vec<u64>), KernelError>,
{
    let mut found = None;
    run(py, bars, || {
        found = Some(work()?);
        Ok(())
    })?;
    let (t, words) = found.expect("work that did not fail has an answer");
    let totals = (
        t.final_equity,
        t.max_drawdown,
        t.fees,
        t.slippage,
        t.exposed_bars,
        t.ruined_bar,
    );
    Ok((totals, PyArray1::from_vec(py, words)))
}

#[pyfunction]
#[pyo3(signature = (open, close, signal, cash, fee, slip, exposure, short, equity, /))]
#[allow(clippy::too_many_arguments)] // three columns, five parameters and one output, as Python passes them
fn signal_backtest<'py>(
    py: Python<'py>,
    open: In<'py>,
    close: In<'py>,
    signal: In<'py>,
    cash: f64,
    fee: f64,
    slip: f64,
    exposure: f64,
    short: bool,
    mut equity: Out<'py>,
) -> PyResult<Answer<'py>> {
    let (o, c, x) = (open.as_slice()?, close.as_slice()?, signal.as_slice()?);
    let (e, k) = (equity.as_slice_mut()?, costs(cash, fee, slip, exposure, short));
    finished(py, c.len(), || s::signal_backtest(o, c, x, k, e))
}

#[pyfunction]
#[pyo3(signature = (open, close, fast, slow, band, cash, fee, slip, exposure, short, equity, /))]
#[allow(clippy::too_many_arguments)] // two columns, eight parameters and one output, as Python passes them
fn ma_cross_backtest<'py>(
    py: Python<'py>,
    open: In<'py>,
    close: In<'py>,
    fast: usize,
    slow: usize,
    band: f64,
    cash: f64,
    fee: f64,
    slip: f64,
    exposure: f64,
    short: bool,
    mut equity: Out<'py>,
) -> PyResult<Answer<'py>> {
    let (o, c, rule) = (open.as_slice()?, close.as_slice()?, s::Cross { fast, slow, band });
    let (e, k) = (equity.as_slice_mut()?, costs(cash, fee, slip, exposure, short));
    finished(py, c.len(), || s::ma_cross_backtest(o, c, rule, k, e))
}

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(signal_backtest, m)?)?;
    m.add_function(wrap_pyfunction!(ma_cross_backtest, m)?)
}
