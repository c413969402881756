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
