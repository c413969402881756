"""Agents for tests of the Ray host: one that counts, one that hangs once, one that is slow to be born."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.events.system import AlertRaised
from actors.domain.processor import Agent, AgentContext, Step


class Counts(Agent):
    """Says in each step how many it has seen."""

    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed, AlertRaised)
    STATE: ClassVar[tuple[str, ...]] = ("seen",)

    def __init__(self, ctx: AgentContext) -> None:
        super().__init__(ctx)
        self.seen = 0

    def process(self, step: Step) -> Sequence[Event]:
        """Count."""
        self.seen += 1
        return (
            AlertRaised(
                ts_event_ns=step.ts_event_ns, source=self.name, severity="info", code=str(self.seen),
                message="",
            ),
        )  # fmt: skip


class HangsOnce(Counts):
    """Does not come back from step `at`, unless the file `mark` says that it was there before."""

    def __init__(self, ctx: AgentContext, at: int, mark: str) -> None:
        super().__init__(ctx)
        self._at, self._mark = at, Path(mark)

    def process(self, step: Step) -> Sequence[Event]:
        """Count, or hang."""
        if step.number == self._at and not self._mark.exists():
            self._mark.touch()
            while True:
                time.sleep(60.0)
        return super().process(step)


class SlowlyBorn(Counts):
    """Is not there before the file `gate` is; counts its births in `births`."""

    def __init__(self, ctx: AgentContext, gate: str, births: str) -> None:
        super().__init__(ctx)
        with Path(births).open("a", encoding="utf-8") as file:
            file.write("born\n")
        while not Path(gate).exists():
            time.sleep(0.01)
