"""What a long run of many pairs must keep between its two passes, small: decision lines compressed, views as columns.

Ten pairs and six strategies over three years say 1.2 million lines: as Python strings they take a third of a gigabyte.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
import pyarrow as pa

from actors.domain.events.signal import SignalsAggregated

_CHUNK = 256


class PackedLines(Sequence[list[str]]):
    """Lines of text by step, appended in order, read in order or not.

    Examples
    --------
    >>> lines = PackedLines()
    >>> for said in (["a", "b"], [], ["c"]): lines.append(said)
    >>> lines[0], lines[1:], len(lines)
    (['a', 'b'], [[], ['c']], 3)
    """

    def __init__(self) -> None:
        self._packed: list[tuple[int, Any]] = []
        self._open: list[str] = []
        self._unpacked: tuple[int, list[str]] = (-1, [])

    def append(self, lines: Sequence[str]) -> None:
        """Keep the lines of the next step; a line holds no line break."""
        self._open.append("\n".join(lines))
        if len(self._open) == _CHUNK:
            text = "\0".join(self._open).encode()
            self._packed.append((len(text), pa.compress(text, codec="zstd", asbytes=True)))
            self._open = []

    def __len__(self) -> int:
        return _CHUNK * len(self._packed) + len(self._open)

    @overload
    def __getitem__(self, at: int) -> list[str]: ...
    @overload
    def __getitem__(self, at: slice) -> list[list[str]]: ...
    def __getitem__(self, at: int | slice) -> list[str] | list[list[str]]:
        if isinstance(at, slice):
            return [self[k] for k in range(*at.indices(len(self)))]
        if not 0 <= at < len(self):
            raise IndexError(at)
        chunk, row = divmod(at, _CHUNK)
        text = self._texts(chunk)[row]
        return text.split("\n") if text else []

    def _texts(self, chunk: int) -> list[str]:
        if chunk == len(self._packed):
            return self._open
        if self._unpacked[0] != chunk:
            size, data = self._packed[chunk]
            text = pa.decompress(data, decompressed_size=size, codec="zstd", asbytes=True).decode()
            self._unpacked = chunk, text.split("\0")
        return self._unpacked[1]


class PackedViews:
    """The coordinator's view of each pair at each step, in columns; rebuilt where it is asked for.

    Parameters
    ----------
    steps : int
    pairs, members : sequence of str
    source : str
        Name of the coordinator.
    """

    def __init__(self, steps: int, pairs: Sequence[str], members: Sequence[str], source: str) -> None:
        self._pairs, self._members, self._source = tuple(pairs), tuple(members), source
        self._at = {pair: i for i, pair in enumerate(pairs)}
        shape = (steps, len(self._pairs), len(self._members))
        self._weights, self._directions = np.zeros(shape), np.zeros(shape)
        self._pooled = np.full((steps, len(self._pairs), 3), np.nan)
        self._regimes: dict[tuple[int, int], str] = {}
        self._ts = np.zeros(steps, dtype=np.int64)

    def put(self, k: int, view: SignalsAggregated) -> None:
        """Keep a view of step `k`."""
        i = self._at[view.instrument_id or ""]
        self._ts[k] = view.ts_event_ns
        self._weights[k, i], self._directions[k, i] = view.weights, view.directions
        self._pooled[k, i] = view.direction, view.agreement, view.conflict
        if view.regime:
            self._regimes[k, i] = view.regime

    def get(self, k: int) -> list[SignalsAggregated]:
        """Return the views of step `k` in the order of the pairs."""
        out = []
        for i, pair in enumerate(self._pairs):
            direction, agreement, conflict = self._pooled[k, i].tolist()
            if direction != direction:
                continue
            out.append(
                SignalsAggregated(
                    ts_event_ns=int(self._ts[k]), source=self._source, instrument_id=pair, members=self._members,
                    weights=tuple(self._weights[k, i].tolist()), directions=tuple(self._directions[k, i].tolist()),
                    direction=direction, agreement=agreement, conflict=bool(conflict),
                    regime=self._regimes.get((k, i), ""),
                )
            )  # fmt: skip
        return out
