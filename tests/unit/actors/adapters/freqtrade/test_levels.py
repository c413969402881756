"""Arithmetic of stops and targets, and of a trade's profit."""

from __future__ import annotations

from typing import Any

import pytest

from actors.adapters.freqtrade.interface import IStrategy
from actors.adapters.freqtrade.levels import raised_stop, roi_at, trailing_distance
from actors.adapters.freqtrade.shim import stoploss_from_absolute, stoploss_from_open
from actors.adapters.freqtrade.trade import LONG, SHORT, Trade


def made(**settings: Any) -> IStrategy:
    return type("Mine", (IStrategy,), settings)()


def trade(side: str = LONG, stop: float = 90.0, fee: float = 0.001) -> Trade:
    out = Trade("BTC/USDT", 0, 100.0, 2.0, fee, None, side)
    out.stop_loss = out.initial_stop_loss = stop
    return out


@pytest.mark.parametrize(
    ("minutes", "level"),
    [(0, 0.04), (19.9, 0.04), (20, 0.02), (30, 0.01), (39, 0.01), (40, 0.0), (10**6, 0.0)],
)
def test_the_table_of_returns_in_any_order_of_its_rows(minutes: float, level: float) -> None:
    table = {"40": 0.0, "30": 0.01, 20: 0.02, "0": 0.04}
    assert roi_at(made(minimal_roi=table), minutes) == level


def test_before_the_first_row_and_without_rows_there_is_no_target() -> None:
    assert roi_at(made(minimal_roi={"60": 0.01}), 59) is None
    assert roi_at(made(minimal_roi={}), 59) is None


@pytest.mark.parametrize(
    ("settings", "profit", "distance"),
    [
        ({}, -0.05, 0.10),
        ({}, 0.50, 0.10),
        ({"trailing_stop_positive": 0.02}, 0.0, 0.10),
        ({"trailing_stop_positive": 0.02}, 0.001, 0.02),
        ({"trailing_stop_positive": 0.02, "trailing_stop_positive_offset": 0.03}, 0.03, 0.10),
        ({"trailing_stop_positive": 0.02, "trailing_stop_positive_offset": 0.03}, 0.0301, 0.02),
        ({"trailing_stop_positive_offset": 0.03, "trailing_only_offset_is_reached": True}, 0.029, None),
        ({"trailing_stop_positive_offset": 0.03, "trailing_only_offset_is_reached": True}, 0.03, 0.10),
    ],
)
def test_how_far_behind_the_trailing_stop_lies(
    settings: dict[str, Any], profit: float, distance: float | None
) -> None:
    assert trailing_distance(made(stoploss=-0.10, trailing_stop=True, **settings), profit) == distance


def test_the_stop_only_ever_moves_towards_the_gain() -> None:
    strategy, one = made(stoploss=-0.10, trailing_stop=True), trade()
    for best, level, reason in (
        (100.0, 90.0, "stop_loss"),
        (102.0, 91.8, "trailing_stop_loss"),
        (101.0, 91.8, "trailing_stop_loss"),
        (110.0, 99.0, "trailing_stop_loss"),
    ):
        one.stop_loss, one.exit_reason = raised_stop(strategy, one, best, best)
        assert (round(one.stop_loss, 9), one.exit_reason) == (level, reason)


def test_a_short_is_the_mirror_image() -> None:
    strategy, one = made(stoploss=-0.10, trailing_stop=True), trade(SHORT, stop=110.0)
    level, reason = raised_stop(strategy, one, 90.0, 91.0)
    assert (round(level, 9), reason) == (99.0, "trailing_stop_loss")
    assert raised_stop(strategy, one, 105.0, 104.0) == (110.0, "stop_loss")
    level, _ = raised_stop(made(stoploss=-0.10), one, 90.0, 91.0, lambda: -0.02)
    assert level == pytest.approx(92.82)


def test_profit_takes_both_fees_off() -> None:
    # 2 at 100 cost 200.2; 2 at 110 bring 219.78
    assert trade().calc_profit_ratio(110.0) == pytest.approx((219.78 - 200.2) / 200.2)
    assert trade().calc_profit(110.0) == pytest.approx(19.58)
    # a short brings 199.8 and costs 180.18
    assert trade(SHORT).calc_profit_ratio(90.0) == pytest.approx((199.8 - 180.18) / 199.8)
    assert trade(SHORT).calc_profit(90.0) == pytest.approx(19.62)


@pytest.mark.parametrize("side", [LONG, SHORT])
@pytest.mark.parametrize("profit", [-0.2, 0.0, 0.05, 0.5])
def test_the_price_of_a_profit_gives_that_profit(side: str, profit: float) -> None:
    one = trade(side)
    assert one.calc_profit_ratio(one.rate_of_profit(profit)) == pytest.approx(profit, abs=1e-12)


def test_a_stop_relative_to_the_entry() -> None:
    # bought at 100, now 120: a stop at 107 lies 10.83 % below
    assert stoploss_from_open(0.07, 0.20) == pytest.approx(1 - 107 / 120)
    # sold at 100, now 80: a stop at 93 lies 16.25 % above
    assert stoploss_from_open(0.07, 0.20, is_short=True) == pytest.approx(93 / 80 - 1)
    assert stoploss_from_open(0.07, 0.05) == 0.0
    assert stoploss_from_absolute(107.0, 120.0) == pytest.approx(1 - 107 / 120)
    assert stoploss_from_absolute(93.0, 80.0, is_short=True) == pytest.approx(93 / 80 - 1)
    assert stoploss_from_absolute(121.0, 120.0) == 0.0


def test_how_far_the_stop_is_from_the_entry() -> None:
    one = trade(stop=90.0)
    one.stop_loss = 104.0
    assert (round(one.stop_loss_pct, 9), round(one.initial_stop_loss_pct, 9)) == (0.04, -0.10)
    two = trade(SHORT, stop=110.0)
    assert (two.entry_side, two.exit_side, round(two.stop_loss_pct, 9)) == ("sell", "buy", -0.10)
