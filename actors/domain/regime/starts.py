"""Starting centres for clusterings: k-means++ (Arthur and Vassilvitskii 2007), drawn from a seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def kmeans_starts(x: FloatArray, states: int, starts: int, seed: int) -> FloatArray:
    """Return centres drawn from the rows of `x`, each with probability as its squared distance to those before.

    Parameters
    ----------
    x : array, shape (n, D), n ≥ 1
    states, starts, seed : int

    Returns
    -------
    array, shape (starts, states, D)

    Examples
    --------
    >>> x = np.array([[0.0], [0.1], [9.0], [9.1]])
    >>> sorted(abs(c) > 5 for c in kmeans_starts(x, 2, 1, 7)[0, :, 0].tolist())
    [False, True]
    """
    rng = np.random.default_rng(seed)
    out = np.empty((starts, states, x.shape[1]))
    for s in range(starts):
        out[s, 0] = x[rng.integers(x.shape[0])]
        near = np.full(x.shape[0], np.inf)
        for k in range(1, states):
            near = np.minimum(near, ((x - out[s, k - 1]) ** 2).sum(axis=1))
            total = near.sum()
            # rows that are all alike leave nothing to choose by distance
            at = rng.choice(x.shape[0], p=near / total) if total > 0.0 else rng.integers(x.shape[0])
            out[s, k] = x[at]
    return out
