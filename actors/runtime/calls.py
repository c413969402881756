"""Calls of a fleet's actors as the conductor keeps them, and what their failures mean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ray.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    ObjectLostError,
    RayActorError,
    RayTaskError,
    WorkerCrashedError,
)

from actors.domain.errors import AgentError, TradingError

LOST = (RayActorError, ActorDiedError, ActorUnavailableError, ObjectLostError, WorkerCrashedError)


@dataclass(eq=False)
class Call:
    """One call of one agent: steps ``first .. first + count - 1`` (or a snapshot when count is 0)."""

    agent: str
    first: int
    count: int
    feeds: list[tuple[int, Call, int]] = field(default_factory=list)
    payload: bytes | None = None
    """Input bytes of a feed call."""
    ref: Any = None
    reply: bytes | None = None
    """Known good reply."""

    @property
    def last(self) -> int:
        """Last step of the call."""
        return self.first + self.count - 1


def is_lost(error: BaseException) -> bool:
    """True for what a crash leaves: a dead process, or a call in flight that its restarted process received.

    Ray hands calls that were under way to the new process; it stands at its snapshot and refuses them.
    """
    if isinstance(error, AgentError):
        return error.code in ("STEP_GAP", "SNAPSHOT_STEP", "STEP_FORGOTTEN")
    return isinstance(error, LOST)


def root_of(error: BaseException) -> BaseException:
    """Return what went wrong below Ray's wrappers: a lost process, or the program's own error."""
    seen: BaseException = error
    while isinstance(seen, RayTaskError):
        cause = getattr(seen, "cause", None)
        if cause is None or cause is seen:
            break
        seen = cause
    if isinstance(seen, TradingError | RayActorError | ObjectLostError | WorkerCrashedError):
        return seen
    return error
