"""Strategy agents: one class hosts any strategy, one instance of it per pair."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from actors.domain import registry
from actors.domain.errors import StrategyError
from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.events.prediction import PredictionMade
from actors.domain.events.regime import RegimeAssessed
from actors.domain.events.signal import ParametersSwitched, SignalEmitted
from actors.domain.model.timerange import format_ns
from actors.domain.processor import Agent, AgentContext, Step
from actors.domain.strategies.base import Market, Strategy

PACKAGE = "actors.domain.strategies"
ENSEMBLE = "ensemble"
_PREFIX = "strategy-"
_NO_PREDICTIONS: Mapping[str, float] = {}


class StrategyAgent(Agent):
    """Shows each bar to the strategy, with the regime and predictions of the same step.

    Parameters
    ----------
    ctx : AgentContext
        The strategy is called by the agent's name without ``strategy-``.
    kind : str
        Component of `actors.domain.strategies`, or ``module:Class``.
    params : mapping, optional
        The component's parameters.

    Notes
    -----
    State: the strategies only; a regime or prediction missing in a step is unknown, not the last one.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed, RegimeAssessed, PredictionMade)
    STATE: ClassVar[tuple[str, ...]] = ("_strategies",)

    def __init__(self, ctx: AgentContext, kind: str, params: Mapping[str, Any] | None = None) -> None:
        super().__init__(ctx)
        self.strategy = ctx.name.removeprefix(_PREFIX)
        self._kind = kind
        self._strategies: dict[str, Strategy] = {
            pair: registry.build(PACKAGE, kind, params) for pair in ctx.pairs
        }

    def process(self, step: Step) -> Sequence[Event]:
        """Return one `SignalEmitted` per pair with a bar, and a `ParametersSwitched` behind it where there is one."""
        bars: list[BarClosed] = []
        regimes: dict[str | None, RegimeAssessed] = {}
        predictions: dict[str | None, dict[str, float]] = {}
        for e in step.inbox:
            if type(e) is BarClosed:
                bars.append(e)
            elif type(e) is PredictionMade:
                predictions.setdefault(e.instrument_id, {})[e.model] = e.probability_up
            elif type(e) is RegimeAssessed and e.detector == ENSEMBLE:
                regimes[e.instrument_id] = e
        out: list[Event] = []
        for bar in bars:
            pair = bar.instrument_id
            regime = regimes.get(pair)
            label, sure = ("", 0.0) if regime is None else (regime.label, regime.confidence)
            market = Market(
                step.number, bar.open, bar.high, bar.low, bar.close, bar.volume, label, sure,
                predictions.get(pair, _NO_PREDICTIONS),
            )  # fmt: skip
            strategy = self._strategies[pair]  # type: ignore[index]  # bars always name their pair
            try:
                opinion = strategy.update(market)
                direction, sure_of_it = opinion.direction, opinion.confidence
                # NaN fails every comparison
                if not (-1.0 <= direction <= 1.0 and 0.0 <= sure_of_it <= 1.0):
                    raise ValueError(
                        f"direction {direction} outside [-1, 1] or confidence {sure_of_it} outside [0, 1]"
                    )
            except Exception as e:
                raise failed(e, self._kind, strategy, pair, step.number, bar.open_ns) from e
            out.append(
                SignalEmitted(
                    ts_event_ns=step.ts_event_ns, source=self.name, instrument_id=pair,
                    strategy=self.strategy, direction=direction, confidence=sure_of_it,
                    horizon_bars=opinion.horizon_bars,
                )
            )  # fmt: skip
            if strategy.switch is not None:
                out.append(switched(strategy, strategy.switch, self.name, pair, label, step.ts_event_ns))
        return out


def switched(
    strategy: Strategy,
    switch: tuple[str, str, float, str],
    source: str,
    pair: str | None,
    regime: str,
    ts_ns: int,
) -> ParametersSwitched:
    """Return the event of a switch: what an agent says behind the signal of that bar."""
    previous, chosen, confidence, reason = switch
    values = strategy.values(chosen)  # type: ignore[attr-defined]  # who switches names its sets
    return ParametersSwitched(
        ts_event_ns=ts_ns, source=source, instrument_id=pair, strategy=source.removeprefix(_PREFIX),
        previous=previous, chosen=chosen, regime=regime, confidence=confidence,
        parameters=json.dumps(values, sort_keys=True, separators=(",", ":")), reason=reason,
    )  # fmt: skip


def failed(
    cause: Exception, kind: str, strategy: Strategy, pair: str | None, step: int, open_ns: int
) -> StrategyError:
    """Return the error that names strategy, parameters, bar and line of what a strategy raised."""
    params: Any = strategy.params
    place = registry.in_module(cause, type(strategy).__module__)
    values = params.model_dump(mode="json") if hasattr(params, "model_dump") else params
    shown = ", ".join(f"{k}={v}" for k, v in values.items()) if isinstance(values, dict) else str(values)
    return StrategyError(
        "STRATEGY_FAILED",
        f"strategy {kind} ({shown or 'no parameters'}): expected an opinion at the bar of {pair} that opened "
        f"{format_ns(open_ns)} (step {step}), found {type(cause).__name__}: {cause}{place}; correct the strategy or "
        "its parameters",
        kind=kind, params=values, pair=pair, step=step, open_ns=open_ns, cause=type(cause).__name__,
    )  # fmt: skip
