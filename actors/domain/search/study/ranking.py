"""Which trials are best: of one objective, and of several the front that nobody beats in all."""

from __future__ import annotations

from collections.abc import Sequence

from actors.domain.search.objectives.base import Direction
from actors.domain.search.study.trial import Trial


def losses(values: Sequence[float], directions: Sequence[Direction]) -> tuple[float, ...]:
    """Return values so that less is better."""
    return tuple(v if d == "minimize" else -v for v, d in zip(values, directions, strict=True))


def ranked(trials: Sequence[Trial], direction: Direction, objective: int = 0) -> list[Trial]:
    """Return the feasible trials, the best one first; of equals the one with the lower number.

    Examples
    --------
    >>> from actors.domain.search.study.trial import TrialResult
    >>> ts = [Trial(k, {}, TrialResult("complete", (v,))) for k, v in enumerate((1.0, 3.0, 3.0))]
    >>> [t.number for t in ranked(ts, "maximize")]
    [1, 2, 0]
    """
    sign = 1.0 if direction == "minimize" else -1.0
    return sorted(
        (t for t in trials if t.result.feasible), key=lambda t: (sign * t.result.values[objective], t.number)
    )


def pareto(trials: Sequence[Trial], directions: Sequence[Direction]) -> list[Trial]:
    """Return the feasible trials that no other is at least as good as in all objectives and better in one.

    Examples
    --------
    >>> from actors.domain.search.study.trial import TrialResult
    >>> points = [(1.0, 1.0), (2.0, 2.0), (0.5, 0.5), (1.0, 1.0)]
    >>> ts = [Trial(k, {}, TrialResult("complete", p)) for k, p in enumerate(points)]
    >>> [t.number for t in pareto(ts, ("maximize", "minimize"))]
    [0, 1, 2, 3]
    >>> [t.number for t in pareto(ts, ("maximize", "maximize"))]
    [1]
    """
    known = [(losses(t.result.values, directions), t) for t in trials if t.result.feasible]
    front: list[tuple[tuple[float, ...], Trial]] = []
    for own, trial in sorted(known, key=lambda row: (row[0], row[1].number)):
        # sorted by the first objective: only who came before can beat this one
        if not any(_beats(other, own) for other, _ in front):
            front.append((own, trial))
    return sorted((t for _, t in front), key=lambda t: t.number)


def _beats(a: Sequence[float], b: Sequence[float]) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True)) and any(x < y for x, y in zip(a, b, strict=True))
