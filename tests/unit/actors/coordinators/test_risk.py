"""The risk coordinator: sizing, rules in order, dead band, breakers, silence while warming up, restore."""

from decimal import Decimal

import pytest

from actors.coordinators.risk import RiskCoordinator
from actors.domain.errors import InvalidParamsError, UnknownComponentError
from actors.domain.events.execution import OrderFilled, VenueStatusChanged
from actors.domain.events.market import BarClosed, DataQualityAssessed
from actors.domain.events.portfolio import AccountUpdated, PositionChanged, TradeClosed
from actors.domain.events.regime import RegimeAssessed, RegimeConfidence
from actors.domain.events.risk import (
    CircuitBreakerReset,
    CircuitBreakerTripped,
    OrderIntentApproved,
    OrderIntentDenied,
    RiskLimitBreached,
    RiskMeasured,
)
from actors.domain.events.signal import TargetExposureSet
from actors.domain.events.system import AgentGaveUp
from actors.domain.fitting import InlineFits
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step

HOUR = 3_600_000_000_000
A, B = "BTC/USDT", "ETH/USDT"
FIXED = {"kind": "fixed_fraction", "params": {"fraction": 1.0}}


def make(pairs=(A, B), **params):
    ctx = AgentContext(
        "coordinator-risk", {p: Instrument(pair=p) for p in pairs}, HOUR, seed=7, fits=InlineFits()
    )
    params.setdefault("sizing", FIXED)
    return RiskCoordinator(ctx, **params)


class World:
    """A ledger of two pairs that fills every approval at once at the bar's close."""

    def __init__(self, agent, equity=10_000, pairs=(A, B), fills=True):
        self.agent, self.pairs, self.fills = agent, pairs, fills
        self.cash = Decimal(equity)
        self.positions = dict.fromkeys(pairs, Decimal(0))
        self.step = -1
        self.peak = Decimal(equity)

    def go(self, prices, targets=None, warmup=False, extra=(), volatility=None):
        self.step += 1
        ts = (self.step + 1) * HOUR
        marks = {p: Decimal(str(prices[p])) for p in prices}
        self.marks = {**getattr(self, "marks", {}), **marks}
        equity = self.cash + sum(self.positions[p] * self.marks[p] for p in self.pairs)
        self.peak = max(self.peak, equity)
        inbox = [
            AccountUpdated(
                ts_event_ns=ts, source="ledger", equity=equity, cash=self.cash,
                positions=tuple(self.positions[p] for p in self.pairs),
                exposures_frac=tuple(float(self.positions[p] * self.marks[p] / equity) for p in self.pairs),
                drawdown_frac=float(1 - equity / self.peak), fees_quote=Decimal(0),
                slippage_quote=Decimal(0), realised_pnl_quote=Decimal(0),
            )
        ]  # fmt: skip
        for p, sigma in (volatility or {}).items():
            inbox.append(
                RiskMeasured(
                    ts_event_ns=ts,
                    source="risk-volatility",
                    instrument_id=p,
                    measure="volatility",
                    value=sigma,
                )
            )
        for p, frac in (targets or {}).items():
            inbox.append(
                TargetExposureSet(
                    ts_event_ns=ts, source="coordinator-strategy", instrument_id=p, target_frac=frac,
                    confidence=0.7, regime="bull",
                )
            )  # fmt: skip
        inbox += [
            BarClosed(
                ts_event_ns=ts, source="market-data", instrument_id=p, open_ns=ts - HOUR, close_ns=ts,
                open=c, high=c, low=c, close=c, volume=1.0,
            )
            for p, c in prices.items()
        ]  # fmt: skip
        out = self.agent.process(Step(self.step, ts, (*inbox, *extra), warmup))
        for e in out:
            if self.fills and isinstance(e, OrderIntentApproved):
                self.positions[e.instrument_id] += e.quantity
                self.cash -= e.quantity * self.marks[e.instrument_id]
        return out


