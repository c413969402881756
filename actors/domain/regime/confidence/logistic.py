"""Logistic regression with a ridge towards a prior, by Newton steps (iteratively reweighted least squares)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_STEPS = 8
_LEAST_MOVE = 1e-8


def fit_logistic(
    rows: FloatArray, outcomes: FloatArray, *, prior: FloatArray, ridge: FloatArray
) -> FloatArray:
    """Return the coefficients that maximise log-likelihood less ``½ Σ ridge · (coefficient − prior)²``.

    Parameters
    ----------
    rows : array, shape (n, D)
    outcomes : array, shape (n,)
        0, 1, or shares.
    prior, ridge : array, shape (D,)
        `ridge` above zero: then there is one optimum, with any rows.

    Examples
    --------
    >>> x = np.array([[1.0, -1.0], [1.0, 1.0]])
    >>> fit_logistic(x, np.array([0.0, 1.0]), prior=np.zeros(2), ridge=np.ones(2)).round(3).tolist()
    [0.0, 0.675]
    """
    found = prior.astype(np.float64).copy()
    for _ in range(_STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(rows @ found, -30.0, 30.0)))
        slope = rows.T @ (outcomes - p) - ridge * (found - prior)
        curve = (rows * (p * (1.0 - p))[:, None]).T @ rows + np.diag(ridge)
        move = np.linalg.solve(curve, slope)
        # a full step may overshoot where nearly all outcomes are alike
        size = float(np.abs(move).max())
        found += move * min(1.0, 2.0 / size) if size > 0.0 else move
        if size < _LEAST_MOVE:
            break
    return found
