"""What every built-in strategy promises: bounds, warm-up, batch = update, causality, snapshots."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest

from actors.domain import registry, state
from actors.domain.errors import InvalidParamsError
from actors.domain.model.bars import BarFrame
from actors.domain.params import search_space
from actors.domain.strategies import trial
from actors.domain.strategies.base import Market, Strategy

PACKAGE = "actors.domain.strategies"
KINDS = tuple(registry.kinds(PACKAGE))
MORE: dict[str, list[dict[str, Any]]] = {
    "adaptive": [
        {"min_dwell_bars": 0, "confirm_bars": 1, "handover_bars": 0},
        {"kind": "rsi", "by_regime": {"bull": {"window_bars": 6}}, "release_confidence": 0.2},
    ],
    "bollinger": [{"mode": "reversal", "width": 1.0}, {"window_bars": 2, "width": 0.9}],
    "candlestick_patterns": [
        {"trend_bars": 5, "hold_bars": 1},
        {"small_body_frac": 0.45, "long_body_frac": 0.45},
    ],
    "donchian": [{"entry_bars": 3, "exit_bars": 1}, {"entry_bars": 20, "exit_bars": 20}],
    "enhanced_ma": [{"fast_bars": 1, "slow_bars": 2, "adx_bars": 5, "trend_adx": 15.0, "range_adx": 5.0}],
    "keltner_squeeze": [{"window_bars": 5, "min_squeeze_bars": 1, "channel_width": 2.5}],
    "ma_crossover": [{"fast_bars": 1, "slow_bars": 2, "band_frac": 0.0}, {"band_frac": 0.05}],
    "macd": [{"zero_line": False}, {"fast_bars": 3, "slow_bars": 5, "signal_bars": 2}],
    "market_imbalance": [{"window_bars": 1, "leave_frac": 0.0}],
    "mean_reversion": [{"window_bars": 5, "enter_sd": 1.0, "leave_sd": 0.0, "stop_sd": 1.5}],
    "multi_strategy": [
        {"members": ["rsi", "bollinger", "regime_aware"], "max_opposing": 1},
        {"members": ["ma_crossover", {"kind": "macd", "params": {"zero_line": False}}], "min_agreeing": 1},
    ],
    "regime_aware": [
        {"min_confidence": 0.0, "calm_confidence": 0.3, "veto": 1.0},
        {"oversold": 45, "overbought": 55},
    ],
    "rsi": [
        {"window_bars": 2, "oversold": 45, "overbought": 55},
        {"window_bars": 6, "oversold": 10, "overbought": 90},
    ],
    "support_resistance": [
        {"span_bars": 1, "min_touches": 1, "tolerance_frac": 0.02, "max_levels": 3},
        {"mode": "bounce", "memory_bars": 40, "min_touches": 1},
        {"mode": "breakout", "min_touches": 1, "hold_bars": 2},
    ],
    "swing_patterns": [{"span_bars": 1, "tolerance_frac": 0.03, "hold_bars": 5}, {"span_bars": 2}],
    "time_series_momentum": [
        {"short_bars": 1, "middle_bars": 2, "long_bars": 3, "volatility_bars": 50},
        {"long_bars": 100, "target_volatility_frac": 0.05},
    ],
}
"""Parameters beside the defaults."""
PARAMS = {kind: [{}, *MORE[kind]] for kind in KINDS}
BATCH = tuple(k for k in KINDS if not registry.build(PACKAGE, k).reads)
CASES = [(kind, params) for kind in KINDS for params in PARAMS[kind]]
Frame = Callable[..., BarFrame]
Markets = Callable[..., list[Market]]


def _build(kind: str, params: dict[str, Any] | None = None) -> Strategy:
    return registry.build(PACKAGE, kind, params)


def test_these_are_the_built_in_strategies() -> None:
    assert set(KINDS) == set(MORE)
    assert all(_build(kind).has_batch for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_it_cites_its_source(kind: str) -> None:
    assert re.search(r"\(1[89]\d\d|20[012]\d\)", inspect.getdoc(inspect.getmodule(type(_build(kind)))) or "")


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_search_draws_is_legal(kind: str) -> None:
    model = registry.params_of(registry.load(PACKAGE, kind))
    space = search_space(model)
    assert space
    refused = [
        f"{name}={value}: {fault['msg']}"
        for name, found in space.items()
        for value in found.choices or (found.low, found.high)
        for fault in _faults_of(model, name, value)
    ]
    assert refused == []


def _faults_of(model: type[pydantic.BaseModel], name: str, value: Any) -> list[Any]:
    try:
        model(**{name: value})
    except pydantic.ValidationError as e:
        # beside the other parameters' defaults an order may be broken; no limit of its own may be
        return [fault for fault in e.errors() if fault["loc"]]
    return []


@pytest.mark.parametrize(("kind", "params"), CASES)
def test_the_whole_contract(kind: str, params: dict[str, Any]) -> None:
    assert trial.faults(lambda: _build(kind, params)) == []


@pytest.mark.parametrize(("kind", "params"), CASES)
def test_opinions_are_in_range_and_flat_in_warm_up(
    kind: str, params: dict[str, Any], frame: Frame, markets: Markets
) -> None:
    strategy = _build(kind, params)
    opinions = [strategy.update(m) for m in markets(frame(), "bull", 0.8)]
    assert all(-1.0 <= o.direction <= 1.0 and 0.0 <= o.confidence <= 1.0 for o in opinions)
    assert all((o.direction, o.confidence) == (0.0, 0.0) for o in opinions[: strategy.warmup_bars])


@pytest.mark.parametrize(
    ("kind", "params"),
    [(k, p) for k in BATCH for p in [{}, *MORE[k]] if "regime_aware" not in p.get("members", ())],
)
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
    k, params = 300, MORE[kind][0]
    closes = frame().close.tolist()
    other = closes[:k] + [c * 1.5 for c in closes[k:][::-1]]
    one, two = _build(kind, params), _build(kind, params)
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
        ("ma_crossover", {"fast_bars": 50, "slow_bars": 50}),
        ("macd", {"fast_bars": 30}),
        ("rsi", {"oversold": 60}),
        ("regime_aware", {"fast_bars": 80}),
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