def only(events, kind):
    return [e for e in events if isinstance(e, kind)]


def test_wish_becomes_floored_intent_with_unique_id():
    world = World(make())
    (intent,) = world.go({A: 333.0, B: 50.0}, {A: 0.5})
    assert intent.quantity == Decimal("15.01501")  # 5000 / 333 = 15.015015…, floored to 0.00001
    assert intent.intent_id == "coordinator-risk:0:0"
    assert intent.correlation_id == intent.intent_id
    assert (intent.reason, intent.resized_by, intent.requested_quantity) == ("open", "", None)
    assert intent.target_frac == 0.5
    assert intent.urgency == 0.7


def test_nothing_is_said_inside_the_dead_band_and_exit_is_always_made():
    world = World(make(params={"rebalance_band_frac": 0.1}))
    world.go({A: 100.0, B: 50.0}, {A: 0.5})
    assert world.go({A: 100.0, B: 50.0}, {A: 0.45}) == []
    (reduce,) = world.go({A: 100.0, B: 50.0}, {A: 0.05})
    assert reduce.reason == "reduce"
    (leave,) = world.go({A: 100.0, B: 50.0}, {A: 0.0})  # within the band, yet an exit
    assert (leave.reason, leave.quantity) == ("exit", Decimal(-5))
    assert world.positions[A] == 0


def test_warmup_is_silent_but_learns():
    world = World(make())
    assert world.go({A: 100.0, B: 50.0}, {A: 0.5}, warmup=True) == []
    (intent,) = world.go({A: 100.0, B: 50.0})
    assert intent.quantity == Decimal(50)


def test_missing_bar_means_no_decision_for_that_pair():
    world = World(make())
    world.go({A: 100.0, B: 50.0})
    assert [e.instrument_id for e in world.go({B: 50.0}, {A: 0.3, B: 0.3})] == [B]
    assert [e.instrument_id for e in world.go({A: 100.0, B: 50.0})] == [A]


def test_spot_does_not_go_short_unless_told():
    assert World(make()).go({A: 100.0, B: 50.0}, {A: -0.5}) == []
    world = World(make(params={"allow_short": True}))
    (short,) = world.go({A: 100.0, B: 50.0}, {A: -0.5})
    assert short.quantity == Decimal(-50)
    (back,) = world.go({A: 100.0, B: 50.0}, {A: 0.2})
    assert (back.reason, back.quantity) == ("reverse", Decimal(70))


def test_volatility_target_sizes_and_unknown_volatility_is_denied_once():
    world = World(make(sizing={"kind": "volatility_target", "params": {"target_volatility_ann_frac": 0.4}}))
    (denial,) = world.go({A: 100.0, B: 50.0}, {A: 1.0})
    assert (denial.code, denial.rule) == ("RISK_UNKNOWN", "sizing")
    assert world.go({A: 100.0, B: 50.0}) == []
    sigma = 0.4 / 8760**0.5 * 2
    (intent,) = world.go({A: 100.0, B: 50.0}, volatility={A: sigma})
    assert intent.target_frac == pytest.approx(0.5)


def test_rules_resize_in_order_and_say_who_did_it():
    rules = [
        {"kind": "max_position_frac", "params": {"limit_frac": 0.4}},
        {"kind": "max_gross_exposure", "params": {"limit_frac": 0.6}},
    ]
    world = World(make(rules=rules))
    first, second = world.go({A: 100.0, B: 50.0}, {A: 0.9, B: 0.9})
    assert (first.quantity, first.requested_quantity, first.resized_by) == (40, 90, "max_position_frac")
    # the first intent is not filled when the second is decided: it counts as held
    assert second.target_frac == pytest.approx(0.2)
    assert second.resized_by == "max_gross_exposure"


