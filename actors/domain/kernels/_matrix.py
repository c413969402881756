"""Border checks for matrices, beside those for series in ``_checks``."""

from __future__ import annotations

from typing import Any

import numpy as np

from actors.domain.errors import KernelError
from actors.domain.kernels._checks import FloatArray


def matrix(name: str, x: Any, rows: int | None = None, columns: int | None = None) -> FloatArray:
    """Return `x` as a C-contiguous float64 matrix (a strided view is copied, nothing is cast).

    Raises
    ------
    KernelError
        If `x` is no 2-D float64 array, has no column, or not the wanted shape.
    """
    if not isinstance(x, np.ndarray) or x.dtype != np.float64 or x.ndim != 2:
        found = f"{x.dtype} of {x.ndim} dimensions" if isinstance(x, np.ndarray) else type(x).__name__
        raise KernelError(
            "KERNEL_INPUT_TYPE",
            f"{name}: expected a 2-D float64 array, found {found}: "
            "convert with np.asarray(x, dtype=np.float64)",
            argument=name,
        )
    wanted = (x.shape[0] if rows is None else rows, x.shape[1] if columns is None else columns)
    if x.shape != wanted or x.shape[1] == 0:
        raise KernelError(
            "KERNEL_SHAPE",
            f"{name}: expected {wanted[0]} rows of {wanted[1] or 'some'} columns, found shape {x.shape}",
            argument=name,
        )
    return x if x.flags.c_contiguous and x.flags.aligned else np.ascontiguousarray(x)


def matrix_buffer(name: str, out: Any, shape: tuple[int, int], *inputs: FloatArray) -> FloatArray:
    """Return the caller's buffer, or a fresh matrix when there is none.

    Raises
    ------
    KernelError
        If the buffer has a wrong type, shape or layout, is read-only, or overlaps an input.
    """
    if out is None:
        return np.empty(shape)
    good = (
        isinstance(out, np.ndarray)
        and out.dtype == np.float64
        and out.shape == shape
        and out.flags.c_contiguous
        and out.flags.aligned
        and out.flags.writeable
    )
    if not good:
        raise KernelError(
            "KERNEL_BUFFER",
            f"{name}: expected a writeable, contiguous float64 array of shape {shape}, found "
            f"{getattr(out, 'dtype', type(out).__name__)} of shape {getattr(out, 'shape', None)}: "
            f"pass np.empty({shape})",
            argument=name,
        )
    if any(np.may_share_memory(out, x) for x in inputs):
        raise KernelError(
            "KERNEL_BUFFER_OVERLAP",
            f"{name}: expected memory of its own, found an overlap with another array",
            argument=name,
        )
    checked: FloatArray = out
    return checked
