"""Whatever happens, every bar meets a position that its stops cover exactly, and nothing is sold twice.

Looked at where it counts: inside the venue, when all commands of a step have arrived and before a bar is matched.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.model.timerange import TimeRange
from actors.domain.simulation import book_order as book
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from actors.domain.simulation.venue import SimulatedVenue
from cluster.runs.backtest import run_fast
from cluster.runs.plan import build_plan
from config.load import resolve

QUIET = argparse.Namespace(no_progress=True)
MEMBER = "strategies=[{kind: ma_crossover, params: {fast_bars: 3, slow_bars: 9}}]"
LEAN = ["regime.detectors=[]", "learning.predictors=[]", "features.indicators=[]"]
STOPS = {
    "stop": ["exits.stop.frac=0.015"],
    "bracket": ["exits.stop.frac=0.015", "exits.target.r=1"],
    "three": ["exits.stop.atr=2", "exits.target.atr=1", "exits.trailing.frac=0.05"],
}
MARKETS = {
    "plain": [],
    "in parts": ["venue.max_volume_share=0.00005"],
    "in slices": ["venue.max_volume_share=0.0005", "execution.twap_above_share=0.0000001"],
    "too large": ["account.initial_cash_quote=3000000"],
    "many changes": ["risk.params.rebalance_band_frac=0.0"],
    "short and long": ["account.mode=perpetual", "account.leverage=3"],
    "borrowed, in parts": ["account.mode=margin", "account.leverage=2", "venue.max_volume_share=0.0001"],
    "fee in base": ["venue.fees={kind: maker_taker, params: {fee_currency: received}}"],
}


class Watched:
    """Counts what protects each position before every bar."""

    def __init__(self) -> None:
        self.seen = 0
        self.naked: list[Any] = []
        self.twice: list[Any] = []

    def look(self, venue: SimulatedVenue) -> None:
        for pair, instrument in venue.instruments.items():
            owned = instrument.quantity(venue.balances[instrument.base])
            held = abs(owned)
            # the venue takes no order for dust
            if held * Decimal(repr(venue._marks.get(pair, 0.0))) < 2 * instrument.min_notional:
                continue
            self.seen += 1
            live = [
                o
                for o in venue._live.values()
                if o.pair == pair
                and o.reduce_only
                and o.status == book.WORKING
                and o.order_list_id
                and o.side * owned < 0
            ]
            stops = sum((o.leaves for o in live if o.order_type == "stop"), Decimal(0))
            where = (venue._number, pair, held, [(o.order_type, o.leaves, o.triggered) for o in live])
            leaving = any(o.triggered for o in live)
            if stops < held and not leaving:
                self.naked.append(where)
            # the child of an order that turned the position is as large as its parent: the venue cuts it
            turning = venue._leveraged and any(o.parent_id and o.leaves > held for o in live)
            if stops > held and not leaving and not turning:
                self.twice.append(where)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    found, inner = Watched(), SimulatedVenue._match

    def match(self: SimulatedVenue, bars: Mapping[str, BarClosed], out: list[Event]) -> None:
        found.look(self)
        inner(self, bars, out)

    monkeypatch.setattr(SimulatedVenue, "_match", match)
    return found


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("exits", STOPS)
def test_no_bar_meets_a_naked_position(exits: str, market: str, watched: Watched) -> None:
    reasons: Counter[str] = Counter()
    for seed in range(3):
        frames = dict(list(generate(SyntheticParams(n_bars=400), seed).frames.items())[:2])
        sets = [
            f"pairs=[{', '.join(frames)}]",
            f"seed={seed}",
            MEMBER,
            *LEAN,
            *STOPS[exits],
            *MARKETS[market],
        ]
        start = int(next(iter(frames.values())).open_ns[60])
        plan = build_plan(
            resolve("backtest", sets=sets), frames, TimeRange(start, None), run_id="p", run_dir=Path(),
            key_path=Path(), journal=False,
        )  # fmt: skip
        run = run_fast(QUIET, plan, None)
        assert run.path == "fast"
        reasons.update(t["exit_reason"] for t in run.finished.recorder.record.trade_rows())
    assert watched.naked == []
    assert watched.twice == []
    assert watched.seen > 100
    assert reasons["stop"] > 0, "no stop was ever met: the test says nothing"
    assert exits == "stop" or reasons["target"] > 0
