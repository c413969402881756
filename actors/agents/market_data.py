"""The gate of the fleet: each bar is checked once and said again under the agent's name; gaps are named."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import ClassVar

from actors.domain.errors import InvalidBarError
from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed, DataGapDetected
from actors.domain.processor import Agent, AgentContext, Step


class MarketDataAgent(Agent):
    """Takes bars from outside, refuses insane ones, and announces the rest.

    A bar that contradicts itself stops the run: no decision may rest on corrupt data. Missing bars do not:
    they are announced as `DataGapDetected`, just before the bar that ends the gap.

    Raises
    ------
    InvalidBarError
        From `process`: prices out of order, not finite or not above zero, volume negative, times that are
        not one timeframe apart or step back, a pair that this run does not trade, a pair twice in a step.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed,)
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


def _insane(bar: BarClosed, step: Step) -> InvalidBarError:
    return InvalidBarError(
        "BAR_INSANE",
        f"step {step.number}, {bar.instrument_id}: expected 0 < low <= open, close <= high and volume >= 0, "
        f"all finite, found open={bar.open} high={bar.high} low={bar.low} close={bar.close} "
        f"volume={bar.volume}; run check-data on this source",
        step=step.number,
        pair=bar.instrument_id,
        open_ns=bar.open_ns,
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
