"""`Journal`: idempotent appends, one transaction per batch, each chained to the one before by its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from actors.adapters.journal import tables
from actors.adapters.journal.engine import WRITER, WriterLock
from actors.adapters.journal.entries import (
    INTENDED,
    MOVES,
    RUN_STATES,
    SUBMIT,
    Batch,
    RunInfo,
    intent_key,
    report_key,
    state_after,
)
from actors.adapters.journal.faults import journal_error
from actors.adapters.journal.reader import FAULTS, JournalReader, Row
from actors.domain.errors import JournalError
from actors.domain.events import codec
from actors.domain.events.base import EventRecord

if TYPE_CHECKING:
    from pydantic import SecretStr

_DDL_LOCK = 0x7472616465  # serialises two first runs that create the tables of one PostgreSQL database
_CHUNK = 400


def _move(state: str, before: tuple[str, ...]) -> sa.Update:
    c = tables.intents.c
    of_order = (c.run_id == sa.bindparam("run"), c.key == sa.bindparam("order"), c.kind == SUBMIT)
    return tables.intents.update().where(*of_order, c.state.in_(before)).values(state=state)


# built once: building a statement costs more than running it
_MOVES = {move: _move(*move) for move in MOVES}


class Journal(JournalReader):
    """The journal of one run, to write and read; one writing process at a time.

    The database is opened (and its tables made) at once; the writer's lock is taken by the first write and
    held until `close`. After a failed write either nothing of its batch is kept or all of it: repeat the
    same append. Parameters as in `JournalReader`; `busy_timeout_s` is also the wait for another writer.

    Raises
    ------
    JournalError
        If the database cannot be opened or written, or was written by a newer release.
    """

    _read_only = False

    def __init__(
        self, url: str, run_id: str, *, password: SecretStr | None = None, busy_timeout_s: float = 5.0
    ) -> None:
        self._writer: sa.Connection | None = None
        self._head: tuple[int, str] | None = None
        super().__init__(url, run_id, password=password, busy_timeout_s=busy_timeout_s)
        self._lock = WriterLock(self._engine.url, run_id, busy_timeout_s)

    # -- writing ------------------------------------------------------------------------------------------

    def create_run(self, info: RunInfo) -> None:
        """Note the run; the same run again is a no-op.

        Raises
        ------
        JournalError
            If a run of this id exists with another identity.
        """
        row = _run_row(info)
        with self._transaction("create run") as conn:
            found = conn.execute(sa.select(tables.runs).where(tables.runs.c.run_id == info.run_id)).first()
            if found is None:
                conn.execute(tables.runs.insert(), row)
                return
            known = dict(found._mapping)
        for name in ("config_hash", "data_hash", "seed", "mode", "args", "code_version"):
            if known[name] != row[name]:
                raise JournalError(
                    "JOURNAL_OTHER_RUN",
                    f"journal: run {info.run_id} has {name} {known[name]!r}, found {row[name]!r}; "
                    "use the settings of that run, or another run id",
                    differs=name,
                )

    def set_status(self, status: str) -> None:
        """Note how the run stands, one of `RUN_STATES`."""
        if status not in RUN_STATES:
            raise JournalError(
                "JOURNAL_STATUS", f"journal: expected one of {', '.join(RUN_STATES)}, found {status!r}"
            )
        with self._transaction("set status") as conn:
            conn.execute(
                tables.runs.update().where(tables.runs.c.run_id == self.run_id).values(status=status)
            )

    def commit(self, batch: Batch) -> int:
        """Make a batch durable in one transaction and return how many entries were new.

        Raises
        ------
        JournalError
            If a key is known with other content (``JOURNAL_CONFLICT``, naming both), or the database
            refuses; `retryable` tells whether the same append may be repeated as it is.
        """
        rows = self._rows(batch)
        if not rows:
            return 0
        try:
            with self._transaction("commit", twice=True) as conn:
                new = self._insert(conn, rows)
                head = self._chain(conn, rows)
                self._advance(conn, batch.reports)
        except sa.exc.IntegrityError:
            # some keys are known: a repeated append after a lost answer, or a contradiction
            with self._transaction("commit") as conn:
                rows = {t: self._unknown(conn, t, r) for t, r in rows.items()}
                new = self._insert(conn, rows)
                head = self._chain(conn, rows) if new else self._known_head()
                self._advance(conn, batch.reports)
        self._head = head
        return new

    def commit_inputs(self, records: Sequence[EventRecord]) -> int:
        """Make inputs durable; see `commit`."""
        return self.commit(Batch(inputs=records))

    def commit_step(self, step: int, intents: Sequence[EventRecord], reports: Sequence[EventRecord]) -> None:
        """Make one step's intents and reports durable before returning (the port of the journal agent)."""
        for record in (*intents, *reports):
            if record.step != step:
                raise JournalError(
                    "JOURNAL_STEP", f"journal: expected records of step {step}, found {record.event_id}"
                )
        self.commit(Batch(intents=intents, reports=reports))

    def close(self) -> None:
        """Release the writer's lock and the connection; a later call opens them again."""
        self._drop()
        super().close()

    # -- inside -------------------------------------------------------------------------------------------

    def _schema_version(self) -> int:
        with self._engine.connect().execution_options(**{WRITER: True}) as conn, conn.begin():
            if conn.dialect.name == "postgresql":
                conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_DDL_LOCK)))
            tables.METADATA.create_all(conn)
            version = conn.execute(sa.select(tables.schema_info.c.version)).scalar()
            if version is None:
                version = tables.SCHEMA_VERSION
                conn.execute(tables.schema_info.insert(), {"version": version})
            return int(version)

    @contextmanager
    def _transaction(self, doing: str, *, twice: bool = False) -> Iterator[sa.Connection]:
        """Run one transaction; with `twice` a known key comes back as it is, for a second, slower attempt."""
        try:
            conn = self._connected()
            with conn.begin():
                yield conn
        except FAULTS as e:
            if twice and isinstance(e, sa.exc.IntegrityError):
                raise
            # the outcome may be unknown (a connection lost while committing): start from what is stored
            self._drop()
            raise journal_error(e, self.where, doing) from e

    def _connected(self) -> sa.Connection:
        if self._writer is None:
            conn = self._engine.connect().execution_options(**{WRITER: True})
            try:
                self._lock.acquire(conn)
                with conn.begin():
                    c = tables.commits.c
                    query = sa.select(c.commit_no, c.hash).where(c.run_id == self.run_id)
                    head = conn.execute(query.order_by(c.commit_no.desc()).limit(1)).first()
            except BaseException:
                conn.close()
                raise
            self._head = (0, "") if head is None else (int(head[0]), str(head[1]))
            self._writer = conn
        return self._writer

    def _known_head(self) -> tuple[int, str]:
        assert self._head is not None, "set with the writer's connection"
        return self._head

    def _drop(self) -> None:
        writer, self._writer, self._head = self._writer, None, None
        try:
            if writer is not None:
                writer.invalidate()
                writer.close()
        finally:
            self._lock.release()

    def _rows(self, batch: Batch) -> dict[sa.Table, list[Row]]:
        rows: dict[sa.Table, list[Row]] = {}

        def add(table: sa.Table, **values: Any) -> None:
            rows.setdefault(table, []).append({"run_id": self.run_id, **values})

        for r in batch.inputs:
            add(tables.inputs, step=r.step, source=r.source, seq=r.seq, ts_event_ns=r.event.ts_event_ns,
                record=codec.encode(r))  # fmt: skip
        for r in batch.intents:
            key, order, kind = intent_key(r)
            add(tables.intents, key=key, client_order_id=order, step=r.step, kind=kind,
                record=codec.encode(r), state=INTENDED)  # fmt: skip
        for r in batch.reports:
            key, order, fill = report_key(r)
            add(tables.reports, key=key, client_order_id=order, fill_id=fill, step=r.step, seq=r.seq,
                record=codec.encode(r))  # fmt: skip
        for step, n, line in batch.decisions:
            add(tables.decisions, step=step, n=n, line=line)
        for key, step, payload in batch.commands:
            add(tables.commands, key=key, step=step, payload=payload)
        for step, agents in batch.snapshots:
            add(tables.snapshots, step=step, agents=agents)
        return {table: _once(table, members) for table, members in rows.items()}

    def _insert(self, conn: sa.Connection, rows: dict[sa.Table, list[Row]]) -> int:
        number = self._known_head()[0] + 1
        new = 0
        for table, members in rows.items():
            if members:
                conn.execute(table.insert(), [{**row, "commit_no": number} for row in members])
                new += len(members)
        return new

    def _chain(self, conn: sa.Connection, rows: dict[sa.Table, list[Row]]) -> tuple[int, str]:
        number, previous = self._known_head()
        number, digest = number + 1, chain_hash(previous, rows)
        conn.execute(tables.commits.insert(), {"run_id": self.run_id, "commit_no": number, "hash": digest})
        return number, digest

    def _unknown(self, conn: sa.Connection, table: sa.Table, rows: list[Row]) -> list[Row]:
        """Return the rows whose keys are not stored; a stored key with other content raises."""
        keys = tables.key_columns(table)
        known: dict[tuple[Any, ...], Row] = {}
        wanted = [tuple(row[k] for k in keys) for row in rows]
        columns = sa.tuple_(*(table.c[k] for k in keys))
        for i in range(0, len(wanted), _CHUNK):
            query = sa.select(table).where(table.c.run_id == self.run_id, columns.in_(wanted[i : i + _CHUNK]))
            for found in conn.execute(query):
                row = dict(found._mapping)
                known[tuple(row[k] for k in keys)] = row
        out = []
        for key, row in zip(wanted, rows, strict=True):
            if key not in known:
                out.append(row)
            else:
                _same(table, key, known[key], row)
        return out

    def _advance(self, conn: sa.Connection, reports: Sequence[EventRecord]) -> None:
        """Move the orders that reports speak of forward; in order, so that a batch may open and close one."""
        for record in reports:
            _, order, _ = report_key(record)
            if not order:  # a charge: of no order
                continue
            conn.execute(_MOVES[state_after(record)], {"run": self.run_id, "order": order})


