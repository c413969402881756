"""The same study with one worker, with two, on three nodes, and while workers, a node and the driver are killed.

``python -m cluster.bench.studies --data BTCUSDT_1h.parquet`` runs ``tradewind hyperopt`` for each of them and prints
the hash of its trials; exit 1 if one differs, or a trial was lost or doubled. The three nodes are those of
`ray.cluster_utils` on this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from actors.runtime.environment import prepare_environment

_MIB = 1 << 20
_PATIENCE_S = 900.0


@dataclass
class Row:
    """One way to run the study, and what came of it."""

    name: str
    hash: str
    best: str
    trials: int
    seconds: float
    disturbed: str

    def __str__(self) -> str:
        return f"{self.name:<34} {self.hash[:16]} {self.trials:>4} trials {self.seconds:>6.1f} s  {self.disturbed}"


class Studies:
    """Runs one study again and again.

    Parameters
    ----------
    words : list of str
        Flags that choose the study.
    folder : Path
        For the user's folders.
    """

    def __init__(self, words: list[str], folder: Path) -> None:
        self._words, self._folder = words, folder

    def start(self, name: str, *more: str) -> subprocess.Popen[bytes]:
        """Start the verb in a process of its own; see `result`."""
        out = self._folder / name / "out.json"
        out.parent.mkdir(parents=True, exist_ok=True)
        words = [] if "--resume" in more else self._words
        command = [
            sys.executable, "-m", "cluster.cli", "hyperopt", *words, "--userdir", str(out.parent), "--study", "s",
            "--json", str(out), "--no-progress", *more,
        ]  # fmt: skip
        with (out.parent / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own verb

    def done(self, name: str) -> int:
        """Return how many trials of a study are finished."""
        path = self._folder / name / "studies" / "s" / "study.sqlite"
        if not path.exists():
            return 0
        try:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0) as db:
                return int(db.execute("SELECT COUNT(*) FROM trials WHERE state != 'RUNNING'").fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # its tables are being made

    def wait_for(self, name: str, trials: int, process: subprocess.Popen[bytes]) -> bool:
        """Wait until so many trials are finished; False if the study ended before."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline and process.poll() is None:
            if self.done(name) >= trials:
                return True
            time.sleep(0.05)
        return False

    def result(self, name: str, process: subprocess.Popen[bytes], began: float, disturbed: str = "") -> Row:
        """Wait for the end; return what came of it.

        Raises
        ------
        RuntimeError
            If the verb failed, or a trial is missing or there twice.
        """
        code = process.wait(_PATIENCE_S)
        folder = self._folder / name
        if code != 0:
            raise RuntimeError(
                f"{name}: expected exit 0, found {code}: {(folder / 'log').read_text()[-2000:]}"
            )
        found: dict[str, Any] = json.loads((folder / "out.json").read_text(encoding="utf-8"))["result"]
        numbers = [t["number"] for t in found["trials"]]
        with sqlite3.connect(folder / "studies" / "s" / "study.sqlite") as db:
            stored = [n for (n,) in db.execute("SELECT number FROM trials ORDER BY number")]
        if numbers != list(range(len(numbers))) or stored != numbers:
            raise RuntimeError(
                f"{name}: expected each trial once, found {numbers} and in the storage {stored}"
            )
        best = json.dumps(found["best"], sort_keys=True)
        return Row(name, found["study_hash"], best, len(numbers), time.monotonic() - began, disturbed)


def workers_of(root: psutil.Process) -> list[psutil.Process]:
    """Return the processes below `root` that compute trials."""
    out = []
    for process in root.children(recursive=True):
        try:
            if process.cmdline()[:1] and process.cmdline()[0].startswith("ray::Worker"):
                out.append(process)
        except psutil.Error:
            continue
    return out


@contextmanager
def killing(root: psutil.Process, kills: int, ready: Callable[[], bool], seed: int) -> Iterator[list[int]]:
    """Kill random workers below `root` for a while; yields the process ids of those that were killed."""
    killed: list[int] = []
    stop, draw = threading.Event(), random.Random(seed)

    def work() -> None:
        while not stop.wait(0.2) and len(killed) < kills:
            if ready() and (alive := workers_of(root)):
                victim = draw.choice(sorted(alive, key=lambda p: p.pid))
                try:
                    victim.kill()
                except psutil.NoSuchProcess:
                    continue
                killed.append(victim.pid)
                stop.wait(2.0 + draw.random())

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield killed
    finally:
        stop.set()
        thread.join()


