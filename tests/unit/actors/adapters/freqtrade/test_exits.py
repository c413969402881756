"""Exits over bars written down by hand: stop, gap, table of returns, trailing stop, signals, callbacks.

Entry signal in row 1, so the entry fills at the open of row 2; fee 0.1 % on each side, no slippage.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from freqtrade_run import FLAT, run

FEE = 0.001


def target(entry: float, profit: float) -> float:
    """Price at which the profit after both fees is `profit`, on the next cent."""
    exact = entry * (1 + FEE) * (1 + profit) / (1 - FEE)
    return -(-round(exact * 100, 6) // 1) / 100


ENTER = "enter = (1,)\n"
UP = [(100.0, 101.0, 99.5, 100.5)]


def test_the_stop_fills_at_its_price(tmp_path: Path) -> None:
    bars = [FLAT, FLAT, FLAT, (100.0, 100.0, 89.0, 95.0), FLAT]
    assert run(tmp_path, ENTER, bars).short == [(2, 4, 100.0, 90.0, "stop_loss")]


def test_it_holds_in_the_bar_of_the_entry(tmp_path: Path) -> None:
    assert run(tmp_path, ENTER, [FLAT, FLAT, (100.0, 100.0, 89.0, 95.0), FLAT]).short == [
        (2, 3, 100.0, 90.0, "stop_loss")
    ]


def test_a_gap_through_the_stop_fills_at_the_open(tmp_path: Path) -> None:
    bars = [FLAT, FLAT, FLAT, (85.0, 88.0, 80.0, 86.0), FLAT]
    assert run(tmp_path, ENTER, bars).short == [(2, 3, 100.0, 85.0, "stop_loss")]


def test_a_low_just_above_the_stop_is_no_exit(tmp_path: Path) -> None:
    assert run(tmp_path, ENTER, [FLAT, FLAT, FLAT, (100.0, 100.0, 90.01, 95.0), FLAT]).short == []


def test_inside_a_bar_the_stop_comes_before_the_target(tmp_path: Path) -> None:
    bars = [FLAT, FLAT, FLAT, (100.0, 120.0, 85.0, 100.0), FLAT]
    done = run(tmp_path, ENTER + 'minimal_roi = {"0": 0.05}', bars)
    assert done.short == [(2, 4, 100.0, 90.0, "stop_loss")]


@pytest.mark.parametrize(
    ("row", "level"),
    [(2, 0.05), (3, 0.05), (4, 0.02), (5, 0.02), (6, 0.0)],
    ids=["entry bar", "59 minutes", "120 minutes", "180 minutes", "240 minutes"],
)
def test_the_target_steps_down_with_the_age_of_the_trade(tmp_path: Path, row: int, level: float) -> None:
    """Age counts from the open of row 2: at the open of row k it is (k - 2) hours."""
    bars = [FLAT] * 9
    # the spike is above the highest level, so the level in force decides the price
    bars[row] = (100.0, 110.0, 100.0, 100.0)
    # nothing else reaches even the lowest level
    flat = [b if k == row else (100.0, 100.0, 99.0, 99.5) for k, b in enumerate(bars)]
    flat[2] = bars[2] if row == 2 else (100.0, 100.0, 99.0, 99.5)
    done = run(tmp_path, ENTER + 'minimal_roi = {"0": 0.05, "120": 0.02, "240": 0.0}', flat)
    assert done.short == [(2, row + 1, 100.0, target(100.0, level), "roi")]
    assert done.trades[0].return_frac >= level * (1 - 1e-9)


def test_a_target_must_be_traded_through(tmp_path: Path) -> None:
    touch = target(100.0, 0.05)
    body = ENTER + 'minimal_roi = {"0": 0.05}'
    quiet = (100.0, 100.0, 99.0, 99.5)
    touched = run(tmp_path / "a", body, [FLAT, FLAT, quiet, (100.0, touch, 99.0, 99.5), quiet])
    through = run(tmp_path / "b", body, [FLAT, FLAT, quiet, (100.0, touch + 0.01, 99.0, 99.5), quiet])
    assert touched.short == []
    assert through.short == [(2, 4, 100.0, touch, "roi")]


def test_an_open_above_the_target_fills_there(tmp_path: Path) -> None:
    body = ENTER + 'minimal_roi = {"0": 0.05}'
    bars = [FLAT, FLAT, (100.0, 100.0, 99.0, 99.5), (108.0, 109.0, 107.0, 108.0), FLAT]
    assert run(tmp_path, body, bars).short == [(2, 3, 100.0, 108.0, "roi")]


def test_a_target_of_minus_one_leaves_at_the_next_open(tmp_path: Path) -> None:
    bars = [FLAT, FLAT, FLAT, FLAT, (97.0, 98.0, 96.0, 97.0), FLAT]
    done = run(tmp_path, ENTER + 'minimal_roi = {"0": 0.5, "120": -1}', bars)
    assert done.short == [(2, 4, 100.0, 97.0, "roi")]


TRAIL = ENTER + "trailing_stop = True\n"


def test_the_trailing_stop_follows_the_high_and_moves_after_its_bar(tmp_path: Path) -> None:
    # the documented example: bought at 100, stop 90; at 102 the stop is 91.8, and it stays there when the price falls
    bars = [
        FLAT,
        FLAT,
        (100.0, 102.0, 91.5, 101.0),
        (101.0, 101.0, 91.9, 92.0),
        (92.0, 92.0, 91.0, 91.0),
        FLAT,
    ]
    done = run(tmp_path, TRAIL, bars)
    # 91.5 in the bar of the high did not touch it: nobody knows which came first
    assert done.short == [(2, 5, 100.0, 91.8, "trailing_stop_loss")]


def test_a_closer_distance_once_there_is_a_profit(tmp_path: Path) -> None:
    # at 102 the stop is 2 % below, 99.96, as long as the gain after fees is above 0
    bars = [FLAT, FLAT, (100.0, 102.0, 100.0, 101.0), (101.0, 101.0, 99.0, 99.5), FLAT]
    done = run(tmp_path, TRAIL + "trailing_stop_positive = 0.02", bars)
    assert done.short == [(2, 4, 100.0, 99.96, "trailing_stop_loss")]
    low = [FLAT, FLAT, (100.0, 100.1, 100.0, 100.0), (100.0, 100.0, 95.0, 99.5), FLAT]
    assert run(tmp_path, TRAIL + "trailing_stop_positive = 0.02", low).short == []


def test_only_from_the_offset_on(tmp_path: Path) -> None:
    body = TRAIL + (
        "trailing_stop_positive = 0.02\ntrailing_stop_positive_offset = 0.03\ntrailing_only_offset_is_reached = True"
    )
    below, above = 103.2, 103.21  # 3 % after fees is 103.2064…
    quiet = [(100.0, below, 100.0, 101.0), (101.0, 101.0, 95.0, 96.0), FLAT]
    assert run(tmp_path, body, [FLAT, FLAT, *quiet]).short == []
    reached = [(100.0, above, 100.0, 102.0), (102.0, 102.0, 95.0, 96.0), FLAT]
    # 103.21 less 2 % is 101.1458, on the next cent
    assert run(tmp_path, body, [FLAT, FLAT, *reached]).short == [(2, 4, 100.0, 101.15, "trailing_stop_loss")]


def test_an_exit_signal_leaves_at_the_next_open_unless_it_says_enter_too(tmp_path: Path) -> None:
    bars = [FLAT] * 5 + [(98.0, 99.0, 97.0, 98.0)] * 2
    assert run(tmp_path / "a", ENTER + "leave = (4,)", bars).short == [(2, 5, 100.0, 98.0, "exit_signal")]
    assert run(tmp_path / "b", "enter = (1, 4)\nleave = (4,)", bars).short == []
    assert run(tmp_path / "c", ENTER + "leave = (4,)\nuse_exit_signal = False", bars).short == []


def test_the_tag_of_an_exit_is_its_reason(tmp_path: Path) -> None:
    body = (
        "enter = (1,)\n\ndef populate_exit_trend(self, dataframe, metadata):\n"
        "    dataframe.loc[dataframe.index == 3, ['exit_long', 'exit_tag']] = (1, 'enough')\n    return dataframe\n"
    )
    assert run(tmp_path, body, [FLAT] * 6).short == [(2, 4, 100.0, 100.0, "enough")]


@pytest.mark.parametrize(("close", "leaves"), [(100.3, False), (100.5, True)])
def test_exit_profit_only(tmp_path: Path, close: float, leaves: bool) -> None:
    # the gain at the close, fees included, must be above the offset of 0.2 %: 100.4006… is where it is
    bars = [FLAT, FLAT, FLAT, (100.0, close, 100.0, close), FLAT, FLAT]
    body = ENTER + "leave = (3,)\nexit_profit_only = True\nexit_profit_offset = 0.002"
    assert bool(run(tmp_path, body, bars).short) is leaves


def test_the_target_waits_while_the_entry_signal_stands(tmp_path: Path) -> None:
    spike = (100.0, 110.0, 100.0, 100.0)
    body = 'enter = (1, 2)\nminimal_roi = {"0": 0.05}\nignore_roi_if_entry_signal = True'
    held = run(tmp_path, body, [FLAT, FLAT, FLAT, spike, spike, FLAT])
    # row 3 follows a bar that says enter; in row 4 the target rests
    assert held.short == [(2, 5, 100.0, target(100.0, 0.05), "roi")]


CUSTOM_STOP = (
    ENTER
    + """
