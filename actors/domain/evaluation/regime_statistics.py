"""What a sequence of regimes was like: spells, shares of time, transitions, and what the market did in each.

A bar's return is that of the regime in force when the bar began, the label known at the close before it: what a
trader could have known. Spells and transitions are counted in bars, a gap in the data as no time at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from math import sqrt
from operator import add
from statistics import median
from typing import Any

import msgspec
import numpy as np

from actors.domain import kernels
from actors.domain.errors import InvalidParamsError
from actors.domain.evaluation.metrics.block_length import optimal_block_length
from actors.domain.evaluation.metrics.growth import FloatArray
from actors.domain.evaluation.metrics.intervals import UNDEFINED_LIMIT, ResampledFigures
from actors.domain.evaluation.metrics.proportion import Estimate, wilson
from actors.domain.processor import derive_seed

LEAST_RETURNS = 12
"""Returns from which on a mean or a volatility has an interval: fewer have no block length (see `block_length`)."""


class Spell(msgspec.Struct, frozen=True):
    """Bars in a row with one label."""

    label: str
    bars: int


class RegimeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One regime.

    Attributes
    ----------
    share_frac : float
        Of the labelled bars.
    mean_probability, probability_in_force : float or None
        Mean probability over all bars with a view, and over those on which this label was in force; None without
        probabilities.
    spells : int
        That began and ended inside the record; `mean_bars` and `median_bars` are theirs.
    longest_bars : int
        Of all spells, cut ones included.
    exits : int
        Bars of this regime after which another one was in force.
    expected_bars : Estimate
        ``1 / (1 - p_kk)`` with the interval of `p_kk`: cut spells count with the bars they are known to have lasted.
        The upper bound is None where staying for ever cannot be excluded.
    return_bars : int
        Returns of bars that began in this regime.
    mean_return_ann, volatility_ann : Estimate
        Mean simple return and its standard deviation (ddof 1), per year, not compounded.
    """

    label: str
    bars: int
    share_frac: float
    spells: int
    mean_bars: float | None
    median_bars: float | None
    longest_bars: int
    exits: int
    expected_bars: Estimate
    return_bars: int
    mean_return_ann: Estimate
    volatility_ann: Estimate
    mean_probability: float | None = None
    probability_in_force: float | None = None


class RegimeStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """One pair's regimes.

    Attributes
    ----------
    bars, unlabelled_bars : int
    switches : int
        Labelled bars whose neighbour before has another label.
    switches_per_1000 : float or None
        Per 1000 labelled bars.
    rows : tuple of RegimeRow
        Of the labels that occur, in the order of the vocabulary; `counts` and `transitions` have the same order.
    counts : tuple of tuple of int
        From (row) to (column), from bar to bar.
    transitions : tuple of tuple of Estimate
        Each row's shares with Wilson's interval, which takes the bars of a row for independent given the regime.
    first_spell, last_spell : Spell or None
        The record cuts them off: their durations are at least so long.
    confidence : float
        Of all intervals.
    paths : int
        Resampled paths behind the intervals of returns.
    """

    bars: int
    unlabelled_bars: int
    switches: int
    switches_per_1000: float | None
    rows: tuple[RegimeRow, ...]
    counts: tuple[tuple[int, ...], ...]
    transitions: tuple[tuple[Estimate, ...], ...]
    first_spell: Spell | None
    last_spell: Spell | None
    confidence: float
    paths: int


