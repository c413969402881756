"""Measuring a fleet of Ray actors: one step at a time with a clock at its gates, kills, and import-free actors."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import ray
from ray.exceptions import RayError

from actors.domain.errors import SupervisionError
from actors.runtime.conductor import Conductor
from actors.runtime.graph import FEED
from cluster.bench.processes import tree_cpu_s

RISK = "coordinator-risk"


class ProbedConductor(Conductor):
    """A conductor that can also compute one step alone and say when its gates were passed."""

    def timed_step(self, step: int) -> tuple[float, float, float]:
        """Compute one step; return ms until its bars were durable, from there to the risk verdict, and to the end."""
        began = time.perf_counter()
        block = self._run_ahead(step, step + 1)
        self._order_path(block)
        ray.wait([self._book.last(FEED).ref], timeout=60.0)
        accepted = time.perf_counter()
        ray.wait([self._book.last(RISK).ref], timeout=60.0)
        approved = time.perf_counter()
        self._collect(block, step, step + 1)
        ended = time.perf_counter()
        return (accepted - began) * 1e3, (approved - accepted) * 1e3, (ended - accepted) * 1e3


class Plain:
    """An actor that imports nothing."""

    def ping(self) -> int:
        """Answer."""
        return os.getpid()


def plain_actors(count: int) -> list[Any]:
    """Start import-free actors and wait until all answer."""
    handles = [ray.remote(Plain).options(num_cpus=0).remote() for _ in range(count)]
    ray.get([h.ping.remote() for h in handles], timeout=300)
    return handles


def plain_start_cpu_s(count: int) -> float:
    """Return the CPU seconds of all of Ray's processes while `count` import-free actors start."""
    before = tree_cpu_s()
    handles = plain_actors(count)
    cost = tree_cpu_s() - before
    for handle in handles:
        ray.kill(handle, no_restart=True)
    time.sleep(1.0)
    return cost


def recovery_s(handle: Any, pid: int, deadline_s: float = 60.0) -> float:
    """Kill the process of an agent; return the seconds until its restored successor answers.

    Raises
    ------
    SupervisionError
        If nobody answers in time.
    """
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    while time.monotonic() - began < deadline_s:
        try:
            row = ray.get(handle.status.remote(), timeout=deadline_s)
        except RayError:
            time.sleep(0.01)
            continue
        if row["pid"] != pid:
            return time.monotonic() - began
    raise SupervisionError(
        "AGENT_MISSING",
        f"process {pid}: expected its successor to answer within {deadline_s:g} s, found none",
    )
