"""The fleet's regime: a pool of the detectors, filtered over time, held by hysteresis.

The pool (vote, linear or logarithmic: `actors.domain.regime.pooling`) enters a forward filter with a sticky transition
matrix as if it were a likelihood, tempered because it repeats itself from bar to bar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp
from typing import Any, ClassVar, Literal

import pydantic
from pydantic import Field, model_validator

from actors.domain.errors import InvalidParamsError
from actors.domain.events.regime import REGIMES
from actors.domain.params import Param
from actors.domain.regime.base import UNIFORM, Assessment, Observation
from actors.domain.regime.confidence.params import ConfidenceParams
from actors.domain.regime.context import ContextParams
from actors.domain.regime.hysteresis import LabelHysteresis
from actors.domain.regime.member_weights import LearningParams
from actors.domain.regime.pooling import POOLS, Pooling, View
from actors.domain.regime.vocabulary import CRASH, UNDECIDED, top
from actors.domain.registry import Params
from actors.domain.state import Stateful

STANDARD, ENHANCED = "standard", "enhanced"


class EnsembleParams(Params):
    """Parameters of the pool, its smoothing and its hysteresis; of context and learning, where it is enhanced."""

    kind: Literal["standard", "enhanced"] = Field(
        default="standard", description="enhanced: weights per market context, learnt as labels become known"
    )
    pooling: Pooling = Field(default="log", description="how views are combined")
    weights: tuple[float, ...] = Field(default=(), description="per member; empty: 1 each")
    stay_probability: float = Field(default=0.99, gt=0.5, lt=1.0, description="of a regime, from bar to bar")
    evidence_exponent: float = Field(default=0.2, gt=0.0, le=1.0, description="tempering of one bar's pool")
    min_dwell_bars: int = Param(default=6, ge=0, low=1, high=48)
    confirm_bars: int = Param(default=1, ge=1, low=1, high=12)
    margin_frac: float = Param(default=0.1, ge=0.0, lt=1.0, low=0.0, high=0.3)
    urgent_crash: bool = True
    context: ContextParams = ContextParams()
    learning: LearningParams = LearningParams()
    confidence: ConfidenceParams = ConfidenceParams()

    @model_validator(mode="after")
    def _for_its_kind(self) -> EnsembleParams:
        idle = {"context", "learning"} & self.model_fields_set
        if self.kind == STANDARD and idle:
            raise ValueError(
                f"{', '.join(sorted(idle))}: expected only with kind: {ENHANCED}, found with {STANDARD}, which "
                "learns nothing"
            )
        return self

    @classmethod
    def parse(cls, params: Mapping[str, Any]) -> EnsembleParams:
        """Return validated parameters.

        Raises
        ------
        InvalidParamsError
            With every problem and its path.
        """
        try:
            return cls(**dict(params))
        except pydantic.ValidationError as e:
            rows = "; ".join(
                f"{'.'.join(map(str, x['loc']))}: {x['msg']}" if x["loc"] else x["msg"] for x in e.errors()
            )
            raise InvalidParamsError("PARAMS_INVALID", f"regime.ensemble: {rows}") from e


class Ensemble(Stateful):
    """Base of ensembles: pools the views of one pair's detectors bar by bar.

    Parameters
    ----------
    params : EnsembleParams
    members : int
        Number of members; views come in their order.
    states : sequence of str
        What there is to tell apart.
    initial : int
        The state in force before anything is known.
    urgent : sequence of int
        States that hysteresis lets in at once.

    Raises
    ------
    InvalidParamsError
        If weights and members differ in number, or no weight is above zero.
    """

    STATE: ClassVar[tuple[str, ...]] = ("_belief", "_hysteresis", "_informed")

    def __init__(
        self, params: EnsembleParams, *, members: int, states: Sequence[str] = REGIMES,
        initial: int = REGIMES.index(UNDECIDED), urgent: Sequence[int] = (CRASH,),
    ) -> None:  # fmt: skip
        weights = params.weights or (1.0,) * members
        if len(weights) != members or min(weights, default=0.0) < 0.0 or sum(weights) <= 0.0:
            raise InvalidParamsError(
                "ENSEMBLE_WEIGHTS",
                f"ensemble.weights: expected {members} non-negative numbers, not all 0, found {weights}",
            )
        self._names = tuple(states)
        self._members, self._states = members, len(self._names)
        self._prior = tuple(float(w) for w in weights)
        self._pool = POOLS[params.pooling]
        self._stay = params.stay_probability
        self._leave = (1.0 - params.stay_probability) / (self._states - 1)
        self._temper = params.evidence_exponent
        self._unknown = UNIFORM if self._names == REGIMES else (1.0 / self._states,) * self._states
        self._belief: tuple[float, ...] = self._unknown
        self._informed = False
        self._hysteresis = LabelHysteresis(
            initial=initial,
            min_dwell_bars=params.min_dwell_bars,
            margin_frac=params.margin_frac,
            confirm_bars=params.confirm_bars,
            urgent=tuple(urgent) if params.urgent_crash else (),
        )

    @property
    def belief(self) -> tuple[float, ...]:
        """Probabilities of the states, as of the last update."""
        return self._belief

    @property
    def bars_in_state(self) -> int:
        """Bars that the state in force has been so."""
        return self._hysteresis.bars_in_state

    @property
    def informed(self) -> bool:
        """Whether any member has ever had a view."""
        return self._informed

    @property
    def label(self) -> str:
        """The regime in force."""
        return self._names[self._hysteresis.label]

    def update(self, views: Sequence[View | None], obs: Observation | None = None) -> Assessment:
        """Take the members' views of this bar (None: silent), return the pooled one.

        A member with confidence 0 has no view yet and is left out. `label` is the regime in force after
        hysteresis; `native_label` the one that the probabilities favour at this bar.

        Parameters
        ----------
        views : sequence, one per member
        obs : Observation, optional
            The bar itself, for an ensemble that looks at it.
        """
        raise NotImplementedError

    def _filter(self, scores: Sequence[float]) -> tuple[float, ...]:
        """One step of the chain, then the evidence of this bar."""
        step, base = self._stay - self._leave, self._leave  # Σ belief = 1, so the matrix product is affine
        highest = max(scores)
        temper = self._temper
        raw = [
            (base + step * b) * exp(temper * (s - highest)) for b, s in zip(self._belief, scores, strict=True)
        ]
        total = sum(raw)
        return tuple([r / total for r in raw])

    def _assess(
        self, belief: tuple[float, ...], context: str = "", weights: tuple[float, ...] = ()
    ) -> Assessment:
        """Hold the label steady and say what is in force."""
        label = self._hysteresis.update(belief)
        others = max(belief[:label] + belief[label + 1 :])
        return Assessment(
            label=self._names[label],
            probabilities=belief,
            confidence=max(0.0, belief[label] - others),
            native_label=self._names[top(belief)],
            bars_in_state=self._hysteresis.bars_in_state,
            context=context,
            weights=weights,
        )


class RegimeEnsemble(Ensemble):
    """The standard ensemble: the same weights at all times."""

    def update(self, views: Sequence[View | None], obs: Observation | None = None) -> Assessment:
        """Take the members' views of this bar, return the pooled one; the bar itself is not looked at."""
        scores, heard = self._pool(views, self._prior, self._states)
        if heard == 0.0 and not self._informed:
            return Assessment(self.label, self._unknown, 0.0)
        self._informed = True
        self._belief = belief = self._filter(scores)
        return self._assess(belief)