@contextmanager
def three_nodes() -> Iterator[Any]:
    """A head and two more nodes of one processor each, on this machine."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "object_store_memory": 150 * _MIB, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, object_store_memory=150 * _MIB)
        yield cluster
    finally:
        cluster.shutdown()


def kill_node(node: Any) -> int:
    """SIGKILL a node's raylet and all its workers; return how many processes that were."""
    raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
    family = [raylet, *raylet.children(recursive=True)]
    for process in family:
        process.kill()
    return len(family)


def run(
    words: list[str], folder: Path, *, kills: int = 3, seed: int = 5, only: tuple[str, ...] = ()
) -> Iterator[Row]:
    """Run the study in every way; yields what came of each.

    Parameters
    ----------
    words : list of str
        Flags that choose the study.
    folder : Path
    kills : int
        Workers to be killed.
    seed : int
        Of whom and when.
    only : tuple of str
        Names of the ways; all of them by default.
    """
    studies = Studies(words, folder)

    def wanted(name: str) -> bool:
        return not only or name in only

    for name, workers in (("one-worker", "1"), ("two-workers", "2")):
        if wanted(name):
            began = time.monotonic()
            yield studies.result(name, studies.start(name, "-j", workers), began)
    if wanted("workers-killed"):
        began = time.monotonic()
        process = studies.start("workers-killed", "-j", "2")
        with killing(
            psutil.Process(process.pid), kills, lambda: studies.done("workers-killed") > 2, seed
        ) as killed:
            process.wait(_PATIENCE_S)
        yield studies.result("workers-killed", process, began, f"SIGKILL of {len(killed)} workers")
    if wanted("driver-killed"):
        began = time.monotonic()
        process = studies.start("driver-killed", "-j", "2")
        reached = studies.wait_for("driver-killed", 15, process)
        done = studies.done("driver-killed")
        process.send_signal(signal.SIGKILL)
        process.wait(_PATIENCE_S)
        again = studies.start("driver-killed", "--resume", "-j", "2")
        told = (
            f"SIGKILL of the driver after {done} trials, --resume"
            if reached
            else "the driver ended before its kill"
        )
        yield studies.result("driver-killed", again, began, told)
    if not (wanted("three-nodes") or wanted("node-killed")):
        return
    with three_nodes() as cluster:
        if wanted("three-nodes"):
            began = time.monotonic()
            process = studies.start("three-nodes", "--address", cluster.address)
            yield studies.result("three-nodes", process, began, "a head and two nodes of one processor")
        if wanted("node-killed"):
            began = time.monotonic()
            process = studies.start("node-killed", "--address", cluster.address)
            reached = studies.wait_for("node-killed", 15, process)
            count = kill_node(list(cluster.worker_nodes)[-1])
            told = (
                f"SIGKILL of a node's {count} processes"
                if reached
                else "the study ended before the node was killed"
            )
            yield studies.result("node-killed", process, began, told)


def main(argv: list[str] | None = None) -> int:
    """Print a row for each way; exit 1 if they differ."""
    parser = argparse.ArgumentParser(prog="python -m cluster.bench.studies", description=__doc__)
    parser.add_argument("--kills", type=int, default=3, help="workers to be killed; default 3")
    parser.add_argument("--only", nargs="*", default=[], help="names of the ways to run; default all")
    args, words = parser.parse_known_args(argv)
    with tempfile.TemporaryDirectory(prefix="tw-") as folder:
        prepare_environment(Path(folder))
        os.environ.setdefault("RAY_TMPDIR", folder)  # its note of the current cluster is nobody else's
        rows = []
        for row in run(words, Path(folder), kills=args.kills, only=tuple(args.only)):
            rows.append(row)
            sys.stdout.write(f"{row}\n")
            sys.stdout.flush()
    same = len({(r.hash, r.best, r.trials) for r in rows}) == 1
    sys.stdout.write(f"{'equal' if same else 'DIFFERENT'}: {rows[0].hash}\nbest: {rows[0].best}\n")
    return 0 if same else 1


if __name__ == "__main__":
    raise SystemExit(main())
