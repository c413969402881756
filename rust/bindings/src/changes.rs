//! Change points online, and GARCH variances.

use numpy::{PyReadonlyArray1, PyReadwriteArray1, PyReadwriteArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tradewind_kernels as k;

use crate::arrays::{run, to_py};

/// Bayesian online change-point detection of mean and variance.
#[pyclass(module = "_tradecore")]
struct Bocpd(k::Bocpd);

#[pymethods]
impl Bocpd {
    #[new]
    #[pyo3(signature = (hazard, mean, kappa, alpha, beta, max_run, recent, /))]
    fn new(
        hazard: f64,
        mean: f64,
        kappa: f64,
        alpha: f64,
        beta: f64,
        max_run: usize,
        recent: usize,
    ) -> PyResult<Self> {
        let params = k::BocpdParams {
            hazard,
            mean,
            kappa,
            alpha,
            beta,
            max_run,
            recent,
        };
        k::Bocpd::new(params).map(Self).map_err(to_py)
    }

    /// Take one bar; P(run <= recent), mean run, most likely run, surprise.
    #[pyo3(signature = (x, /))]
    fn update(&mut self, x: f64) -> PyResult<(f64, f64, f64, f64)> {
        let [recent, mean, likely, surprise] = self.0.update(x).map_err(to_py)?;
        Ok((recent, mean, likely, surprise))
    }

    /// Take many bars; their four values go to the rows of `out`.
    #[pyo3(signature = (x, out, /))]
    fn run(
        &mut self,
        py: Python<'_>,
        x: PyReadonlyArray1<'_, f64>,
        mut out: PyReadwriteArray2<'_, f64>,
    ) -> PyResult<()> {
        if out.shape() != [x.shape()[0], 4] {
            return Err(PyValueError::new_err("expected out of shape (n, 4)"));
        }
        let (x, out) = (x.as_slice()?, out.as_slice_mut()?);
        run(py, x.len().saturating_mul(64), || {
            for (&x, row) in x.iter().zip(out.chunks_mut(4)) {
                row.copy_from_slice(&self.0.update(x)?);
            }
            Ok(())
        })
    }

    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.snapshot())
    }

    #[pyo3(signature = (data, /))]
    fn restore(&mut self, data: &[u8]) -> PyResult<()> {
        self.0 = k::Bocpd::restore(data).map_err(to_py)?;
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
        k::Bocpd::restore(data).map(Self).map_err(to_py)
    }
}

#[pyfunction]
#[pyo3(signature = (returns, omega, alpha, gamma, beta, first, dof, out, /))]
#[allow(clippy::too_many_arguments)] // one input, six parameters and one output, as Python passes them
fn garch_filter(
    py: Python<'_>,
    returns: PyReadonlyArray1<'_, f64>,
    omega: f64,
    alpha: f64,
    gamma: f64,
    beta: f64,
    first: f64,
    dof: f64,
    mut out: PyReadwriteArray1<'_, f64>,
) -> PyResult<f64> {
    let params = k::GarchParams {
        omega,
        alpha,
        gamma,
        beta,
        first,
        dof,
    };
    let (r, v) = (returns.as_slice()?, out.as_slice_mut()?);
    let mut total = f64::NAN;
    run(py, r.len(), || {
        total = k::garch_filter(r, params, v)?;
        Ok(())
    })?;
    Ok(total)
}

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(garch_filter, m)?)?;
    m.add_class::<Bocpd>()
}
