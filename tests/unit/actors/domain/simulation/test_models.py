"""Fee, slippage and latency models against hand-worked values."""

from __future__ import annotations

import math
from decimal import Decimal as D
from typing import Any

import pytest
from msgspec import structs

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
    model = registry.build(f"{SIM}.slippage", "square_root", {"prefactor": 1.0, "half_life_bars": 10.0})
    first = bar(102.0, 100.0, 400.0)
    model.observe("BTC/USDT", first)
    variance = math.log(1.02) ** 2 / (4.0 * math.log(2.0))
    expected = math.sqrt(variance) * math.sqrt(4.0 / 400.0)
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


def test_volume_share_by_hand() -> None:
    """1 of 50 is a share of 0.02: 0.1 · 0.02² = 0.4 bps; beyond 0.025 the impact stays at 0.625 bps."""
    model = registry.build(f"{SIM}.slippage", "volume_share")
    traded, empty = bar(102.0, 100.0, 50.0), bar(102.0, 100.0, 0.0)
    assert model.cost_frac("BTC/USDT", 1.0, traded) == pytest.approx(0.4e-4, rel=1e-12)
    assert model.cost_frac("BTC/USDT", 40.0, traded) == pytest.approx(0.625e-4, rel=1e-12)
    assert model.cost_frac("BTC/USDT", 1.0, empty) == pytest.approx(0.625e-4, rel=1e-12)


def test_bar_range_spread_by_hand() -> None:
    """An hour's range of 2 % is σ = ln 1.02 / √(4 ln 2) · √24 a day; the half spread 1 bps and 1 % of it."""
    model = registry.build(
        f"{SIM}.spread", "bar_range", {"floor_bps": 1.0, "share_of_sigma_day": 0.01, "max_bps": 20.0}
    )
    hour = 3_600_000_000_000
    first = BarClosed(
        ts_event_ns=hour, source="feed", instrument_id="BTC/USDT", open_ns=0, close_ns=hour, open=100.0,
        high=102.0, low=100.0, close=101.0, volume=1.0,
    )  # fmt: skip
    model.observe("BTC/USDT", first)
    sigma = math.log(1.02) / math.sqrt(4.0 * math.log(2.0)) * math.sqrt(24.0)
    assert model.half_frac("BTC/USDT", first) == pytest.approx(1e-4 + 0.01 * sigma, rel=1e-12)
    wild = structs.replace(first, high=150.0)
    assert model.half_frac("BTC/USDT", wild) == model.half_frac("BTC/USDT", first)
    for _ in range(50):
        model.observe("BTC/USDT", wild)
    assert model.half_frac("BTC/USDT", first) == 0.002


TIERS = [(0, 20.0, 40.0), (1000, 10.0, 30.0), (5000, 0.0, 20.0)]
HOUR, DAY = 3_600_000_000_000, 86_400_000_000_000


def paid(model: Any, ts_ns: int, notional: str, liquidity: str = "taker") -> D:
    """Return the fee of an execution at a time, in bps."""
    model.at(ts_ns)
    fee, _ = model.fee(BTC, 1, D(1), D(notional), liquidity)
    model.observe(D(notional))
    return fee / D(notional) * 10_000


def test_a_tier_is_found_at_midnight_from_the_days_before() -> None:
    model = registry.build(f"{SIM}.fees", "tiered", {"tiers": TIERS})
    assert [paid(model, h * HOUR, "600") for h in (1, 5, 23)] == [40, 40, 40]
    assert paid(model, DAY, "10", "maker") == 10
    assert paid(model, DAY + 23 * HOUR, "4000") == 30
    assert paid(model, 2 * DAY, "1") == 20
    # 30 days after, the first day has left the window, then the second
    assert paid(model, 30 * DAY + HOUR, "1") == 20
    assert paid(model, 31 * DAY, "1") == 30
    assert paid(model, 32 * DAY, "1") == 40


def test_a_tier_after_each_trade_and_at_each_hour() -> None:
    by_trade = registry.build(f"{SIM}.fees", "tiered", {"tiers": TIERS, "update": "trade"})
    assert [paid(by_trade, HOUR, "600") for _ in range(3)] == [40, 40, 30]
    by_hour = registry.build(f"{SIM}.fees", "tiered", {"tiers": TIERS, "update": "hour"})
    assert [paid(by_hour, HOUR, "600") for _ in range(3)] == [40, 40, 40]
    assert paid(by_hour, 2 * HOUR, "1") == 30


def test_volume_elsewhere_and_a_discount() -> None:
    model = registry.build(
        f"{SIM}.fees", "tiered", {"tiers": TIERS, "elsewhere_quote": 1000, "discount_frac": 0.25}
    )
    assert paid(model, 0, "100") == D("22.5")
    assert model.hold_rate == D("0.003")


def test_tiers_go_on_from_a_snapshot_to_the_digit() -> None:
    def fresh() -> Any:
        return registry.build(f"{SIM}.fees", "tiered", {"tiers": TIERS, "update": "hour"})

    one, other = fresh(), fresh()
    for h in range(0, 700, 7):
        paid(one, h * HOUR, "33.33")
    other.load_state(state.loads(state.dumps(one.state())))
    later = range(700, 1500, 11)
    assert [paid(one, h * HOUR, "0.07") for h in later] == [paid(other, h * HOUR, "0.07") for h in later]
    assert state.dumps(one.state()) == state.dumps(other.state())


@pytest.mark.parametrize(
    ("tiers", "named"),
    [
        ([(10, 1.0, 1.0)], "start at 0"),
        ([(0, 1.0, 2.0), (5, 1.0, 3.0)], "rates that do not"),
        ([(0, 1.0, 2.0), (0, 1.0, 2.0)], "volumes that rise"),
        ([(0, -1.0, 2.0)], "rebates"),
    ],
)
def test_a_schedule_that_is_none_is_refused(tiers: Any, named: str) -> None:
    with pytest.raises(InvalidParamsError, match=named):
        registry.build(f"{SIM}.fees", "tiered", {"tiers": tiers})


def test_the_spread_has_moved_out_of_the_impact() -> None:
    with pytest.raises(InvalidParamsError, match=r"venue\.spread"):
        registry.build(f"{SIM}.slippage", "square_root", {"half_spread_bps": 1.0})
