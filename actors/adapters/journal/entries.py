"""What a journal keeps, and the keys that make a repeated append a no-op."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from actors.domain.events.base import EventRecord
from actors.domain.events.execution import (
    CancelOrder,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    SubmitOrder,
)
from actors.domain.events.portfolio import AccountCharged
from actors.domain.events.signal import ParametersSwitched

INTENDED: Final = "intended"
ACKNOWLEDGED: Final = "acknowledged"
CLOSED: Final = "closed"
SUBMIT: Final = "submit"
CANCEL: Final = "cancel"
RUN_STATES: Final = ("running", "interrupted", "done", "failed")


@dataclass(frozen=True)
class RunInfo:
    """Who a run is: enough to repeat it and to refuse a resume under other settings.

    Attributes
    ----------
    run_id : str
    created_ns : int
        ns UTC; not part of the identity.
    config_hash, data_hash : str
    seed : int
    mode : str
    args : mapping
        Arguments of the command as plain JSON values.
    code_version : str
    status : str
        One of `RUN_STATES`; not part of the identity.
    """

    run_id: str
    created_ns: int
    config_hash: str
    data_hash: str
    seed: int
    mode: str
    args: dict[str, Any] = field(default_factory=dict)
    code_version: str = ""
    status: str = "running"


@dataclass(frozen=True)
class Intent:
    """A command that goes out: its state moves forward only, intended → acknowledged → closed."""

    client_order_id: str
    step: int
    kind: str
    state: str
    record: EventRecord


@dataclass(frozen=True)
class Batch:
    """What one transaction makes durable.

    Attributes
    ----------
    inputs : sequence of EventRecord
        What came from outside, by (step, source, seq).
    intents : sequence of EventRecord
        `SubmitOrder` (key: client order id) and `CancelOrder` (key: event id).
    reports : sequence of EventRecord
        The venue's answers; fills by fill id, the rest by event id.
    decisions : sequence of (step, n, canonical line)
    commands : sequence of (key, step, payload)
        An operator's words with the step in which they count.
    snapshots : sequence of (step, number of agents)
        Steps at which the whole fleet holds a snapshot.
    """

    inputs: Sequence[EventRecord] = ()
    intents: Sequence[EventRecord] = ()
    reports: Sequence[EventRecord] = ()
    decisions: Sequence[tuple[int, int, str]] = ()
    commands: Sequence[tuple[str, int, bytes]] = ()
    snapshots: Sequence[tuple[int, int]] = ()


def intent_key(record: EventRecord) -> tuple[str, str, str]:
    """Return ``(key, client order id, kind)`` of an intent.

    Raises
    ------
    TypeError
        If the record is no command to the venue.
    """
    event = record.event
    if isinstance(event, SubmitOrder):
        return event.client_order_id, event.client_order_id, SUBMIT
    if isinstance(event, CancelOrder):
        # an order may be canceled twice (superseded, then the breaker): each is a command of its own
        return record.event_id, event.client_order_id, CANCEL
    raise TypeError(f"intent: expected SubmitOrder or CancelOrder, found {type(event).__name__}")


Report = OrderAccepted | OrderRejected | OrderFilled | OrderCanceled | OrderExpired
VENUES_OWN: Final = "venue:"
"""Intents of reports that no order of ours caused (a liquidation, the end of a pair) begin with this."""


def report_key(record: EventRecord) -> tuple[str, str, str]:
    """Return ``(key, client order id or empty, fill id or empty)`` of a report.

    Raises
    ------
    TypeError
        If the record is no report of a venue.
    """
    event = record.event
    if isinstance(event, AccountCharged):
        return f"charge:{event.charge_id}", "", ""
    if isinstance(event, OrderFilled):
        return f"fill:{event.fill_id}", event.client_order_id, event.fill_id
    if isinstance(event, ParametersSwitched):
        return record.event_id, "", ""
    if isinstance(event, Report):
        return record.event_id, event.client_order_id, ""
    raise TypeError(f"report: expected an order event, found {type(event).__name__}")


Move = tuple[str, tuple[str, ...]]
"""A state and the states from which an order may get there."""

# a refused cancel says nothing about an order that is in the book
_REJECT: Final[Move] = (CLOSED, (INTENDED,))
_ACKNOWLEDGE: Final[Move] = (ACKNOWLEDGED, (INTENDED,))
_CLOSE: Final[Move] = (CLOSED, (INTENDED, ACKNOWLEDGED))
MOVES: Final = (_REJECT, _ACKNOWLEDGE, _CLOSE)


def state_after(record: EventRecord) -> Move:
    """Return where a report moves its order."""
    event = record.event
    if isinstance(event, OrderRejected):
        return _REJECT
    if isinstance(event, OrderAccepted) or (isinstance(event, OrderFilled) and event.leaves_quantity > 0):
        return _ACKNOWLEDGE
    return _CLOSE
