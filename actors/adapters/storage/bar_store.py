"""Local store of bars: one Parquet file per pair and timeframe, queried through DuckDB.

Every change writes a new file beside the old one, syncs it and renames it into place: a full disk or a
killed process leaves the old file whole. The spans of time a download has covered live in the same
file, so data and knowledge of it can never disagree.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from actors.domain.errors import DataError, StorageError
from actors.domain.model.bars import VALUE_COLUMNS, BarFrame
from actors.domain.model.timeframe import format_timeframe, parse_timeframe
from actors.domain.model.timerange import format_ns

_COLUMNS: Final = ("open_ns", *VALUE_COLUMNS, "flags")
_SUFFIX: Final = ".parquet"


class Span(NamedTuple):
    """A span of time ``[start_ns, end_ns)`` in which everything the source has is stored."""

    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class StoredSeries:
    """One file of the store: what it holds, without its bars."""

    pair: str
    timeframe: str
    rows: int
    first_ns: int
    last_ns: int
    source: str
    synthetic: bool
    path: Path


@dataclass(frozen=True, slots=True)
class AppendResult:
    """What an append changed: bars added, and identical bars that were there already."""

    path: Path
    added: int
    repeated: int


class BarStore:
    """Bars under one folder, such as ``user_data/data/binance``.

    Parameters
    ----------
    root : Path
        Made when first written to. Files are named ``BTC_USDT-1h.parquet``; their times are UTC.

    Notes
    -----
    One writer per file at a time; readers need no lock, since files are replaced whole.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, pair: str, timeframe_ns: int) -> Path:
        """Return where a series is or would be."""
        name = pair.replace("/", "_").replace(":", "_")
        if not name.replace("_", "").isalnum():
            raise DataError("PAIR_INVALID", f"pair: expected BASE/QUOTE such as BTC/USDT, found {pair!r}")
        return self.root / f"{name}-{format_timeframe(timeframe_ns)}{_SUFFIX}"

    def write(self, frame: BarFrame, *, covered: Iterable[Span] | None = None) -> Path:
        """Replace a series by the bars of a frame.

        Raises
        ------
        StorageError
            If the file cannot be written; the old one is untouched then.
        """
        spans = list(covered) if covered is not None else _span_of(frame)
        path = self.path(frame.pair, frame.timeframe_ns)
        _write_atomically(path, frame, merge_spans(spans))
        return path

    def append(self, frame: BarFrame, *, covered: tuple[int, int] | None = None) -> AppendResult:
        """Add bars before, between or after those stored.

        Bars that are there already must be identical. ``covered`` is the span known to be complete
        with these bars, gaps of the source included; by default the frame's own span.

        Raises
        ------
        DataError
            If a stored bar differs (the store is left as it was), or real and synthetic bars would mix.
        StorageError
            If the file cannot be written.
        """
        path = self.path(frame.pair, frame.timeframe_ns)
        spans = [Span(*covered)] if covered is not None else _span_of(frame)
        if not path.exists():
            _write_atomically(path, frame, merge_spans(spans))
            return AppendResult(path, len(frame), 0)
        stored = self.read(frame.pair, frame.timeframe_ns)
        if len(stored) and len(frame) and stored.synthetic != frame.synthetic:
            raise DataError(
                "SYNTHETIC_MIXED",
                f"{path}: expected {'synthetic' if stored.synthetic else 'real'} bars as those stored, "
                f"found {frame!r}; use another folder",
                path=str(path),
            )
        merged, repeated = _merge(stored, frame, path)
        _write_atomically(path, merged, merge_spans([*self.covered(frame.pair, frame.timeframe_ns), *spans]))
        return AppendResult(path, len(merged) - len(stored), repeated)

    def read(
        self, pair: str, timeframe_ns: int, start_ns: int | None = None, end_ns: int | None = None
    ) -> BarFrame:
        """Return the bars that open in ``[start_ns, end_ns)``; only those row groups are read.

        Raises
        ------
        DataError
            If there is no such series or its file is damaged.
        """
        path = self._existing(pair, timeframe_ns)
        # whole microseconds are what the file holds: rounding up keeps both ends of the range exact
        low = None if start_ns is None else -(-start_ns // 1000)
        high = None if end_ns is None else -(-end_ns // 1000)
        query = (
            "SELECT epoch_us(timestamp) * 1000 AS open_ns, open, high, low, close, volume, flags "
            "FROM read_parquet($path) "
            "WHERE ($low IS NULL OR timestamp >= make_timestamp($low)) "
            "AND ($high IS NULL OR timestamp < make_timestamp($high)) ORDER BY timestamp"
        )
        columns = _duckdb(query, {"path": str(path), "low": low, "high": high})
        notes = _notes(path)
        return BarFrame.from_columns(
            pair,
            timeframe_ns,
            columns,
            source=notes.get("source", ""),
            synthetic=notes.get("synthetic") == "true",
        )

    def covered(self, pair: str, timeframe_ns: int) -> list[Span]:
        """Return the spans that are complete, in order; empty if the series is not stored."""
        path = self.path(pair, timeframe_ns)
        if not path.exists():
            return []
        return [Span(*span) for span in json.loads(_notes(path).get("covered", "[]"))]

    def missing_spans(self, pair: str, timeframe_ns: int, start_ns: int, end_ns: int) -> list[Span]:
        """Return what of ``[start_ns, end_ns)`` is not yet covered, in order."""
        missing, at = [], start_ns
        for span in self.covered(pair, timeframe_ns):
            if span.end_ns <= at or span.start_ns >= end_ns:
                continue
            if span.start_ns > at:
                missing.append(Span(at, span.start_ns))
            at = max(at, span.end_ns)
        if at < end_ns:
            missing.append(Span(at, end_ns))
        return missing

    def contents(self) -> list[StoredSeries]:
        """List all series of the store by pair and timeframe."""
        found = []
        for path in sorted(self.root.glob(f"*{_SUFFIX}")):
            notes = _notes(path)
            if "pair" not in notes:
                continue  # a foreign file that lies in the same folder
            query = (
                "SELECT count(*) AS rows, coalesce(min(epoch_us(timestamp)), 0) AS first, "
                "coalesce(max(epoch_us(timestamp)), 0) AS last FROM read_parquet($path)"
            )
            row = {name: int(v[0]) for name, v in _duckdb(query, {"path": str(path)}).items()}
            found.append(
                StoredSeries(
                    notes["pair"],
                    notes["timeframe"],
                    row["rows"],
                    row["first"] * 1000,
                    row["last"] * 1000,
                    notes.get("source", ""),
                    notes.get("synthetic") == "true",
                    path,
                )
            )
        return sorted(found, key=lambda s: (s.pair, parse_timeframe(s.timeframe)))

    def sql(self, query: str) -> dict[str, np.ndarray[Any, Any]]:
        """Run a DuckDB query over the view ``bars(pair, timeframe, timestamp, open … flags)``.

        Returns
        -------
        dict
            Column name to array.
        """
        series = self.contents()
        if not series:
            raise DataError("STORE_EMPTY", f"{self.root}: expected stored bars, found none")
        parts = " UNION ALL ".join(
            f"SELECT {_text(s.pair)} AS pair, {_text(s.timeframe)} AS timeframe, * "  # noqa: S608 (quoted)
            f"FROM read_parquet({_text(str(s.path))})"
            for s in series
        )
        return _duckdb(query, {}, setup=f"CREATE VIEW bars AS {parts}")

    def _existing(self, pair: str, timeframe_ns: int) -> Path:
        path = self.path(pair, timeframe_ns)
        if not path.is_file():
            raise DataError(
                "SERIES_MISSING",
                f"{path}: expected stored bars of {pair} {format_timeframe(timeframe_ns)}, found none; "
                "run tradewind download-data",
                path=str(path),
            )
        return path


def merge_spans(spans: Iterable[Span]) -> list[Span]:
    """Join spans that touch or overlap.

    Examples
    --------
    >>> merge_spans([Span(5, 7), Span(0, 2), Span(2, 4), Span(6, 9)])
    [Span(start_ns=0, end_ns=4), Span(start_ns=5, end_ns=9)]
    """
    out: list[Span] = []
    for span in sorted(spans):
        if out and span.start_ns <= out[-1].end_ns:
            out[-1] = Span(out[-1].start_ns, max(out[-1].end_ns, span.end_ns))
        else:
            out.append(span)
    return out


def _span_of(frame: BarFrame) -> list[Span]:
    return [Span(frame.start_ns, frame.end_ns)] if len(frame) else []


def _merge(stored: BarFrame, new: BarFrame, path: Path) -> tuple[BarFrame, int]:
    at = np.searchsorted(stored.open_ns, new.open_ns)
    inside = at < len(stored)
    known = np.zeros(len(new), dtype=bool)
    known[inside] = stored.open_ns[at[inside]] == new.open_ns[inside]
    rows = np.flatnonzero(known)
    for name in VALUE_COLUMNS:
        unequal = getattr(stored, name)[at[rows]] != getattr(new, name)[rows]
        if unequal.any():
            k = int(rows[int(np.argmax(unequal))])
            raise DataError(
                "BARS_CONTRADICT",
                f"{path}: expected the stored bar {stored.row(int(at[k]))} again, found {new.row(k)} at "
                f"{format_ns(int(new.open_ns[k]))}; delete the file to take the new bars",
                path=str(path),
            )
    if not len(stored) or not len(new):
        return (new if not len(stored) else stored), len(rows)
    fresh = ~known
    columns = {n: np.concatenate([getattr(stored, n), getattr(new, n)[fresh]]) for n in _COLUMNS}
    order = np.argsort(columns["open_ns"], kind="stable")
    merged = BarFrame.from_columns(
        stored.pair,
        stored.timeframe_ns,
        {name: column[order] for name, column in columns.items()},
        source=stored.source or new.source,
        synthetic=stored.synthetic,
    )
    return merged, len(rows)


def _write_atomically(path: Path, frame: BarFrame, covered: list[Span]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    if (frame.open_ns % 1000).any():
        raise DataError(
            "TIME_TOO_FINE", f"{frame!r}: expected opening times in whole microseconds, found finer ones"
        )
    times = pa.array(frame.open_ns // 1000).cast(pa.timestamp("us"))
    arrays = [times, *(pa.array(getattr(frame, name)) for name in _COLUMNS[1:])]
    notes = {
        "pair": frame.pair,
        "timeframe": format_timeframe(frame.timeframe_ns),
        "source": frame.source,
        "synthetic": "true" if frame.synthetic else "false",
        "covered": json.dumps(covered),
    }
    metadata = {f"tradewind.{key}": value for key, value in notes.items()}
    table = pa.table(arrays, names=["timestamp", *_COLUMNS[1:]]).replace_schema_metadata(metadata)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            parquet.write_table(table, file, compression="zstd", row_group_size=64 * 1024)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise StorageError(
            "STORE_WRITE_FAILED",
            f"{path}: expected to write {len(frame)} bars, found: {error}; what was stored before is "
            "unchanged; free some space or choose another --userdir, then run again",
            path=str(path),
        ) from error


def _sync_folder(folder: Path) -> None:
    # the rename itself is durable only once the folder is
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _notes(path: Path) -> dict[str, str]:
    from pyarrow import parquet

    try:
        metadata = parquet.read_schema(path).metadata or {}
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    prefix = b"tradewind."
    return {k[len(prefix) :].decode(): v.decode() for k, v in metadata.items() if k.startswith(prefix)}


def _duckdb(query: str, params: dict[str, Any], setup: str = "") -> dict[str, np.ndarray[Any, Any]]:
    import duckdb

    with duckdb.connect(":memory:") as connection:
        try:
            if setup:
                connection.execute(setup)
            columns = connection.execute(query, params or None).fetchnumpy()
        except duckdb.Error as error:
            raise _damaged(Path(params.get("path", "store")), error) from error
    return {name: np.asarray(values) for name, values in columns.items()}


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError("STORE_READ_FAILED", f"{path}: expected readable bars, found: {error}", path=str(path))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
