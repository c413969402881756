"""Thins long series for drawing: the extremes of each bucket stay, so no spike is lost."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

POINTS = 2000


def keep_extremes(values: NDArray[np.float64], limit: int = POINTS) -> NDArray[np.int64]:
    """Return the sorted indices of at most `limit` points: first, last, and each bucket's lowest and highest.

    Parameters
    ----------
    values : array, shape (n,); NaN counts as neither lowest nor highest
    limit : int
        At least 4.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.zeros(10_000); v[7777] = 5.0
    >>> at = keep_extremes(v, 100)
    >>> len(at) <= 100, 7777 in at
    (True, True)
    """
    n = len(values)
    if n <= limit:
        return np.arange(n)
    buckets = (limit - 2) // 2
    edges = np.linspace(0, n, buckets + 1).astype(np.int64)
    keep = {0, n - 1}
    for start, end in itertools.pairwise(edges):
        piece = values[start:end]
        if not np.isnan(piece).all():
            keep.add(int(start + np.nanargmin(piece)))
            keep.add(int(start + np.nanargmax(piece)))
    return np.array(sorted(keep), dtype=np.int64)


def evenly(n: int, limit: int = POINTS) -> NDArray[np.int64]:
    """Return at most `limit` indices spread over ``range(n)``, first and last included.

    Examples
    --------
    >>> evenly(10, 4).tolist()
    [0, 3, 6, 9]
    """
    if n <= limit:
        return np.arange(n)
    return np.unique(np.linspace(0, n - 1, limit).round().astype(np.int64))


def majority(labels: Sequence[str], limit: int = POINTS) -> tuple[list[int], list[str]]:
    """Return ``(first index, most frequent label)`` of at most `limit` buckets.

    Examples
    --------
    >>> majority(["a", "a", "b", "b"], 2)
    ([0, 2], ['a', 'b'])
    """
    n = len(labels)
    if n <= limit:
        return list(range(n)), list(labels)
    edges = np.linspace(0, n, limit + 1).astype(int).tolist()
    starts, out = [], []
    for start, end in itertools.pairwise(edges):
        counts: dict[str, int] = {}
        for label in labels[start:end]:
            counts[label] = counts.get(label, 0) + 1
        starts.append(start)
        out.append(max(counts, key=lambda label: counts[label]))
    return starts, out
