"""Predictor agents: one class hosts any predictor, one instance of it per pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from actors.domain import registry
from actors.domain.errors import InvalidParamsError, ModelError
from actors.domain.events.base import Event
from actors.domain.events.features import FeaturesComputed, FeatureSetRevised
from actors.domain.events.prediction import DriftDetected, ModelTrained, PredictionMade
from actors.domain.learning.base import Notice, Predictor, Sample
from actors.domain.processor import Agent, AgentContext, Step, derive_seed

PACKAGE = "actors.domain.learning"
_PREFIX = "predict-"


@runtime_checkable
class SelectsColumns(Protocol):
    """A predictor that follows the feature selection; others keep using every column."""

    def select(self, names: Sequence[str]) -> None:
        """Use these columns from now on (or from the next fit on)."""


class PredictionAgent(Agent):
    """Feeds features to a predictor and says what it predicts, learns and doubts.

    Parameters
    ----------
    ctx : AgentContext
        The model is called by the agent's name without ``predict-``.
    kind : str
        Component of `actors.domain.learning`, or ``module:Class``.
    params : mapping, optional
        The component's parameters.
    feature_names : sequence of str
        All columns of `FeaturesComputed.values`, in order.

    Notes
    -----
    State: the predictors and the selections that are not in effect yet.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (FeaturesComputed, FeatureSetRevised)
    STATE: ClassVar[tuple[str, ...]] = ("_models", "_waiting")

    def __init__(
        self,
        ctx: AgentContext,
        kind: str,
        params: Mapping[str, Any] | None = None,
        feature_names: Sequence[str] = (),
    ) -> None:
        super().__init__(ctx)
        if not feature_names:
            raise InvalidParamsError(
                "FEATURES_NONE", f"{ctx.name}: expected feature_names of the pipeline, found none"
            )
        self.model = ctx.name.removeprefix(_PREFIX)
        self._width = len(feature_names)
        self._models: dict[str, Predictor] = {
            pair: registry.build(
                PACKAGE,
                kind,
                params,
                names=tuple(feature_names),
                fits=ctx.fits,
                name=f"{ctx.name}/{pair}",
                seed=derive_seed(ctx.seed, ctx.name, pair),
            )
            for pair in ctx.pairs
        }
        self._waiting: list[tuple[int, str | None, tuple[str, ...]]] = []

    def process(self, step: Step) -> Sequence[Event]:
        """Return `PredictionMade` per pair whose model is trained, and what the models noticed."""
        for e in step.inbox:
            if type(e) is FeatureSetRevised:
                self._waiting.append((e.effective_step, e.instrument_id, e.selected))
        if self._waiting:
            self._select(step.number)
        out: list[Event] = []
        for e in step.inbox:
            pair = e.instrument_id
            if type(e) is not FeaturesComputed or pair is None:
                continue
            if len(e.values) != self._width:
                raise ModelError(
                    "FEATURES_WIDTH",
                    f"{self.name}: expected {self._width} columns, found {len(e.values)} from {e.source}; "
                    "configure both with the same pipeline",
                )
            model = self._models[pair]
            p, notices = model.update(Sample(step.number, e.values, e.close, e.ready))
            if notices:
                out.extend([self._told(n, pair, step.ts_event_ns) for n in notices])
            if p == p:
                out.append(
                    PredictionMade(
                        ts_event_ns=step.ts_event_ns, source=self.name, instrument_id=pair,
                        model=self.model, probability_up=p, horizon_bars=model.horizon_bars,
                        model_version=model.version,
                    )
                )  # fmt: skip
        return out

    def _select(self, number: int) -> None:
        """Hand over the selections that are due; of several for one pair the latest wins."""
        self._waiting.sort(key=lambda row: row[0])
        while self._waiting and self._waiting[0][0] <= number:
            _, pair, names = self._waiting.pop(0)
            for key, model in self._models.items():
                if (pair is None or key == pair) and isinstance(model, SelectsColumns):
                    model.select(names)

    def _told(self, notice: Notice, pair: str, ts: int) -> Event:
        figures = notice.figures
        if notice.kind == "drift":
            return DriftDetected(
                ts_event_ns=ts, source=self.name, instrument_id=pair, model=self.model,
                detector="adwin", statistic=figures["statistic"],
            )  # fmt: skip
        return ModelTrained(
            ts_event_ns=ts, source=self.name, instrument_id=pair, model=self.model,
            model_version=int(figures["version"]), requested_step=int(figures["requested_step"]),
            observations=int(figures["observations"]), score=figures["score"],
        )  # fmt: skip
