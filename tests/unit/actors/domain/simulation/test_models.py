"""Fee, slippage and latency models against hand-worked values."""

from __future__ import annotations

import math
from decimal import Decimal as D

import pytest

from actors.domain import registry, state
from actors.domain.errors import InvalidParamsError
from actors.domain.events.market import BarClosed
from actors.domain.model.instrument import Instrument

SIM = "actors.domain.simulation"
BTC = Instrument(pair="BTC/USDT")


def bar(high: float, low: float, volume: float) -> BarClosed:
    return BarClosed(
        ts_event_ns=1, source="feed", instrument_id="BTC/USDT", open_ns=0, close_ns=1, open=low, high=high,
        low=low, close=high, volume=volume,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("side", "currency", "liquidity", "expected"),
    [
        (1, "quote", "taker", (D("20.00000000"), "USDT")),
        (1, "quote", "maker", (D("10.00000000"), "USDT")),
        (1, "received", "taker", (D("0.00100000"), "BTC")),
        (-1, "received", "taker", (D("20.00000000"), "USDT")),
    ],
)
def test_maker_taker(side: int, currency: str, liquidity: str, expected: tuple[D, str]) -> None:
    model = registry.build(
        f"{SIM}.fees", "maker_taker", {"maker_bps": 10.0, "taker_bps": 20.0, "fee_currency": currency}
    )
    assert model.fee(BTC, side, D("0.5"), D(20000), liquidity) == expected


def test_fees_round_down_so_that_a_hold_always_covers_them() -> None:
    model = registry.build(f"{SIM}.fees", "maker_taker", {"taker_bps": 7.5})
    fee, _ = model.fee(BTC, 1, D("0.00123"), D("20000.01"), "taker")
    assert fee == D("0.01845000")
    assert fee <= D("0.00123") * D("20000.01") * model.hold_rate


def test_square_root_law_by_hand() -> None:
    model = registry.build(
        f"{SIM}.slippage", "square_root", {"prefactor": 1.0, "half_spread_bps": 1.0, "half_life_bars": 10.0}
    )
    first = bar(102.0, 100.0, 400.0)
    model.observe("BTC/USDT", first)
    variance = math.log(1.02) ** 2 / (4.0 * math.log(2.0))
    expected = 1e-4 + math.sqrt(variance) * math.sqrt(4.0 / 400.0)
    assert model.cost_frac("BTC/USDT", 4.0, bar(500.0, 1.0, 1.0)) == pytest.approx(expected, rel=1e-12)


def test_square_root_does_not_see_the_bar_of_the_execution_once_warm() -> None:
    model = registry.build(f"{SIM}.slippage", "square_root")
    model.observe("BTC/USDT", bar(102.0, 100.0, 400.0))
    quiet, wild = bar(100.1, 100.0, 400.0), bar(150.0, 100.0, 4.0)
    assert model.cost_frac("BTC/USDT", 1.0, quiet) == model.cost_frac("BTC/USDT", 1.0, wild)


def test_square_root_is_capped_and_snapshots() -> None:
    model = registry.build(f"{SIM}.slippage", "square_root", {"max_cost_bps": 50.0})
    assert model.cost_frac("BTC/USDT", 1e9, bar(102.0, 100.0, 1.0)) == 0.005
    assert model.cost_frac("BTC/USDT", 1.0, bar(102.0, 100.0, 0.0)) == 0.005
    model.observe("BTC/USDT", bar(102.0, 100.0, 7.0))
    other = registry.build(f"{SIM}.slippage", "square_root", {"max_cost_bps": 50.0})
    other.load_state(state.loads(state.dumps(model.state())))
    assert other.cost_frac("BTC/USDT", 0.01, bar(2.0, 1.0, 1.0)) == model.cost_frac(
        "BTC/USDT", 0.01, bar(2.0, 1.0, 1.0)
    )


def test_uniform_latency_repeats_and_covers_its_range() -> None:
    model = registry.build(f"{SIM}.latency", "uniform", {"max_latency_steps": 2, "seed": 3})
    draws = [model.submit_steps(str(i)) for i in range(300)]
    assert draws == [model.submit_steps(str(i)) for i in range(300)]
    assert all(70 < draws.count(v) < 130 for v in (0, 1, 2))


def test_parameters_are_validated() -> None:
    with pytest.raises(InvalidParamsError, match="taker_bps"):
        registry.build(f"{SIM}.fees", "maker_taker", {"taker_bps": -1.0})


@pytest.mark.parametrize("family", ["fees", "slippage"])
def test_models_without_cost_have_to_be_named(family: str) -> None:
    model = registry.build(f"{SIM}.{family}", "none")
    if family == "fees":
        assert model.fee(BTC, 1, D(1), D(1), "taker") == (D(0), "USDT")
    else:
        assert model.cost_frac("BTC/USDT", 1.0, bar(2.0, 1.0, 1.0)) == 0.0
