"""Learning that takes effect at a stated step: ask at step k, use at k + lag, wherever the fit runs.

A component never fits inside `process` of a bar that others wait for by accident: it hands a pure function
and its arrays to the host's `FitRunner` and collects the result exactly `lag_steps` later. The inline runner
computes at once; the Ray host runs a task on any worker. Both give the same numbers at the same step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from actors.domain.state import Stateful


class FitRunner(Protocol):
    """Where fits run."""

    def submit(self, key: str, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Start ``fn(*args)`` under `key`; a known key is not started again."""

    def result(self, key: str) -> Any:
        """Return the result of `key`, waiting for it; raises what the fit raised. The key is forgotten."""


class InlineFits:
    """Runs each fit when it is asked for, in this process."""

    def __init__(self) -> None:
        self._done: dict[str, Any] = {}

    def submit(self, key: str, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Compute now."""
        if key not in self._done:
            self._done[key] = fn(*args)

    def result(self, key: str) -> Any:
        """Return and forget."""
        return self._done.pop(key)


class Refit(Stateful):
    """One pending fit with its due step; survives snapshots because it keeps its arguments.

    Parameters
    ----------
    fits : FitRunner
    name : str
        Unique in the fleet, e.g. ``regime-hmm/BTC/USDT``.
    fn : callable
        Module-level pure function (it travels to other processes).
    lag_steps : int
        At least 1.
    """

    STATE: ClassVar[tuple[str, ...]] = ("_due", "_asked", "_args")

    def __init__(self, fits: FitRunner, name: str, fn: Callable[..., Any], lag_steps: int) -> None:
        self._fits, self._name, self._fn, self._lag = fits, name, fn, max(1, lag_steps)
        self._due: int | None = None
        self._asked: int = -1
        self._args: tuple[Any, ...] = ()

    @property
    def pending(self) -> bool:
        """True between `ask` and the due step."""
        return self._due is not None

    @property
    def asked_step(self) -> int:
        """Step of the last `ask`."""
        return self._asked

    def ask(self, step: int, args: tuple[Any, ...]) -> None:
        """Start a fit on `args` (copies of past data); it is due at ``step + lag_steps``."""
        self._due, self._asked, self._args = step + self._lag, step, args
        self._fits.submit(self._key(), self._fn, args)

    def take(self, step: int) -> Any | None:
        """Return the result if `step` has reached the due step, else None."""
        if self._due is None or step < self._due:
            return None
        out = self._fits.result(self._key())
        self._due, self._args = None, ()
        return out

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore; a pending fit is asked again under the same key."""
        super().load_state(tree)
        if self._due is not None:
            self._fits.submit(self._key(), self._fn, self._args)

    def _key(self) -> str:
        return f"{self._name}@{self._asked}"
