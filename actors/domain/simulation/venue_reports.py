"""What the simulated venue says about an order: its present state as an event."""

from __future__ import annotations

from typing import Any

from actors.domain.events.base import Event
from actors.domain.events.execution import OrderAccepted, OrderCanceled, OrderExpired, OrderRejected
from actors.domain.simulation import book_order as book
from actors.domain.simulation.book_order import BookOrder


def report_head(order: BookOrder, source: str, ts_event_ns: int) -> dict[str, Any]:
    """Return the fields that every report of an order shares."""
    return {
        "ts_event_ns": ts_event_ns,
        "source": source,
        "instrument_id": order.pair,
        "correlation_id": order.intent_id,
        "causation_id": order.client_order_id,
        "client_order_id": order.client_order_id,
        "intent_id": order.intent_id,
    }


def rejection(order: BookOrder, source: str, ts_event_ns: int, code: str, message: str) -> OrderRejected:
    """Return the venue's "no" to a submission."""
    return OrderRejected(**report_head(order, source, ts_event_ns), code=code, message=message)


def unknown_order(client_order_id: str, source: str, ts_event_ns: int, code: str) -> OrderRejected:
    """Return the answer to a cancel of an order that never arrived."""
    return OrderRejected(
        ts_event_ns=ts_event_ns,
        source=source,
        causation_id=client_order_id,
        client_order_id=client_order_id,
        intent_id="",
        code=code,
        message=f"cancel: expected an order this venue knows, found {client_order_id!r}",
    )


def present_state(order: BookOrder, source: str, ts_event_ns: int) -> Event | None:
    """Return the report of an order's state: acceptance while working or filled, else its final report.

    A filled order is not reported by its fills again: whoever counts fills must see each once. An order on
    its way (None) has no state at the venue.
    """
    head = report_head(order, source, ts_event_ns)
    if order.status in (book.WORKING, book.WAITING, book.FILLED):
        return OrderAccepted(
            **head,
            venue_order_id=order.venue_order_id,
            side=order.side,
            order_type=order.order_type,
            quantity=order.quantity,
            limit_price=order.limit_price,
        )
    if order.status == book.CANCELED:
        return OrderCanceled(**head, filled_quantity=order.filled, reason=order.reason)
    if order.status == book.EXPIRED:
        return OrderExpired(**head, filled_quantity=order.filled)
    if order.status == book.REJECTED:
        return OrderRejected(**head, code=order.reason, message=order.message)
    return None
