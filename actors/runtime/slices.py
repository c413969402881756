"""From bar frames to time slices: all bars that close at the same moment form one step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from msgspec import structs

from actors.domain.events.base import Event
from actors.domain.events.market import (
    BarClosed,
    BarDetailed,
    FundingRateUpdated,
    MarkPriceUpdated,
    TradingEnded,
)
from actors.domain.events.sentiment import HeadlinePublished
from actors.domain.events.system import AgentGaveUp
from actors.domain.model.bars import BarFrame
from actors.domain.model.detail import BarDetail
from actors.domain.model.funding import FundingSeries
from actors.runtime.graph import FEED

HEADLINES_BEFORE_NS = 14 * 86_400_000_000_000
"""How long before the first bar something may have been published and still be told."""


@dataclass(frozen=True)
class Slice:
    """One step's external input."""

    step: int
    ts_event_ns: int
    warmup: bool
    events: tuple[Event, ...]


class SliceFeed:
    """Merges frames into slices; decisions are allowed from `start_ns` on (earlier slices warm up).

    A pair whose bars end before the others' says so in its last slice (`TradingEnded`).

    Parameters
    ----------
    frames : mapping pair → BarFrame
        In the order of the run's pairs; same timeframe.
    start_ns : int or None
        Open time of the first bar that may be decided on.
    details : mapping pair → BarDetail, optional
        Finer bars inside the frames' bars, said behind each bar that has some, once orders may be at work.
    funding : mapping pair → FundingSeries
        A rate enters the first slice at or after its time; what is due before the first bar opens or after the last
        slice is left out.
    marks : mapping pair → BarFrame
        Mark prices; a bar of them enters the slice at its close, where there is one.
    headlines : sequence of HeadlinePublished
        Each enters the first slice at or after the time it was published; those of the `HEADLINES_BEFORE_NS` before
        the first bar opens enter the first slice, older ones and those after the last slice are left out.
    """

    def __init__(
        self,
        frames: Mapping[str, BarFrame],
        start_ns: int | None = None,
        details: Mapping[str, BarDetail] | None = None,
        *,
        funding: Mapping[str, FundingSeries] = MappingProxyType({}),
        marks: Mapping[str, BarFrame] = MappingProxyType({}),
        headlines: Sequence[HeadlinePublished] = (),
    ) -> None:
        self.frames = dict(frames)
        self.details = dict(details or {})
        closes = [f.close_ns for f in self.frames.values()]
        self.times: np.ndarray[tuple[int], np.dtype[np.int64]] = np.unique(np.concatenate(closes))
        timeframe = next(iter(self.frames.values())).timeframe_ns
        first = 0 if start_ns is None else int(np.searchsorted(self.times, start_ns + timeframe))
        self.warmup_steps = first
        self.ended: dict[str, int] = {
            pair: int(np.searchsorted(self.times, f.close_ns[-1]))
            for pair, f in self.frames.items()
            if f.close_ns[-1] < self.times[-1]
        }
        """Step of the last bar of each pair whose bars end before the run does."""
        self.losses: dict[int, list[AgentGaveUp]] = {}
        """By step: agents that the run goes on without from there."""
        self._rows = {pair: np.searchsorted(self.times, f.close_ns) for pair, f in self.frames.items()}
        begin, end = int(self.times[0]) - timeframe, int(self.times[-1])
        self.funding = {pair: s.between(begin, end) for pair, s in funding.items()}
        self.marks = dict(marks)
        known = sorted(
            (h for h in headlines if begin - HEADLINES_BEFORE_NS <= h.published_ns <= end),
            key=lambda h: h.published_ns,  # a stable sort: equal times keep the order of the sources
        )
        self.headlines: tuple[HeadlinePublished, ...] = tuple(known)
        """In the order in which they become known."""
        self._headline_rows = np.searchsorted(self.times, [h.published_ns for h in known])
        self._funding_rows = {p: np.searchsorted(self.times, s.due_ns) for p, s in self.funding.items()}
        self._marks: dict[str, dict[int, int]] = {
            pair: {int(ts): k for k, ts in enumerate(f.close_ns.tolist())} for pair, f in self.marks.items()
        }

    def __len__(self) -> int:
        return int(self.times.size)

    def lose(self, step: int, event: AgentGaveUp) -> None:
        """Make it an input of `step` that an agent was given up; the step must not have been computed."""
        known = self.losses.setdefault(step, [])
        if event not in known:
            known.append(event)
            known.sort(key=lambda e: e.agent)

    def missing_from(self) -> dict[str, int]:
        """Return the agents that were given up, with the first step of each whose outputs are missing."""
        return {e.agent: e.missing_from_step for events in self.losses.values() for e in events}

    @property
    def bar_count(self) -> int:
        """Pair-bars in all slices."""
        return sum(int(f.open_ns.size) for f in self.frames.values())

    def block(self, begin: int, end: int) -> list[Slice]:
        """Return slices ``begin <= step < end``."""
        end = min(end, len(self))
        events: list[list[Event]] = [[] for _ in range(max(0, end - begin))]
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
                if pair in self.details and k >= self.warmup_steps:
                    events[k - begin] += _detailed(self.details[pair], pair, open_ns, open_ns + width)
        for pair, step in self.ended.items():
            if begin <= step < end:
                ts = int(self.times[step])
                events[step - begin].append(TradingEnded(ts_event_ns=ts, source=FEED, instrument_id=pair))
        for step, given_up in self.losses.items():
            if begin <= step < end:
                events[step - begin] += given_up
        times = self.times[begin:end].tolist()
        for k, ts in enumerate(times):
            events[k] += self._marks_at(ts)
        for i in range(*np.searchsorted(self._headline_rows, [begin, end]).tolist()):
            k = int(self._headline_rows[i])
            events[k - begin].append(structs.replace(self.headlines[i], ts_event_ns=int(self.times[k])))
        for pair, series in self.funding.items():
            rows = self._funding_rows[pair]
            for i in range(*np.searchsorted(rows, [begin, end]).tolist()):
                k = int(rows[i])
                events[k - begin].append(
                    FundingRateUpdated(
                        ts_event_ns=int(self.times[k]), source=FEED, instrument_id=pair, rate=float(series.rate[i]),
                        funding_ns=int(series.due_ns[i]), assumed=series.assumed,
                    )
                )  # fmt: skip
        return [
            Slice(begin + i, ts, begin + i < self.warmup_steps, tuple(rows_))
            for i, (ts, rows_) in enumerate(zip(times, events, strict=True))
        ]

    def _marks_at(self, ts_ns: int) -> list[Event]:
        out: list[Event] = []
        for pair, rows in self._marks.items():
            k = rows.get(ts_ns)
            if k is not None:
                frame = self.marks[pair]
                out.append(
                    MarkPriceUpdated(
                        ts_event_ns=ts_ns, source=FEED, instrument_id=pair, open_ns=int(frame.open_ns[k]),
                        close_ns=ts_ns, open=float(frame.open[k]), high=float(frame.high[k]),
                        low=float(frame.low[k]), close=float(frame.close[k]),
                    )
                )  # fmt: skip
        return out

    def __iter__(self) -> Iterator[Slice]:
        for begin in range(0, len(self), 256):
            yield from self.block(begin, begin + 256)


def _detailed(detail: BarDetail, pair: str, open_ns: int, close_ns: int) -> list[Event]:
    """Return the finer bars inside one bar as an event; nothing where it has none."""
    rows = detail.rows(open_ns)
    if not rows:
        return []
    bars, part = detail.bars, slice(rows.start, rows.stop)
    o, h, low, c, v = (
        tuple(getattr(bars, n)[part].tolist()) for n in ("open", "high", "low", "close", "volume")
    )
    return [
        BarDetailed(
            ts_event_ns=close_ns, source=FEED, instrument_id=pair, step_ns=bars.timeframe_ns,
            open_ns=tuple(bars.open_ns[part].tolist()), open=o, high=h, low=low, close=c, volume=v,
        )
    ]  # fmt: skip
