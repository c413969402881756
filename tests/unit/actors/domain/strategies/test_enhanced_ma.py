"""The crossover behind its own regime: strength of trend and width of bars are put in by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from actors.domain.strategies.base import Market
from actors.domain.strategies.enhanced_ma import EnhancedMa, EnhancedMaParams


class _Line:
    """Stands in for a streaming indicator of bars."""

    def __init__(self, values: Sequence[float]) -> None:
        self._values = iter(values)

    def update(self, *_: float) -> float:
        return next(self._values)

    advance = update


def _run(
    closes: Sequence[float], adx: Sequence[float], now: Sequence[float] | None = None, scale: float = 0.01
) -> list[tuple[float, float]]:
    # warm-up: the longest of 1, 2*2-1 and 2
    params = EnhancedMaParams(
        fast_bars=1, slow_bars=2, adx_bars=2, atr_bars=1, usual_atr_bars=2, wild_ratio=2.0, wild_size=0.25,
        scale_frac=scale,
    )  # fmt: skip
    s = EnhancedMa(params)
    assert s.warmup_bars == 3
    s._adx, s._range, s._usual = _Line(adx), _Line(now or [1.0] * 99), _Line([1.0] * 99)  # type: ignore[assignment]
    said = [s.update(Market(i, c, c, c, c, 1.0, "", 0.0, {})) for i, c in enumerate(closes)]
    return [(o.direction, o.confidence) for o in said]


RISE = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0, 107.0]


def test_a_trend_begins_at_one_strength_and_ends_below_another() -> None:
    got = _run(RISE, [30, 30, 30, 30, 22, 19, 22, 26])
    assert [d for d, _ in got] == [0, 0, 0, 1, 1, 0, 0, 1]


def test_short_below_the_slow_average() -> None:
    assert [d for d, _ in _run(RISE[::-1], [30] * 8)] == [0, 0, 0, -1, -1, -1, -1, -1]


def test_a_wild_market_is_followed_at_a_smaller_size() -> None:
    got = _run(RISE, [30] * 8, now=[1, 1, 1, 1, 2, 2.1, 5, 1])
    assert [d for d, _ in got] == [0, 0, 0, 1, 1, 0.25, 0.25, 1]


def test_confidence_is_one_half_at_the_scale() -> None:
    # slow average 100 + 2/3 * 30 = 120: 130 is 1/12 above it
    assert _run([100.0, 100.0, 100.0, 130.0], [30] * 4, scale=1.0 / 12.0)[-1][1] == pytest.approx(0.5)
