"""Regime actors: one agent class hosts any detector, another pools what the detectors say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import log, nan
from typing import Any, ClassVar

from actors.domain import registry
from actors.domain.errors import InvalidParamsError
from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed, BarOverdue, DataQualityAssessed
from actors.domain.events.regime import RegimeAssessed, RegimeChanged
from actors.domain.events.sentiment import SentimentScored
from actors.domain.model.timeframe import parse_timeframe
from actors.domain.processor import Agent, AgentContext, Step, derive_seed
from actors.domain.regime.base import Assessment, Detector, Observation, bars_missing, return_per_bar
from actors.domain.regime.confidence.confident import ConfidentEnsemble
from actors.domain.regime.confidence.factors import Quality
from actors.domain.regime.ensemble import EnsembleParams
from actors.domain.regime.multi_timeframe import FrameDetector, frame_pools, without_vetoed
from actors.domain.state import Stateful

_PACKAGE = "actors.domain.regime"
LEAST_QUALITY = 0.02
"""Of a sentiment reading that a detector is shown."""


class Observer(Stateful):
    """Turns the bars of a step, and what is said of their data, into what detectors see."""

    STATE: ClassVar[tuple[str, ...]] = ("_last_close", "_due_ns", "quality", "parts", "mood")

    def __init__(self, pairs: Iterable[str]) -> None:
        self._last_close: dict[str, float] = dict.fromkeys(pairs, nan)
        self._due_ns: dict[str, int] = dict.fromkeys(self._last_close, -1)  # where the last bar ended
        self.quality: dict[str, float] = dict.fromkeys(self._last_close, 1.0)
        """Of each pair's data, as last said, in [0, 1]."""
        self.parts: dict[str, tuple[float, ...]] = {}
        """What it is the product of: completeness, freshness, outlier-free share; of pairs of which it was said."""
        self.mood: tuple[float, float] = (nan, 1.0)
        """The market's sentiment and its quality, as last said."""

    def bars(self, step: Step) -> list[tuple[str, BarClosed]]:
        """Return pair and bar of each bar of a step; what the step says of data holds for its bars."""
        out = []
        for event in step.inbox:
            if type(event) is BarClosed:
                out.append((event.instrument_id or "", event))
            elif type(event) is DataQualityAssessed:
                pair = event.instrument_id
                if pair in self.quality:
                    self.quality[pair] = event.score
                    self.parts[pair] = (event.completeness, event.freshness, event.outlier_free)
            elif type(event) is SentimentScored:
                # next to nothing known: no reading, rather than one of 0
                known = event.quality >= LEAST_QUALITY
                self.mood = (event.score if known else nan, event.quality)
        return out

    def said(self, pair: str) -> Quality | None:
        """Return what was last said of a pair's data; None if nothing was."""
        parts = self.parts.get(pair)
        return None if parts is None else Quality(self.quality[pair], *parts)

    def observation(self, pair: str, bar: BarClosed, number: int) -> Observation:
        """Return one bar; each may be asked for once, for the return is that over the bar asked for before."""
        close, before = bar.close, self._last_close[pair]
        due, self._due_ns[pair] = self._due_ns[pair], bar.close_ns
        self._last_close[pair] = close
        # most bars follow the one before: two calls less for them
        r, missing = log(close / before), 0
        if bar.open_ns != due:
            missing = bars_missing(due, bar.open_ns, bar.close_ns - bar.open_ns)
            r = return_per_bar(r, missing)
        # in the order of its fields: names cost half as much again
        return Observation(
            number, bar.high, bar.low, close, r, self.quality[pair], bar.volume, bar.close_ns, bar.open, *self.mood,
            missing,
        )  # fmt: skip


