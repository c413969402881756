"""The fleet's regime: a log-opinion pool of the detectors, filtered over time, held by hysteresis.

``pool_k ∝ Π_i p_ik ** w_i`` (externally Bayesian pooling: Genest and Zidek 1986). The pool then enters a
forward filter with a sticky transition matrix as if it were a likelihood, tempered because it repeats itself
from bar to bar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Any, ClassVar, Protocol

import pydantic
from pydantic import Field

from actors.domain.errors import InvalidParamsError
from actors.domain.events.regime import REGIMES
from actors.domain.params import Param
from actors.domain.regime.base import UNIFORM, Assessment
from actors.domain.regime.hysteresis import LabelHysteresis
from actors.domain.regime.vocabulary import CRASH, UNDECIDED, top
from actors.domain.registry import Params
from actors.domain.state import Stateful

_N = len(REGIMES)
_NEVER = 1e-300  # stands for a probability of 0, whose logarithm does not exist


class EnsembleParams(Params):
    """Parameters of the pool, its smoothing and its hysteresis."""

    weights: tuple[float, ...] = Field(default=(), description="per member; empty: 1 each")
    stay_probability: float = Field(default=0.99, gt=0.5, lt=1.0, description="of a regime, from bar to bar")
    evidence_exponent: float = Field(default=0.2, gt=0.0, le=1.0, description="tempering of one bar's pool")
    min_dwell_bars: int = Param(default=6, ge=0, low=1, high=48)
    confirm_bars: int = Param(default=1, ge=1, low=1, high=12)
    margin_frac: float = Param(default=0.1, ge=0.0, lt=1.0, low=0.0, high=0.3)
    urgent_crash: bool = True

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
            rows = "; ".join(f"{'.'.join(map(str, x['loc']))}: {x['msg']}" for x in e.errors())
            raise InvalidParamsError("PARAMS_INVALID", f"regime.ensemble: {rows}") from e


class View(Protocol):
    """What the pool needs of a member's assessment."""

    @property
    def probabilities(self) -> tuple[float, ...]: ...

    @property
    def confidence(self) -> float: ...


class RegimeEnsemble(Stateful):
    """Pools the views of one pair's detectors, bar by bar.

    Parameters
    ----------
    params : EnsembleParams
    members : int
        Number of members; views come in their order.

    Raises
    ------
    InvalidParamsError
        If weights and members differ in number, or no weight is above zero.
    """

    STATE: ClassVar[tuple[str, ...]] = ("_belief", "_hysteresis", "_informed")

    def __init__(self, params: EnsembleParams, *, members: int) -> None:
        weights = params.weights or (1.0,) * members
        if len(weights) != members or min(weights) < 0.0 or sum(weights) <= 0.0:
            raise InvalidParamsError(
                "ENSEMBLE_WEIGHTS",
                f"ensemble.weights: expected {members} non-negative numbers, not all 0, found {weights}",
            )
        self._weights = tuple(float(w) for w in weights)
        self._stay = params.stay_probability
        self._leave = (1.0 - params.stay_probability) / (_N - 1)
        self._temper = params.evidence_exponent
        self._belief: tuple[float, ...] = UNIFORM
        self._informed = False
        self._hysteresis = LabelHysteresis(
            initial=REGIMES.index(UNDECIDED),
            min_dwell_bars=params.min_dwell_bars,
            margin_frac=params.margin_frac,
            confirm_bars=params.confirm_bars,
            urgent=(CRASH,) if params.urgent_crash else (),
        )

    @property
    def label(self) -> str:
        """The regime in force."""
        return REGIMES[self._hysteresis.label]

    def update(self, views: Sequence[View | None]) -> Assessment:
        """Take the members' views of this bar (None: silent), return the pooled one.

        A member with confidence 0 has no view yet and is left out. `label` is the regime in force after
        hysteresis; `native_label` the one that the probabilities favour at this bar.
        """
        scores = [0.0] * _N
        heard = 0.0
        for view, weight in zip(views, self._weights, strict=True):
            if view is None or view.confidence <= 0.0 or weight == 0.0:
                continue
            heard += weight
            scores = [s + weight * log(p or _NEVER) for s, p in zip(scores, view.probabilities, strict=True)]
        if heard == 0.0 and not self._informed:
            return Assessment(UNDECIDED, UNIFORM, 0.0)
        self._informed = True
        step, base = self._stay - self._leave, self._leave  # Σ belief = 1, so the matrix product is affine
        highest = max(scores)
        temper = self._temper
        raw = [
            (base + step * b) * exp(temper * (s - highest)) for b, s in zip(self._belief, scores, strict=True)
        ]
        total = sum(raw)
        self._belief = belief = tuple([r / total for r in raw])
        label = self._hysteresis.update(belief)
        held = belief[label]
        others = max(belief[:label] + belief[label + 1 :])
        return Assessment(
            label=REGIMES[label],
            probabilities=belief,
            confidence=max(0.0, held - others),
            native_label=REGIMES[top(belief)],
            bars_in_state=self._hysteresis.bars_in_state,
        )
