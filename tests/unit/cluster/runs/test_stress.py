"""Stress trials on a small market: the fleet through disturbances of the venue and of the feed, beside its twin."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from small import frames

from actors.domain.errors import ConfigError, DataError
from actors.domain.events.market import BarClosed, BarOverdue, BarUnseen, VenueDisturbed
from actors.domain.events.system import AlertRaised
from actors.domain.model.timerange import TimeRange
from actors.domain.stress.scenario import Shock
from actors.runtime.disturbed import DisturbedFeed, Silence, VenueState
from actors.runtime.fanout_serial import SerialFanOut
from cluster.cli.stress import loss_limits, read_shocks
from cluster.runs import stress_result
from cluster.runs.execute import run_local
from cluster.runs.stress import (
    FLEET,
    SHIPPED,
    Subjects,
    make_plan,
    read_crises,
    run_stress,
    strike_time,
)
from cluster.runs.stress_trial import Lived, Trial, Witness, live_through, trial_plan
from config.load import resolve

SETS = (
    'pairs=["BTC/USDT", "ETH/USDT"]', 'strategies=[{"kind": "ma_crossover"}]', "regime.detectors=[]",
    "learning.predictors=[]", "features.indicators=[]",
)  # fmt: skip


@cache
def subjects(*more: str) -> Subjects:
    return Subjects(frames(700), {FLEET: resolve("paper", sets=[*SETS, *more], env={})})


@cache
def base() -> Trial:
    f = next(iter(subjects().frames.values()))
    start = int(f.open_ns[200])
    return Trial(FLEET, start, f.end_ns, start)


@cache
def struck() -> int:
    return strike_time(live(base()), next(iter(subjects().frames.values())).timeframe_ns)


@cache
def live(trial: Trial, *more: str) -> Lived:
    return live_through(subjects(*more), trial, None)


def shocked(kind: str, **params: object) -> Trial:
    shock = Shock(name=kind, kind=kind, **params)  # type: ignore[arg-type]
    return replace(base(), at_ns=struck(), shock=shock)


def before(lived: Lived) -> np.ndarray:
    return lived.account.equity[lived.account.ts_ns <= struck()]


@pytest.mark.parametrize(
    "kind",
    ["flash_crash", "gap", "correlation_one", "liquidity_gone", "spread", "clock_skew", "exchange_down", "venue_dies",
     "feed_stops"],
)  # fmt: skip
def test_every_disturbance_is_causal_loses_no_order_and_leaves_a_balanced_ledger(kind: str) -> None:
    lived = live(shocked(kind))
    np.testing.assert_array_equal(before(lived), before(live(base())))
    assert lived.decision_hash != live(base()).decision_hash
    assert (lived.lost, lived.doubled, lived.into_void) == (0, 0, 0)
    assert lived.balanced


def test_without_the_breaker_orders_go_into_the_void() -> None:
    trial = shocked("exchange_down", bars=24, size_frac=0.3)
    assert live(trial, "risk.breakers.venue_lost=null").into_void > 0
    assert live(trial).into_void == 0
    assert live(trial).trips[0][1] == "venue_lost"


def test_a_dead_venue_keeps_what_was_there() -> None:
    lived = live(shocked("venue_dies"))
    after = lived.account.ts_ns > struck()
    held = lived.exposures[after]
    assert (held != 0.0).any(axis=1).all()
    assert lived.fills == 0
    # once at the loss, once when the absence has become too long
    assert [name for _, name, _ in lived.trips].count("venue_lost") == 2
    assert live(base()).fills > 0


def test_refused_orders_are_told_with_their_code() -> None:
    trial = shocked("clock_skew", bars=24, size_frac=0.3)
    lived = live(trial, "risk.breakers.venue_lost=null")
    assert set(lived.rejections) == {"CLOCK_SKEW"}


def test_a_silent_feed_hides_bars_from_the_fleet_only() -> None:
    f = subjects().frames
    pair, first = "BTC/USDT", int(f["BTC/USDT"].open_ns[300])
    width = f[pair].timeframe_ns
    feed = DisturbedFeed(
        f, None, venue=[VenueState(first, "down")], silences=[Silence(pair, first, first + 3 * width)]
    )
    items = {item.ts_event_ns: item.events for item in feed}
    assert len(items) == len(feed)
    for k in range(-1, 4):
        events = items[first + (k + 1) * width]
        kinds = {type(e) for e in events if e.instrument_id == pair}
        assert kinds == ({BarUnseen, BarOverdue} if 0 <= k < 3 else {BarClosed})
        assert any(isinstance(e, VenueDisturbed) for e in events) == (k == 0)


def test_silence_is_noticed() -> None:
    trial = shocked("feed_stops", bars=12)
    plan = trial_plan(subjects().frames, subjects().configs[FLEET], trial)
    witness = Alerts(plan, trial.at_ns)
    run_local(plan, recorder=witness)
    assert [a.code for a in witness.alerts if a.code.startswith("DATA_STALE")] == ["DATA_STALE"] * 2


class Alerts(Witness):
    """A witness that keeps alerts."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.alerts: list[AlertRaised] = []

    def _see(self, event: object, step: int, known_away: bool) -> None:
        super()._see(event, step, known_away)  # type: ignore[arg-type]
        if isinstance(event, AlertRaised):
            self.alerts.append(event)


