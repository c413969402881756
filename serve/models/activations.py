"""Which version of a model is active: the last line of a log that only grows, each line signed over the last.

Every line holds an HMAC-SHA-256 over itself and the line before, under the installation's key; a line that was changed
or put in, or dropped from before another, is found when the log is read. That the newest lines are missing cannot be
seen: an older copy of the log is a log. A line without its end (a crash in the middle) never took effect.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from actors.domain.errors import ModelVersionError, SnapshotError


@dataclass(frozen=True)
class Activation:
    """One line: `version` took the place of `previous` (None: there was none) at `at_ns`.

    `key` is the caller's, so that a repeated request finds what it has done; `by` the role, `request_id` the request.
    """

    model: str
    version: int
    previous: int | None
    at_ns: int
    by: str
    request_id: str
    key: str | None = None


class _Seen(NamedTuple):
    """A log as it was read: the file's mark (None: there was none), its lines, the last line's MAC, and how many bytes
    the whole lines are.

    Replaced as one: threads that read side by side must not mix what they found.
    """

    mark: tuple[int, int, int] | None
    lines: tuple[Activation, ...]
    mac: str
    end: int


_NOTHING = _Seen(None, (), "", 0)


class ActivationLog:
    """The log of one model.

    Parameters
    ----------
    path : Path
        Made with the first activation.
    key : bytes
        Of the installation.

    Notes
    -----
    Any number of processes and threads may read and append: appending is done under a lock, reading needs none.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._path, self._key = path, key
        self._seen = _NOTHING

    def lines(self) -> tuple[Activation, ...]:
        """Return all activations, oldest first.

        Raises
        ------
        SnapshotError
            If the log cannot be read, or is not what this installation wrote.
        """
        return self._now().lines

    @property
    def active(self) -> int | None:
        """The version in force."""
        lines = self.lines()
        return lines[-1].version if lines else None

    def append(
        self, version: int, *, model: str, at_ns: int, by: str, request_id: str, key: str | None = None,
        expected: int | None = None,
    ) -> Activation:  # fmt: skip
        """Make a version the active one and return the line; a `key` that is known already returns its line.

        Raises
        ------
        ModelVersionError
            If `expected` is given and another version is active, or `key` was used for another version.
        """
        with self._locked() as file:
            seen = self._now()
            before = seen.lines
            for line in before:
                if key is not None and line.key == key:
                    if line.version != version:
                        raise ModelVersionError(
                            "IDEMPOTENCY_KEY_USED",
                            f"Idempotency-Key: expected a new one, found the one that activated version {line.version} "
                            f"of {model}; use another key for version {version}",
                        )
                    return line
            active = before[-1].version if before else None
            if expected is not None and expected != active:
                raise ModelVersionError(
                    "ACTIVATION_CONFLICT",
                    f"expected_active: expected version {active} of {model}, which is active, found {expected}; "
                    "somebody else has activated another: look at it, then decide again",
                )
            made = Activation(model, version, active, at_ns, by, request_id, key)
            body = json.dumps(asdict(made), separators=(",", ":"))
            whole = (
                b'{"activation":'
                + body.encode()
                + b',"mac":"'
                + self._sign(seen.mac, body).encode()
                + b'"}\n'
            )
            file.seek(seen.end)
            file.truncate()  # what a crash has left of a line
            file.write(whole)
            file.flush()
            os.fsync(file.fileno())
        return made

    def _now(self) -> _Seen:
        try:
            found = self._path.stat()
            mark = (found.st_mtime_ns, found.st_size, found.st_ino)
            seen = self._seen
            if mark != seen.mark:
                self._seen = seen = self._parsed(self._path.read_bytes(), mark)
        except FileNotFoundError:
            self._seen = seen = _NOTHING
        except OSError as e:
            raise SnapshotError("ACTIVATIONS_READ", f"{self._path}: expected a log, found: {e}") from e
        return seen

    def _parsed(self, data: bytes, mark: tuple[int, int, int]) -> _Seen:
        lines, mac, end = [], "", 0
        for number, raw in enumerate(data.splitlines(keepends=True), 1):
            if not raw.endswith(b"\n"):
                break
            try:
                tree = json.loads(raw)
                line = Activation(**tree["activation"])
                given = str(tree["mac"])
            except (ValueError, TypeError, KeyError) as e:
                raise self._damaged(number) from e
            mac = self._sign(mac, json.dumps(asdict(line), separators=(",", ":")))
            if not hmac.compare_digest(mac, given):
                raise self._damaged(number)
            lines.append(line)
            end += len(raw)
        return _Seen(mark, tuple(lines), mac, end)

    def _sign(self, before: str, body: str) -> str:
        return hmac.digest(self._key, f"{before}\n{body}".encode(), "sha256").hex()

    def _damaged(self, number: int) -> SnapshotError:
        return SnapshotError(
            "ACTIVATIONS_SIGNATURE",
            f"{self._path}, line {number}: expected a line that this installation wrote, found another; the log is "
            "damaged or was changed: restore it from a copy, or move it away and activate a version anew",
        )

    @contextmanager
    def _locked(self) -> Iterator[Any]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
