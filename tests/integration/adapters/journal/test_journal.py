"""One suite for every database: idempotent appends, order states, reading back, verification."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from actors.adapters.journal import Batch, Journal, JournalReader, RunInfo, list_runs, tables, verify
from actors.domain.errors import JournalError
from actors.domain.events.base import Event, EventRecord
from actors.domain.events.execution import (
    CancelOrder,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    SubmitOrder,
)
from actors.domain.events.market import BarClosed

Open = Callable[..., Journal]


@pytest.fixture
def open_journal(database: Any) -> Iterator[Open]:
    opened: list[Journal] = []

    def make(run_id: str = "run-1", **more: Any) -> Journal:
        opened.append(Journal(database.url, run_id, password=database.password, **more))
        return opened[-1]

    yield make
    for journal in opened:
        journal.close()


def bar(step: int, pair: str = "BTC/USDT", close: float = 100.0) -> Event:
    return BarClosed(
        ts_event_ns=step * 10, source="feed", instrument_id=pair, open_ns=step * 10 - 10, close_ns=step * 10,
        open=1.0, high=200.0, low=1.0, close=close, volume=3.0,
    )  # fmt: skip


def record(step: int, event: Event, seq: int = 0) -> EventRecord:
    return EventRecord(step=step, source=event.source, seq=seq, event=event)


def submit(order: str, quantity: str = "2") -> Event:
    return SubmitOrder(
        ts_event_ns=5, source="execution-market", instrument_id="BTC/USDT", client_order_id=order,
        intent_id="i", side=1, order_type="market", quantity=Decimal(quantity),
    )  # fmt: skip


def cancel(order: str, reason: str = "superseded") -> Event:
    return CancelOrder(ts_event_ns=5, source="execution-limit", client_order_id=order, reason=reason)


def accepted(order: str) -> Event:
    return OrderAccepted(
        ts_event_ns=6, source="venue", client_order_id=order, intent_id="i", venue_order_id="v", side=1,
        order_type="market", quantity=Decimal(2),
    )  # fmt: skip


def fill(order: str, fill_id: str, quantity: str, leaves: str) -> Event:
    return OrderFilled(
        ts_event_ns=6, source="venue", client_order_id=order, intent_id="i", fill_id=fill_id, ts_fill_ns=6,
        side=1, quantity=Decimal(quantity), price=Decimal("100.5"), fee=Decimal("0.1"), fee_currency="USDT",
        liquidity="taker", leaves_quantity=Decimal(leaves),
    )  # fmt: skip


def states(journal: Journal) -> dict[str, str]:
    return {i.client_order_id: i.state for i in journal.intents() if i.kind == "submit"}


def test_what_is_committed_is_read_back(open_journal: Open, database: Any) -> None:
    journal = open_journal()
    assert journal.last_step() is None
    inputs = [record(s, bar(s, p), i) for s in range(3) for i, p in enumerate(("BTC/USDT", "ETH/USDT"))]
    batch = Batch(
        inputs=inputs,
        intents=[record(1, submit("o1")), record(1, cancel("o1"), 1)],
        reports=[record(2, accepted("o1")), record(2, fill("o1", "f1", "2", "0"), 1)],
        decisions=[(1, 0, "first"), (1, 1, "second é"), (2, 0, "third")],
        commands=[("op-1", 2, b'{"pause": true}')],
        snapshots=[(1, 25)],
    )
    assert journal.commit(batch) == 15
    journal.close()
    reader = JournalReader(database.url, "run-1", password=database.password)
    assert list(reader.inputs()) == inputs
    assert list(reader.inputs(1, 1)) == inputs[2:4]
    assert reader.last_step() == 2
    assert {i.record.event_id for i in reader.intents()} == {r.event_id for r in batch.intents}
    assert list(reader.reports()) == batch.reports
    assert list(reader.reports(3)) == []
    assert list(reader.decisions(2)) == [(2, 0, "third")]
    assert list(reader.commands()) == [("op-1", 2, b'{"pause": true}')]
    assert reader.snapshot_steps() == [1]
    assert verify(reader) == []
    reader.close()


def test_repeated_appends_are_no_ops(open_journal: Open, database: Any) -> None:
    journal = open_journal()
    first = Batch(inputs=[record(0, bar(0))], intents=[record(0, submit("o1"))], decisions=[(0, 0, "x")])
    assert journal.commit(first) == 3
    assert journal.commit(first) == 0
    grown = dataclasses.replace(first, inputs=[record(0, bar(0)), record(1, bar(1))], snapshots=[(0, 3)])
    assert journal.commit(grown) == 2
    journal.close()
    again = open_journal()
    assert again.commit(grown) == 0
    assert again.commit(Batch(inputs=[record(2, bar(2))] * 2)) == 1
    assert again.commit(Batch()) == 0
    assert verify(again) == []


# what is stored under a key, other content under the same key, and how the message must show both
CONFLICTS: list[tuple[str, Any, Any, tuple[str, str]]] = [
    ("inputs", record(0, bar(0)), record(0, bar(0, close=7.0)), ("100.0", "7.0")),
    ("intents", record(0, submit("o")), record(0, submit("o", "3")), ("'2'", "'3'")),
    ("intents", record(0, submit("o")), record(1, submit("o")), ("step=0", "step=1")),
    ("reports", record(0, fill("o", "f", "1", "1")), record(0, fill("o", "f", "2", "0")), ("'1'", "'2'")),
    ("decisions", (0, 0, "buy"), (0, 0, "sell"), ("buy", "sell")),
    ("commands", ("k", 0, b"pause"), ("k", 0, b"go"), ("pause", "go")),
    ("snapshots", (0, 25), (0, 24), ("25", "24")),
]


def test_one_key_with_other_content_names_both(open_journal: Open) -> None:
    for i, (field, known, other, needles) in enumerate(CONFLICTS):
        journal = open_journal(f"run-{i}")
        journal.commit(Batch(**{field: [known]}))
        beside = ("beside", 9, b"it")
        with pytest.raises(JournalError) as caught:
            journal.commit(Batch(**{"commands": [beside], field: [other]}))
        assert caught.value.code == "JOURNAL_CONFLICT"
        assert not caught.value.retryable
        assert all(n in str(caught.value) for n in needles), str(caught.value)
        assert beside not in list(journal.commands())  # all or nothing
        assert journal.commit(Batch(**{field: [known]})) == 0
        assert journal.commit(Batch(commands=[("goes on", 5, b"")])) == 1
        assert [p for p in verify(journal) if "hash" in p] == []
        journal.close()


def test_a_conflict_inside_one_batch_is_refused(open_journal: Open) -> None:
    with pytest.raises(JournalError, match="one key"):
        open_journal().commit(Batch(inputs=[record(0, bar(0)), record(0, bar(0, close=2.0))]))


def test_orders_move_forward_only(open_journal: Open) -> None:
    journal = open_journal()
    journal.commit_step(0, [record(0, submit(o), i) for i, o in enumerate("abcd")], [])
    assert set(states(journal).values()) == {"intended"}
    journal.commit_step(1, [], [record(1, accepted("a")), record(1, fill("b", "f1", "1", "1"), 1)])
    assert states(journal) == {"a": "acknowledged", "b": "acknowledged", "c": "intended", "d": "intended"}
    rejected = OrderRejected(ts_event_ns=7, source="venue", client_order_id="c", intent_id="i", code="X",
                             message="no")  # fmt: skip
    late = OrderRejected(ts_event_ns=7, source="venue", client_order_id="a", intent_id="i", code="CANCEL",
                         message="cancel refused")  # fmt: skip
    done = OrderCanceled(ts_event_ns=7, source="venue", client_order_id="d", intent_id="i",
                         filled_quantity=Decimal(0), reason="x")  # fmt: skip
    journal.commit_step(2, [], [
        record(2, fill("b", "f2", "1", "0")), record(2, rejected, 1), record(2, late, 2), record(2, done, 3),
    ])  # fmt: skip
    assert states(journal) == {"a": "acknowledged", "b": "closed", "c": "closed", "d": "closed"}
    journal.commit_step(3, [], [record(3, accepted("b"))])
    assert states(journal)["b"] == "closed"
    assert [i.client_order_id for i in journal.intents("intended", "acknowledged")] == ["a"]
    assert verify(journal) == []


def test_an_order_may_be_canceled_twice(open_journal: Open) -> None:
    journal = open_journal()
    commands = [submit("a"), cancel("a"), cancel("a", "trip")]
    journal.commit_step(0, [record(0, e, i) for i, e in enumerate(commands)], [])
    journal.commit_step(1, [record(1, cancel("a"), 0)], [])
    assert [i.kind for i in journal.intents()].count("cancel") == 3
    with pytest.raises(JournalError, match="step 2"):
        journal.commit_step(2, [record(1, cancel("a"))], [])


def test_runs_are_apart_and_identified(open_journal: Open, database: Any) -> None:
    one, two = open_journal("run-1"), open_journal("run-2")
    info = RunInfo("run-1", 5, "c" * 64, "d" * 64, 7, "paper", {"pairs": ["BTC/USDT"], "i": 1}, "0.1.0")
    one.create_run(info)
    one.create_run(dataclasses.replace(info, created_ns=99))
    two.create_run(dataclasses.replace(info, run_id="run-2", created_ns=1))
    with pytest.raises(JournalError, match="config_hash"):
        one.create_run(dataclasses.replace(info, config_hash="e" * 64))
    one.commit_inputs([record(0, bar(0))])
    two.commit_inputs([record(0, bar(0, close=9.0))])
    one.set_status("done")
    assert one.run() == dataclasses.replace(info, status="done")
    with pytest.raises(JournalError, match="expected one of"):
        one.set_status("fine")
    runs = list_runs(database.url, password=database.password)
    assert [r.run_id for r in runs] == ["run-2", "run-1"]
    assert [next(j.inputs()).event.close for j in (one, two)] == [100.0, 9.0]  # type: ignore[attr-defined]


def test_verify_finds_what_is_wrong(open_journal: Open) -> None:
    journal = open_journal()
    journal.commit_step(0, [record(0, submit("a")), record(0, cancel("ghost"), 1)], [])
    strays = [fill("a", "f1", "2", "1"), fill("stray", "f2", "1", "0")]
    journal.commit_step(1, [], [record(1, e, i) for i, e in enumerate(strays)])
    journal.commit_step(2, [], [record(2, fill("a", "f3", "1", "0"))])
    journal.commit_inputs([record(0, bar(0)), record(2, bar(2))])
    found = "\n".join(verify(journal))
    for needle in (
        "expected an order ghost",
        "expected an intent stray",
        "expected at most 2 filled, found 3",
        "expected step 1 after 0, found 2",
    ):
        assert needle in found
    assert "hash" not in found


def test_verify_sees_tampering(open_journal: Open) -> None:
    d, c, n = tables.decisions, tables.commits, tables.intents
    forgeries: list[Callable[[str], Any]] = [
        lambda run: sa.update(d).where(d.c.run_id == run, d.c.step == 1).values(line="forged"),
        lambda run: sa.delete(d).where(d.c.run_id == run, d.c.step == 1),
        lambda run: sa.delete(c).where(c.c.run_id == run, c.c.commit_no == 4),
        lambda run: sa.insert(d).values(run_id=run, step=7, n=0, line="new", commit_no=4),
        lambda run: sa.update(n).where(n.c.run_id == run).values(state="intended"),
    ]
    for i, forge in enumerate(forgeries):
        journal = open_journal(f"run-{i}")
        journal.commit_step(0, [record(0, submit("a"))], [])
        journal.commit_step(1, [], [record(1, fill("a", "f1", "2", "0"))])
        for step in range(3):
            journal.commit(Batch(inputs=[record(step, bar(step))], decisions=[(step, 0, f"line {step}")]))
        assert verify(journal) == []
        journal.close()
        with journal._engine.begin() as conn:
            assert conn.execute(forge(f"run-{i}")).rowcount == 1
        assert len(verify(journal)) >= 1, i


def test_a_journal_of_a_newer_release_is_refused(open_journal: Open, database: Any) -> None:
    journal = open_journal()
    with journal._engine.begin() as conn:
        conn.execute(sa.update(tables.schema_info).values(version=99))
    journal.close()
    with pytest.raises(JournalError, match="newer release"):
        open_journal()


def test_a_reader_finds_nothing_where_nothing_is(database: Any) -> None:
    with pytest.raises(JournalError) as caught:
        JournalReader(database.url, "run-1", password=database.password)
    assert caught.value.code == "JOURNAL_MISSING"
