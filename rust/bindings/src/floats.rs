//! The number inside a Python float, read and written where it lies.
//!
//! The stable ABI reaches it by calls only, and a fresh float costs more than most streaming updates. CPython has
//! kept it right behind the object's head since 1.5, but does not promise to; so [`probe`] looks at the running
//! interpreter once, when the module is loaded, and where it does not lie there the calls are made as ever.

use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyType};

static BEHIND_HEAD: AtomicBool = AtomicBool::new(false);

/// Find out whether a float of this interpreter is a head and one double, and remember it.
pub fn probe(py: Python<'_>) -> PyResult<()> {
    let size: usize = PyType::new::<PyFloat>(py).getattr("__basicsize__")?.extract()?;
    let plain = size == std::mem::size_of::<ffi::PyObject>() + std::mem::size_of::<f64>()
        && [1.5, -6.25e-300, f64::INFINITY, -0.0].into_iter().all(|x: f64| {
            let float = PyFloat::new(py, x);
            // SAFETY: the object is `size` bytes long, and an f64 fits exactly behind its head
            x.to_bits() == unsafe { number(float.as_ptr()).read() }.to_bits()
        });
    BEHIND_HEAD.store(plain, Ordering::Relaxed);
    Ok(())
}

/// Where the number of a float lies if the probe found it there.
#[inline(always)]
fn number(float: *mut ffi::PyObject) -> *mut f64 {
    float.wrapping_add(1).cast()
}

/// Return the number of any object that has one; None with an error set when it has none.
///
/// # Safety
/// The interpreter lock must be held and the object alive.
#[inline(always)]
pub unsafe fn read(object: *mut ffi::PyObject) -> Option<f64> {
    // SAFETY: an object whose very type is float has the layout that was probed
    unsafe {
        if BEHIND_HEAD.load(Ordering::Relaxed) && ffi::PyFloat_CheckExact(object) != 0 {
            return Some(number(object).read());
        }
        let value = ffi::PyFloat_AsDouble(object);
        (value != -1.0 || ffi::PyErr_Occurred().is_null()).then_some(value)
    }
}

/// Make a float that nobody but one owner has seen hold another number; false where that cannot be done.
///
/// # Safety
/// The interpreter lock must be held, and the object be a float made by this module whose owner asks.
#[inline(always)]
pub unsafe fn renew(float: *mut ffi::PyObject, value: f64) -> bool {
    // SAFETY: one reference means that nobody else can see the number change
    unsafe {
        let alone = BEHIND_HEAD.load(Ordering::Relaxed) && ffi::Py_REFCNT(float) == 1;
        if alone {
            number(float).write(value);
        }
        alone
    }
}
