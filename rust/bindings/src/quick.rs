//! A shorter way into `update(x) -> float`: one argument, no argument parsing.
//!
//! PyO3's own entry takes any call shape and costs about as much as the update itself; a method of CPython's
//! one-argument kind (`METH_O`, stable ABI) takes its place on the type.

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::False;
use pyo3::PyClass;

/// A streaming class that takes one number per bar and gives one.
pub trait Scalar: PyClass<Frozen = False> {
    /// Take one bar.
    fn push(&mut self, x: f64) -> f64;
}

/// Let `$name.update` go to `tradewind_kernels::$name::update` by the short way.
macro_rules! scalar {
    ($($name:ident),+) => {
        $(impl $crate::quick::Scalar for $name {
            #[inline]
            fn push(&mut self, x: f64) -> f64 {
                self.0.update(x)
            }
        })+
    };
}
pub(crate) use scalar;

unsafe extern "C" fn update<T: Scalar>(me: *mut ffi::PyObject, x: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: CPython calls with the lock held, a valid argument, and `me` checked to be of the type that
    // holds this method, which `install` made T's
    unsafe {
        let py = Python::assume_attached();
        let value = ffi::PyFloat_AsDouble(x);
        if value == -1.0 && !ffi::PyErr_Occurred().is_null() {
            return std::ptr::null_mut();
        }
        let me = Bound::from_borrowed_ptr(py, me).cast_into_unchecked::<T>();
        let result = match me.try_borrow_mut() {
            Ok(mut state) => state.push(value),
            Err(_) => {
                PyRuntimeError::new_err("a streaming object is in use by another call").restore(py);
                return std::ptr::null_mut();
            }
        };
        ffi::PyFloat_FromDouble(result)
    }
}

/// Put the short `update` on the class `T`.
pub fn install<T: Scalar>(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<T>();
    // the type keeps pointing at the definition, so it must live as long as the process
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: c"update".as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunction: update::<T>,
        },
        ml_flags: ffi::METH_O,
        ml_doc: c"update($self, x, /)\n--\n\nTake one bar, return the value after it.".as_ptr(),
    }));
    // SAFETY: class is a live type object and the definition is never freed
    let method =
        unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyDescr_NewMethod(class.as_type_ptr(), definition))? };
    class.setattr("update", method)
}
