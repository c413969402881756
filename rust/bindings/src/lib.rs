//! `_tradecore`: Python names for the kernels. It converts, releases the interpreter lock and maps errors.

mod arrays;
mod donchian;
mod forest;
mod heikin_ashi;
mod hmm;
mod sma;
mod stream;
mod volume;

use pyo3::prelude::*;

/// Compiled kernels of Tradewind; import them through `actors.domain.kernels`.
#[pymodule]
fn _tradecore(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add("ABI_TAG", 1_u32)?;
    sma::register(m)?;
    donchian::register(m)?;
    forest::register(m)?;
    heikin_ashi::register(m)?;
    hmm::register(m)?;
    volume::register(m)?;
    Ok(())
}
