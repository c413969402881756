//! Prediction of a fitted tree ensemble.

use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use tradewind_kernels as k;

use crate::arrays::{run, to_py};

type Ints<'py> = PyReadonlyArray1<'py, i32>;

/// A fitted tree ensemble, checked and laid out for prediction. Immutable.
#[pyclass(module = "_tradecore", frozen)]
struct Forest(k::Forest);

#[pymethods]
impl Forest {
    #[new]
    #[pyo3(signature = (feature, threshold, left, right, value, offsets, n_features, /))]
    #[allow(clippy::too_many_arguments)] // one argument per array
    fn new(
        feature: Ints<'_>,
        threshold: PyReadonlyArray1<'_, f64>,
        left: Ints<'_>,
        right: Ints<'_>,
        value: PyReadonlyArray2<'_, f64>,
        offsets: PyReadonlyArray1<'_, i64>,
        n_features: usize,
    ) -> PyResult<Self> {
        let flat = k::Flat {
            feature: feature.as_slice()?,
            threshold: threshold.as_slice()?,
            left: left.as_slice()?,
            right: right.as_slice()?,
            value: value.as_slice()?,
            offsets: offsets.as_slice()?,
            features: n_features,
            outputs: value.shape()[1],
        };
        k::Forest::new(flat).map(Self).map_err(to_py)
    }

    /// Write the mean over the trees for each row of `rows` into `out`.
    #[pyo3(signature = (rows, out, /))]
    fn predict(
        &self,
        py: Python<'_>,
        rows: PyReadonlyArray2<'_, f64>,
        mut out: PyReadwriteArray2<'_, f64>,
    ) -> PyResult<()> {
        let (x, o) = (rows.as_slice()?, out.as_slice_mut()?);
        let (trees, _, _) = self.0.shape();
        // one bar of an indicator costs about as much as a step in a few trees
        run(py, rows.shape()[0].saturating_mul(trees), || self.0.predict(x, o))
    }
}

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Forest>()
}
