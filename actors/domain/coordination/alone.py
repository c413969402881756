"""One strategy alone: what pooling and conflict resolution come to when there is nobody else, as columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actors.domain.coordination.aggregation import MAX_CONFIDENCE, NOTHING

FloatArray = NDArray[np.float64]


def alone(direction: FloatArray, confidence: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the pooled ``(direction, confidence)`` of a single member of weight 1.

    Equal to `aggregation.pool` followed by `conflicts.resolve`, to the bit: the same operations in the same
    order.

    Parameters
    ----------
    direction, confidence : array, shape (n_bars,)
        In [-1, 1] and [0, 1].

    Examples
    --------
    >>> [x.tolist() for x in alone(np.array([1.0, -0.5, 1.0]), np.array([0.5, 0.2, 0.0]))]
    [[1.0, -0.5, 0.0], [0.5, 0.2, 0.0]]
    """
    held = np.minimum(confidence, MAX_CONFIDENCE)
    precision = held / (1.0 - held)
    spoken = precision >= NOTHING
    pooled = np.zeros_like(direction)
    np.divide(precision * direction, precision, out=pooled, where=spoken)
    return pooled, np.where(spoken, confidence, 0.0)
