//! A shorter way into `update` and `advance`: floats in, floats out, no general argument parsing.
//!
//! PyO3's own entry takes any call shape and costs about as much as the update itself; methods of CPython's
//! plain positional kinds (`METH_O`, `METH_FASTCALL`, stable ABI) take its place on the type. `update` gives
//! every line, as a tuple when there are several; `advance` makes the same step and gives the first line only,
//! because a tuple of fresh floats costs more than the step.

use std::ffi::{CStr, CString};

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::False;
use pyo3::types::PyTuple;
use pyo3::PyClass;

use crate::floats;

/// A streaming class: some numbers per bar in, one or more out. The class macros implement it.
pub trait Stream: PyClass<Frozen = False> {
    /// Array of the numbers of one bar.
    type Bar: Default + AsMut<[f64]>;
    /// Array of the values after it.
    type Values: AsRef<[f64]>;
    /// Names of the numbers, for the signature that Python shows.
    const ARGUMENTS: &'static [&'static str];
    /// How many values there are.
    const LINES: usize;
    /// Take one bar.
    fn push(&mut self, bar: Self::Bar) -> Self::Values;
    /// Where the last tuple that was handed out is kept; None where there is one value only.
    fn row(&mut self) -> Option<&mut Row>;
}

/// The tuple of the last answer.
pub type Row = Option<Py<PyTuple>>;

/// What a method hands back of a bar's values.
trait Answer {
    const METHOD: &'static str;
    /// # Safety
    /// The interpreter lock must be held.
    unsafe fn give(values: &[f64], row: Option<&mut Row>) -> *mut ffi::PyObject;
}

/// Every value: a float, or a tuple of them.
struct Whole;
/// The first value alone.
struct First;

impl Answer for First {
    const METHOD: &'static str = "advance";
    #[inline(always)]
    unsafe fn give(values: &[f64], _: Option<&mut Row>) -> *mut ffi::PyObject {
        // SAFETY: by the caller's promise
        unsafe { ffi::PyFloat_FromDouble(values[0]) }
    }
}

impl Answer for Whole {
    const METHOD: &'static str = "update";
    #[inline(always)]
    unsafe fn give(values: &[f64], row: Option<&mut Row>) -> *mut ffi::PyObject {
        // SAFETY: by the caller's promise
        unsafe {
            match row {
                None => ffi::PyFloat_FromDouble(values[0]),
                Some(row) => tuple(values, row),
            }
        }
    }
}

/// Return the values as a tuple: the one of the bar before, if nobody but us holds it any more, and in it the
/// floats of the bar before, each if nobody but the tuple holds it.
///
/// CPython's `zip` and `enumerate` reuse their tuple alike: who keeps a tuple or a float has a reference to it,
/// and is given a new one.
///
/// # Safety
/// The interpreter lock must be held.
#[inline(always)]
unsafe fn tuple(values: &[f64], row: &mut Row) -> *mut ffi::PyObject {
    // SAFETY: a tuple is written only while its one reference is ours, so nobody else sees it change
    unsafe {
        let mut target = row.as_ref().map_or(std::ptr::null_mut(), Py::as_ptr);
        let fresh = target.is_null() || ffi::Py_REFCNT(target) != 1;
        if fresh {
            target = ffi::PyTuple_New(values.len() as ffi::Py_ssize_t);
            if target.is_null() {
                return target;
            }
            let py = Python::assume_attached();
            *row = Some(Bound::from_owned_ptr(py, target).cast_into_unchecked().unbind());
        }
        for (i, value) in values.iter().enumerate() {
            if !fresh && floats::renew(ffi::PyTuple_GetItem(target, i as ffi::Py_ssize_t), *value) {
                continue;
            }
            let item = ffi::PyFloat_FromDouble(*value);
            if item.is_null() || ffi::PyTuple_SetItem(target, i as ffi::Py_ssize_t, item) != 0 {
                *row = None;
                return std::ptr::null_mut();
            }
        }
        ffi::Py_INCREF(target);
        target
    }
}

