"""The features actor: one vector per pair and bar, and a walk-forward choice of the columns in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any, ClassVar

import numpy as np
import pydantic

from actors.domain.errors import InvalidParamsError
from actors.domain.events.base import Event
from actors.domain.events.features import FeaturesComputed, FeatureSetRevised
from actors.domain.events.market import BarClosed
from actors.domain.events.sentiment import SentimentScored
from actors.domain.features.pipeline import FeaturePipeline, feature_names
from actors.domain.features.selection import SelectionParams, select
from actors.domain.features.sentiment import SENTIMENT_COLUMNS, SentimentFeatures
from actors.domain.fitting import FitRunner, Refit
from actors.domain.processor import Agent, AgentContext, Step
from actors.domain.state import Stateful


class FeaturesAgent(Agent):
    """Computes the feature vector of every bar; revises the selection of columns from time to time.

    Parameters
    ----------
    ctx : AgentContext
    indicators : sequence of mappings ``{"kind": …, "params": {…}}``
    selection : mapping, optional
        See `actors.domain.features.selection.SelectionParams`.
    sentiment : bool
        Add the columns of `actors.domain.features.sentiment` behind the others.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed, SentimentScored)
    STATE: ClassVar[tuple[str, ...]] = ("_pipelines", "_selectors", "_mood")

    def __init__(
        self,
        ctx: AgentContext,
        indicators: Sequence[Mapping[str, Any]] = (),
        selection: Mapping[str, Any] | None = None,
        sentiment: bool = False,
    ) -> None:
        super().__init__(ctx)
        self._settings = _selection_params(selection or {})
        self._pipelines = {pair: FeaturePipeline(indicators) for pair in ctx.pairs}
        names = self._pipelines[ctx.pairs[0]].names if ctx.pairs else ()
        self._mood = [SentimentFeatures()] if sentiment else []
        if sentiment:
            names = (*names, *SENTIMENT_COLUMNS)
        self.names: tuple[str, ...] = names
        self._selectors = {
            pair: _Selector(self._settings, len(names), ctx.fits, f"{ctx.name}/{pair}") for pair in ctx.pairs
        }

    @staticmethod
    def feature_names(indicators: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
        """Return the columns for a list of configured indicators."""
        return feature_names(indicators)

    def process(self, step: Step) -> Sequence[Event]:
        """Return one `FeaturesComputed` per bar, and a `FeatureSetRevised` when a selection has come due."""
        out: list[Event] = []
        for mood in self._mood:
            for event in step.inbox:
                if type(event) is SentimentScored:
                    mood.update(event)
        for bar in step.inbox:
            if type(bar) is not BarClosed:
                continue
            pair = bar.instrument_id or ""
            pipeline = self._pipelines[pair]
            values = pipeline.update(bar)
            if self._mood:
                values = (*values, *self._mood[0].row)
            total = sum(values)
            out.append(
                FeaturesComputed(
                    ts_event_ns=step.ts_event_ns,
                    source=self.name,
                    instrument_id=pair,
                    values=values,
                    close=bar.close,
                    log_return=pipeline.log_return,
                    bar_index=pipeline.bars - 1,
                    ready=total - total == 0.0,  # False for NaN and infinity in any column
                )
            )
            if self._settings.enabled:
                chosen = self._selectors[pair].update(step.number, values, bar.close)
                if chosen is not None and chosen["columns"]:
                    out.append(
                        FeatureSetRevised(
                            ts_event_ns=step.ts_event_ns,
                            source=self.name,
                            instrument_id=pair,
                            effective_step=step.number + 1,
                            selected=tuple([self.names[j] for j in chosen["columns"]]),
                            scores=tuple(chosen["scores"]),
                        )
                    )
        return out


class _Selector(Stateful):
    """Keeps the window of one pair and asks for a selection every so many bars."""

    STATE: ClassVar[tuple[str, ...]] = ("_bars", "_rows", "_closes", "_refit")

    def __init__(self, settings: SelectionParams, columns: int, fits: FitRunner, name: str) -> None:
        self._settings = settings
        self._size = settings.window_bars + settings.horizon_bars
        self._bars = 0
        self._rows = np.full((self._size, columns), nan)  # rings; row of bar i at i % size
        self._closes = np.full(self._size, nan)
        self._refit = Refit(fits, f"{name}/selection", select, settings.lag_steps)

    def update(self, step: int, values: tuple[float, ...], close: float) -> dict[str, Any] | None:
        """Take one bar; return a selection when it is due."""
        at = self._bars % self._size
        self._rows[at] = values
        self._closes[at] = close
        self._bars += 1
        done: dict[str, Any] | None = self._refit.take(step)
        if (
            self._bars >= self._size
            and self._bars % self._settings.every_bars == 0
            and not self._refit.pending
        ):
            s, oldest = self._settings, self._bars % self._size
            self._refit.ask(
                step,
                (
                    np.roll(self._rows, -oldest, axis=0),
                    np.roll(self._closes, -oldest),
                    s.horizon_bars,
                    s.max_features,
                    s.redundancy_weight,
                ),
            )
        return done


def _selection_params(params: Mapping[str, Any]) -> SelectionParams:
    try:
        return SelectionParams(**dict(params))
    except pydantic.ValidationError as e:
        rows = "; ".join(f"{'.'.join(map(str, x['loc']))}: {x['msg']}" for x in e.errors())
        raise InvalidParamsError("PARAMS_INVALID", f"features.selection: {rows}") from e
