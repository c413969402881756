"""Calls of a fleet's actors as the conductor keeps them, and what their failures mean."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    ObjectLostError,
    RayActorError,
    RayTaskError,
    WorkerCrashedError,
)

from actors.domain.errors import AgentError, FleetUnavailableError, TradingError

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
    trial: bool = False
    """How many of its steps stand is not known yet; see `actors.runtime.order_path`."""

    @property
    def last(self) -> int:
        """Last step of the call."""
        return self.first + self.count - 1

    def data(self) -> Any:
        """Return what hands this call's reply to another: its reference, or the bytes where it was cut."""
        return self.ref if self.ref is not None else self.reply


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


def settle(window: Sequence[Call], others: Sequence[Call], deadline_s: float) -> None:
    """Wait until nothing is in flight and remember every good reply.

    Parameters
    ----------
    window : sequence of Call
        Those without a reply are waited for and asked.
    others : sequence of Call
        Waited for only.
    deadline_s : float

    Raises
    ------
    FleetUnavailableError
        If something is still under way after the deadline.
    """
    open_calls = [c for c in window if c.reply is None]
    refs = [c.ref for c in (*open_calls, *others)]
    end = time.monotonic() + deadline_s
    while refs:
        _, refs = ray.wait(refs, num_returns=len(refs), timeout=5.0)
        if refs and time.monotonic() > end:
            raise FleetUnavailableError(
                "SETTLE_TIMEOUT",
                f"recovery: expected {len(refs)} calls to settle in {deadline_s:g} s",
            )
    for call in open_calls:
        try:
            reply = ray.get(call.ref)
            call.reply = reply if call.count else b""
        except LOST:
            continue
        except RayTaskError as e:
            root = root_of(e)
            if not is_lost(root):
                raise root from e
