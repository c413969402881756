"""Risk agents: each hosts one risk measure and reports its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from actors.domain import registry
from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.events.portfolio import AccountUpdated
from actors.domain.events.risk import RiskMeasured
from actors.domain.processor import Agent, AgentContext, Step
from actors.domain.risk.measurement.base import Measure

PACKAGE = "actors.domain.risk.measurement"


class RiskAgent(Agent):
    """Hosts one measure of `actors/domain/risk/measurement`.

    Parameters
    ----------
    ctx : AgentContext
    kind : str
        ``volatility``, ``tail``, ``correlation`` or ``drawdown``, or ``module:Class``.
    params : mapping
        Parameters of the measure.

    Notes
    -----
    Each instance narrows `consumes` to what its measure reads: bars for the market measures, account updates
    for ``drawdown``.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed, AccountUpdated)
    can_take_back: ClassVar[bool] = True
    STATE: ClassVar[tuple[str, ...]] = ("_measure",)

    def __init__(self, ctx: AgentContext, kind: str, params: Mapping[str, Any] | None = None) -> None:
        super().__init__(ctx)
        self._measure: Measure = registry.build(PACKAGE, kind, params, pairs=ctx.pairs)
        self.consumes = self._measure.consumes  # type: ignore[misc]  # narrower than the class's

    def process(self, step: Step) -> Sequence[Event]:
        """Return the figures that are defined after this step, pairs first."""
        ts, name = step.ts_event_ns, self.name
        return [
            RiskMeasured(
                ts_event_ns=ts,
                source=name,
                instrument_id=figure.pair,
                measure=figure.measure,
                value=figure.value,
                confidence=figure.confidence,
                observations=figure.observations,
            )
            for figure in self._measure.update(step.number, step.inbox)
        ]
