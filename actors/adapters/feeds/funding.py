"""Funding rates from Parquet, Feather and CSV(.gz) files, checked before anyone may use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from actors.adapters.feeds.clock import read_clock
from actors.adapters.feeds.columns import normalise
from actors.adapters.feeds.numbers import read_numbers
from actors.adapters.feeds.table import opened
from actors.domain.errors import DataError
from actors.domain.model.funding import FundingSeries, on_the_minute

_TIMES: Final = ("timestamp", "funding_time", "fundingtime", "calc_time", "time", "datetime", "date", "ts")
_RATES: Final = ("funding_rate", "fundingrate", "last_funding_rate", "lastfundingrate", "rate")


def load_funding(path: Path | str, pair: str) -> FundingSeries:
    """Read one file of funding rates.

    Parameters
    ----------
    path : Path or str
        Columns ``timestamp`` (any common clock, UTC) and ``funding_rate`` (a fraction), or usual synonyms. The
        milliseconds by which venues stamp late are taken off.
    pair : str

    Raises
    ------
    DataError
        If the file cannot be read, lacks a column, or holds times or rates that cannot be used.
    """
    path = Path(path)
    table = _read(path)
    names = [normalise(name) for name in table.column_names]
    columns = {}
    for wanted, synonyms in (("timestamp", _TIMES), ("funding_rate", _RATES)):
        known = next((s for s in synonyms if s in names), None)
        if known is None:
            raise DataError(
                "MISSING_COLUMNS",
                f"{path}: expected columns timestamp and funding_rate, found {', '.join(table.column_names)}; no "
                f"{wanted}, nor any of {', '.join(synonyms[1:])}",
                path=str(path),
            )
        columns[wanted] = table.column(names.index(known)).combine_chunks()
    clock, numbers = read_clock(columns["timestamp"]), read_numbers(columns["funding_rate"])
    for bad, what in ((~clock.valid, "timestamp"), (np.isnan(numbers.values), "funding_rate")):
        if bad.any():
            row = int(np.argmax(bad))
            raise DataError(
                "UNREADABLE_VALUE",
                f"{path}: expected a time and a number in each row, found {columns[what][row].as_py()!r} as {what} "
                f"of row {row + 1}",
                path=str(path),
            )
    if len(numbers.values) == 0:
        raise DataError("FILE_EMPTY", f"{path}: expected funding rates, found none", path=str(path))
    return FundingSeries(pair, on_the_minute(clock.ns, pair, str(path)), numbers.values, str(path))


def _read(path: Path) -> Any:
    from pyarrow import csv, feather, parquet

    with opened(path) as suffix:
        if suffix == ".parquet":
            return parquet.read_table(path)
        # pyarrow unpacks .gz by itself
        return csv.read_csv(path) if suffix.startswith(".csv") else feather.read_table(path)
