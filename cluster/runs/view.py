"""What a person sees while a run goes on: a live view on a terminal, one line now and then elsewhere."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from actors.domain.events.base import Event
from actors.domain.events.portfolio import AccountUpdated
from actors.domain.events.regime import RegimeAssessed
from actors.domain.events.system import KernelBackendSelected
from actors.runtime.recorder import Recorder
from cluster.runs.plan import RunPlan


class SilentView:
    """Shows nothing."""

    def ready(self, host: Any) -> None:
        """The fleet is ready."""

    def announce(self, event: KernelBackendSelected) -> None:
        """Which kernels compute."""

    def recovered(self, rows: Mapping[str, Any], seconds: float) -> None:
        """Some agents died and are back."""

    def update(self, steps: int, recorder: Recorder) -> None:
        """Steps so far."""


class LineView(SilentView):
    """A line every few seconds on stderr (logs, pipes)."""

    def __init__(self, plan: RunPlan, verb: str, host: str) -> None:
        self._total, self._verb, self._host = len(plan.feed), verb, host
        self._next = time.monotonic() + 5.0

    def ready(self, host: Any) -> None:
        """Say that all agents answer."""
        sys.stderr.write(f"{self._verb}: {len(host.rows)} agents ready\n")

    def announce(self, event: KernelBackendSelected) -> None:
        """Say which kernels compute."""
        sys.stderr.write(f"{self._verb}: {kernels_line(event)}\n")

    def recovered(self, rows: Mapping[str, Any], seconds: float) -> None:
        """Say who is back."""
        if rows:
            sys.stderr.write(f"{self._verb}: restarted {', '.join(rows)}; back after {seconds:.1f} s\n")

    def update(self, steps: int, recorder: Recorder) -> None:
        """Say how far the run is."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 5.0
            sys.stderr.write(f"{self._verb}: {steps}/{self._total} steps\n")


class LiveView(SilentView):
    """Agents with their last word, regime and confidence, equity, open orders, progress."""

    def __init__(self, plan: RunPlan, verb: str, host: str) -> None:
        self._plan = plan
        self._said: dict[str, tuple[int, str]] = {}
        self._state = "starting" if host == "ray" else "running"
        self._restarts: Counter[str] = Counter()
        self._kernels = ""
        self._missing: Mapping[str, int] = {}
        self._bar = Progress(
            TextColumn(f"{verb} on {host}"), BarColumn(), MofNCompleteColumn(), TextColumn("steps"),
            TimeRemainingColumn(), console=Console(stderr=True),
        )  # fmt: skip
        self._task = self._bar.add_task(verb, total=len(plan.feed))
        self.live = Live(self._draw(None), console=Console(stderr=True), refresh_per_second=4, transient=True)

    def ready(self, host: Any) -> None:
        """All agents answer."""
        self._state = "running"

    def announce(self, event: KernelBackendSelected) -> None:
        """Keep it for the head line."""
        self._kernels = kernels_line(event)

    def recovered(self, rows: Mapping[str, Any], seconds: float) -> None:
        """Count who came back."""
        self._restarts.update(rows.keys())

    def update(self, steps: int, recorder: Recorder) -> None:
        """Redraw."""
        self._state = "running"
        for name, events in recorder.last_outputs:
            if events:
                self._said[name] = (steps, describe(events[-1]))
        self._missing = self._plan.feed.missing_from()
        self._bar.update(self._task, completed=steps)
        self.live.update(self._draw(recorder))

    def state_of(self, name: str) -> str:
        """Return what an agent does: starting, running (restarted n times), or lost for good."""
        if name in self._missing:
            return "lost"
        again = self._restarts[name]
        return f"{self._state}, restarted {again}x" if again else self._state

    def _draw(self, recorder: Recorder | None) -> Group:
        title = f"agents ({self._kernels})" if self._kernels else "agents"
        table = Table(title=title, title_justify="left", expand=True, show_edge=False, pad_edge=False)
        names = max(map(len, self._plan.graph.names))
        table.add_column("agent", no_wrap=True, min_width=names)
        table.add_column("kind", no_wrap=True, overflow="ellipsis")
        table.add_column("state", no_wrap=True, min_width=len(self._state))
        table.add_column("last decision", no_wrap=True, overflow="ellipsis", ratio=1)
        for spec in self._plan.graph.specs:
            table.add_row(
                spec.name, spec.kind, self.state_of(spec.name), self._said.get(spec.name, (0, ""))[1]
            )
        # a low terminal cuts off the end, so what matters most comes first
        return Group(self._bar, market_line(recorder), table)


def kernels_line(event: KernelBackendSelected) -> str:
    """Return which kernels compute, and why."""
    name = "native kernels" if event.backend == "native" else "Python twins of the kernels (slower)"
    return f"{name} {event.version}: {event.reason}"


def describe(event: Event) -> str:
    """Return one event in a few words."""
    name = type(event).__name__
    parts = [event.instrument_id or ""]
    for field in ("label", "direction", "target_frac", "probability_up", "quantity", "code", "measure", "value",
                  "confidence", "equity", "reason"):  # fmt: skip
        value = getattr(event, field, None)
        if value is not None and value != "":
            parts.append(f"{field} {value:.4g}" if isinstance(value, float) else f"{field} {value}")
    return f"{name} {' '.join(p for p in parts if p)}"


def market_line(recorder: Recorder | None) -> Table:
    """Return regime, confidence, equity and open orders of the newest step."""
    table = Table(show_header=False, show_edge=False, pad_edge=False)
    if recorder is None:
        return table
    regimes, equity = [], ""
    for name, events in recorder.last_outputs:
        for event in events:
            if name == "regime-ensemble" and isinstance(event, RegimeAssessed):
                regimes.append(f"{event.instrument_id} {event.label} ({event.confidence:.0%})")
            elif isinstance(event, AccountUpdated):
                equity = f"{event.equity:.2f}, drawdown {event.drawdown_frac:.2%}"
    table.add_row("regime", "; ".join(regimes))
    table.add_row("equity", equity)
    table.add_row("open orders", str(len(recorder.record.open_orders)))
    return table


@contextlib.contextmanager
def progress_view(args: argparse.Namespace, plan: RunPlan, verb: str, host: str) -> Iterator[SilentView]:
    """Yield the view that fits the terminal."""
    if args.no_progress:
        yield SilentView()
    elif sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        view = LiveView(plan, verb, host)
        with view.live:
            yield view
    else:
        yield LineView(plan, verb, host)
