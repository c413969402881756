//! `_tradecore`: Python names for the kernels. It converts, releases the interpreter lock and maps errors.

mod arrays;
mod changes;
mod channels;
mod donchian;
mod floats;
mod forest;
mod fused;
mod heikin_ashi;
mod hmm;
mod jump;
mod momentum;
mod quick;
mod sim;
mod sim_orders;
mod statistics;
mod stoch_rsi;
mod stream;
mod sweep;
mod text;
mod trend;
mod volatility;
mod volume;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tradewind_kernels::{force_path, path, Path};

/// Return the instruction set in use: "avx2", "avx128", "sse2" or "portable".
#[pyfunction]
fn instruction_set() -> &'static str {
    match path() {
        Path::Avx2 => "avx2",
        Path::Avx128 => "avx128",
        Path::Sse2 => "sse2",
        Path::Portable => "portable",
    }
}

/// Use another instruction set from now on; for tests, which check that all give the same bits.
#[pyfunction]
#[pyo3(signature = (name, /))]
fn force_instruction_set(name: &str) -> PyResult<()> {
    let wanted = match name {
        "avx2" => Path::Avx2,
        "avx128" => Path::Avx128,
        "sse2" => Path::Sse2,
        "portable" => Path::Portable,
        _ => return Err(PyValueError::new_err("expected avx2, avx128, sse2 or portable")),
    };
    if force_path(wanted) {
        Ok(())
    } else {
        Err(PyValueError::new_err(
            "this machine does not have that instruction set",
        ))
    }
}

/// Compiled kernels of Tradewind; import them through `actors.domain.kernels`.
#[pymodule]
fn _tradecore(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add("ABI_TAG", 2_u32)?;
    m.add("SOURCE_HASH", env!("TRADECORE_SOURCE_HASH"))?;
    floats::probe(m.py())?;
    m.add_function(wrap_pyfunction!(instruction_set, m)?)?;
    m.add_function(wrap_pyfunction!(force_instruction_set, m)?)?;
    trend::register(m)?;
    momentum::register(m)?;
    volatility::register(m)?;
    fused::register(m)?;
    channels::register(m)?;
    donchian::register(m)?;
    forest::register(m)?;
    heikin_ashi::register(m)?;
    hmm::register(m)?;
    jump::register(m)?;
    changes::register(m)?;
    sim::register(m)?;
    sim_orders::register(m)?;
    statistics::register(m)?;
    stoch_rsi::register(m)?;
    sweep::register(m)?;
    text::register(m)?;
    volume::register(m)?;
    Ok(())
}
