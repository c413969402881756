"""The data-quality pass: every defect of a table of bars, vectorised, nothing repaired here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from actors.adapters.feeds.clock import UNIT_NAMES, Clock, read_clock
from actors.adapters.feeds.columns import CANONICAL
from actors.adapters.feeds.numbers import Numbers, read_numbers
from actors.adapters.feeds.report import Finding, Offender, QualityReport
from actors.adapters.feeds.table import RawTable, read_table
from actors.domain.errors import DataError
from actors.domain.model.bars import PRICE_COLUMNS, VALUE_COLUMNS, Gap, find_gaps
from actors.domain.model.timeframe import SECOND_NS, format_timeframe
from actors.domain.model.timerange import format_ns

MAX_MISSING_FRAC: Final = 0.01
_SHOWN: Final = 5
_GAPS_SHOWN: Final = 50

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Examination:
    """A report together with what a policy needs to act on it.

    Attributes
    ----------
    raw : RawTable
    report : QualityReport
    open_ns : int64 array, shape (n_rows,)
        Opening times in file order; 0 where unparsable.
    values : dict of float64 arrays, shape (n_rows,)
        `open high low close volume` in file order.
    reasons : dict of bool arrays, shape (n_rows,)
        Rows that are no bars, by error code.
    """

    raw: RawTable
    report: QualityReport
    open_ns: npt.NDArray[np.int64]
    values: dict[str, npt.NDArray[np.float64]]
    reasons: dict[str, Mask]

    @property
    def bad(self) -> Mask:
        """True for each row with any defect of its own, shape (n_rows,)."""
        none = np.zeros(self.raw.n_rows, dtype=bool)
        return np.asarray(np.logical_or.reduce([none, *self.reasons.values()]), dtype=np.bool_)


def check_table(
    table: RawTable | Path, *, max_missing_frac: float = MAX_MISSING_FRAC, timeframe_ns: int | None = None
) -> QualityReport:
    """Check a table of bars, or the file that holds it.

    Raises
    ------
    DataError
        If the file cannot be read as a table with a header of bars.
    """
    return examine(table, max_missing_frac=max_missing_frac, timeframe_ns=timeframe_ns).report


def check_file(
    path: Path, *, max_missing_frac: float = MAX_MISSING_FRAC, timeframe_ns: int | None = None
) -> QualityReport:
    """Check a file; one that cannot even be read is a report with that error, so others are still checked."""
    try:
        return check_table(path, max_missing_frac=max_missing_frac, timeframe_ns=timeframe_ns)
    except DataError as error:
        return QualityReport(str(path), 0, errors=(Finding(error.code, error.message, 1),))


def examine(
    table: RawTable | Path, *, max_missing_frac: float = MAX_MISSING_FRAC, timeframe_ns: int | None = None
) -> Examination:
    """Check a table and keep the parsed columns beside the report."""
    raw = table if isinstance(table, RawTable) else read_table(table)
    errors: list[Finding] = []
    warnings: list[Finding] = []
    if raw.junk:
        shown = tuple(Offender(None, line, {"text": text[:120]}) for line, text in raw.junk[:_SHOWN])
        warnings.append(
            Finding(
                "HEADER_JUNK", "expected the header in line 1, found text before it", len(raw.junk), shown
            )
        )
    if raw.ragged:
        shown = tuple(Offender(None, line, {"text": text[:120]}) for line, text in raw.ragged[:_SHOWN])
        message = f"expected {len(raw.header)} cells in a line, found another number"
        errors.append(Finding("RAGGED_ROWS", message, len(raw.ragged), shown))
    structural = _structure(raw)
    if structural:
        empty = np.zeros(0, dtype=np.int64)
        rows = raw.n_rows + len(raw.ragged)
        report = QualityReport(str(raw.path), rows, errors=(*structural, *errors), warnings=tuple(warnings))
        return Examination(raw, report, empty, {}, {})

    clock = read_clock(raw.column("timestamp"))
    numbers = {name: read_numbers(raw.column(name)) for name in VALUE_COLUMNS}
    reasons = _clock_defects(raw, clock, errors)
    reasons |= _number_defects(raw, numbers, errors)
    reasons |= _bar_defects(raw, {n: c.values for n, c in numbers.items()}, errors)
    out_of_order, duplicates = _order_defects(raw, clock, errors)

    times = np.unique(clock.ns[clock.valid])
    frame = timeframe_ns if timeframe_ns is not None else median_spacing(times)
    gaps = find_gaps(times, frame) if frame else ()
    missing = sum(g.missing for g in gaps)
    missing_frac = missing / (missing + len(times)) if frame else None
    _gap_findings(gaps, missing_frac, frame, max_missing_frac, errors, warnings)
    if frame:
        _off_grid(raw, clock, times, frame, warnings)
    zero = numbers["volume"].values == 0
    if zero.any():
        warnings.append(_finding(raw, "ZERO_VOLUME", "bars in which nothing was traded", zero))
    invalid = np.logical_or.reduce(list(reasons.values())) if reasons else np.zeros(raw.n_rows, dtype=bool)
    report = QualityReport(
        path=str(raw.path),
        rows=raw.n_rows + len(raw.ragged),
        timeframe_ns=frame,
        first_ns=int(times[0]) if len(times) else None,
        last_ns=int(times[-1]) if len(times) else None,
        gaps=len(gaps),
        missing=missing,
        missing_frac=missing_frac,
        duplicates=duplicates,
        out_of_order=out_of_order,
        invalid=int(invalid.sum()) + len(raw.ragged),
        zero_volume=int(zero.sum()),
        errors=tuple(errors),
        warnings=tuple(warnings),
        gap_list=gaps,
    )
    return Examination(raw, report, clock.ns, {n: c.values for n, c in numbers.items()}, reasons)


def median_spacing(times: npt.NDArray[np.int64]) -> int | None:
    """Return the lower median of the steps between sorted distinct times; None with fewer than two.

    Examples
    --------
    >>> import numpy as np
    >>> median_spacing(np.array([0, 10, 20, 50])), median_spacing(np.array([3]))
    (10, None)
    """
    if len(times) < 2:
        return None
    steps = np.diff(times)
    middle = (len(steps) - 1) // 2
    return int(np.partition(steps, middle)[middle])


def _structure(raw: RawTable) -> list[Finding]:
    missing = [name for name in CANONICAL if name not in raw.positions]
    found = ", ".join(raw.header)
    if missing:
        message = f"expected columns {', '.join(CANONICAL)}; missing {', '.join(missing)}; found {found}"
        return [Finding("MISSING_COLUMNS", message, len(missing))]
    if raw.doubled:
        message = f"expected one column each for {', '.join(raw.doubled)}, found several in {found}"
        return [Finding("AMBIGUOUS_COLUMNS", message, len(raw.doubled))]
    if raw.n_rows == 0:
        return [Finding("NO_BARS", "expected at least one row below the header, found none", 1)]
    return []


def _clock_defects(raw: RawTable, clock: Clock, errors: list[Finding]) -> dict[str, Mask]:
    reasons = {}
    column = raw.header[raw.positions["timestamp"]]
    unread = ~clock.valid
    if unread.any():
        message = f"column {column!r}: expected ISO text or seconds, ms, us or ns since 1970 (UTC)"
        errors.append(_finding(raw, "UNPARSABLE_TIME", message, unread))
        reasons["UNPARSABLE_TIME"] = unread
    present = clock.units_present()
    if len(present) > 1:
        counts = ", ".join(f"{UNIT_NAMES[unit]} in {count} rows" for unit, count in present.items())
        minority = clock.valid & (clock.unit != next(iter(present)))
        message = f"column {column!r}: expected one unit of time, found {counts}"
        errors.append(_finding(raw, "MIXED_CLOCK", message, minority))
        reasons["MIXED_CLOCK"] = minority
    return reasons


def _number_defects(raw: RawTable, numbers: dict[str, Numbers], errors: list[Finding]) -> dict[str, Mask]:
    ruined = np.logical_or.reduce([c.ruined for c in numbers.values()])
    unparsable = np.logical_or.reduce([c.unparsable for c in numbers.values()])
    not_finite = np.logical_or.reduce(
        [~np.isfinite(c.values) & ~c.ruined & ~c.unparsable for c in numbers.values()]
    )
    reasons = {}
    for code, mask, message in (
        (
            "LOCALE_NUMBERS",
            ruined,
            (
                "expected plain numbers such as 147.488, found thousands separators or decimal commas: "
                "a spreadsheet has destroyed these values, fetch the file again from its source"
            ),
        ),
        ("UNPARSABLE_NUMBER", unparsable, "expected a number in each price and volume"),
        ("NON_FINITE", not_finite, "expected finite prices and volume, found empty, NaN or infinite ones"),
    ):
        if mask.any():
            errors.append(_finding(raw, code, message, mask))
            reasons[code] = mask
    return reasons


def _bar_defects(
    raw: RawTable, values: dict[str, npt.NDArray[np.float64]], errors: list[Finding]
) -> dict[str, Mask]:
    opened, high, low, close = (values[name] for name in PRICE_COLUMNS)
    readable = np.logical_and.reduce([np.isfinite(values[name]) for name in PRICE_COLUMNS])
    not_positive = readable & (np.minimum(np.minimum(opened, close), np.minimum(low, high)) <= 0)
    insane = readable & ((low > np.minimum(opened, close)) | (high < np.maximum(opened, close)))
    negative = values["volume"] < 0
    reasons = {}
    for code, mask, message in (
        ("PRICE_NOT_POSITIVE", not_positive, "expected prices above 0"),
        ("OHLC_INSANE", insane, "expected low <= open, close <= high"),
        ("NEGATIVE_VOLUME", negative, "expected volume of 0 or more"),
    ):
        if mask.any():
            errors.append(_finding(raw, code, message, mask))
            reasons[code] = mask
    return reasons


def _order_defects(raw: RawTable, clock: Clock, errors: list[Finding]) -> tuple[int, int]:
    rows = np.flatnonzero(clock.valid)
    times = clock.ns[rows]
    steps = np.diff(times)
    back = np.zeros(raw.n_rows, dtype=bool)
    back[rows[1:][steps < 0]] = True
    if back.any():
        newest_first = bool((steps <= 0).all())
        found = "newest first throughout" if newest_first else f"{int(back.sum())} steps back in time"
        message = f"expected times in ascending order, found {found}; sort the file by time"
        errors.append(_finding(raw, "UNSORTED", message, back))
    repeated = np.zeros(raw.n_rows, dtype=bool)
    repeated[rows[repeats(times)]] = True
    if repeated.any():
        message = "expected each time once, found rows whose time an earlier row has already"
        errors.append(_finding(raw, "DUPLICATES", message, repeated))
    return int(back.sum()), int(repeated.sum())


def repeats(times: npt.NDArray[np.int64]) -> Mask:
    """Tell for each row whether an earlier row has the same time.

    Examples
    --------
    >>> import numpy as np
    >>> repeats(np.array([5, 3, 5, 3, 1])).tolist()
    [False, False, True, True, False]
    """
    order = np.argsort(times, kind="stable")
    same = np.zeros(len(times), dtype=bool)
    same[order[1:]] = times[order[1:]] == times[order[:-1]]
    return same


def _gap_findings(
    gaps: tuple[Gap, ...],
    missing_frac: float | None,
    frame: int | None,
    limit: float,
    errors: list[Finding],
    warnings: list[Finding],
) -> None:
    if not gaps or missing_frac is None or frame is None:
        return
    missing = sum(g.missing for g in gaps)
    text = format_timeframe(frame) if frame % SECOND_NS == 0 else f"{frame} ns"
    too_many = missing_frac > limit
    shown = tuple(
        Offender(
            None,
            None,
            {"missing_from": format_ns(g.start_ns), "next": format_ns(g.end_ns), "bars": str(g.missing)},
        )
        for g in gaps[: _SHOWN if too_many else _GAPS_SHOWN]
    )
    found = f"found {missing} bars of {text} missing in {len(gaps)} places ({missing_frac:.3%})"
    if too_many:
        message = f"expected at most {limit:.3%} of bars missing, {found}"
        errors.append(Finding("MISSING_BARS", message, len(gaps), shown))
    else:
        warnings.append(Finding("GAPS", f"{found}, {limit:.3%} allowed", len(gaps), shown))


def _off_grid(
    raw: RawTable, clock: Clock, times: npt.NDArray[np.int64], frame: int, warnings: list[Finding]
) -> None:
    # most bars agree on one phase; a bar beside it overlaps its neighbours or comes from another clock
    phases, counts = np.unique(times % frame, return_counts=True)
    if len(phases) > 1:
        off = clock.valid & (clock.ns % frame != phases[int(np.argmax(counts))])
        message = "expected opening times a whole number of bars apart"
        warnings.append(_finding(raw, "OFF_GRID", message, off))


def _finding(raw: RawTable, code: str, message: str, mask: Mask) -> Finding:
    first = np.flatnonzero(mask)[:_SHOWN].tolist()
    lines = [None if raw.lines is None else int(raw.lines[row]) for row in first]
    offenders = tuple(Offender(row, line, raw.cells(row)) for row, line in zip(first, lines, strict=True))
    return Finding(code, message, int(mask.sum()), offenders)
