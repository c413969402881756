"""An execution agent: works the plans given to it with one algorithm; commands to the venue out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar, Final

import msgspec

from actors.domain import registry
from actors.domain.errors import SnapshotError
from actors.domain.events.base import Event
from actors.domain.events.execution import (
    CancelOrder,
    ExecutionPlanned,
    ExecutionStopped,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    SubmitOrder,
)
from actors.domain.events.market import BarClosed
from actors.domain.events.system import AlertRaised
from actors.domain.execution.algos.base import Algorithm, Child, Place, Work
from actors.domain.execution.ids import client_order_id
from actors.domain.execution.order_state import OrderLife, OrderState
from actors.domain.model.instrument import BUY
from actors.domain.model.money import to_decimal
from actors.domain.processor import Agent, AgentContext, Step

PACKAGE: Final = "actors.domain.execution.algos"
_REMEMBER_INTENTS = 4096
_MOST_SHORTENED = 3
_SHORTEN = Decimal("0.99")
_GONE: Final = "REDUCE_ONLY_NO_POSITION"
INSUFFICIENT_MARGIN: Final = "INSUFFICIENT_MARGIN"
_TOO_DEAR = ("INSUFFICIENT_BALANCE", INSUFFICIENT_MARGIN)
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Work)


class ExecutionAgent(Agent):
    """Hosts one execution algorithm for any number of parents.

    Parameters
    ----------
    ctx : AgentContext
    kind : str
        File name in `actors.domain.execution.algos`: market, limit, twap.
    params : mapping

    Notes
    -----
    Sends each order once: ids follow from the intent, and a plan seen before is ignored. A rejection is final
    for its quantity, with one exception: what balance or margin do not cover is tried again at most three times,
    1 % smaller each time (a price that moved between decision and order). What is given up is told by
    `AlertRaised`.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (
        ExecutionStopped, ExecutionPlanned, OrderAccepted, OrderRejected, OrderFilled, OrderCanceled,
        OrderExpired, BarClosed,
    )  # fmt: skip
    can_take_back: ClassVar[bool] = True
    STATE: ClassVar[tuple[str, ...]] = ("_close", "_seen")

    def __init__(
        self, ctx: AgentContext, *, kind: str = "market", params: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        super().__init__(ctx)
        self.kind = kind
        self._algo: Algorithm = registry.build(PACKAGE, kind, params)
        self._works: dict[str, Work] = {}
        self._orders: dict[str, tuple[Work, Child]] = {}
        self._close: dict[str, float] = {}
        self._seen: dict[str, None] = {}

    def process(self, step: Step) -> Sequence[Event]:
        """Count reports, take plans, act."""
        out: list[Event] = []
        for event in step.inbox:
            kind = type(event)
            if kind is BarClosed:
                self._close[event.instrument_id] = event.close  # type: ignore[index,attr-defined]
            elif kind is ExecutionPlanned:
                if event.agent == self.name:  # type: ignore[attr-defined]
                    self._take(event, step.number)  # type: ignore[arg-type]
            elif kind is ExecutionStopped:
                work = self._works.get(event.intent_id)  # type: ignore[attr-defined]
                if work is not None and event.agent == self.name:  # type: ignore[attr-defined]
                    work.stop_reason = event.reason or "stopped"  # type: ignore[attr-defined]
            else:
                self._report(event, step.ts_event_ns, out)
        if self._works:
            for work in tuple(self._works.values()):
                self._act(work, step, out)
        return out

    @property
    def busy(self) -> bool:
        """True while a parent is at work: the agent may act without being told anything."""
        return bool(self._works)

    # -- inputs ----------------------------------------------------------------------------------------------

    def _take(self, plan: ExecutionPlanned, step: int) -> None:
        if plan.intent_id in self._seen:
            return
        self._seen[plan.intent_id] = None
        if len(self._seen) > _REMEMBER_INTENTS:
            del self._seen[next(iter(self._seen))]
        pair = plan.instrument_id or ""
        instrument = self.ctx.instruments[pair]
        quantity = instrument.quantity(abs(plan.quantity))
        if quantity <= 0:
            return
        work = Work(
            intent_id=plan.intent_id,
            pair=pair,
            side=1 if plan.quantity > 0 else -1,
            quantity=quantity,
            reference_price=plan.reference_price,
            slices=plan.slices,
            offset_bps=plan.limit_offset_bps,
            started_step=step,
            reduce_only=plan.reduce_only,
        )
        self._algo.start(work, instrument)
        self._works[work.intent_id] = work

    def _report(self, event: Event, ts_ns: int, out: list[Event]) -> None:
        found = self._orders.get(event.client_order_id)  # type: ignore[attr-defined]
        if found is None:
            return  # another agent's order, or one that is over
        work, child = found
        life = child.life
        if type(event) is OrderFilled:
            if life.fill(event.quantity, event.fill_id):
                work.filled += event.quantity
        elif type(event) is OrderAccepted:
            life.accept()
        elif type(event) is OrderCanceled:
            leaves = life.leaves
            life.finish(OrderState.CANCELED)
            if not child.canceling:
                self._give_up(work, leaves, event.reason, "the venue canceled it", ts_ns, out)
        elif type(event) is OrderExpired:
            leaves = life.leaves
            life.finish(OrderState.EXPIRED)
            self._give_up(work, leaves, "EXPIRED", "its time in force ended", ts_ns, out)
        elif type(event) is OrderRejected:
            leaves = life.leaves
            life.finish(OrderState.REJECTED)
            self._rejected(work, event, leaves, ts_ns, out)
        if life.is_final:
            work.children.remove(child)
            del self._orders[life.client_order_id]

    def _rejected(
        self, work: Work, event: OrderRejected, leaves: Decimal, ts_ns: int, out: list[Event]
    ) -> None:
        if (
            event.code in _TOO_DEAR
            and (work.side == BUY or event.code == INSUFFICIENT_MARGIN)
            and work.shortened < _MOST_SHORTENED
            and not work.stop_reason
        ):
            smaller = self.ctx.instruments[work.pair].quantity(leaves * _SHORTEN)
            if smaller > 0:
                work.shortened += 1
                work.abandoned += leaves - smaller
                return
        self._give_up(work, leaves, event.code, event.message, ts_ns, out)

    def _give_up(
        self, work: Work, quantity: Decimal, code: str, message: str, ts_ns: int, out: list[Event]
    ) -> None:
        if quantity <= 0:
            return
        work.abandoned += quantity
        if code == _GONE:
            return  # a protective order was faster
        out.append(
            AlertRaised(
                ts_event_ns=ts_ns,
                source=self.name,
                instrument_id=work.pair,
                correlation_id=work.intent_id,
                severity="warning",
                code=code,
                message=f"{work.pair}: gave up {quantity} of {work.quantity}: {message}",
            )
        )

    # -- outputs ---------------------------------------------------------------------------------------------

    def _act(self, work: Work, step: Step, out: list[Event]) -> None:
        if work.stop_reason:
            for child in work.children:
                self._cancel(work, child, work.stop_reason, step.ts_event_ns, out)
        else:
            close = self._close.get(work.pair)
            price = work.reference_price if close is None else to_decimal(float(close))
            for action in self._algo.act(work, step.number, price, self.ctx.instruments[work.pair]):
                if isinstance(action, Place):
                    self._place(work, action, price, step, out)
                else:
                    self._cancel(work, action.child, action.reason, step.ts_event_ns, out)
        if not work.children and (work.stop_reason or work.unplaced <= 0):
            del self._works[work.intent_id]

    def _place(self, work: Work, action: Place, price: Decimal, step: Step, out: list[Event]) -> None:
        instrument = self.ctx.instruments[work.pair]
        value = action.quantity * (action.limit_price or price)
        if value < instrument.min_notional:
            text = f"worth {value}, the venue takes {instrument.min_notional} at least"
            self._give_up(work, action.quantity, "MIN_NOTIONAL", text, step.ts_event_ns, out)
            return
        cid = client_order_id(self.ctx.seed, work.intent_id, self.name, work.children_made)
        work.children_made += 1
        order_type = "market" if action.limit_price is None else "limit"
        life = OrderLife(client_order_id=cid, quantity=action.quantity)
        life.submit()
        child = Child(life=life, order_type=order_type, submitted_step=step.number)
        work.children.append(child)
        self._orders[cid] = (work, child)
        out.append(
            SubmitOrder(
                ts_event_ns=step.ts_event_ns,
                source=self.name,
                instrument_id=work.pair,
                correlation_id=work.intent_id,
                causation_id=work.intent_id,
                client_order_id=cid,
                intent_id=work.intent_id,
                side=work.side,
                order_type=order_type,
                quantity=action.quantity,
                limit_price=action.limit_price,
                arrival_price=price,
                reduce_only=work.reduce_only or None,
            )
        )

    def _cancel(self, work: Work, child: Child, reason: str, ts_ns: int, out: list[Event]) -> None:
        if child.canceling:
            return
        child.canceling = True
        child.life.request_cancel()
        out.append(
            CancelOrder(
                ts_event_ns=ts_ns,
                source=self.name,
                instrument_id=work.pair,
                correlation_id=work.intent_id,
                causation_id=work.intent_id,
                client_order_id=child.life.client_order_id,
                reason=reason,
            )
        )

    # -- state -----------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return the state; parents are encoded one by one."""
        return {**super().state(), "works": [_ENCODER.encode(w) for w in self._works.values()]}

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore.

        Raises
        ------
        SnapshotError
            If the tree was made by another shape of this class.
        """
        rest = dict(tree)
        encoded = rest.pop("works", None)
        super().load_state(rest)
        if encoded is None:
            raise SnapshotError(
                "STATE_FIELDS", f"{self.name}: expected works in the state, found {sorted(tree)}"
            )
        works: list[Work] = [_DECODER.decode(data) for data in encoded]
        self._works = {w.intent_id: w for w in works}
        self._orders = {c.life.client_order_id: (w, c) for w in works for c in w.children}