def test_unchanged_denial_is_repeated_only_after_a_while():
    world = World(make(rules=[{"kind": "min_data_quality"}], params={"repeat_denial_steps": 5}))
    said = [len(only(world.go({A: 100.0, B: 50.0}, {A: 0.5}), OrderIntentDenied)) for _ in range(11)]
    assert said == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]


def test_denial_carries_code_limit_and_observed():
    world = World(make(rules=[{"kind": "min_data_quality", "params": {"min_score": 0.9}}]))
    poor = DataQualityAssessed(
        ts_event_ns=0, source="health", instrument_id=A, score=0.5, completeness=0.5, freshness=1.0,
        outlier_free=1.0,
    )  # fmt: skip
    (denial,) = world.go({A: 100.0, B: 50.0}, {A: 0.5}, extra=(poor,))
    assert (denial.code, denial.rule, denial.limit, denial.observed) == (
        "DATA_QUALITY", "min_data_quality", 0.9, 0.5,
    )  # fmt: skip
    assert denial.quantity == 50


def test_reductions_pass_rules_that_limit_risk():
    rules = [{"kind": "max_trades_per_window", "params": {"max_trades": 1, "window_steps": 100}}]
    world = World(make(rules=rules))
    assert only(world.go({A: 100.0, B: 50.0}, {A: 0.5}), OrderIntentApproved)
    assert only(world.go({A: 100.0, B: 50.0}, {B: 0.5}), OrderIntentDenied)
    (leave,) = only(world.go({A: 100.0, B: 50.0}, {A: 0.0}), OrderIntentApproved)
    assert leave.reason == "exit"


def test_denied_reversal_becomes_an_exit():
    rules = [{"kind": "max_trades_per_window", "params": {"max_trades": 1, "window_steps": 100}}]
    world = World(make(rules=rules, params={"allow_short": True}))
    world.go({A: 100.0, B: 50.0}, {A: 0.5})
    (leave,) = world.go({A: 100.0, B: 50.0}, {A: -0.5})
    assert (leave.reason, leave.quantity, leave.resized_by) == ("exit", -50, "max_trades_per_window")


def test_working_intent_is_not_asked_again_until_its_time_is_over():
    world = World(make(params={"working_steps": 4}), fills=False)
    said = [len(world.go({A: 100.0, B: 50.0}, {A: 0.5})) for _ in range(9)]
    assert said == [1, 0, 0, 0, 1, 0, 0, 0, 1]


def test_wish_that_returns_to_flat_withdraws_the_working_intent():
    world = World(make(), fills=False)
    world.go({A: 100.0, B: 50.0}, {A: 0.5})
    (hold,) = world.go({A: 100.0, B: 50.0}, {A: 0.0})
    assert (hold.reason, hold.quantity) == ("hold", 0)
    assert world.go({A: 100.0, B: 50.0}) == []


def test_drawdown_breaker_flattens_cools_down_and_resets():
    world = World(make(breakers={"drawdown": {"limit_frac": 0.1, "cooldown_steps": 3, "reset_share": 0.2}}))
    world.go({A: 100.0, B: 50.0}, {A: 0.5, B: 0.4})
    out = world.go({A: 78.0, B: 50.0})
    assert isinstance(out[0], CircuitBreakerTripped)
    assert out[0].observed == pytest.approx(0.11)
    assert out[0].until_step == 4
    exits = only(out, OrderIntentApproved)
    assert [(e.instrument_id, e.reason, e.urgency) for e in exits] == [
        (A, "breaker_exit", 1.0), (B, "breaker_exit", 1.0),
    ]  # fmt: skip
    assert set(world.positions.values()) == {Decimal(0)}
    out = world.go({A: 78.0, B: 50.0})
    assert [e.code for e in only(out, OrderIntentDenied)] == ["BREAKER_OPEN", "BREAKER_OPEN"]
    assert world.go({A: 78.0, B: 50.0}) == []
    out = world.go({A: 78.0, B: 50.0})
    assert isinstance(out[0], CircuitBreakerReset)
    assert len(only(out, OrderIntentApproved)) == 2  # the wishes are still there


