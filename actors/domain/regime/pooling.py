"""How several opinions become one: weighted vote, linear pool, logarithmic pool.

Each returns *scores*, logarithms of a likelihood of each regime up to a constant. They grow with the weight that was
heard, so that three members of one mind say more than one. The logarithmic pool multiplies opinions (externally
Bayesian: Genest and Zidek 1986), the linear one averages them, the vote counts heads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import log
from operator import add
from typing import Literal, Protocol

Pooling = Literal["log", "linear", "vote"]
NEVER = 1e-300
"""Stands for a probability of 0, whose logarithm does not exist."""
_TOLD_APART = 10.0**0.5
"""Odds below which a member cannot tell two regimes apart: by Jeffreys's scale not worth more than a mention."""
_DOUBT = 0.1  # share of a vote that is spread over all regimes: a regime without votes stays possible


class View(Protocol):
    """What a pool needs of a member's assessment."""

    @property
    def probabilities(self) -> tuple[float, ...]: ...

    @property
    def confidence(self) -> float: ...


Pool = Callable[[Sequence[View | None], Sequence[float], int], tuple[list[float], float]]


def log_pool(
    views: Sequence[View | None], weights: Sequence[float], states: int
) -> tuple[list[float], float]:
    """Return ``Σ w_i·ln p_ik`` and the weight heard; a member with confidence 0 has no view and is left out."""
    scores = [0.0] * states
    heard = 0.0
    for view, weight in zip(views, weights, strict=True):
        if view is None or view.confidence <= 0.0 or weight == 0.0:
            continue
        heard += weight
        found = view.probabilities
        if len(found) != states:
            raise ValueError(f"probabilities: expected {states}, found {len(found)}")
        logs: Iterable[float] = map(log, [p or NEVER for p in found] if 0.0 in found else found)
        if weight != 1.0:
            logs = [weight * x for x in logs]
        scores = list(map(add, scores, logs))
    return scores, heard


def linear_pool(
    views: Sequence[View | None], weights: Sequence[float], states: int
) -> tuple[list[float], float]:
    """Return ``W·ln(Σ w_i·p_ik / W)`` and W, the weight heard."""
    shares = [0.0] * states
    heard = 0.0
    for view, weight in zip(views, weights, strict=True):
        if view is None or view.confidence <= 0.0 or weight == 0.0:
            continue
        heard += weight
        shares = [s + weight * p for s, p in zip(shares, view.probabilities, strict=True)]
    if heard == 0.0:
        return shares, 0.0
    return [heard * log(s / heard or NEVER) for s in shares], heard


def vote(views: Sequence[View | None], weights: Sequence[float], states: int) -> tuple[list[float], float]:
    """Return ``W·ln`` of each regime's share of the votes and W, the weight heard; a tenth of all votes is spread.

    A member's vote is split evenly between its likeliest regime and those that are less than √10 times as unlikely: to
    one that measures volatility alone bull, bear and sideways are nearly alike, and which comes first says nothing.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> sure = SimpleNamespace(probabilities=(0.7, 0.2, 0.1), confidence=1.0)
    >>> torn = SimpleNamespace(probabilities=(0.49, 0.39, 0.12), confidence=1.0)
    >>> [[round(s, 2) for s in vote([who], [1.0], 3)[0]] for who in (sure, torn)]
    [[-0.07, -3.4, -3.4], [-0.73, -0.73, -3.4]]
    """
    shares = [0.0] * states
    heard = 0.0
    for view, weight in zip(views, weights, strict=True):
        if view is None or view.confidence <= 0.0 or weight == 0.0:
            continue
        heard += weight
        p = view.probabilities
        least = max(p) / _TOLD_APART
        named = [q > least for q in p]
        part = weight / sum(named)
        shares = [s + part if one else s for s, one in zip(shares, named, strict=True)]
    if heard == 0.0:
        return shares, 0.0
    spread = _DOUBT / states
    return [heard * log(spread + (1.0 - _DOUBT) * s / heard) for s in shares], heard


POOLS: Mapping[Pooling, Pool] = {"log": log_pool, "linear": linear_pool, "vote": vote}
