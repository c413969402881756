"""Locks: which trades set them, whom they keep out, and until when."""

from __future__ import annotations

from typing import Any

import pytest

from actors.adapters.freqtrade.protections import ClosedTrade, Protections, parse
from actors.domain.errors import InvalidParamsError

BAR = 3_600_000_000_000
A, B = "BTC/USDT", "ETH/USDT"


def kept(*entries: dict[str, Any]) -> Protections:
    return Protections(parse(entries), BAR)


def trade(
    bar: int, profit: float, reason: str = "stop_loss", pair: str = A, side: str = "long"
) -> ClosedTrade:
    return ClosedTrade(pair, bar * BAR, profit, reason, side)


def bars_locked(locks: Protections, pair: str, upto: int = 60, side: str = "*") -> list[int]:
    """Bars after the newest lock at whose close no entry is decided."""
    now = max((lock[0] for lock in locks.locks), default=0) // BAR
    return [k for k in range(now, upto) if locks.locked(pair, k * BAR, side) is not None]


def test_a_cooldown_locks_its_pair_after_any_exit() -> None:
    locks = kept({"method": "CooldownPeriod", "stop_duration_candles": 3})
    locks.closed(trade(10, 0.5, "roi"))
    assert bars_locked(locks, A) == [10, 11, 12]
    assert bars_locked(locks, B) == []
    assert locks.locks == [(10 * BAR, 13 * BAR, A, "*", "CooldownPeriod")]


def test_minutes_are_rounded_up_to_the_close_of_a_bar() -> None:
    locks = kept({"method": "CooldownPeriod", "stop_duration": 90})
    locks.closed(trade(10, 0.5))
    assert bars_locked(locks, A) == [10, 11]
    assert locks.locks[0][1] == 12 * BAR


@pytest.mark.parametrize(("at", "until"), [("13:00", 13), ("10:00", 34), ("12:30", 13), ("09:00", 33)])
def test_a_lock_until_a_time_of_day(at: str, until: int) -> None:
    locks = kept({"method": "CooldownPeriod", "unlock_at": at})
    locks.closed(trade(10, 0.5))
    assert locks.locks[0][1] == until * BAR


GUARD = {
    "method": "StoplossGuard",
    "lookback_period_candles": 5,
    "trade_limit": 2,
    "stop_duration_candles": 4,
}


def test_the_guard_counts_losing_stops_inside_its_window() -> None:
    locks = kept(GUARD)
    locks.closed(trade(10, -0.1))
    locks.closed(trade(12, 0.02, "trailing_stop_loss"))  # a gain is no bad luck
    locks.closed(trade(13, -0.1, "exit_signal"))  # nor is a signal
    locks.closed(trade(16, -0.1, "trailing_stop_loss"))  # the first one is six bars ago
    assert bars_locked(locks, B) == []
    locks.closed(trade(18, -0.1, pair=B))
    assert bars_locked(locks, A) == bars_locked(locks, B) == [18, 19, 20, 21]


def test_the_guard_per_pair_and_per_side() -> None:
    per_pair = kept(GUARD | {"only_per_pair": True})
    for one in (trade(10, -0.1), trade(11, -0.1, pair=B), trade(12, -0.1)):
        per_pair.closed(one)
    assert (bars_locked(per_pair, A), bars_locked(per_pair, B)) == ([12, 13, 14, 15], [])
    per_side = kept(GUARD | {"only_per_side": True})
    for one in (trade(10, -0.1, side="short"), trade(11, -0.1), trade(12, -0.1, pair=B, side="short")):
        per_side.closed(one)
    assert bars_locked(per_side, A, side="short") == [12, 13, 14, 15]
    assert bars_locked(per_side, A, side="long") == []


def test_the_guard_needs_ten_stops_if_nothing_else_is_said() -> None:
    locks = kept({"method": "StoplossGuard", "lookback_period_candles": 50, "stop_duration_candles": 1})
    for k in range(9):
        locks.closed(trade(10 + k, -0.1))
    assert bars_locked(locks, A) == []
    locks.closed(trade(19, -0.1))
    assert bars_locked(locks, A) == [19]


def test_a_required_profit_makes_small_gains_count() -> None:
    locks = kept(GUARD | {"trade_limit": 1, "required_profit": 0.01})
    locks.closed(trade(10, 0.005, "trailing_stop_loss"))
    assert bars_locked(locks, A) == [10, 11, 12, 13]


def test_pairs_that_earn_too_little() -> None:
    locks = kept({"method": "LowProfitPairs", "lookback_period_candles": 10, "trade_limit": 2,
                  "stop_duration_candles": 3, "required_profit": -0.02})  # fmt: skip
    locks.closed(trade(10, -0.015, "roi"))
    locks.closed(trade(11, -0.5, "roi", pair=B))
    assert bars_locked(locks, A) == []
    locks.closed(trade(12, -0.01, "roi"))
    assert (bars_locked(locks, A), bars_locked(locks, B)) == ([12, 13, 14], [])


def test_a_drawdown_of_all_trades_locks_all_pairs() -> None:
    rule = {"method": "MaxDrawdown", "lookback_period_candles": 20, "trade_limit": 3, "stop_duration_candles": 2,
            "max_allowed_drawdown": 0.10}  # fmt: skip
    locks = kept(rule)
    # the sum goes to 0.05, then to -0.05: it has fallen by 0.10, which is allowed
    for one in (trade(10, 0.05), trade(11, -0.06, pair=B), trade(12, -0.04)):
        locks.closed(one)
    assert bars_locked(locks, B) == []
    locks.closed(trade(13, -0.001))
    assert bars_locked(locks, A) == bars_locked(locks, B) == [13, 14]


def test_state_goes_on_where_it_was() -> None:
    locks, again = kept(GUARD), kept(GUARD)
    locks.now_ns = 9 * BAR
    locks.lock(B, 13 * BAR + 1, "mine")
    assert bars_locked(locks, B) == [9, 10, 11, 12, 13]
    locks.closed(trade(10, -0.1))
    again.load_state(locks.state())
    for one in (locks, again):
        one.closed(trade(11, -0.1))
    assert again.state() == locks.state()
    assert bars_locked(again, A) == [11, 12, 13, 14]
    again.unlock(B)
    assert again.locked(B, 12 * BAR) == "StoplossGuard"
    again.unlock("*")
    assert again.locked(B, 12 * BAR) is None


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"method": "Cooldown"}, r"protections\[0\]: method: Input should be 'CooldownPeriod'"),
        ({"method": "CooldownPeriod", "stop_duration_candels": 3}, "stop_duration_candels: Extra inputs"),
        ({"method": "CooldownPeriod", "stop_duration": 3, "stop_duration_candles": 3}, "found both"),
        (
            {"method": "CooldownPeriod", "stop_duration": 3, "unlock_at": "10:00"},
            "unlock_at or a stop_duration",
        ),
        ({"method": "CooldownPeriod", "unlock_at": "25:00"}, "expected HH:MM, found '25:00'"),
        ({"method": "StoplossGuard", "trade_limit": 0}, "trade_limit: Input should be greater than"),
    ],
)
def test_what_makes_no_sense_is_told(entry: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidParamsError, match=text):
        parse([entry])
