"""Columns of a higher timeframe or of another pair, each known only once its own bar has closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd

from actors.domain.errors import ConfigError
from actors.domain.model.timeframe import parse_timeframe

MARK = "_tradewind_informative"


class Wanted(NamedTuple):
    """What one ``@informative`` asks for."""

    timeframe: str
    asset: str
    fmt: Any
    ffill: bool


def informative(
    timeframe: str, asset: str = "", fmt: Any = None, *, candle_type: Any = None, ffill: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a method that computes indicators of another timeframe or pair; decorators can be stacked."""
    if candle_type not in (None, "", "spot"):
        raise ConfigError(
            "STRATEGY_DATA", f"@informative: expected candles of the spot market, found {candle_type!r}"
        )
    parse_timeframe(timeframe)

    def mark(method: Callable[..., Any]) -> Callable[..., Any]:
        marks = list(getattr(method, MARK, ()))
        setattr(method, MARK, [*marks, Wanted(timeframe, asset, fmt, ffill)])
        return method

    return mark


def merge_informative_pair(
    dataframe: pd.DataFrame,
    informative: pd.DataFrame,
    timeframe: str,
    timeframe_inf: str,
    ffill: bool = True,
    append_timeframe: bool = True,
    date_column: str = "date",
    suffix: str | None = None,
) -> pd.DataFrame:
    """Return `dataframe` with the columns of `informative`, each row seeing only bars that had closed with its own.

    Parameters
    ----------
    ffill : bool
        Keep the newest values between two higher closes; otherwise they stand in one row only.
    append_timeframe, suffix
        Name the new columns ``close_4h``, or ``close_`` and the suffix.

    Raises
    ------
    ConfigError
        If the other timeframe is the shorter one.

    Examples
    --------
    >>> def frame(minutes, closes):
    ...     dates = pd.date_range("2024-01-01", periods=len(closes), freq=f"{minutes}min", tz="UTC")
    ...     return pd.DataFrame({"date": dates, "close": closes})
    >>> merged = merge_informative_pair(frame(60, [1.0, 2.0, 3.0, 4.0]), frame(120, [2.0, 4.0]), "1h", "2h")
    >>> merged["close_2h"].tolist()
    [nan, 2.0, 2.0, 4.0]
    """
    own, other = _lengths(timeframe, timeframe_inf)
    ending = suffix if suffix is not None else (timeframe_inf if append_timeframe else "")
    names = {c: f"{c}_{ending}" for c in informative.columns} if ending else {}
    right = informative.rename(columns=names)
    return _join(dataframe, right, (date_column, names.get(date_column, date_column)), (own, other), ffill)


def _lengths(own: str, other: str) -> tuple[int, int]:
    lengths = parse_timeframe(own), parse_timeframe(other)
    if lengths[1] < lengths[0]:
        raise ConfigError(
            "STRATEGY_DATA",
            f"informative: expected a timeframe of {own} or more, found {other}; shorter bars would be thrown away",
        )
    return lengths


def _join(
    left: pd.DataFrame, right: pd.DataFrame, dates: tuple[str, str], lengths: tuple[int, int], ffill: bool
) -> pd.DataFrame:
    """Join by the time at which a row is known; `dates` are the columns of opening times."""
    now, known = "_closes_at", "_known_at"
    left = left.assign(**{now: left[dates[0]] + pd.Timedelta(lengths[0], "ns")})
    right = right.assign(**{known: right[dates[1]] + pd.Timedelta(lengths[1], "ns")})
    if ffill:
        out = pd.merge_asof(left, right, left_on=now, right_on=known)
    else:
        out = left.merge(right, how="left", left_on=now, right_on=known)
    return out.drop(columns=[now, known])


def with_informatives(strategy: Any, frame: pd.DataFrame, pair: str) -> pd.DataFrame:
    """Return the frame with the columns of every ``@informative`` method of a strategy."""
    for name in dir(type(strategy)):
        for wanted in getattr(getattr(type(strategy), name, None), MARK, ()):
            frame = _merged(strategy, getattr(strategy, name), wanted, frame, pair)
    return frame


def _merged(
    strategy: Any, method: Callable[..., Any], wanted: Wanted, frame: pd.DataFrame, pair: str
) -> pd.DataFrame:
    stake = str(strategy.config["stake_currency"])
    base, _, quote = pair.partition("/")
    words = {"stake": stake, "base": base.lower(), "BASE": base, "quote": quote.lower(), "QUOTE": quote}
    asset = wanted.asset.format(**words) or pair
    asset = asset if "/" in asset else f"{asset}/{stake}"
    other = strategy.dp.get_pair_dataframe(asset, wanted.timeframe)
    other = method(other, {"pair": asset})
    base, _, quote = asset.partition("/")
    words |= {"base": base.lower(), "BASE": base, "quote": quote.lower(), "QUOTE": quote}
    words |= {"asset": asset, "timeframe": wanted.timeframe}
    fmt = wanted.fmt or ("{base}_{quote}_{column}_{timeframe}" if wanted.asset else "{column}_{timeframe}")
    named = {
        c: fmt(column=c, **words) if callable(fmt) else str(fmt).format(column=c, **words)
        for c in other.columns
    }
    taken = [n for n in named.values() if n in frame.columns]
    if taken:
        raise ConfigError(
            "STRATEGY_FRAME",
            f"@informative on {method.__name__}: expected new columns, found {taken[0]} a second time",
        )
    lengths = _lengths(strategy.timeframe, wanted.timeframe)
    return _join(frame, other.rename(columns=named), ("date", named["date"]), lengths, wanted.ffill)
