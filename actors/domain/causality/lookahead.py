"""Look-ahead analysis: an output at bar t may not change when what comes after t is taken away or replaced.

The definition is that of causality itself: y[t] = f(x[0..t]). Three things are tried at several cuts, on the
streaming and on the batch form: the data end there (truncation), another market follows there (future
perturbation), and every fit that was asked for before the cut must have been given the same data and have
found the same model. A component that keeps a copy of the real future somewhere else than in the data it is
shown (a file, a table of known prices by date) cannot be convicted this way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from actors.domain.causality.columns import Columns, Difference, events, first_difference, spoken
from actors.domain.causality.market import FUTURES, View, with_future
from actors.domain.causality.subjects import BATCH, STREAM, Subject
from actors.domain.causality.witness import FitRecord, Witness
from actors.domain.errors import InsufficientDataError, InvalidParamsError

MIN_BARS: Final = 60
CUTS: Final = 6
_NEIGHBOURS: Final = (
    0,
    1,
    2,
    5,
)  # bars by which the end is moved: a peek at one sign is right every other time
_EVENTS: Final = 4  # bars per cut at which a seldom output changes that are looked at as well
_TAIL_BARS: Final = 24  # of another future that a streaming form is shown
_SCANNED: Final = 160  # prefixes that are tried to find the very first leaking bar


@dataclass(frozen=True)
class Leak:
    """The first bar whose output depends on what came after it.

    Attributes
    ----------
    bar : int
        Position in the data.
    time_ns : int
        Its opening time.
    output : str
        Name of the output that changed.
    before, after : float or str
        Its value on the whole data, and with another end or future.
    form : str
        ``stream``, ``batch`` or ``fit``.
    probe : str
        ``truncation``, ``wild future``, ``flat future``, or ``live memory`` for a fit whose data changed later.
    cut : int
        Position of the first bar that was taken away or replaced.
    """

    bar: int
    time_ns: int
    output: str
    before: float | str
    after: float | str
    form: str
    probe: str
    cut: int


@dataclass(frozen=True)
class Parting:
    """The first bar at which batch and streaming form disagree."""

    bar: int
    time_ns: int
    output: str
    stream: float | str
    batch: float | str


@dataclass
class Verdict:
    """What was found about one component.

    Attributes
    ----------
    causal : bool or None
        False: it leaks. None: it could not be judged, `note` says why.
    first_leak : Leak or None
    bit_exact : bool
        False if an output changed in its last digits only.
    deterministic : bool
        False if it was convicted and two runs on the same data differ as well: chance, or memory between runs.
    parting : Parting or None
    forms : tuple of str
    probes, fits : int
        Runs that were compared, and fits that were looked at.
    note : str
    """

    subject: Subject
    causal: bool | None = None
    first_leak: Leak | None = None
    bit_exact: bool = True
    deterministic: bool = True
    parting: Parting | None = None
    forms: tuple[str, ...] = ()
    probes: int = 0
    fits: int = 0
    note: str = ""
    _notes: dict[str, None] = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        """True unless it leaks, raises, or says two different things."""
        return self.causal is not False and self.parting is None


def analyse(subject: Subject, view: View, *, cuts: int = CUTS) -> Verdict:
    """Try one component on one series.

    Parameters
    ----------
    subject : Subject
    view : View
        At least `MIN_BARS` bars; the component must speak within them to be judged.
    cuts : int
        Cut points per form, at least 1, spread from its first word to the end of the data.

    Returns
    -------
    Verdict

    Raises
    ------
    InsufficientDataError, InvalidParamsError
    """
    if len(view) < MIN_BARS:
        raise InsufficientDataError("BARS_FEW", f"expected at least {MIN_BARS} bars, found {len(view)}")
    if cuts < 1:
        raise InvalidParamsError("CUTS", f"cuts: expected at least 1, found {cuts}")
    verdict = Verdict(subject, forms=tuple(subject.forms))
    whole: dict[str, Columns] = {}
    for form in subject.forms:
        _try_form(subject, form, view, cuts, verdict, whole)
    if len(whole) == len(subject.forms) == 2 and verdict.first_leak is None:
        verdict.parting = _parting(whole, view)
    if verdict.first_leak is not None:
        verdict.causal = False
    verdict.note = "; ".join(verdict._notes)
    return verdict


def cut_points(first: int, bars: int, cuts: int) -> list[int]:
    """Return cuts spread over a component's words, on no regular grid: a resampler leaks off its own grid only.

    Examples
    --------
    >>> cut_points(100, 1000, 3)
    [325, 551, 777]
    """
    spread = [first + 1 + (bars - first - 1) * (k + 1) // (cuts + 1) + k for k in range(cuts)]
    return list(dict.fromkeys(min(max(c, 1), bars - 1) for c in spread))


def _try_form(
    subject: Subject, form: str, view: View, cuts: int, verdict: Verdict, whole: dict[str, Columns]
) -> None:
    known: dict[str, Any] = {}
    witness = Witness(known)
    try:
        base = subject.forms[form](view, witness)
    except Exception as e:  # noqa: BLE001 - a stranger's code may raise anything; it is reported, not hidden
        verdict._notes[f"{form} raises {type(e).__name__}: {e}"] = None
        return
    whole[form] = base
    verdict.fits += len(witness.records)
    for bar, key in witness.tampered:
        _convict(
            verdict, view, Difference(bar, key, "data", "changed after", False), "fit", "live memory", bar
        )
    first = spoken(base)
    if first is None:
        verdict._notes[f"{form} says nothing in {len(view)} bars"] = None
        return
    if verdict.causal is None:
        verdict.causal = True
    points = cut_points(first, len(view), cuts)
    at = [] if form == STREAM else [bar + 1 for bar in events(base, _EVENTS * cuts) if bar + 1 < len(view)]
    for probe, cut, rival in chain(_rivals(form, view, points), _after_events(view, at)):
        # fits of equal data are looked up, but once computed anew: a model may remember an earlier run
        anew = cut == points[-1] and probe != "truncation"
        other = Witness(None if anew else known)
        try:
            found = subject.forms[form](rival, other)
        except Exception as e:  # noqa: BLE001 - see above
            verdict._notes[f"{form} raises with {probe} at bar {cut}: {type(e).__name__}: {e}"] = None
            continue
        verdict.probes += 1
        _compare(verdict, view, form, probe, cut, base, found)
        _compare_fits(verdict, view, probe, cut, witness.records, other.records)
    leak = verdict.first_leak
    if leak is None or form not in (leak.form, STREAM):
        return
    if leak.form == BATCH:
        _look_earlier(subject, view, base, leak.bar, verdict)
    again, once_more = (subject.forms[form](view, Witness()) for _ in range(2))
    if first_difference(again, once_more, len(view)) is not None:
        verdict.deterministic = False
        verdict._notes[
            f"{form}: two runs on the same data differ too: it draws numbers without a seed, or remembers earlier "
            "runs"
        ] = None


def _rivals(form: str, view: View, cuts: list[int]) -> Iterator[tuple[str, int, View]]:
    """Yield probe, first bar that differs, and the data: first another future, so that memory between runs shows."""
    for number, cut in enumerate(cuts):
        bars = None if form == BATCH else _TAIL_BARS
        for future in FUTURES if form == BATCH else FUTURES[number % len(FUTURES) :][:1]:
            yield f"{future} future", cut, View(with_future(view.frame, cut, future, bars))
        for shift in _NEIGHBOURS if form == BATCH else (0,):
            if 1 <= cut - shift < len(view):
                yield "truncation", cut - shift, view.prefix(cut - shift)


def _after_events(view: View, cuts: list[int]) -> Iterator[tuple[str, int, View]]:
    for cut in cuts:
        yield "wild future", cut, View(with_future(view.frame, cut, "wild"))
        yield "truncation", cut, view.prefix(cut)


def _compare(
    verdict: Verdict, view: View, form: str, probe: str, cut: int, base: Columns, found: Columns
) -> None:
    difference = first_difference(base, found, cut)
    if difference is None:
        return
    if difference.rounding:
        verdict.bit_exact = False
        verdict._notes[f"{form}: last digits of {difference.output} depend on the length of the data"] = None
        return
    _convict(verdict, view, difference, form, probe, cut)


def _compare_fits(
    verdict: Verdict, view: View, probe: str, cut: int, base: list[FitRecord], found: list[FitRecord]
) -> None:
    before = [r for r in base if r.bar < cut]
    after = [r for r in found if r.bar < cut]
    for k in range(max(len(before), len(after))):
        a = before[k] if k < len(before) else None
        b = after[k] if k < len(after) else None
        if a != b:
            first = min((r for r in (a, b) if r is not None), key=lambda r: r.bar)
            what = Difference(first.bar, first.key, _fit_text(a), _fit_text(b), False)
            _convict(verdict, view, what, "fit", probe, cut)
            return


def _fit_text(record: FitRecord | None) -> str:
    return "not asked for" if record is None else f"data {record.asked}, model {record.found}"


def _convict(verdict: Verdict, view: View, d: Difference, form: str, probe: str, cut: int) -> None:
    if verdict.first_leak is None or d.bar < verdict.first_leak.bar:
        verdict.first_leak = Leak(
            d.bar, int(view.frame.open_ns[d.bar]), d.output, d.before, d.after, form, probe, cut
        )


def _look_earlier(subject: Subject, view: View, base: Columns, bar: int, verdict: Verdict) -> None:
    """End the data after each of the first bars in turn: the first output that changes is the first leak."""
    for cut in range(1, min(bar, _SCANNED) + 1):
        try:
            found = subject.forms[BATCH](view.prefix(cut), Witness())
        except Exception:  # noqa: BLE001, S112 - too few bars for it: no verdict on them either way
            continue
        verdict.probes += 1
        difference = first_difference(base, found, cut)
        if difference is not None and not difference.rounding:
            _convict(verdict, view, difference, BATCH, "truncation", cut)
            if verdict.first_leak is not None and verdict.first_leak.bar < cut:
                return


def _parting(whole: dict[str, Columns], view: View) -> Parting | None:
    stream, batch = whole[STREAM], whole[BATCH]
    shared = [n for n in stream if n in batch]
    if not shared:
        return Parting(0, int(view.frame.open_ns[0]), "names", " ".join(stream), " ".join(batch))
    d = first_difference({n: stream[n] for n in shared}, {n: batch[n] for n in shared}, len(view))
    if d is None or d.rounding:
        return None
    return Parting(d.bar, int(view.frame.open_ns[d.bar]), d.output, d.before, d.after)
