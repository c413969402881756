"""Bench of serving: answers per second and their lateness, swaps under load, replicas killed under load.

Clients, proxy and replicas share this machine's cores, so the figures are those of a whole small installation, not of
a server. Two questions: 48 new bars for a fitted model (what a caller asks who follows a market), and 500 bars for one
that learns from them, HMM included.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from actors.domain.errors import VenueError
from actors.domain.model.bars import BarFrame
from actors.domain.model.timeframe import format_timeframe
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from actors.runtime.environment import prepare_environment
from cluster.bench.figures import Figure
from cluster.bench.serve_load import Load, load
from cluster.bench.serve_process import Served, serving
from config.load import resolve
from serve.models.store import ModelStore
from serve.models.version import ModelSettings

CLIENTS = (1, 4, 16)
TRAINED_BARS, NEW_BARS, WHOLE_BARS = 2_000, 48, 500
_SWAP_S = 0.5


def run(seconds: float, seed: int, *, checkout: Path, say: Any) -> dict[str, Any]:
    """Start a server, measure, end it.

    Parameters
    ----------
    seconds : float
        Of each measurement.
    seed : int
        Of the synthetic bars.
    checkout : Path
    say : callable
        Told what comes next.
    """
    with tempfile.TemporaryDirectory(prefix="tradewind-serve-") as name:
        folder = Path(name)
        prepare_environment(folder / "ud")
        frame = next(iter(generate(SyntheticParams(n_bars=TRAINED_BARS + WHOLE_BARS), seed).frames.values()))
        publish(folder / "ud", frame)
        say("serve run, two replicas of each deployment")
        began = time.monotonic()
        with serving(checkout, folder) as served:
            out: dict[str, Any] = {
                "ready_s": time.monotonic() - began, "load_average": os.getloadavg()[0], "seconds": seconds
            }  # fmt: skip
            questions = {
                "fitted": question(frame.slice_rows(TRAINED_BARS, TRAINED_BARS + NEW_BARS), 2),
                "learning": question(frame.slice_rows(TRAINED_BARS, None), 1),
            }
            for what, body in questions.items():
                load(served, [body], clients=4, seconds=2.0)  # versions read, workers warm
                say(f"{what}: {', '.join(map(str, CLIENTS))} clients")
                out[what] = {n: told(load(served, [body], clients=n, seconds=seconds)) for n in CLIENTS}
            say("swaps under load")
            out["swap"] = swaps(
                served, question(frame.slice_rows(TRAINED_BARS, TRAINED_BARS + NEW_BARS)), seconds
            )
            say("replicas killed under load")
            out["kill"] = kills(served, [questions["fitted"]], seconds)
        return out


def publish(userdir: Path, frame: BarFrame) -> None:
    """Make three versions of the default model, two of which have learned from bars; the first is active."""
    config = resolve("paper")
    settings = ModelSettings.of(config.model)
    store = ModelStore(userdir)
    store.publish("default", settings, config.content_hash)
    for _ in range(2):
        store.publish("default", settings, config.content_hash, frame.slice_rows(0, TRAINED_BARS))
    store.activate("default", 1, by="bench")


def question(frame: BarFrame, version: int | None = None) -> bytes:
    """Return a request for the last bar of a series, by the active version or by another one."""
    columns = {n: getattr(frame, n).tolist() for n in ("open", "high", "low", "close", "volume")}
    series = {
        "pair": frame.pair, "timeframe": format_timeframe(frame.timeframe_ns), "timestamp": frame.open_ns.tolist(),
        **columns,
    }  # fmt: skip
    model = {} if version is None else {"version": version}
    return json.dumps({"series": [series], "model": model}).encode()


def told(seen: Load) -> dict[str, Any]:
    """Return the figures of a load."""
    return {
        "requests": len(seen.answers), "per_s": seen.per_s, "p50_ms": seen.quantile_ms(0.5),
        "p99_ms": seen.quantile_ms(0.99), "failed": len(seen.failures), "lost": len(seen.lost),
        "first_failures": seen.failures[:3],
    }  # fmt: skip


def activate(served: Served, version: int) -> None:
    """Make a version of the default model the active one."""
    body = json.dumps({"version": version}).encode()
    headers = {**served.headers(admin=True), "Content-Type": "application/json"}
    request = urllib.request.Request(  # noqa: S310 - our own loopback address
        f"{served.url}/api/v1/models/default/activate", body, headers
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        assert json.load(answer)["version"] == version


def swaps(served: Served, body: bytes, seconds: float, clients: int = 4) -> dict[str, Any]:
    """Swap two versions back and forth while clients ask; nothing is retried.

    A request that was sent after a swap was confirmed must be answered by the new version: `stale` counts others.
    """
    done: list[tuple[float, float, int]] = []

    def beside(server: Served) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end or len(done) < 4:
            version = 3 - len(done) % 2
            asked = time.monotonic()
            activate(server, version)
            done.append((asked, time.monotonic(), version))
            time.sleep(_SWAP_S)

    activate(served, 2)
    seen = load(served, [body], clients=clients, seconds=seconds, beside=beside)
    stale = 0
    for asked, answered, version in seen.answers:
        before = [v for _, confirmed, v in done if confirmed < asked]
        during = [v for began, confirmed, v in done if confirmed >= asked and began <= answered]
        stale += version not in (before[-1] if before else 2, *during)
    by = {v: sum(version == v for _, _, version in seen.answers) for v in (2, 3)}
    return {**told(seen), "swaps": len(done), "stale": stale, "answers_by_version": by}


def kills(served: Served, bodies: list[bytes], seconds: float, clients: int = 4) -> dict[str, Any]:
    """Kill one replica of each deployment while clients ask, who repeat a failed request once."""
    struck: list[dict[str, Any]] = []

    def beside(server: Served) -> None:
        for deployment in ("RegimeInference", "Gateway"):
            time.sleep(min(2.0, seconds / 4))
            pids = server.replicas(deployment)
            began = time.monotonic()
            os.kill(pids[0], signal.SIGKILL)
            whole = replaced(server, deployment, pids)
            struck.append({"deployment": deployment, "pid": pids[0], "whole_after_s": whole - began})
        time.sleep(1.0)

    seen = load(served, bodies, clients=clients, seconds=seconds, retry=True, beside=beside)
    ends = sorted(answered for _, answered, _ in seen.answers)
    gaps = [after - before for before, after in pairwise(ends)]
    return {**told(seen), "kills": struck, "longest_silence_s": max(gaps, default=float("nan"))}


def replaced(served: Served, deployment: str, before: list[int], deadline_s: float = 240.0) -> float:
    """Wait until a deployment has as many replicas again, one of them new; return when.

    Raises
    ------
    VenueError
    """
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        now = served.replicas(deployment)
        if len(now) >= len(before) and set(now) - set(before):
            return time.monotonic()
        time.sleep(0.2)
    raise VenueError(
        "REPLICA_MISSING", f"{deployment}: expected another replica within {deadline_s:g} s, found none"
    )


def figures(m: Mapping[str, Any]) -> list[Figure]:
    """Return what `run` measured, beside the goals."""
    out = [
        Figure(
            "serve",
            "from serve run to ready",
            m["ready_s"],
            "s",
            note=f"load average {m['load_average']:.1f}",
        )
    ]
    names = {"fitted": f"{NEW_BARS} bars, fitted", "learning": f"{WHOLE_BARS} bars, learning from them"}
    for what, name in names.items():
        for clients, row in m[what].items():
            out.append(
                Figure(
                    "serve", f"{name}, {clients} clients", row["per_s"], "/s",
                    note=f"p50 {row['p50_ms']:.0f} ms, p99 {row['p99_ms']:.0f} ms, {row['failed']} failed",
                )
            )  # fmt: skip
    swap, kill = m["swap"], m["kill"]
    slowest = max(k["whole_after_s"] for k in kill["kills"])
    return [
        *out,
        Figure("serve", "requests failed under swaps", swap["failed"], "", 0.0, "<=",
               f"{swap['swaps']} swaps, {swap['requests']} answers, p99 {swap['p99_ms']:.0f} ms, none repeated"),
        Figure("serve", "answers of a version swapped out before", swap["stale"], "", 0.0, "<="),
        Figure("serve", "requests lost under SIGKILL, repeated once", kill["lost"], "", 0.0, "<=",
               f"{kill['requests']} answers, {kill['failed']} failed at first; p99 {kill['p99_ms']:.0f} ms"),
        Figure("serve", "two replicas again after SIGKILL", slowest, "s",
               note=f"longest time without an answer {kill['longest_silence_s']:.1f} s"),
    ]  # fmt: skip
