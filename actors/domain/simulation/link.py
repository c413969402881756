"""The connection to a simulated venue: what happens to commands while it refuses or does not answer.

A submission that meets a venue which is down has an unknown outcome: nothing is sent again. When the venue answers
once more it is asked for each of them by its id, and says that it never had it. Canceling twice does no harm, so
cancels are repeated until they get through.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import msgspec

from actors.domain.errors import DataError
from actors.domain.events.base import Event
from actors.domain.events.execution import CancelOrder, SubmitOrder, VenueStatusChanged
from actors.domain.events.market import VenueDisturbed
from actors.domain.simulation.book_order import from_submit
from actors.domain.simulation.venue_reports import rejection
from actors.domain.state import Stateful

OPEN: Final = "open"
REFUSING: Final = "refusing"
DOWN: Final = "down"
NEVER_ARRIVED: Final = "NEVER_ARRIVED"
_STATES: Final = (OPEN, REFUSING, DOWN)
_ENCODER = msgspec.msgpack.Encoder()
_SUBMIT = msgspec.msgpack.Decoder(SubmitOrder)
_CANCEL = msgspec.msgpack.Decoder(CancelOrder)


class VenueLink(Stateful):
    """State of the connection, and the commands that wait for an answer.

    Attributes
    ----------
    mode : str
        ``open``, ``refusing`` or ``down``.
    spread_factor : float
        For the venue's takers.

    Examples
    --------
    >>> link = VenueLink("venue")
    >>> said = []
    >>> link.disturb(VenueDisturbed(ts_event_ns=1, source="feed", state="down"), 1, said)
    >>> link.mode, said[0].state
    ('down', 'down')
    """

    STATE: ClassVar[tuple[str, ...]] = ("mode", "reason", "spread_factor")

    def __init__(self, name: str) -> None:
        self._name = name
        self.mode: str = OPEN
        self.reason = ""
        self.spread_factor = 1.0
        self._submits: list[SubmitOrder] = []
        self._cancels: list[CancelOrder] = []

    def disturb(self, event: VenueDisturbed, ts_ns: int, out: list[Event]) -> None:
        """Take what the venue is like from now on, and say so where orders are concerned.

        Raises
        ------
        DataError
            If there is no such state, or the spread would shrink below nothing.
        """
        if event.state not in _STATES or not event.spread_factor >= 0.0:
            raise DataError(
                "DISTURBANCE_INVALID",
                f"venue disturbance: expected one of {', '.join(_STATES)} and a spread_factor >= 0, found "
                f"{event.state!r} and {event.spread_factor}",
            )
        self.spread_factor = event.spread_factor
        if (event.state, event.reason) == (self.mode, self.reason):
            return
        before, self.mode, self.reason = self.mode, event.state, event.reason
        if before == DOWN:
            out += [self._never(s, ts_ns) for s in self._submits]
            never = {s.client_order_id: None for s in self._submits}
            self._cancels = [c for c in self._cancels if c.client_order_id not in never]
            self._submits = []
        self._say(ts_ns, out)

    def carry(
        self, submits: Sequence[SubmitOrder], cancels: Sequence[CancelOrder], ts_ns: int, out: list[Event]
    ) -> tuple[Sequence[SubmitOrder], Sequence[CancelOrder]]:
        """Return the commands that reach the venue in this step."""
        if self.mode == OPEN:
            if self._cancels:
                cancels, self._cancels = [*self._cancels, *cancels], []
            return submits, cancels
        self._cancels += cancels
        if self.mode == REFUSING:
            code = self.reason or "VENUE_REFUSES"
            text = "expected a venue that takes orders, found one that refuses all"
            out += [rejection(from_submit(s, 0), self._name, ts_ns, code, text) for s in submits]
        elif submits:
            self._submits += submits
            self._say(ts_ns, out)
        return (), ()

    def _say(self, ts_ns: int, out: list[Event]) -> None:
        out.append(
            VenueStatusChanged(
                ts_event_ns=ts_ns, source=self._name, state=self.mode, reason=self.reason,
                unanswered_orders=len(self._submits),
            )
        )  # fmt: skip

    def _never(self, submit: SubmitOrder, ts_ns: int) -> Event:
        text = "asked for by its id after the outage: the venue never had it"
        return rejection(from_submit(submit, 0), self._name, ts_ns, NEVER_ARRIVED, text)

    def state(self) -> dict[str, Any]:
        """Return the state; waiting commands are encoded one by one."""
        return {
            **super().state(),
            "submits": [_ENCODER.encode(e) for e in self._submits],
            "cancels": [_ENCODER.encode(e) for e in self._cancels],
        }

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore."""
        rest = dict(tree)
        submits, cancels = rest.pop("submits"), rest.pop("cancels")
        super().load_state(rest)
        self._submits = [_SUBMIT.decode(data) for data in submits]
        self._cancels = [_CANCEL.decode(data) for data in cancels]
