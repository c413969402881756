"""A second opinion on trades of freqtrade's style: one pair, one loop in plain floats, nothing imported from us.

The rules as a person would state them: a signal of a closed bar trades at the next open; stop and target of a bar
are known before it begins; a gap fills at the open; the stop comes before the target; a target must be traded
through by a tick; the trailing stop moves after its bar. No slippage, no limit by volume.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Hook = Callable[[float, float, float], float | None]
"""Close, profit there, hours since the entry → a distance of the stop."""


class Exit(NamedTuple):
    """A finished trade: bars by their row, prices as they were filled, why it ended, profit after fees."""

    entry_row: int
    exit_row: int
    entry: float
    exit: float
    reason: str
    at_open: bool
    profit: float


@dataclass
class Rules:
    """What a strategy of this style says about its exits."""

    stoploss: float
    roi: dict[int, float] = field(default_factory=dict)
    trailing: bool = False
    positive: float | None = None
    offset: float = 0.0
    only_offset: bool = False
    custom_stop: Hook | None = None
    custom_exit: Callable[[float], str | None] | None = None
    confirm: Callable[[int], bool] | None = None
    cooldown_bars: int = 0
    guard: tuple[int, int, int] | None = None
    """Stops within so many bars, how many of them, for how many bars nothing is opened."""
    drawdown: tuple[int, int, int, float] | None = None
    """Trades within so many bars, at least so many, for how many bars, above which fall of the summed profits."""
    low_profit: tuple[int, int, int, float] | None = None
    """The same, below which sum of profits."""


@dataclass
class Bars:
    """Columns; times in ns."""

    open_ns: Sequence[int]
    open: Sequence[float]
    high: Sequence[float]
    low: Sequence[float]
    close: Sequence[float]
    length_ns: int


def trades(
    bars: Bars,
    enter: Sequence[bool],
    leave: Sequence[bool],
    leave_tags: Sequence[str | None],
    rules: Rules,
    *,
    first: int,
    fee: float,
    tick: float,
) -> list[Exit]:
    """Return the finished trades; no entry is decided before row `first`."""
    out: list[Exit] = []
    locked_until = 0
    row, size = first, len(bars.open)
    while row < size - 1:
        close_ns = bars.open_ns[row] + bars.length_ns
        wanted = enter[row] and not leave[row] and close_ns >= locked_until
        if not wanted or (rules.confirm is not None and not rules.confirm(close_ns)):
            row += 1
            continue
        done = _follow(bars, enter, leave, leave_tags, rules, row + 1, fee, tick)
        if done is None:
            return out
        out.append(done)
        row = done.exit_row
        locked_until = max(locked_until, _locks(bars, rules, out))
    return out


def _follow(
    bars: Bars, enter: Sequence[bool], leave: Sequence[bool], leave_tags: Sequence[str | None], rules: Rules,
    begin: int, fee: float, tick: float,
) -> Exit | None:  # fmt: skip
    entry = bars.open[begin]
    opened_ns = bars.open_ns[begin]

    def up(price: float) -> float:
        # a hair below a tick is that tick: the figures come from divisions
        return round(math.ceil(round(price / tick, 7)) * tick, 10)

    def profit(price: float) -> float:
        return price * (1.0 - fee) / (entry * (1.0 + fee)) - 1.0

    def finish(row: int, price: float, reason: str, at_open: bool) -> Exit:
        return Exit(begin, row, entry, price, reason, at_open, profit(price))

    raw, why = entry * (1.0 + rules.stoploss), "stop_loss"
    best, pending = entry, ""
    minutes = 0.0
    for row in range(begin, len(bars.open)):
        o, h, low, c = bars.open[row], bars.high[row], bars.low[row], bars.close[row]
        if pending:
            return finish(row, o, pending, True)
        level = _due(rules.roi, minutes)
        target = math.inf if level is None else up(entry * (1.0 + fee) * (1.0 + level) / (1.0 - fee))
        stop = up(raw)
        if row > begin and o <= stop:
            return finish(row, o, why, True)
        if row > begin and o >= target:
            return finish(row, o, "roi", True)
        if low <= stop:
            return finish(row, stop, why, stop == o)
        if h >= target + tick * 0.999999:
            return finish(row, target, "roi", target == o)
        # the bar has closed
        best = max(best, h)
        minutes = (bars.open_ns[row] + bars.length_ns - opened_ns) / 60e9
        if rules.custom_stop is not None:
            distance = rules.custom_stop(c, profit(c), minutes / 60.0)
            if distance and c * (1.0 - abs(distance)) > raw:
                raw, why = c * (1.0 - abs(distance)), "trailing_stop_loss"
        if rules.trailing:
            raw, why = _trailed(rules, raw, why, h, profit(best))
        if leave[row] and not enter[row]:
            pending = leave_tags[row] or "exit_signal"
        elif rules.custom_exit is not None:
            pending = rules.custom_exit(minutes / 60.0) or ""
    return None


def _trailed(rules: Rules, raw: float, why: str, high: float, best_profit: float) -> tuple[float, str]:
    if rules.only_offset and best_profit < rules.offset:
        return raw, why
    distance = abs(rules.stoploss)
    if rules.positive is not None and best_profit > rules.offset:
        distance = rules.positive
    return (high * (1.0 - distance), "trailing_stop_loss") if high * (1.0 - distance) > raw else (raw, why)


def _due(table: dict[int, float], minutes: float) -> float | None:
    reached = [m for m in table if m <= minutes]
    return table[max(reached)] if reached else None


def _locks(bars: Bars, rules: Rules, done: Sequence[Exit]) -> int:
    """Return until when (ns) the newest exit forbids entries."""
    width = bars.length_ns

    def closed(one: Exit) -> int:
        return bars.open_ns[one.exit_row] + width

    now = closed(done[-1])
    until = now + rules.cooldown_bars * width

    def within(lookback: int) -> list[Exit]:
        return [t for t in done if closed(t) >= now - lookback * width]

    if rules.guard is not None:
        lookback, limit, stay = rules.guard
        stops = [
            t for t in within(lookback) if t.reason in ("stop_loss", "trailing_stop_loss") and t.profit < 0
        ]
        if len(stops) >= limit:
            until = max(until, now + stay * width)
    if rules.low_profit is not None:
        lookback, limit, stay, least = rules.low_profit
        seen = within(lookback)
        if len(seen) >= limit and sum(t.profit for t in seen) < least:
            until = max(until, now + stay * width)
    if rules.drawdown is not None:
        lookback, limit, stay, most = rules.drawdown
        seen = within(lookback)
        total = peak = fall = 0.0
        for t in seen:
            total += t.profit
            peak = max(peak, total)
            fall = max(fall, peak - total)
        if len(seen) >= limit and fall > most:
            until = max(until, now + stay * width)
    return until
