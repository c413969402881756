"""The event bus: control plane with topics, priorities, bounded mailboxes and dead letters.

Bars and signals go from handle to handle; what many parts want to hear about (regime changes, breakers,
alerts, operator commands, the life of agents) goes through here. The most urgent message is delivered first,
so a breaker overtakes everything that waits. A full mailbox drops the least urgent kinds into the dead
letters; control messages and fills are kept beyond its bound, and where the bus itself is full their publisher
waits. A subscriber that does not take a message within the deadline loses it to the dead letters, so that one that
hangs cannot let the bus grow.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import Counter, deque
from typing import Any

from actors.domain.events.base import PRIORITY_FILL, Event
from actors.runtime.knowledge import fact_key
from actors.runtime.wire import decode_block


class EventBus:
    """Asyncio actor; a topic is the name of an event type, ``*`` is all of them.

    Parameters
    ----------
    capacity : int
        Messages that may wait in all.
    per_subscriber : int
        Deliveries in flight per subscriber; more are parked, the oldest of the least urgent go to the dead
        letters beyond `mailbox`.
    mailbox : int
        Parked messages per subscriber.
    deadline_s : float
        Seconds that a subscriber has for a message; no decision hangs on it.
    """

    def __init__(
        self, capacity: int = 10_000, per_subscriber: int = 64, mailbox: int = 1_000, deadline_s: float = 60.0
    ) -> None:
        self._capacity, self._limit, self._mailbox = capacity, per_subscriber, mailbox
        self._deadline = deadline_s
        self._queue: asyncio.PriorityQueue[tuple[int, int, Event]] = asyncio.PriorityQueue(capacity)
        self._sequence = itertools.count()
        self._subscribers: dict[str, tuple[Any, frozenset[str]]] = {}
        self._parked: dict[str, list[tuple[int, int, Event]]] = {}
        self._in_flight: Counter[str] = Counter()
        self._retained: dict[tuple[str, str], tuple[int, int, Event]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._dead: deque[tuple[str, str]] = deque(maxlen=1_000)
        self._counts: Counter[str] = Counter()
        self._pump: asyncio.Task[None] | None = None

    async def ready(self) -> bool:
        """Start the pump; answer when it runs."""
        if self._pump is None:
            self._pump = asyncio.ensure_future(self._run())
        return True

    async def subscribe(self, name: str, handle: Any, topics: list[str]) -> None:
        """Deliver `topics` to ``handle.notify(event)``; a second call replaces the first.

        Whoever comes late, or again after its process died, first hears the last word on each fact.
        """
        await self.ready()
        self._subscribers[name] = (handle, frozenset(topics))
        self._parked.setdefault(name, [])
        for (topic, _), item in sorted(self._retained.items(), key=lambda row: row[1][:2]):
            if topic in topics or "*" in topics:
                self._offer(name, item)

    async def publish(self, payload: bytes) -> int:
        """Take a block of events; return how many were accepted."""
        await self.ready()
        accepted = 0
        for event in (e for events in decode_block(payload) for e in events):
            if self._queue.full() and event.priority > PRIORITY_FILL:
                self._bury("", event, "bus full")
                continue
            await self._queue.put((event.priority, next(self._sequence), event))
            accepted += 1
        return accepted

    async def whoami(self) -> int:
        """Return the process id."""
        return os.getpid()

    async def stats(self) -> dict[str, Any]:
        """Return counts by type, dead letters and who listens."""
        return {
            "delivered": dict(self._counts),
            "waiting": self._queue.qsize(),
            "dead_letters": list(self._dead),
            "subscribers": sorted(self._subscribers),
        }

    async def _run(self) -> None:
        while True:
            item = await self._queue.get()
            topic = type(item[2]).__name__
            self._retained[topic, fact_key(item[2])] = item
            for name, (_, topics) in list(self._subscribers.items()):
                if topic in topics or "*" in topics:
                    self._offer(name, item)
            # a burst of publishes must not starve the deliveries
            await asyncio.sleep(0)

    def _offer(self, name: str, item: tuple[int, int, Event]) -> None:
        if self._in_flight[name] >= self._limit:
            parked = self._parked[name]
            parked.append(item)
            parked.sort()
            if len(parked) > self._mailbox and parked[-1][0] > PRIORITY_FILL:
                self._bury(name, parked.pop()[2], "mailbox full")
            return
        self._in_flight[name] += 1
        task = asyncio.ensure_future(self._deliver(name, item[2]))
        self._tasks.add(task)  # an unreferenced task may be collected before it ran
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, name: str, event: Event) -> None:
        handle, _ = self._subscribers[name]
        try:
            async with asyncio.timeout(self._deadline):
                await handle.notify.remote(event)
            self._counts[type(event).__name__] += 1
        except Exception as e:  # noqa: BLE001 - any failure of a subscriber ends in the dead letters
            self._bury(name, event, f"{type(e).__name__}")
        finally:
            self._in_flight[name] -= 1
            if self._parked[name]:
                self._offer(name, self._parked[name].pop(0))

    def _bury(self, name: str, event: Event, reason: str) -> None:
        self._dead.append((name, f"{type(event).__name__}: {reason}"))
