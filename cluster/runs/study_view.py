"""What a person sees while a study goes on: how far it is and the best so far, on stderr."""

from __future__ import annotations

import sys
import time
from collections import Counter
from types import TracebackType

from actors.domain.search.objectives.base import Direction
from actors.domain.search.study.ranking import losses
from actors.domain.search.study.trial import Trial

_EVERY_S = 5.0


class StudyView:
    """A line that is redrawn on a terminal, one now and then elsewhere.

    Parameters
    ----------
    total : int
        Trials at most.
    directions : sequence of str
    shown : bool
    terminal : bool
    """

    def __init__(
        self, total: int, directions: tuple[Direction, ...], *, shown: bool, terminal: bool, done: int = 0
    ) -> None:
        self._total, self._directions, self._shown, self._terminal = total, directions, shown, terminal
        self._done, self._states = done, Counter[str]()
        self._best: Trial | None = None
        self._began, self._next = time.monotonic(), 0.0

    def __enter__(self) -> StudyView:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._shown and self._done:
            sys.stderr.write(("\r\x1b[2K" if self._terminal else "") + self._line() + "\n")

    def hear(self, trial: Trial) -> None:
        """Take a finished trial."""
        self._done = trial.number + 1
        self._states[trial.result.state] += 1
        if trial.result.feasible and (
            self._best is None
            or losses(trial.result.values, self._directions)
            < losses(self._best.result.values, self._directions)
        ):
            self._best = trial
        now = time.monotonic()
        if self._shown and now >= self._next:
            self._next = now + (0.1 if self._terminal else _EVERY_S)
            line = self._line()
            sys.stderr.write(f"\r\x1b[2K{line[:150]}" if self._terminal else f"hyperopt: {line}\n")
            sys.stderr.flush()

    def _line(self) -> str:
        width = 24
        filled = width * self._done // max(self._total, 1)
        bar = f"[{'#' * filled}{'.' * (width - filled)}] " if self._terminal else ""
        each = (time.monotonic() - self._began) / max(sum(self._states.values()), 1)
        left = f", {each * (self._total - self._done):.0f} s left" if self._states else ""
        failed = f", {self._states['fail']} failed" if self._states["fail"] else ""
        pruned = f", {self._states['pruned']} pruned" if self._states["pruned"] else ""
        best = "none yet"
        if self._best is not None:
            values = ", ".join(f"{v:.4g}" for v in self._best.result.values)
            params = ", ".join(
                f"{k.rpartition('.')[2]}={v:.4g}" if isinstance(v, float) else f"{k.rpartition('.')[2]}={v}"
                for k, v in self._best.params.items()
            )
            best = f"{values} (trial {self._best.number}: {params})"
        return f"{bar}{self._done}/{self._total} trials{failed}{pruned}{left}; best {best}"
