"""What of a strategy class can be honoured: everything that cannot is named at once, all else in a note."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

from actors.adapters.freqtrade.interface import IStrategy
from actors.domain.errors import ConfigError
from actors.domain.model.timeframe import parse_timeframe

UNSUPPORTED = (
    "adjust_entry_price", "adjust_exit_price", "adjust_order_price", "custom_entry_price", "custom_exit_price",
    "feature_engineering_expand_all", "feature_engineering_expand_basic", "feature_engineering_standard",
    "freqai_info", "populate_any_indicators", "set_freqai_targets",
)  # fmt: skip
"""Members that would change what is traded and that nothing here calls."""
WITHOUT_EFFECT = {
    "order_types": "entries and exits are market orders at the next open, stops and targets rest at the venue",
    "order_time_in_force": "entries are filled at once or not at all",
    "unfilledtimeout": "no entry is left waiting",
    "check_entry_timeout": "no entry is left waiting",
    "check_exit_timeout": "an exit stays until it is filled",
    "plot_config": "nothing is plotted by it",
    "plot_annotations": "nothing is plotted by it",
}
"""Members that are accepted and change nothing, with the reason."""
RENAMED = {
    "populate_buy_trend": "populate_entry_trend", "populate_sell_trend": "populate_exit_trend",
    "custom_sell": "custom_exit", "use_sell_signal": "use_exit_signal", "sell_profit_only": "exit_profit_only",
    "sell_profit_offset": "exit_profit_offset", "ignore_roi_if_buy_signal": "ignore_roi_if_entry_signal",
    "check_buy_timeout": "check_entry_timeout", "check_sell_timeout": "check_exit_timeout",
    "ticker_interval": "timeframe",
}  # fmt: skip


def members(cls: type[Any]) -> dict[str, Any]:
    """Return what a class and its bases, but not `IStrategy`, define."""
    out: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        if base not in (object, IStrategy):
            out.update(vars(base))
    return out


def overrides(cls: type[Any], name: str) -> bool:
    """Tell whether a class writes a member of `IStrategy` anew."""
    return name in members(cls)


def refuse_unsupported(strategy: IStrategy) -> None:
    """Raise one error with everything in a strategy that cannot be honoured or makes no sense."""
    wrong = [*_unsupported(strategy), *_senseless(strategy)]
    if wrong:
        raise ConfigError("STRATEGY_UNSUPPORTED", f"{type(strategy).__name__}: " + "; ".join(wrong))


def notes(strategy: IStrategy) -> list[str]:
    """Return a sentence for each member that is accepted and has no effect."""
    own, spot = members(type(strategy)), on_spot(strategy)
    found = {n: why for n, why in WITHOUT_EFFECT.items() if n in own}
    if spot and "leverage" in own:
        found["leverage"] = "the account is a spot account"
    return [f"{type(strategy).__name__}.{n} has no effect: {why}" for n, why in found.items()]


def on_spot(strategy: IStrategy) -> bool:
    """Tell whether the account can only spend what it owns."""
    return bool(strategy.config.get("trading_mode", "spot") == "spot")


def _unsupported(strategy: IStrategy) -> list[str]:
    own = members(type(strategy))
    out = [f"{n} is not supported" for n in UNSUPPORTED if n in own]
    out += [f"{old} is of an old interface: expected {new}" for old, new in RENAMED.items() if old in own]
    if strategy.can_short and on_spot(strategy):
        out.append(
            "can_short is not supported on a spot account (account.mode: expected margin or perpetual, found spot)"
        )
    return out


def _senseless(strategy: IStrategy) -> list[str]:
    out = [text for name in _FRACTIONS if (text := _number(strategy, name)) is not None]
    if out:
        return out
    if strategy.timeframe is not None:
        parse_timeframe(strategy.timeframe)
    if not -1.0 <= strategy.stoploss < 0.0:
        out.append(f"stoploss: expected a fraction in [-1, 0), found {strategy.stoploss}")
    positive, offset = strategy.trailing_stop_positive, strategy.trailing_stop_positive_offset
    if positive is not None and not 0.0 < positive < 1.0:
        out.append(f"trailing_stop_positive: expected a fraction in (0, 1), found {positive}")
    if strategy.trailing_only_offset_is_reached and not offset > 0.0:
        out.append(
            "trailing_only_offset_is_reached: expected a trailing_stop_positive_offset above 0, found none"
        )
    if positive is not None and 0.0 < offset <= positive:
        out.append(
            f"trailing_stop_positive_offset: expected more than trailing_stop_positive {positive}, found {offset}"
        )
    return [*out, *_table(strategy.minimal_roi), *_counts(strategy)]


_FRACTIONS = ("stoploss", "trailing_stop_positive", "trailing_stop_positive_offset", "exit_profit_offset")


def _number(strategy: IStrategy, name: str) -> str | None:
    value = getattr(strategy, name)
    if value is None and name == "trailing_stop_positive":
        return None
    fine = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
    return None if fine else f"{name}: expected a number, found {value!r}"


def _table(table: Any) -> list[str]:
    if not isinstance(table, Mapping):
        return [f"minimal_roi: expected a mapping of minutes to fractions, found {table!r}"]
    out = []
    for minutes, level in table.items():
        real = isinstance(level, numbers.Real) and not isinstance(level, bool) and math.isfinite(level)
        if not str(minutes).isdigit() or not real:
            out.append(f"minimal_roi: expected minutes: fraction, found {minutes!r}: {level!r}")
    return out


def _counts(strategy: IStrategy) -> list[str]:
    out = []
    for name, least in (("startup_candle_count", 0), ("max_entry_position_adjustment", -1)):
        value = getattr(strategy, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            out.append(f"{name}: expected a whole number of at least {least}, found {value!r}")
    if not isinstance(strategy.protections, Sequence) or isinstance(strategy.protections, str):
        out.append(f"protections: expected a list, found {strategy.protections!r}")
    return out
