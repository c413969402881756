"""Does a journal hold together? Every fill has its order, nothing twice, the hash chain unbroken."""

from __future__ import annotations

import itertools
from collections import defaultdict
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from actors.adapters.journal import tables
from actors.adapters.journal.entries import ACKNOWLEDGED, CLOSED, INTENDED, SUBMIT, VENUES_OWN, Intent
from actors.adapters.journal.reader import JournalReader, Row
from actors.adapters.journal.store import chain_hash
from actors.domain.events.base import EventRecord
from actors.domain.events.execution import OrderAccepted, OrderFilled, SubmitOrder
from actors.domain.events.portfolio import AccountCharged
from actors.domain.events.signal import ParametersSwitched

_RANK = {INTENDED: 0, ACKNOWLEDGED: 1, CLOSED: 2}


def verify(journal: JournalReader) -> list[str]:
    """Return what is wrong with the journal of a run; empty when all holds.

    Raises
    ------
    JournalError
        If it cannot be read, or a record does not decode.
    """
    reports = list(journal.reports())
    intents = list(journal.intents())
    return [*_orders(intents, reports), *_fills(intents, reports), *_steps(journal), *_chain(journal)]


def _orders(intents: list[Intent], reports: list[EventRecord]) -> list[str]:
    submitted = {i.client_order_id for i in intents if i.kind == SUBMIT}
    out = [
        f"cancel {i.record.event_id}: expected an order {i.client_order_id}, found none"
        for i in intents
        if i.kind != SUBMIT and i.client_order_id not in submitted
    ]
    unknown: dict[str, None] = {}
    for r in reports:
        order = str(getattr(r.event, "client_order_id", ""))
        own = isinstance(r.event, AccountCharged | ParametersSwitched) or getattr(
            r.event, "intent_id", ""
        ).startswith(VENUES_OWN)
        if order not in submitted and not own:
            unknown[f"{type(r.event).__name__} {r.event_id}: expected an intent {order}, found none"] = None
    return [*out, *unknown]


def _fills(intents: list[Intent], reports: list[EventRecord]) -> list[str]:
    out = []
    orders = {i.client_order_id: i for i in intents if i.kind == SUBMIT}
    filled: dict[str, Decimal] = defaultdict(Decimal)
    seen: dict[str, str] = {}
    least: dict[str, str] = {}
    for r in reports:
        event = r.event
        if isinstance(event, OrderAccepted):
            least[event.client_order_id] = ACKNOWLEDGED
        if not isinstance(event, OrderFilled):
            continue
        if event.fill_id in seen:
            out.append(f"fill {event.fill_id}: expected once, found {seen[event.fill_id]} and {r.event_id}")
        seen[event.fill_id] = r.event_id
        filled[event.client_order_id] += event.quantity
        least[event.client_order_id] = CLOSED if event.leaves_quantity == 0 else ACKNOWLEDGED
    for order, quantity in filled.items():
        intent = orders.get(order)
        command = intent.record.event if intent is not None else None
        if isinstance(command, SubmitOrder) and quantity > command.quantity:
            out.append(f"order {order}: expected at most {command.quantity} filled, found {quantity}")
    for order, state in least.items():
        intent = orders.get(order)
        if intent is not None and _RANK[intent.state] < _RANK[state]:
            out.append(f"order {order}: expected state {state} after its reports, found {intent.state}")
    return out


def _steps(journal: JournalReader) -> list[str]:
    steps = sorted({int(row["step"]) for row in journal.entries(tables.inputs)})
    return [
        f"inputs: expected step {a + 1} after {a}, found {b}"
        for a, b in itertools.pairwise(steps)
        if b != a + 1
    ]


def _chain(journal: JournalReader) -> list[str]:
    by_commit: dict[int, dict[sa.Table, list[Row]]] = defaultdict(dict)
    for table in tables.ENTRIES:
        for row in journal.entries(table):
            plain = {k: bytes(v) if isinstance(v, memoryview) else v for k, v in row.items()}
            by_commit[int(row["commit_no"])].setdefault(table, []).append(plain)
    out, previous, expected = [], "", 1
    hashes: dict[int, Any] = {int(r["commit_no"]): r["hash"] for r in journal.entries(tables.commits)}
    for number in sorted(hashes):
        if number != expected:
            out.append(f"commits: expected number {expected}, found {number}")
        digest = chain_hash(previous, by_commit.pop(number, {}))
        if digest != hashes[number]:
            out.append(f"commit {number}: expected hash {hashes[number]}, found {digest}: it was changed")
        previous, expected = str(hashes[number]), number + 1
    return [*out, *(f"commit {number}: found entries without a commit" for number in sorted(by_commit))]
