"""How far a label known in hindsight may be taken for the truth, learnt where the truth is known.

The hindsight is the ensemble's own (`actors.domain.regime.retrospect`): it agrees with what the ensemble said far more
often than the truth does. What gives it away without any truth is what it is made of: how sharp it is, how the members
voted, how many regimes are in use, and whether members that look at different things agree (as annotators are judged by
their agreement, Dawid and Skene 1979). A conditional logit over the regimes, fitted on simulated markets of many kinds,
turns these into a probability of each regime; its constants are in `reliability_table`. One logit for all kinds of
markets is too bold in the middle and too shy at the ends where many regimes are in use: there a rising map corrects
what it says of the label in force, and the other regimes share the rest as before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from math import exp, log
from typing import ClassVar, NamedTuple

from actors.domain.events.regime import REGIMES
from actors.domain.regime.confidence.factors import View
from actors.domain.regime.confidence.reliability_table import BIASES, COEFFICIENTS, CORRECTION
from actors.domain.state import Stateful

_N = len(REGIMES)
_INDEX = {name: k for k, name in enumerate(REGIMES)}
_UNIFORM = (1.0 / _N,) * _N
_NOBODY = (0.0,) * _N
_GAIN = 1.0 / 400.0  # of the averages over a market, per outcome
_FLOOR = 0.01  # added to what a logarithm is taken of
LEAST = 0.002
"""Of any regime's share before the correction: without it what is nearly certain is said to be more so than it is."""
_UNANIMOUS = 0.99  # share of votes that counts as such
FEW_KINDS, MANY_KINDS = 1.0, 1.5
"""Entropy of the regimes in use from which on the correction begins, and from which on it is whole: with two states,
0.7 at most, there is nothing to correct. Chosen by hand."""
_STATED, _RIGHT = tuple(zip(*CORRECTION, strict=True))
(
    _LATE, _LATE_SHARP, _LATE_KINDS, _VOTE, _LIVE, _LIVE_KINDS, _SAID, _SAID_LEAD, _KNOWN, _KNOWN_KINDS, _KNOWN_AGREED,
    _SURE, _SURE_KINDS, _ALL, _ALL_KINDS, _VOTE_KINDS,
) = COEFFICIENTS  # fmt: skip
TERMS = 16
"""Terms that all regimes share, one coefficient each; then each regime has a bias of its own."""
Rows = tuple[tuple[float, ...], ...]


class Evidence(NamedTuple):
    """What the members said at a bar.

    Attributes
    ----------
    votes : tuple of float, shape (6,)
        Weighted share of the members with a view whose label is the regime.
    views : tuple of float, shape (6,)
        Their weighted mean probabilities; uniform where none had a view.
    lead : float
        Of the label in force over the runner-up, in probability; 0 where another one leads.
    """

    votes: tuple[float, ...]
    views: tuple[float, ...]
    lead: float


def evidence(views: Sequence[View | None], weights: Sequence[float], lead: float) -> Evidence:
    """Return what the members say at a bar."""
    heard = 0.0
    votes, told = [0.0] * _N, []
    for view, weight in zip(views, weights, strict=True):
        if view is not None and view.confidence > 0.0:
            heard += weight
            votes[_INDEX[view.label]] += weight
            told.append([weight * p for p in view.probabilities])
    if heard <= 0.0:
        return Evidence(_NOBODY, _UNIFORM, lead)
    return Evidence(
        tuple([v / heard for v in votes]), tuple([sum(p) / heard for p in zip(*told, strict=True)]), lead
    )


