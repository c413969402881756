"""An ensemble of either kind together with how far its regime may be believed."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import ClassVar

from actors.domain.events.regime import REGIMES
from actors.domain.regime.base import Assessment, Observation
from actors.domain.regime.confidence.calculator import ConfidenceCalculator, ConfidenceFigures
from actors.domain.regime.confidence.factors import Quality, View
from actors.domain.regime.confidence.turbulence import Turbulence
from actors.domain.regime.enhanced import EnhancedEnsemble, build_ensemble
from actors.domain.regime.ensemble import EnsembleParams
from actors.domain.state import Stateful

_INDEX = {name: i for i, name in enumerate(REGIMES)}


class ConfidentEnsemble(Stateful):
    """Pools members' views and scores the regime that comes of it; `Assessment.confidence` is the score.

    Parameters
    ----------
    params : EnsembleParams
    members : int
    names : sequence of str, optional
        Of the members, where a reason names them.

    Raises
    ------
    InvalidParamsError
        As the ensemble says.
    """

    STATE: ClassVar[tuple[str, ...]] = ("_ensemble", "_calculator", "_turbulence")

    def __init__(self, params: EnsembleParams, *, members: int, names: Sequence[str] = ()) -> None:
        self._ensemble = build_ensemble(params, members=members, names=names)
        self._enhanced = self._ensemble if isinstance(self._ensemble, EnhancedEnsemble) else None
        self._calculator = ConfidenceCalculator(params.confidence, stay_probability=params.stay_probability)
        self._turbulence = Turbulence()
        self._weights = tuple(params.weights) or (1.0,) * members
        self._nobody: tuple[View | None, ...] = (None,) * members

    @property
    def label(self) -> str:
        """The regime in force."""
        return self._ensemble.label

    @property
    def informed(self) -> bool:
        """Whether any member has ever had a view."""
        return self._ensemble.informed

    def figures(self) -> ConfidenceFigures:
        """Return what the calculator has done so far."""
        return self._calculator.figures()

    def update(
        self, views: Sequence[View | None], obs: Observation | None = None, quality: Quality | None = None
    ) -> Assessment:
        """Take the members' views of this bar, the bar, and what is known of its data; return the pooled view.

        Before any member has had a view the confidence is 0, without detail.
        """
        view = self._ensemble.update(views, obs)
        ratio = self._turbulence.update(nan if obs is None else obs.log_return)
        if not self._ensemble.informed:
            return view
        weights = self._weights
        if self._enhanced is not None:
            weights = view.weights
            facts = self._enhanced.facts
            if facts is not None:
                ratio = facts.volatility_ratio
        detail = self._calculator.assess(
            _INDEX[view.label], view.probabilities, views, weights, step=None if obs is None else obs.step,
            quality=quality, volatility_ratio=ratio, bars_in_state=view.bars_in_state,
        )  # fmt: skip
        return Assessment(
            view.label, view.probabilities, detail.score, view.native_label, view.bars_in_state, detail, view.context,
            view.weights,
        )  # fmt: skip

    def silent(self, silent_bars: int, quality: Quality | None = None) -> Assessment:
        """Return the view after bars without data: the regime stays, confidence falls, the reason says why.

        An enhanced ensemble's probabilities drift to what its chain says without evidence; a standard one's stay.
        """
        ensemble = self._ensemble
        if self._enhanced is not None:
            view = ensemble.update(self._nobody)
        else:
            belief, bars = ensemble.belief, ensemble.bars_in_state
            native = REGIMES[belief.index(max(belief))]
            view = Assessment(ensemble.label, belief, 0.0, native, bars)
        detail = self._calculator.silent(
            _INDEX[view.label], view.probabilities, silent_bars=silent_bars, quality=quality
        )
        return Assessment(
            view.label, view.probabilities, detail.score, view.native_label, view.bars_in_state, detail, view.context,
            view.weights,
        )  # fmt: skip
