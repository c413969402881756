"""A journal that repeats what a lost connection or a lock kept from being acknowledged, under the same keys.

Appends are idempotent, so repeating one whose answer was lost changes nothing. Only errors that say so
(`retryable`) are repeated; a full disk or a damaged file ends the run at once, with all that was committed kept.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from actors.adapters.journal.store import Journal
from actors.domain.errors import JournalError
from actors.domain.events.base import EventRecord

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0


class PatientJournal:
    """The appends of a `Journal`, repeated for a while.

    Parameters
    ----------
    journal : Journal
    patience_s : float
        How long a database may be away; then its error is raised.
    sleep, clock : callable
        Of the process; tests bring their own.

    Attributes
    ----------
    commit_ms : deque of float
        Durations of the last commits of intents and reports, repeats included.
    repeats : int
        Appends that had to be repeated.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        patience_s: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._patience_s, self._sleep, self._clock = patience_s, sleep, clock
        self.commit_ms: deque[float] = deque(maxlen=10_000)
        self.repeats = 0

    def commit_step(self, step: int, intents: Sequence[EventRecord], reports: Sequence[EventRecord]) -> None:
        """Make a step's intents and reports durable.

        Raises
        ------
        JournalError
            If repeating cannot help, or has not helped for `patience_s`.
        """
        started = self._clock()
        self._repeat(self._journal.commit_step, step, intents, reports)
        self.commit_ms.append((self._clock() - started) * 1e3)

    def commit_inputs(self, records: Sequence[EventRecord]) -> None:
        """Make external inputs durable; raises as `commit_step`."""
        self._repeat(self._journal.commit_inputs, records)

    def close(self) -> None:
        """Release the writer's lock and the connection."""
        self._journal.close()

    def _repeat(self, append: Callable[..., Any], *args: Any) -> None:
        end = self._clock() + self._patience_s
        pause = _FIRST_PAUSE_S
        while True:
            try:
                append(*args)
                return
            except JournalError as e:
                if not e.retryable or self._clock() + pause > end:
                    raise
            self.repeats += 1
            self._sleep(pause)
            pause = min(2.0 * pause, _LONGEST_PAUSE_S)
