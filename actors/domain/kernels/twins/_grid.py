"""Where running sums restart, and how rows of blocks are laid out for NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def block_len(window: int) -> int:
    """Return the bars between two restarts: 256, or about four windows when those are longer."""
    return 256 * -(-window // 64)


def restart_limit(window: int) -> float:
    """Return the bound on |running sum| / |newest input| above which a sum restarts early."""
    return 9000.0 * float(window) / float(block_len(window))


def running_sum(x: FloatArray, start: float = -0.0) -> float:
    """Return the sum from the first value to the last, one by one (NumPy's sum is pairwise)."""
    total = start
    for v in x.tolist():
        total += v
    return total
