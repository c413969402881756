//! Jump model: fit and online decode.

use numpy::{
    PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1, PyReadwriteArray2, PyReadwriteArray3,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tradewind_kernels::jump as k;

use crate::arrays::{run, to_py};

#[pyfunction]
#[pyo3(signature = (x, centres, points, costs, penalty, max_iterations, tolerance, threads, labels, out, /))]
#[allow(clippy::too_many_arguments)] // two inputs, the grid, the rules and two outputs, as Python passes them
fn jump_fit(
    py: Python<'_>,
    x: PyReadonlyArray2<'_, f64>,
    mut centres: PyReadwriteArray3<'_, f64>,
    points: PyReadonlyArray2<'_, f64>,
    costs: PyReadonlyArray2<'_, f64>,
    penalty: f64,
    max_iterations: usize,
    tolerance: f64,
    threads: usize,
    mut labels: PyReadwriteArray1<'_, i64>,
    mut out: PyReadwriteArray2<'_, f64>,
) -> PyResult<usize> {
    let (starts, states, features) = (centres.shape()[0], centres.shape()[1], centres.shape()[2]);
    if starts == 0 || x.shape()[1] != features || out.shape() != [starts, k::JUMP_FIGURES] {
        return Err(PyValueError::new_err(
            "expected centres S x K x D and three figures for each start",
        ));
    }
    let grid = if points.shape()[0] == 0 {
        k::Grid::States(penalty)
    } else {
        if points.shape()[1] != states {
            return Err(PyValueError::new_err("expected a grid N x K"));
        }
        k::Grid::Simplex(points.as_slice()?, costs.as_slice()?)
    };
    let rules = k::JumpRules {
        max_iterations,
        tolerance,
        threads,
    };
    let (x, c, l) = (x.as_slice()?, centres.as_slice_mut()?, labels.as_slice_mut()?);
    let mut figures = vec![[0.0; k::JUMP_FIGURES]; starts];
    let mut best = 0;
    run(py, x.len().saturating_mul(starts), || {
        best = k::jump_fit(x, c, features, states, grid, rules, l, &mut figures)?;
        Ok(())
    })?;
    out.as_slice_mut()?.copy_from_slice(figures.as_flattened());
    Ok(best)
}

/// Online decode of a fitted jump model.
#[pyclass(module = "_tradecore")]
struct JumpFilter(k::JumpFilter);

#[pymethods]
impl JumpFilter {
    #[new]
    #[pyo3(signature = (centres, penalty, /))]
    fn new(centres: PyReadonlyArray2<'_, f64>, penalty: f64) -> PyResult<Self> {
        let states = centres.shape()[0];
        k::JumpFilter::new(states, centres.as_slice()?, penalty)
            .map(Self)
            .map_err(to_py)
    }

    /// Take one bar (a vector of features); the values of the states, 0 for the best.
    #[pyo3(signature = (x, /))]
    fn update<'py>(
        &mut self,
        py: Python<'py>,
        x: PyReadonlyArray1<'py, f64>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let values = self.0.update(x.as_slice()?).map_err(to_py)?;
        Ok(PyArray1::from_slice(py, values))
    }

    /// Take many bars; their values go to `values`.
    #[pyo3(signature = (x, values, /))]
    fn run(
        &mut self,
        py: Python<'_>,
        x: PyReadonlyArray2<'_, f64>,
        mut values: PyReadwriteArray2<'_, f64>,
    ) -> PyResult<()> {
        if x.shape()[1] != self.0.shape().1 {
            return Err(PyValueError::new_err(format!(
                "expected {} features",
                self.0.shape().1
            )));
        }
        let (x, values) = (x.as_slice()?, values.as_slice_mut()?);
        run(py, x.len(), || self.0.run(x, values))
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
        self.0 = k::JumpFilter::restore(data).map_err(to_py)?;
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
        k::JumpFilter::restore(data).map(Self).map_err(to_py)
    }
}

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_function(wrap_pyfunction!(jump_fit, m)?)?;
    m.add_class::<JumpFilter>()
}
