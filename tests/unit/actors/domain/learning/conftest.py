"""Feature streams for predictors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from actors.domain.learning.base import Sample

Stream = Callable[..., list[Sample]]


@pytest.fixture
def stream() -> Stream:
    """Make samples whose column 0 decides the next move with the given strength; `flip` turns its sign."""

    def make(
        n: int, *, seed: int = 0, columns: int = 4, strength: float = 2.0, flip: int | None = None,
        horizon: int = 1, unready: tuple[int, ...] = (),
    ) -> list[Sample]:  # fmt: skip
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(n, columns))
        sign = np.ones(n)
        if flip is not None:
            sign[flip:] = -1.0
        noise = rng.normal(size=n)
        move = np.zeros(n)
        # the bar after t moves by what column 0 said at t
        move[1:] = sign[:-1] * strength * x[:-1, 0] + noise[1:]
        close = 100.0 * np.exp(np.cumsum(move) * 0.001)
        return [
            Sample(
                step=10 + i,
                features=tuple(x[i].tolist()) if i not in unready else (float("nan"),) * columns,
                close=float(close[i]),
                ready=i not in unready,
            )
            for i in range(n)
        ]

    return make