/// Read the arguments, make the step, hand back the answer; null with an error set when that fails.
///
/// # Safety
/// The interpreter lock is held, `me` is a live `T`, `arguments` holds as many live objects as `T::Bar`.
#[inline(always)]
unsafe fn step<T: Stream, A: Answer>(
    me: *mut ffi::PyObject,
    arguments: *mut *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: by the caller's promise
    unsafe {
        let py = Python::assume_attached();
        let mut bar = T::Bar::default();
        for (i, slot) in bar.as_mut().iter_mut().enumerate() {
            match floats::read(*arguments.add(i)) {
                Some(number) => *slot = number,
                None => return std::ptr::null_mut(),
            }
        }
        let me = Bound::from_borrowed_ptr(py, me).cast_into_unchecked::<T>();
        match me.try_borrow_mut() {
            Ok(mut state) => {
                let values = state.push(bar);
                A::give(values.as_ref(), state.row())
            }
            Err(_) => {
                PyRuntimeError::new_err("a streaming object is in use by another call").restore(py);
                std::ptr::null_mut()
            }
        }
    }
}

unsafe extern "C" fn one<T: Stream, A: Answer>(
    me: *mut ffi::PyObject,
    mut x: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython calls with the lock held, a valid argument, and `me` checked to be of the type that
    // holds this method, which `install` made T's; `install` uses this entry for bars of one number
    unsafe { step::<T, A>(me, &mut x) }
}

unsafe extern "C" fn many<T: Stream, A: Answer>(
    me: *mut ffi::PyObject,
    arguments: *mut *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    let wanted = T::ARGUMENTS.len();
    if count != wanted as ffi::Py_ssize_t {
        // SAFETY: CPython calls with the lock held
        let py = unsafe { Python::assume_attached() };
        let text = format!("{}() takes exactly {wanted} arguments ({count} given)", A::METHOD);
        PyTypeError::new_err(text).restore(py);
        return std::ptr::null_mut();
    }
    // SAFETY: as in `one`; the arguments were counted
    unsafe { step::<T, A>(me, arguments) }
}

/// Text that Python may keep a pointer to for as long as the process lives.
fn forever(text: String) -> PyResult<&'static CStr> {
    let text = CString::new(text).map_err(|e| PyValueError::new_err(e.to_string()))?;
    Ok(Box::leak(text.into_boxed_c_str()))
}

fn install<T: Stream, A: Answer>(class: &Bound<'_, pyo3::types::PyType>, what: &str) -> PyResult<()> {
    let single = T::ARGUMENTS.len() == 1;
    let names = T::ARGUMENTS.join(", ");
    // the type keeps pointing at the definition, so it must live as long as the process
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: forever(A::METHOD.into())?.as_ptr(),
        ml_meth: if single {
            ffi::PyMethodDefPointer {
                PyCFunction: one::<T, A>,
            }
        } else {
            ffi::PyMethodDefPointer {
                PyCFunctionFast: many::<T, A>,
            }
        },
        ml_flags: if single { ffi::METH_O } else { ffi::METH_FASTCALL },
        ml_doc: forever(format!("{}($self, {names}, /)\n--\n\n{what}", A::METHOD))?.as_ptr(),
    }));
    // SAFETY: class is a live type object and the definition is never freed
    let method = unsafe {
        Bound::from_owned_ptr_or_err(
            class.py(),
            ffi::PyDescr_NewMethod(class.as_type_ptr(), definition),
        )?
    };
    class.setattr(A::METHOD, method)
}

/// Add the class `T` to the module, with `update`, and with `advance` if it has several lines.
pub fn add<T: Stream>(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<T>()?;
    let class = m.py().get_type::<T>();
    if T::LINES > 1 {
        install::<T, First>(
            &class,
            "Take one bar, return the first line after it; attributes hold the others.",
        )?;
        return install::<T, Whole>(&class, "Take one bar, return the lines after it.");
    }
    install::<T, Whole>(&class, "Take one bar, return the value after it.")
}
