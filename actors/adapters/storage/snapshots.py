"""Signed snapshot files: what an agent remembers at a step, loaded only if this installation wrote it.

A file is a header (msgpack: agent, step, schema, config hash), the state, and an HMAC-SHA-256 (RFC 2104)
over both under a key of mode 0600 that is made on first use. A state may hold pickles of third-party
objects, so nothing is handed out before the signature is checked.
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from actors.adapters.storage.private_file import make_once, sync_folder, write_synced
from actors.domain.errors import SnapshotError, SnapshotUnwritableError

SCHEMA: Final = 1
_MAGIC: Final = b"TWSNAP1\n"
_KEY_BYTES: Final = 32
_SUFFIX: Final = ".snap"
_AGENT = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")


class Header(msgspec.Struct, frozen=True):
    """What a snapshot says about itself, under the same signature as its state."""

    agent: str
    step: int
    schema: int
    config_hash: str
    size: int


class SnapshotStore:
    """Snapshot files of one run: ``<directory>/<step>/<agent>.snap``.

    Parameters
    ----------
    directory : path
        Of the run; made on the first save.
    key_path : path
        Key file of the installation; made with mode 0600 when it is not there.

    Raises
    ------
    SnapshotError
        If the key cannot be read or made, is damaged, or is readable by others.

    Notes
    -----
    Several processes may save into one directory: each writes its own agent's files. A file appears under
    its name only when it is whole and synced (write, fsync, rename, fsync of the folder).
    """

    def __init__(self, directory: str | Path, key_path: str | Path) -> None:
        self._dir = Path(directory)
        self._key = load_key(Path(key_path))

    def save(self, agent: str, step: int, state: bytes, config_hash: str) -> Path:
        """Write the snapshot of an agent at a step and return its file; the same again is replaced.

        Raises
        ------
        SnapshotError
            If it cannot be written; an older file of this name is then still whole.
        """
        path = self._path(agent, step)
        header = msgspec.msgpack.encode(Header(agent, step, SCHEMA, config_hash, len(state)))
        body = b"".join((_MAGIC, len(header).to_bytes(4, "little"), header, state))
        with _reported(path, "write"):
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_atomic(path, body + self._sign(body), 0o600)
        return path

    def load(self, agent: str, step: int, config_hash: str) -> bytes:
        """Return the state of an agent at a step.

        Raises
        ------
        SnapshotError
            If the file is missing, cut short, changed, signed with another key, of another agent, step or
            configuration, or of a newer schema.
        """
        header, state = self.read(agent, step)
        _expect(self._path(agent, step), "config_hash", config_hash, header.config_hash)
        return state

    def read(self, agent: str, step: int) -> tuple[Header, bytes]:
        """Return what an agent's file at a step says about itself, and the state, whatever its configuration was.

        Raises
        ------
        SnapshotError
            As `load`.
        """
        path = self._path(agent, step)
        with _reported(path, "read"):
            data = path.read_bytes()
        size = hashlib.sha256().digest_size
        if len(data) < len(_MAGIC) + 4 + size or not data.startswith(_MAGIC):
            raise SnapshotError(
                "SNAPSHOT_TRUNCATED", f"{path}: expected a whole snapshot, found {len(data)} bytes; "
                "delete it and restart from an older one"
            )  # fmt: skip
        body, signature = data[:-size], data[-size:]
        if not hmac.compare_digest(self._sign(body), signature):
            raise SnapshotError(
                "SNAPSHOT_SIGNATURE",
                f"{path}: expected a signature of this installation, found another: the file is damaged, "
                "changed, or was written under another key; it was not loaded",
            )
        start = len(_MAGIC) + 4
        end = start + int.from_bytes(body[len(_MAGIC) : start], "little")
        header = msgspec.msgpack.decode(body[start:end], type=Header)
        _expect(path, "schema", SCHEMA, header.schema)
        _expect(path, "agent", agent, header.agent)
        _expect(path, "step", step, header.step)
        _expect(path, "size", len(body) - end, header.size)
        return header, body[end:]

    def steps(self) -> list[int]:
        """Return the steps that have a folder, ascending."""
        if not self._dir.is_dir():
            return []
        with _reported(self._dir, "list"):
            return sorted(int(p.name) for p in self._dir.iterdir() if p.name.isdecimal() and p.is_dir())

    def latest(self, agent: str) -> int | None:
        """Return the newest step at which there is a file of this agent, or None."""
        return next((s for s in reversed(self.steps()) if self._path(agent, s).is_file()), None)

    def latest_complete(self, agents: Sequence[str]) -> int | None:
        """Return the newest step at which every agent has a file, or None."""
        return next((s for s in reversed(self.steps()) if self._complete(agents, s)), None)

    def prune(self, agents: Sequence[str], keep: int = 2) -> list[int]:
        """Delete all steps older than the last `keep` complete ones; return the steps that went.

        Incomplete steps younger than those stay: they are being written.
        """
        if keep < 1:
            raise SnapshotError("SNAPSHOT_KEEP", f"keep: expected at least 1, found {keep}")
        complete = [s for s in self.steps() if self._complete(agents, s)]
        if len(complete) <= keep:
            return []
        return self._delete([s for s in self.steps() if s < complete[-keep]])

    def drop_after(self, step: int) -> list[int]:
        """Delete all steps younger than `step`; return them.

        A resumed run computes them again. Left in place, an agent that crashes before it gets there would be
        restored from a step of the earlier attempt that its upstreams have not reached.
        """
        return self._delete([s for s in self.steps() if s > step])

    def _delete(self, gone: list[int]) -> list[int]:
        for step in gone:
            folder = self._dir / str(step)
            with _reported(folder, "delete"):
                for file in folder.iterdir():
                    file.unlink(missing_ok=True)
                folder.rmdir()
        return gone

    def _complete(self, agents: Sequence[str], step: int) -> bool:
        return bool(agents) and all(self._path(a, step).is_file() for a in agents)

    def _path(self, agent: str, step: int) -> Path:
        if not _AGENT.match(agent) or step < 0:
            raise SnapshotError(
                "SNAPSHOT_NAME",
                f"snapshot: expected an agent's name and a step of at least 0, found {agent!r} at {step}",
            )
        return self._dir / str(step) / f"{agent}{_SUFFIX}"

    def _sign(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")


def load_key(path: Path) -> bytes:
    """Return the installation's key, making it (random, mode 0600) when there is none.

    Raises
    ------
    SnapshotError
        If others may read it, it has another length, or it cannot be read or made.
    """
    with _reported(path, "use the key"):
        make_once(path, secrets.token_bytes(_KEY_BYTES))
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            info = os.fstat(file.fileno())
            mode = stat.S_IMODE(info.st_mode)
            if mode & 0o077:
                raise SnapshotError(
                    "SNAPSHOT_KEY_MODE",
                    f"{path}: expected a key that only its owner can read (mode 0600), found {mode:04o}; "
                    "others may have read it: delete it with its snapshots, or chmod 600 if you trust them",
                )
            if info.st_uid != os.geteuid():
                raise SnapshotError(
                    "SNAPSHOT_KEY_OWNER",
                    f"{path}: expected a key owned by user {os.geteuid()}, found owner {info.st_uid}",
                )
            key = file.read()
    if len(key) != _KEY_BYTES:
        raise SnapshotError("SNAPSHOT_KEY", f"{path}: expected {_KEY_BYTES} bytes, found {len(key)}")
    return key


def _write_atomic(path: Path, data: bytes, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        write_synced(temporary, data, mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def _reported(path: Path, doing: str) -> Iterator[None]:
    """Turn what the operating system says into a `SnapshotError`."""
    try:
        yield
    except FileNotFoundError as e:
        raise SnapshotError(
            "SNAPSHOT_MISSING", f"{path}, {doing}: expected a file, found none", path=str(path)
        ) from e
    except OSError as e:
        full = e.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "free disk space, then resume" if full else "check the folder and its permissions"
        raise SnapshotUnwritableError(
            "SNAPSHOT_DISK_FULL" if full else "SNAPSHOT_IO",
            f"{path}, {doing}: expected success, found {e.strerror}; {remedy}",
            path=str(path),
        ) from e


def _expect(path: Path, what: str, expected: object, found: object) -> None:
    if expected != found:
        raise SnapshotError(
            "SNAPSHOT_OTHER", f"{path}: expected {what} {expected!r}, found {found!r}; it was not loaded"
        )
