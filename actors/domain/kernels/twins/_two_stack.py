"""Sliding-window folds by two stacks: the twin of ``two_stack.rs``, same order of operations.

Blocks of ``window`` bars start at index 0; a window is the suffix of one block and the prefix of the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, nan
from typing import Protocol, Self

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray

Fold = Callable[[float, float], float]


class Accumulator(Protocol):
    """A NumPy ufunc as far as it is needed here."""

    def __call__(self, a: FloatArray, b: FloatArray, /) -> FloatArray:
        """Combine element by element."""

    def accumulate(self, array: FloatArray, axis: int) -> FloatArray:
        """Combine along an axis, in order."""


def add(older: float, newer: float) -> float:
    """Sum."""
    return older + newer


def larger(older: float, newer: float) -> float:
    """Larger value; NaN if either is."""
    return older if older > newer or older != older else newer


def smaller(older: float, newer: float) -> float:
    """Smaller value; NaN if either is."""
    return older if older < newer or older != older else newer


def divide(a: float, b: float) -> float:
    """Divide as IEEE 754 does: by zero gives an infinity or NaN, not an exception."""
    if b != 0.0:
        return a / b
    return nan if a == 0.0 or a != a else inf if (a > 0.0) == (str(b)[0] != "-") else -inf


def rolling(op: Accumulator, x: FloatArray, window: int) -> FloatArray:
    """Fold every window of `x`; NaN before index ``window - 1`` and where the window holds a NaN."""
    bars = x.shape[0]
    if not bars:
        return np.empty(0)
    rows = -(-bars // window)
    blocks = np.full(rows * window, np.nan)
    blocks[:bars] = x
    blocks = blocks.reshape(rows, window)
    with np.errstate(invalid="ignore", over="ignore"):
        result = op.accumulate(blocks, axis=1)
        suffix = op.accumulate(blocks[:-1, ::-1], axis=1)[:, ::-1]
        result[1:, :-1] = op(suffix[:, 1:], result[1:, :-1])
    result[0, :-1] = np.nan
    return result.reshape(-1)[:bars]


class Window:
    """Fold of the last `window` values of a stream."""

    __slots__ = ("_block", "_fold", "_prefix", "_suffix", "_window")

    def __init__(self, window: int, fold: Fold) -> None:
        self._window, self._fold = window, fold
        self._block: list[float] = []
        self._suffix = [nan] * window
        self._prefix = 0.0

    def push(self, x: float) -> float:
        """Add a value; NaN until the window is full."""
        block = self._block
        self._prefix = self._fold(self._prefix, x) if block else x
        block.append(x)
        if len(block) < self._window:
            return self._fold(self._suffix[len(block)], self._prefix)
        acc = x
        suffix = [x]
        for v in block[-2::-1]:
            acc = self._fold(v, acc)
            suffix.append(acc)
        self._suffix = suffix[::-1]
        self._block = []
        return self._prefix

    def write(self, w: Writer) -> Writer:
        """Append the state to a snapshot."""
        offset = len(self._block)
        return w.u64(offset).f64s(self._block).f64s([0.0] * (self._window - offset)).f64s(self._suffix)

    @classmethod
    def read(cls, r: Reader, window: int, fold: Fold) -> Self:
        """Read what `write` wrote."""
        offset = r.u64()
        if offset >= window:
            raise ValueError("not a snapshot of this kernel: the offset lies outside its block")
        me = cls(window, fold)
        block: Sequence[float] = r.f64s(window)
        me._block = list(block[:offset])
        me._suffix = list(r.f64s(window))
        for j, x in enumerate(me._block):
            me._prefix = fold(me._prefix, x) if j else x
        return me