def test_breaker_exit_is_retried_while_the_position_stays():
    world = World(make(breakers={"drawdown": {"limit_frac": 0.1}}, params={"exit_retry_steps": 3}))
    world.go({A: 100.0, B: 50.0}, {A: 0.9})
    world.fills = False
    said = [len(only(world.go({A: 80.0, B: 50.0}), OrderIntentApproved)) for _ in range(7)]
    assert said == [1, 0, 0, 1, 0, 0, 1]


def test_a_trip_cancels_an_exit_at_work_so_it_is_approved_anew():
    world = World(make(breakers={"drawdown": {"limit_frac": 0.1}}))
    world.go({A: 100.0, B: 50.0}, {A: 0.9})
    world.fills = False
    (leave,) = world.go({A: 100.0, B: 50.0}, {A: 0.0})
    assert leave.reason == "exit"
    out = world.go({A: 80.0, B: 50.0}, {A: 0.0})
    assert [e.breaker for e in only(out, CircuitBreakerTripped)] == ["drawdown"]
    assert [(e.reason, e.quantity) for e in only(out, OrderIntentApproved)] == [
        ("breaker_exit", Decimal(-90))
    ]


def test_daily_loss_breaker_rests_until_the_next_utc_day():
    world = World(make(breakers={"daily_loss": {"limit_frac": 0.03}}))
    world.go({A: 100.0, B: 50.0}, {A: 0.5})
    trip = only(world.go({A: 92.0, B: 50.0}), CircuitBreakerTripped)[0]
    resets = [s for s in range(2, 30) if only(world.go({A: 92.0, B: 50.0}), CircuitBreakerReset)]
    # step 23 closes at 24:00 and still belongs to the first day
    assert (trip.until_step, resets) == (24, [24])


def test_lost_agent_trips_for_good():
    world = World(make())
    world.go({A: 100.0, B: 50.0}, {A: 0.5})
    lost = AgentGaveUp(ts_event_ns=0, source="supervisor", agent="regime-hmm", restarts=6, window_s=60.0)
    out = world.go({A: 100.0, B: 50.0}, extra=(lost,))
    assert [type(e) for e in out] == [CircuitBreakerTripped, OrderIntentApproved]
    assert all(not only(world.go({A: 100.0, B: 50.0}), OrderIntentApproved) for _ in range(100))


def test_market_that_breaks_a_limit_is_reported_once():
    world = World(make(rules=[{"kind": "max_position_frac", "params": {"limit_frac": 0.5}}]))
    world.go({A: 100.0, B: 50.0}, {A: 0.5})
    (breach,) = only(world.go({A: 110.0, B: 50.0}), RiskLimitBreached)
    assert breach.rule == "max_position_frac"
    assert breach.observed == pytest.approx(5500 / 10500)
    assert not only(world.go({A: 110.0, B: 50.0}), RiskLimitBreached)


