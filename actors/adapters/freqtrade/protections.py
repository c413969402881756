"""Locks that follow bad luck: cooldown, stop-loss guard, low-profit pairs, drawdown; and a strategy's own locks.

Names, fields and defaults are those that strategy files of this style list under ``protections``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from actors.domain.errors import InvalidParamsError

ALL = "*"
STOPS = ("stop_loss", "trailing_stop_loss", "liquidation")
_MINUTE_NS = 60_000_000_000
_DEFAULT_LIMIT = {"StoplossGuard": 10}


class ClosedTrade(msgspec.Struct, frozen=True):
    """What a protection sees of a finished trade; times in ns."""

    pair: str
    closed_ns: int
    profit_frac: float
    exit_reason: str
    side: str = "long"


class Protection(BaseModel):
    """One entry of ``protections``; durations in candles or, without the suffix, minutes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["CooldownPeriod", "StoplossGuard", "LowProfitPairs", "MaxDrawdown"]
    lookback_period_candles: int | None = Field(default=None, ge=1)
    lookback_period: int | None = Field(default=None, ge=1)
    stop_duration_candles: int | None = Field(default=None, ge=1)
    stop_duration: int | None = Field(default=None, ge=1)
    unlock_at: str | None = None
    trade_limit: int | None = Field(default=None, ge=1)
    only_per_pair: bool = False
    only_per_side: bool = False
    required_profit: float = 0.0
    max_allowed_drawdown: float = Field(default=0.0, ge=0.0)

    @model_validator(mode="after")
    def _one_form(self) -> Protection:
        for name in ("lookback_period", "stop_duration"):
            if getattr(self, name) is not None and getattr(self, f"{name}_candles") is not None:
                raise ValueError(f"expected {name} or {name}_candles, found both")
        if self.unlock_at is not None:
            if self.stop_duration is not None or self.stop_duration_candles is not None:
                raise ValueError("expected unlock_at or a stop_duration, found both")
            if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", self.unlock_at):
                raise ValueError(f"unlock_at: expected HH:MM, found {self.unlock_at!r}")
        return self

    @property
    def limit(self) -> int:
        """Number of trades from which it acts."""
        return self.trade_limit if self.trade_limit is not None else _DEFAULT_LIMIT.get(self.method, 1)

    def span_ns(self, name: str, bar_ns: int) -> int:
        """Return `lookback_period` or `stop_duration` in ns; 60 minutes where neither form is given."""
        candles = getattr(self, f"{name}_candles")
        if candles is not None:
            return int(candles) * bar_ns
        minutes = getattr(self, name)
        return (60 if minutes is None else int(minutes)) * _MINUTE_NS

    def until_ns(self, closed_ns: int, bar_ns: int) -> int:
        """Return when a lock that begins at `closed_ns`, the close of a bar, ends: at the close of a bar."""
        if self.unlock_at is None:
            end = closed_ns + self.span_ns("stop_duration", bar_ns)
        else:
            begin = datetime.fromtimestamp(closed_ns // 10**9, tz=UTC)
            hour, minute = map(int, self.unlock_at.split(":"))
            there = begin.replace(hour=hour, minute=minute, second=0, microsecond=0)
            there += timedelta(days=1) if there <= begin else timedelta(0)
            end = int(there.timestamp()) * 10**9
        return rounded_up(end, closed_ns, bar_ns)


def rounded_up(end_ns: int, close_ns: int, bar_ns: int) -> int:
    """Return the first close of a bar at or after a time, given some close of a bar.

    Examples
    --------
    >>> rounded_up(25, 0, 10), rounded_up(30, 0, 10)
    (30, 30)
    """
    return close_ns - (close_ns - end_ns) // bar_ns * bar_ns


def parse(entries: Sequence[Any]) -> list[Protection]:
    """Validate the list of a strategy.

    Raises
    ------
    InvalidParamsError
        Naming the entry and all that is wrong with it.
    """
    out = []
    for k, entry in enumerate(entries):
        try:
            out.append(Protection.model_validate(entry))
        except ValidationError as e:
            text = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}".lstrip(": ") for p in e.errors())
            raise InvalidParamsError("PROTECTION_INVALID", f"protections[{k}]: {text}") from e
    return out


