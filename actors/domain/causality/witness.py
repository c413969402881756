"""A fit runner that remembers what every fit was given and found, and notices data that change after the asking."""

from __future__ import annotations

import copy
import hashlib
import pickle
from collections.abc import Callable
from typing import Any, NamedTuple


class FitRecord(NamedTuple):
    """One fit: at which bar it was asked for, under which key, and digests of what it got and gave."""

    bar: int
    key: str
    asked: str
    found: str


class Witness:
    """Runs fits at once (`actors.domain.fitting.FitRunner`) and keeps a record of each.

    Parameters
    ----------
    known : dict, optional
        Results by digest of the request, shared between runs that may skip equal fits. None: always compute.

    Attributes
    ----------
    bar : int
        Set by whoever feeds the component: the bar being processed.
    records : list of FitRecord
    tampered : list of (bar, key)
        Fits whose arguments changed between asking and using: they hold live memory, not past data.
    """

    def __init__(self, known: dict[str, Any] | None = None) -> None:
        self.bar = 0
        self.records: list[FitRecord] = []
        self.tampered: list[tuple[int, str]] = []
        self._known = known
        self._open: dict[str, tuple[str, tuple[Any, ...], Any]] = {}

    def submit(self, key: str, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Compute now, on what is there now."""
        if key in self._open:
            return
        asked = digest((f"{fn.__module__}.{fn.__qualname__}", args))
        if self._known is None:
            found = fn(*args)
        else:
            if asked not in self._known:
                self._known[asked] = fn(*args)
            found = copy.deepcopy(self._known[asked])
        self.records.append(FitRecord(self.bar, key, asked, digest(found)))
        self._open[key] = (digest(args), args, found)

    def result(self, key: str) -> Any:
        """Return and forget."""
        asked, args, found = self._open.pop(key)
        if digest(args) != asked:
            self.tampered.append((self.bar, key))
        return found


def digest(value: Any) -> str:
    """Return a short digest of plain values and arrays.

    Examples
    --------
    >>> digest((1.0, "a")) == digest((1.0, "a")) != digest((1.0, "b"))
    True
    """
    sink = hashlib.sha256()
    _feed(sink.update, value)
    return sink.hexdigest()[:16]


def _feed(update: Callable[[bytes], Any], value: Any) -> None:
    # not one pickle of the whole: that depends on which equal values are the same object
    if hasattr(value, "tobytes") and hasattr(value, "dtype"):
        update(f"{value.dtype.str}{value.shape}".encode())
        update(value.tobytes())
    elif isinstance(value, dict):
        update(f"dict{len(value)}".encode())
        for k, v in value.items():
            _feed(update, k)
            _feed(update, v)
    elif isinstance(value, list | tuple):
        update(f"{type(value).__name__}{len(value)}".encode())
        for v in value:
            _feed(update, v)
    elif value is None or isinstance(value, bool | int | float | str | bytes):
        update(f"{type(value).__name__}{value!r};".encode())
    else:
        update(pickle.dumps(value, protocol=5))
