"""The enhanced ensemble: whom it believes depends on the market, and it learns whom to believe.

Per bar: market context → views of the members → the weights of that context → pool → filter → hysteresis → the regime.
Later, when the bar's label has become known (`actors.domain.regime.retrospect`), every member is charged for what it
said of it, and the weights of that context move (`actors.domain.regime.member_weights`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import exp, nan
from typing import Any, ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InvalidParamsError
from actors.domain.regime.base import Assessment, Observation
from actors.domain.regime.context import MarketContext
from actors.domain.regime.ensemble import ENHANCED, Ensemble, EnsembleParams, RegimeEnsemble
from actors.domain.regime.member_weights import MemberRecord, MemberWeights
from actors.domain.regime.pooling import NEVER, View
from actors.domain.regime.retrospect import FixedLagSmoother, Known

FloatArray = NDArray[np.float64]
_Said = tuple[float, ...] | None
_LARGEST = 2.0
"""Derivative of a bar's log loss beyond which a member is charged no more: losses must be bounded."""


class PoolFacts(msgspec.Struct, frozen=True, gc=False):
    """How one bar's regime came about; what confidence is made of.

    Attributes
    ----------
    views : tuple
        Of the members as they came; None or confidence 0 where one was silent.
    weights : tuple of float
        Used at this bar, silent members included; they sum to 1.
    belief : tuple of float
        Filtered pool before hysteresis.
    context : str
        Market context of the bar.
    volatility_ratio : float
        Present deviation of returns over the usual one; NaN before it is known.
    known : tuple of Known
        Older bars whose label has become known with this one, oldest first; ``bars_ago`` counts updates.
    heard_frac : float
        Share of the weight whose members spoke.
    reason : str
        Why less was heard than there is; empty if all spoke.
    """

    views: tuple[View | None, ...]
    weights: tuple[float, ...]
    belief: tuple[float, ...]
    context: str
    volatility_ratio: float
    known: tuple[Known, ...]
    heard_frac: float
    reason: str


