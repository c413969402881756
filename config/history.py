"""Versions of the configuration: what changed, when and why, as JSON lines beside the user's data.

One line per version, appended under a file lock and flushed to disk; a line torn by a crash is cut off by
the next writer, as write-ahead logs do.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from config.load import ResolvedConfig
from config.problems import ConfigProblem, Problem

FILE_NAME = "config_history.jsonl"


class Change(NamedTuple):
    """One value that differs; None stands for a key that is not there."""

    path: str
    old: Any
    new: Any


class Version(NamedTuple):
    """One kept configuration.

    Attributes
    ----------
    number : int
        Counts from 1.
    ts_ns : int
        When it was kept, ns UTC (the caller's clock).
    content_hash : str
    reason : str
    changes : tuple of Change
        Against the version before; empty for the first.
    config : mapping
        The whole configuration as plain values.
    """

    number: int
    ts_ns: int
    content_hash: str
    reason: str
    changes: tuple[Change, ...]
    config: Mapping[str, Any]


def record(userdir: Path, resolved: ResolvedConfig, *, reason: str, ts_ns: int) -> Version:
    """Keep a configuration and return its version; an unchanged one returns the last version.

    Raises
    ------
    ConfigProblem
        If the reason is empty, or the history cannot be read or written.
    """
    if not reason.strip():
        raise ConfigProblem([Problem("reason", "expected why the configuration changed, found nothing")])
    path = userdir / FILE_NAME
    tree = resolved.model.model_dump(mode="json")
    try:
        userdir.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            data = file.read()
            whole = data.rfind(b"\n") + 1
            known = list(_parse(data[:whole], path))
            if known and known[-1].config == tree:
                return known[-1]
            changes = tuple(differences(known[-1].config, tree)) if known else ()
            version = Version(len(known) + 1, ts_ns, resolved.content_hash, reason.strip(), changes, tree)
            file.truncate(whole)
            file.write(json.dumps(version._asdict(), sort_keys=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
            return version
    except OSError as e:
        raise ConfigProblem([Problem("", f"expected a writable history, found {e}", str(path))]) from e


def versions(userdir: Path) -> list[Version]:
    """Return all kept versions, the oldest first; none if there is no history.

    Raises
    ------
    ConfigProblem
        If the file cannot be read or holds something else.
    """
    path = userdir / FILE_NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as e:
        raise ConfigProblem([Problem("", f"expected a readable history, found {e}", str(path))]) from e
    return list(_parse(data[: data.rfind(b"\n") + 1], path))


def differences(old: Any, new: Any, path: str = "") -> Iterator[Change]:
    """Yield what differs between two plain trees; lists of one length are compared member by member.

    Examples
    --------
    >>> list(differences({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1, 3], "c": 0}))
    [Change(path='b.1', old=2, new=3), Change(path='c', old=None, new=0)]
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(k for k in new if k not in old)]:
            yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from differences(a, b, f"{path}.{i}")
    elif old != new:
        yield Change(path, old, new)


def _parse(data: bytes, path: Path) -> Iterator[Version]:
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            fields = json.loads(line)
            changes = tuple(Change(*c) for c in fields.pop("changes"))
            yield Version(changes=changes, **fields)
        except (ValueError, TypeError, KeyError, AttributeError) as e:
            problem = Problem("", f"expected a version as JSON, found {e}", f"{path}:{number}")
            raise ConfigProblem([problem]) from e
