//! What every streaming class shares: construction, update, snapshot, restore, pickling.

/// Define the Python class of a streaming kernel whose `new` returns a `Result`.
///
/// `stream_class!(Cmf, "doc", new(window: usize), update(high, low))` takes floats and gives one;
/// `update(high, low) -> [upper, lower]` gives several: the class then has `advance` too, and an attribute for
/// each line that holds its value after the last bar (NaN before the first and after a restore).
macro_rules! stream_class {
    ($name:ident, $doc:literal, new($($p:ident: $t:ty),*), update($($a:ident),+)) => {
        #[doc = $doc]
        #[pyclass(module = "_tradecore")]
        struct $name {
            state: tradewind_kernels::$name,
        }

        impl From<tradewind_kernels::$name> for $name {
            fn from(state: tradewind_kernels::$name) -> Self {
                Self { state }
            }
        }

        impl $crate::quick::Stream for $name {
            type Bar = [f64; [$(stringify!($a)),+].len()];
            type Values = [f64; Self::LINES];
            const ARGUMENTS: &'static [&'static str] = &[$(stringify!($a)),+];
            const LINES: usize = 1;

            #[inline(always)]
            fn push(&mut self, [$($a),+]: Self::Bar) -> Self::Values {
                [self.state.update($($a),+)]
            }

            #[inline(always)]
            fn row(&mut self) -> Option<&mut $crate::quick::Row> {
                None
            }
        }

        $crate::stream::stream_methods!($name, $($p: $t),*);
    };
    (
        $name:ident, $doc:literal, new($($p:ident: $t:ty),*), update($($a:ident),+) -> [$($line:ident),+]
    ) => {
        #[doc = $doc]
        #[pyclass(module = "_tradecore")]
        struct $name {
            state: tradewind_kernels::$name,
            $(
                /// Value after the last bar; NaN before the first.
                #[pyo3(get)]
                $line: f64,
            )+
            row: $crate::quick::Row,
        }

        impl From<tradewind_kernels::$name> for $name {
            fn from(state: tradewind_kernels::$name) -> Self {
                Self { state, $($line: f64::NAN,)+ row: None }
            }
        }

        impl $crate::quick::Stream for $name {
            type Bar = [f64; [$(stringify!($a)),+].len()];
            type Values = [f64; Self::LINES];
            const ARGUMENTS: &'static [&'static str] = &[$(stringify!($a)),+];
            const LINES: usize = [$(stringify!($line)),+].len();

            #[inline(always)]
            fn push(&mut self, [$($a),+]: Self::Bar) -> Self::Values {
                ($(self.$line),+) = self.state.update($($a),+);
                [$(self.$line),+]
            }

            #[inline(always)]
            fn row(&mut self) -> Option<&mut $crate::quick::Row> {
                Some(&mut self.row)
            }
        }

        $crate::stream::stream_methods!($name, $($p: $t),*);
    };
}

/// The methods of a streaming class that are the same for all.
macro_rules! stream_methods {
    ($name:ident, $($p:ident: $t:ty),*) => {
        #[pymethods]
        impl $name {
            #[new]
            fn new($($p: $t),*) -> PyResult<Self> {
                tradewind_kernels::$name::new($($p),*).map(Self::from).map_err($crate::arrays::to_py)
            }

            fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, pyo3::types::PyBytes> {
                pyo3::types::PyBytes::new(py, &self.state.snapshot())
            }

            #[pyo3(signature = (data, /))]
            fn restore(&mut self, data: &[u8]) -> PyResult<()> {
                *self = Self::from_snapshot(data)?;
                Ok(())
            }

            fn __reduce__<'py>(
                slf: &Bound<'py, Self>,
            ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, pyo3::types::PyBytes>,))> {
                let rebuild = slf.get_type().getattr("from_snapshot")?;
                let bytes = pyo3::types::PyBytes::new(slf.py(), &slf.borrow().state.snapshot());
                Ok((rebuild, (bytes,)))
            }

            #[staticmethod]
            #[pyo3(signature = (data, /))]
            fn from_snapshot(data: &[u8]) -> PyResult<Self> {
                tradewind_kernels::$name::restore(data).map(Self::from).map_err($crate::arrays::to_py)
            }
        }
    };
}

pub(crate) use {stream_class, stream_methods};
