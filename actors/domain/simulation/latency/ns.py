"""Commands take nanoseconds; who arrives after a bar has opened meets the next one."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import Field

from actors.domain.registry import Params, component
from actors.domain.simulation.latency.base import LatencyModel


class NsLatencyParams(Params):
    """How long submissions and cancels travel; `jitter_ns` adds a draw on 0 … itself to each, `seed` picks another.

    `cancel_latency_ns` of None: as long as a submission.
    """

    latency_ns: int = Field(default=50_000_000, ge=0)
    cancel_latency_ns: int | None = Field(default=None, ge=0)
    jitter_ns: int = Field(default=0, ge=0)
    seed: int = 0


@component
class NsLatency(LatencyModel):
    """Latency in time: no state; the draw follows from the order's id, so it is the same in every replay.

    What happens inside a bar is unknown, so a command that arrives after the open waits for the next open: that of the
    next bar, or with finer bars (`timeframe_detail`) that of the next finer one.

    Examples
    --------
    >>> model = NsLatency(NsLatencyParams(latency_ns=5, jitter_ns=2))
    >>> {model.submit_ns(f"order-{i}") for i in range(50)} == {5, 6, 7}
    True
    """

    Params = NsLatencyParams

    def __init__(self, params: Any) -> None:
        self._submit: int = params.latency_ns
        self._cancel: int = (
            params.latency_ns if params.cancel_latency_ns is None else params.cancel_latency_ns
        )
        self._outcomes: int = params.jitter_ns + 1
        self._seed: int = params.seed

    def submit_steps(self, client_order_id: str) -> int:
        """Return 0: no whole bars beyond the time."""
        return 0

    def cancel_steps(self, client_order_id: str) -> int:
        """Return 0: no whole bars beyond the time."""
        return 0

    def submit_ns(self, client_order_id: str) -> int:
        """Return the time of this submission."""
        return self._submit + self._draw("submit", client_order_id)

    def cancel_ns(self, client_order_id: str) -> int:
        """Return the time of this cancel."""
        return self._cancel + self._draw("cancel", client_order_id)

    def _draw(self, command: str, client_order_id: str) -> int:
        if self._outcomes == 1:
            return 0
        text = f"{self._seed}/{command}/{client_order_id}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") % self._outcomes
