"""A stand-in for ``talib`` and ``talib.abstract`` where TA-Lib, a C library, is not installed."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from actors.adapters.freqtrade import ta_functions as ta
from actors.domain.errors import ConfigError

_REAL, _HLC, _HL = ("close",), ("high", "low", "close"), ("high", "low")
_OHLC, _HLCV = ("open", *_HLC), (*_HLC, "volume")
_ONE = ("real",)
FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[str, ...], tuple[str, ...]]] = {
    **{
        name: (getattr(ta, name.lower()), _REAL, _ONE)
        for name in (
            "SMA", "EMA", "WMA", "DEMA", "TEMA", "TRIMA", "KAMA", "MA", "STDDEV", "VAR", "LINEARREG",
            "LINEARREG_SLOPE", "LINEARREG_ANGLE", "MOM", "ROC", "ROCP", "ROCR", "RSI", "CMO", "PPO", "APO", "TRIX",
        )
    },
    **{name: (getattr(ta, name.lower()), _HLC, _ONE) for name in (
        "CCI", "WILLR", "ULTOSC", "ADX", "PLUS_DI", "MINUS_DI", "DX", "TRANGE", "ATR", "NATR", "TYPPRICE", "WCLPRICE",
    )},
    "MAX": (ta.highest, _REAL, _ONE), "MIN": (ta.lowest, _REAL, _ONE), "SUM": (ta.total, _REAL, _ONE),
    "BBANDS": (ta.bbands, _REAL, ("upperband", "middleband", "lowerband")),
    "MACD": (ta.macd, _REAL, ("macd", "macdsignal", "macdhist")),
    "STOCHRSI": (ta.stochrsi, _REAL, ("fastk", "fastd")),
    "STOCH": (ta.stoch, _HLC, ("slowk", "slowd")), "STOCHF": (ta.stochf, _HLC, ("fastk", "fastd")),
    "AROON": (ta.aroon, _HL, ("aroondown", "aroonup")), "AROONOSC": (ta.aroonosc, _HL, _ONE),
    "SAR": (ta.sar, _HL, _ONE), "MEDPRICE": (ta.medprice, _HL, _ONE),
    "BOP": (ta.bop, _OHLC, _ONE), "AVGPRICE": (ta.avgprice, _OHLC, _ONE),
    "MFI": (ta.mfi, _HLCV, _ONE), "AD": (ta.ad, _HLCV, _ONE), "OBV": (ta.obv, ("close", "volume"), _ONE),
}  # fmt: skip
"""By TA-Lib's name: the function, the columns it reads, the names of what it returns."""


@functools.cache
def installed() -> bool:
    """Tell whether TA-Lib itself can be imported (asked before a stand-in takes its name)."""
    return importlib.util.find_spec("talib") is not None


def callables() -> dict[str, Callable[..., Any]]:
    """Return every function under its name, with TA-Lib's way of calling it.

    Examples
    --------
    >>> frame = pd.DataFrame({"close": [1.0, 2.0, 3.0, 4.0]})
    >>> callables()["SMA"](frame, timeperiod=2).tolist()
    [nan, 1.5, 2.5, 3.5]
    """
    return {name: _called(name, *parts) for name, parts in FUNCTIONS.items()}


def _called(
    name: str, function: Callable[..., Any], columns: tuple[str, ...], outputs: tuple[str, ...]
) -> Callable[..., Any]:
    def call(*args: Any, price: str | None = None, **params: Any) -> Any:
        """Take a frame (or its columns one by one), then parameters by place or name."""
        frame = args[0] if args and isinstance(args[0], pd.DataFrame) else None
        if frame is not None:
            wanted = (price,) if price is not None and len(columns) == 1 else columns
            missing = [c for c in wanted if c not in frame]
            if missing:
                raise ConfigError(
                    "STRATEGY_DATA",
                    f"ta.{name}: expected a column {missing[0]}, found {', '.join(frame.columns)}",
                )
            given, rest = [frame[c] for c in wanted], args[1:]
        else:
            given, rest = list(args[: len(columns)]), args[len(columns) :]
        index = next((g.index for g in given if isinstance(g, pd.Series)), None)
        arrays = [np.ascontiguousarray(g, dtype=np.float64) for g in given]
        try:
            found = function(*arrays, *rest, **params)
        except TypeError as e:
            raise ConfigError("STRATEGY_DATA", f"ta.{name}: {e}") from e
        lines = found if isinstance(found, tuple) else (found,)
        if index is None:
            return found
        series = [pd.Series(line, index=index) for line in lines]
        if len(series) == 1:
            return series[0]
        return pd.DataFrame(dict(zip(outputs, series, strict=True))) if frame is not None else tuple(series)

    call.__name__ = name
    return call
