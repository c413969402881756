"""Fits of agents as Ray tasks, so that no agent's process imports a training library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ray


def _call(fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    return fn(*args)


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