class ProbabilityTotals:
    """Sums of probabilities, bar by bar, in memory that does not grow.

    Examples
    --------
    >>> totals = ProbabilityTotals(("a", "b"))
    >>> totals.add("a", (0.9, 0.1))
    >>> totals.add("b", (0.4, 0.6))
    >>> totals.mean("a"), totals.in_force("b")
    (0.65, 0.6)
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.vocabulary = tuple(vocabulary)
        self.bars = 0
        self._at = {label: i for i, label in enumerate(self.vocabulary)}
        self._sums = [0.0] * len(self.vocabulary)
        self._held: dict[str, list[float]] = {label: [0.0, 0.0] for label in self.vocabulary}

    def add(self, label: str, probabilities: Sequence[float]) -> None:
        """Take one bar's label in force and probabilities, in the order of the vocabulary."""
        if len(probabilities) != len(self._sums):
            raise ValueError(f"probabilities: expected {len(self._sums)}, found {len(probabilities)}")
        held, p = self._held[label], probabilities[self._at[label]]
        self._sums = list(map(add, self._sums, probabilities))
        self.bars += 1
        held[0] += 1.0
        held[1] += p

    def mean(self, label: str) -> float | None:
        """Return the mean probability over all bars; None without bars."""
        return self._sums[self._at[label]] / self.bars if self.bars else None

    def in_force(self, label: str) -> float | None:
        """Return the mean probability of the label while in force; None if it never was."""
        bars, total = self._held[label]
        return total / bars if bars else None


def regime_statistics(
    labels: Sequence[str],
    closes: Sequence[float],
    vocabulary: Sequence[str],
    *,
    periods_per_year: float,
    seed: int,
    totals: ProbabilityTotals | None = None,
    confidence: float = 0.95,
    paths: int = 500,
) -> RegimeStatistics:
    """Return the statistics of one pair's regimes.

    Parameters
    ----------
    labels : sequence of str, length n
        In force at each bar's close; "" where there was none yet: it parts spells and has no transitions.
    closes : sequence of float, length n
        Above 0.
    vocabulary : sequence of str
    periods_per_year : float
        Bars in a year.
    seed : int
        Of the resampling: a stationary bootstrap of each regime's returns in order of time.
    totals : ProbabilityTotals, optional
        Of the same bars.
    confidence : float in (0, 1)
    paths : int

    Raises
    ------
    InvalidParamsError
        If lengths differ, a label is not in the vocabulary or a close is not above 0.

    Examples
    --------
    >>> s = regime_statistics(["a", "a", "b", "a"], [1.0, 1.1, 1.1, 1.2], ("a", "b"), periods_per_year=365.0, seed=1)
    >>> s.switches, s.counts, [r.share_frac for r in s.rows]
    (2, ((1, 1), (1, 0)), [0.75, 0.25])
    >>> s.rows[1].spells, s.rows[1].mean_bars, s.last_spell
    (1, 1.0, Spell(label='a', bars=1))
    """
    if len(labels) != len(closes):
        raise InvalidParamsError(
            "LENGTHS_DIFFER",
            f"regime_statistics: expected a close per label, found {len(labels)} and {len(closes)}",
        )
    unknown = sorted({label for label in labels if label} - set(vocabulary))
    if unknown:
        raise InvalidParamsError(
            "REGIME_UNKNOWN", f"regime: expected one of {', '.join(vocabulary)}, found {', '.join(unknown)}"
        )
    price = np.array(closes, dtype=np.float64)
    if not bool((price > 0.0).all()):
        raise InvalidParamsError("CLOSE_INVALID", "closes: expected prices above 0, found others")
    present = set(labels)
    known = tuple(label for label in vocabulary if label in present)
    spells = [Spell(label, sum(1 for _ in same)) for label, same in groupby(labels)]
    whole = _whole(spells)
    labelled = sum(s.bars for s in spells if s.label)
    counts = _counts(labels, known)
    transitions = tuple(
        tuple(wilson(n, sum(row), confidence=confidence) for n in row) for row in counts.tolist()
    )
    returns = price[1:] / price[:-1] - 1.0
    before = np.array(labels[:-1], dtype=object)
    of_returns = {
        label: _of_returns(
            np.ascontiguousarray(returns[before == label]), periods_per_year, confidence, paths,
            derive_seed(seed, "regime-statistics", label),
        )
        for label in known
    }  # fmt: skip
    rows = tuple(
        RegimeRow(
            label=label, bars=(bars := sum(s.bars for s in spells if s.label == label)), share_frac=bars / labelled,
            spells=len(lengths := [s.bars for s in whole if s.label == label]),
            mean_bars=sum(lengths) / len(lengths) if lengths else None,
            median_bars=float(median(lengths)) if lengths else None,
            longest_bars=max(s.bars for s in spells if s.label == label),
            exits=int(counts[i].sum() - counts[i, i]), expected_bars=_expected(transitions[i][i], counts[i], i),
            mean_probability=None if totals is None else totals.mean(label),
            probability_in_force=None if totals is None else totals.in_force(label),
            **of_returns[label],
        )
        for i, label in enumerate(known)
    )  # fmt: skip
    switches = int(counts.sum() - np.trace(counts))
    return RegimeStatistics(
        bars=len(labels), unlabelled_bars=len(labels) - labelled, switches=switches,
        switches_per_1000=1000.0 * switches / labelled if labelled else None, rows=rows,
        counts=tuple(map(tuple, counts.tolist())), transitions=transitions,
        first_spell=next((s for s in spells if s.label), None),
        last_spell=spells[-1] if spells and spells[-1].label else None, confidence=confidence, paths=paths,
    )  # fmt: skip