use_custom_stoploss = True

def custom_stoploss(self, pair, trade, current_time, current_rate, current_profit, **kwargs):
    return {said}
"""
)


def test_a_stop_of_the_strategys_own_is_measured_from_the_close_and_never_loosens(tmp_path: Path) -> None:
    bars = [
        FLAT,
        FLAT,
        (100.0, 106.0, 100.0, 105.0),
        (105.0, 105.0, 101.0, 102.0),
        (102.0, 102.0, 99.0, 100.0),
        FLAT,
    ]
    # 4 % below 105 is 100.8; below 102 it would be 97.92
    done = run(tmp_path, CUSTOM_STOP.format(said="-0.04"), bars)
    assert done.short == [(2, 5, 100.0, 100.8, "trailing_stop_loss")]


@pytest.mark.parametrize(
    "said", ["None", "0", "float('nan')", "1", "stoploss_from_open(0.2, current_profit)"]
)
def test_what_leaves_the_stop_where_it_is(tmp_path: Path, said: str) -> None:
    body = "from freqtrade.strategy import stoploss_from_open\n" + CUSTOM_STOP.format(said=f"{said}")
    body = body.replace(
        "return stoploss", "from freqtrade.strategy import stoploss_from_open\n    return stoploss"
    )
    bars = [FLAT, FLAT, FLAT, FLAT, (100.0, 100.0, 89.0, 90.0), FLAT]
    assert run(tmp_path, body, bars).short == [(2, 5, 100.0, 90.0, "stop_loss")]


def test_a_custom_exit_gives_its_own_reason(tmp_path: Path) -> None:
    body = (
        ENTER
        + """