def chain_hash(previous: str, rows: dict[sa.Table, list[Row]]) -> str:
    """Return the hash of a commit: the previous one and every new entry, in an order no database chooses."""
    sha = hashlib.sha256(previous.encode())
    for table in tables.ENTRIES:
        columns, keys = tables.content_columns(table), tables.key_columns(table)
        for row in sorted(rows.get(table, ()), key=lambda r: tuple(r[k] for k in keys)):
            sha.update(msgspec.msgpack.encode([str(table.name), *(row[c] for c in columns)]))
    return sha.hexdigest()


def _once(table: sa.Table, rows: list[Row]) -> list[Row]:
    """Return rows without repeated keys; a key that repeats with other content raises."""
    keys = tables.key_columns(table)
    seen: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        key = tuple(row[k] for k in keys)
        if key in seen:
            _same(table, key, seen[key], row)
        else:
            seen[key] = row
    return list(seen.values())


def _same(table: sa.Table, key: tuple[Any, ...], known: Row, row: Row) -> None:
    for name in tables.content_columns(table):
        if known[name] != row[name]:
            raise JournalError(
                "JOURNAL_CONFLICT",
                f"journal: {table.name} {'/'.join(map(str, key))} is stored as {_show(known, table)}, found "
                f"{_show(row, table)}; one key must always name one entry",
                table=table.name,
                key=list(key),
            )


def _show(row: Row, table: sa.Table) -> str:
    if "record" in row:
        return repr(codec.decode(bytes(row["record"])))
    return repr({name: row[name] for name in tables.content_columns(table)})


def _run_row(info: RunInfo) -> Row:
    return {
        "run_id": info.run_id, "created_ns": info.created_ns, "config_hash": info.config_hash,
        "data_hash": info.data_hash, "seed": info.seed, "mode": info.mode,
        "args": json.dumps(info.args, sort_keys=True), "code_version": info.code_version,
        "status": info.status,
    }  # fmt: skip
