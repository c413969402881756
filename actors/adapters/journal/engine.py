"""Opening a database so that a commit is durable: SQLite in WAL with full syncs, or PostgreSQL.

SQLite, "Write-Ahead Logging": with ``synchronous=FULL`` the log is synced on every commit, so a committed
intent survives a power cut; PostgreSQL does the same under ``synchronous_commit=on``.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from actors.domain.errors import ConfigError, JournalUnavailableError

if TYPE_CHECKING:
    from pydantic import SecretStr  # the journal's process holds no pydantic, 6 MiB, for a name

WRITER = "tradewind_writer"
_POLL_S = 0.05
_PASSWORD = "TRADEWIND_JOURNAL_PASSWORD"  # noqa: S105 - the name of a variable


def open_engine(
    url: str, *, password: SecretStr | None, read_only: bool, busy_timeout_s: float
) -> sa.engine.Engine:
    """Return an engine for a journal URL; nothing is connected yet.

    Raises
    ------
    ConfigError
        If the URL is neither a SQLite file nor PostgreSQL by pg8000.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername not in ("sqlite", "postgresql+pg8000"):
        found = url if parsed is None else parsed.render_as_string()
        raise ConfigError(
            "JOURNAL_URL",
            f"journal.url: expected sqlite:///PATH or postgresql+pg8000://USER@HOST/DB, found {found!r}",
        )
    if parsed.drivername == "sqlite":
        return _sqlite(parsed, read_only=read_only, busy_timeout_s=busy_timeout_s)
    password = password or _password()
    if password is not None:
        parsed = parsed.set(password=password.get_secret_value())
    engine = sa.create_engine(parsed, poolclass=NullPool, connect_args={"timeout": None})

    @sa.event.listens_for(engine, "connect")
    def durable(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("SET synchronous_commit = on")
        cursor.execute(f"SET lock_timeout = '{int(busy_timeout_s * 1000)}ms'")
        if read_only:
            cursor.execute("SET default_transaction_read_only = on")
        connection.commit()

    return engine


def _password() -> SecretStr | None:
    """Return the password from this process's environment, or from the file that it names."""
    value, file = os.environ.get(_PASSWORD), os.environ.get(f"{_PASSWORD}_FILE")
    if value is None and file is not None:
        try:
            value = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as e:
            raise ConfigError("JOURNAL_PASSWORD", f"{_PASSWORD}_FILE: expected a text file, found {e}") from e
    if value is None:
        return None
    from pydantic import SecretStr  # only PostgreSQL has a password

    return SecretStr(value)


def _sqlite(url: sa.engine.URL, *, read_only: bool, busy_timeout_s: float) -> sa.engine.Engine:
    if not url.database or url.database == ":memory:":
        raise ConfigError("JOURNAL_URL", "journal.url: expected a file, found a database in memory")
    path = Path(url.database).absolute()
    if not read_only:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise JournalUnavailableError(
                "JOURNAL_READ_ONLY", f"journal {path}: expected a folder to write in, found {e}"
            ) from e
    address = f"file:{quote(str(path))}?mode={'ro' if read_only else 'rwc'}"

    def connect() -> sqlite3.Connection:
        # no implicit transactions of the driver: SQLAlchemy's begin event below says when and how
        connection = sqlite3.connect(
            address, uri=True, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False
        )
        if not read_only:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
        return connection

    engine = sa.create_engine(url, creator=connect, poolclass=NullPool)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writer = connection.get_execution_options().get(WRITER, False)
        # the write lock is taken at once: a deferred one could fail in the middle of a transaction
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")

    return engine


class WriterLock:
    """One writer per run: a lock file beside SQLite, an advisory lock inside PostgreSQL.

    Both vanish with the process that holds them, so a killed writer never blocks its successor.
    """

    def __init__(self, url: sa.engine.URL, run_id: str, wait_s: float) -> None:
        digest = hashlib.sha256(run_id.encode()).digest()
        self._run_id, self._wait_s = run_id, wait_s
        self._number = int.from_bytes(digest[:8], "big", signed=True)
        self._path: Path | None = None
        self._fd: int | None = None
        if url.drivername == "sqlite":
            self._path = Path(f"{Path(str(url.database)).absolute()}.{digest.hex()[:12]}.writer")

    def acquire(self, connection: sa.Connection) -> None:
        """Take the lock for `connection`, waiting at most `wait_s`.

        Raises
        ------
        JournalUnavailableError
            Retryable, if another process holds it.
        """
        deadline = time.monotonic() + self._wait_s
        while not self._try(connection):
            if time.monotonic() >= deadline:
                raise JournalUnavailableError(
                    "JOURNAL_LOCKED",
                    f"journal of run {self._run_id}: expected to be its only writer, found another process "
                    "that writes; end it, or wait and repeat",
                    retryable=True,
                )
            time.sleep(_POLL_S)

    def _try(self, connection: sa.Connection) -> bool:
        if self._path is None:
            with connection.begin():
                held = connection.execute(sa.select(sa.func.pg_try_advisory_lock(self._number))).scalar()
            return bool(held)
        if self._fd is not None:
            return True
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._fd = fd
        return True

    def release(self) -> None:
        """Let go (PostgreSQL's lock ends with the connection)."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