def custom_exit(self, pair, trade, current_time, current_rate, current_profit, **kwargs):
    hours = (current_time - trade.open_date_utc).total_seconds() / 3600
    return "three hours" if hours >= 3 else None
"""
    )
    assert run(tmp_path, body, [FLAT] * 8).short == [(2, 5, 100.0, 100.0, "three hours")]


def test_a_target_of_the_strategys_own_only_lowers_the_table(tmp_path: Path) -> None:
    body = (
        ENTER
        + """
minimal_roi = {"0": 0.05}

def custom_roi(self, pair, trade, current_time, trade_duration, entry_tag, side, **kwargs):
    assert side == "long"
    return 0.02 if trade_duration >= 120 else 0.08
"""
    )
    quiet = (100.0, 100.0, 99.0, 99.5)
    bars = [FLAT, FLAT, quiet, quiet, (100.0, 104.0, 99.0, 99.5), quiet]
    assert run(tmp_path, body, bars).short == [(2, 5, 100.0, target(100.0, 0.02), "roi")]


CONFIRM = """
enter = (1,)
leave = {leave}
asked = []

def confirm_trade_exit(self, pair, trade, order_type, amount, rate, time_in_force, exit_reason, current_time, **kw):
    return {said}
"""


def test_an_exit_may_be_refused(tmp_path: Path) -> None:
    bars = [FLAT] * 7
    no = CONFIRM.format(leave=(3,), said="exit_reason != 'exit_signal'")
    assert run(tmp_path / "a", no, bars).short == []
    later = CONFIRM.format(leave=(3, 5), said="current_time.hour >= 6")
    # row 3 closes at 4:00, row 5 at 6:00
    assert run(tmp_path / "b", later, bars).short == [(2, 6, 100.0, 100.0, "exit_signal")]


def test_a_stop_that_is_not_confirmed_does_not_rest(tmp_path: Path) -> None:
    bars = [FLAT, FLAT, FLAT, (100.0, 100.0, 80.0, 95.0), (95.0, 95.0, 85.0, 90.0), FLAT]
    no = CONFIRM.format(leave=(), said="exit_reason != 'stop_loss' or current_time.hour > 3")
    # asked at 3:00 for row 3: no; at 4:00 for row 4: the stop of 90 rests again
    assert run(tmp_path, no, bars).short == [(2, 5, 100.0, 90.0, "stop_loss")]


def test_a_stop_done_in_part_goes_on_at_the_market(tmp_path: Path) -> None:
    thin = (100.0, 100.0, 89.0, 95.0, 500.0)
    bars = [FLAT, FLAT, FLAT, thin, (96.0, 96.0, 95.0, 95.0, 1e6), FLAT]
    done = run(tmp_path, ENTER, bars, sets=["venue.max_volume_share=0.1"])
    # 50 of 99 at the stop, the rest at the next open although the price is above the stop again
    assert [round(float(f["price"]), 2) for f in done.said("OrderFilled")] == [100.0, 90.0, 96.0]
    assert [float(f["quantity"]) for f in done.said("OrderFilled")] == [99.0, 50.0, 49.0]
    (trade,) = done.trades
    assert trade.exit_reason == "stop_loss"
