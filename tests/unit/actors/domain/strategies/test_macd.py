"""The histogram rule and its zero-line filter."""

from __future__ import annotations

import pytest

from actors.domain.strategies.base import Market
from actors.domain.strategies.macd import Macd, MacdParams


class _Lines:
    """Stands in for the streaming MACD."""

    def __init__(self, values: list[tuple[float, float, float]]) -> None:
        self._values = iter(values)

    def advance(self, _: float) -> float:
        line, self.signal, self.histogram = next(self._values)
        return line


def _run(values: list[tuple[float, float, float]], zero_line: bool) -> list[tuple[float, float]]:
    strategy = Macd(MacdParams(zero_line=zero_line, scale_frac=0.01))
    strategy._macd = _Lines(values)  # type: ignore[assignment]
    market = Market(0, 100.0, 100.0, 100.0, 100.0, 1.0, "", 0.0, {})
    return [(o.direction, o.confidence) for o in (strategy.update(market) for _ in values)]


NAN = float("nan")
LINES = [
    (2.0, 1.0, 1.0),
    (-1.0, -2.0, 1.0),
    (-2.0, -1.0, -1.0),
    (1.0, 2.0, -1.0),
    (1.0, 1.0, 0.0),
    (NAN, NAN, NAN),
]


def test_the_histogram_decides_and_the_zero_line_filters() -> None:
    assert [d for d, _ in _run(LINES, zero_line=False)] == [1, 1, -1, -1, 0, 0]
    assert [d for d, _ in _run(LINES, zero_line=True)] == [1, 0, -1, 0, 0, 0]


def test_confidence_is_one_half_at_the_scale() -> None:
    assert _run(LINES, zero_line=True)[0][1] == pytest.approx(0.5)