def test_restore_gives_the_same_future():
    rules = [
        {"kind": k} for k in ("max_position_frac", "max_gross_exposure", "max_concentration", "cooldown")
    ]
    rules.append({"kind": "var_es_limit", "params": {"min_observations": 10, "window_bars": 20}})
    rules.append({"kind": "max_trades_per_window", "params": {"max_trades": 4}})
    config = {"rules": rules, "breakers": {"drawdown": {"limit_frac": 0.02}, "daily_loss": {}}}
    rng = AgentContext("t", {A: Instrument(pair=A)}, HOUR, 3, InlineFits()).rng("prices")
    moves = 1 + 0.02 * rng.standard_normal((80, 2))
    wishes = rng.uniform(0, 1, (80, 2))

    def run(restart_at):
        agent = make(**config)
        world, log, prices = World(agent), [], [100.0, 50.0]
        for k in range(80):
            if k == restart_at:
                state = world.agent.snapshot()
                world.agent = make(**config)
                world.agent.restore(state)
                assert world.agent.snapshot() == state
            prices = [p * m for p, m in zip(prices, moves[k].tolist(), strict=True)]
            targets = dict(zip((A, B), wishes[k].tolist(), strict=True)) if k % 5 == 0 else {}
            log.append(world.go(dict(zip((A, B), prices, strict=True)), targets))
        return log

    whole = run(None)
    kinds = {type(e).__name__ for step in whole for e in step}
    assert {"OrderIntentApproved", "OrderIntentDenied", "CircuitBreakerTripped"} <= kinds
    assert repr(run(17)) == repr(whole)
    assert repr(run(55)) == repr(whole)


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"rules": [{"kind": "nonsense"}]}, UnknownComponentError),
        ({"sizing": {"kind": "volatility_target", "params": {"max_scale": -1}}}, InvalidParamsError),
        ({"breakers": {"nonsense": {}}}, InvalidParamsError),
        ({"breakers": {"drawdown": {"limit_frac": 0.1, "halt_frac": 0.05}}}, InvalidParamsError),
        ({"params": {"working_steps": 0}}, InvalidParamsError),
    ],
)
def test_bad_configuration_is_refused(params, error):
    with pytest.raises(error):
        make(**params)


def exit_fill(side=-1, leaves="0", intent="exit:stop:execution-exits:3:0", pair=A):
    return OrderFilled(
        ts_event_ns=1, source="venue", instrument_id=pair, client_order_id="x", intent_id=intent, fill_id="x-1",
        ts_fill_ns=1, side=side, quantity=Decimal(1), price=Decimal(100), fee=Decimal(0), fee_currency="USDT",
        liquidity="taker", leaves_quantity=Decimal(leaves),
    )  # fmt: skip


def changed(quantity, price, pair=A):
    return PositionChanged(
        ts_event_ns=1, source="ledger", instrument_id=pair, quantity=Decimal(str(quantity)),
        average_price=Decimal(str(price)), realised_pnl_quote=Decimal(0),
    )  # fmt: skip


def stopped_out(world, target=0.5):
    """Open, then lose the position to a stop in a step in which the wish stays what it was."""
    world.go({A: 100.0, B: 50.0}, {A: target})
    world.go({A: 100.0, B: 50.0}, {A: target})
    side = 1 if world.positions[A] > 0 else -1
    world.cash += world.positions[A] * 90
    world.positions[A] = Decimal(0)
    return world.go({A: 90.0, B: 50.0}, {A: target}, extra=(exit_fill(-side),))


@pytest.mark.parametrize("target", [0.5, -0.5])
def test_after_a_protective_exit_the_signal_must_turn_before_it_counts_again(target):
    world = World(make(exits={"stop": {"frac": 0.1}}, params={"allow_short": True}))
    assert stopped_out(world, target) == []
    assert world.go({A: 91.0, B: 50.0}, {A: target * 0.8}) == [], "another strength is no turn"
    assert world.go({A: 91.0, B: 50.0}, {A: 0.0}) == []
    (again,) = world.go({A: 92.0, B: 50.0}, {A: target})
    assert again.reason == "open"


def test_a_wish_for_the_other_side_is_news_at_once():
    world = World(make(exits={"stop": {"frac": 0.1}}, params={"allow_short": True}))
    stopped_out(world)
    (turned,) = world.go({A: 91.0, B: 50.0}, {A: -0.5})
    assert (turned.reason, turned.quantity < 0) == ("open", True)


def test_fills_of_other_intents_block_nothing():
    world = World(make())
    for _ in range(2):
        world.go({A: 100.0, B: 50.0}, {A: 0.5})
    world.cash += world.positions[A] * 100
    world.positions[A] = Decimal(0)
    (again,) = world.go({A: 100.0, B: 50.0}, {A: 0.5}, extra=(exit_fill(intent="venue:x"),))
    assert again.reason == "open"