def test_the_whole_stress_test_is_the_same_again_and_its_rows_are_whole() -> None:
    shocks = [
        Shock(name="gap", kind="gap", size_frac=0.3),
        Shock(name="dies", kind="venue_dies", size_frac=0.2, bars=6),
    ]
    f = next(iter(subjects().frames.values()))
    span = base()
    limits = loss_limits(subjects().configs[FLEET])
    hashes = []
    for _ in range(2):
        plan = make_plan(subjects(), [], shocks, TimeRange(span.start_ns, span.end_ns), f.timeframe_ns)
        pool = SerialFanOut(subjects())
        stressed = run_stress(plan, pool, limits={"daily_loss": limits["daily_loss"]})
        rows = stress_result.rows_of(stressed, FLEET)
        reverse = stress_result.reverse_rows(stressed, limits)
        hashes.append(stress_result.table_hash(rows, reverse))
    assert hashes[0] == hashes[1]
    assert stress_result.checks_of(rows)["ok"]
    gap = rows[0]
    assert gap["drawdown_frac"] > gap["undisturbed_drawdown_frac"]
    assert gap["market_fall_frac"] == pytest.approx(0.3, abs=0.05)
    assert gap["exposure_before_frac"] > 0.05
    found = {r["kind"]: r for r in reverse}["gap"]
    assert 0.0 < found["holds_frac"] < found["breaks_frac"] < 0.95
    # the bracket holds on the fleet itself
    book = stress_result.book_at_strike(stressed)
    assert found["holds_frac"] * sum(book.values()) < limits["daily_loss"] * 1.6
    likely = stress_result.likely_rows(stressed, {"daily_loss": 0.05}, 24, pool)
    assert likely[0]["book_pnl_frac"] == pytest.approx(-0.05)


def test_a_failed_check_is_told() -> None:
    rows = [{"failure": "x"}]
    assert not stress_result.checks_of(rows)["ok"]


def test_shipped_crises_are_read_and_bad_ones_refused(tmp_path: object) -> None:
    crises = read_crises(None)
    assert len(crises) == 12
    assert {c.kind for c in crises} == {"crisis", "bear start"}
    assert SHIPPED.is_file()
    with pytest.raises(DataError, match="expected a CSV file"):
        read_crises("nowhere.csv")


def test_a_span_without_room_is_refused() -> None:
    f = next(iter(subjects().frames.values()))
    with pytest.raises(DataError, match="expected at least 168 bars"):
        make_plan(subjects(), [], [], TimeRange(int(f.open_ns[600]), None), f.timeframe_ns)


def test_problems_of_a_file_of_shocks_are_told_at_once(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "shocks.yaml"
    path.write_text(
        "- {name: a, kind: gap, size_frac: 2}\n- {name: b, kind: meteor}\n- {name: c, kind: gap}\n"
    )
    with pytest.raises(ConfigError) as e:
        read_shocks(str(path))
    assert "[0].size_frac" in str(e.value)
    assert "[1].kind" in str(e.value)
    path.write_text("- {name: a, kind: gap}\n- {name: a, kind: slide}\n")
    with pytest.raises(ConfigError, match="'a': given twice"):
        read_shocks(str(path))
    with pytest.raises(ConfigError, match="expected a YAML or JSON list"):
        read_shocks(str(tmp_path / "none.yaml"))
