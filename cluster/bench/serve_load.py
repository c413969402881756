"""Clients that ask a running server: how many answers, how late, and what came of those that failed."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from cluster.bench.serve_process import Served

REGIME = "/api/v1/regime"
PATIENCE_S = 60.0


@dataclass
class Load:
    """What clients have seen.

    Attributes
    ----------
    latencies_s : list of float
        Of requests that were answered at the first try.
    answers : list of (asked at, answered at, model version), monotonic clock
    failures : list of str
        First tries that failed, each with what was found.
    lost : list of str
        Requests that failed twice.
    wall_s : float
    """

    latencies_s: list[float] = field(default_factory=list)
    answers: list[tuple[float, float, int | None]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    wall_s: float = 0.0

    @property
    def per_s(self) -> float:
        """Answers per second."""
        return len(self.answers) / self.wall_s

    def quantile_ms(self, q: float) -> float:
        """Return a latency in ms below which a share `q` of the answers came; nan without any."""
        ordered = sorted(self.latencies_s)
        return 1e3 * ordered[min(len(ordered) - 1, math.ceil(q * len(ordered)) - 1)] if ordered else math.nan


def load(
    served: Served,
    bodies: Sequence[bytes],
    *,
    clients: int,
    seconds: float,
    retry: bool = False,
    beside: Callable[[Served], Any] | None = None,
) -> Load:
    """Let clients ask one after another for some seconds and return what they saw.

    Parameters
    ----------
    served : Served
    bodies : sequence of bytes
        Questions, in turn.
    clients : int
    seconds : float
    retry : bool
        Whether a failed request is asked once more.
    beside : callable, optional
        Run in a thread meanwhile; the clients go on until it has ended.
    """
    return asyncio.run(_load(served, bodies, clients, seconds, retry, beside))


async def _load(
    served: Served, bodies: Sequence[bytes], clients: int, seconds: float, retry: bool,
    beside: Callable[[Served], Any] | None,
) -> Load:  # fmt: skip
    out = Load()
    headers = {**served.headers(), "Content-Type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
    began = time.monotonic()
    busy = asyncio.create_task(asyncio.to_thread(beside, served)) if beside else None
    async with aiohttp.ClientSession(
        headers=headers, timeout=timeout, connector=aiohttp.TCPConnector(limit=clients)
    ) as session:

        async def client(number: int) -> None:
            asked = number
            while time.monotonic() - began < seconds or (busy is not None and not busy.done()):
                await _ask(session, served.url, bodies[asked % len(bodies)], out, retry)
                asked += clients

        await asyncio.gather(*(client(i) for i in range(clients)))
    out.wall_s = time.monotonic() - began
    if busy is not None:
        await busy
    return out


async def _ask(session: aiohttp.ClientSession, url: str, body: bytes, out: Load, retry: bool) -> None:
    for last in (False, True) if retry else (True,):
        asked = time.monotonic()
        try:
            async with session.post(f"{url}{REGIME}", data=body) as answer:
                text = await answer.text()
                fault = "" if answer.status == 200 else f"{answer.status}: {text[:200]}"
        except (aiohttp.ClientError, TimeoutError, OSError) as e:
            fault = f"{type(e).__name__}: {e}"
        now = time.monotonic()
        if not fault:
            out.answers.append((asked, now, json.loads(text)["model"]["version"]))
            if not retry or not last:
                out.latencies_s.append(now - asked)
            return
        if last:
            out.lost.append(fault)
        if not last or not retry:
            out.failures.append(fault)
