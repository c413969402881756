//! Forward filter of a hidden Markov model.

use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray2};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tradewind_kernels as k;

use crate::arrays::{run, to_py};

#[pyfunction]
#[pyo3(signature = (log_b, pi, transitions, alpha, /))]
fn hmm_forward_filter(
    py: Python<'_>,
    log_b: PyReadonlyArray2<'_, f64>,
    pi: PyReadonlyArray1<'_, f64>,
    transitions: PyReadonlyArray2<'_, f64>,
    mut alpha: PyReadwriteArray2<'_, f64>,
) -> PyResult<f64> {
    let chain = k::Chain::new(pi.as_slice()?, transitions.as_slice()?).map_err(to_py)?;
    let (b, a) = (log_b.as_slice()?, alpha.as_slice_mut()?);
    let mut total = f64::NAN;
    run(py, b.len(), || {
        total = k::hmm_forward_filter(&chain, b, a)?;
        Ok(())
    })?;
    Ok(total)
}

/// Streaming forward filter of a Gaussian HMM with diagonal covariances.
#[pyclass(module = "_tradecore")]
struct HmmFilter(k::HmmFilter);

#[pymethods]
impl HmmFilter {
    #[new]
    #[pyo3(signature = (pi, transitions, means, variances, /))]
    fn new(
        pi: PyReadonlyArray1<'_, f64>,
        transitions: PyReadonlyArray2<'_, f64>,
        means: PyReadonlyArray2<'_, f64>,
        variances: PyReadonlyArray2<'_, f64>,
    ) -> PyResult<Self> {
        let chain = k::Chain::new(pi.as_slice()?, transitions.as_slice()?).map_err(to_py)?;
        let emission = k::DiagGaussian::new(chain.states(), means.as_slice()?, variances.as_slice()?);
        Ok(Self(k::HmmFilter::new(chain, emission.map_err(to_py)?)))
    }

    /// Take one bar (a vector of features); the filtered state probabilities.
    #[pyo3(signature = (x, /))]
    fn update<'py>(
        &mut self,
        py: Python<'py>,
        x: PyReadonlyArray1<'py, f64>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let alpha = self.0.update(x.as_slice()?).map_err(to_py)?;
        Ok(PyArray1::from_slice(py, alpha))
    }

    /// Filtered probabilities after the last bar; None before the first.
    #[getter]
    fn alpha<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyArray1<f64>>> {
        (self.0.bars() > 0).then(|| PyArray1::from_slice(py, self.0.alpha()))
    }

    /// Log-likelihood of all bars so far.
    #[getter]
    fn log_likelihood(&self) -> f64 {
        self.0.log_likelihood()
    }

    /// Bars taken.
    #[getter]
    fn bars(&self) -> u64 {
        self.0.bars()
    }

    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.snapshot())
    }

    #[pyo3(signature = (data, /))]
    fn restore(&mut self, data: &[u8]) -> PyResult<()> {
        self.0 = k::HmmFilter::restore(data).map_err(to_py)?;
        Ok(())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let rebuild = slf.get_type().getattr("from_snapshot")?;
        let bytes = PyBytes::new(slf.py(), &slf.borrow().0.snapshot());
        Ok((rebuild, (bytes,)))
    }

    #[staticmethod]
    #[pyo3(signature = (data, /))]
    fn from_snapshot(data: &[u8]) -> PyResult<Self> {
        k::HmmFilter::restore(data).map(Self).map_err(to_py)
    }
}

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(hmm_forward_filter, m)?)?;
    m.add_class::<HmmFilter>()
}
