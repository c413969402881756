"""A feed with disturbances: what the venue is like, and which bars our feed did not see; inputs of a run like bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed, BarOverdue, BarUnseen, VenueDisturbed
from actors.domain.model.bars import BarFrame
from actors.domain.model.funding import FundingSeries
from actors.runtime.graph import FEED
from actors.runtime.slices import Slice, SliceFeed


@dataclass(frozen=True)
class VenueState:
    """What the venue is like from an opening time on; see `VenueDisturbed`."""

    from_ns: int
    state: str = "open"
    reason: str = ""
    spread_factor: float = 1.0


@dataclass(frozen=True)
class Silence:
    """Bars of a pair that open in ``[from_ns, until_ns)`` reach the venue's book but not our feed."""

    pair: str
    from_ns: int
    until_ns: int


class DisturbedFeed(SliceFeed):
    """`SliceFeed` whose slices carry disturbances; the market's own shocks are in the frames already.

    Parameters
    ----------
    frames, start_ns, funding, marks
        See `SliceFeed`.
    venue : sequence of VenueState
        In order of time; a state enters the first slice whose bars open at or after it.
    silences : sequence of Silence
    """

    def __init__(
        self,
        frames: Mapping[str, BarFrame],
        start_ns: int | None,
        *,
        venue: Sequence[VenueState] = (),
        silences: Sequence[Silence] = (),
        funding: Mapping[str, FundingSeries] = MappingProxyType({}),
        marks: Mapping[str, BarFrame] = MappingProxyType({}),
    ) -> None:
        super().__init__(frames, start_ns, funding=funding, marks=marks)
        self._width = next(iter(self.frames.values())).timeframe_ns
        self._silences = tuple(silences)
        self._venue: dict[int, list[VenueState]] = {}
        for state in venue:
            step = int(self.times.searchsorted(state.from_ns + self._width))
            if step < len(self):
                self._venue.setdefault(step, []).append(state)

    def block(self, begin: int, end: int) -> list[Slice]:
        """Return slices ``begin <= step < end``."""
        return [self._disturbed(item) for item in super().block(begin, end)]

    def _disturbed(self, item: Slice) -> Slice:
        states = self._venue.get(item.step, ())
        if not states and not self._silences:
            return item
        said: list[Event] = [
            VenueDisturbed(
                ts_event_ns=item.ts_event_ns,
                source=FEED,
                state=s.state,
                reason=s.reason,
                spread_factor=s.spread_factor,
            )
            for s in states
        ]
        for event in item.events:
            said += self._heard(event)
        return replace(item, events=tuple(said))

    def _heard(self, event: Event) -> Sequence[Event]:
        if type(event) is not BarClosed or not any(
            s.pair == event.instrument_id and s.from_ns <= event.open_ns < s.until_ns for s in self._silences
        ):
            return (event,)
        overdue = BarOverdue(
            ts_event_ns=event.ts_event_ns, source=event.source, instrument_id=event.instrument_id
        )
        return overdue, BarUnseen(
            ts_event_ns=event.ts_event_ns, source=event.source, instrument_id=event.instrument_id,
            open_ns=event.open_ns, close_ns=event.close_ns, open=event.open, high=event.high, low=event.low,
            close=event.close, volume=event.volume,
        )  # fmt: skip
