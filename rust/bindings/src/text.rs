//! Scorer of headlines.

use numpy::{PyReadwriteArray2, PyUntypedArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};
use tradewind_kernels as k;

use crate::arrays::to_py;

type Explained = Vec<(usize, usize, i32, f64, f64, u32)>;

/// A lexicon laid out for scoring. Immutable.
#[pyclass(module = "_tradecore", frozen)]
struct TextScorer(k::TextScorer);

/// Call `f` with the characters of a text; a lone surrogate, which no UTF-8 can hold, is a replacement character.
fn with_chars<T>(
    text: &Bound<'_, PyString>,
    f: impl FnOnce(&mut dyn Iterator<Item = char>) -> T,
) -> PyResult<T> {
    if let Ok(plain) = text.to_str() {
        return Ok(f(&mut plain.chars()));
    }
    let raw = text.call_method1("encode", ("utf-32-le", "surrogatepass"))?;
    let raw = raw.cast::<PyBytes>()?.as_bytes();
    let mut chars = raw.chunks_exact(4).map(|b| {
        let code = u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    });
    Ok(f(&mut chars))
}

#[pymethods]
impl TextScorer {
    #[new]
    #[pyo3(signature = (texts, kinds, values, /))]
    fn new(texts: Vec<String>, kinds: Vec<i64>, values: Vec<f64>) -> PyResult<Self> {
        k::TextScorer::new(&texts, &kinds, &values)
            .map(Self)
            .map_err(to_py)
    }

    /// Write score, words, known words, hits and truncated (0 or 1) of each text into `out`.
    #[pyo3(signature = (texts, out, /))]
    fn score(&self, texts: &Bound<'_, PyList>, mut out: PyReadwriteArray2<'_, f64>) -> PyResult<()> {
        if out.shape() != [texts.len(), k::TEXT_COLUMNS] {
            return Err(PyValueError::new_err(format!(
                "expected an output of {} rows and {} columns",
                texts.len(),
                k::TEXT_COLUMNS
            )));
        }
        let mut scratch = k::TextScratch::default();
        let rows = out.as_slice_mut()?.chunks_exact_mut(k::TEXT_COLUMNS);
        for ((at, item), row) in texts.iter().enumerate().zip(rows) {
            let mut found = [f64::NAN, 0.0, 0.0, 0.0, 0.0];
            if !item.is_none() {
                let Ok(text) = item.cast::<PyString>() else {
                    return Err(PyTypeError::new_err(format!(
                        "row {at}: expected str or None, found {}",
                        item.get_type().name()?
                    )));
                };
                match text.to_str() {
                    Ok(plain) => self.0.score(plain.chars(), &mut scratch, &mut found),
                    Err(_) => with_chars(text, |c| self.0.score(c, &mut scratch, &mut found))?,
                }
            }
            row.copy_from_slice(&found);
        }
        Ok(())
    }

    /// Return `(begin, end, term, value, contribution, rules)` of each term that counts.
    #[pyo3(signature = (text, /))]
    fn explain(&self, text: &Bound<'_, PyString>) -> PyResult<Explained> {
        let hits = with_chars(text, |c| self.0.explain(c))?;
        Ok(hits
            .iter()
            .map(|h| (h.begin, h.end, h.term, h.value, h.worth, h.rules))
            .collect())
    }
}

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<TextScorer>()
}
