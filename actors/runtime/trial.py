"""Steps on trial in an agent's process: computed as if nothing were fed back, and taken back where something was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from actors.domain.events.base import Event

Inbox = dict[int, list[list[Event]]]
"""By step: one list of events per input."""


@dataclass
class Trial:
    """What an agent keeps until it is known how many of its steps stand.

    Attributes
    ----------
    first : int
    times, warmups : sequence
        Of all steps tried.
    before : bytes
        The agent's snapshot before the first of them.
    slots : list of (int, int)
        Inputs whose words are on trial too, with their delay.
    taken : dict step → inbox
        What was heard in the steps computed.
    outputs : list
        What was said in them; less than `times` where the agent could not go on.
    ms : float
        Time it took.
    """

    first: int
    times: Sequence[int]
    warmups: Sequence[bool]
    before: bytes
    slots: list[tuple[int, int]]
    taken: Inbox = field(default_factory=dict)
    outputs: list[Sequence[Event]] = field(default_factory=list)
    ms: float = 0.0

    @property
    def last(self) -> int:
        """Last step tried."""
        return self.first + len(self.times) - 1

    def give_back(self, inbox: Inbox, upto: int) -> None:
        """Put what was heard back into `inbox`, without what was said on trial behind step `upto`."""
        inbox.update(self.taken)
        for slot, delay in self.slots:
            for step, buckets in inbox.items():
                if step > upto + delay:
                    buckets[slot] = []
