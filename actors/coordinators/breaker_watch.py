"""The breakers of a run: who tripped, who was reset, and whether new risk is stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from actors.domain.events.base import Event
from actors.domain.events.execution import VenueStatusChanged
from actors.domain.events.risk import CircuitBreakerReset, CircuitBreakerTripped
from actors.domain.events.system import AgentGaveUp
from actors.domain.processor import Step
from actors.domain.risk.breakers import NEVER, Breaker, ManualBreaker, VenueLostBreaker, build_breakers
from actors.domain.state import Stateful


class BreakerWatch(Stateful):
    """Asks the breakers of the account at every step; trips the others when they are told of a loss.

    Parameters
    ----------
    source : str
        Agent that speaks for them.
    config : mapping
        See `build_breakers`.
    timeframe_ns : int

    Attributes
    ----------
    of_account : dict name → Breaker
        Tripped by what the account does.
    lost : Breaker
        Tripped when an agent was given up: by the host, never by the account.
    venue : VenueLostBreaker or None
        Tripped by what the venue's connection says; without it orders go on into the void.
    """

    STATE: ClassVar[tuple[str, ...]] = ("of_account", "lost", "venue")

    def __init__(self, source: str, config: Mapping[str, Any], timeframe_ns: int) -> None:
        self._source = source
        self.of_account: dict[str, Breaker] = build_breakers(config, timeframe_ns)
        self.lost: Breaker = self.of_account.pop(ManualBreaker.NAME, ManualBreaker())
        known = self.of_account.pop(VenueLostBreaker.NAME, None)
        self.venue = known if isinstance(known, VenueLostBreaker) else None
        self._asked = self._listed()

    @property
    def any_tripped(self) -> bool:
        """True while new risk is stopped."""
        return self.lost.tripped or any(breaker.tripped for _, breaker in self._asked)

    @property
    def venue_is_deaf(self) -> bool:
        """True while neither an exit nor a withdrawal would get through."""
        venue = self.venue
        return venue is not None and venue.tripped and not (venue.halted and not venue.away)

    def give_up(self, event: AgentGaveUp, step: Step, out: list[Event]) -> bool:
        """Take the loss of an agent; return True if it tripped the breaker."""
        if self.lost.tripped:
            return False
        self.lost.trip(0.0, float(event.restarts), NEVER)
        out.append(self._tripped(self.lost, step))
        return True

    def hear(self, event: VenueStatusChanged, step: Step, out: list[Event]) -> bool:
        """Take what the venue's connection says; return True if it tripped the breaker."""
        if self.venue is None or not self.venue.heard(step.number, event.state):
            return False
        out.append(self._tripped(self.venue, step))
        return True

    def update(self, step: Step, equity: float, flat: bool, out: list[Event]) -> tuple[str, bool]:
        """Take the account at a close.

        Parameters
        ----------
        step : Step
        equity : float
            Quote currency.
        flat : bool
            Whether nothing is held that the venue would buy back.
        out : list of Event
            Trips and resets are appended.

        Returns
        -------
        str
            Name of a breaker that is tripped, or an empty string.
        bool
            Whether one tripped in this step.
        """
        stopped_by, fresh = "agent_lost" if self.lost.tripped else "", False
        number, ts = step.number, step.ts_event_ns
        for name, breaker in self._asked:
            if breaker.update(number, ts, equity, flat):
                if breaker.tripped:
                    out.append(self._tripped(breaker, step))
                    fresh = True
                else:
                    out.append(CircuitBreakerReset(ts_event_ns=ts, source=self._source, breaker=name))
            if breaker.tripped:
                stopped_by = name
        return stopped_by, fresh

    def figures(self, name: str) -> tuple[float, float]:
        """Return limit and observed value of a breaker's last trip."""
        if self.venue is not None and name == self.venue.name:
            return self.venue.limit, self.venue.observed
        breaker = self.lost if name == self.lost.name else self.of_account[name]
        return breaker.limit, breaker.observed

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        super().load_state(tree)
        self._asked = self._listed()

    def _listed(self) -> list[tuple[str, Breaker]]:
        venue = [] if self.venue is None else [self.venue]
        return [*self.of_account.items(), *((breaker.name, breaker) for breaker in venue)]

    def _tripped(self, breaker: Breaker, step: Step) -> Event:
        return CircuitBreakerTripped(
            ts_event_ns=step.ts_event_ns, source=self._source, breaker=breaker.name, limit=breaker.limit,
            observed=breaker.observed, until_step=breaker.until_step,
        )  # fmt: skip
