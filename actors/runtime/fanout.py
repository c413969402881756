"""Work that fans out: Ray tasks with bounded flight, results in order; and the fits of agents as tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import ray

T = TypeVar("T")
R = TypeVar("R")


def _call(fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    return fn(*args)


def _batch(fn: Callable[[Any, Any], Any], shared: Any, items: Sequence[Any]) -> list[Any]:
    return [fn(shared, x) for x in items]


class RayFits:
    """Runs an agent's fits as Ray tasks, so that no agent imports a training library.

    A task that dies with its worker is run again (a fit is a pure function); an agent that dies asks again
    under the same key when it is restored.
    """

    def __init__(self) -> None:
        self._refs: dict[str, Any] = {}
        self._task = ray.remote(num_cpus=1, max_retries=3)(_call)

    def submit(self, key: str, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Start a task unless the key is known."""
        if key not in self._refs:
            self._refs[key] = self._task.options(name=f"fit:{key}").remote(fn, args)

    def result(self, key: str) -> Any:
        """Wait for the task."""
        return ray.get(self._refs.pop(key))


def map_tasks(
    fn: Callable[[Any, T], R],
    shared: Any,
    items: Iterable[T],
    *,
    batch: int = 16,
    in_flight: int = 8,
    progress: Callable[[int], None] | None = None,
) -> list[R]:
    """Return ``[fn(shared, x) for x in items]`` computed by Ray tasks, in the order of the items.

    `shared` is put once. At most `in_flight` batches are out at a time. Choose `batch` so that one lasts at
    least 50 ms: a task costs about 1.5 ms.
    """
    todo = list(items)
    reference = ray.put(shared)
    task = ray.remote(num_cpus=1, max_retries=3, scheduling_strategy="SPREAD")(_batch)
    chunks = [todo[i : i + batch] for i in range(0, len(todo), batch)]
    out: list[list[R]] = [[] for _ in chunks]
    pending: dict[Any, int] = {}

    def collect() -> None:
        done, _ = ray.wait(list(pending), num_returns=1)
        number = pending.pop(done[0])
        out[number] = ray.get(done[0])
        if progress is not None:
            progress(len(out[number]))

    for number, chunk in enumerate(chunks):
        if len(pending) >= in_flight:
            collect()
        pending[task.remote(fn, reference, chunk)] = number
    while pending:
        collect()
    return [y for part in out for y in part]


def map_serial(fn: Callable[[Any, T], R], shared: Any, items: Iterable[T]) -> list[R]:
    """The serial twin of `map_tasks`.

    Examples
    --------
    >>> map_serial(lambda s, x: s + x, 10, [1, 2])
    [11, 12]
    """
    return [fn(shared, x) for x in items]
