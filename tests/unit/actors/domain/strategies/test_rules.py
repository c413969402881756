"""What every built-in strategy promises: bounds, warm-up, batch = update, causality, snapshots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from actors.domain import registry, state
from actors.domain.errors import InvalidParamsError
from actors.domain.model.bars import BarFrame
from actors.domain.strategies.base import Market, Strategy

PACKAGE = "actors.domain.strategies"
KINDS = ("ma_crossover", "macd", "regime_aware", "rsi")
BATCH = ("ma_crossover", "macd", "rsi")
PARAMS: dict[str, list[dict[str, Any]]] = {
    "ma_crossover": [
        {},
        {"fast_window_bars": 1, "slow_window_bars": 2, "band_frac": 0.0},
        {"band_frac": 0.05},
    ],
    "macd": [
        {},
        {"zero_line": False},
        {"fast_window_bars": 3, "slow_window_bars": 5, "signal_window_bars": 2},
    ],
    "rsi": [{}, {"window_bars": 2, "oversold": 45, "overbought": 55}, {"oversold": 10, "overbought": 90}],
    "regime_aware": [{}],
}
CASES = [(kind, params) for kind in KINDS for params in PARAMS[kind]]
Frame = Callable[..., BarFrame]
Markets = Callable[..., list[Market]]


def _build(kind: str, params: dict[str, Any] | None = None) -> Strategy:
    return registry.build(PACKAGE, kind, params)


def test_these_are_the_built_in_strategies() -> None:
    assert set(KINDS) <= set(registry.kinds(PACKAGE))


@pytest.mark.parametrize(("kind", "params"), CASES)
def test_opinions_are_in_range_and_flat_in_warm_up(
    kind: str, params: dict[str, Any], frame: Frame, markets: Markets
) -> None:
    strategy = _build(kind, params)
    opinions = [strategy.update(m) for m in markets(frame(), "bull", 0.8)]
    assert all(-1.0 <= o.direction <= 1.0 and 0.0 <= o.confidence <= 1.0 for o in opinions)
    assert all((o.direction, o.confidence) == (0.0, 0.0) for o in opinions[: strategy.warmup_bars])
    assert any(o.direction for o in opinions)


@pytest.mark.parametrize(("kind", "params"), [c for c in CASES if c[0] in BATCH])
@pytest.mark.parametrize("seed", [0, 1])
def test_batch_is_update_to_the_bit(
    kind: str, params: dict[str, Any], seed: int, frame: Frame, markets: Markets
) -> None:
    bars = frame(seed=seed)
    strategy = _build(kind, params)
    assert strategy.has_batch
    opinions = [strategy.update(m) for m in markets(bars)]
    direction, confidence = _build(kind, params).batch(bars)
    assert direction.tolist() == [o.direction for o in opinions]
    assert confidence.tolist() == [o.confidence for o in opinions]


@pytest.mark.parametrize("kind", BATCH)
@pytest.mark.parametrize("closes", [[], [100.0], [100.0] * 150])
def test_batch_is_update_on_short_and_flat_series(
    kind: str, closes: list[float], frame: Frame, markets: Markets
) -> None:
    bars = frame(closes)
    strategy = _build(kind)
    opinions = [strategy.update(m) for m in markets(bars)]
    direction, confidence = _build(kind).batch(bars)
    assert direction.tolist() == [o.direction for o in opinions] == [0.0] * len(closes)
    assert confidence.tolist() == [o.confidence for o in opinions]


@pytest.mark.parametrize("kind", KINDS)
def test_the_future_does_not_change_the_past(kind: str, frame: Frame, markets: Markets) -> None:
    k = 300
    closes = frame().close.tolist()
    other = closes[:k] + [c * 1.5 for c in closes[k:]]
    one, two = _build(kind), _build(kind)
    a, b = ([s.update(m) for m in markets(frame(c), "bull", 0.8)] for s, c in ((one, closes), (two, other)))
    assert a[:k] == b[:k]
    assert a[k:] != b[k:]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cut", [10, 250])
def test_a_restored_strategy_has_the_same_future(kind: str, cut: int, frame: Frame, markets: Markets) -> None:
    seen = markets(frame(), "sideways", 0.8)
    one, two = _build(kind), _build(kind)
    for m in seen[:cut]:
        one.update(m)
    two.load_state(state.loads(state.dumps(one.state())))
    assert [one.update(m) for m in seen[cut:]] == [two.update(m) for m in seen[cut:]]
    assert state.dumps(one.state()) == state.dumps(two.state())


@pytest.mark.parametrize("kind", KINDS)
def test_the_unit_of_the_price_does_not_matter(kind: str, frame: Frame, markets: Markets) -> None:
    """A power of two scales floats without rounding, so the opinions are equal to the bit."""
    closes = frame().close
    one, two = _build(kind), _build(kind)
    a = [one.update(m) for m in markets(frame(closes.tolist()), "bull", 0.8)]
    b = [two.update(m) for m in markets(frame((closes * 1024.0).tolist()), "bull", 0.8)]
    assert a == b


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("ma_crossover", {"fast_window_bars": 50, "slow_window_bars": 50}),
        ("macd", {"fast_window_bars": 30}),
        ("rsi", {"oversold": 60}),
        ("regime_aware", {"fast_window_bars": 80}),
        ("rsi", {"window": 3}),
    ],
)
def test_unfit_parameters_are_refused(kind: str, params: dict[str, Any]) -> None:
    with pytest.raises(InvalidParamsError):
        _build(kind, params)


@pytest.mark.shared_data
@pytest.mark.parametrize("kind", BATCH)
def test_batch_is_update_on_real_bars(shared_data: Any, kind: str, frame: Frame, markets: Markets) -> None:
    table = pd.read_parquet(shared_data / "ohlcv/binance_spot/BTCUSDT_1h.parquet")
    table = table[(table["timestamp"] >= "2020-02-20") & (table["timestamp"] < "2020-04-01")]
    bars = frame(table["close"].tolist())
    strategy = _build(kind)
    opinions = [strategy.update(m) for m in markets(bars)]
    direction, confidence = _build(kind).batch(bars)
    assert direction.tolist() == [o.direction for o in opinions]
    assert confidence.tolist() == [o.confidence for o in opinions]
    assert len(set(np.sign(direction).tolist())) >= 2
