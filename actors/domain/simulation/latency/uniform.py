"""Each order takes its own number of extra bars, drawn from its id: the same one in every replay."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import Field

from actors.domain.registry import Params, component
from actors.domain.simulation.latency.base import LatencyModel


class UniformLatencyParams(Params):
    """Extra bars are uniform on 0 … `max_latency_steps`; `seed` picks another draw."""

    max_latency_steps: int = Field(default=2, ge=0, le=1000)
    seed: int = 0


@component
class UniformLatency(LatencyModel):
    """Jittered latency without state: a hash of (seed, command, id) modulo the number of outcomes.

    Examples
    --------
    >>> model = UniformLatency(UniformLatencyParams(max_latency_steps=3))
    >>> {model.submit_steps(f"order-{i}") for i in range(50)} == {0, 1, 2, 3}
    True
    """

    Params = UniformLatencyParams

    def __init__(self, params: Any) -> None:
        self._outcomes: int = params.max_latency_steps + 1
        self._seed: int = params.seed

    def submit_steps(self, client_order_id: str) -> int:
        """Return the draw of this submission."""
        return self._draw("submit", client_order_id)

    def cancel_steps(self, client_order_id: str) -> int:
        """Return the draw of this cancel."""
        return self._draw("cancel", client_order_id)

    def _draw(self, command: str, client_order_id: str) -> int:
        text = f"{self._seed}/{command}/{client_order_id}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") % self._outcomes
