"""What breaks around a journal: killed and second writers, locks, full and read-only disks, lost servers."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from actors.adapters.journal import Batch, Journal, verify
from actors.domain.errors import ConfigError, JournalError

_WRITER = """
import sys
from actors.adapters.journal import Batch, Journal
url, mode = sys.argv[1], sys.argv[2]
journal = Journal(url, "run-1")
step = 0
while True:
    journal.commit(Batch(decisions=[(step, n, f"line {step} {n}") for n in range(5)]))
    print(step, flush=True)
    if mode == "once":
        sys.stdin.read()  # committed, but the answer never leaves
    step += 1
"""


@contextlib.contextmanager
def writer_process(database: Any, mode: str) -> Iterator[subprocess.Popen[str]]:
    env = dict(os.environ)
    if database.password is not None:
        env["TRADEWIND_JOURNAL_PASSWORD"] = database.password.get_secret_value()
    command = [sys.executable, "-c", _WRITER, database.url, mode]
    with subprocess.Popen(
        command, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_an_append_killed_before_its_answer_is_repeated_without_effect(database: Any) -> None:
    with writer_process(database, "once") as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "0\n"
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
    batch = Batch(decisions=[(0, n, f"line 0 {n}") for n in range(5)])
    with Journal(database.url, "run-1", password=database.password) as journal:
        assert journal.commit(batch) == 0
        assert journal.commit(Batch(decisions=[(1, 0, "goes on")])) == 1
        assert len(list(journal.decisions())) == 6
        assert verify(journal) == []


def test_a_writer_killed_at_any_moment_leaves_whole_commits(database: Any) -> None:
    with writer_process(database, "many") as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(30)][-1]
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read()
    # the last line may be cut: only whole ones count as acknowledged
    acknowledged = max([acknowledged, *(int(line) for line in rest.split("\n")[:-1])])
    with Journal(database.url, "run-1", password=database.password) as journal:
        kept: dict[int, int] = {}
        for step, _n, _line in journal.decisions():
            kept[step] = kept.get(step, 0) + 1
        assert list(kept) == list(range(len(kept)))  # nothing in between is lost
        assert set(kept.values()) == {5}  # no half commit
        assert len(kept) - 1 in (acknowledged, acknowledged + 1)  # all that was acknowledged is there
        assert verify(journal) == []
        assert journal.commit(Batch(decisions=[(len(kept), 0, "goes on")])) == 1


def test_a_second_writer_of_the_run_is_refused(database: Any) -> None:
    with (
        Journal(database.url, "run-1", password=database.password) as first,
        Journal(database.url, "run-1", password=database.password, busy_timeout_s=0.1) as second,
    ):
        first.commit(Batch(decisions=[(0, 0, "a")]))
        with pytest.raises(JournalError) as caught:
            second.commit(Batch(decisions=[(0, 1, "b")]))
        assert (caught.value.code, caught.value.retryable) == ("JOURNAL_LOCKED", True)
        first.close()
        assert second.commit(Batch(decisions=[(0, 1, "b")])) == 1
        assert verify(second) == []


def test_a_locked_database_is_waited_for_and_then_reported(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal(f"sqlite:///{path}", "r", busy_timeout_s=0.1) as journal:
        journal.commit(Batch(decisions=[(0, 0, "a")]))
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError) as caught:
            journal.commit(Batch(decisions=[(0, 1, "b")]))
        assert (caught.value.code, caught.value.retryable) == ("JOURNAL_LOCKED", True)
        other.execute("ROLLBACK")
        assert journal.commit(Batch(decisions=[(0, 1, "b")])) == 1
        other.close()


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    with Journal(f"sqlite:///{tmp_path / 'j.db'}", "r") as journal:
        journal.commit(Batch(decisions=[(0, 0, "a")]))
        assert journal._writer is not None
        pages = journal._writer.exec_driver_sql("PRAGMA page_count").scalar_one()
        journal._writer.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
        journal._writer.rollback()
        big = Batch(decisions=[(1, n, "x" * 3000) for n in range(20)])
        with pytest.raises(JournalError, match="free disk space") as caught:
            journal.commit(big)
        assert (caught.value.code, caught.value.retryable) == ("JOURNAL_FULL", False)
        assert list(journal.decisions()) == [(0, 0, "a")]
        assert journal.commit(big) == 20  # the connection is new: the limit is gone, as after freeing space
        assert verify(journal) == []


def test_a_read_only_database_is_reported(tmp_path: Path) -> None:
    with Journal(f"sqlite:///{tmp_path / 'j.db'}", "r") as journal:
        journal.commit(Batch(decisions=[(0, 0, "a")]))
        assert journal._writer is not None
        journal._writer.exec_driver_sql("PRAGMA query_only=ON")
        journal._writer.rollback()
        with pytest.raises(JournalError) as caught:
            journal.commit(Batch(decisions=[(0, 1, "b")]))
        assert (caught.value.code, caught.value.retryable) == ("JOURNAL_READ_ONLY", False)


def test_a_damaged_file_and_a_folder_are_reported(tmp_path: Path) -> None:
    (tmp_path / "j.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(JournalError) as caught:
        Journal(f"sqlite:///{tmp_path / 'j.db'}", "r")
    assert caught.value.code == "JOURNAL_DAMAGED"
    with pytest.raises(JournalError) as caught:
        Journal(f"sqlite:///{tmp_path}", "r")
    assert caught.value.code == "JOURNAL_MISSING"
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError):
        Journal(f"sqlite:///{tmp_path / 'file' / 'j.db'}", "r")


@pytest.mark.parametrize("url", ["mysql://a:topsecret@b/c", "sqlite://", "nonsense", "sqlite:///:memory:"])
def test_other_urls_are_refused_without_their_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Journal(url, "r")
    assert "topsecret" not in str(caught.value)


def test_readers_see_whole_commits_while_one_writes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'j.db'}"
    stop = threading.Event()
    with Journal(url, "r") as journal:

        def write() -> None:
            for step in range(200):
                journal.commit(Batch(decisions=[(step, n, "x") for n in range(7)]))
                if stop.is_set():
                    return

        thread = threading.Thread(target=write)
        thread.start()
        try:
            counts = [len(list(journal.decisions())) for _ in range(20)]
        finally:
            stop.set()
            thread.join()
    assert all(n % 7 == 0 for n in counts)
    assert counts == sorted(counts)


@pytest.mark.postgres
def test_a_lost_connection_is_repeatable(postgres: Any) -> None:
    postgres.sql("CREATE DATABASE lost")
    password = SecretStr("only for this cluster")
    journal = Journal(postgres.url("lost"), "r", password=password)
    journal.commit(Batch(decisions=[(0, 0, "a")]))
    postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lost'")
    again = Batch(decisions=[(0, 1, "b")])
    with pytest.raises(JournalError) as caught:
        journal.commit(again)
    assert (caught.value.code, caught.value.retryable) == ("JOURNAL_LOST", True)
    assert journal.commit(again) == 1
    postgres.stop()
    with pytest.raises(JournalError) as caught:
        journal.commit(Batch(decisions=[(0, 2, "c")]))
    assert (caught.value.code, caught.value.retryable) == ("JOURNAL_LOST", True)
    with pytest.raises(JournalError) as caught:
        list(journal.decisions())
    assert caught.value.retryable
    postgres.start()
    assert journal.commit(Batch(decisions=[(0, 2, "c")])) == 1
    assert [d[2] for d in journal.decisions()] == ["a", "b", "c"]
    assert verify(journal) == []
    journal.close()


@pytest.mark.postgres
def test_postgres_login_database_and_read_only(postgres: Any) -> None:
    with pytest.raises(JournalError) as caught:
        Journal(postgres.url("postgres"), "r", password=SecretStr("wrong pw"))
    assert (caught.value.code, caught.value.retryable) == ("JOURNAL_LOGIN", False)
    assert "wrong pw" not in str(caught.value)
    password = SecretStr("only for this cluster")
    with pytest.raises(JournalError) as caught:
        Journal(postgres.url("nowhere"), "r", password=password)
    assert caught.value.code == "JOURNAL_MISSING"
    postgres.sql("CREATE DATABASE quiet")
    with Journal(postgres.url("quiet"), "r", password=password) as journal:
        postgres.sql("ALTER DATABASE quiet SET default_transaction_read_only = on")
        with pytest.raises(JournalError) as caught:
            journal.commit(Batch(decisions=[(0, 0, "a")]))
        assert (caught.value.code, caught.value.retryable) == ("JOURNAL_READ_ONLY", False)


@pytest.mark.postgres
def test_tables_made_by_two_first_runs_at_once(postgres: Any) -> None:
    postgres.sql("CREATE DATABASE race")
    errors: list[BaseException] = []

    def first_run(name: str) -> None:
        try:
            # patient: six table makers queue for one lock, on cores that may be busy
            with Journal(
                postgres.url("race"), name, password=SecretStr("only for this cluster"), busy_timeout_s=120
            ) as journal:
                journal.commit(Batch(decisions=[(0, 0, name)]))
        except BaseException as e:  # noqa: BLE001 - carried to the test's own thread
            errors.append(e)

    threads = [threading.Thread(target=first_run, args=(f"r{i}",)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert errors == []


def test_durable_settings_hold(database: Any) -> None:
    with Journal(database.url, "r", password=database.password) as journal:
        journal.commit(Batch(decisions=[(0, 0, "a")]))
        assert journal._writer is not None
        if database.server is None:
            assert journal._writer.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
            assert journal._writer.execute(sa.text("PRAGMA synchronous")).scalar() == 2
        else:
            assert journal._writer.execute(sa.text("SHOW synchronous_commit")).scalar() == "on"
        journal._writer.rollback()
