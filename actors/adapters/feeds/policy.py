"""What happens to defective data: refused by default, never silently dropped or filled."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from actors.adapters.feeds.quality import Examination, repeats
from actors.adapters.feeds.report import Finding, QualityReport
from actors.domain.errors import ConfigError, DataError, DataGapError, InvalidBarError
from actors.domain.model.bars import (
    FLAG_FORWARD_FILLED,
    FLAG_REPAIRED,
    VALUE_COLUMNS,
    BarFrame,
    find_gaps,
)

Policy = Literal["reject", "quarantine", "fill_forward_flagged"]
POLICIES: Final[tuple[str, ...]] = get_args(Policy)

# Defects of single rows or of their order, which quarantine can set right. Ruined numbers are none: the
# rows beside them that still parse have lost their magnitude as well.
_ROW_CODES: Final = frozenset(
    {
        "RAGGED_ROWS", "UNPARSABLE_TIME", "MIXED_CLOCK", "UNPARSABLE_NUMBER", "NON_FINITE",
        "PRICE_NOT_POSITIVE", "OHLC_INSANE", "NEGATIVE_VOLUME", "UNSORTED", "DUPLICATES", "MISSING_BARS",
    }
)  # fmt: skip
_BAR_CODES: Final = frozenset(
    {"PRICE_NOT_POSITIVE", "OHLC_INSANE", "NEGATIVE_VOLUME", "NON_FINITE", "UNPARSABLE_NUMBER"}
)


@dataclass(frozen=True)
class Columns:
    """Rows that passed a policy, in time order, all arrays of shape (n,); ``rows`` are file positions."""

    rows: npt.NDArray[np.int64]
    open_ns: npt.NDArray[np.int64]
    values: dict[str, npt.NDArray[np.float64]]
    flags: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Quarantined:
    """Where the rows that did not pass were put."""

    path: Path
    rows: int
    reasons: dict[str, int]


def check_policy(policy: str) -> None:
    """Refuse an unknown policy with ConfigError."""
    if policy not in POLICIES:
        raise ConfigError(
            "DATA_POLICY_UNKNOWN",
            f"data policy: expected one of {', '.join(POLICIES)}, found {policy!r}",
            policy=policy,
        )


def reject(exam: Examination, allowed: frozenset[str] = frozenset()) -> Columns:
    """Return the rows if there is no error; raise DataError with every error and its first rows.

    Parameters
    ----------
    exam : Examination
    allowed : frozenset of str
        Codes that the caller deals with himself.
    """
    _raise_on([f for f in exam.report.errors if f.code not in allowed], exam.report)
    flags = np.zeros(len(exam.open_ns), dtype=np.uint8)
    return Columns(np.arange(len(flags)), exam.open_ns, exam.values, flags)


def quarantine(
    exam: Examination, sidecar: Path, max_missing_frac: float
) -> tuple[Columns, Quarantined | None]:
    """Move bad rows to a sidecar file and return the rest in time order.

    Rows that are no bars go, and so do all rows of a time with contradicting bars, and all but the first
    of identical ones. Rows that had to change places are flagged as repaired. Files whose numbers or
    columns are lost as a whole are refused, and so is a rest with too many bars missing.

    Raises
    ------
    DataError
        If nothing trustworthy is left or the sidecar cannot be written.
    """
    _raise_on([f for f in exam.report.errors if f.code not in _ROW_CODES], exam.report)
    reasons: dict[str, npt.NDArray[np.bool_]] = dict(exam.reasons)
    good = np.flatnonzero(~exam.bad)
    good = good[np.argsort(exam.open_ns[good], kind="stable")]
    times = exam.open_ns[good]
    again = repeats(times)
    if again.any():
        table = np.stack([exam.values[name][good] for name in VALUE_COLUMNS])
        unequal = np.zeros(len(good), dtype=bool)
        unequal[1:] = again[1:] & (table[:, 1:] != table[:, :-1]).any(axis=0)
        contradicting = np.isin(times, times[unequal])
        for code, mask in (("CONTRADICTING_BARS", contradicting), ("REPEATED_BARS", again & ~contradicting)):
            if mask.any():
                rows = np.zeros(exam.raw.n_rows, dtype=bool)
                rows[good[mask]] = True
                reasons[code] = rows
        good = good[~(contradicting | again)]
    if not len(good):
        raise DataError("NO_BARS_LEFT", f"{exam.raw.path}: no row passes the checks\n{exam.report.summary()}")
    moved = _write_sidecar(exam, reasons, sidecar)
    # a row is out of place when it is not where its rank among the kept rows says
    flags = np.where(good == np.sort(good), 0, FLAG_REPAIRED).astype(np.uint8)
    columns = Columns(good, exam.open_ns[good], {n: v[good] for n, v in exam.values.items()}, flags)
    frame_ns = exam.report.timeframe_ns
    if frame_ns:
        missing = sum(g.missing for g in find_gaps(columns.open_ns, frame_ns))
        share = missing / (missing + len(good))
        if share > max_missing_frac:
            raise DataGapError(
                "MISSING_BARS",
                f"{exam.raw.path}: expected at most {max_missing_frac:.3%} of bars missing, "
                f"found {share:.3%} after {moved.rows if moved else 0} rows went to {sidecar}",
                path=str(exam.raw.path),
            )
    return columns, moved


def fill_forward(frame: BarFrame) -> BarFrame:
    """Fill gaps with flat bars at the last close, volume 0, flagged as forward-filled.

    Examples
    --------
    >>> f = BarFrame("A/B", 10, [0, 30], [1, 5], [2, 5], [1, 5], [2, 5], [1, 1])
    >>> filled = fill_forward(f)
    >>> filled.open_ns.tolist(), filled.close.tolist(), filled.flags.tolist()
    ([0, 10, 20, 30], [2.0, 2.0, 2.0, 5.0], [0, 1, 1, 0])
    """
    gaps = [g for g in frame.gaps() if g.missing]
    if not gaps:
        return frame
    new_ns = np.concatenate([g.start_ns + frame.timeframe_ns * np.arange(g.missing) for g in gaps])
    before = np.searchsorted(frame.open_ns, new_ns, side="left") - 1
    flat = frame.close[before]
    open_ns = np.concatenate([frame.open_ns, new_ns])
    order = np.argsort(open_ns, kind="stable")

    def merged(column: npt.NDArray[Any], fill: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.concatenate([column, fill])[order]

    return BarFrame(
        frame.pair,
        frame.timeframe_ns,
        open_ns[order],
        merged(frame.open, flat),
        merged(frame.high, flat),
        merged(frame.low, flat),
        merged(frame.close, flat),
        merged(frame.volume, np.zeros(len(new_ns))),
        merged(frame.flags, np.full(len(new_ns), FLAG_FORWARD_FILLED, dtype=np.uint8)),
        source=frame.source,
        synthetic=frame.synthetic,
    )


def _raise_on(errors: Sequence[Finding], report: QualityReport) -> None:
    if not errors:
        return
    codes = {f.code for f in errors}
    kind: type[DataError] = DataError
    if codes == {"MISSING_BARS"}:
        kind = DataGapError
    elif codes <= _BAR_CODES:
        kind = InvalidBarError
    listed = "\n".join(f"  {f}" for f in errors)
    raise kind(
        errors[0].code,
        f"{report.path}: expected clean bars, found\n{listed}\n"
        "  Repair or replace the file, or choose another data policy (tradewind check-data shows all)",
        path=report.path,
        codes=sorted(codes),
    )


def _write_sidecar(
    exam: Examination, reasons: dict[str, npt.NDArray[np.bool_]], sidecar: Path
) -> Quarantined | None:
    raw = exam.raw
    out = np.flatnonzero(np.logical_or.reduce([np.zeros(raw.n_rows, dtype=bool), *reasons.values()]))
    if not len(out) and not raw.ragged:
        return None
    temporary = sidecar.with_name(f".{sidecar.name}.{os.getpid()}.tmp")
    try:
        sidecar.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["line", "row", "reason", *raw.header])
            for row in out.tolist():
                why = "+".join(code for code, mask in reasons.items() if mask[row])
                line = "" if raw.lines is None else int(raw.lines[row])
                writer.writerow([line, row, why, *raw.cells(row).values()])
            for line, text in raw.ragged:
                writer.writerow([line, "", "RAGGED_ROWS", text])
        temporary.replace(sidecar)
    except OSError as error:
        with contextlib.suppress(OSError):  # where the folder is none, there is nothing to remove
            temporary.unlink()
        raise DataError(
            "QUARANTINE_NOT_WRITTEN",
            f"{sidecar}: expected to keep {len(out)} bad rows there, found: {error}; "
            "name a folder that can be written (quarantine_dir)",
            path=str(sidecar),
        ) from error
    counts = {code: int(mask.sum()) for code, mask in reasons.items() if mask.any()}
    if raw.ragged:
        counts["RAGGED_ROWS"] = len(raw.ragged)
    return Quarantined(sidecar, len(out) + len(raw.ragged), counts)
