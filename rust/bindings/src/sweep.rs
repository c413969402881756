//! Grids of combinations in one pass.

use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;
use tradewind_kernels::sim::Costs;
use tradewind_kernels::sweep as s;
use tradewind_kernels::KernelError;

use crate::arrays::{run, to_py};

type In<'py> = PyReadonlyArray1<'py, f64>;
type Out<'py> = PyReadwriteArray1<'py, u64>;
/// Cash, fee, slippage, share of the equity, shorts.
type Terms = (f64, f64, f64, f64, bool);

fn costs((cash, fee, slip, exposure, short): Terms) -> Costs {
    Costs {
        cash,
        fee,
        slip,
        exposure,
        short,
    }
}

fn answer<G>(
    py: Python<'_>,
    family: fn(G) -> s::Family,
    grid: Result<G, KernelError>,
    market: s::Market<'_>,
    terms: Terms,
    threads: usize,
    mut out: Out<'_>,
) -> PyResult<()> {
    let family = family(grid.map_err(to_py)?);
    let out = out.as_slice_mut()?;
    let work = family.combinations().saturating_mul(market.close.len());
    run(py, work, || s::sweep(&family, market, costs(terms), threads, out))
}

/// A market of which only opens and closes are read.
fn opens_and_closes<'a>(open: &'a In<'_>, close: &'a In<'_>) -> PyResult<s::Market<'a>> {
    let (open, close) = (open.as_slice()?, close.as_slice()?);
    Ok(s::Market {
        open,
        high: close,
        low: close,
        close,
    })
}

#[pyfunction]
#[pyo3(signature = (open, close, fast, slow, bands, terms, threads, out, /))]
#[allow(clippy::too_many_arguments)] // two columns, three axes, terms, threads and one output, as Python passes them
fn sweep_ma_cross(
    py: Python<'_>,
    open: In<'_>,
    close: In<'_>,
    fast: Vec<usize>,
    slow: Vec<usize>,
    bands: Vec<f64>,
    terms: Terms,
    threads: usize,
    out: Out<'_>,
) -> PyResult<()> {
    let grid = s::MaCrossGrid::new(&fast, &slow, &bands);
    let market = opens_and_closes(&open, &close)?;
    answer(py, s::Family::MaCross, grid, market, terms, threads, out)
}

#[pyfunction]
#[pyo3(signature = (open, close, windows, oversold, overbought, terms, threads, out, /))]
#[allow(clippy::too_many_arguments)] // two columns, three axes, terms, threads and one output, as Python passes them
fn sweep_rsi(
    py: Python<'_>,
    open: In<'_>,
    close: In<'_>,
    windows: Vec<usize>,
    oversold: Vec<f64>,
    overbought: Vec<f64>,
    terms: Terms,
    threads: usize,
    out: Out<'_>,
) -> PyResult<()> {
    let grid = s::RsiGrid::new(&windows, &oversold, &overbought);
    let market = opens_and_closes(&open, &close)?;
    answer(py, s::Family::Rsi, grid, market, terms, threads, out)
}

#[pyfunction]
#[pyo3(signature = (open, close, windows, widths, reversal, terms, threads, out, /))]
#[allow(clippy::too_many_arguments)] // two columns, two axes, mode, terms, threads and one output
fn sweep_bollinger(
    py: Python<'_>,
    open: In<'_>,
    close: In<'_>,
    windows: Vec<usize>,
    widths: Vec<f64>,
    reversal: bool,
    terms: Terms,
    threads: usize,
    out: Out<'_>,
) -> PyResult<()> {
    let grid = s::BollingerGrid::new(&windows, &widths, reversal);
    let market = opens_and_closes(&open, &close)?;
    answer(py, s::Family::Bollinger, grid, market, terms, threads, out)
}

#[pyfunction]
#[pyo3(signature = (open, high, low, close, entry, exit, terms, threads, out, /))]
#[allow(clippy::too_many_arguments)] // four columns, two axes, terms, threads and one output, as Python passes them
fn sweep_donchian(
    py: Python<'_>,
    open: In<'_>,
    high: In<'_>,
    low: In<'_>,
    close: In<'_>,
    entry: Vec<usize>,
    exit: Vec<usize>,
    terms: Terms,
    threads: usize,
    out: Out<'_>,
) -> PyResult<()> {
    let grid = s::DonchianGrid::new(&entry, &exit);
    let market = s::Market {
        open: open.as_slice()?,
        high: high.as_slice()?,
        low: low.as_slice()?,
        close: close.as_slice()?,
    };
    answer(py, s::Family::Donchian, grid, market, terms, threads, out)
}

#[pyfunction]
#[pyo3(signature = (open, close, spans, terms, threads, out, /))]
fn sweep_momentum(
    py: Python<'_>,
    open: In<'_>,
    close: In<'_>,
    spans: (Vec<usize>, Vec<usize>, Vec<usize>, Vec<usize>),
    terms: Terms,
    threads: usize,
    out: Out<'_>,
) -> PyResult<()> {
    let (short, middle, long, volatility) = &spans;
    let grid = s::MomentumGrid::new(short, middle, long, volatility);
    let market = opens_and_closes(&open, &close)?;
    answer(py, s::Family::Momentum, grid, market, terms, threads, out)
}

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(sweep_ma_cross, m)?)?;
    m.add_function(wrap_pyfunction!(sweep_rsi, m)?)?;
    m.add_function(wrap_pyfunction!(sweep_bollinger, m)?)?;
    m.add_function(wrap_pyfunction!(sweep_donchian, m)?)?;
    m.add_function(wrap_pyfunction!(sweep_momentum, m)?)
}
