//! What a kernel may say no to; the bindings turn it into a Python `ValueError`.

use std::fmt;

/// Result of a kernel call.
pub type Result<T> = std::result::Result<T, KernelError>;

/// Misuse of a kernel: a wrong shape, a wrong parameter or a foreign snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KernelError {
    /// Two slices that must be equally long are not.
    Length {
        /// Bars in the first input.
        expected: usize,
        /// Bars in the offending slice.
        found: usize,
    },
    /// A parameter lies outside its range.
    Param(&'static str),
    /// One row of an input cannot be used.
    Row {
        /// Index of the row.
        row: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The bytes are no snapshot of this kernel.
    Snapshot(&'static str),
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { expected, found } => {
                write!(
                    f,
                    "expected {expected} bars in every array, found {found}: pass arrays of equal length"
                )
            }
            Self::Param(what) => write!(f, "parameter out of range: {what}"),
            Self::Row { row, what } => write!(f, "row {row}: {what}"),
            Self::Snapshot(what) => write!(f, "not a snapshot of this kernel: {what}"),
        }
    }
}

impl std::error::Error for KernelError {}

/// Check that `found` equals `expected`.
///
/// # Errors
/// [`KernelError::Length`] when it does not.
pub(crate) fn same_len(expected: usize, found: usize) -> Result<()> {
    if expected == found {
        Ok(())
    } else {
        Err(KernelError::Length { expected, found })
    }
}

/// Check that a window has at least `least` bars.
///
/// # Errors
/// [`KernelError::Param`] when it has fewer, or more than 2^31.
pub(crate) fn window_ok(window: usize, least: usize) -> Result<()> {
    if window < least || window > (1 << 31) {
        return Err(KernelError::Param(
            "a window must be at least the kernel's minimum and at most 2^31 bars",
        ));
    }
    Ok(())
}
