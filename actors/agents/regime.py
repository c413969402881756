"""Regime actors: one agent class hosts any detector, another pools what the detectors say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log, nan
from typing import Any, ClassVar

from actors.domain import registry
from actors.domain.errors import InvalidParamsError
from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed, DataQualityAssessed
from actors.domain.events.regime import RegimeAssessed, RegimeChanged
from actors.domain.processor import Agent, AgentContext, Step, derive_seed
from actors.domain.regime.base import Detector, Observation
from actors.domain.regime.ensemble import EnsembleParams, RegimeEnsemble

_PACKAGE = "actors.domain.regime"


class RegimeAgent(Agent):
    """Runs one kind of detector, one instance per pair.

    Parameters
    ----------
    ctx : AgentContext
    kind : str
        Detector kind, e.g. ``hmm``.
    params : mapping, optional
        The detector's parameters.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed, DataQualityAssessed)
    STATE: ClassVar[tuple[str, ...]] = ("_detectors", "_last_close", "_quality")

    def __init__(self, ctx: AgentContext, kind: str, params: Mapping[str, Any] | None = None) -> None:
        super().__init__(ctx)
        self._kind = kind
        self._detectors: dict[str, Detector] = {
            pair: registry.build(
                _PACKAGE,
                kind,
                params,
                fits=ctx.fits,
                name=f"{ctx.name}/{pair}",
                seed=derive_seed(ctx.seed, ctx.name, pair),
            )
            for pair in ctx.pairs
        }
        self._last_close: dict[str, float] = dict.fromkeys(ctx.pairs, nan)
        self._quality: dict[str, float] = dict.fromkeys(ctx.pairs, 1.0)

    def process(self, step: Step) -> Sequence[Event]:
        """Return one assessment per bar of this step."""
        bars = []
        for event in step.inbox:
            if type(event) is BarClosed:
                bars.append(event)
            elif type(event) is DataQualityAssessed and event.instrument_id in self._quality:
                self._quality[event.instrument_id] = event.score
        out: list[Event] = []
        for bar in bars:
            pair = bar.instrument_id or ""
            close, before = bar.close, self._last_close[pair]
            self._last_close[pair] = close
            view = self._detectors[pair].update(
                Observation(
                    step=step.number,
                    high=bar.high,
                    low=bar.low,
                    close=close,
                    log_return=log(close / before),
                    quality=self._quality[pair],
                )
            )
            out.append(
                RegimeAssessed(
                    ts_event_ns=step.ts_event_ns,
                    source=self.name,
                    instrument_id=pair,
                    detector=self._kind,
                    label=view.label,
                    probabilities=view.probabilities,
                    confidence=view.confidence,
                    native_label=view.native_label,
                    bars_in_state=view.bars_in_state,
                )
            )
        return out


class EnsembleAgent(Agent):
    """Pools the members' views per pair and holds the fleet's regime steady.

    Parameters
    ----------
    ctx : AgentContext
    members : sequence of str
        Names of the detector agents, in the order of the configuration.
    params : mapping, optional
        See `actors.domain.regime.ensemble.EnsembleParams`; ``weights`` follow `members`.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (RegimeAssessed,)
    STATE: ClassVar[tuple[str, ...]] = ("_ensembles",)

    def __init__(
        self, ctx: AgentContext, members: Sequence[str], params: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(ctx)
        if len(set(members)) != len(members) or not members:
            raise InvalidParamsError(
                "ENSEMBLE_MEMBERS", f"{ctx.name}: expected distinct member names, found {list(members)}"
            )
        settings = EnsembleParams.parse(params or {})
        self._index = {name: i for i, name in enumerate(members)}
        self._ensembles: dict[str, RegimeEnsemble] = {
            pair: RegimeEnsemble(settings, members=len(members)) for pair in ctx.pairs
        }

    def process(self, step: Step) -> Sequence[Event]:
        """Return, per pair with at least one member's view, the pooled view and a switch if there is one."""
        views: dict[str, list[RegimeAssessed | None]] = {}
        for event in step.inbox:
            if type(event) is not RegimeAssessed or event.source not in self._index:
                continue
            pair = event.instrument_id or ""
            if pair not in views:
                views[pair] = [None] * len(self._index)
            views[pair][self._index[event.source]] = event
        out: list[Event] = []
        for pair, ensemble in self._ensembles.items():
            if pair not in views:
                continue
            before = ensemble.label
            view = ensemble.update(views[pair])
            out.append(
                RegimeAssessed(
                    ts_event_ns=step.ts_event_ns,
                    source=self.name,
                    instrument_id=pair,
                    detector="ensemble",
                    label=view.label,
                    probabilities=view.probabilities,
                    confidence=view.confidence,
                    native_label=view.native_label,
                    bars_in_state=view.bars_in_state,
                    detail=view.detail,
                    context=view.context,
                    weights=view.weights,
                )
            )
            if view.label != before:
                out.append(
                    RegimeChanged(
                        ts_event_ns=step.ts_event_ns,
                        source=self.name,
                        instrument_id=pair,
                        label=view.label,
                        previous=before,
                        probabilities=view.probabilities,
                        confidence=view.confidence,
                    )
                )
        return out
