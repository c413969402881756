"""Appends that a lost server kept from being acknowledged are repeated; a run over PostgreSQL survives a crash."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import small

from actors.adapters.journal import JournalReader, verify
from actors.adapters.journal.patient import PatientJournal
from actors.domain.errors import JournalError
from actors.domain.events.base import EventRecord
from cluster.runs.chaos import audit
from cluster.runs.execute import open_run, run_local


class Failing:
    """A journal that fails a number of times before it takes an append."""

    def __init__(self, failures: int, *, retryable: bool = True) -> None:
        self.failures, self.retryable = failures, retryable
        self.taken: list[tuple[Any, ...]] = []

    def commit_step(self, step: int, intents: Any, reports: Any) -> None:
        if self.failures:
            self.failures -= 1
            raise JournalError("JOURNAL_LOST", "away", retryable=self.retryable)
        self.taken.append((step, intents, reports))

    def commit_inputs(self, records: Any) -> None:
        self.commit_step(-1, records, ())


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


def patient(journal: Any, clock: Clock) -> PatientJournal:
    return PatientJournal(journal, patience_s=10.0, sleep=clock.sleep, clock=clock)


def test_it_waits_longer_each_time_and_then_goes_on() -> None:
    journal, clock = Failing(7), Clock()
    records: list[EventRecord] = []
    patient(journal, clock).commit_step(3, records, records)
    assert journal.taken == [(3, records, records)]
    assert clock.slept == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0]


def test_its_patience_ends() -> None:
    journal, clock = Failing(1_000), Clock()
    with pytest.raises(JournalError, match="away"):
        patient(journal, clock).commit_inputs([])
    assert clock.now <= 10.0
    assert journal.taken == []


def test_what_repeating_cannot_mend_is_raised_at_once() -> None:
    journal, clock = Failing(1, retryable=False), Clock()
    with pytest.raises(JournalError):
        patient(journal, clock).commit_inputs([])
    assert clock.slept == []


@pytest.mark.postgres
def test_a_run_goes_on_when_its_server_has_crashed_and_come_back(
    postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEWIND_JOURNAL_PASSWORD", "only for this cluster")
    postgres.sql("CREATE DATABASE run")
    market = small.frames(340)
    reference = run_local(small.plan(tmp_path / "quiet", market=market))
    url = postgres.url("run")
    plan = small.plan(tmp_path / "crash", market=market, journal=True, sets=[f"journal.url={url}"])
    open_run(plan, {})
    threads: list[threading.Thread] = []

    def crash(steps: int, _: Any) -> None:
        if steps >= 190 and not threads:
            postgres.stop()
            threads.append(threading.Thread(target=postgres.start))
            threads[0].start()

    finished = run_local(plan, progress=crash)
    threads[0].join()
    assert finished.extra["journal_repeats"] >= 1
    assert finished.recorder.log.digest() == reference.recorder.log.digest()
    assert finished.recorder.record.counts["orders"] > 0
    assert audit(finished, reference) == {
        "lost_orders": 0, "duplicate_orders": 0, "ledger_balanced": True, "journal_problems": [],
    }  # fmt: skip
    with JournalReader(url, plan.run_id) as journal:
        assert verify(journal) == []
        assert journal.last_step() == len(plan.feed) - 1
