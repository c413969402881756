"""Fan-out over Ray: a few workers, bounded work in flight, results in order, whatever happens to the workers.

What all items share is put into the object store once; each worker maps it and reads it in place. Items go to
workers in batches that are sized by the time that items took. A worker is an actor, so that it can be watched and
replaced: when it dies its batches are asked for again, one item at a time in case one of them kills workers; when
its memory grows beyond the budget it is replaced between two batches. An item is counted once, by whoever delivers
it first. What is computed does not depend on any of this (see `actors.runtime.fanout_items`).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from actors.domain import kernels
from actors.domain.errors import ConfigError, KernelError
from actors.runtime.fanout_items import (
    Failure,
    FanOutCanceled,
    FanOutError,
    Outcome,
    Progress,
    Sizer,
    Work,
    collect,
    count_of,
)
from actors.runtime.fanout_worker import BatchReport, Worker, WorkerCard, data_of
from actors.runtime.node_card import differences, my_card
from actors.runtime.nodes import REMEDY, refuse_other_nodes

T = TypeVar("T")
R = TypeVar("R")

_POLL_S = 0.1
_PATIENCE_S = 600.0
"""Time without a single worker after which we stop hoping: a loaded machine needs a minute."""
_MANY = 1 << 30
_DEEP = 2
"""Batches a worker has at a time: the one it does, and the one it begins without waiting for us."""


@dataclass
class _Batch:
    """Items on their way; a suspect was with a worker when it died, and goes alone to the next one."""

    items: list[tuple[int, Any]]
    suspect: bool = False
    losses: int = 0


@dataclass(eq=False)
class _Hand:
    """One worker as the driver sees it."""

    actor: Any
    card_ref: Any
    card: WorkerCard | None = None
    batches: dict[Any, _Batch] = field(default_factory=dict)
    retiring: bool = False


class RayFanOut:
    """Does items on Ray's workers; the serial twin is `SerialFanOut`.

    Parameters
    ----------
    shared : object
        Handed to every item; NumPy arrays in it are read in place, and read-only.
    workers : int, optional
        Processes; by default one per CPU of the cluster.
    seed : int
        Of the items' generators.
    memory_budget_mib : float, optional
        A worker that holds more for itself after a batch is replaced; what is shared does not count.
    max_losses : int
        How many deaths of its worker an item survives while nothing else is with that worker; at the next one it
        is given up with `Failure` ``WorkerLost``.
    progress : callable, optional
        Hears a `Progress` after every batch.
    cancel : callable, optional
        Asked ten times a second and between batches; True frees the workers and raises `FanOutCanceled`.

    Attributes
    ----------
    retried, recycled : int
        Items asked for again, workers replaced for their memory.

    Raises
    ------
    ConfigError
        If a number is out of range or Ray is not running.
    KernelError
        If a node has other code, kernels or versions than this process, see `refuse_other_nodes`; from the work, if
        a worker turns out to.

    Notes
    -----
    Use it as a context manager. Workers start on first use and stay until `close`.
    """

    def __init__(
        self,
        shared: Any = None,
        *,
        workers: int | None = None,
        seed: int = 7,
        memory_budget_mib: float | None = None,
        max_losses: int = 3,
        progress: Callable[[Progress], None] | None = None,
        cancel: Callable[[], bool] | None = None,
    ) -> None:
        if not ray.is_initialized():
            raise ConfigError(
                "FANOUT_RAY", "fan-out: expected a Ray session, found none: open ray_session first"
            )
        wanted = int(ray.cluster_resources().get("CPU", 1)) if workers is None else workers
        if wanted < 1 or max_losses < 0:
            raise ConfigError(
                "FANOUT_NUMBERS",
                f"fan-out: expected at least 1 worker and 0 losses, found {wanted}, {max_losses}",
            )
        refuse_other_nodes()
        self._data = data_of(shared)
        self._shared = ray.put(shared)
        self._wanted, self._seed, self._budget, self._max_losses = wanted, seed, memory_budget_mib, max_losses
        self._progress, self._cancel = progress, cancel
        self._make = ray.remote(num_cpus=1, max_restarts=0, scheduling_strategy="SPREAD")(Worker)
        self._hands: list[_Hand] = []
        self._sizer = Sizer()
        self._stillborn = 0
        self._idle_since = time.monotonic()
        self.retried = self.recycled = 0

    def __enter__(self) -> RayFanOut:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def map(self, fn: Work[T, R], items: Iterable[T]) -> list[R]:
        """Return the results in the order of the items; see `FanOut.map`."""
        return collect(self.ordered(fn, items))

    def ordered(
        self, fn: Work[T, R], items: Iterable[T], *, look_ahead: int | None = None
    ) -> Iterator[Outcome[R]]:
        """Yield outcomes in the order of the items; see `FanOut.ordered`.

        Without a `look_ahead` items are drawn as workers need them. When the caller stops early, what is in
        flight is dropped with its workers.
        """
        run = _Run(self, fn, items, look_ahead)
        try:
            yield from run.outcomes()
        finally:
            self._drop_busy()

    def pids(self) -> list[int]:
        """Return the process ids of the workers that are ready."""
        return [h.card.pid for h in self._hands if h.card is not None]

    def close(self) -> None:
        """End the workers."""
        for hand in self._hands:
            ray.kill(hand.actor)
        self._hands.clear()

    # -- workers, for `_Run` ----------------------------------------------------------------------------------

    def staff(self) -> None:
        """Start workers until there are as many as wanted."""
        backend = kernels.backend().name
        while len(self._hands) < self._wanted:
            actor = self._make.remote(self._shared, self._seed, backend)
            self._hands.append(_Hand(actor, actor.card.remote()))

    def lost(self, hand: _Hand, why: BaseException) -> None:
        """Forget a worker that died."""
        if hand.card is None:
            self._stillborn += 1
            if self._stillborn > 4 + 2 * self._wanted:
                raise FanOutError(
                    "FANOUT_WORKERS",
                    f"fan-out: expected workers to start, found {self._stillborn} that died before they could work, "
                    f"the last one by: {str(why).strip().splitlines()[-1]}",
                )
        self._dismiss(hand)

    def refuse_to_wait(self) -> None:
        """Give up where no worker ever starts."""
        if any(h.card is not None for h in self._hands):
            self._idle_since = time.monotonic()
        elif time.monotonic() - self._idle_since > _PATIENCE_S:
            raise FanOutError(
                "FANOUT_NO_WORKER",
                f"fan-out: expected a free CPU for a worker within {_PATIENCE_S:.0f} s, found none of "
                f"{ray.cluster_resources().get('CPU', 0):g}: end other work or add nodes",
            )

    def introduce(self, hand: _Hand) -> None:
        """Take a worker's card and refuse one that would compute otherwise."""
        card: WorkerCard = ray.get(hand.card_ref)
        found = differences(my_card(), card.node)
        if card.data != self._data:
            found.append(f"data: expected bars with hash {self._data}, found {card.data}")
        if found:
            raise KernelError(
                "FANOUT_NODE",
                f"worker {card.pid} on {card.host}: {'; '.join(found)}; {REMEDY}",
                host=card.host,
            )
        if self._budget is not None and card.private_mib >= self._budget:
            raise ConfigError(
                "FANOUT_BUDGET",
                f"memory budget: expected more than the {card.private_mib:.0f} MiB of an idle worker, "
                f"found {self._budget:g}",
            )
        hand.card = card
        self._stillborn = 0

    def weigh(self, hand: _Hand, report: BatchReport) -> None:
        """Hear what a batch took; retire the worker if it has grown too large."""
        self._sizer.observe(len(report.outcomes), report.seconds)
        hand.retiring |= self._budget is not None and report.private_mib > self._budget
        if hand.retiring and not hand.batches:
            self._dismiss(hand)
            self.recycled += 1

    def _dismiss(self, hand: _Hand) -> None:
        ray.kill(hand.actor)
        self._hands.remove(hand)

    def _drop_busy(self) -> None:
        for hand in [h for h in self._hands if h.batches]:
            self._dismiss(hand)


