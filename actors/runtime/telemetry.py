"""Metrics of the fleet on Ray's own endpoint (names get the prefix ``ray_`` there)."""

from __future__ import annotations

import ray
from ray.util import metrics


class ShellMetrics:
    """One agent's counters; created inside its process, few label values, no order ids.

    Outside Ray (a shell in a test) nothing is created and nothing is counted.
    """

    def __init__(self, agent: str) -> None:
        self._on = ray.is_initialized()
        if not self._on:
            return
        tags = {"agent": agent}
        self._decisions = metrics.Counter(
            "tradewind_decisions_total", description="events an agent returned", tag_keys=("agent",)
        )
        self._latency = metrics.Histogram(
            "tradewind_step_latency_ms", description="time inside process per step",
            boundaries=[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 50.0, 250.0], tag_keys=("agent",),
        )  # fmt: skip
        self._queue = metrics.Gauge(
            "tradewind_inbox_steps", description="steps with undelivered input", tag_keys=("agent",)
        )
        for m in (self._decisions, self._latency, self._queue):
            m.set_default_tags(tags)
        self._equity: metrics.Gauge | None = None

    def observe(self, steps: int, events: int, elapsed_ms: float, waiting: int) -> None:
        """Count one call."""
        if self._on:
            if events:
                self._decisions.inc(events)
            self._latency.observe(max(elapsed_ms / steps, 1e-6))
            self._queue.set(waiting)

    def equity(self, value: float) -> None:
        """Set the account's equity, quote currency."""
        if self._on:
            if self._equity is None:
                self._equity = metrics.Gauge("tradewind_equity_quote", description="equity, quote currency")
            self._equity.set(value)


class SupervisorMetrics:
    """Restarts by agent."""

    def __init__(self) -> None:
        self._restarts = metrics.Counter(
            "tradewind_restarts_total", description="restarts of an agent", tag_keys=("agent",)
        )

    def restarted(self, agent: str) -> None:
        """Count one restart."""
        self._restarts.inc(1, {"agent": agent})
