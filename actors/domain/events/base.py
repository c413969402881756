"""The head that all events share, and the record form in which they are kept."""

from __future__ import annotations

from typing import ClassVar

import msgspec

PRIORITY_CONTROL, PRIORITY_FILL, PRIORITY_RISK, PRIORITY_SIGNAL, PRIORITY_MARKET, PRIORITY_REPORT = range(6)


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag=True):
    """One immutable fact (past tense) or command (imperative).

    Attributes
    ----------
    ts_event_ns : int
        When it happened: the close of the bar slice it belongs to, ns UTC.
    source : str
        Name of the agent that said it.
    instrument_id : str or None
        Pair, where one is meant.
    correlation_id, causation_id : str
        The chain of an order: the intent it belongs to and the event that caused it; empty off that path.
    """

    priority: ClassVar[int] = PRIORITY_MARKET
    schema_version: ClassVar[int] = 1
    stage: ClassVar[str] = "system"

    ts_event_ns: int
    source: str
    instrument_id: str | None = None
    correlation_id: str = ""
    causation_id: str = ""


class EventRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event with its place in the run: what journals and logs keep."""

    step: int
    source: str
    seq: int
    event: Event

    @property
    def event_id(self) -> str:
        """Identity of the event: ``source:step:seq``; a replay makes the same ones."""
        return f"{self.source}:{self.step}:{self.seq}"
