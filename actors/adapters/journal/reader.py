"""What a resume or a report reads back from a journal; creates nothing and takes no lock."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa

from actors.adapters.journal import tables
from actors.adapters.journal.engine import open_engine
from actors.adapters.journal.entries import Intent, RunInfo
from actors.adapters.journal.faults import journal_error
from actors.domain.errors import JournalError
from actors.domain.events import codec
from actors.domain.events.base import EventRecord

if TYPE_CHECKING:
    from pydantic import SecretStr

# pg8000 lets struct.error through when a dying server cuts a message short
FAULTS = (sa.exc.SQLAlchemyError, OSError, struct.error)
Row = dict[str, Any]


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite journal.

    Examples
    --------
    >>> sqlite_url(Path("/tmp/run/journal.db"))
    'sqlite:////tmp/run/journal.db'
    """
    return f"sqlite:///{path.absolute()}"


class JournalReader:
    """The journal of one run, to read; any number of readers beside one writer.

    Parameters
    ----------
    url : str
        ``sqlite:///PATH`` or ``postgresql+pg8000://USER@HOST/DATABASE``.
    run_id : str
    password : SecretStr or None
        For PostgreSQL; None reads TRADEWIND_JOURNAL_PASSWORD or the file that ..._FILE names.
    busy_timeout_s : float
        How long to wait for a lock of the database.

    Raises
    ------
    JournalError
        If there is no journal, or it was written by a newer release.
    """

    _read_only = True

    def __init__(
        self, url: str, run_id: str, *, password: SecretStr | None = None, busy_timeout_s: float = 5.0
    ) -> None:
        self._engine = open_engine(
            url, password=password, read_only=self._read_only, busy_timeout_s=busy_timeout_s
        )
        self.run_id, self.where = run_id, self._engine.url.render_as_string(hide_password=True)
        try:
            version = self._schema_version()
        except FAULTS as e:
            raise journal_error(e, self.where, "open") from e
        if version > tables.SCHEMA_VERSION:
            raise JournalError(
                "JOURNAL_FROM_FUTURE",
                f"journal {self.where}: expected schema {tables.SCHEMA_VERSION} or older, found {version}; "
                "use a newer release",
            )

    def run(self) -> RunInfo | None:
        """Return the run, or None if it was never noted."""
        rows = self._read(sa.select(tables.runs).where(tables.runs.c.run_id == self.run_id))
        return next((_run_info(r) for r in rows), None)

    def last_step(self) -> int | None:
        """Return the last step with committed inputs, or None."""
        c = tables.inputs.c
        rows = self._read(sa.select(sa.func.max(c.step).label("step")).where(c.run_id == self.run_id))
        step = next(rows)["step"]
        return None if step is None else int(step)

    def inputs(
        self, first: int = 0, last: int | None = None, *, source: str | None = None
    ) -> Iterator[EventRecord]:
        """Yield inputs of the steps ``first..last`` (both included), of one source or all, by step, source, seq."""
        c = tables.inputs.c
        query = sa.select(c.record).where(c.run_id == self.run_id, c.step >= first)
        if last is not None:
            query = query.where(c.step <= last)
        if source is not None:
            query = query.where(c.source == source)
        for row in self._read(query.order_by(c.step, c.source, c.seq)):
            yield codec.decode(bytes(row["record"]))

    def intents(self, *states: str) -> Iterator[Intent]:
        """Yield intents in these states (none given: all), by step and key."""
        c = tables.intents.c
        query = sa.select(tables.intents).where(c.run_id == self.run_id)
        if states:
            query = query.where(c.state.in_(states))
        for row in self._read(query.order_by(c.step, c.key)):
            record = codec.decode(bytes(row["record"]))
            yield Intent(row["client_order_id"], row["step"], row["kind"], row["state"], record)

    def reports(self, first: int = 0) -> Iterator[EventRecord]:
        """Yield the venue's reports, and switches of strategies' parameters, from step `first` on, by step and seq."""
        c = tables.reports.c
        query = sa.select(c.record).where(c.run_id == self.run_id, c.step >= first)
        for row in self._read(query.order_by(c.step, c.seq, c.key)):
            yield codec.decode(bytes(row["record"]))

    def decisions(self, first: int = 0) -> Iterator[tuple[int, int, str]]:
        """Yield ``(step, n, canonical line)`` from step `first` on."""
        c = tables.decisions.c
        query = sa.select(c.step, c.n, c.line).where(c.run_id == self.run_id, c.step >= first)
        for row in self._read(query.order_by(c.step, c.n)):
            yield row["step"], row["n"], row["line"]

    def commands(self, first: int = 0) -> Iterator[tuple[str, int, bytes]]:
        """Yield an operator's commands ``(key, step, payload)`` from step `first` on."""
        c = tables.commands.c
        query = sa.select(c.key, c.step, c.payload).where(c.run_id == self.run_id, c.step >= first)
        for row in self._read(query.order_by(c.step, c.key)):
            yield row["key"], row["step"], bytes(row["payload"])

    def snapshot_steps(self) -> list[int]:
        """Return the steps at which the whole fleet holds a snapshot, ascending."""
        c = tables.snapshots.c
        return [
            r["step"] for r in self._read(sa.select(c.step).where(c.run_id == self.run_id).order_by(c.step))
        ]

    def entries(self, table: sa.Table) -> Iterator[Row]:
        """Yield the raw rows of one of `tables.ENTRIES` or `tables.commits` by commit (for `verify`)."""
        query = sa.select(table).where(table.c.run_id == self.run_id).order_by(table.c.commit_no)
        yield from self._read(query)

    def close(self) -> None:
        """Release what is held; a later call opens it again."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _schema_version(self) -> int:
        with self._engine.connect() as conn:
            if not sa.inspect(conn).has_table(tables.schema_info.name):
                raise JournalError("JOURNAL_MISSING", f"journal {self.where}: expected a journal, found none")
            return int(conn.execute(sa.select(tables.schema_info.c.version)).scalar_one())

    def _read(self, query: sa.Select[Any]) -> Iterator[Row]:
        try:
            with self._engine.connect().execution_options(yield_per=2000) as conn:
                for row in conn.execute(query):
                    yield dict(row._mapping)
        except FAULTS as e:
            raise journal_error(e, self.where, "read") from e


def list_runs(url: str, *, password: SecretStr | None = None) -> list[RunInfo]:
    """Return all runs of a database, the oldest first.

    Raises
    ------
    JournalError
        If there is no journal.
    """
    with JournalReader(url, "", password=password) as journal:
        query = sa.select(tables.runs).order_by(tables.runs.c.created_ns, tables.runs.c.run_id)
        return [_run_info(row) for row in journal._read(query)]


def _run_info(row: Row) -> RunInfo:
    return RunInfo(**{**row, "args": json.loads(row["args"])})