class LabelReliability(Stateful):
    """Probabilities of what a past bar was, in hindsight, that are right as often as they say.

    Notes
    -----
    State: eight averages over the labels known so far, each over the last 400 or so. O(regimes) per outcome.
    """

    STATE: ClassVar[tuple[str, ...]] = ("_known", "_voted", "_viewed", "_used")

    def __init__(self) -> None:
        self._known = 0
        self._voted = self._viewed = 0.0
        self._used = [0.0] * _N

    def shares(self, said: int, hindsight: Sequence[float], heard: Evidence) -> tuple[float, ...]:
        """Take the next bar in order that has become known, return the probability of each regime.

        Parameters
        ----------
        said : int
            Label in force at that bar.
        hindsight : sequence of float, shape (6,)
            The smoothed belief.
        heard : Evidence
            Of that bar.
        """
        known = hindsight.index(max(hindsight))
        agreed, sharp, kinds = self._learn(known, heard)
        votes, views, lead = heard
        # the terms of `rows` times their coefficients, with what all regimes share taken out
        late_by, live_by = _LATE + _LATE_SHARP * sharp + _LATE_KINDS * kinds, _LIVE + _LIVE_KINDS * kinds
        vote_by, sure_by, all_by = (
            _VOTE + _VOTE_KINDS * kinds,
            _SURE + _SURE_KINDS * kinds,
            _ALL + _ALL_KINDS * kinds,
        )
        doubt = 1.0 - self._viewed
        scores = [
            late_by * log(g + _FLOOR) + sure_by * -log((1.0 - g if g < 1.0 else 0.0) + _FLOOR) + vote_by * v
            + live_by * log(m + _FLOOR) + (all_by if v > _UNANIMOUS else 0.0) + bias * doubt
            for g, v, m, bias in zip(hindsight, votes, views, BIASES, strict=True)
        ]  # fmt: skip
        scores[said] += _SAID + _SAID_LEAD * (lead - 0.5)
        scores[known] += _KNOWN + _KNOWN_KINDS * kinds + _KNOWN_AGREED * agreed
        most = max(scores)
        raw = [exp(s - most) for s in scores]
        least = LEAST * sum(raw)
        raw = [r if r > least else least for r in raw]
        total = sum(raw)
        if kinds <= FEW_KINDS:
            return tuple([r / total for r in raw])
        before = raw[said] / total
        after = _corrected(before, kinds)
        others = (1.0 - after) / (total - raw[said])  # not 0: no regime is ruled out
        out = [r * others for r in raw]
        out[said] = after
        return tuple(out)

    def rows(self, said: int, hindsight: Sequence[float], heard: Evidence) -> tuple[Rows, float]:
        """Take a bar as `shares` does; return the terms of each regime, and what its bias is multiplied by.

        What constants are learnt from: `shares` is the same in another order of operations, and then corrects.
        """
        known = hindsight.index(max(hindsight))
        agreed, sharp, kinds = self._learn(known, heard)
        votes, views, lead = heard
        out = []
        for k, (g, v, m) in enumerate(zip(hindsight, votes, views, strict=True)):
            late, live = log(g + _FLOOR), log(m + _FLOOR)
            sure = -log(max(1.0 - g, 0.0) + _FLOOR)  # 0.95 and 0.99 are worlds apart
            said_, known_, all_ = float(k == said), float(k == known), float(v > _UNANIMOUS)
            out.append((
                late, late * sharp, late * kinds, v, live, live * kinds, said_, said_ * (lead - 0.5), known_,
                known_ * kinds, known_ * agreed, sure, sure * kinds, all_, all_ * kinds, v * kinds,
            ))  # fmt: skip
        return tuple(out), 1.0 - self._viewed

    def _learn(self, known: int, heard: Evidence) -> tuple[float, float, float]:
        """Add a bar to the averages; return log odds of agreement and of sharpness, entropy of the regimes in use."""
        votes, views, _ = heard
        self._known += 1
        gain = max(_GAIN, 1.0 / self._known)
        self._voted += gain * (votes[known] - self._voted)
        self._viewed += gain * (views[known] - self._viewed)
        left = 1.0 - gain
        self._used = used = [u * left for u in self._used]
        used[known] += gain
        kinds = 0.0  # entropy: the logarithm of the number of regimes in use
        for u in used:
            if u > 0.0:
                kinds -= u * log(u)
        return _odds(self._voted), _odds(self._viewed), kinds


def _corrected(stated: float, kinds: float) -> float:
    """Return how often a label is right whose probability is `stated`, by the map as far as `kinds` lets it."""
    at = min(
        bisect_right(_STATED, stated), len(_STATED) - 1
    )  # what is no number stays none, and is refused with its name
    low, base = _STATED[at - 1], _RIGHT[at - 1]
    right: float = base + (_RIGHT[at] - base) * (stated - low) / (_STATED[at] - low)
    weight = min((kinds - FEW_KINDS) / (MANY_KINDS - FEW_KINDS), 1.0)
    return stated + weight * (right - stated)


def _odds(share: float) -> float:
    return log((share + _FLOOR) / (1.0 - share + _FLOOR))
