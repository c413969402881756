"""What processes cost: CPU seconds of a process tree, proportional memory, and the price of an empty call here."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

EMPTY_CALL_NS = 50.0
"""An empty Python method call in a loop on the quiet cores of the reference machine."""


class _Empty:
    __slots__ = ()

    def call(self, x: float) -> None:
        pass


def empty_call_ns(calls: int = 400_000) -> float:
    """Return the CPU time of one empty method call in a loop: the speed of this core at this moment."""
    call = _Empty().call
    started = time.process_time()
    for _ in range(calls):
        call(1.0)
    return (time.process_time() - started) / calls * 1e9


def timer_us(calls: int = 20_000) -> float:
    """Return the CPU time of one `time.process_time` call in µs: what a profiled agent pays twice."""
    clock = time.process_time
    started = clock()
    for _ in range(calls):
        clock()
    return (clock() - started) / calls * 1e6


def tree_cpu_s() -> float:
    """Return the CPU seconds of all living descendants of this process."""
    total = 0.0
    for child in psutil.Process().children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.Error:  # ended between the listing and the question
            continue
        total += times.user + times.system
    return total


def pss_mib(pid: int) -> float | None:
    """Return a process's proportional set size in MiB; None where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    return parse_pss_mib(text)


def parse_pss_mib(text: str) -> float | None:
    """Return the ``Pss:`` line of an smaps_rollup text in MiB.

    Examples
    --------
    >>> parse_pss_mib("Rss:  4096 kB\\nPss:  2048 kB\\nPss_Anon: 1 kB\\n")
    2.0
    """
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return None


def percentile(values: list[float], share: float) -> float:
    """Return the nearest-rank percentile; nan of nothing.

    Examples
    --------
    >>> percentile([3.0, 1.0, 2.0], 0.5), percentile(list(map(float, range(1, 101))), 0.99)
    (2.0, 99.0)
    """
    if not values:
        return float("nan")
    ordered = sorted(values)
    rank = -(-len(ordered) * round(share * 1000) // 1000)
    return ordered[max(1, rank) - 1]
