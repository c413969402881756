"""The gate of the fleet: each bar, mark and funding rate is checked once and said again under the agent's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf
from typing import ClassVar

from msgspec import structs

from actors.domain.errors import DataError, InvalidBarError
from actors.domain.events.base import Event
from actors.domain.events.market import (
    BarClosed,
    BarDetailed,
    BarOverdue,
    BarUnseen,
    DataGapDetected,
    FundingRateUpdated,
    MarkPriceUpdated,
    TradingEnded,
    VenueDisturbed,
)
from actors.domain.events.system import AgentGaveUp
from actors.domain.model.funding import LARGEST_RATE
from actors.domain.processor import Agent, AgentContext, Step


class MarketDataAgent(Agent):
    """Takes bars, marks and funding rates from outside, refuses insane ones, and announces the rest.

    It also passes on that an agent was given up.

    A bar that contradicts itself stops the run: no decision may rest on corrupt data. Missing bars do not:
    they are announced as `DataGapDetected`, just before the bar that ends the gap.

    Raises
    ------
    InvalidBarError
        From `process`: prices out of order, not finite or not above zero, volume negative, times that are
        not one timeframe apart or step back, a pair that this run does not trade, a pair twice in a step; finer
        bars that do not rebuild the bar said before them; a mark whose prices contradict each other.
    DataError
        A funding rate that is no fraction, or of another time.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (
        BarClosed, BarDetailed, TradingEnded, FundingRateUpdated, MarkPriceUpdated, AgentGaveUp,
        BarUnseen, BarOverdue, VenueDisturbed,
    )  # fmt: skip
    STATE: ClassVar[tuple[str, ...]] = ("_last_close_ns",)

    def __init__(self, ctx: AgentContext) -> None:
        super().__init__(ctx)
        self._timeframe_ns = ctx.timeframe_ns
        self._last_close_ns: dict[str, int] = dict.fromkeys(ctx.pairs, -1)  # -1: no bar yet

    def process(self, step: Step) -> Sequence[Event]:
        """Return the checked bars of this step, each after the gap it ends."""
        out: list[Event] = []
        name, last, ts = self.name, self._last_close_ns, step.ts_event_ns
        for bar in step.inbox:
            if type(bar) is not BarClosed:
                if type(bar) is BarDetailed:
                    _check_detail(bar, out, step)
                elif type(bar) is FundingRateUpdated:
                    _check_funding(bar, step, last)
                elif type(bar) is MarkPriceUpdated:
                    _check_mark(bar, step, last)
                elif type(bar) is BarUnseen:
                    _check_unseen(bar, step, last)
                # who gave up was said by another
                out.append(bar if type(bar) is AgentGaveUp else structs.replace(bar, source=name))
                continue
            pair = bar.instrument_id
            high, low = bar.high, bar.low
            # comparisons with NaN are False, so one chain refuses NaN, infinity and disorder
            if not (
                0.0 < low <= bar.open <= high < inf and low <= bar.close <= high and 0.0 <= bar.volume < inf
            ):
                raise _insane(bar, step)
            before = last.get(pair) if pair is not None else None
            if before is None or pair is None:
                raise InvalidBarError(
                    "BAR_UNKNOWN_PAIR",
                    f"step {step.number}: expected bars of {', '.join(last)}, found {pair!r}; "
                    "check the pairs of the run",
                    step=step.number,
                    pair=pair,
                )
            opened, closed = bar.open_ns, bar.close_ns
            if closed - opened != self._timeframe_ns or closed != ts or opened < before:
                raise _mistimed(bar, step, before, self._timeframe_ns)
            if before >= 0 and opened > before:
                missing = (opened - before) // self._timeframe_ns
                if missing:
                    out.append(
                        DataGapDetected(
                            ts_event_ns=ts,
                            source=name,
                            instrument_id=pair,
                            missing_bars=missing,
                            last_close_ns=before,
                        )
                    )
            last[pair] = closed
            out.append(
                BarClosed(
                    ts_event_ns=ts,
                    source=name,
                    instrument_id=pair,
                    open_ns=opened,
                    close_ns=closed,
                    open=bar.open,
                    high=high,
                    low=low,
                    close=bar.close,
                    volume=bar.volume,
                    flags=bar.flags,
                    synthetic=bar.synthetic,
                )
            )
        return out


