"""From bar frames to time slices: all bars that close at the same moment form one step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from actors.domain.events.market import BarClosed
from actors.domain.model.bars import BarFrame
from actors.runtime.graph import FEED


@dataclass(frozen=True)
class Slice:
    """One step's external input."""

    step: int
    ts_event_ns: int
    warmup: bool
    events: tuple[BarClosed, ...]


class SliceFeed:
    """Merges frames into slices; decisions are allowed from `start_ns` on (earlier slices warm up).

    Parameters
    ----------
    frames : mapping pair → BarFrame
        In the order of the run's pairs; same timeframe.
    start_ns : int or None
        Open time of the first bar that may be decided on.
    """

    def __init__(self, frames: Mapping[str, BarFrame], start_ns: int | None = None) -> None:
        self.frames = dict(frames)
        closes = [f.close_ns for f in self.frames.values()]
        self.times: np.ndarray[tuple[int], np.dtype[np.int64]] = np.unique(np.concatenate(closes))
        timeframe = next(iter(self.frames.values())).timeframe_ns
        first = 0 if start_ns is None else int(np.searchsorted(self.times, start_ns + timeframe))
        self.warmup_steps = first
        self._rows = {pair: np.searchsorted(self.times, f.close_ns) for pair, f in self.frames.items()}

    def __len__(self) -> int:
        return int(self.times.size)

    @property
    def bar_count(self) -> int:
        """Pair-bars in all slices."""
        return sum(int(f.open_ns.size) for f in self.frames.values())

    def block(self, begin: int, end: int) -> list[Slice]:
        """Return slices ``begin <= step < end``."""
        end = min(end, len(self))
        events: list[list[BarClosed]] = [[] for _ in range(max(0, end - begin))]
        for pair, frame in self.frames.items():
            rows = self._rows[pair]
            lo, hi = np.searchsorted(rows, begin), np.searchsorted(rows, end)
            steps = rows[lo:hi].tolist()
            columns = [
                getattr(frame, c)[lo:hi].tolist()
                for c in ("open_ns", "open", "high", "low", "close", "volume", "flags")
            ]
            width = frame.timeframe_ns
            for k, open_ns, o, h, low, c, v, flags in zip(steps, *columns, strict=True):
                events[k - begin].append(
                    BarClosed(
                        ts_event_ns=open_ns + width, source=FEED, instrument_id=pair, open_ns=open_ns,
                        close_ns=open_ns + width, open=o, high=h, low=low, close=c, volume=v,
                        flags=flags, synthetic=frame.synthetic,
                    )
                )  # fmt: skip
        times = self.times[begin:end].tolist()
        return [
            Slice(begin + i, ts, begin + i < self.warmup_steps, tuple(rows_))
            for i, (ts, rows_) in enumerate(zip(times, events, strict=True))
        ]

    def __iter__(self) -> Iterator[Slice]:
        for begin in range(0, len(self), 256):
            yield from self.block(begin, begin + 256)
