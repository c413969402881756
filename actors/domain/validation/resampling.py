"""Positions drawn by the stationary bootstrap (Politis & Romano, 1994), and means over them as one product."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InvalidParamsError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_CELLS = 4_000_000


def stationary_positions(
    rng: np.random.Generator, length: int, *, mean_block: float, steps: int | None = None
) -> IntArray:
    """Return positions of one resample: blocks of geometric length, each from a uniform start, around the end.

    Parameters
    ----------
    rng : Generator
    length : int ≥ 1
        Of the series.
    mean_block : float ≥ 1
    steps : int, optional
        Of the resample; by default `length`.

    Raises
    ------
    InvalidParamsError
        If `length` or `mean_block` is below 1.

    Examples
    --------
    >>> x = stationary_positions(np.random.default_rng(3), 10, mean_block=4.0)
    >>> x.tolist()
    [4, 3, 4, 5, 4, 5, 6, 5, 6, 7]
    """
    if length < 1 or not mean_block >= 1.0:
        raise InvalidParamsError(
            "BOOTSTRAP_LENGTH",
            f"bootstrap: expected at least 1 bar and a mean block of 1 or more, found {length} and {mean_block}",
        )
    count = length if steps is None else steps
    fresh = rng.random(count) < 1.0 / mean_block
    fresh[0] = True
    starts = rng.integers(0, length, size=count)
    at = np.arange(count)
    begin = np.maximum.accumulate(np.where(fresh, at, 0))
    found: IntArray = (starts[begin] + (at - begin)) % length
    return found


def bootstrap_means(table: FloatArray, *, paths: int, mean_block: float, seed: int) -> FloatArray:
    """Return the column means of `paths` resamples that keep rows together, shape (paths, n_columns).

    Parameters
    ----------
    table : array, shape (n_bars, n_columns)
    paths : int
    mean_block : float ≥ 1
    seed : int

    Examples
    --------
    >>> x = np.arange(6.0).reshape(3, 2)
    >>> bootstrap_means(x, paths=2, mean_block=1.0, seed=0).shape
    (2, 2)
    """
    rng = np.random.default_rng(seed)
    bars = len(table)
    out = np.empty((paths, table.shape[1]))
    chunk = max(1, _CELLS // bars)
    for begin in range(0, paths, chunk):
        size = min(chunk, paths - begin)
        counts = np.empty((size, bars))
        for k in range(size):
            counts[k] = np.bincount(stationary_positions(rng, bars, mean_block=mean_block), minlength=bars)
        out[begin : begin + size] = counts @ table / bars
    return out
