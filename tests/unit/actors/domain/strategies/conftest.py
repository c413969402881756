"""Price paths for strategies."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from actors.domain.model.bars import BarFrame
from actors.domain.strategies.base import Market

Frame = Callable[..., BarFrame]
Markets = Callable[..., list[Market]]


@pytest.fixture
def frame() -> Frame:
    """Make a frame from closes, or a seeded random walk with flat stretches and jumps."""

    def make(closes: list[float] | None = None, *, n: int = 600, seed: int = 0) -> BarFrame:
        if closes is None:
            rng = np.random.default_rng(seed)
            moves = rng.standard_t(3, size=n) * 0.01 + 0.01 * np.sin(np.arange(n) / 40.0)
            moves[100:130] = 0.0
            close = 100.0 * np.exp(np.cumsum(moves))
        else:
            close = np.asarray(closes, dtype=np.float64)
        opens = np.concatenate([close[:1], close[:-1]])
        return BarFrame(
            "X/Y", 60, np.arange(len(close)) * 60, opens, np.maximum(opens, close) * 1.001,
            np.minimum(opens, close) * 0.999, close, np.ones(len(close)),
        )  # fmt: skip

    return make


@pytest.fixture
def markets() -> Markets:
    """Turn a frame into what a strategy sees, with one regime and predictions for all bars."""

    def make(
        bars: BarFrame, regime: str = "", sure: float = 0.0, predictions: dict[str, float] | None = None
    ) -> list[Market]:
        return [
            Market(i, b.open, b.high, b.low, b.close, b.volume, regime, sure, predictions or {})
            for i, b in enumerate(bars.rows())
        ]

    return make
