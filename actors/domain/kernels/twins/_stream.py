"""What the streaming twins share: pickling through their own snapshots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self


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