def test_an_exit_in_parts_is_an_exit_at_work_and_what_it_leaves_is_left_in_the_end():
    world = World(make(exits={"stop": {"frac": 0.1}}, params={"working_steps": 3}))
    world.go({A: 100.0, B: 50.0}, {A: 0.5})
    world.positions[A] -= 20
    assert world.go({A: 90.0, B: 50.0}, {A: 0.5}, extra=(exit_fill(leaves="30"),)) == []
    assert world.go({A: 90.0, B: 50.0}, {A: 0.5}) == []
    assert world.go({A: 90.0, B: 50.0}, {A: 0.5}) == []
    (rest,) = world.go({A: 90.0, B: 50.0}, {A: 0.5})
    assert (rest.reason, rest.quantity) == ("exit", Decimal(-30))


def test_rules_hear_of_a_protective_exit_once():
    world = World(
        make(exits={"stop": {"frac": 0.1}}, rules=[{"kind": "cooldown", "params": {"steps_after_exit": 9}}])
    )
    stopped_out(world)
    world.go({A: 91.0, B: 50.0}, {A: 0.0})
    (no,) = world.go({A: 91.0, B: 50.0}, {A: 0.5})
    assert (no.code, no.observed) == ("COOLDOWN", 2.0)


def test_the_memory_of_exits_survives_a_restart():
    world = World(make(exits={"stop": {"frac": 0.1}}))
    stopped_out(world)
    state, world.agent = world.agent.snapshot(), make(exits={"stop": {"frac": 0.1}})
    world.agent.restore(state)
    assert world.go({A: 91.0, B: 50.0}, {A: 0.5}) == []


def ranged(pair, value):
    return RiskMeasured(ts_event_ns=1, source="risk-atr", instrument_id=pair, measure="atr", value=value)


def test_nothing_is_opened_whose_stop_is_unknown():
    world = World(make(exits={"stop": {"atr": 2}}))
    (no,) = world.go({A: 100.0, B: 50.0}, {A: 0.5})
    assert (no.code, no.rule) == ("RISK_UNKNOWN", "sizing")
    (yes,) = world.go({A: 100.0, B: 50.0}, {A: 0.5}, extra=(ranged(A, 2.0),))
    assert yes.reason == "open"


def test_risk_per_trade_is_sized_at_the_close_and_then_left_alone():
    sizing = {"kind": "risk_per_trade", "params": {"risk_frac": 0.01}}
    world = World(make(sizing=sizing, exits={"stop": {"atr": 2}}))
    # 1 % of 10,000 at 4 below 100: 25 units
    (intent,) = world.go({A: 100.0, B: 50.0}, {A: 0.3}, extra=(ranged(A, 2.0),))
    assert intent.quantity == Decimal(25)
    assert world.go({A: 100.0, B: 50.0}, {A: 0.9}, extra=(ranged(A, 0.5),)) == []
    (out,) = world.go({A: 100.0, B: 50.0}, {A: 0.0}, extra=(ranged(A, 0.5),))
    assert out.quantity == Decimal(-25)


def test_a_stated_stake_is_opened_however_small_the_dead_band_finds_it():
    small = {"kind": "fixed_quote", "params": {"quote": 200.0}}
    world = World(make(sizing=small))
    (intent,) = world.go({A: 100.0, B: 50.0}, {A: 0.3})
    assert intent.quantity == Decimal(2)
    assert world.go({A: 150.0, B: 50.0}, {A: 0.3}) == []
    tiny = World(make(sizing={"kind": "fixed_quote", "params": {"quote": 5.0}}))
    assert tiny.go({A: 100.0, B: 50.0}, {A: 0.3}) == [], "below what the venue takes"


