"""The agent of protective exits: keeps a stop, a target and a trailing stop at the venue for every position."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec

from actors.domain.agent_params import checked
from actors.domain.errors import SnapshotError
from actors.domain.events.base import Event
from actors.domain.events.execution import (
    CancelOrder,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    SubmitOrder,
)
from actors.domain.events.market import BarClosed
from actors.domain.events.portfolio import PositionChanged
from actors.domain.events.risk import RiskMeasured
from actors.domain.events.system import AlertRaised
from actors.domain.execution.bracket import (
    ORDER_TYPES,
    Action,
    Guard,
    Place,
    Protective,
    TooSmall,
    terms_of,
)
from actors.domain.execution.ids import client_order_id
from actors.domain.processor import Agent, AgentContext, Step
from actors.domain.risk.exits import PREFIX, STOP, TARGET, TRAILING, ExitParams

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Guard)
_EXPECTED = ("PARENT", "PARENT_UNKNOWN", "REDUCE_ONLY_NO_POSITION")
"""Refusals of orders that nobody needs any more: their entry came to nothing, or the position is gone."""


class ExitAgent(Agent):
    """Sends the bracket of each entry, keeps the protection of the position to its size, leaves it in time.

    Parameters
    ----------
    ctx : AgentContext
    exits : mapping
        See `ExitParams`.

    Notes
    -----
    It hears the orders that execution agents send in the same step: what is not reduce-only opens or enlarges, and
    its children travel with it. Everything it sends is reduce-only and carries an intent ``exit:ROLE:…``, by which
    the ledger, the risk coordinator and the execution coordinator know an exit when it fills. State: one `Guard` and
    one range per pair. Cost: O(orders of the pair) where something happened to it, O(1) per bar else. A refused
    order is told by `AlertRaised` and not repeated unchanged.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (
        OrderAccepted, OrderRejected, OrderFilled, OrderCanceled, OrderExpired, PositionChanged, SubmitOrder,
        RiskMeasured, BarClosed,
    )  # fmt: skip
    can_take_back: ClassVar[bool] = True
    STATE: ClassVar[tuple[str, ...]] = ("_range",)

    def __init__(self, ctx: AgentContext, *, exits: Mapping[str, Any] = MappingProxyType({})) -> None:
        super().__init__(ctx)
        self._exits = checked(ExitParams, exits, "exits")
        self._guards = {pair: Guard(pair) for pair in ctx.pairs}
        self._range: dict[str, float] = dict.fromkeys(ctx.pairs, math.nan)
        self._made = 0

    def process(self, step: Step) -> Sequence[Event]:
        """Count reports and bars, attach brackets, bring the protection to the position's size."""
        out: list[Event] = []
        self._made = 0
        touched: dict[str, None] = {}
        filled_ns: dict[str, int] = {}
        entries: list[SubmitOrder] = []
        for event in step.inbox:
            kind = type(event)
            pair = event.instrument_id or ""
            if kind is BarClosed:
                self._bar(self._guards[pair], event, filled_ns.get(pair), touched)  # type: ignore[arg-type]
            elif kind is RiskMeasured:
                if event.measure == "atr":  # type: ignore[attr-defined]
                    self._range[pair] = event.value  # type: ignore[attr-defined]
            elif kind is SubmitOrder:
                if not event.reduce_only:  # type: ignore[attr-defined]
                    entries.append(event)  # type: ignore[arg-type]
            elif pair:
                touched[pair] = None
                self._report(self._guards[pair], event, step, filled_ns, out)
        for entry in entries:
            self._attach(entry, step, out)
        for pair in touched:
            guard = self._guards[pair]
            group = f"{self.name}:{step.number}:{pair}"
            limit = None if self._exits.time is None else self._exits.time.bars
            for action in guard.act(self.ctx.instruments[pair], group, limit):
                self._emit(guard, action, step, out)
        return out

    def bars_left(self, pair: str) -> int | None:
        """Return how many more bars the pair's position may be held before its time is over; None: any number."""
        guard = self._guards[pair]
        if self._exits.time is None or not guard.quantity:
            return None
        return max(self._exits.time.bars - guard.bars, 0)

    # -- inputs ----------------------------------------------------------------------------------------------

    def _bar(self, guard: Guard, bar: BarClosed, filled_ns: int | None, touched: dict[str, None]) -> None:
        if not guard.quantity:
            return
        guard.bar(bar.open, bar.high, bar.low, from_open=filled_ns is None or filled_ns == bar.open_ns)
        if self._exits.time is not None and guard.bars >= self._exits.time.bars:
            touched[guard.pair] = None

    def _report(
        self, guard: Guard, event: Event, step: Step, filled_ns: dict[str, int], out: list[Event]
    ) -> None:
        instrument = self.ctx.instruments[guard.pair]
        if isinstance(event, OrderFilled):
            filled_ns[guard.pair] = event.ts_fill_ns
            guard.filled(
                event.client_order_id, event.quantity, event.price, event.leaves_quantity, instrument
            )
        elif isinstance(event, PositionChanged):
            guard.hold(event.quantity, event.average_price, instrument, float(event.average_price))
        elif isinstance(event, OrderAccepted):
            guard.accepted(event.client_order_id, event.quantity)
        elif isinstance(event, OrderRejected):
            order = guard.ended(event.client_order_id, refused=event.code not in _EXPECTED)
            if order is not None and event.code not in _EXPECTED:
                text = f"the venue refused the {order.role} of {order.quantity}: {event.message}"
                out.append(self._alert(guard, event.code, text, step, event.intent_id))
        elif isinstance(event, OrderCanceled | OrderExpired):
            guard.ended(event.client_order_id)

    def _attach(self, entry: SubmitOrder, step: Step, out: list[Event]) -> None:
        pair = entry.instrument_id or ""
        guard, cid = self._guards[pair], entry.client_order_id
        terms = terms_of(self._exits, self.ctx.instruments[pair], self._range[pair])
        guard.opens(cid, entry.side, entry.quantity, terms)
        if guard.upcoming is None:
            text = "expected a known range for the exits of an entry, found none"
            out.append(self._alert(guard, "EXIT_UNKNOWN", text, step, entry.intent_id))
        for place in guard.bracket(cid, f"{self.name}:{cid}"):
            self._emit(guard, place, step, out)

    # -- outputs ---------------------------------------------------------------------------------------------

    def _emit(self, guard: Guard, action: Action, step: Step, out: list[Event]) -> None:
        if isinstance(action, Place):
            out.append(self._submit(guard, action, step))
            return
        if isinstance(action, TooSmall):
            text = f"the {action.role} of {action.quantity} is worth {action.value}, the venue takes "
            text += f"{self.ctx.instruments[guard.pair].min_notional} at least"
            out.append(self._alert(guard, "MIN_NOTIONAL", text, step))
            return
        guard.orders[action.client_order_id].leaving = True
        out.append(
            CancelOrder(
                ts_event_ns=step.ts_event_ns, source=self.name, instrument_id=guard.pair,
                client_order_id=action.client_order_id, reason=action.reason,
            )
        )  # fmt: skip

    def _submit(self, guard: Guard, place: Place, step: Step) -> SubmitOrder:
        intent = f"{PREFIX}{place.role}:{self.name}:{step.number}:{self._made}"
        self._made += 1
        cid = client_order_id(self.ctx.seed, intent, self.name, 0)
        guard.orders[cid] = Protective(
            place.role, place.side, place.quantity, place.group, place.parent, place.price
        )
        kind, offset = place.offset or (None, None)
        trailing_kind, distance = place.trailing or (None, None)
        return SubmitOrder(
            ts_event_ns=step.ts_event_ns, source=self.name, instrument_id=guard.pair, correlation_id=intent,
            causation_id=place.parent, client_order_id=cid, intent_id=intent, side=place.side,
            order_type=ORDER_TYPES[place.role], quantity=place.quantity,
            limit_price=place.price if place.role == TARGET else None,
            stop_price=place.price if place.role in (STOP, TRAILING) else None,
            trailing_offset=distance, trailing_kind=trailing_kind, reduce_only=True,
            order_list_id=place.group or None, parent_id=place.parent or None, parent_offset=offset,
            parent_offset_kind=kind,
        )  # fmt: skip

    def _alert(self, guard: Guard, code: str, text: str, step: Step, intent: str = "") -> AlertRaised:
        return AlertRaised(
            ts_event_ns=step.ts_event_ns, source=self.name, instrument_id=guard.pair, correlation_id=intent,
            severity="critical", code=code, message=f"{guard.pair}: {text}",
        )  # fmt: skip

    # -- state -----------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return the state; guards are encoded one by one."""
        return {**super().state(), "guards": [_ENCODER.encode(g) for g in self._guards.values()]}

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore.

        Raises
        ------
        SnapshotError
            If the tree was made by another shape of this class.
        """
        rest = dict(tree)
        encoded = rest.pop("guards", None)
        super().load_state(rest)
        if encoded is None:
            raise SnapshotError(
                "STATE_FIELDS", f"{self.name}: expected guards in the state, found {sorted(tree)}"
            )
        self._guards = {g.pair: g for g in map(_DECODER.decode, encoded)}
