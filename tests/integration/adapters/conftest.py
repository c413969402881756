"""A PostgreSQL cluster of its own on loopback, and the databases that one suite runs against."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from sqlalchemy.pool import NullPool

_DEBIAN = Path("/usr/lib/postgresql")
PASSWORD = "only for this cluster"


@dataclass(frozen=True)
class Server:
    """A running cluster; `start` and `stop` (at once, as a crash) run pg_ctl as its owner."""

    port: int
    data: Path
    bin: Path
    owner: str | None

    def url(self, database: str) -> str:
        return f"postgresql+pg8000://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        folder = self.data.parent
        # the tests kill processes, not the machine: without its syncs the server is ten times faster
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={folder} "
            "-c fsync=off -c full_page_writes=off -c autovacuum=off -c shared_buffers=16MB"
        )
        self._ctl("start", "-l", str(folder / "log"), "-o", options)

    def stop(self) -> None:
        self._ctl("stop", "-m", "immediate")

    def _ctl(self, *args: str) -> None:
        _run([str(self.bin / "pg_ctl"), "-D", str(self.data), "-w", "-s", *args], self.owner)

    def sql(self, statement: str, database: str = "postgres") -> None:
        url = sa.make_url(self.url(database)).set(password=PASSWORD)
        engine = sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as conn:
            conn.execute(sa.text(statement))


@dataclass(frozen=True)
class Database:
    """Where a test keeps its journal."""

    url: str
    password: SecretStr | None
    server: Server | None


def _run(command: list[str], owner: str | None) -> None:
    # initdb and the server refuse to run as root
    subprocess.run(command, check=True, user=owner, cwd="/", stdout=subprocess.DEVNULL, env={
        "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/tmp",
    })  # fmt: skip


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda p: int(p.parts[4].split(".")[0]))
    if not versions:
        pytest.skip(f"no {_DEBIAN}/*/bin/initdb: install Debian's postgresql")
    owner = None
    if os.geteuid() == 0:
        if "postgres" not in [u.pw_name for u in pwd.getpwall()]:
            pytest.skip("running as root without a user postgres to own the cluster")
        owner = "postgres"
    folder = Path(tempfile.mkdtemp(prefix="tradewind-pg-"))
    if owner:
        shutil.chown(folder, owner, owner)
    server = Server(_free_port(), folder / "data", versions[-1].parent, owner)
    try:
        password_file = folder / "pw"
        password_file.write_text(PASSWORD)
        password_file.chmod(0o644)
        _run([str(server.bin / "initdb"), "-D", str(server.data), "-U", "postgres", "--auth=scram-sha-256",
              f"--pwfile={password_file}", "--no-sync", "-E", "UTF8"], owner)  # fmt: skip
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        yield Database(f"sqlite:///{tmp_path / 'journal.db'}", None, None)
        return
    server: Server = request.getfixturevalue("postgres")
    name = f"t{os.getpid()}_{abs(hash(request.node.nodeid))}"
    server.sql(f"CREATE DATABASE {name}")
    yield Database(server.url(name), SecretStr(PASSWORD), server)
    server.sql(f"DROP DATABASE {name} WITH (FORCE)")