def _check_funding(event: FundingRateUpdated, step: Step, known: Mapping[str, int]) -> None:
    if (
        event.instrument_id in known
        and abs(event.rate) <= LARGEST_RATE
        and event.funding_ns <= step.ts_event_ns
    ):
        return
    raise DataError(
        "FUNDING_UNUSABLE",
        f"step {step.number}: expected funding of {', '.join(known)} that is due at {step.ts_event_ns}, a fraction of "
        f"at most {LARGEST_RATE:g} either way, found {event.rate} for {event.instrument_id} due at {event.funding_ns}",
        step=step.number,
        pair=event.instrument_id,
    )


def _check_mark(mark: MarkPriceUpdated, step: Step, known: Mapping[str, int]) -> None:
    sane = 0.0 < mark.low <= mark.open <= mark.high < inf and mark.low <= mark.close <= mark.high
    if sane and mark.instrument_id in known and mark.open_ns < mark.close_ns == step.ts_event_ns:
        return
    raise InvalidBarError(
        "MARK_INSANE",
        f"step {step.number}: expected a mark of {', '.join(known)} that closes with the step at {step.ts_event_ns}, "
        f"0 < low <= open, close <= high, found {mark.instrument_id} [{mark.open_ns}, {mark.close_ns}) "
        f"open={mark.open} high={mark.high} low={mark.low} close={mark.close}",
        step=step.number,
        pair=mark.instrument_id,
    )


def _check_unseen(bar: BarUnseen, step: Step, known: Mapping[str, int]) -> None:
    sane = 0.0 < bar.low <= bar.open <= bar.high < inf and bar.low <= bar.close <= bar.high
    if sane and 0.0 <= bar.volume < inf and bar.instrument_id in known and bar.close_ns == step.ts_event_ns:
        return
    raise _insane(bar, step)


def _insane(bar: BarClosed | BarUnseen, step: Step) -> InvalidBarError:
    return InvalidBarError(
        "BAR_INSANE",
        f"step {step.number}, {bar.instrument_id}: expected 0 < low <= open, close <= high and volume >= 0, "
        f"all finite, found open={bar.open} high={bar.high} low={bar.low} close={bar.close} "
        f"volume={bar.volume}; run check-data on this source",
        step=step.number,
        pair=bar.instrument_id,
        open_ns=bar.open_ns,
    )


def _check_detail(detail: BarDetailed, said: Sequence[Event], step: Step) -> None:
    bar = said[-1] if said else None
    columns = (detail.open_ns, detail.open, detail.high, detail.low, detail.close, detail.volume)
    if (
        type(bar) is BarClosed
        and bar.instrument_id == detail.instrument_id
        and detail.open_ns
        and len({len(c) for c in columns}) == 1
        and all(b - a >= detail.step_ns for a, b in pairwise(detail.open_ns))
        and bar.open_ns <= detail.open_ns[0]
        and detail.open_ns[-1] + detail.step_ns <= bar.close_ns
        and all(
            0.0 < low <= min(o, c) <= max(o, c) <= high and 0.0 <= v < inf
            for o, high, low, c, v in zip(*columns[1:], strict=True)
        )
        and (detail.open[0], max(detail.high), min(detail.low), detail.close[-1])
        == (bar.open, bar.high, bar.low, bar.close)
    ):
        return
    raise InvalidBarError(
        "DETAIL_INSANE",
        f"step {step.number}, {detail.instrument_id}: expected finer bars in order that rebuild the bar said before "
        "them, found others; run check-data on their source",
        step=step.number,
        pair=detail.instrument_id,
    )


def _mistimed(bar: BarClosed, step: Step, before: int, timeframe_ns: int) -> InvalidBarError:
    return InvalidBarError(
        "BAR_MISTIMED",
        f"step {step.number}, {bar.instrument_id}: expected a bar of {timeframe_ns} ns that closes with the "
        f"step at {step.ts_event_ns} and opens at or after {before}, found [{bar.open_ns}, {bar.close_ns}); "
        "check the timeframe and the order of the source",
        step=step.number,
        pair=bar.instrument_id,
        open_ns=bar.open_ns,
    )
