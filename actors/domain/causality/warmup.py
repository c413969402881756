"""Warm-up sensitivity: the same bar computed after several start-ups, against the value after the whole history.

A filter with finite memory gives the same bits once its window is full. A recursive one (exponential averages,
Wilder's smoothing) forgets its start little by little: TA-Lib calls that its unstable period. What never forgets
where the data began is unstable, and a backtest of it depends on the file it was run on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from actors.domain.causality.columns import ROUNDING
from actors.domain.causality.market import View
from actors.domain.causality.subjects import BATCH, STREAM, Subject
from actors.domain.causality.witness import Witness
from actors.domain.errors import InsufficientDataError, InvalidParamsError

FloatArray = NDArray[np.float64]
Stability = Literal["exact", "settles", "unstable", "learned", "unknown"]
STARTUPS: Final = (50, 100, 200, 400, 800, 1600)
TOLERANCE: Final = 0.01
PATIENCE: Final = 10
_LEAST_DECLARED: Final = 20  # bars: a declared warm-up of next to nothing earns patience too
_LATE_FRAC: Final = 0.9  # not within tolerance after this share of the longest start-up: it will not be


@dataclass(frozen=True)
class Reading:
    """One output at the common later bar, after one start-up.

    Attributes
    ----------
    output : str
    startup_bars : int
        Bars seen, the later bar included.
    value, reference : float or str
        After the start-up, and after the whole history.
    difference_frac : float
        See `differences`; NaN if either is undefined, unless both are.
    """

    output: str
    startup_bars: int
    value: float | str
    reference: float | str
    difference_frac: float


@dataclass(frozen=True)
class Sensitivity:
    """How a component depends on where its data begin.

    Attributes
    ----------
    stability : str
        ``exact``: no difference but rounding once the declared warm-up is over. ``settles``: within tolerance after
        `needed_bars`. ``unstable``: never within tolerance in the start-ups tried. ``learned``: a fitted model,
        which depends on its training data by design. ``unknown``: see `note`.
    needed_bars : int or None
        Bars before a bar from which on every output agrees within tolerance (``learned``: is defined); None if
        unstable or unknown.
    silent_bars : int
        Most bars before the first complete output in any start-up.
    too_short : bool
        The declared warm-up is too short: outputs still missing after it; or values that need more than
        `patience` times the declared bars to settle, or more than the `settling_bars` that it declares; or never
        settle.
    readings : tuple of Reading
    """

    subject: Subject
    bar: int
    time_ns: int
    stability: Stability
    needed_bars: int | None
    silent_bars: int
    too_short: bool
    readings: tuple[Reading, ...]
    note: str = ""


def measure(
    subject: Subject,
    view: View,
    *,
    startups: Sequence[int] = STARTUPS,
    tolerance_frac: float = TOLERANCE,
    patience: int = PATIENCE,
) -> Sensitivity:
    """Start a component at several bars before the end of the data and compare it with its whole history.

    Parameters
    ----------
    subject : Subject
    view : View
        Longer than every start-up; at least twice the longest makes a sound reference.
    startups : sequence of int
        Bars from the start to the last bar, the last included.
    tolerance_frac : float
        Difference that counts as settled; above 0.
    patience : int
        How many times its declared warm-up a recursive filter may take to settle.

    Raises
    ------
    InsufficientDataError, InvalidParamsError
    """
    wanted = sorted(dict.fromkeys(startups))
    if not wanted or wanted[0] < 2 or not tolerance_frac > 0.0 or patience < 1:
        raise InvalidParamsError(
            "STARTUPS",
            "expected start-ups of at least 2 bars, a tolerance above 0 and a patience of at least 1, "
            f"found {list(startups)}, {tolerance_frac}, {patience}",
        )
    n = len(view)
    if wanted[-1] >= n:
        raise InsufficientDataError(
            "BARS_FEW",
            f"start-up of {wanted[-1]} bars: expected more bars than that, found {n}; give more data or less",
        )
    last = n - 1
    when = int(view.frame.open_ns[last])
    run = subject.forms[STREAM if STREAM in subject.forms else BATCH]
    longest = wanted[-1]
    ends = [(w, n) for w in wanted]
    if not subject.learns:
        # the longest start-up once more, ending earlier: one start may be like the truth by luck
        ends += [(longest, e) for e in (n - longest // d for d in (7, 3, 2)) if e > longest]
    try:
        whole = run(view, Witness())
        parts = [(w, end, run(View(view.frame.slice_rows(end - w, end)), Witness())) for w, end in ends]
    except Exception as e:  # noqa: BLE001 - a stranger's code may raise anything; it is reported, not hidden
        note = f"raises {type(e).__name__}: {e}"
        return Sensitivity(subject, last, when, "unknown", None, 0, True, (), note)
    readings, needed, silent = [], 0, 0
    declared = subject.warmup_bars or 0
    differs = False
    for w, end, part in parts:
        for name in whole:
            known = whole[name][:end]
            value = part.get(name, np.full(w, np.nan))
            gap = differences(value, known, cumulative=subject.cumulative)
            if end == n:
                readings.append(Reading(name, w, _plain(value[-1]), _plain(known[-1]), float(gap[-1])))
            missing = _undefined(value) & ~_undefined(known[-w:])
            silent = max(silent, _after_last(missing))
            needed = max(needed, _after_last(~(gap <= tolerance_frac)))
            differs |= not bool((gap[declared:] <= ROUNDING).all())
    settled = needed <= _LATE_FRAC * longest
    stability: Stability = (
        "learned" if subject.learns else "unstable" if not settled else "settles" if differs else "exact"
    )
    heard = max(declared, silent)
    allowed = subject.settling_bars or patience * max(declared, _LEAST_DECLARED)
    late = not subject.learns and (not settled or needed > allowed)
    return Sensitivity(
        subject, last, when, stability,
        heard if subject.learns else max(needed, heard) if settled else None, silent,
        (silent > declared if subject.warmup_bars is not None else False) or late, tuple(readings),
    )  # fmt: skip


def differences(value: NDArray[Any], whole: NDArray[Any], *, cumulative: bool = False) -> FloatArray:
    """Return the relative difference per bar: |value - reference| over |reference| or, if larger, its usual size.

    The usual size, the mean of |whole|, keeps a MACD that crosses zero, or a probability that is almost none, from
    looking infinitely wrong. Labels differ by 0 or 1. Undefined in both is no difference; undefined in one is NaN.

    Parameters
    ----------
    value : array, shape (n,)
        After a start-up.
    whole : array, shape (m,), m >= n
        After the whole history; its last n values are the reference.
    cumulative : bool
        Compare changes from bar to bar (in units of the usual change) instead of levels.

    Examples
    --------
    >>> differences(np.array([1.1, 2.0]), np.array([6.0, 1.0, 2.0])).round(3).tolist()
    [0.033, 0.0]
    """
    if value.dtype.kind != "f" or whole.dtype.kind != "f":
        reference = whole[-len(value) :]
        labels: FloatArray = np.asarray(value.astype(str) != reference.astype(str), dtype=np.float64)
        return labels
    if cumulative:
        value, whole = (np.diff(x, prepend=x[:1]) for x in (value, whole))
    size = np.abs(whole)
    finite = size[np.isfinite(size)]
    floor = float(finite.mean()) if finite.size else 0.0
    reference, size = whole[-len(value) :], size[-len(value) :]
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.abs(value - reference)
        out: FloatArray = np.where(gap == 0.0, 0.0, gap / np.maximum(size, floor))
    out[(np.isnan(value) & np.isnan(reference)) | (value == reference)] = 0.0
    if cumulative:
        out[0] = 0.0  # there is no change at the first bar
    return out


def _undefined(column: NDArray[Any]) -> NDArray[np.bool_]:
    return np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=bool)


def _after_last(flags: NDArray[np.bool_]) -> int:
    at = np.flatnonzero(flags)
    return int(at[-1]) + 1 if at.size else 0


def _plain(x: Any) -> float | str:
    return float(x) if isinstance(x, float | np.floating) else str(x)
