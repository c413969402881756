"""A file of bars as it was published: text untouched, each row with its line number."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from actors.adapters.feeds.columns import looks_like_header, match_columns
from actors.domain.errors import DataError

SUFFIXES: Final = (".parquet", ".feather", ".arrow", ".csv", ".csv.gz")
_HEADER_WITHIN_LINES: Final = 30
_DELIMITERS: Final = (",", ";", "\t", "|")


@dataclass(frozen=True)
class RawTable:
    """A table as read, before anything is believed.

    Attributes
    ----------
    path : Path
    header : list of str
        Column names as published.
    columns : list of pyarrow arrays
        One per header entry; strings for text files, typed for Parquet and Feather.
    positions : dict
        Canonical name (`timestamp open high low close volume`) to column position.
    doubled : list of str
        Canonical names claimed by two columns.
    lines : int64 array, shape (n_rows,), or None
        Line number (from 1) of each row in a text file.
    junk : list of (line, text)
        Lines before the header.
    ragged : list of (line, text)
        Lines with too many or too few cells; they are not in the columns.
    metadata : dict
        Notes that this system wrote into its own Parquet files.
    """

    path: Path
    header: list[str]
    columns: list[Any]
    positions: dict[str, int]
    doubled: list[str]
    lines: npt.NDArray[np.int64] | None = None
    junk: list[tuple[int, str]] = field(default_factory=list)
    ragged: list[tuple[int, str]] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Rows of the table, ragged lines not counted."""
        return len(self.columns[0]) if self.columns else 0

    def column(self, canonical: str) -> Any:
        """Return the pyarrow array of a canonical column."""
        return self.columns[self.positions[canonical]]

    def cells(self, row: int) -> dict[str, str]:
        """Return one row as published, by the file's own column names."""
        return {name: str(col[row].as_py()) for name, col in zip(self.header, self.columns, strict=True)}


def file_suffix(path: Path) -> str | None:
    """Return the supported suffix of a file, or None.

    Examples
    --------
    >>> file_suffix(Path("a/BTCUSDT_1h.CSV.gz")), file_suffix(Path("notes.txt"))
    ('.csv.gz', None)
    """
    return next((s for s in SUFFIXES[::-1] if path.name.lower().endswith(s)), None)


def read_table(path: Path) -> RawTable:
    """Read a Parquet, Feather or CSV(.gz) file without interpreting it.

    Raises
    ------
    DataError
        If the file is missing, of an unknown kind, unreadable, or text without a header of bars.
    """
    with opened(path) as suffix:
        return _read_text(path) if suffix.startswith(".csv") else _read_arrow(path, suffix)


@contextmanager
def opened(path: Path) -> Iterator[str]:
    """Tell the kind of a file that is about to be read, by its ending, and turn what a reader raises into ours.

    Raises
    ------
    DataError
        If the file is missing, of an unknown kind, or unreadable.
    """
    suffix = file_suffix(path)
    if suffix is None:
        raise DataError(
            "FILE_KIND_UNKNOWN",
            f"{path}: expected a file ending in {', '.join(SUFFIXES)}, found {path.suffix or 'no suffix'!r}",
            path=str(path),
        )
    if not path.is_file():
        raise DataError("FILE_MISSING", f"{path}: expected a file, found nothing there", path=str(path))
    try:
        yield suffix
    except (OSError, EOFError, zlib.error, ValueError) as error:  # pyarrow's errors are ValueErrors
        raise DataError(
            "FILE_UNREADABLE",
            f"{path}: expected a readable {suffix} file, found: {error}; fetch it again",
            path=str(path),
        ) from error


def _read_arrow(path: Path, suffix: str) -> RawTable:
    from pyarrow import feather, parquet

    table = parquet.read_table(path) if suffix == ".parquet" else feather.read_table(path)
    table = table.combine_chunks()
    header = list(table.column_names)
    positions, doubled = match_columns(header)
    columns = [_plain(column) for column in table.columns]
    prefix = b"tradewind."
    metadata = {
        key[len(prefix) :].decode(): value.decode()
        for key, value in (table.schema.metadata or {}).items()
        if key.startswith(prefix)
    }
    return RawTable(path, header, columns, positions, doubled, metadata=metadata)


def _plain(column: Any) -> Any:
    """Return a column as one array, dictionaries and the newer kinds of strings as plain strings."""
    import pyarrow as pa
    import pyarrow.types as pt

    if pt.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pt.is_large_string(column.type) or pt.is_string_view(column.type):
        column = column.cast(pa.string())
    array = column.combine_chunks()
    return pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array


def _read_text(path: Path) -> RawTable:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as pa_csv

    data = gzip.decompress(path.read_bytes()) if path.name.lower().endswith(".gz") else path.read_bytes()
    data = data.removeprefix(b"\xef\xbb\xbf")
    start, header_line, delimiter, header, junk = _find_header(path, data)
    bad: list[tuple[int, str]] = []
    skipped: list[int] = []

    def on_bad_row(row: Any) -> str:
        # numbers count from the header line, which is 1; an empty line is no row at all
        skipped.append(row.number)
        if row.text.strip():
            bad.append((header_line + row.number - 1, row.text))
        return "skip"

    names = [f"c{k}" for k in range(len(header))]
    table = pa_csv.read_csv(
        io.BytesIO(data[start:]),
        # threads would lose the row numbers of bad lines
        read_options=pa_csv.ReadOptions(use_threads=False, column_names=names, skip_rows=1),
        parse_options=pa_csv.ParseOptions(
            delimiter=delimiter, invalid_row_handler=on_bad_row, ignore_empty_lines=False
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types={n: pa.string() for n in names}, strings_can_be_null=False
        ),
    )
    n_lines = table.num_rows + len(skipped)
    numbers = np.arange(2, n_lines + 2, dtype=np.int64)
    kept = np.ones(n_lines, dtype=bool)
    kept[np.array(skipped, dtype=np.int64) - 2] = False
    positions, doubled = match_columns(header)
    columns = [c.combine_chunks() for c in table.columns]
    lines = numbers[kept] + header_line - 1
    filled = ~np.logical_and.reduce([pc.equal(c, "").to_numpy(zero_copy_only=False) for c in columns])
    if not filled.all():  # empty lines are no rows
        columns, lines = [c.filter(pa.array(filled)) for c in columns], lines[filled]
    return RawTable(path, header, columns, positions, doubled, lines, junk, bad)


def _find_header(path: Path, data: bytes) -> tuple[int, int, str, list[str], list[tuple[int, str]]]:
    offset = 0
    junk: list[tuple[int, str]] = []
    for number in range(1, _HEADER_WITHIN_LINES + 1):
        end = data.find(b"\n", offset)
        line = data[offset : end if end >= 0 else len(data)].decode("utf-8").rstrip("\r")
        delimiter = max(_DELIMITERS, key=line.count)
        cells = next(csv.reader([line], delimiter=delimiter), [])
        if looks_like_header(cells):
            return offset, number, delimiter, cells, junk
        junk.append((number, line))
        if end < 0:
            break
        offset = end + 1
    shown = junk[0][1][:80]
    raise DataError(
        "MISSING_COLUMNS",
        f"{path}: expected a header with timestamp, open, high, low, close, volume within the first "
        f"{_HEADER_WITHIN_LINES} lines, found {shown!r} as the first line; add a header line",
        path=str(path),
        line=1,
    )