class _Run:
    """One pass over items."""

    def __init__(
        self, pool: RayFanOut, fn: Work[Any, Any], items: Iterable[Any], look_ahead: int | None
    ) -> None:
        self._pool, self._source, self._ahead = pool, iter(items), look_ahead
        self._fn = ray.put(fn)
        self._total = count_of(items)
        self._waiting: deque[tuple[int, Any]] = deque()
        self._again: deque[_Batch] = deque()
        self._done: dict[int, Outcome[Any]] = {}
        self._drawn = self._taken = self._failed = self._finished = 0
        self._dry = False

    def outcomes(self) -> Iterator[Outcome[Any]]:
        """Yield them in order."""
        if self._ahead is not None:
            self._draw(self._ahead)
        while True:
            self._stop_if_asked()
            self._hand_out()
            if self._taken in self._done:
                yield self._done.pop(self._taken)
                self._taken += 1
                if self._ahead is not None:
                    # at once, before the caller learns more than it may
                    self._draw(1)
            elif self._dry and self._taken == self._drawn:
                return
            else:
                self._wait()

    def _stop_if_asked(self) -> None:
        pool = self._pool
        if pool._cancel is not None and pool._cancel():
            pool.close()
            raise FanOutCanceled(
                "FANOUT_CANCELED", f"canceled after {self._finished} items", done=self._finished
            )

    # -- handing out ------------------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        self._pool.staff()
        ready = [h for h in self._pool._hands if h.card is not None and not h.retiring]
        for depth in range(_DEEP):
            for hand in ready:
                if len(hand.batches) == depth and not any(b.suspect for b in hand.batches.values()):
                    batch = self._next(len(ready), alone=depth == 0)
                    if batch is not None:
                        hand.batches[hand.actor.run.remote(self._fn, batch.items)] = batch

    def _next(self, workers: int, *, alone: bool) -> _Batch | None:
        if self._again:
            # a suspect waits for a worker that has nothing else: its next death is then its own doing
            return self._again.popleft() if alone else None
        sizer = self._pool._sizer
        if self._ahead is not None:
            size = sizer.size(len(self._waiting), workers)
        else:
            left = _MANY if self._total is None else self._total - self._drawn
            size = sizer.size(left, workers)
            self._draw(size - len(self._waiting))
        batch = [self._waiting.popleft() for _ in range(min(size, len(self._waiting)))]
        return _Batch(batch) if batch else None

    def _draw(self, count: int) -> None:
        for _ in range(count):
            if self._dry:
                return
            try:
                item = next(self._source)
            except StopIteration:
                self._dry = True
                return
            self._waiting.append((self._drawn, item))
            self._drawn += 1

    # -- taking back ------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        pool = self._pool
        pool.refuse_to_wait()
        owner = {ref: h for h in pool._hands for ref in h.batches}
        owner |= {h.card_ref: h for h in pool._hands if h.card is None}
        done, _ = ray.wait(list(owner), num_returns=1, timeout=_POLL_S)
        for ref in done:
            hand = owner[ref]
            if hand in pool._hands:
                self._take(hand, ref)

    def _take(self, hand: _Hand, ref: Any) -> None:
        pool = self._pool
        try:
            if hand.card is None:
                pool.introduce(hand)
                return
            report: BatchReport = ray.get(ref)
        except RayTaskError as e:
            raise FanOutError("FANOUT_TASK", f"fan-out: the work cannot be read by a worker: {e}") from e
        except RayActorError as e:
            self._ask_again(hand, e)
            return
        except RayError as e:
            raise FanOutError("FANOUT_RAY", f"fan-out: {type(e).__name__}: {str(e).splitlines()[0]}") from e
        del hand.batches[ref]
        for outcome in report.outcomes:
            self._finish(outcome)
        pool.weigh(hand, report)
        self._tell()

    def _finish(self, outcome: Outcome[Any]) -> None:
        self._done[outcome.number] = outcome
        self._finished += 1
        self._failed += outcome.failure is not None

    def _ask_again(self, hand: _Hand, why: BaseException) -> None:
        """Put back what a dead worker had, item by item: which of them killed it is not known, unless it was alone."""
        pool = self._pool
        pool.lost(hand, why)
        back = list(hand.batches.values())
        pool.retried += sum(len(b.items) for b in back)
        if len(back) == 1 and back[0].suspect:
            back[0].losses += 1
            if back[0].losses > pool._max_losses:
                number, times = back[0].items[0][0], back[0].losses
                message = f"its worker died {times} times with nothing else to do: out of memory, or killed"
                self._finish(Outcome(number, None, Failure("WorkerLost", message)))
                self._tell()
                return
            self._again.appendleft(back[0])
            return
        suspects = [_Batch([item], suspect=True) for batch in back for item in batch.items]
        self._again.extendleft(reversed(suspects))

    def _tell(self) -> None:
        pool = self._pool
        if pool._progress is not None:
            running = sum(len(b.items) for h in pool._hands for b in h.batches.values())
            pool._progress(
                Progress(self._finished, self._failed, self._total, running, pool.retried, pool.recycled)
            )
