"""Shorts and leverage on a perpetual account, over bars written down by hand; fee 0.1 %, no slippage, no funding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from freqtrade_run import FLAT, run

from actors.domain.errors import ConfigError

PERPETUAL = ["account.mode=perpetual", "account.leverage=5"]
SHORT = """
can_short = True
short, cover = (1,), ()

def populate_entry_trend(self, dataframe, metadata):
    dataframe.loc[dataframe.index.isin(self.enter), "enter_long"] = 1
    dataframe.loc[dataframe.index.isin(self.short), ["enter_short", "enter_tag"]] = (1, "falls")
    return dataframe

def populate_exit_trend(self, dataframe, metadata):
    dataframe.loc[dataframe.index.isin(self.leave), "exit_long"] = 1
    dataframe.loc[dataframe.index.isin(self.cover), "exit_short"] = 1
    return dataframe
"""
LEVERAGE = """
def leverage(self, pair, current_time, current_rate, proposed_leverage, max_leverage, entry_tag, side, **kwargs):
    assert (proposed_leverage, max_leverage, entry_tag) == (1.0, 5.0, "falls")
    return {said}
"""


def short(folder: Path, body: str, bars: list[tuple[float, ...]], *sets: str) -> object:
    return run(folder, SHORT + body, bars, sets=[*PERPETUAL, *sets])


def test_a_short_is_opened_and_covered_by_its_own_signals(tmp_path: Path) -> None:
    bars = [FLAT] * 4 + [(95.0, 96.0, 94.0, 95.0)] * 3
    done = short(tmp_path, "cover = (4,)", bars)
    assert done.short == [(2, 5, 100.0, 95.0, "exit_signal")]
    (trade,) = done.trades
    assert trade.side == "short"
    # 99 sold at 100 and bought at 95, 0.1 % of both
    assert (float(trade.quantity), float(trade.pnl_quote)) == (99.0, pytest.approx(99 * 5 - 0.099 * 195))


def test_stop_and_target_lie_on_the_other_side(tmp_path: Path) -> None:
    assert short(tmp_path / "a", "", [FLAT, FLAT, FLAT, (100.0, 111.0, 100.0, 105.0), FLAT]).short == [
        (2, 4, 100.0, 110.0, "stop_loss")
    ]
    assert short(tmp_path / "b", "", [FLAT, FLAT, FLAT, (115.0, 116.0, 112.0, 113.0), FLAT]).short == [
        (2, 3, 100.0, 115.0, "stop_loss")
    ]
    # 5 % after both fees: 100 * 0.999 * 0.95 / 1.001 = 94.8101…, on the cent below
    bars = [FLAT, FLAT, FLAT, (100.0, 100.0, 94.0, 96.0), FLAT]
    done = short(tmp_path / "c", 'minimal_roi = {"0": 0.05}', bars)
    assert done.short == [(2, 4, 100.0, 94.81, "roi")]


def test_the_trailing_stop_follows_the_low(tmp_path: Path) -> None:
    body = "trailing_stop = True\ntrailing_stop_positive = 0.02"
    bars = [FLAT, FLAT, (100.0, 100.0, 95.0, 96.0), (96.0, 97.5, 95.5, 97.0), FLAT]
    # 2 % above 95 is 96.9
    assert short(tmp_path, body, bars).short == [(2, 4, 100.0, 96.9, "trailing_stop_loss")]


def test_leverage_enlarges_the_position_and_draws_stop_and_target_near(tmp_path: Path) -> None:
    body = LEVERAGE.format(said="4.0")
    bars = [FLAT, FLAT, FLAT, (100.0, 103.0, 100.0, 101.0), FLAT]
    done = short(tmp_path / "a", body, bars, "freqtrade.stake_quote=1000")
    # a stop of 10 % of the stake is a move of 2.5 %
    assert done.short == [(2, 4, 100.0, 102.5, "stop_loss")]
    assert float(done.trades[0].quantity) == 40.0
    bars = [FLAT, FLAT, FLAT, (100.0, 100.0, 97.0, 98.0), FLAT]
    done = short(tmp_path / "b", body + 'minimal_roi = {"0": 0.04}', bars)
    # 4 % of the stake are 1 % of the price, beside both fees: 100 * 0.999 * 0.99 / 1.001 = 98.8021…
    assert done.short == [(2, 4, 100.0, 98.8, "roi")]


@pytest.mark.parametrize(("said", "quantity"), [("0.2", 10.0), ("9.0", 50.0), ("3", 30.0)])
def test_leverage_is_kept_between_one_and_the_accounts(tmp_path: Path, said: str, quantity: float) -> None:
    done = short(tmp_path, LEVERAGE.format(said=said), [FLAT] * 5, "freqtrade.stake_quote=1000")
    assert [float(f["quantity"]) for f in done.said("OrderFilled")] == [quantity]


def test_both_signals_at_once_are_none_and_a_long_is_left_before_a_short_begins(tmp_path: Path) -> None:
    assert short(tmp_path / "a", "enter = (1,)", [FLAT] * 5).said("OrderFilled") == []
    done = short(tmp_path / "b", "enter = (1,)\nshort = (3, 4)\nleave = (3,)\ncover = (6,)", [FLAT] * 9)
    assert [(t.side, *s[:2]) for t, s in zip(done.trades, done.short, strict=True)] == [
        ("long", 2, 4), ("short", 5, 7),
    ]  # fmt: skip


def test_a_liquidation_ends_the_trade_and_counts_as_a_stop(tmp_path: Path) -> None:
    body = LEVERAGE.format(said="5.0") + (
        "short = (1, 3)\nstoploss = -1.0\n"
        "protections = [{'method': 'StoplossGuard', 'trade_limit': 1, 'stop_duration_candles': 9}]"
    )
    bars = [FLAT, FLAT, FLAT, (100.0, 130.0, 100.0, 125.0), *[(125.0, 126.0, 124.0, 125.0)] * 3]
    done = short(tmp_path, body, bars)
    assert [s[-1] for s in done.short] == ["liquidation"]
    assert {d["rule"] for d in done.said("OrderIntentDenied")} == {"StoplossGuard"}


def test_short_entries_and_the_open_stakes_share_the_equity(tmp_path: Path) -> None:
    from freqtrade_run import PAIR, frame

    market = {p: frame([FLAT] * 6, p) for p in (PAIR, "ETH/USDT", "XRP/USDT")}
    done = run(
        tmp_path, SHORT, market,
        sets=[*PERPETUAL, "freqtrade.max_open_trades=3", "freqtrade.stake_quote=4500", "freqtrade.balance_frac=1"],
    )  # fmt: skip
    # what 10,000 carry: 45 and 45, and for the third what is left, less the fee, in lots of 0.1; a short brings no
    # cash to spend
    assert [round(float(f["quantity"]), 2) for f in done.said("OrderFilled")] == [45.0, 45.0, 9.9]


def test_a_spot_account_refuses_shorts(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"can_short is not supported on a spot account \(account.mode: expected marg"
    ):
        run(tmp_path, SHORT, [FLAT] * 5)


def test_the_strategy_is_told_the_mode(tmp_path: Path) -> None:
    body = "\ndef bot_start(self, **kwargs):\n    assert self.config['trading_mode'] == 'futures'\n"
    assert json.dumps(short(tmp_path, body, [FLAT] * 5).short) == "[]"
