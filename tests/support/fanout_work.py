"""Work for fan-outs: items that count, leak, and kill the process they run in."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from actors.runtime.fanout_worker import private_mib

_leaks: list[np.ndarray[Any, Any]] = []


def draw(shared: dict[str, Any], item: int, rng: np.random.Generator) -> tuple[int, float]:
    """A result that tells its item, what is shared, and its own random number."""
    return item, float(shared["offset"]) + rng.random()


def fail_on_odd(_shared: Any, item: int, _rng: Any) -> int:
    """Raise for odd items."""
    if item % 2:
        raise ValueError(f"odd: {item}")
    return item


def die_once(shared: dict[str, Any], item: int, rng: np.random.Generator) -> tuple[int, float]:
    """Kill the own process the first time that certain items are computed."""
    if item in shared["deadly"]:
        try:
            (Path(shared["folder"]) / str(item)).touch(exist_ok=False)
        except FileExistsError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    return draw(shared, item, rng)


def die_always(shared: dict[str, Any], item: int, rng: np.random.Generator) -> tuple[int, float]:
    """Kill the own process whenever certain items are computed."""
    if item in shared["deadly"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(shared, item, rng)


def leak(shared: dict[str, Any], item: int, rng: np.random.Generator) -> tuple[int, float, int]:
    """Keep megabytes that nobody frees, few items at a time; the third value is the process."""
    _leaks.append(np.ones(shared["leak_mib"] << 17))
    return (*slow_draw(shared, item, rng), os.getpid())


def read_all(shared: dict[str, Any], _item: int, _rng: Any) -> tuple[float, bool, float]:
    """Read the whole of a big column; its sum, whether it can be written, and the own memory afterwards."""
    column = shared["column"]
    return float(column.sum()), bool(column.flags.writeable), private_mib()


def slow_draw(shared: dict[str, Any], item: int, rng: np.random.Generator) -> tuple[int, float]:
    """A result that takes long enough for a batch to be one or two items."""
    deadline = time.perf_counter() + 0.06
    while time.perf_counter() < deadline:
        pass
    return draw(shared, item, rng)
