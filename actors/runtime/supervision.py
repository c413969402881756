"""The limits of supervision: how long silence may last, how often an agent may fail, and who may be missed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from actors.runtime.graph import FEED, AgentSpec


@dataclass(frozen=True)
class SupervisionPolicy:
    """Limits of supervision.

    Attributes
    ----------
    restart_budget : int
        Restarts of one agent within `restart_window_s` before giving up.
    backoff_s : float
        First pause before a one-for-all group is created anew, doubled with each restart in the window; Ray
        restarts single agents by itself, at once.
    heartbeat_s, misses : float, int
        An agent that answers no ping for `misses` periods in a row hangs and is killed.
    start_deadline_s : float
        Grace for a new process.
    lease_s : float
        Without a sign of life from the driver for so long, the fleet ends itself (a killed driver leaves no
        orphans); 0 means for ever.
    mailbox : int
        Messages that wait for one subscriber of the event bus.
    """

    restart_budget: int = 5
    restart_window_s: float = 300.0
    backoff_s: float = 0.2
    heartbeat_s: float = 2.0
    misses: int = 15
    start_deadline_s: float = 120.0
    lease_s: float = 60.0
    mailbox: int = 1024

    def pause_s(self, restarts: int) -> float:
        """Return the pause before a group's next start, after so many restarts in the window.

        Examples
        --------
        >>> [SupervisionPolicy(backoff_s=0.5).pause_s(n) for n in (0, 1, 2, 9)]
        [0.5, 1.0, 2.0, 8.0]
        """
        return float(self.backoff_s * 2 ** min(restarts, 4))


def dispensable(specs: Iterable[AgentSpec]) -> frozenset[str]:
    """Return the agents that a fleet can do without once its breaker is tripped: what only advises.

    Whoever takes the bars in or stands on the order path cannot be missed: without it nothing could be sold.
    """
    return frozenset(s.name for s in specs if not s.loop and all(e.source != FEED for e in s.inputs))
