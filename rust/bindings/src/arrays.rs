//! Arrays across the border without a copy, and long calls without the interpreter lock.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tradewind_kernels::KernelError;

/// Below this many bars releasing the interpreter lock costs more than it gives.
const RELEASE_FROM: usize = 4096;

/// A kernel's "no" as a Python error.
pub fn to_py(e: KernelError) -> PyErr {
    PyValueError::new_err(e.to_string())
}

/// Run `work` over `bars` bars, without the interpreter lock when they are many.
pub fn run<F>(py: Python<'_>, bars: usize, work: F) -> PyResult<()>
where
    F: Send + FnOnce() -> Result<(), KernelError>,
{
    let result = if bars >= RELEASE_FROM {
        py.detach(work)
    } else {
        work()
    };
    result.map_err(to_py)
}
