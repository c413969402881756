"""The contract over every exchange found by discovery: defaults, one port, repeatable where simulated."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import component_inputs as given
import contract
import pytest

from actors.adapters.exchanges.port import ExchangePort
from actors.domain import registry
from actors.domain.events.execution import CancelOrder, SubmitOrder
from actors.domain.events.market import BarClosed
from actors.domain.execution.order_state import FINAL_STATES
from actors.domain.model.bars import BarFrame

PACKAGE = "actors.adapters.exchanges"
KINDS = registry.kinds(PACKAGE)
PAIR = given.PAIRS[0]
SIMULATED = [k for k in KINDS if registry.build(PACKAGE, k).capabilities.simulated]
CUT = 120
QUANTITY = Decimal("0.02")


def _orders(step: int, bar: BarClosed) -> list[SubmitOrder]:
    """Every few bars a market order, and a limit order below the market; some are given twice."""
    if step % 4:
        return []
    resting = step % 8 == 4
    order = SubmitOrder(
        ts_event_ns=bar.ts_event_ns, source="exec", instrument_id=PAIR, client_order_id=f"o-{step}",
        intent_id=f"i-{step}", side=-1 if step % 24 == 20 else 1, quantity=QUANTITY,
        order_type="limit" if resting else "market",
        limit_price=Decimal(str(round(bar.close * 0.99, 2))) if resting else None,
    )  # fmt: skip
    return [order] * (2 if step % 12 == 0 else 1)


async def _step(venue: object, step: int, bar: BarClosed) -> list[object]:
    answers: list[object] = [await venue.submit(order) for order in _orders(step, bar)]
    if step % 16 == 9:
        answers.append(
            await venue.cancel(
                CancelOrder(ts_event_ns=bar.ts_event_ns, source="exec", instrument_id=PAIR,
                            client_order_id=f"o-{step - 5}", reason="test")
            )
        )  # fmt: skip
    venue.advance(step, bar.ts_event_ns, {PAIR: bar})
    return [*answers, list(await venue.reports()), await venue.open_orders(), dict(await venue.balances())]


def feed(venue: object, item: tuple[int, BarClosed]) -> list[object]:
    return asyncio.run(_step(venue, *item))


def items(frame: BarFrame) -> list[tuple[int, BarClosed]]:
    return [(k, given.replace_pair(b, PAIR)) for k, b in enumerate(given.bars(frame)[:240])]


@pytest.mark.parametrize("kind", KINDS)
def test_builds_from_defaults_and_is_a_port(kind: str) -> None:
    cls = registry.load(PACKAGE, kind)
    assert contract.check_params(cls) == []
    assert contract.check_docstring(cls) == []
    venue = registry.build(PACKAGE, kind)
    assert isinstance(venue, ExchangePort)
    assert venue.name
    assert venue.capabilities.simulated == ("simulated" in venue.name), "a simulation says so in its name"


@pytest.mark.parametrize("kind", SIMULATED)
def test_a_simulated_one_is_repeatable_causal_and_alone(kind: str, frame: BarFrame) -> None:
    def make() -> object:
        return registry.build(PACKAGE, kind)

    inputs = items(frame)
    others = items(given.another_future(frame, int(frame.open_ns[CUT])))
    assert contract.check_deterministic(make, feed, inputs) == []
    assert contract.check_isolated(make, feed, inputs, others) == []
    assert contract.check_causal(make, feed, inputs, others, CUT) == []


@pytest.mark.parametrize("kind", SIMULATED)
def test_a_simulated_one_trades_once_per_order_and_never_below_zero(kind: str, frame: BarFrame) -> None:
    venue = registry.build(PACKAGE, kind)
    for item in items(frame):
        feed(venue, item)

    async def look() -> None:
        fills = await venue.fills()
        assert len(fills) > 10
        assert len({f.fill_id for f in fills}) == len(fills)
        filled: dict[str, Decimal] = {}
        for f in fills:
            filled[f.client_order_id] = filled.get(f.client_order_id, Decimal(0)) + f.quantity
        assert all(q <= QUANTITY for q in filled.values()), "an order given twice trades once"
        assert all(v >= 0 for v in (await venue.balances()).values())
        assert all(o.state not in FINAL_STATES for o in await venue.open_orders())
        assert await venue.order("never-sent") is None

    asyncio.run(look())
