"""The journal agent: commits order intents before they may reach the venue, and the venue's reports.

Switches of an adaptive strategy's parameters are kept with the reports.

It stands between the execution agents and the venue. What it passes on has been committed; what it has not
passed on has had no effect anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from actors.domain.events.base import Event, EventRecord
from actors.domain.events.execution import (
    CancelOrder,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    SubmitOrder,
)
from actors.domain.events.portfolio import AccountCharged
from actors.domain.events.signal import ParametersSwitched
from actors.domain.processor import Agent, AgentContext, Step

_COMMANDS = (SubmitOrder, CancelOrder)


class JournalPort(Protocol):
    """Where commits go; appends are idempotent by key."""

    def commit_step(self, step: int, intents: Sequence[EventRecord], reports: Sequence[EventRecord]) -> None:
        """Make one step's intents and reports durable before returning."""


class JournalAgent(Agent):
    """Passes commands on after they are durable; without a port it only passes them on (tests, backtests)."""

    consumes: ClassVar[tuple[type[Event], ...]] = (
        SubmitOrder, CancelOrder, OrderAccepted, OrderRejected, OrderFilled, OrderCanceled, OrderExpired,
        AccountCharged, ParametersSwitched,
    )  # fmt: skip
    speaks_on: ClassVar[tuple[type[Event], ...] | None] = _COMMANDS

    def __init__(self, ctx: AgentContext) -> None:
        super().__init__(ctx)
        self._port: JournalPort | None = None

    def attach(self, port: JournalPort) -> None:
        """Give the agent its durable store."""
        self._port = port

    def process(self, step: Step) -> Sequence[Event]:
        """Commit this step's intents and reports, then return the commands."""
        commands = [e for e in step.inbox if isinstance(e, _COMMANDS)]
        if self._port is not None and step.inbox:
            records = [
                EventRecord(step=step.number, source=e.source, seq=i, event=e)
                for i, e in enumerate(step.inbox)
            ]
            self._port.commit_step(
                step.number,
                [r for r in records if isinstance(r.event, _COMMANDS)],
                [r for r in records if not isinstance(r.event, _COMMANDS)],
            )
        return commands
