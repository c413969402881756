"""Entries over bars written down by hand: signals, stakes, places, locks, confirmation, changes of size."""

from __future__ import annotations

from pathlib import Path

import pytest
from freqtrade_run import FLAT, HOUR, PAIR, frame, run

from actors.domain.errors import StrategyError

ETH = "ETH/USDT"
TEN = [FLAT] * 10


def rows(done: object) -> list[int]:
    """Rows in whose open a trade was entered, the open one included."""
    return [f["step"] for f in done.said("OrderFilled") if f["side"] == 1]  # type: ignore[attr-defined]


def test_a_signal_trades_at_the_next_open(tmp_path: Path) -> None:
    bars = [*TEN[:3], (104.0, 105.0, 103.0, 104.0), *TEN[4:]]
    done = run(tmp_path / "a", "enter = (2,)\nleave = (6,)", bars, sets=["freqtrade.stake_quote=5000"])
    assert done.short == [(3, 7, 104.0, 100.0, "exit_signal")]
    assert [float(f["quantity"]) for f in done.said("OrderFilled")] == [50.0, 50.0]
    # sized at the close of 100, all of the cash does not pay for it at 104: the venue refuses
    beyond = run(tmp_path / "b", "enter = (2,)\nleave = (6,)", bars)
    assert beyond.short == []
    assert [r["code"] for r in beyond.said("OrderRejected")] == ["INSUFFICIENT_BALANCE", "PARENT"]


def test_no_entry_against_a_signal_to_leave_or_before_the_start_up(tmp_path: Path) -> None:
    assert rows(run(tmp_path / "a", "enter = (2, 4)\nleave = (2,)", TEN)) == [5]
    assert rows(run(tmp_path / "b", "enter = (2, 4)\nstartup_candle_count = 3", TEN)) == [5]


def test_short_signals_are_ignored_where_the_class_may_not_short(tmp_path: Path) -> None:
    body = "enter = (4,)\n\ndef populate_exit_trend(self, dataframe, metadata):\n"
    body += "    dataframe['enter_short'] = 1\n    return dataframe\n"
    assert rows(run(tmp_path, body, TEN)) == [5]


def test_a_stake_is_an_equal_share_or_fixed_and_never_more_than_the_cash(tmp_path: Path) -> None:
    def amount(name: str, *sets: str) -> float:
        return float(run(tmp_path / name, "enter = (1,)", TEN, sets=sets).said("OrderFilled")[0]["quantity"])

    assert amount("all") == 99.0  # 99 % of 10,000
    assert amount("third", "freqtrade.max_open_trades=3") == 33.0
    assert amount("fixed", "freqtrade.stake_quote=2500") == 25.0
    assert amount("more", "freqtrade.stake_quote=25000") == 99.0
    # the fee must be paid as well
    assert amount("whole", "freqtrade.balance_frac=1.0") == pytest.approx(10_000 / 100.1, abs=1e-5)


CUSTOM = """
enter = (1,)

def custom_stake_amount(self, pair, current_time, current_rate, proposed_stake, min_stake, max_stake, **kwargs):
    return {said}
"""


@pytest.mark.parametrize(
    ("said", "amount"),
    [
        ("proposed_stake / 2", 49.5),
        ("max_stake * 3", 99.0),
        ("None", None),
        ("0", None),
        ("min_stake / 2", None),
    ],
)
def test_a_stake_of_the_strategys_own(tmp_path: Path, said: str, amount: float | None) -> None:
    done = run(tmp_path, CUSTOM.format(said=said), TEN)
    fills = done.said("OrderFilled")
    assert [float(f["quantity"]) for f in fills] == ([] if amount is None else [amount])
    if amount is None:
        assert [d["code"] for d in done.said("OrderIntentDenied")] == ["MIN_NOTIONAL"]


def test_a_senseless_stake_ends_the_run_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(
        StrategyError, match=r"Mine.custom_stake_amount at BTC/USDT 1970-01-01 02:00: expected a stake"
    ):
        run(tmp_path, CUSTOM.format(said="'all'"), TEN)


def test_a_callback_that_raises_is_named_with_line_and_parameters(tmp_path: Path) -> None:
    body = "from freqtrade.strategy import IntParameter\n" + CUSTOM.format(said="1 / (self.pace.value - 3)")
    body += "\npace = IntParameter(1, 9, default=3)\n"
    with pytest.raises(
        StrategyError, match=r"at BTC/USDT 1970-01-01 02:00 with pace=3: ZeroDivisionError.*line 21 of"
    ):
        run(tmp_path, body, TEN)


