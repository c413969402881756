//! `_tradecore`: Python names for the kernels. It converts, releases the interpreter lock and maps errors.

mod arrays;
mod sma;

use pyo3::prelude::*;

/// Compiled kernels of Tradewind; import them through `actors.domain.kernels`.
#[pymodule]
fn _tradecore(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    m.add("ABI_TAG", 1_u32)?;
    sma::register(m)?;
    Ok(())
}
