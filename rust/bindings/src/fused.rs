//! Several indicators at once: nine features over arrays, fifteen values per streamed bar.

use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1, PyReadwriteArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tradewind_kernels as k;

use crate::arrays::{run, to_py};

type In<'py> = PyReadonlyArray1<'py, f64>;
type Out<'py> = PyReadwriteArray1<'py, f64>;

#[pyfunction]
#[pyo3(signature = (high, low, close, windows, k_dev, out, /))]
fn fused(
    py: Python<'_>,
    high: In<'_>,
    low: In<'_>,
    close: In<'_>,
    windows: [usize; 7],
    k_dev: f64,
    mut out: Vec<Out<'_>>,
) -> PyResult<()> {
    let bars = k::Bars {
        high: high.as_slice()?,
        low: low.as_slice()?,
        close: close.as_slice()?,
    };
    let mut slices = Vec::with_capacity(9);
    for o in &mut out {
        slices.push(o.as_slice_mut()?);
    }
    let slices: [&mut [f64]; 9] = slices
        .try_into()
        .map_err(|_| PyValueError::new_err("expected nine output arrays"))?;
    let [sma, ema, rsi, line, signal, histogram, upper, lower, atr] = slices;
    let macd = k::MacdOut {
        line,
        signal,
        histogram,
    };
    let out = k::FusedOut {
        sma,
        ema,
        rsi,
        macd,
        upper,
        lower,
        atr,
    };
    let [s, e, r, fast, slow, sig, a] = windows;
    let p = k::FusedParams {
        sma: s,
        ema: e,
        rsi: r,
        macd: [fast, slow, sig],
        k: k_dev,
        atr: a,
    };
    run(py, bars.close.len(), || k::fused(bars, p, out))
}

/// Streaming set of indicators: one call and one row of values per bar.
#[pyclass(module = "_tradecore")]
struct IndicatorSet {
    set: k::IndicatorSet,
    row: Py<PyArray1<f64>>,
}

impl IndicatorSet {
    fn around(py: Python<'_>, set: k::IndicatorSet) -> Self {
        let row = PyArray1::from_slice(py, &[f64::NAN; k::COLUMNS.len()]);
        Self {
            set,
            row: row.unbind(),
        }
    }
}

#[pymethods]
impl IndicatorSet {
    #[new]
    #[pyo3(signature = (windows, k_dev, /))]
    fn new(py: Python<'_>, windows: [usize; 8], k_dev: f64) -> PyResult<Self> {
        let [sma, ema, rsi, fast, slow, signal, bands, atr_adx] = windows;
        let macd = [fast, slow, signal];
        let p = k::SetParams {
            sma,
            ema,
            rsi,
            macd,
            bands,
            k: k_dev,
            atr: atr_adx,
            adx: atr_adx,
        };
        k::IndicatorSet::new(p)
            .map(|set| Self::around(py, set))
            .map_err(to_py)
    }

    /// Take one bar, return the row of values: one array, overwritten by every call.
    #[pyo3(signature = (open, high, low, close, volume, /))]
    fn update<'py>(
        &mut self,
        py: Python<'py>,
        open: f64,
        high: f64,
        low: f64,
        close: f64,
        volume: f64,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let _ = open; // no indicator of this set uses it; the caller passes whole bars
        let values = self.set.update(k::Bar {
            high,
            low,
            close,
            volume,
        });
        let row = self.row.bind(py);
        // SAFETY: the lock is held and no Rust borrow of the row outlives a call
        unsafe { row.as_slice_mut()? }.copy_from_slice(&values);
        Ok(row.clone())
    }

    /// Return the state as bytes, the same as the Python twin's.
    fn snapshot<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.set.snapshot())
    }

    /// Replace the state by that of a snapshot of the same kind; the row keeps its last values.
    #[pyo3(signature = (data, /))]
    fn restore(&mut self, data: &[u8]) -> PyResult<()> {
        self.set = k::IndicatorSet::restore(data).map_err(to_py)?;
        Ok(())
    }

    /// Return a new object with the state of a snapshot.
    #[staticmethod]
    #[pyo3(signature = (data, /))]
    fn from_snapshot(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        k::IndicatorSet::restore(data)
            .map(|set| Self::around(py, set))
            .map_err(to_py)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let rebuild = slf.get_type().getattr("from_snapshot")?;
        let bytes = PyBytes::new(slf.py(), &slf.borrow().set.snapshot());
        Ok((rebuild, (bytes,)))
    }
}

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("SET_COLUMNS", k::COLUMNS)?;
    m.add_function(wrap_pyfunction!(fused, m)?)?;
    m.add_class::<IndicatorSet>()
}
