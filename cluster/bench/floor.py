"""C referees: each source compiled by the system's ``cc`` in several ways, so that the fastest can be compared with.

What gives a loop its speed differs from machine to machine: plain ``-O3`` may beat ``-march=native``, and free
reordering of sums, which our kernels do not allow themselves, may help or not. A ratio against the slowest would
flatter; the benches run all and judge by the fastest.
"""

from __future__ import annotations

import ctypes
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

FLAGS = (
    ("-O3",),
    ("-O3", "-march=native"),
    ("-O3", "-march=native", "-ffast-math", "-fno-finite-math-only"),
)
Job = Callable[[], object]


class Floor(NamedTuple):
    """One referee as compiled; `flags` names how."""

    flags: str
    library: ctypes.CDLL


def compiled(source: Path, folder: Path) -> tuple[list[Floor], str]:
    """Return a source compiled in each way that this machine's compiler knows, and why there is none.

    Parameters
    ----------
    source : Path
        A C file of ours.
    folder : Path
        Where the libraries go; it must outlive them.
    """
    cc = shutil.which("cc")
    if cc is None:
        return [], "no C compiler on this machine"
    found, said = [], ""
    for number, flags in enumerate(FLAGS):
        unit, target = folder / f"{source.stem}-{number}.o", folder / f"{source.stem}-{number}.so"
        # linked apart and without the flags: a library linked with -ffast-math carries start-up code that makes
        # subnormal numbers zero in the whole process, Python's and the kernels' too
        steps = (
            [cc, *flags, "-fPIC", "-c", "-o", str(unit), str(source)],
            [cc, "-shared", "-o", str(target), str(unit), "-lm"],
        )
        for command in steps:
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own source
            if done.returncode:
                said = said or f"cc failed: {done.stderr.strip()[:200]}"
                break
        else:
            found.append(Floor("cc " + " ".join(flags), ctypes.CDLL(str(target))))
    return found, "" if found else said


def rounds(jobs: Mapping[str, Job], reps: int) -> dict[str, list[int]]:
    """Return each job's process CPU time in ns, once per round; in a round all take turns.

    Results are dropped outside of the measured time.
    """
    took: dict[str, list[int]] = {name: [] for name in jobs}
    for _ in range(reps):
        for name, job in jobs.items():
            start = time.process_time_ns()
            result = job()
            took[name].append(max(time.process_time_ns() - start, 1))
            del result
    return took


def medians(jobs: Mapping[str, Job], reps: int) -> dict[str, float]:
    """Return the median of `rounds` of each job, ns."""
    return {name: float(statistics.median(t)) for name, t in rounds(jobs, reps).items()}


def ratio(took: Mapping[str, list[int]], over: str, under: str) -> float:
    """Return the median over the rounds of one job's time over another's in the same round.

    Examples
    --------
    >>> ratio({"a": [2, 4, 100], "b": [1, 2, 20]}, "a", "b")
    2.0
    """
    return float(statistics.median(a / b for a, b in zip(took[over], took[under], strict=True)))


def fastest(took: Mapping[str, list[int]], floors: list[Floor], prefix: str = "C: ") -> Floor | None:
    """Return the referee with the least median time; its job is named ``prefix + flags``."""
    return min(floors, key=lambda f: statistics.median(took[prefix + f.flags]), default=None)
