"""Ray's serializer without what no agent sends: 17 MiB of each process, and the time to import them.

The first object that a worker sends or receives makes Ray import pyarrow, pydantic and starlette, only to register
reducers for their classes (`ray/util/serialization_addons.py`). Agents exchange bytes, numbers and small
dictionaries. So a worker that loads `actors.runtime` makes its serializer at that moment, while the three seem not
to be installed, a case that Ray provides for. Whoever imports them later gets them as ever. The code that loads an
actor's class runs before its arguments are read, so this comes first; should Ray change that order, or the names
used here, the memory is as it was and nothing else.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import Any

GUESTS = ("pyarrow", "pydantic", "starlette")


@contextlib.contextmanager
def not_installed(names: Iterable[str]) -> Iterator[None]:
    """Let imports of these packages fail for the length of a block.

    Examples
    --------
    >>> with not_installed(["colorsys"]):
    ...     import colorsys
    Traceback (most recent call last):
    ...
    ModuleNotFoundError: import of colorsys halted; None in sys.modules
    >>> import colorsys
    """
    modules: dict[str, Any] = sys.modules  # a None in it means: do not look
    before = {name: modules[name] for name in names if name in modules}
    modules.update(dict.fromkeys(names))
    try:
        yield
    finally:
        for name in names:
            del modules[name]
        modules.update(before)


def lean_serializer() -> bool:
    """Make this worker's serializer now; return whether there was one to make (a driver keeps its own)."""
    ray: Any = sys.modules.get("ray._private.worker")  # a worker has imported it, nobody else needs to
    if ray is None or getattr(ray.global_worker, "mode", None) != getattr(ray, "WORKER_MODE", -1):
        return False
    if getattr(ray.global_worker, "serialization_context_map", True):
        return False
    with not_installed(GUESTS):
        ray.global_worker.get_serialization_context()
    return True