def test_kelly_learns_from_the_trades_of_the_ledger():
    sizing = {
        "kind": "kelly",
        "params": {"min_trades": 3, "shrink_trades": 0, "start_frac": 0.02, "max_frac": 0.9},
    }
    world = World(make(sizing=sizing))
    (first,) = world.go({A: 100.0, B: 50.0}, {A: 0.3})
    assert first.target_frac == 0.02

    def closed(r):
        return TradeClosed(
            ts_event_ns=1, source="ledger", instrument_id=A, side="long", opened_ns=0, closed_ns=1,
            quantity=Decimal(1), entry_price=Decimal(1), exit_price=Decimal(1), fees_quote=Decimal(0),
            slippage_quote=Decimal(0), pnl_quote=Decimal(0), return_frac=r, duration_bars=1, exit_reason="signal",
        )  # fmt: skip

    (more,) = world.go({A: 100.0, B: 50.0}, {A: 0.3}, extra=[closed(r) for r in (0.2, 0.4, -0.3)])
    assert more.target_frac == pytest.approx(0.5 * 0.1 / 0.13)
    assert more.reason == "increase"


def test_pyramiding_knows_the_entry_price_of_the_ledger():
    rules = [{"kind": "pyramiding", "params": {"max_entries": 2, "min_gain_frac": 0.05}}]
    world = World(make(rules=rules))
    world.go({A: 100.0, B: 50.0}, {A: 0.2})
    (no,) = world.go({A: 104.0, B: 50.0}, {A: 0.5}, extra=(changed(20, 100),))
    assert (no.code, no.observed) == ("PYRAMID_GAIN", pytest.approx(0.04))
    (yes,) = world.go({A: 106.0, B: 50.0}, {A: 0.5})
    assert yes.reason == "increase"
    (no,) = world.go({A: 120.0, B: 50.0}, {A: 0.9})
    assert no.code == "PYRAMID_ENTRIES"


def status(state):
    return VenueStatusChanged(ts_event_ns=0, source="venue", state=state)


def lost_venue(**params):
    return World(make(breakers={"venue_lost": {"settle_steps": 2, "halt_after_steps": 4, **params}}))


def kinds(out):
    return [type(e) for e in out]


def test_nothing_is_sent_while_the_venue_does_not_answer_and_all_goes_on_afterwards():
    world = lost_venue()
    world.go({A: 100.0, B: 50.0}, {A: 0.3, B: 0.0})
    assert world.positions[A] > 0
    out = world.go({A: 100.0, B: 50.0}, {A: 0.0, B: 0.3}, extra=(status("down"),))
    # the exit of A waits, B's entry is denied, and what was at work is withdrawn by the trip
    assert kinds(out) == [CircuitBreakerTripped, OrderIntentDenied]
    assert (out[0].breaker, out[1].code, out[1].rule) == ("venue_lost", "BREAKER_OPEN", "breaker:venue_lost")
    assert kinds(world.go({A: 90.0, B: 50.0})) == []
    assert kinds(world.go({A: 90.0, B: 50.0}, extra=(status("open"),))) == []
    assert kinds(world.go({A: 90.0, B: 50.0})) == []
    out = world.go({A: 90.0, B: 50.0})
    assert kinds(out) == [CircuitBreakerReset, OrderIntentApproved, OrderIntentApproved]
    assert world.positions[A] == 0
    assert world.positions[B] > 0


def test_a_venue_that_was_away_too_long_is_left_when_it_answers():
    world = lost_venue()
    world.go({A: 100.0, B: 50.0}, {A: 0.3})
    world.go({A: 100.0, B: 50.0}, extra=(status("down"),))
    said = [world.go({A: 80.0, B: 50.0}) for _ in range(4)]
    assert kinds(said[-1]) == [CircuitBreakerTripped]
    assert said[-1][0].observed == 4.0
    out = world.go({A: 80.0, B: 50.0}, extra=(status("open"),))
    assert [e.reason for e in out] == ["breaker_exit"]
    assert world.positions[A] == 0
    for _ in range(9):
        assert not any(isinstance(e, OrderIntentApproved) for e in world.go({A: 80.0, B: 50.0}, {A: 0.3}))


