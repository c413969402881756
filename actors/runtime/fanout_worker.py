"""One worker of a fan-out: a process that holds what is shared and does batches. Knows no Ray."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actors.domain import kernels
from actors.runtime.fanout_items import Outcome, Work, timed_batch
from actors.runtime.node_card import NodeCard, here, my_card

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class WorkerCard:
    """Who a worker is.

    Attributes
    ----------
    pid : int
    host : str
    node : NodeCard
        What it computes with.
    data : str
        Hash of the bars it was handed; empty where what is shared names none.
    private_mib : float
        Memory that is its own.
    """

    pid: int
    host: str
    node: NodeCard
    data: str
    private_mib: float


@dataclass(frozen=True)
class BatchReport:
    """What came of a batch: outcomes in its order, seconds, and the worker's own memory after it."""

    outcomes: list[Outcome[Any]]
    seconds: float
    private_mib: float


class Worker:
    """Does batches; `shared` is mapped from the object store and read in place.

    Parameters
    ----------
    shared : object
    seed : int
        Of the items' generators.
    backend : {"native", "python"}
        The driver's kernels: a worker must not quietly compute on others.
    """

    def __init__(self, shared: Any, seed: int, backend: str) -> None:
        self._shared, self._seed = shared, seed
        if backend == "python":  # native ones are never asked for by force: the card tells the difference
            kernels.select_backend("python")

    def card(self) -> WorkerCard:
        """Tell who this is, once it can work."""
        return WorkerCard(os.getpid(), here(), my_card(), data_of(self._shared), private_mib())

    def run(self, fn: Work[Any, Any], batch: Sequence[tuple[int, Any]]) -> BatchReport:
        """Compute a batch."""
        outcomes, seconds = timed_batch(fn, self._shared, self._seed, batch)
        return BatchReport(outcomes, seconds, private_mib())


def data_of(shared: Any) -> str:
    """Return the hash of the bars in what is shared, reckoned here from what arrived: by its method `data_hash`.

    Examples
    --------
    >>> data_of({"no": "bars"})
    ''
    """
    reckon = getattr(shared, "data_hash", None)
    return str(reckon()) if callable(reckon) else ""


def private_mib() -> float:
    """Return the memory in MiB that this process has to itself: neither the mapped object store nor program files.

    Examples
    --------
    >>> 5.0 < private_mib() < 100_000.0
    True
    """
    try:
        # what the kernel's long listing tells takes milliseconds; these two numbers take microseconds
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except OSError:  # no Linux
        import psutil

        return float(psutil.Process().memory_info().rss) / (1 << 20)
    return (int(pages[1]) - int(pages[2])) * _PAGE / (1 << 20)