def test_an_entry_that_is_not_confirmed_is_told(tmp_path: Path) -> None:
    body = (
        "enter = (1, 4)\n\ndef confirm_trade_entry(self, pair, order_type, amount, rate, time_in_force, current_time,"
        " entry_tag, side, **kwargs):\n"
        "    return current_time.hour > 2 and (amount, rate, side) == (99.0, 100.0, 'long')\n"
    )
    done = run(tmp_path, body, TEN)
    assert rows(done) == [5]
    assert [(d["step"], d["code"]) for d in done.said("OrderIntentDenied")] == [(1, "NOT_CONFIRMED")]


def test_places_are_taken_in_the_order_of_the_pairs(tmp_path: Path) -> None:
    market = {PAIR: frame(TEN), ETH: frame(TEN, ETH)}
    done = run(tmp_path, "enter = (1, 4)\nleave = (3,)", market)
    assert [(t.instrument_id, t.opened_ns // HOUR) for t in done.trades] == [(PAIR, 2)]
    assert [(f["step"], f["instrument_id"]) for f in done.said("OrderFilled") if f["side"] == 1] == [
        (2, PAIR), (5, PAIR),
    ]  # fmt: skip
    codes = [(d["step"], d["instrument_id"], d["code"]) for d in done.said("OrderIntentDenied")]
    assert codes == [(1, ETH, "MAX_OPEN_TRADES"), (4, ETH, "MAX_OPEN_TRADES")]
    both = run(tmp_path / "b", "enter = (1,)", market, sets=["freqtrade.max_open_trades=null"])
    assert [float(f["quantity"]) for f in both.said("OrderFilled")] == [49.5, 49.5]


def test_a_pair_whose_bars_end_gives_its_place_back(tmp_path: Path) -> None:
    market = {PAIR: frame(TEN[:5]), ETH: frame(TEN, ETH)}
    body = (
        "def populate_entry_trend(self, dataframe, metadata):\n"
        "    dataframe.loc[dataframe.index == (1 if metadata['pair'] == 'BTC/USDT' else 6), 'enter_long'] = 1\n"
        "    return dataframe\n"
    )
    done = run(tmp_path, body, market)
    assert [(t.instrument_id, t.exit_reason) for t in done.trades] == [(PAIR, "trading_ended")]
    assert [(f["step"], f["instrument_id"]) for f in done.said("OrderFilled") if f["side"] == 1] == [
        (2, PAIR), (7, ETH),
    ]  # fmt: skip


@pytest.mark.parametrize("bars", [1, 3, 5])
def test_a_cooldown_keeps_out_for_so_many_bars(tmp_path: Path, bars: int) -> None:
    always = "enter = tuple(range(1, 20))\nleave = ()\n"
    body = always + f"protections = [{{'method': 'CooldownPeriod', 'stop_duration_candles': {bars}}}]"
    market = [FLAT] * 20
    market[5] = (100.0, 100.0, 89.0, 90.0)
    done = run(tmp_path, body, market)
    # the stop is hit in row 5; rows 6 to 5 + bars are without an entry
    assert rows(done) == [2, 6 + bars]
    assert {d["rule"] for d in done.said("OrderIntentDenied")} == {"CooldownPeriod"}
    assert [d["step"] for d in done.said("OrderIntentDenied")] == list(range(5, 5 + bars))


def test_the_guard_locks_all_pairs_after_so_many_stops(tmp_path: Path) -> None:
    fall = (100.0, 100.0, 89.0, 90.0)
    first = [fall if k in (3, 6) else FLAT for k in range(20)]
    body = (
        "enter = (1, 4, 8, 14)\n"
        "protections = [{'method': 'StoplossGuard', 'lookback_period_candles': 10, 'trade_limit': 2,"
        " 'stop_duration_candles': 6}]"
    )
    market = {PAIR: frame(first), ETH: frame([FLAT] * 20, ETH)}
    done = run(tmp_path, body, market, sets=["freqtrade.max_open_trades=1"])
    # the second stop is hit in row 6, so entries are decided again from the close of row 12 on
    assert rows(done) == [2, 5, 15]
    assert [(d["step"], d["rule"]) for d in done.said("OrderIntentDenied") if d["code"] == "PROTECTION_LOCK"] == [
        (8, "StoplossGuard"), (8, "StoplossGuard"),
    ]  # fmt: skip


def test_a_lock_of_the_strategys_own(tmp_path: Path) -> None:
    body = """
    enter = tuple(range(1, 9))

    def bot_loop_start(self, current_time, **kwargs):
        from datetime import timedelta
        if current_time.hour == 1:
            self.lock_pair("BTC/USDT", current_time + timedelta(minutes=150), "calm")
        assert self.is_pair_locked("BTC/USDT") == (1 <= current_time.hour < 4)
    """
    done = run(tmp_path, body, TEN)
    # until 3:30 is rounded up to the close at 4:00: entered in row 4
    assert rows(done) == [4]
    assert {d["rule"] for d in done.said("OrderIntentDenied") if d["code"] == "PROTECTION_LOCK"} == {"calm"}


ADJUST = """
enter = (1,)
leave = (7,)
stoploss = -0.5
position_adjustment_enable = True
max_entry_position_adjustment = {limit}

def custom_stake_amount(self, pair, current_time, current_rate, proposed_stake, **kwargs):
    return 2000.0

def adjust_trade_position(self, trade, current_time, current_rate, current_profit, min_stake, max_stake, **kwargs):
    return {said}
"""
FALL = [FLAT, FLAT, FLAT, (80.0, 80.0, 80.0, 80.0), (80.0, 80.0, 80.0, 80.0), *[FLAT] * 5]


def test_adding_to_a_trade(tmp_path: Path) -> None:
    said = "trade.select_filled_orders('buy')[0].cost if current_profit < -0.1 else None"
    done = run(tmp_path, ADJUST.format(said=said, limit=1), FALL)
    # 20 at 100, then 25 at 80, asked at the close of row 3 and filled at the open of row 4
    assert [(f["step"], float(f["quantity"]), float(f["price"])) for f in done.said("OrderFilled")] == [
        (2, 20.0, 100.0), (4, 25.0, 80.0), (8, 45.0, 100.0),
    ]  # fmt: skip
    (trade,) = done.trades
    assert float(trade.entry_price) == pytest.approx((20 * 100 + 25 * 80) / 45)
    assert trade.exit_reason == "exit_signal"


def test_the_stop_of_an_enlarged_trade_stays_and_covers_all_of_it(tmp_path: Path) -> None:
    bars = [*FALL[:5], (80.0, 80.0, 45.0, 48.0), FLAT]
    done = run(tmp_path, ADJUST.format(said="2000.0", limit=1), bars)
    assert [(f["step"], float(f["quantity"]), float(f["price"])) for f in done.said("OrderFilled")][-1] == (
        5, 40.0, 50.0,
    )  # fmt: skip
    # bought 20 at 100 and, as asked at 100, 20 more at the open of row 3
    assert rows(done) == [2, 3]


def test_taking_a_part_out(tmp_path: Path) -> None:
    said = "-500.0 if trade.nr_of_successful_exits == 0 else None"
    done = run(tmp_path, ADJUST.format(said=said, limit=-1), TEN)
    assert [(f["step"], f["side"], float(f["quantity"])) for f in done.said("OrderFilled")] == [
        (2, 1, 20.0), (3, -1, 5.0), (8, -1, 15.0),
    ]  # fmt: skip
    stops = [float(o["quantity"]) for o in done.said("SubmitOrder") if o["order_type"] == "stop"]
    assert stops == [20.0, 15.0]


def test_taking_all_out_is_an_exit_with_its_tag(tmp_path: Path) -> None:
    done = run(tmp_path, ADJUST.format(said="(-trade.stake_amount, 'all out')", limit=-1), TEN)
    assert done.short == [(2, 3, 100.0, 100.0, "all out")]


def test_an_addition_beyond_the_cash_is_refused_and_told(tmp_path: Path) -> None:
    done = run(tmp_path, ADJUST.format(said="50000.0", limit=1), FALL)
    assert rows(done) == [2]
    assert {d["code"] for d in done.said("OrderIntentDenied")} == {"STAKE"}


def test_filled_orders_are_told_and_the_account_is_seen(tmp_path: Path) -> None:
    body = """
    enter = (1,)
    leave = (4,)
    told = []

    def order_filled(self, pair, trade, order, current_time, **kwargs):
        self.told.append((current_time.hour, order.ft_order_side, order.filled, order.average, trade.is_open))
        self.told.append((round(self.wallets.get_free("USDT"), 1), self.wallets.get_used("BTC")))

    def custom_exit(self, pair, trade, **kwargs):
        frame, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
        assert len(frame) == (trade.open_date_utc.hour + 1) + len(self.told) - 2 + self.asked
        self.asked += 1

    asked = 0

    def bot_start(self, **kwargs):
        print("started")

    def bot_loop_start(self, current_time, **kwargs):
        if self.told and current_time.hour == 9:
            raise ValueError(self.told)
    """
    with pytest.raises(StrategyError) as e:
        run(tmp_path, body, TEN)
    assert (
        "[(3, 'buy', 99.0, 100.0, True), (90.1, 99.0), (6, 'sell', 99.0, 100.0, False), (9980.2, 0.0)]"
        in str(e.value)
    )
