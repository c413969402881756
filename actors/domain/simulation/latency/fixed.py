"""Every command takes the same number of extra bars."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from actors.domain.registry import Params, component
from actors.domain.simulation.latency.base import LatencyModel


class FixedLatencyParams(Params):
    """Extra bars of submissions and of cancels."""

    latency_steps: int = Field(default=0, ge=0, le=1000)
    cancel_latency_steps: int = Field(default=0, ge=0, le=1000)


@component
class FixedLatency(LatencyModel):
    """Constant latency; no state.

    Examples
    --------
    >>> FixedLatency(FixedLatencyParams(latency_steps=2)).submit_steps("a")
    2
    """

    Params = FixedLatencyParams

    def __init__(self, params: Any) -> None:
        self._submit: int = params.latency_steps
        self._cancel: int = params.cancel_latency_steps

    def submit_steps(self, client_order_id: str) -> int:
        """Return the constant."""
        return self._submit

    def cancel_steps(self, client_order_id: str) -> int:
        """Return the constant."""
        return self._cancel
