"""Features of the published studies, and those of them that a live detector may use.

The published ones look ahead: differences to the next bar, centred and right windows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
WINDOWS = (5, 13)


def published(y: FloatArray, windows: tuple[int, ...] = WINDOWS) -> FloatArray:
    """Return nine features for each window length, shape (n, 9 · windows). **Not causal.**

    They are y, the absolute differences to both neighbours, and mean and deviation (ddof 0) of the left, centred and
    right window; the first three stand once for each length. Windows are cut at the edges; the difference that an edge
    lacks is 0.
    """
    gap = np.abs(np.diff(y))
    columns: list[FloatArray] = []
    n = y.shape[0]
    at = np.arange(n)
    for length in windows:
        columns += [y, np.append(0.0, gap), np.append(gap, 0.0)]
        half = (length - 1) // 2
        for low, high in ((at - length + 1, at), (at - half, at + half), (at, at + length - 1)):
            columns += _moments(y, np.maximum(low, 0), np.minimum(high, n - 1))
    return np.column_stack(columns)


def backward(y: FloatArray, windows: tuple[int, ...] = (6, 14)) -> FloatArray:
    """Return the features of the continuous jump model's three-state study, shape (n, 3 + 6 · windows).

    They are y, the absolute differences of the last two steps, and mean and deviation (ddof 1) of each window that ends
    at the bar, of its older half and of its newer half. Windows are cut at the start, where the printed study had
    bars before the first; a difference or deviation that the start lacks is 0.
    """
    gap = np.append(0.0, np.abs(np.diff(y)))
    columns = [y, gap, np.append(0.0, gap[:-1])]
    at = np.arange(y.shape[0])
    for length in windows:
        half = length // 2
        for low, high in ((length - 1, 0), (length - 1, half), (half - 1, 0)):
            ends = np.maximum(at - high, 0)
            mean, deviation = _moments(y, np.minimum(np.maximum(at - low, 0), ends), ends)
            count = ends - np.minimum(np.maximum(at - low, 0), ends) + 1
            columns += [mean, deviation * np.sqrt(count / np.maximum(count - 1, 1))]
    return np.column_stack(columns)


def causal(y: FloatArray, windows: tuple[int, ...] = WINDOWS) -> FloatArray:
    """Return y, the absolute difference to the bar before, and mean and deviation of the left windows,
    shape (n, 2 + 2 · windows).

    Examples
    --------
    >>> causal(np.array([1.0, 3.0, 2.0]), (2,)).tolist()
    [[1.0, 0.0, 1.0, 0.0], [3.0, 2.0, 2.0, 1.0], [2.0, 1.0, 2.5, 0.5]]
    """
    columns = [y, np.append(0.0, np.abs(np.diff(y)))]
    at = np.arange(y.shape[0])
    for length in windows:
        columns += _moments(y, np.maximum(at - length + 1, 0), at)
    return np.column_stack(columns)


def _moments(y: FloatArray, low: NDArray[np.int64], high: NDArray[np.int64]) -> list[FloatArray]:
    """Mean and deviation of ``y[low..high]`` at each bar; window by window, so that a bar depends on its own only."""
    longest = int((high - low).max()) + 1
    offsets = np.arange(longest)
    inside = offsets <= (high - low)[:, None]
    values = np.where(inside, y[np.minimum(low[:, None] + offsets, y.shape[0] - 1)], 0.0)
    count = inside.sum(axis=1)
    mean = values.sum(axis=1) / count
    away = np.where(inside, values - mean[:, None], 0.0)
    return [mean, np.sqrt((away * away).sum(axis=1) / count)]


class Scaler:
    """Clips at three deviations and standardises, with moments of what it was made from.

    Parameters
    ----------
    rows : array, shape (n, D)
    """

    def __init__(self, rows: FloatArray) -> None:
        self._centre, spread = rows.mean(axis=0), rows.std(axis=0)
        self._spread = np.where(spread > 0.0, spread, 1.0)
        held = np.clip((rows - self._centre) / self._spread, -3.0, 3.0)
        self._shift, width = held.mean(axis=0), held.std(axis=0)
        self._width = np.where(width > 0.0, width, 1.0)

    def __call__(self, rows: FloatArray) -> FloatArray:
        held = np.clip((rows - self._centre) / self._spread, -3.0, 3.0)
        return np.ascontiguousarray((held - self._shift) / self._width)
