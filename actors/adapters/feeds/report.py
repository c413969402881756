"""What a data-quality pass found, with the first offending rows by line and value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from actors.domain.model.bars import Gap
from actors.domain.model.timeframe import SECOND_NS, format_timeframe
from actors.domain.model.timerange import format_ns

_GAPS_IN_JSON: Final = 100
_COUNTS: Final = (
    "path", "rows", "gaps", "missing", "missing_frac", "duplicates", "out_of_order", "invalid", "zero_volume",
    "timeframe_ns",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offender:
    """One offending row: its number from 0, its line from 1 in a text file, its cells as published."""

    row: int | None
    line: int | None
    values: dict[str, str]

    def __str__(self) -> str:
        cells = " ".join(f"{k}={v}" for k, v in self.values.items())
        if self.line is not None:
            return f"line {self.line}: {cells}"
        return cells if self.row is None else f"row {self.row}: {cells}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"row": self.row, "line": self.line, "values": self.values}


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of defect, how often it occurs, and where first."""

    code: str
    message: str
    count: int
    offenders: tuple[Offender, ...] = ()

    def __str__(self) -> str:
        shown = "".join(f"\n    {o}" for o in self.offenders)
        return f"{self.code} ({self.count}): {self.message}{shown}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "code": self.code,
            "message": self.message,
            "count": self.count,
            "offenders": [o.to_dict() for o in self.offenders],
        }


@dataclass(frozen=True, slots=True)
class QualityReport:
    """The result of the data-quality pass over one file.

    Attributes
    ----------
    rows : int
        Rows of the file, defective ones included.
    timeframe_ns : int or None
        The timeframe asked for, else the median spacing; None with fewer than two times.
    gaps, missing : int
        Places where bars are missing, and how many bars.
    missing_frac : float or None
        ``missing / (missing + distinct bars)``; None without a timeframe.
    duplicates, out_of_order, invalid, zero_volume : int
        Rows that repeat a time, step back in time, cannot be a bar, or traded nothing.
    """

    path: str
    rows: int
    timeframe_ns: int | None = None
    first_ns: int | None = None
    last_ns: int | None = None
    gaps: int = 0
    missing: int = 0
    missing_frac: float | None = None
    duplicates: int = 0
    out_of_order: int = 0
    invalid: int = 0
    zero_volume: int = 0
    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    gap_list: tuple[Gap, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        """True without errors; warnings are allowed."""
        return not self.errors

    def codes(self) -> tuple[str, ...]:
        """Codes of all errors, then of all warnings."""
        return tuple(f.code for f in (*self.errors, *self.warnings))

    def summary(self) -> str:
        """Return the findings as text for a person."""
        state = "ok" if self.ok else f"{len(self.errors)} kinds of errors"
        lines = [f"{self.path}: {self.rows} rows, {state}"]
        lines += [f"  error {f}" for f in self.errors] + [f"  warning {f}" for f in self.warnings]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; at most 100 gaps are listed, all are counted."""
        frame = self.timeframe_ns
        return {
            **{name: getattr(self, name) for name in _COUNTS},
            "timeframe": format_timeframe(frame) if frame and frame % SECOND_NS == 0 else None,
            "first_at": None if self.first_ns is None else format_ns(self.first_ns),
            "last_at": None if self.last_ns is None else format_ns(self.last_ns),
            "gap_list": [gap_to_dict(g) for g in self.gap_list[:_GAPS_IN_JSON]],
            "errors": [f.to_dict() for f in self.errors],
            "warnings": [f.to_dict() for f in self.warnings],
        }


def gap_to_dict(gap: Gap) -> dict[str, Any]:
    """Return a gap with readable times: first missing bar, next bar that is there, bars missing.

    Examples
    --------
    >>> gap_to_dict(Gap(0, 60_000_000_000, 1))["next_at"]
    '1970-01-01T00:01:00Z'
    """
    return {
        "missing_from": format_ns(gap.start_ns),
        "next_at": format_ns(gap.end_ns),
        "missing": gap.missing,
    }
