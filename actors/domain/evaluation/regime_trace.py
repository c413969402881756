"""What regimes were said bar by bar, kept in memory that does not grow with the run, and what a report shows of it.

Points for drawing are means over equally many bars; once there are too many, neighbours are joined. Sums of the whole
run are kept beside them, so that figures are exact whatever was joined. Only the score of each bar is kept one by one:
it is compared with an outcome that may be known at the end only.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import nan
from operator import add, attrgetter

import msgspec
import numpy as np

from actors.domain.evaluation.regime_reliability import LEVELS, Hindsight, Reliability, against_truth
from actors.domain.evaluation.regime_statistics import ProbabilityTotals, RegimeStatistics
from actors.domain.events.regime import REGIMES, RegimeAssessed
from actors.domain.regime.ensemble import EnsembleParams
from actors.domain.regime.multi_timeframe import MIXED, frame_agreement, frame_pools, without_vetoed

POINTS = 800
"""Most points of a pair; between half as many and all of them once there are more bars."""
STAY: float = EnsembleParams().stay_probability
FACTORS = ("agreement", "history", "data_quality", "boundary")
_N = len(REGIMES)
_CODE = {label: i for i, label in enumerate(REGIMES)}
_LEVEL_CODE = {level: i for i, level in enumerate(LEVELS)}
_factors = attrgetter(*FACTORS)
# columns of a point: bars, probabilities, then sum and count of each measure, then labels per member and its silence
_MEASURES = ("score", *FACTORS, "agreeing", "frames")
_MEASURE_AT = 1 + _N
_FACTOR_AT = tuple(_MEASURE_AT + 2 * _MEASURES.index(name) for name in FACTORS)
_AGREEING_AT, _FRAMES_AT = (_MEASURE_AT + 2 * _MEASURES.index(name) for name in ("agreeing", "frames"))
_MEMBERS_AT = _MEASURE_AT + 2 * len(_MEASURES)
_WIDTH = _N + 3  # labels, silence, sum and count of weights


class MemberRow(msgspec.Struct, kw_only=True):
    """What one detector said: bars heard and silent, heard bars per regime, heard bars on which it agreed.

    `mean_weight` is its mean weight in the pool; None where the ensemble states none.
    """

    name: str
    timeframe: str
    bars: int
    silent_bars: int
    agreeing_bars: int
    label_bars: tuple[int, ...]
    mean_weight: float | None = None


class RegimeView(msgspec.Struct, kw_only=True):
    """One pair's regimes as a report shows them.

    Attributes
    ----------
    ts_ns : list of int
        Close of the last bar of each point; every point but the last stands for `bars_per_point` bars.
    probabilities : list of tuple of float
        Means over a point's bars, in the order of `REGIMES`.
    measures : dict of list of float or None
        By name: `score` (of the confidence), its factors, `agreeing` (share of the detectors heard that name the regime
        in force) and `frames` (agreement of frames). Means over the bars of a point that have one.
    member_labels : list of list of str
        Per member the most frequent label of each point; "" while it is mostly silent.
    means, known_bars : dict
        Mean of each measure over all bars that have it, and how many these are: exact.
    scored_by_detail : int
        Bars whose score is that of a `RegimeConfidence`; on the others it is the probability of the label in force.
    calibrated_bars : int
    mixed_bars, vetoed_bars : int
        Bars on which frames agreed less than `MIXED`, and on which a crash on a longer one silenced a bull.
    """

    pair: str
    bars_per_point: int
    ts_ns: list[int]
    probabilities: list[tuple[float, ...]]
    measures: dict[str, list[float | None]]
    members: list[MemberRow]
    member_labels: list[list[str]]
    means: dict[str, float | None]
    known_bars: dict[str, int]
    scored_by_detail: int
    calibrated_bars: int
    mixed_bars: int
    vetoed_bars: int
    statistics: RegimeStatistics
    reliability: Reliability | None = None
    observed: bool = False


class RegimeTrace:
    """One pair's regimes so far.

    Parameters
    ----------
    stay_probability : float
        Of the ensemble's filter, for `Hindsight`.

    Examples
    --------
    >>> trace = RegimeTrace()
    >>> p = (0.5, 0.1, 0.1, 0.1, 0.1, 0.1)
    >>> view = RegimeAssessed(ts_event_ns=1, source="e", detector="ensemble", label="bull", probabilities=p,
    ...                       confidence=0.4)
    >>> trace.add(0, view, [])
    >>> trace.points()[1], trace.scores.tolist()
    ([(0.5, 0.1, 0.1, 0.1, 0.1, 0.1)], [0.5])
    """

    def __init__(self, stay_probability: float = STAY) -> None:
        self.hindsight = Hindsight(stay_probability)
        self.totals = ProbabilityTotals(REGIMES)
        self.scores = array("d")
        self.levels = array("b")
        """Per bar the code of `LEVELS`, -1 for none."""
        self.scored_by_detail = self.calibrated_bars = self.mixed_bars = self.vetoed_bars = 0
        self.bars_per_point = 1
        self._members: dict[str, tuple[int, str]] = {}
        self._agreeing: list[int] = []
        self._sums: list[float] = [0.0] * _MEMBERS_AT
        self._now: list[float] = [0.0] * _MEMBERS_AT
        self._last_ns = 0
        self._rows: list[array[float]] = []
        self._ends = array("q")

    @property
    def bars(self) -> int:
        """Bars on which the ensemble said something."""
        return self.totals.bars

    def add(self, index: int, view: RegimeAssessed, views: Sequence[RegimeAssessed]) -> None:
        """Take the ensemble's view of the run's bar `index` and its members' views."""
        label, probabilities, detail = view.label, view.probabilities, view.detail
        code = _CODE[label]
        self.totals.add(label, probabilities)
        row = self._now
        row[0] += 1.0
        row[1:_MEASURE_AT] = map(add, row[1:_MEASURE_AT], probabilities)
        if detail is None:
            score, level = probabilities[code], -1
        else:
            score, level = detail.score, _LEVEL_CODE[detail.level]
            self.scored_by_detail += 1
            self.calibrated_bars += detail.calibrated
            for at, factor in zip(_FACTOR_AT, _factors(detail)):  # noqa: B905 - made of one tuple
                if factor is not None:
                    row[at] += factor
                    row[at + 1] += 1.0
        row[_MEASURE_AT] += score
        row[_MEASURE_AT + 1] += 1.0
        self._keep(index, score, level)
        self.hindsight.add(code, probabilities, score, level)
        heard = agreeing = 0
        longer = False
        members = self._members
        weights = view.weights if len(view.weights) == len(views) else ()
        for i, said in enumerate(views):
            known = members.get(said.source)
            at = self._new_member(said) if known is None else known[0]
            if weights:
                row[at + _N + 1] += weights[i]
                row[at + _N + 2] += 1.0
            if said.timeframe:
                longer = True
            if said.confidence <= 0.0:
                row[at + _N] += 1.0
                continue
            heard += 1
            row[at + _CODE[said.label]] += 1.0
            if said.label == label:
                agreeing += 1
                self._agreeing[(at - _MEMBERS_AT) // _WIDTH] += 1
        if heard:
            row[_AGREEING_AT] += agreeing / heard
            row[_AGREEING_AT + 1] += 1.0
        if longer:
            frames = [v.timeframe for v in views]
            pools = frame_pools(views, frames)
            agreement = frame_agreement(pools)
            self.vetoed_bars += any(v is None for v in without_vetoed(views, frames, pools))
            if agreement is not None:
                row[_FRAMES_AT] += agreement
                row[_FRAMES_AT + 1] += 1.0
                self.mixed_bars += agreement < MIXED
        self._last_ns = view.ts_event_ns
        if row[0] >= self.bars_per_point:
            self._finish_point()

    def points(
        self,
    ) -> tuple[list[int], list[tuple[float, ...]], dict[str, list[float | None]], list[list[str]]]:
        """Return times, probabilities, measures and members' labels of the points, the unfinished one included."""
        rows = [list(r) for r in self._rows]
        ends = self._ends.tolist()
        if self._now[0]:
            rows.append(list(self._now))
            ends.append(self._last_ns)
        probabilities = [tuple(s / row[0] for s in row[1:_MEASURE_AT]) for row in rows]
        measures = {
            name: [_mean(row, _MEASURE_AT + 2 * k) for row in rows] for k, name in enumerate(_MEASURES)
        }
        labels = [[_most(row[at : at + _N + 1]) for row in rows] for at, _ in self._members.values()]
        return ends, probabilities, measures, labels

    def view(
        self,
        pair: str,
        statistics: RegimeStatistics,
        labels: Sequence[str],
        truth: Sequence[str] = (),
        *,
        observed: bool = False,
    ) -> RegimeView:
        """Return what a report shows.

        Parameters
        ----------
        statistics : RegimeStatistics
        labels : sequence of str
            In force, one per bar of the run.
        truth : sequence of str
            Planted regimes of the same bars; empty where nobody planted any.
        observed : bool
            No decision heard of these regimes.
        """
        missing = len(labels) - len(self.scores)
        scores, levels = [*self.scores, *[nan] * missing], [*self.levels, *[-1] * missing]
        reliability = against_truth(scores, levels, labels, truth) if truth else self.hindsight.result()
        ends, probabilities, measures, said = self.points()
        sums = [a + b for a, b in zip(self._sums, self._now, strict=True)]
        members = [
            MemberRow(
                name=name, timeframe=frame, bars=sum(counts := [round(x) for x in sums[at : at + _N]]),
                silent_bars=round(sums[at + _N]), agreeing_bars=self._agreeing[(at - _MEMBERS_AT) // _WIDTH],
                label_bars=tuple(counts), mean_weight=_mean(sums, at + _N + 1),
            )
            for name, (at, frame) in self._members.items()
        ]  # fmt: skip
        return RegimeView(
            pair=pair, bars_per_point=self.bars_per_point, ts_ns=ends, probabilities=probabilities, measures=measures,
            members=members, member_labels=said,
            means={name: _mean(sums, _MEASURE_AT + 2 * k) for k, name in enumerate(_MEASURES)},
            known_bars={name: round(sums[_MEASURE_AT + 2 * k + 1]) for k, name in enumerate(_MEASURES)},
            scored_by_detail=self.scored_by_detail, calibrated_bars=self.calibrated_bars, mixed_bars=self.mixed_bars,
            vetoed_bars=self.vetoed_bars,
            statistics=statistics, reliability=reliability, observed=observed,
        )  # fmt: skip

    def _keep(self, index: int, score: float, level: int) -> None:
        missing = index - len(self.scores)
        if missing > 0:
            self.scores.extend([nan] * missing)
            self.levels.extend([-1] * missing)
        self.scores.append(score)
        self.levels.append(level)

    def _new_member(self, said: RegimeAssessed) -> int:
        """Give a member its columns, return where they begin."""
        at = len(self._now)
        self._members[said.source] = (at, said.timeframe)
        self._agreeing.append(0)
        for row in (self._now, self._sums, *self._rows):
            row.extend([0.0] * _WIDTH)
        return at

    def _finish_point(self) -> None:
        self._rows.append(array("d", self._now))
        self._ends.append(self._last_ns)
        self._sums = list(map(add, self._sums, self._now))
        self._now = [0.0] * len(self._now)
        if len(self._rows) >= POINTS:
            table = np.array(self._rows)
            self._rows = [array("d", row) for row in (table[0::2] + table[1::2]).tolist()]
            self._ends = array("q", self._ends[1::2])
            self.bars_per_point *= 2


def _mean(row: Sequence[float], at: int) -> float | None:
    return row[at] / row[at + 1] if row[at + 1] else None


def _most(counts: Sequence[float]) -> str:
    k = max(range(len(counts)), key=lambda i: counts[i])
    return REGIMES[k] if k < _N and counts[k] > 0.0 else ""
