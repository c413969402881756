"""The checks at the border, the same for both backends: dtype, shape, contiguity, parameters, buffers."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import KernelError

FloatArray = NDArray[np.float64]


def series(name: str, x: Any, bars: int | None = None) -> FloatArray:
    """Return `x` as a C-contiguous float64 vector (a strided view is copied, nothing is cast).

    Raises
    ------
    KernelError
        If `x` is no 1-D float64 array, or not of `bars` bars.
    """
    if not isinstance(x, np.ndarray) or x.dtype != np.float64 or x.ndim != 1:
        found = f"{x.dtype} of {x.ndim} dimensions" if isinstance(x, np.ndarray) else type(x).__name__
        raise KernelError(
            "KERNEL_INPUT_TYPE",
            f"{name}: expected a 1-D float64 array, found {found}: use np.asarray(x, dtype=np.float64)",
            argument=name,
        )
    if bars is not None and x.shape[0] != bars:
        raise KernelError(
            "KERNEL_LENGTHS_DIFFER",
            f"{name}: expected {bars} bars like the first input, found {x.shape[0]}: align the arrays",
            argument=name,
        )
    return x if x.flags.c_contiguous and x.flags.aligned else np.ascontiguousarray(x)


def window(name: str, value: Any, least: int = 1) -> int:
    """Return `value` as a whole number of bars of at least `least`.

    Raises
    ------
    KernelError
        If it is no whole number or too small.
    """
    try:
        bars = -1 if isinstance(value, bool | np.bool_) else index(value)
    except TypeError:
        bars = -1
    if not least <= bars <= 1 << 31:
        raise KernelError(
            "KERNEL_WINDOW_RANGE",
            f"{name}: expected whole bars from {least} to 2^31, found {value!r}: pass a valid window",
            argument=name,
        )
    return bars


def positive(name: str, value: Any) -> float:
    """Return `value` as a finite float above 0.

    Raises
    ------
    KernelError
        If it is not.
    """
    number = float(value) if isinstance(value, int | float | np.floating | np.integer) else float("nan")
    if isinstance(value, bool) or not 0.0 < number < float("inf"):
        raise KernelError(
            "KERNEL_PARAM_RANGE", f"{name}: expected a finite number above 0, found {value!r}", argument=name
        )
    return number


def buffer(name: str, out: Any, shape: int | tuple[int, int], *inputs: FloatArray) -> FloatArray:
    """Return the caller's buffer, or a fresh array when there is none; a single number is the length of a series.

    Raises
    ------
    KernelError
        If the buffer has a wrong type, shape or layout, is read-only, or overlaps an input.
    """
    if out is None:
        return np.empty(shape)
    wanted = (shape,) if isinstance(shape, int) else shape
    good = (
        isinstance(out, np.ndarray)
        and out.dtype == np.float64
        and out.shape == wanted
        and out.flags.c_contiguous
        and out.flags.aligned
        and out.flags.writeable
    )
    if not good:
        raise KernelError(
            "KERNEL_BUFFER",
            f"{name}: expected a writeable, contiguous float64 array of shape {wanted}, found "
            f"{getattr(out, 'dtype', type(out).__name__)} of shape {getattr(out, 'shape', None)}: "
            f"pass np.empty({shape})",
            argument=name,
        )
    if any(np.may_share_memory(out, x) for x in inputs):
        raise KernelError(
            "KERNEL_BUFFER_OVERLAP",
            f"{name}: expected memory of its own, found an overlap with another array: pass separate buffers",
            argument=name,
        )
    made: FloatArray = out
    return made


def buffers(name: str, out: Any, count: int, bars: int, *inputs: FloatArray) -> list[FloatArray]:
    """Return `count` buffers: the caller's sequence of arrays or fresh ones, none overlapping another.

    Raises
    ------
    KernelError
        If the sequence has another length or a buffer is unfit.
    """
    if out is None:
        return _fresh(count, bars)
    if not isinstance(out, list | tuple | np.ndarray) or len(out) != count:
        raise KernelError(
            "KERNEL_BUFFER",
            f"{name}: expected {count} arrays, found {type(out).__name__}: pass a list of them",
            argument=name,
        )
    made: list[FloatArray] = []
    for i, o in enumerate(out):
        made.append(buffer(f"{name}[{i}]", o, bars, *inputs, *made))
    # empty views of one array share an address, which the native side takes for an overlap
    return made if bars else [np.empty(0) for _ in made]


def _fresh(count: int, bars: int) -> list[FloatArray]:
    """Return `count` new arrays, cut from blocks of up to four.

    The C library hands a large block back to the system, and fetches it anew page by page, unless one of that
    size was freed before: lines freed together and asked for together then stay in the process.
    """
    stride = max((bars + 7) // 8 * 8, 8)  # no two lines share a cache line, nor an address when empty
    lines: list[FloatArray] = []
    while len(lines) < count:
        rows = np.empty((min(4, count - len(lines)), stride))
        lines += [row[:bars] for row in rows]
    return lines
