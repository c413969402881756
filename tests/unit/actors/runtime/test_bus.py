"""The bus: the urgent overtakes, mailboxes are bounded, nothing urgent is dropped, late comers hear the last word."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from actors.domain.events.base import Event
from actors.domain.events.evaluation import WeightsRevised
from actors.domain.events.execution import OrderCanceled
from actors.domain.events.market import BarClosed
from actors.domain.events.risk import CircuitBreakerTripped
from actors.domain.events.system import AgentStarted, AlertRaised
from actors.runtime.bus import EventBus
from actors.runtime.wire import encode_block


def bar(n: int) -> BarClosed:
    return BarClosed(
        ts_event_ns=n, source="market-data", instrument_id="BTC/USDT", open_ns=0, close_ns=n, open=1.0, high=1.0,
        low=1.0, close=1.0, volume=1.0,
    )  # fmt: skip


def started(n: int) -> AgentStarted:
    return AgentStarted(ts_event_ns=n, source="supervisor", agent=f"a{n}", pid=n, incarnation=1)


def trip() -> CircuitBreakerTripped:
    return CircuitBreakerTripped(
        ts_event_ns=9, source="coordinator-risk", breaker="drawdown", limit=0.1, observed=0.2, until_step=5
    )


def canceled(n: int) -> OrderCanceled:
    return OrderCanceled(
        ts_event_ns=n, source="venue", client_order_id=f"o{n}", intent_id="i", filled_quantity=Decimal(0),
        reason="breaker",
    )  # fmt: skip


class Subscriber:
    """A handle whose deliveries wait until they are let through."""

    def __init__(self, *, held: bool = False, broken: bool = False) -> None:
        self.heard: list[Event] = []
        self.gate = asyncio.Event()
        self.broken = broken
        if not held:
            self.gate.set()
        self.notify = self

    def remote(self, event: Event) -> Awaitable[None]:
        """Take a delivery."""
        return self._take(event)

    async def _take(self, event: Event) -> None:
        await self.gate.wait()
        if self.broken:
            raise RuntimeError("gone")
        self.heard.append(event)

    @property
    def names(self) -> list[str]:
        """What was heard, by type."""
        return [type(e).__name__ for e in self.heard]


def with_bus(play: Callable[[EventBus], Awaitable[None]], **options: Any) -> None:
    """Run a scene on a fresh bus, and end its pump."""

    async def scene() -> None:
        bus = EventBus(**options)
        try:
            await play(bus)
        finally:
            if bus._pump is not None:
                bus._pump.cancel()

    asyncio.run(scene())


async def settled() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def test_a_breaker_overtakes_what_waits() -> None:
    async def play(bus: EventBus) -> None:
        slow = Subscriber(held=True)
        await bus.subscribe("slow", slow, ["*"])
        await bus.publish(encode_block([[bar(n)] for n in range(5)]))
        await settled()
        await bus.publish(encode_block([[trip()]]))
        await settled()
        slow.gate.set()
        await settled()
        # the first was on its way already
        assert slow.names == ["BarClosed", "CircuitBreakerTripped", *["BarClosed"] * 4]
        assert [e.ts_event_ns for e in slow.heard if isinstance(e, BarClosed)] == [0, 1, 2, 3, 4]

    with_bus(play, per_subscriber=1)


def test_a_burst_is_taken_in_the_order_of_urgency() -> None:
    async def play(bus: EventBus) -> None:
        quick = Subscriber()
        await bus.subscribe("quick", quick, ["*"])
        await bus.publish(encode_block([[started(1), bar(1), canceled(1), trip()]]))
        await settled()
        assert quick.names == ["CircuitBreakerTripped", "OrderCanceled", "BarClosed", "AgentStarted"]

    with_bus(play)


def test_only_topics_asked_for_arrive() -> None:
    async def play(bus: EventBus) -> None:
        one, other = Subscriber(), Subscriber()
        await bus.subscribe("one", one, ["BarClosed"])
        await bus.subscribe("other", other, ["AgentStarted", "CircuitBreakerTripped"])
        await bus.publish(encode_block([[bar(1), started(1), trip()]]))
        await settled()
        assert one.names == ["BarClosed"]
        assert sorted(other.names) == ["AgentStarted", "CircuitBreakerTripped"]

    with_bus(play)


def test_a_full_bus_refuses_the_unimportant_and_makes_the_urgent_wait() -> None:
    async def play(bus: EventBus) -> None:
        # nothing is pumped before the first turn of the loop, so the third message finds the bus full
        await bus.ready()
        accepted = await bus.publish(encode_block([[bar(1), bar(2), bar(3)]]))
        assert accepted == 2
        urgent = asyncio.ensure_future(bus.publish(encode_block([[trip()]])))
        await settled()
        assert urgent.done()
        assert urgent.result() == 1
        stats = await bus.stats()
        assert stats["dead_letters"] == [("", "BarClosed: bus full")]

    with_bus(play, capacity=2)


def test_a_full_mailbox_buries_the_least_urgent_and_never_a_fill_or_a_breaker() -> None:
    async def play(bus: EventBus) -> None:
        dead = Subscriber(held=True)
        await bus.subscribe("dead", dead, ["*"])
        await bus.publish(encode_block([[bar(0)]]))
        await settled()
        await bus.publish(encode_block([[bar(1), bar(2), started(3)]]))
        await settled()
        await bus.publish(encode_block([[trip(), canceled(4), canceled(5), canceled(6)]]))
        await settled()
        stats = await bus.stats()
        assert [text for name, text in stats["dead_letters"] if name == "dead"] == [
            "AgentStarted: mailbox full", "BarClosed: mailbox full", "BarClosed: mailbox full",
        ]  # fmt: skip
        dead.gate.set()
        await settled()
        assert dead.names == ["BarClosed", "CircuitBreakerTripped", *["OrderCanceled"] * 3]

    with_bus(play, per_subscriber=1, mailbox=2)


def test_a_subscriber_that_fails_fills_the_dead_letters_and_holds_up_nobody() -> None:
    async def play(bus: EventBus) -> None:
        bad, good = Subscriber(broken=True), Subscriber()
        await bus.subscribe("bad", bad, ["*"])
        await bus.subscribe("good", good, ["*"])
        await bus.publish(encode_block([[bar(1), bar(2)]]))
        await settled()
        stats = await bus.stats()
        assert stats["dead_letters"] == [("bad", "BarClosed: RuntimeError")] * 2
        assert (good.names, stats["delivered"]) == (["BarClosed"] * 2, {"BarClosed": 2})

    with_bus(play)


def test_a_subscriber_that_hangs_loses_what_it_does_not_take_in_time() -> None:
    async def play(bus: EventBus) -> None:
        hung = Subscriber(held=True)
        await bus.subscribe("hung", hung, ["*"])
        await bus.publish(encode_block([[canceled(n) for n in range(10)]]))
        await settled()
        stats = await bus.stats()
        assert stats["dead_letters"] == [("hung", "OrderCanceled: TimeoutError")] * 10
        assert not bus._parked["hung"]
        hung.gate.set()
        await bus.publish(encode_block([[trip()]]))
        await settled()
        assert hung.names == ["CircuitBreakerTripped"]

    with_bus(play, per_subscriber=1, deadline_s=0.0)


def test_who_comes_late_hears_the_last_word_on_each_fact() -> None:
    def weights(n: int, regime: str) -> WeightsRevised:
        return WeightsRevised(
            ts_event_ns=n,
            source="performance",
            effective_step=n,
            members=("a",),
            weights=(1.0,),
            regime=regime,
        )

    async def play(bus: EventBus) -> None:
        await bus.ready()
        alert = AlertRaised(ts_event_ns=1, source="health", severity="info", code="X", message="")
        await bus.publish(encode_block([[alert, trip(), weights(1, ""), weights(2, "bull"), weights(3, "")]]))
        await settled()
        late = Subscriber()
        await bus.subscribe("late", late, ["CircuitBreakerTripped"])
        await settled()
        assert late.names == ["CircuitBreakerTripped"]
        again = Subscriber()
        await bus.subscribe("late", again, ["*"])
        await settled()
        assert sorted(again.names) == [
            "AlertRaised",
            "CircuitBreakerTripped",
            "WeightsRevised",
            "WeightsRevised",
        ]
        kept = {e.regime: e.effective_step for e in again.heard if isinstance(e, WeightsRevised)}
        assert kept == {"": 3, "bull": 2}

    with_bus(play)