class Protections:
    """Keeps the locks of a run.

    Parameters
    ----------
    rules : sequence of Protection
    bar_ns : int

    Attributes
    ----------
    now_ns : int
        Present time, set by whoever owns it.
    locks : list of (since_ns, until_ns, pair, side, why)
        Every lock that was set, ``*`` for all pairs or both sides.
    """

    def __init__(self, rules: Sequence[Protection], bar_ns: int) -> None:
        self._rules, self._bar_ns = tuple(rules), bar_ns
        # no rule looks further back, so older trades can go
        self._memory_ns = max((r.span_ns("lookback_period", bar_ns) for r in rules), default=0)
        self._trades: list[ClosedTrade] = []
        self._until: dict[tuple[str, str], tuple[int, str]] = {}
        self.locks: list[tuple[int, int, str, str, str]] = []
        self.now_ns = 0

    def closed(self, trade: ClosedTrade) -> None:
        """Take a finished trade and set the locks that follow from it."""
        oldest = trade.closed_ns - self._memory_ns
        self._trades = [t for t in self._trades if t.closed_ns >= oldest]
        self._trades.append(trade)
        for rule in self._rules:
            whom = self._locked_by(rule, trade)
            if whom is not None:
                self._set(trade.closed_ns, rule.until_ns(trade.closed_ns, self._bar_ns), *whom, rule.method)

    def lock(self, pair: str, until_ns: int, why: str, side: str = ALL) -> None:
        """Set a lock by hand, rounded up to the close of a bar."""
        self._set(self.now_ns, rounded_up(until_ns, self.now_ns, self._bar_ns), pair, side, why)

    def unlock(self, pair: str) -> None:
        """Lift the locks of a pair."""
        self._until = {key: value for key, value in self._until.items() if key[0] != pair}

    def locked(self, pair: str, ts_ns: int | None = None, side: str = ALL) -> str | None:
        """Return why an entry is forbidden at a time (default: now), else None."""
        at = self.now_ns if ts_ns is None else ts_ns
        for (whose, which), (until, why) in self._until.items():
            mine = whose in (pair, ALL) and (which in (side, ALL) or side == ALL)
            if mine and at < until:
                return why
        return None

    def state(self) -> dict[str, Any]:
        """Return trades and locks as plain values."""
        return {
            "trades": [[t.pair, t.closed_ns, t.profit_frac, t.exit_reason, t.side] for t in self._trades],
            "until": [[*key, *value] for key, value in self._until.items()],
            "locks": [list(lock) for lock in self.locks],
            "now_ns": self.now_ns,
        }

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self._trades = [ClosedTrade(*t) for t in tree["trades"]]
        self._until = {(str(p), str(s)): (int(u), str(w)) for p, s, u, w in tree["until"]}
        self.locks = [(int(a), int(b), str(c), str(d), str(e)) for a, b, c, d, e in tree["locks"]]
        self.now_ns = int(tree["now_ns"])

    def _set(self, since_ns: int, until_ns: int, pair: str, side: str, why: str) -> None:
        if until_ns > self._until.get((pair, side), (0, ""))[0]:
            self._until[pair, side] = (until_ns, why)
            self.locks.append((since_ns, until_ns, pair, side, why))

    def _locked_by(self, rule: Protection, trade: ClosedTrade) -> tuple[str, str] | None:
        if rule.method == "CooldownPeriod":
            return trade.pair, ALL
        start = trade.closed_ns - rule.span_ns("lookback_period", self._bar_ns)
        per_pair = rule.only_per_pair or rule.method == "LowProfitPairs"
        per_side = rule.only_per_side and rule.method != "MaxDrawdown"
        seen = [
            t
            for t in self._trades
            if t.closed_ns >= start
            and (not per_pair or t.pair == trade.pair)
            and (not per_side or t.side == trade.side)
        ]
        if rule.method == "StoplossGuard":
            seen = [t for t in seen if t.exit_reason in STOPS and t.profit_frac < rule.required_profit]
            hit = len(seen) >= rule.limit
        elif rule.method == "LowProfitPairs":
            hit = len(seen) >= rule.limit and sum(t.profit_frac for t in seen) < rule.required_profit
        else:
            hit = len(seen) >= rule.limit and _drawdown(seen) > rule.max_allowed_drawdown
        if not hit:
            return None
        return (trade.pair if per_pair else ALL), (trade.side if per_side else ALL)


def _drawdown(trades: Sequence[ClosedTrade]) -> float:
    """Largest fall of the sum of profits from its highest point so far, zero at the start included."""
    total = peak = worst = 0.0
    for trade in trades:
        total += trade.profit_frac
        peak = max(peak, total)
        worst = max(worst, peak - total)
    return worst
