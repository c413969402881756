//! Simple moving average.

use numpy::{PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tradewind_kernels as k;

use crate::arrays::{run, to_py};

#[pyfunction]
#[pyo3(signature = (x, window, out, /))]
fn sma(
    py: Python<'_>,
    x: PyReadonlyArray1<'_, f64>,
    window: usize,
    mut out: PyReadwriteArray1<'_, f64>,
) -> PyResult<()> {
    let (x, out) = (x.as_slice()?, out.as_slice_mut()?);
    run(py, x.len(), || k::sma(x, window, out))
}

/// Streaming simple moving average.
#[pyclass(module = "_tradecore")]
struct Sma(k::Sma);

#[pymethods]
impl Sma {
    #[new]
    fn new(window: usize) -> PyResult<Self> {
        k::Sma::new(window).map(Self).map_err(to_py)
    }

    #[pyo3(signature = (x, /))]
    fn update(&mut self, x: f64) -> f64 {
        self.0.update(x)
    }

    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.snapshot())
    }

    #[pyo3(signature = (data, /))]
    fn restore(&mut self, data: &[u8]) -> PyResult<()> {
        self.0 = k::Sma::restore(data).map_err(to_py)?;
        Ok(())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let py = slf.py();
        let rebuild = slf.get_type().getattr("from_snapshot")?;
        let bytes = PyBytes::new(py, &slf.borrow().0.snapshot());
        Ok((rebuild, (bytes,)))
    }

    #[staticmethod]
    #[pyo3(signature = (data, /))]
    fn from_snapshot(data: &[u8]) -> PyResult<Self> {
        k::Sma::restore(data).map(Self).map_err(to_py)
    }
}

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(sma, m)?)?;
    m.add_class::<Sma>()
}
