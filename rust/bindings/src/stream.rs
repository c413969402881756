//! What every streaming class shares: construction, update, snapshot, restore, pickling.

/// Define the Python class of a streaming kernel whose `new` returns a `Result`.
///
/// `stream_class!(Cmf, "doc", new(window: usize), update(high, low) -> f64)`: all arguments of `update`
/// are floats.
macro_rules! stream_class {
    ($name:ident, $doc:literal, new($($p:ident: $t:ty),*), update($($a:ident),+) -> $out:ty) => {
        #[doc = $doc]
        #[pyclass(module = "_tradecore")]
        struct $name(tradewind_kernels::$name);

        #[pymethods]
        impl $name {
            #[new]
            fn new($($p: $t),*) -> PyResult<Self> {
                tradewind_kernels::$name::new($($p),*).map(Self).map_err($crate::arrays::to_py)
            }

            #[pyo3(signature = ($($a),+, /))]
            fn update(&mut self, $($a: f64),+) -> $out {
                self.0.update($($a),+)
            }

            fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, pyo3::types::PyBytes> {
                pyo3::types::PyBytes::new(py, &self.0.snapshot())
            }

            #[pyo3(signature = (data, /))]
            fn restore(&mut self, data: &[u8]) -> PyResult<()> {
                self.0 = tradewind_kernels::$name::restore(data).map_err($crate::arrays::to_py)?;
                Ok(())
            }

            fn __reduce__<'py>(
                slf: &Bound<'py, Self>,
            ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, pyo3::types::PyBytes>,))> {
                let rebuild = slf.get_type().getattr("from_snapshot")?;
                let bytes = pyo3::types::PyBytes::new(slf.py(), &slf.borrow().0.snapshot());
                Ok((rebuild, (bytes,)))
            }

            #[staticmethod]
            #[pyo3(signature = (data, /))]
            fn from_snapshot(data: &[u8]) -> PyResult<Self> {
                tradewind_kernels::$name::restore(data).map(Self).map_err($crate::arrays::to_py)
            }
        }
    };
}

pub(crate) use stream_class;
