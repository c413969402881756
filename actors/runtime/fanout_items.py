"""Items of work that fan out: what is asked of them, what came of them, how many go together. Knows no Ray.

The law: an item's result is a function of what is shared, of the item and of its number. Which worker computed it,
beside which others, after how many tries and in what order decides when it is there, never what it is.
"""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from actors.domain.errors import AgentError
from actors.domain.processor import derive_seed

T = TypeVar("T")
R = TypeVar("R")
Work = Callable[[Any, T, np.random.Generator], R]
"""``fn(shared, item, rng)``: pure. `rng` is the item's own, drawn from seed and number; `shared` is read-only."""

LEAST_S, AIM_S = 0.05, 0.1
"""Seconds that a batch lasts at least, and those aimed at: a task costs about 1.5 ms."""
_GROWTH = 16


class FanOutError(AgentError):
    """Work that was fanned out cannot be finished."""


class FanOutCanceled(FanOutError):  # noqa: N818 - the standard term, and no defect
    """Somebody asked to stop; workers are free again."""


@dataclass(frozen=True)
class Failure:
    """Why an item has no result.

    Attributes
    ----------
    kind : str
        Name of the exception's class, or ``WorkerLost`` where its worker died every time.
    message : str
    where : str
        Last lines of the traceback, for people.
    """

    kind: str
    message: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


@dataclass(frozen=True)
class Outcome(Generic[R]):
    """What came of one item.

    Attributes
    ----------
    number : int
        Place of the item, from 0.
    value : R or None
        None where it failed.
    failure : Failure or None
    """

    number: int
    value: R | None
    failure: Failure | None = None

    def result(self) -> R:
        """Return the value.

        Raises
        ------
        FanOutError
            If the item failed.
        """
        if self.failure is not None:
            raise FanOutError(
                "FANOUT_ITEM", f"item {self.number}: {self.failure}", number=self.number, where=self.failure.where
            )  # fmt: skip
        return self.value  # type: ignore[return-value]


@dataclass(frozen=True)
class Progress:
    """How far a fan-out has come.

    Attributes
    ----------
    done, failed : int
        Items finished, and those of them that failed.
    total : int or None
        None where the number of items is not known.
    running : int
        Items handed to a worker.
    retried, recycled : int
        Items asked for again after the loss of their worker; workers replaced for their memory.
    """

    done: int
    failed: int
    total: int | None
    running: int
    retried: int
    recycled: int


class FanOut(Protocol):
    """A way to do many items: over Ray (`RayFanOut`) or in this process (`SerialFanOut`), with the same results."""

    def ordered(
        self, fn: Work[T, R], items: Iterable[T], *, look_ahead: int | None = None
    ) -> Iterator[Outcome[R]]:
        """Yield outcomes in the order of the items; a failed item is an outcome like others.

        With a `look_ahead` of L, item n is drawn from `items` after exactly the outcomes 0 … n − L have been taken
        by the caller: what an iterator learns from earlier outcomes then does not depend on workers.
        """

    def map(self, fn: Work[T, R], items: Iterable[T]) -> list[R]:
        """Return the results in the order of the items.

        Raises
        ------
        FanOutError
            For the first item, in their order, that failed.
        """

    def close(self) -> None:
        """Free the workers."""


def collect(outcomes: Iterable[Outcome[R]]) -> list[R]:
    """Return the results of outcomes; the first failure is raised.

    Examples
    --------
    >>> collect([Outcome(0, 1.0), Outcome(1, 2.0)])
    [1.0, 2.0]
    """
    return [o.result() for o in outcomes]


def count_of(items: Iterable[object]) -> int | None:
    """Return how many items there are, None where only drawing them would tell.

    Examples
    --------
    >>> count_of([1, 2]), count_of(iter([1, 2]))
    (2, None)
    """
    return len(items) if isinstance(items, Sized) else None


def item_rng(seed: int, number: int) -> np.random.Generator:
    """Return the generator of an item: by its number, whoever computes it and when.

    Examples
    --------
    >>> item_rng(7, 3).random() == item_rng(7, 3).random() != item_rng(7, 4).random()
    True
    """
    return np.random.default_rng(derive_seed(seed, "item", number))


def do_item(fn: Work[T, R], shared: Any, item: T, seed: int, number: int) -> Outcome[R]:
    """Compute one item; what it raises becomes part of the outcome, an interrupt goes on its way.

    Examples
    --------
    >>> do_item(lambda s, x, rng: s / x, 1.0, 0, 7, 5).failure.kind
    'ZeroDivisionError'
    """
    try:
        return Outcome(number, fn(shared, item, item_rng(seed, number)))
    except Exception as e:  # noqa: BLE001 - whatever the item's code raises is its outcome
        where = "".join(traceback.format_tb(e.__traceback__)[-3:])
        return Outcome(number, None, Failure(type(e).__name__, str(e), where))


class Sizer:
    """How many items go into a batch, by the time that items took.

    Examples
    --------
    >>> s = Sizer()
    >>> s.size(waiting=1000, workers=2)
    1
    >>> s.observe(items=1, seconds=0.02)
    >>> s.size(waiting=1000, workers=2), s.size(waiting=4, workers=2)
    (5, 3)
    """

    def __init__(self) -> None:
        self._per_item: float | None = None
        self._largest = 1

    def observe(self, items: int, seconds: float) -> None:
        """Hear how long a batch took."""
        each = seconds / items
        self._per_item = each if self._per_item is None else 0.7 * self._per_item + 0.3 * each
        self._largest = max(self._largest, items)

    def size(self, waiting: int, workers: int) -> int:
        """Return the size of the next batch of `waiting` items.

        A batch aims at `AIM_S`; near the end it shrinks so that all workers have something, but not below
        `LEAST_S`. What has been seen of the times is little at first: sizes grow by steps.
        """
        if self._per_item is None:
            return 1
        each = max(self._per_item, 1e-9)
        aim, least = math.ceil(AIM_S / each), math.ceil(LEAST_S / each)
        fair = math.ceil(waiting / max(workers, 1))
        return max(1, min(aim, max(fair, least), _GROWTH * self._largest, waiting))


def timed_batch(
    fn: Work[T, R], shared: Any, seed: int, batch: Sequence[tuple[int, T]]
) -> tuple[list[Outcome[R]], float]:
    """Compute a batch; the outcomes and the seconds they took."""
    began = time.perf_counter()
    outcomes = [do_item(fn, shared, item, seed, number) for number, item in batch]
    return outcomes, time.perf_counter() - began
