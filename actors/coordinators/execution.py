"""The execution coordinator: from an approved intent to algorithm agents; stops what is superseded.

Size is measured against what the market trades, the spread by Abdi & Ranaldo (2017), "A simple estimation of
bid-ask spreads from daily close, high, and low prices": s² = 4·E[(c_t − η_t)(c_t − η_{t+1})], η the
mid-range, all in logs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar, Final

import pydantic
from pydantic import Field

from actors.domain.errors import InvalidParamsError
from actors.domain.events.base import Event
from actors.domain.events.execution import (
    ExecutionPlanned,
    ExecutionStopped,
    OrderFilled,
)
from actors.domain.events.market import BarClosed
from actors.domain.events.risk import CircuitBreakerTripped, OrderIntentApproved
from actors.domain.execution.planner import minimum_quantity, slice_count, split_in_two
from actors.domain.model.money import ZERO
from actors.domain.processor import Agent, AgentContext, Step
from actors.domain.registry import Params
from actors.domain.risk.exits import exit_reason

DEFAULT_AGENTS: Final[Mapping[str, str]] = MappingProxyType(
    {"market": "execution-market", "limit": "execution-limit", "twap": "execution-twap"}
)
EXIT_REASON: Final = "breaker_exit"
LEAVING: Final = ("exit", "reduce", EXIT_REASON)


class ExecutionParams(Params):
    """When to take, rest or slice.

    An intent is *urgent* from `urgent_from` on (one market order), *patient* up to `patient_to` (rests
    entirely if the spread is worth it); between, `limit_share` of it rests and the remainder takes. Above
    `twap_above_share` of a bar's mean volume it is cut into slices of `slice_share` each, at most
    `max_slices`.
    """

    urgent_from: float = Field(default=0.8, ge=0.0, le=1.0)
    patient_to: float = Field(default=0.2, ge=0.0, le=1.0)
    twap_above_share: float = Field(default=0.02, gt=0.0)
    slice_share: float = Field(default=0.01, gt=0.0)
    max_slices: int = Field(default=12, ge=2, le=1000)
    limit_share: float = Field(default=0.5, gt=0.0, lt=1.0)
    limit_offset_bps: float = Field(default=2.0, ge=0.0, le=1000.0)
    min_spread_bps: float = Field(default=1.0, ge=0.0)
    half_life_bars: float = Field(default=48.0, gt=0.0)

    @pydantic.model_validator(mode="after")
    def _order(self) -> ExecutionParams:
        if self.patient_to >= self.urgent_from:
            raise ValueError(
                f"patient_to: expected < urgent_from {self.urgent_from}, found {self.patient_to}"
            )
        return self


class ExecutionCoordinator(Agent):
    """Chooses the algorithm, splits, supersedes and stops.

    Parameters
    ----------
    ctx : AgentContext
    agents : mapping algorithm → agent name
        Must name ``market``; without ``limit`` or ``twap`` their share goes to market.
    params : mapping
        See `ExecutionParams`.
    protected : bool
        Protective orders stand beside ours: what leaves a position is sent reduce-only, so the two together never
        sell more than there is.

    Notes
    -----
    A new intent for a pair withdraws what is left of the one before: its quantity was reckoned from the
    position, which does not know of open orders. A tripped breaker withdraws every working intent except
    exits with the reason ``breaker_exit``. Approvals in the breaker's own step stand: risk knew of it. A fill of
    a protective exit withdraws what still opens or enlarges that position.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (
        CircuitBreakerTripped,
        OrderFilled,
        OrderIntentApproved,
        BarClosed,
    )
    can_take_back: ClassVar[bool] = True
    STATE: ClassVar[tuple[str, ...]] = ("_working", "_volume", "_last", "_spread_sq")

    def __init__(
        self,
        ctx: AgentContext,
        *,
        agents: Mapping[str, str] = DEFAULT_AGENTS,
        params: Mapping[str, Any] = MappingProxyType({}),
        protected: bool = False,
    ) -> None:
        super().__init__(ctx)
        self._protected = protected
        try:
            p = ExecutionParams(**params)
        except pydantic.ValidationError as e:
            raise InvalidParamsError("PARAMS_INVALID", f"execution coordinator: {e}") from e
        if "market" not in agents:
            raise InvalidParamsError(
                "EXECUTION_AGENTS", f"agents: expected at least market, found {', '.join(agents) or 'none'}"
            )
        self._agents = dict(agents)
        self._p = p
        self._alpha = 1.0 - 0.5 ** (1.0 / p.half_life_bars)
        # pair → [intent id, reason, quantity to do, quantity done, [agents], side]
        self._working: dict[str, list[Any]] = {}
        self._volume: dict[str, float] = {}
        self._last: dict[str, tuple[float, float]] = {}
        self._spread_sq: dict[str, float] = {}

    def process(self, step: Step) -> Sequence[Event]:
        """Plan and stop."""
        out: list[Event] = []
        for event in step.inbox:
            kind = type(event)
            if kind is BarClosed:
                self._observe(event)  # type: ignore[arg-type]
            elif kind is OrderFilled:
                self._count(event)  # type: ignore[arg-type]
                self._give_way(event, step.ts_event_ns, out)  # type: ignore[arg-type]
        # after the bars: an intent is planned on the volume of the bar it was decided at
        for event in step.inbox:
            if type(event) is CircuitBreakerTripped:
                for pair in tuple(self._working):
                    if event.instrument_id in (None, pair) and self._working[pair][1] != EXIT_REASON:
                        self._stop(pair, f"breaker {event.breaker}", step.ts_event_ns, event.breaker, out)
            elif type(event) is OrderIntentApproved:
                self._plan(event, step.ts_event_ns, out)
        return out

    def spread_bps(self, pair: str) -> float:
        """Return the estimated spread, NaN before two bars, 0 if the estimate is negative."""
        square = self._spread_sq.get(pair, math.nan)
        return 10_000.0 * math.sqrt(max(0.0, square)) if square == square else math.nan

    def _observe(self, bar: BarClosed) -> None:
        pair = bar.instrument_id or ""
        volume = self._volume.get(pair)
        self._volume[pair] = bar.volume if volume is None else volume + self._alpha * (bar.volume - volume)
        mid = 0.5 * math.log(bar.high * bar.low)
        last = self._last.get(pair)
        self._last[pair] = (math.log(bar.close), mid)
        if last is not None:
            now = 4.0 * (last[0] - last[1]) * (last[0] - mid)
            old = self._spread_sq.get(pair)
            self._spread_sq[pair] = now if old is None else old + self._alpha * (now - old)

    def _count(self, fill: OrderFilled) -> None:
        work = self._working.get(fill.instrument_id or "")
        if work is not None and work[0] == fill.intent_id:
            work[3] += fill.quantity
            if work[3] >= work[2]:
                del self._working[fill.instrument_id or ""]

    def _give_way(self, fill: OrderFilled, ts_ns: int, out: list[Event]) -> None:
        """After a protective exit, stop what would buy the position back."""
        reason, pair = exit_reason(fill.intent_id), fill.instrument_id or ""
        work = self._working.get(pair)
        if reason is not None and work is not None and work[5] == -fill.side:
            self._stop(pair, f"exit {reason}", ts_ns, fill.intent_id, out)

    def _stop(self, pair: str, reason: str, ts_ns: int, cause: str, out: list[Event]) -> None:
        intent_id, _, _, _, agents, _ = self._working.pop(pair)
        out.extend(
            ExecutionStopped(
                ts_event_ns=ts_ns,
                source=self.name,
                instrument_id=pair,
                correlation_id=intent_id,
                causation_id=cause,
                intent_id=intent_id,
                agent=agent,
                reason=reason,
            )
            for agent in agents
        )

    def _plan(self, intent: OrderIntentApproved, ts_ns: int, out: list[Event]) -> None:
        pair = intent.instrument_id or ""
        if pair in self._working:
            self._stop(pair, "superseded", ts_ns, intent.intent_id, out)
        quantity = abs(intent.quantity)
        if not quantity:
            return
        sign = 1 if intent.quantity > 0 else -1
        parts = self._choose(pair, quantity, intent)
        for algo, part, slices in parts:
            out.append(
                ExecutionPlanned(
                    ts_event_ns=ts_ns,
                    source=self.name,
                    instrument_id=pair,
                    correlation_id=intent.intent_id,
                    causation_id=intent.intent_id,
                    intent_id=intent.intent_id,
                    agent=self._agents[algo],
                    quantity=sign * part,
                    reference_price=intent.reference_price,
                    urgency=intent.urgency,
                    slices=slices,
                    limit_offset_bps=self._p.limit_offset_bps if algo == "limit" else 0.0,
                    reduce_only=self._protected and intent.reason in LEAVING,
                )
            )
        agents = [self._agents[algo] for algo, _, _ in parts]
        self._working[pair] = [intent.intent_id, intent.reason, quantity, ZERO, agents, sign]

    def _choose(
        self, pair: str, quantity: Decimal, intent: OrderIntentApproved
    ) -> list[tuple[str, Decimal, int]]:
        """Return ``(algorithm, unsigned quantity, slices)`` parts that sum to the quantity."""
        p = self._p
        instrument = self.ctx.instruments[pair]
        minimum = minimum_quantity(instrument, intent.reference_price)
        if intent.urgency >= p.urgent_from or intent.reason == EXIT_REASON:
            return [("market", quantity, 1)]
        volume = self._volume.get(pair, 0.0)
        share = float(quantity) / volume if volume > 0.0 else math.inf
        if share > p.twap_above_share and "twap" in self._agents:
            # no more slices than the venue's minimum notional lets through
            most = min(p.max_slices, int(quantity / minimum))
            slices = slice_count(share, p.slice_share, most) if most >= 2 else 1
            return [("twap" if slices > 1 else "market", quantity, slices)]
        worth_resting = self.spread_bps(pair) >= p.min_spread_bps
        if "limit" not in self._agents or not worth_resting or quantity < minimum:
            return [("market", quantity, 1)]
        if intent.urgency <= p.patient_to:
            return [("limit", quantity, 1)]
        resting, taking = split_in_two(quantity, p.limit_share, instrument.lot, minimum)
        if not taking:
            return [("market", quantity, 1)]
        return [("market", taking, 1), ("limit", resting, 1)]