class RegimeAgent(Agent):
    """Runs one kind of detector, one instance per pair.

    Parameters
    ----------
    ctx : AgentContext
    kind : str
        Detector kind, e.g. ``hmm``.
    params : mapping, optional
        The detector's parameters.
    timeframe : str, optional
        Of longer bars that the detectors see instead of the run's; see `actors.domain.regime.multi_timeframe`.

    Raises
    ------
    ConfigError
        If the timeframe is no multiple of the run's.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed, DataQualityAssessed, SentimentScored)
    STATE: ClassVar[tuple[str, ...]] = ("_detectors", "_frames", "_observer")

    def __init__(
        self, ctx: AgentContext, kind: str, params: Mapping[str, Any] | None = None, timeframe: str = ""
    ) -> None:
        super().__init__(ctx)
        self._kind, self._timeframe = kind, timeframe
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
        # a detector on longer bars lives inside its frame
        self._frames: dict[str, FrameDetector] = {}
        if timeframe:
            length = parse_timeframe(timeframe)
            self._frames = {
                pair: FrameDetector(detector, base_ns=ctx.timeframe_ns, frame_ns=length)
                for pair, detector in self._detectors.items()
            }
            self._detectors = {}
        self._observer = Observer(ctx.pairs)

    def process(self, step: Step) -> Sequence[Event]:
        """Return one assessment per bar of this step."""
        out: list[Event] = []
        for pair, bar in self._observer.bars(step):
            view = self._view(pair, bar, step.number)
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
                    timeframe=self._timeframe,
                )
            )
        return out

    def _view(self, pair: str, bar: BarClosed, number: int) -> Assessment:
        if self._frames:
            quality = self._observer.quality[pair]
            return self._frames[pair].update(
                number, bar.open_ns, bar.high, bar.low, bar.close, quality, bar.open, self._observer.mood
            )
        return self._detectors[pair].update(self._observer.observation(pair, bar, number))


class EnsembleAgent(Agent):
    """Pools the members' views per pair and holds the fleet's regime steady.

    Parameters
    ----------
    ctx : AgentContext
    members : sequence of str
        Names of the detector agents, in the order of the configuration.
    params : mapping, optional
        See `actors.domain.regime.ensemble.EnsembleParams`; ``weights`` follow `members`.
    frames : sequence of str, optional
        Timeframe of each member, where they differ: a crash on a longer one silences calm views of shorter ones.

    Notes
    -----
    It looks at the bars and at what is said of their data: the confidence in its regime depends on both. Where a
    pair's feed stops (a step without a view of it, or a bar that is overdue) the regime stays, confidence falls and
    the reason says why, for as many steps as it takes until the feed counts as worthless.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (RegimeAssessed, BarClosed, DataQualityAssessed, BarOverdue)
    STATE: ClassVar[tuple[str, ...]] = ("_ensembles", "_observer", "_unheard")

    def __init__(
        self,
        ctx: AgentContext,
        members: Sequence[str],
        params: Mapping[str, Any] | None = None,
        frames: Sequence[str] = (),
    ) -> None:
        super().__init__(ctx)
        if frames and len(frames) != len(members):
            raise InvalidParamsError(
                "ENSEMBLE_FRAMES",
                f"{ctx.name}: expected a frame per member, found {len(frames)} for {len(members)}",
            )
        self._frames = tuple(frames)
        if len(set(members)) != len(members) or not members:
            raise InvalidParamsError(
                "ENSEMBLE_MEMBERS", f"{ctx.name}: expected distinct member names, found {list(members)}"
            )
        settings = EnsembleParams.parse(params or {})
        self._index = {name: i for i, name in enumerate(members)}
        self._patience = settings.confidence.stale_after_bars
        self._ensembles: dict[str, ConfidentEnsemble] = {
            pair: ConfidentEnsemble(settings, members=len(members), names=members) for pair in ctx.pairs
        }
        self._observer = Observer(ctx.pairs)
        self._unheard: dict[str, int] = dict.fromkeys(ctx.pairs, 0)

    def process(self, step: Step) -> Sequence[Event]:
        """Return, per pair with at least one member's view, the pooled view and a switch if there is one."""
        observer = self._observer
        seen = {pair: observer.observation(pair, bar, step.number) for pair, bar in observer.bars(step)}
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
            before = ensemble.label
            if pair in views:
                heard = views[pair]
                self._unheard[pair] = 0
                if self._frames:
                    heard = without_vetoed(heard, self._frames, frame_pools(heard, self._frames))
                view = ensemble.update(heard, seen.get(pair), observer.said(pair))
            elif self._has_stopped(pair):
                view = ensemble.silent(self._unheard[pair], observer.said(pair))
            else:
                continue
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

    def _has_stopped(self, pair: str) -> bool:
        """Count a step without a view of a pair, tell whether it is to be said; what never began has not stopped."""
        if self._unheard[pair] >= self._patience or not self._ensembles[pair].informed:
            return False
        self._unheard[pair] += 1
        return True
