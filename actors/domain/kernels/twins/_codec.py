"""Snapshots: a tag and little-endian numbers, the same bytes as the native kernels write."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

MAGIC = b"TWK1"
HEAD = 16


class Writer:
    """Appends numbers to a snapshot of the kernel named `tag`."""

    __slots__ = ("_parts",)

    def __init__(self, tag: str) -> None:
        self._parts = [MAGIC, tag.encode("ascii").ljust(HEAD - len(MAGIC), b"\0")]

    def u64(self, *values: int) -> Writer:
        """Append unsigned integers."""
        self._parts.append(struct.pack(f"<{len(values)}Q", *values))
        return self

    def f64s(self, values: Iterable[float]) -> Writer:
        """Append floats, bit by bit."""
        numbers = tuple(values)
        self._parts.append(struct.pack(f"<{len(numbers)}d", *numbers))
        return self

    def nested(self, data: bytes) -> Writer:
        """Append a nested snapshot with its length."""
        self.u64(len(data))
        self._parts.append(data)
        return self

    def done(self) -> bytes:
        """Return the finished bytes."""
        return b"".join(self._parts)


class Reader:
    """Reads what `Writer` wrote, in the same order; raises ValueError on foreign bytes."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, tag: str) -> None:
        if data[: len(MAGIC)] != MAGIC or data[len(MAGIC) : HEAD].rstrip(b"\0") != tag.encode("ascii"):
            raise ValueError("not a snapshot of this kernel: it belongs to another kernel")
        self._data, self._at = data, HEAD

    def _take(self, n: int) -> bytes:
        part = self._data[self._at : self._at + n]
        if len(part) != n:
            raise ValueError("not a snapshot of this kernel: truncated")
        self._at += n
        return part

    def u64(self) -> int:
        """Read an unsigned integer."""
        value: int = struct.unpack("<Q", self._take(8))[0]
        return value

    def f64s(self, n: int) -> Sequence[float]:
        """Read `n` floats."""
        values: tuple[float, ...] = struct.unpack(f"<{n}d", self._take(8 * n))
        return values

    def nested(self) -> bytes:
        """Read a nested snapshot."""
        return self._take(self.u64())

    def end(self) -> None:
        """Check that nothing is left."""
        if self._at != len(self._data):
            raise ValueError("not a snapshot of this kernel: bytes left over")