def test_without_the_breaker_orders_go_on():
    world = World(make(breakers={}))
    out = world.go({A: 100.0, B: 50.0}, {A: 0.3}, extra=(status("down"),))
    assert kinds(out) == [OrderIntentApproved]


def test_an_intent_at_work_is_withdrawn_when_its_pair_falls_silent():
    world = World(make(params={"stale_steps": 3, "working_steps": 12}), fills=False)
    world.go({A: 100.0, B: 50.0}, {A: 0.3})
    said = [world.go({B: 50.0}) for _ in range(6)]
    withdrawn = [(k, e) for k, out in enumerate(said) for e in out]
    assert [(k, e.instrument_id, e.quantity, e.reason) for k, e in withdrawn] == [(2, A, 0, "stale")]


def _assessed(score, level, pair=A, detail=True):
    return RegimeAssessed(
        ts_event_ns=0, source="regime-ensemble", instrument_id=pair, detector="ensemble", label="bull",
        probabilities=(1.0, 0.0, 0.0, 0.0, 0.0, 0.0), confidence=score,
        detail=RegimeConfidence(score=score, raw=score, level=level) if detail else None,
    )  # fmt: skip


def test_new_risk_is_scaled_by_the_confidence_in_the_regime_and_the_intent_says_so():
    world = World(make(rules=[{"kind": "regime_confidence"}]))
    prices = {A: 100.0, B: 50.0}
    unsure = _assessed(0.375, "LOW")
    first, second = only(
        world.go(prices, {A: 0.4, B: 0.4}, extra=(unsure, _assessed(0.9, "HIGH", B))), OrderIntentApproved
    )
    # 0.5 + 0.5 · 0.375/0.75 = 0.75 of what was wished
    assert (first.quantity, first.requested_quantity, first.resized_by) == (30, 40, "regime_confidence")
    assert (second.target_frac, second.resized_by) == (0.4, "")
    # falling confidence sells nothing, and denies enlargements with score and limit
    out = world.go(prices, {A: 0.4}, extra=(_assessed(0.1, "LOW"),))
    assert only(out, OrderIntentApproved) == []
    (no,) = only(out, OrderIntentDenied)
    assert (no.code, no.rule, no.limit, no.observed) == ("REGIME_UNSURE", "regime_confidence", 0.75, 0.1)
    # leaving is always allowed, and with trust regained the rest is opened
    (more,) = only(world.go(prices, {A: 0.4}, extra=(_assessed(0.8, "HIGH"),)), OrderIntentApproved)
    assert (more.reason, more.target_frac) == ("increase", 0.4)
    (leave,) = only(world.go(prices, {A: 0.0}, extra=(_assessed(0.1, "LOW"),)), OrderIntentApproved)
    assert leave.reason == "exit"


def test_without_a_regime_or_its_detail_nothing_is_scaled():
    world = World(make(rules=[{"kind": "regime_confidence"}]))
    quiet = _assessed(0.1, "LOW", detail=False)
    (intent,) = world.go({A: 100.0, B: 50.0}, {A: 0.5}, extra=(quiet,))
    assert (intent.target_frac, intent.resized_by) == (0.5, "")


def test_confidence_outlives_a_restore():
    world = World(make(rules=[{"kind": "regime_confidence"}]))
    world.go({A: 100.0, B: 50.0}, extra=(_assessed(0.375, "LOW"),))
    other = make(rules=[{"kind": "regime_confidence"}])
    other.restore(world.agent.snapshot())
    world.agent = other
    (intent,) = only(world.go({A: 100.0, B: 50.0}, {A: 0.4}), OrderIntentApproved)
    assert intent.target_frac == pytest.approx(0.3)
