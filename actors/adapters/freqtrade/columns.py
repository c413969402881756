"""Signal columns of a strategy over a whole series, checked for look-ahead before anyone trades on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from actors.adapters.freqtrade.failures import described
from actors.adapters.freqtrade.informative import with_informatives
from actors.adapters.freqtrade.interface import IStrategy
from actors.adapters.freqtrade.provider import DataProvider, frame_of
from actors.domain.errors import ConfigError, StrategyError
from actors.domain.model.bars import BarFrame

LONG_COLUMNS = ("enter_long", "exit_long")
SHORT_COLUMNS = ("enter_short", "exit_short")
ENTRY_TAG, EXIT_TAG = "enter_tag", "exit_tag"
SIGNALS = (*LONG_COLUMNS, *SHORT_COLUMNS, ENTRY_TAG, EXIT_TAG)
CUTS = (0.37, 0.61, 0.83, 0.97)
"""Where the series is cut off to see whether a column knew what came later, as fractions of its length."""
SIGNAL_CUTS = 5
"""At how many rows of each signal it is cut off as well: a sparse signal would slip through between the others."""
_METHODS = ("populate_indicators", "populate_entry_trend", "populate_exit_trend")


def analyse(strategy: IStrategy, bars: BarFrame) -> pd.DataFrame:
    """Return the frame with indicators and signal columns; a missing signal column means never.

    Raises
    ------
    ConfigError
        If a method raises, returns no frame, or one with other rows.
    """
    if strategy.dp is None:
        strategy.dp = DataProvider({bars.pair: bars})
    strategy.dp.limit(int(bars.close_ns[-1]))
    frame = frame_of(bars)
    try:
        out = with_informatives(strategy, frame.copy(), bars.pair)
        for name in _METHODS:
            out = _populated(strategy, name, out, frame, bars.pair)
    finally:
        strategy.dp.limit(None)
    return out


def _populated(
    strategy: IStrategy, name: str, frame: pd.DataFrame, bars: pd.DataFrame, pair: str
) -> pd.DataFrame:
    where = f"{type(strategy).__name__}.{name}"
    try:
        out = getattr(strategy, name)(frame, {"pair": pair})
    except ConfigError:
        raise
    except Exception as e:
        raise ConfigError("STRATEGY_RAISED", f"{where}: {pair}: {described(e)}") from e
    if not isinstance(out, pd.DataFrame):
        raise ConfigError(
            "STRATEGY_FRAME", f"{where}: expected the frame to be returned, found {type(out).__name__}"
        )
    kept = len(out) == len(bars) and "date" in out
    if not kept or not bool((out["date"].to_numpy() == bars["date"].to_numpy()).all()):
        raise ConfigError(
            "STRATEGY_FRAME",
            f"{where}: expected the {len(bars)} rows of {pair} in their order, found {len(out)} rows; no row may be "
            "dropped, added or moved (dropna, merges)",
        )
    return out


def flags(frame: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    """Return where a signal column is 1, shape (rows,)."""
    if column not in frame:
        return np.zeros(len(frame), dtype=bool)
    return np.asarray(pd.to_numeric(frame[column], errors="coerce").fillna(0.0) == 1.0, dtype=bool)


def tags(frame: pd.DataFrame, column: str) -> list[str | None]:
    """Return a tag column, None where nothing stands."""
    if column not in frame:
        return [None] * len(frame)
    return [v if isinstance(v, str) and v else None for v in frame[column]]


def refuse_lookahead(
    strategy: IStrategy, bars: BarFrame, whole: pd.DataFrame, cuts: Sequence[float] = CUTS
) -> None:
    """Compare the columns of cut-off series with those of the whole one.

    Raises
    ------
    StrategyError
        ``LOOKAHEAD`` with column and first bar found whose value changes once later bars are known.
    """
    first = strategy.startup_candle_count
    for size in _sizes(bars, whole, cuts):
        if size <= first + 2:
            continue
        part = analyse(strategy, bars.slice_rows(0, size))
        leaks = [
            (row, column)
            for column in [*part.columns, *(c for c in whole.columns if c not in part.columns)]
            if (row := _first_difference(part, whole, column, first)) is not None
        ]
        if leaks:
            raise StrategyError("LOOKAHEAD", _told(strategy, bars.pair, part, whole, leaks), pair=bars.pair)


def _sizes(bars: BarFrame, whole: pd.DataFrame, cuts: Sequence[float]) -> list[int]:
    """Return where to cut off: at fractions, and right behind some rows of each signal."""
    out = {int(len(bars) * cut) for cut in cuts} - {0}
    for column in (*LONG_COLUMNS, *SHORT_COLUMNS):
        rows = np.flatnonzero(flags(whole, column)[:-1])
        if rows.size:
            out |= {int(r) + 1 for r in rows[np.linspace(0, rows.size - 1, SIGNAL_CUTS).astype(int)]}
    return sorted(out)


def _first_difference(part: pd.DataFrame, whole: pd.DataFrame, column: str, first: int) -> int | None:
    """Return the first row behind the start-up in which a column of the part is not that of the whole."""
    size = len(part)
    if column in (*LONG_COLUMNS, *SHORT_COLUMNS):
        differ = flags(part, column) != flags(whole, column)[:size]
    elif column in (ENTRY_TAG, EXIT_TAG):
        signal = np.zeros(size, dtype=bool)
        for name in (LONG_COLUMNS[column == EXIT_TAG], SHORT_COLUMNS[column == EXIT_TAG]):
            signal |= flags(part, name)
        now, later = tags(part, column), tags(whole, column)[:size]
        differ = signal & np.array([a != b for a, b in zip(now, later, strict=True)])
    elif column not in whole or column not in part:
        return first
    else:
        differ = ~_same(part[column], whole[column].iloc[:size])
    rows = np.flatnonzero(differ[first:])
    return first + int(rows[0]) if rows.size else None


def _same(one: pd.Series, other: pd.Series) -> NDArray[np.bool_]:
    if pd.api.types.is_numeric_dtype(one) and pd.api.types.is_numeric_dtype(other):
        a, b = one.to_numpy(dtype=float), other.to_numpy(dtype=float)
        return np.asarray(np.isclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True), dtype=bool)
    a, b = one.to_numpy(dtype=object), other.to_numpy(dtype=object)
    equal = [x is y or x == y or (x != x and y != y) for x, y in zip(a, b, strict=True)]
    return np.array([bool(e) if e is not pd.NA else True for e in equal], dtype=bool)


def _told(
    strategy: IStrategy, pair: str, part: pd.DataFrame, whole: pd.DataFrame, leaks: Sequence[tuple[int, str]]
) -> str:
    row, column = min(leaks, key=lambda leak: leak[0])
    also = ", ".join(c for _, c in leaks if c != column)
    cells = [str(f[column].iloc[row]) if column in f else "missing" for f in (part, whole)]
    dates = part["date"]
    return (
        f"{type(strategy).__name__}: expected columns that know the past only, found {column} of {pair} at "
        f"{dates.iloc[row]:%Y-%m-%d %H:%M} to be {cells[0]} with the bars up to {dates.iloc[-1]:%Y-%m-%d %H:%M} and "
        f"{cells[1]} with later ones{f' (also {also})' if also else ''}; look for shift(-1), centred windows, "
        "iloc[-1], and statistics of the whole column"
    )


def signal_rows(frame: pd.DataFrame, column: str, tag: str) -> Iterator[tuple[int, str | None]]:
    """Yield ``(row, tag)`` of each row in which a signal stands."""
    names = tags(frame, tag)
    yield from ((int(k), names[k]) for k in np.flatnonzero(flags(frame, column)))
