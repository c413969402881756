"""Fan-out without any: one item after the other in this process, with the results of the fan-out over Ray."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from actors.runtime.fanout_items import (
    FanOutCanceled,
    Outcome,
    Progress,
    Work,
    collect,
    count_of,
    do_item,
)

T = TypeVar("T")
R = TypeVar("R")


class SerialFanOut:
    """The serial twin of `actors.runtime.fanout.RayFanOut`.

    Parameters
    ----------
    shared : object
        Handed to every item.
    seed : int
        Of the items' generators.
    progress : callable, optional
        Hears a `Progress` after every item.
    cancel : callable, optional
        Asked before every item; True ends the work with `FanOutCanceled`.

    Examples
    --------
    >>> SerialFanOut(10).map(lambda shared, x, rng: shared + x, [1, 2])
    [11, 12]
    """

    def __init__(
        self,
        shared: Any = None,
        *,
        seed: int = 7,
        progress: Callable[[Progress], None] | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> None:
        self._shared, self._seed = shared, seed
        self._progress, self._cancel = progress, cancel

    def __enter__(self) -> SerialFanOut:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ordered(
        self, fn: Work[T, R], items: Iterable[T], *, look_ahead: int | None = None
    ) -> Iterator[Outcome[R]]:
        """Yield outcomes in the order of the items; see `FanOut.ordered`."""
        total = count_of(items)
        source = iter(items)
        drawn = deque(islice(source, look_ahead or 1))
        number = failed = 0
        while drawn:
            if self._cancel is not None and self._cancel():
                raise FanOutCanceled("FANOUT_CANCELED", f"canceled after {number} items", done=number)
            outcome = do_item(fn, self._shared, drawn.popleft(), self._seed, number)
            number += 1
            failed += outcome.failure is not None
            if self._progress is not None:
                self._progress(Progress(number, failed, total, 0, 0, 0))
            yield outcome
            drawn.extend(islice(source, 1))

    def map(self, fn: Work[T, R], items: Iterable[T]) -> list[R]:
        """Return the results in the order of the items; see `FanOut.map`."""
        return collect(self.ordered(fn, items))

    def close(self) -> None:
        """Nothing is held."""
