"""Detectors on longer frames inside the fleet: causal to the bar, restorable, and what a panel says beside it."""

from __future__ import annotations

from pathlib import Path

import contract
import numpy as np
import pytest
import recorded_run as recorded
import small
from recorded_run import process

from actors.domain.errors import ConfigError
from actors.domain.events.market import BarClosed, DataQualityAssessed
from actors.domain.events.regime import RegimeAssessed
from actors.domain.fitting import InlineFits
from actors.domain.model.bars import FLAG_FORWARD_FILLED, BarFrame
from actors.domain.processor import Step
from actors.domain.regime.panel import Panel
from actors.runtime.build import build_agent
from actors.runtime.local import LocalHost

QUICK = "{min_history_bars: 60, window_bars: 100, refit_every_bars: 100, lag_steps: 5}"
SETS = [
    "regime.timeframes=[4h, 2h]",
    f"regime.detectors.hmm.params={QUICK}",
    "regime.detectors.volatility.params={min_history_bars: 60}",
]
HOUR = 3_600 * 10**9
NAMES = [f"regime-{kind}{frame}" for frame in ("", "-2h", "-4h") for kind in ("hmm", "volatility", "trend")]


@pytest.fixture(scope="module")
def market() -> dict:
    return small.frames(500)


def _mid_bar(market: dict, step: int) -> int:
    """The first step from `step` on that is the second hour of a bar of four."""
    opened = next(iter(market.values())).open_ns
    return next(k for k in range(step, len(opened)) if int(opened[k]) // HOUR % 4 == 1)


def test_an_unfinished_longer_bar_changes_nothing_that_was_said_before_it(
    market: dict, tmp_path: Path
) -> None:
    cut = _mid_bar(market, 350)
    futures = {"another": recorded.changed(market, cut), "none": recorded.truncated(market, cut)}
    assert recorded.check_fleet_causal(tmp_path, market, futures, cut, SETS) == []


@pytest.mark.parametrize("which", [0, 1], ids=["whole", "holed"])
def test_views_of_longer_frames_change_at_their_close_only_and_a_panel_says_the_same(
    which: int, market: dict, tmp_path: Path
) -> None:
    plan = small.plan(tmp_path, market=market, sets=SETS)
    assert [n for n in plan.graph.names if n.startswith("regime-")] == [*NAMES, "regime-ensemble"]
    pair, gaps = list(market)[which], 0
    regime = plan.config.model.regime
    panel = Panel(
        [(p.kind, p.params) for p in regime.detectors], regime.ensemble, pair=pair, seed=plan.settings.seed,
        fits=InlineFits(), timeframe="1h", timeframes=["2h", "4h"],
    )  # fmt: skip
    assert panel.frames == ("1h",) * 3 + ("2h",) * 3 + ("4h",) * 3
    host = LocalHost(plan.graph, plan.settings)
    quality, held, moved = 1.0, dict.fromkeys(NAMES), dict.fromkeys(NAMES, 0)
    due_ns = -1
    for item in plan.feed:
        said = [e for _, events in host.step(item) for e in events if e.instrument_id == pair]
        bar = next((e for e in said if isinstance(e, BarClosed)), None)
        if bar is None:
            gaps += 1
            continue
        views = {e.source: e for e in said if isinstance(e, RegimeAssessed)}
        quality = next((e.score for e in said if isinstance(e, DataQualityAssessed)), quality)
        mine = panel.update(bar.high, bar.low, bar.close, quality, open_ns=bar.open_ns)
        # who pools hears in a fleet that a step is missing, which lowers confidence
        told = (*NAMES, "regime-ensemble") if which == 0 else NAMES
        for name, view in zip(told, mine, strict=which == 0):
            event = views[name]
            assert (event.label, event.probabilities, event.confidence) == (
                view.label, view.probabilities, view.confidence), (item.step, name)  # fmt: skip
        for name in NAMES:
            frame = {"-2h": 2, "-4h": 4}.get(name[-3:], 1)
            seen = views[name].probabilities
            assert views[name].timeframe == ("" if frame == 1 else name[-2:])
            # a longer bar that a gap left open is seen with the next bar
            if bar.close_ns // HOUR % frame and bar.open_ns == due_ns:
                assert held[name] in (None, seen), (item.step, name)
            moved[name] += held[name] != seen
            held[name] = seen
        due_ns = bar.close_ns
    assert min(moved.values()) > 5, moved
    assert gaps == (0, 3)[which]


def test_restored_agents_of_longer_frames_have_the_same_future(market: dict, tmp_path: Path) -> None:
    plan = small.plan(tmp_path, market=market, sets=SETS)
    steps = [Step(s.step, s.ts_event_ns, s.events, s.warmup) for s in plan.feed]
    for name in ("regime-hmm-2h", "regime-trend-4h"):
        spec = plan.graph.specs[plan.graph.index[name]]

        def make(spec=spec):
            return build_agent(spec, plan.settings, InlineFits())

        for cut in (0, 101, 198):
            assert contract.check_snapshot(make, process, steps, cut, 300) == []


@pytest.mark.parametrize("wrong", ["[30m]", "[1h]", "[90m]", "[4h, 4h]"])
def test_frames_that_do_not_fit_are_refused_before_anything_runs(
    wrong: str, market: dict, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="timeframe"):
        small.plan(tmp_path, market=market, sets=[f"regime.timeframes={wrong}"])


def test_a_panel_judges_data_as_the_fleets_monitor_does(market: dict, tmp_path: Path) -> None:
    """Bars on time, a gap, bars filled in and an outlier: every view of a panel is the fleet's, confidence included."""
    frame = next(iter(market.values()))
    keep = np.ones(len(frame), dtype=bool)
    keep[300:312] = False
    columns = {
        c: getattr(frame, c)[keep].copy()
        for c in ("open_ns", "open", "high", "low", "close", "volume", "flags")
    }
    columns["flags"][340:345] = FLAG_FORWARD_FILLED
    columns["high"][360] *= 1.6
    holed = BarFrame(frame.pair, frame.timeframe_ns, source=frame.source, synthetic=True, **columns)
    worst = []
    for name, bars in (("clean", frame), ("holed", holed)):
        sets = [*SETS, "health.window_bars=60"]
        plan = small.plan(tmp_path / name, market={frame.pair: bars}, sets=sets)
        config = plan.config.model
        parts = [(p.kind, p.params) for p in config.regime.detectors]
        panel = Panel(
            parts, config.regime.ensemble, pair=frame.pair, seed=plan.settings.seed, fits=InlineFits(),
            timeframe="1h", timeframes=["2h", "4h"], health=config.health,
        )  # fmt: skip
        host, scores = LocalHost(plan.graph, plan.settings), []
        for item, mine in zip(plan.feed, panel.run(bars), strict=True):
            said = [e for _, events in host.step(item) for e in events if isinstance(e, RegimeAssessed)]
            views = {e.source: e for e in said}
            for source, view in zip((*NAMES, "regime-ensemble"), mine, strict=True):
                event = views[source]
                assert (event.label, event.probabilities, event.confidence, event.detail) == (
                    view.label, view.probabilities, view.confidence, view.detail), (item.step, source)  # fmt: skip
            assert mine[0].data_quality <= 1.0
            if mine[-1].detail is not None:
                scores.append(mine[-1].detail.data_quality)
        worst.append(min(scores))
    assert worst[0] == 1.0
    assert worst[1] < 0.85
