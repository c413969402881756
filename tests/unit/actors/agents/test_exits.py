"""Protective exits at a venue, worked by hand: brackets, adds, reductions, partial fills, time, restarts."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal as D
from typing import Any

import pytest

from actors.agents.exits import ExitAgent
from actors.agents.portfolio import LedgerAgent
from actors.agents.venue import VenueAgent
from actors.domain import registry
from actors.domain.errors import InvalidParamsError, SnapshotError
from actors.domain.events.base import Event
from actors.domain.events.execution import CancelOrder, OrderFilled, OrderRejected, SubmitOrder
from actors.domain.events.market import BarClosed, TradingEnded
from actors.domain.events.portfolio import TradeClosed
from actors.domain.events.risk import RiskMeasured
from actors.domain.events.system import AlertRaised
from actors.domain.fitting import InlineFits
from actors.domain.model.account import AccountTerms
from actors.domain.model.instrument import Instrument
from actors.domain.processor import Agent, AgentContext, Step
from actors.domain.simulation.venue import SimulatedVenue, VenueParams

PAIR = "BTC/USDT"
INSTRUMENTS = {PAIR: Instrument(pair=PAIR, tick=D("0.01"), lot=D("0.001"), min_notional=D("10"))}
FREE = {"fees": {"kind": "none"}, "slippage": {"kind": "none"}, "spread": {"kind": "none"}}
HOUR = 100


class Desk:
    """Venue, ledger and exits; the test plays the execution agents."""

    def __init__(self, exits: dict[str, Any], cash: str = "100000", **venue: Any) -> None:
        self.exits = exits
        self.agents = self.make(exits, cash, venue)
        self.venue, self.ledger, self.guard = self.agents
        self.remade = (exits, cash, venue)
        self.k = -1
        self.commands: list[Event] = []
        self.trades: list[TradeClosed] = []
        self.fills: list[OrderFilled] = []
        self.said: list[Event] = []

    @staticmethod
    def make(exits: dict[str, Any], cash: str, venue: dict[str, Any]) -> tuple[Any, Any, Any]:
        def ctx(name: str) -> AgentContext:
            return AgentContext(name, INSTRUMENTS, HOUR, 7, InlineFits())

        terms = {**FREE, "max_volume_share": None, **venue}
        return (
            VenueAgent(ctx("venue"), initial_cash=cash, **terms),
            LedgerAgent(ctx("ledger"), initial_cash=cash),
            ExitAgent(ctx("execution-exits"), exits=exits),
        )

    def restart(self) -> None:
        old = self.agents
        self.agents = self.make(*self.remade)
        for before, after in zip(old, self.agents, strict=True):
            after.restore(before.snapshot())
        self.venue, self.ledger, self.guard = self.agents

    def bar(
        self, o: float, h: float, low: float, c: float, *orders: Event, volume: float = 1000.0,
        atr: float | None = None, ends: bool = False,
    ) -> list[Event]:  # fmt: skip
        """Run a step; `orders` are sent at its close. Return what the exit agent sent then."""
        self.k += 1
        ts = (self.k + 1) * HOUR
        bars: list[Event] = [
            BarClosed(ts_event_ns=ts, source="feed", instrument_id=PAIR, open_ns=self.k * HOUR, close_ns=ts, open=o,
                      high=h, low=low, close=c, volume=volume)
        ]  # fmt: skip
        if ends:
            bars.append(TradingEnded(ts_event_ns=ts, source="feed", instrument_id=PAIR))
        if atr is not None:
            measured = RiskMeasured(
                ts_event_ns=ts, source="risk-atr", instrument_id=PAIR, measure="atr", value=atr
            )
            bars.append(measured)
        reports = self.ask(self.venue, self.commands, bars)
        books = self.ask(self.ledger, reports, bars)
        self.said = self.ask(self.guard, reports, books, orders, bars)
        self.commands = [*orders, *(e for e in self.said if isinstance(e, SubmitOrder | CancelOrder))]
        self.trades += [e for e in books if isinstance(e, TradeClosed)]
        self.fills += [e for e in reports if isinstance(e, OrderFilled)]
        return self.said

    def ask(self, agent: Agent, *groups: Sequence[Event]) -> list[Event]:
        inbox = sorted((e for g in groups for e in g if type(e) in agent.consumes), key=lambda e: e.priority)
        return list(agent.process(Step(self.k, (self.k + 1) * HOUR, tuple(inbox))))

    @property
    def book(self) -> list[tuple[str, D, D | None]]:
        """What will stand at the venue for the next bar: type, quantity and price, as a venue without latency does."""
        gone = [c.client_order_id for c in self.commands if isinstance(c, CancelOrder)]
        rows = [
            (o.order_type, o.leaves, o.limit_price if o.order_type == "limit" else o.stop_price)
            for o in self.venue.venue.open_orders()
            if o.client_order_id not in gone
        ]
        rows += [
            (c.order_type, c.quantity, c.limit_price if c.order_type == "limit" else c.stop_price)
            for c in self.commands
            if isinstance(c, SubmitOrder) and c.reduce_only and not c.parent_id
        ]
        return sorted(rows, key=str)

    @property
    def position(self) -> D:
        return self.ledger.ledger.position(PAIR).quantity

    @property
    def reasons(self) -> list[str]:
        return [t.exit_reason for t in self.trades]


def enter(qty: str, cid: str = "in", side: int = 1, limit: str | None = None, **terms: Any) -> SubmitOrder:
    return SubmitOrder(
        ts_event_ns=0, source="execution-market", instrument_id=PAIR, client_order_id=cid, intent_id=f"i-{cid}",
        side=side, order_type="limit" if limit else "market", quantity=D(qty),
        limit_price=None if limit is None else D(limit), **terms,
    )  # fmt: skip


def leave(qty: str, cid: str = "out") -> SubmitOrder:
    return enter(qty, cid, -1, reduce_only=True)


class ShortDesk(Desk):
    """The same on a perpetual account."""

    @staticmethod
    def make(exits: dict[str, Any], cash: str, venue: dict[str, Any]) -> tuple[Any, Any, Any]:
        agents = Desk.make(exits, cash, venue)
        costless = [registry.build(f"actors.domain.simulation.{f}", "none") for f in ("fees", "slippage")]
        agents[0].venue = SimulatedVenue(
            "venue", INSTRUMENTS, {"USDT": D(cash)}, *costless,
            registry.build("actors.domain.simulation.latency", "fixed"),
            VenueParams(max_volume_share=venue.get("max_volume_share")),
            account=AccountTerms(mode="perpetual", leverage=D(3), maintenance_frac=D("0.01")),
        )  # fmt: skip
        return agents


Path = list[tuple[tuple[float, float, float, float], float, list[tuple[str, str, int, bool]]]]
PATHS: dict[str, Path] = {
    "stop": [((100, 101, 99, 100), 99, [("2", "a", 1, False)]), ((100, 101, 99, 100), 99, []),
             ((97, 98, 94, 95), 99, [])],
    "target after an add": [((100, 101, 99, 100), 99, [("2", "a", 1, False)]),
                            ((100, 101, 99, 100), 99, [("1", "b", 1, False)]), ((103, 104, 102, 103), 99, []),
                            ((108, 111, 107, 110), 99, [])],
    "target in parts, then the stop": [((100, 101, 99, 100), 99, [("2", "a", 1, False)]),
                                       ((100, 101, 99, 100), 99, []), ((107, 109, 106, 107), 12, []),
                                       ((95, 97, 94, 96), 99, [])],
    "trailing after a reduction": [((100, 101, 99, 100), 99, [("2", "a", 1, False)]), ((100, 107, 99, 106), 99, []),
                                   ((106, 107, 105, 106), 99, [("1", "b", -1, True)]), ((106, 107, 105, 106), 99, []),
                                   ((105, 105, 100, 101), 99, [])],
    "time": [((100, 101, 99, 100), 99, [("2", "a", 1, False)]), *[((100.0, 101.0, 99.0, 100.0), 99.0, [])] * 8],
    "turned": [((100, 101, 99, 100), 99, [("2", "a", 1, False)]),
               ((100, 101, 99, 100), 99, [("5", "b", -1, False)]), ((101, 102, 100, 101), 99, []),
               ((105, 107, 104, 106), 99, [])],
}  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_short_is_the_mirror_of_a_long(path: str) -> None:
    exits = {"stop": {"atr": 2}, "target": {"atr": 4}, "trailing": {"quote": 4.5}, "time": {"bars": 7}}

    def run(side: int) -> list[Any]:
        desk, out = ShortDesk(exits, max_volume_share=0.1), []
        for (o, h, low, c), volume, orders in PATHS[path]:
            seen = (o, h, low, c) if side > 0 else (200 - o, 200 - low, 200 - h, 200 - c)
            sent = [enter(q, cid, s * side, reduce_only=r or None) for q, cid, s, r in orders]
            desk.bar(*seen, *sent, volume=volume, atr=2.0)
            book = [(kind, q, None if p is None else side * (p - 100)) for kind, q, p in desk.book]
            out.append((side * desk.position, sorted(book, key=str)))
        return [*out, desk.reasons, [(f.side * side, f.quantity, side * (f.price - 100)) for f in desk.fills]]

    long, short = run(1), run(-1)
    assert long == short
    assert long[-2], "nothing was ended"


def test_while_an_order_turns_a_position_bar_by_bar_its_old_stop_stays() -> None:
    desk = ShortDesk({"stop": {"frac": 0.1}}, max_volume_share=0.1)
    desk.bar(100, 101, 99, 100, enter("2"))
    desk.bar(100, 101, 99, 100, enter("5", "turn", -1))
    # 1.2 of 5 are sold: 0.8 are still long
    desk.bar(100, 101, 99, 100, volume=12.0)
    assert desk.position == D("0.8")
    assert ("stop", D("0.8"), D("90.00")) in desk.book
    desk.bar(100, 101, 99, 100, volume=18.0)
    assert desk.position == D(-1)
    assert desk.book == [("market", D(2), None), ("stop", D(3), D("110.00"))], (
        "the child is as large as its parent"
    )
    desk.bar(100, 101, 99, 100)
    assert (desk.position, desk.book) == (D(-3), [("stop", D(3), D("110.00"))])


def test_a_bracket_travels_with_the_entry_and_is_in_force_in_its_first_bar() -> None:
    desk = Desk({"stop": {"frac": 0.02}, "target": {"r": 2}})
    sent = desk.bar(100, 101, 99, 100, enter("2"))
    assert [(e.order_type, e.quantity, e.parent_id, e.reduce_only) for e in sent] == [
        ("stop", D(2), "in", True), ("limit", D(2), "in", True),
    ]  # fmt: skip
    assert len({e.order_list_id for e in sent}) == 1
    assert [e.intent_id.split(":")[:2] for e in sent] == [["exit", "stop"], ["exit", "target"]]
    # filled at 100, stopped at 98 in the same bar
    desk.bar(100, 100, 97, 98)
    assert (desk.position, desk.reasons, desk.fills[1].price) == (D(0), ["stop"], D("98.00"))
    assert desk.bar(98, 99, 97, 98) == []
    assert desk.book == []


def test_the_target_is_two_stop_distances_away_and_ends_the_stop() -> None:
    desk = Desk({"stop": {"frac": 0.02}, "target": {"r": 2}})
    desk.bar(100, 101, 99, 100, enter("2"))
    desk.bar(100, 101, 99, 100)
    assert desk.book == [("limit", D(2), D("104.00")), ("stop", D(2), D("98.00"))]
    assert desk.said == [], "the children are right as they are"
    desk.bar(102, 104.02, 101, 104)
    assert (desk.reasons, desk.fills[1].price, desk.fills[1].liquidity) == (["target"], D("104.00"), "maker")
    assert desk.book == []


def test_inside_one_bar_the_stop_comes_before_the_target() -> None:
    desk = Desk({"stop": {"frac": 0.02}, "target": {"frac": 0.02}})
    desk.bar(100, 101, 99, 100, enter("2"))
    desk.bar(100, 101, 99, 100)
    desk.bar(100, 110, 90, 100)
    assert (desk.reasons, desk.position) == (["stop"], D(0))


def test_a_gap_through_the_stop_fills_at_the_open() -> None:
    desk = Desk({"stop": {"frac": 0.02}})
    desk.bar(100, 101, 99, 100, enter("2"))
    desk.bar(100, 101, 99, 100)
    desk.bar(90, 91, 89, 90)
    assert desk.fills[1].price == D("90.00")


@pytest.mark.parametrize(
    ("trailing", "level"), [({"frac": 0.1}, "108.00"), ({"quote": 7}, "113.00"), ({"atr": 2.5}, "110.00")]
)
def test_a_trailing_stop_follows_the_best_price(trailing: dict[str, float], level: str) -> None:
    desk = Desk({"trailing": trailing})
    desk.bar(100, 101, 99, 100, enter("1"), atr=4.0)
    desk.bar(100, 101, 99, 100, atr=5.0)
    desk.bar(110, 120, 108, 119, atr=6.0)
    desk.bar(119, 119.5, 100, 104)
    assert (desk.reasons, desk.fills[1].price) == (["trailing"], D(level))


def test_distances_in_ranges_are_those_of_the_decision() -> None:
    desk = Desk({"stop": {"atr": 2}, "target": {"atr": 3}})
    desk.bar(100, 101, 99, 100, atr=1.004)
    desk.bar(100, 101, 99, 100, enter("1"), atr=1.5)
    desk.bar(100, 101, 99, 100, atr=9.0)
    assert desk.book == [("limit", D(1), D("104.50")), ("stop", D(1), D("97.00"))]


def test_adding_moves_one_bracket_to_the_average_price_of_all() -> None:
    desk = Desk({"stop": {"frac": 0.1}, "target": {"frac": 0.1}})
    desk.bar(100, 101, 99, 100, enter("2"))
    desk.bar(100, 101, 99, 100, enter("1", "more"))
    # the add fills at 106; for its bar it has a bracket of its own beside the first one's
    sent = desk.bar(106, 107, 105, 106)
    assert desk.book == [("limit", D(3), D("112.20")), ("stop", D(3), D("91.80"))]
    assert sum(isinstance(e, CancelOrder) for e in sent) == 4
    assert len({e.order_list_id for e in sent if isinstance(e, SubmitOrder)}) == 1
    desk.bar(92, 92, 91, 91)
    assert (desk.position, desk.reasons) == (D(0), ["stop"])


def test_a_reduction_shrinks_the_bracket_and_the_stop_stays_in_force_meanwhile() -> None:
    desk = Desk({"stop": {"frac": 0.1}, "target": {"frac": 0.1}})
    desk.bar(100, 101, 99, 100, enter("3"))
    desk.bar(100, 101, 99, 100, leave("1"))
    assert desk.said == []
    desk.bar(100, 101, 99, 100)
    assert desk.position == D(2)
    assert desk.book == [("limit", D(2), D("110.00")), ("stop", D(2), D("90.00"))]
    # an exit beside the stop: both would sell, the venue sells what there is
    desk.bar(100, 101, 99, 100, leave("2"))
    desk.bar(89, 91, 88, 90)
    assert desk.position == D(0)
    assert sum(f.quantity for f in desk.fills if f.side < 0) == D(3)
    desk.bar(89, 91, 88, 90)
    assert desk.book == []


def test_a_trailing_stop_keeps_its_level_when_its_size_changes() -> None:
    desk = Desk({"trailing": {"quote": 5}})
    desk.bar(100, 101, 99, 100, enter("2"))
    desk.bar(100, 112, 99, 110)
    desk.bar(110, 111, 109, 110, leave("1"))
    desk.bar(110, 111, 109, 110)
    assert desk.book == [("trailing_stop", D(1), D("107.00"))]
    desk.bar(109, 109, 106.5, 107)
    assert desk.fills[-1].price == D("107.00")


def test_a_target_filled_in_part_gets_its_stop_back_for_the_rest() -> None:
    desk = Desk({"stop": {"frac": 0.1}, "target": {"frac": 0.1}}, max_volume_share=0.1)
    desk.bar(100, 101, 99, 100, enter("2"))
    desk.bar(100, 101, 99, 100)
    # a tenth of 12 is 1.2
    sent = desk.bar(109, 111, 108, 109, volume=12.0)
    assert desk.position == D("0.8")
    assert [(e.order_type, e.quantity, e.stop_price) for e in sent] == [("stop", D("0.8"), D("90.00"))]
    assert desk.book == [("limit", D("0.8"), D("110.00")), ("stop", D("0.8"), D("90.00"))]
    desk.bar(89, 91, 88, 90)
    assert (desk.position, desk.reasons) == (D(0), ["stop"])


def test_a_stop_that_needs_several_bars_is_left_alone() -> None:
    desk = Desk({"stop": {"frac": 0.1}, "target": {"frac": 0.1}}, max_volume_share=0.1)
    desk.bar(100, 101, 99, 100, enter("2"))
    desk.bar(100, 101, 99, 100)
    assert desk.bar(89, 91, 88, 90, volume=12.0) == []
    assert desk.position == D("0.8")
    assert desk.bar(89, 91, 88, 90, volume=5.0) == []
    desk.bar(80, 81, 79, 80)
    assert (desk.position, desk.reasons) == (D(0), ["stop"])
    assert [f.price for f in desk.fills[1:]] == [D("89.00"), D("89.00"), D("80.00")]


def test_an_entry_filled_in_parts_is_protected_part_by_part() -> None:
    desk = Desk({"stop": {"frac": 0.1}}, max_volume_share=0.1)
    desk.bar(100, 101, 99, 100, enter("3"))
    assert desk.bar(100, 101, 99, 100, volume=10.0) == []
    assert desk.book == [("market", D(2), None), ("stop", D(1), D("90.00"))]
    # 1 at 100 and 2 at 106: the child follows its parent's average
    assert desk.bar(106, 107, 105, 106, volume=50.0) == []
    assert desk.book == [("stop", D(3), D("93.60"))]


def test_two_entries_of_one_decision_end_in_one_bracket() -> None:
    desk = Desk({"stop": {"frac": 0.1}, "target": {"frac": 0.2}})
    desk.bar(100, 101, 99, 100, enter("1", "a"), enter("1", "b", limit="98"))
    desk.bar(100, 101, 99, 100)
    assert ("stop", D(1), D("90.00")) in desk.book
    desk.bar(100, 101, 97, 98)
    assert desk.position == D(2)
    assert desk.book == [("limit", D(2), D("118.80")), ("stop", D(2), D("89.10"))]


def test_time_is_over_after_the_stated_bars() -> None:
    desk = Desk({"time": {"bars": 3}})
    desk.bar(100, 101, 99, 100, enter("2"))
    assert desk.bar(100, 101, 99, 100) == []
    assert desk.guard.bars_left(PAIR) == 2
    assert desk.bar(101, 102, 100, 101) == []
    (out,) = desk.bar(102, 103, 101, 102)
    assert (out.order_type, out.side, out.quantity, out.reduce_only) == ("market", -1, D(2), True)
    assert desk.bar(103, 104, 102, 103) == []
    (trade,) = desk.trades
    assert (trade.exit_reason, trade.duration_bars, trade.exit_price) == ("time", 3, D("103"))
    assert desk.guard.bars_left(PAIR) is None


def test_time_and_stop_together_sell_once() -> None:
    desk = Desk({"time": {"bars": 1}, "stop": {"frac": 0.1}})
    desk.bar(100, 101, 99, 100, enter("2"))
    desk.bar(100, 101, 99, 100)
    desk.bar(89, 90, 80, 85)
    assert desk.position == D(0)
    assert sum(f.quantity for f in desk.fills if f.side < 0) == D(2)


def test_a_position_left_and_opened_anew_gets_a_new_bracket() -> None:
    desk = Desk({"stop": {"frac": 0.1}, "target": {"frac": 0.1}})
    desk.bar(100, 101, 99, 100, enter("2"))
    desk.bar(100, 101, 99, 100, leave("2"), enter("1", "again"))
    desk.bar(105, 106, 104, 105)
    assert desk.position == D(1)
    assert desk.book == [("limit", D(1), D("115.50")), ("stop", D(1), D("94.50"))]
    assert desk.reasons == ["order"]


def test_an_entry_that_comes_to_nothing_leaves_nothing_behind() -> None:
    desk = Desk({"stop": {"frac": 0.1}}, cash="50")
    desk.bar(100, 101, 99, 100, enter("2"))
    said = desk.bar(100, 101, 99, 100)
    assert [e for e in said if isinstance(e, AlertRaised)] == []
    assert desk.book == []
    assert desk.guard._guards[PAIR].orders == {}
    assert desk.guard._guards[PAIR].entries == {}


def test_what_the_venue_would_refuse_is_not_sent_and_what_stands_stays() -> None:
    desk = Desk({"stop": {"frac": 0.6}})
    # a child is measured at its parent's price, 12; alone a stop of all would be worth 0.23 x 40 = 9.2
    desk.bar(100, 101, 99, 100, enter("0.12"))
    desk.bar(100, 101, 99, 100, enter("0.11", "more"))
    assert desk.bar(100, 101, 99, 100) == []
    assert desk.book == [("stop", D("0.11"), D("40.00")), ("stop", D("0.12"), D("40.00"))]
    desk.bar(39, 41, 38, 40)
    assert (desk.position, desk.reasons) == (D(0), ["stop"])


def test_a_position_too_small_for_a_stop_is_told_once() -> None:
    desk = Desk({"stop": {"frac": 0.5}})
    desk.bar(100, 101, 99, 100, enter("1"))
    desk.bar(100, 101, 99, 100, leave("0.85"))
    first = desk.bar(100, 101, 99, 100)
    assert first == [], "the larger stop stays: the venue cuts it"
    assert desk.book == [("stop", D(1), D("50.00"))]
    gone = next(o.client_order_id for o in desk.venue.venue.open_orders())
    desk.commands = [
        CancelOrder(ts_event_ns=0, source="x", instrument_id=PAIR, client_order_id=gone, reason="x")
    ]
    (alert,) = desk.bar(100, 101, 99, 100)
    assert isinstance(alert, AlertRaised)
    assert (alert.code, alert.severity) == ("MIN_NOTIONAL", "critical")
    assert desk.bar(100, 101, 99, 100) == []


def test_a_stop_that_the_venue_refuses_is_told_and_not_sent_again_and_again() -> None:
    desk = Desk({"stop": {"frac": 0.1}})
    desk.bar(100, 101, 99, 100, enter("2"))
    desk.bar(100, 101, 99, 100, enter("1", "more"))
    sent = desk.bar(100, 101, 99, 100)
    (stop,) = [e for e in sent if isinstance(e, SubmitOrder)]
    no = OrderRejected(
        ts_event_ns=0, source="venue", instrument_id=PAIR, client_order_id=stop.client_order_id,
        intent_id=stop.intent_id, code="VENUE_CLOSED", message="try later",
    )  # fmt: skip
    said = desk.guard.process(Step(9, 1000, (no,)))
    assert [(e.code, e.severity) for e in said if isinstance(e, AlertRaised)] == [
        ("VENUE_CLOSED", "critical")
    ]
    assert [e for e in said if isinstance(e, SubmitOrder)] == []


def test_an_entry_whose_distances_are_unknown_is_told() -> None:
    desk = Desk({"stop": {"atr": 2}})
    (alert,) = desk.bar(100, 101, 99, 100, enter("1"))
    assert isinstance(alert, AlertRaised)
    assert alert.code == "EXIT_UNKNOWN"


def test_what_the_pairs_last_bar_ends_is_named_so() -> None:
    desk = Desk({"stop": {"frac": 0.1}})
    desk.bar(100, 101, 99, 100, enter("2"))
    desk.bar(100, 101, 99, 100)
    assert desk.bar(100, 101, 99, 100, ends=True) == []
    assert desk.reasons == ["trading_ended"]
    assert desk.book == []


def test_repeated_commands_change_nothing_and_ids_do_not_repeat() -> None:
    desk = Desk({"stop": {"frac": 0.1}, "target": {"frac": 0.1}})
    desk.bar(100, 101, 99, 100, enter("3"))
    desk.bar(100, 101, 99, 100, leave("1"))
    desk.bar(100, 101, 99, 100)
    sent = [c.client_order_id for c in desk.commands if isinstance(c, SubmitOrder)]
    desk.commands = desk.commands * 2
    desk.bar(100, 101, 99, 100)
    assert desk.book == [("limit", D(2), D("110.00")), ("stop", D(2), D("90.00"))]
    assert len(set(sent)) == len(sent) == 2


@pytest.mark.parametrize("at", range(8))
def test_restarted_anywhere_it_goes_on_as_if_nothing_had_been(at: int) -> None:
    def run(restart: int) -> list[Any]:
        desk = Desk(
            {"stop": {"atr": 2}, "target": {"r": 3}, "trailing": {"frac": 0.05}, "time": {"bars": 5}},
            max_volume_share=0.1,
        )
        orders: dict[int, list[Event]] = {1: [enter("3")], 3: [enter("1", "more")], 4: [leave("2")]}
        out: list[Any] = []
        for k in range(9):
            if k == restart:
                desk.restart()
            p = 100.0 + 2 * k
            out += desk.bar(p, p + 2, p - 1, p + 1, *orders.get(k, []), volume=12.0 + k, atr=2.0)
        return [*out, desk.book, desk.position, desk.reasons, desk.guard.snapshot()]

    assert run(at) == run(-1)


def test_settings_and_states_of_another_kind_are_refused() -> None:
    with pytest.raises(InvalidParamsError, match=r"exits: stop\.frac"):
        Desk({"stop": {"frac": 7}})
    desk = Desk({"stop": {"frac": 0.1}})
    with pytest.raises(SnapshotError, match="guards"):
        desk.guard.load_state({"_range": {}})
    assert OrderRejected in ExitAgent.consumes