class EnhancedEnsemble(Ensemble):
    """Pools with weights that depend on the market's context and are learnt from the past.

    Parameters
    ----------
    params : EnsembleParams
    members : int
    names : sequence of str
        What members are called where a reason names them; empty: ``member 1`` and so on.
    filtered : bool
        Whether the pool enters the sticky filter. Without it the belief is the normalised pool itself, for members that
        are filters of the same chain; `stay_probability` then serves hindsight alone.
    others
        See `Ensemble`.

    Notes
    -----
    State: belief, hysteresis, context, weights, and the views of the bars whose label is still to come
    (`FixedLagSmoother.longest_wait_bars`). O(members · states) per bar and O(states) per step back of the smoother.
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "_context", "_weights", "_smoother", "_waiting", "_silent_bars", "_transitions",
    )  # fmt: skip

    def __init__(
        self, params: EnsembleParams, *, members: int, names: Sequence[str] = (), filtered: bool = True,
        **states: Any,
    ) -> None:  # fmt: skip
        super().__init__(params, members=members, **states)
        if names and len(names) != members:
            raise InvalidParamsError("ENSEMBLE_NAMES", f"names: expected {members}, found {list(names)}")
        learning = params.learning
        self._called = tuple(names) or tuple(f"member {i + 1}" for i in range(members))
        self._filtered = filtered
        self._context = MarketContext(params.context)
        self._weights = MemberWeights(learning, self._prior)
        self._scale = sum(self._prior)  # weights mean as much together as the standard ensemble's
        self._smoother = FixedLagSmoother(
            states=self._states, stay_probability=params.stay_probability, lag_bars=learning.lag_bars,
            stride_bars=learning.round_bars,
        )  # fmt: skip
        self._waiting: deque[tuple[str, tuple[float, ...], tuple[_Said, ...]]] = deque(
            maxlen=self._smoother.longest_wait_bars + 1
        )
        self._silent_bars = [0] * members
        self._transitions = [[0] * self._states for _ in range(self._states)]
        self.facts: PoolFacts | None = None
        """Of the last update; None before one, and after a restore until the next."""

    @property
    def transitions(self) -> tuple[tuple[int, ...], ...]:
        """How often each regime in force (row) was followed by each other one so far."""
        return tuple(tuple(row) for row in self._transitions)

    @property
    def member_weights(self) -> MemberWeights:
        """Weights in every context."""
        return self._weights

    def history(self) -> list[MemberRecord]:
        """Return how every member did in every context."""
        return self._weights.history()

    def update(self, views: Sequence[View | None], obs: Observation | None = None) -> Assessment:
        """Take the members' views of this bar and the bar, return the pooled view.

        Where nobody speaks the regime in force stays, its probability drifts to what the chain says without evidence,
        and `facts.reason` says why. Without `obs` the context stays as it was.
        """
        context = self._context.name if obs is None else self._context.update(obs)
        weights = self._weights.weights(context)
        scale = self._scale
        scores, heard = self._pool(views, [scale * w for w in weights], self._states)
        reason = self._reason(views) if heard < 0.999999 * scale or any(self._silent_bars) else ""
        known: tuple[Known, ...] = ()
        if heard == 0.0 and not self._informed:
            out = Assessment(self.label, self._unknown, 0.0, context=context, weights=weights)
            belief = self._unknown
        else:
            self._informed = True
            belief = self._filter(scores) if self._filtered else self._normalised(scores, heard)
            self._belief = belief
            before = self._hysteresis.label
            out = self._assess(belief, context, weights)
            now = self._hysteresis.label
            if now != before:
                self._transitions[before][now] += 1
            known = self._hindsight(context, views, belief)
        self.facts = PoolFacts(
            tuple(views),
            weights,
            belief,
            context,
            self._context.volatility_ratio,
            known,
            heard / scale,
            reason,
        )
        return out

    def _normalised(self, scores: Sequence[float], heard: float) -> tuple[float, ...]:
        if heard == 0.0:  # nothing new: what was believed, one step on
            return self._filter([0.0] * self._states)
        highest = max(scores)
        raw = [exp((s - highest) / heard) for s in scores]
        total = sum(raw)
        return tuple([r / total for r in raw])

    def _hindsight(
        self, context: str, views: Sequence[View | None], belief: tuple[float, ...]
    ) -> tuple[Known, ...]:
        """Remember what was said; when bars have become known, charge the members for it."""
        waiting = self._waiting
        waiting.append(
            (context, belief, tuple([v.probabilities if v and v.confidence > 0.0 else None for v in views]))
        )
        known = self._smoother.update(belief)
        if known:
            past = [waiting[-1 - k.bars_ago] for k in known]
            silent = (nan,) * self._states
            said = np.array([[silent if p is None else p for p in row] for _, _, row in past])
            right = np.array([k.probabilities for k in known])
            wrong = np.array([was for _, was, _ in past]) - right
            hits = said.argmax(axis=2) == right.argmax(axis=1)[:, None]
            self._weights.learn([c for c, _, _ in past], self._charge(said, wrong), hits.astype(float))
        return known

    def _charge(self, said: FloatArray, wrong: FloatArray) -> FloatArray:
        """What each member's say did to the pooled belief's log loss, as a loss in [0, 1]; 1/2 is nothing.

        The logarithmic pool's log loss is convex in the weights, and its derivative by w_i is, up to a factor,
        ``Σ_k (b_k − γ_k)·ln p_ik``, with b the belief and γ what has become known. So a member is praised for what it
        added to the others, not for what it says alone: one that knows volatility and one that knows trend need each
        other.
        """
        gradient = np.einsum("nk,nmk->nm", wrong, np.log(np.maximum(said, NEVER)))
        out: FloatArray = np.clip(0.5 + gradient / (2.0 * _LARGEST), 0.0, 1.0)
        return out

    def _reason(self, views: Sequence[View | None]) -> str:
        """Who is silent; counts how long everybody has been."""
        silent = self._silent_bars
        said = []
        for i, view in enumerate(views):
            if view is None or view.confidence <= 0.0:
                silent[i] += 1
                said.append(f"{self._called[i]} for {silent[i]} bars")
            else:
                silent[i] = 0
        if not said:
            return ""
        if len(said) == self._members:
            return f"no member has a view, the last {min(silent)} bars; the regime stays as it was"
        return "without a view: " + ", ".join(said)


def build_ensemble(params: EnsembleParams, *, members: int, names: Sequence[str] = ()) -> Ensemble:
    """Return the ensemble of the configured kind."""
    if params.kind == ENHANCED:
        return EnhancedEnsemble(params, members=members, names=names)
    return RegimeEnsemble(params, members=members)
