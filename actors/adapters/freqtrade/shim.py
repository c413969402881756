"""The module names that strategy files of this style import, answered by this package while a file is loaded."""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from actors.adapters.freqtrade import parameters, qtpylib, ta_lib
from actors.adapters.freqtrade.informative import informative, merge_informative_pair
from actors.adapters.freqtrade.interface import IStrategy
from actors.adapters.freqtrade.provider import DataProvider, RunMode
from actors.adapters.freqtrade.trade import Order, Trade
from actors.domain.model.timeframe import SECOND_NS, floor_to_bar, parse_timeframe


def timeframe_to_seconds(timeframe: str) -> int:
    """Return the length of a bar in seconds, ``5m`` → 300."""
    return parse_timeframe(timeframe) // SECOND_NS


def timeframe_to_minutes(timeframe: str) -> int:
    """Return the length of a bar in minutes."""
    return timeframe_to_seconds(timeframe) // 60


def timeframe_to_msecs(timeframe: str) -> int:
    """Return the length of a bar in milliseconds."""
    return timeframe_to_seconds(timeframe) * 1000


def timeframe_to_prev_date(timeframe: str, date: datetime) -> datetime:
    """Return the opening time of the bar in which `date` lies."""
    opened = floor_to_bar(int(date.timestamp()) * SECOND_NS, parse_timeframe(timeframe))
    return datetime.fromtimestamp(opened // SECOND_NS, tz=UTC)


def timeframe_to_next_date(timeframe: str, date: datetime) -> datetime:
    """Return the opening time of the bar after the one in which `date` lies.

    Examples
    --------
    >>> timeframe_to_next_date("1h", datetime(2024, 1, 1, 7, 30, tzinfo=UTC)).hour
    8
    """
    opened = floor_to_bar(int(date.timestamp()) * SECOND_NS, parse_timeframe(timeframe))
    return datetime.fromtimestamp((opened + parse_timeframe(timeframe)) // SECOND_NS, tz=UTC)


def stoploss_from_open(
    open_relative_stop: float, current_profit: float, is_short: bool = False, leverage: float = 1.0
) -> float:
    """Return a stop given relative to the entry as a distance from the present price, 0 if it lies beyond it.

    Examples
    --------
    >>> round(stoploss_from_open(0.02, 0.10), 6), stoploss_from_open(0.02, 0.01)
    (0.072727, 0.0)
    """
    profit, stop = current_profit / leverage, open_relative_stop / leverage
    if (profit >= 1.0) if is_short else (profit <= -1.0):
        return 1.0
    if is_short:
        return max((1.0 - stop) / (1.0 - profit) - 1.0, 0.0) * leverage
    return max(1.0 - (1.0 + stop) / (1.0 + profit), 0.0) * leverage


def stoploss_from_absolute(
    stop_rate: float, current_rate: float, is_short: bool = False, leverage: float = 1.0
) -> float:
    """Return a stop price as a distance from the present price, 0 if it lies beyond it.

    Examples
    --------
    >>> round(stoploss_from_absolute(95.0, 100.0), 6), stoploss_from_absolute(101.0, 100.0)
    (0.05, 0.0)
    """
    if current_rate <= 0.0:
        return 1.0
    distance = 1.0 - stop_rate / current_rate
    return max(-distance if is_short else distance, 0.0) * leverage


class OperationalException(Exception):  # noqa: N818 - the name that files of this style import
    """What files of this style raise themselves."""


class _Module(ModuleType):
    """A stand-in that tells what it has when it is asked for something else."""

    def __getattr__(self, name: str) -> Any:
        # a module is asked for its __path__ and the like by the import system
        if name.startswith("__"):
            raise AttributeError(name)
        known = ", ".join(sorted(n for n in vars(self) if not n.startswith("_")))
        raise AttributeError(
            f"{self.__name__}: expected one of {known}, found {name!r}, which is not supported"
        )


def _content() -> dict[str, dict[str, Any]]:
    clocks = {
        f.__name__: f
        for f in (
            timeframe_to_minutes, timeframe_to_seconds, timeframe_to_msecs, timeframe_to_prev_date,
            timeframe_to_next_date,
        )
    }  # fmt: skip
    knobs = {n: v for n, v in vars(parameters).items() if isinstance(v, type) and n.endswith("Parameter")}
    strategy: dict[str, Any] = {
        "IStrategy": IStrategy, "informative": informative, "Trade": Trade, "Order": Order,
        "merge_informative_pair": merge_informative_pair, "stoploss_from_open": stoploss_from_open,
        "stoploss_from_absolute": stoploss_from_absolute, "DataProvider": DataProvider, **clocks, **knobs,
    }  # fmt: skip
    helpers = {
        n: v
        for n, v in vars(qtpylib).items()
        if getattr(v, "__module__", "") == qtpylib.__name__ and not n.startswith("_")
    }
    failures = {"OperationalException": OperationalException, "DependencyException": OperationalException}
    return {
        "freqtrade": {},
        "freqtrade.constants": {"Config": dict},
        "freqtrade.data": {}, "freqtrade.data.dataprovider": {"DataProvider": DataProvider},
        "freqtrade.enums": {"RunMode": RunMode},
        "freqtrade.exceptions": failures,
        "freqtrade.exchange": clocks,
        "freqtrade.persistence": {"Trade": Trade, "Order": Order, "LocalTrade": Trade},
        "freqtrade.strategy": strategy,
        "freqtrade.strategy.hyper": knobs,
        "freqtrade.strategy.informative_decorator": {"informative": informative},
        "freqtrade.strategy.interface": {"IStrategy": IStrategy},
        "freqtrade.strategy.parameters": knobs,
        "freqtrade.strategy.strategy_helper": {
            n: strategy[n] for n in ("merge_informative_pair", "stoploss_from_open", "stoploss_from_absolute")
        },
        "freqtrade.vendor": {}, "freqtrade.vendor.qtpylib": {},
        "freqtrade.vendor.qtpylib.indicators": helpers,
    }  # fmt: skip


@functools.cache
def modules() -> dict[str, _Module]:
    """Return the stand-ins by name; TA-Lib's only where it is not installed."""
    out: dict[str, _Module] = {}
    content = _content()
    if not ta_lib.installed():
        content |= {"talib": ta_lib.callables(), "talib.abstract": ta_lib.callables()}
    for name, members in content.items():
        module = _Module(name, "Stand-in for what strategy files import.")
        module.__path__ = []
        # the import system wants one; nothing is ever loaded by it
        module.__spec__ = importlib.util.spec_from_loader(name, None, is_package=True)
        vars(module).update(members)
        out[name] = module
    for name, module in out.items():
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(out[parent], child, module)
    return out


@contextmanager
def installed() -> Iterator[None]:
    """Answer the imports of a strategy file inside the block; what was there before is there after."""
    ours = modules()
    # sys.modules is long, and callbacks are answered at every bar: it is searched only if the real one is there
    there = "freqtrade" in sys.modules
    before = {n: m for n, m in sys.modules.items() if n.split(".")[0] == "freqtrade"} if there else {}
    for name in before:
        del sys.modules[name]
    sys.modules.update(ours)
    try:
        yield
    finally:
        for name in ours:
            sys.modules.pop(name, None)
        sys.modules.update(before)