def _whole(spells: Sequence[Spell]) -> list[Spell]:
    """Return the spells whose beginning and end are both changes of label."""
    inner = range(1, len(spells) - 1)
    return [spells[i] for i in inner if spells[i].label and spells[i - 1].label and spells[i + 1].label]


def _counts(labels: Sequence[str], known: Sequence[str]) -> Any:
    at = {label: i for i, label in enumerate(known)}
    codes = np.array([at.get(label, -1) for label in labels], dtype=np.int64)
    size = len(known)
    both = (codes[:-1] >= 0) & (codes[1:] >= 0)
    flat = np.bincount(codes[:-1][both] * size + codes[1:][both], minlength=size * size)
    return flat.reshape(size, size)


def _expected(stay: Estimate, row: Any, k: int) -> Estimate:
    def duration(p: float | None) -> float | None:
        return None if p is None or p >= 1.0 else 1.0 / (1.0 - p)

    bars, exits = int(row.sum()), int(row.sum() - row[k])
    # bars per exit is the same as 1 / (1 - p), without the rounding
    return Estimate(bars / exits if exits else None, duration(stay.low), duration(stay.high))


def _of_returns(
    sample: FloatArray, periods_per_year: float, confidence: float, paths: int, seed: int
) -> Mapping[str, Any]:
    n, year = int(sample.shape[0]), sqrt(periods_per_year)
    mean = float(sample.mean()) * periods_per_year if n else None
    deviation = float(sample.std(ddof=1)) * year if n > 1 else None
    bounds: dict[str, tuple[float | None, float | None]] = {"mean": (None, None), "deviation": (None, None)}
    if n >= LEAST_RETURNS:
        # six digits: the last ones of a dot product differ between machines, and a draw must not
        block = float(f"{optimal_block_length(sample):.6g}")
        drawn = ResampledFigures(
            kernels.bootstrap_paths(sample, paths=paths, seed=seed, mean_block_bars=block, sums=True),
            periods_per_year,
        )
        bounds["mean"] = _bounds(drawn.mean * periods_per_year, confidence)
        bounds["deviation"] = _bounds(drawn.sd * year, confidence)
    return {
        "return_bars": n,
        "mean_return_ann": Estimate(mean, *bounds["mean"]),
        "volatility_ann": Estimate(deviation, *bounds["deviation"]),
    }


def _bounds(column: FloatArray, confidence: float) -> tuple[float | None, float | None]:
    defined = column[np.isfinite(column)]
    if defined.shape[0] < (1.0 - UNDEFINED_LIMIT) * column.shape[0]:
        return None, None
    side = (1.0 - confidence) / 2.0
    low, high = np.quantile(defined, [side, 1.0 - side]).tolist()
    return low, high
