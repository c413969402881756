"""What the streaming twins share: pickling through their own snapshots, lines as attributes."""

from __future__ import annotations

from collections.abc import Callable
from math import nan
from typing import Any, Self


class StreamTwin:
    """Base of the streaming twins; a subclass writes and reads its own fields."""

    __slots__ = ()

    def snapshot(self) -> bytes:
        """Return the state as bytes, the same as the native object's."""
        raise NotImplementedError

    def restore(self, data: bytes, /) -> None:
        """Replace the state by that of a snapshot of the same kind."""
        raise NotImplementedError

    @classmethod
    def from_snapshot(cls, data: bytes, /) -> Self:
        """Return a new object with the state of a snapshot."""
        me = cls.__new__(cls)
        me.restore(data)
        return me

    def __reduce__(self) -> tuple[Callable[[bytes], Self], tuple[bytes]]:
        return type(self).from_snapshot, (self.snapshot(),)


class Line:
    """Attribute that holds one line's value after the last bar; NaN before the first and after a restore."""

    __slots__ = ("_i",)

    def __init__(self, i: int) -> None:
        self._i = i

    def __get__(self, obj: Any, owner: type | None = None) -> float:
        """Return the value."""
        lines: tuple[float, ...] = getattr(obj, "_lines", ())  # a snapshot does not hold them
        return lines[self._i] if lines else nan

    def __set__(self, obj: Any, value: object) -> None:
        """Refuse: only a bar changes a line."""
        raise AttributeError("a line of a streaming object is read-only")
