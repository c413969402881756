"""Components that cheat on purpose; the contract suite must catch each."""

from __future__ import annotations

import numpy as np

from actors.domain.registry import Params
from actors.domain.state import Stateful

SHARED: list[float] = []


class PeeksOneBar:
    """Batch form that uses the next close."""

    def batch(self, frame):
        """Return the next close."""
        return np.append(frame.close[1:], np.nan)


class CentredWindow:
    """Batch form with a centred mean."""

    def batch(self, frame):
        """Return a centred mean of five closes."""
        return np.convolve(frame.close, np.ones(5) / 5, mode="same")


class Forgets(Stateful):
    """Forgets a counter in its snapshot."""

    STATE = ("_sum",)
    Params = Params

    def __init__(self):
        self._sum, self._count = 0.0, 0

    def update(self, x):
        """Return the running mean."""
        self._sum += x
        self._count += 1
        return (self._sum / self._count,)


class SharesState(Stateful):
    """Keeps its memory in a module global."""

    def update(self, x):
        """Return how many values all instances have seen."""
        SHARED.append(x)
        return (float(len(SHARED)),)
