"""The agent that hosts a strategy of freqtrade's style: a restored one goes on as the first one did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from freqtrade_run import frame, plan, strategy

from actors.agents.freqtrade import FreqtradeAgent
from actors.domain.errors import StrategyError
from actors.domain.fitting import InlineFits
from actors.domain.processor import Step
from actors.runtime.build import build_agent
from actors.runtime.local import LocalHost
from actors.runtime.wire import encode_block
from cluster.runs.plan import RunPlan

BODY = """
minimal_roi = {"0": 0.02, "600": 0.005}
stoploss = -0.03
trailing_stop = True
trailing_stop_positive = 0.005
trailing_stop_positive_offset = 0.01
protections = [{"method": "CooldownPeriod", "stop_duration_candles": 2}]
position_adjustment_enable = True
use_custom_stoploss = True

def bot_start(self, **kwargs):
    self.seen = {}

def populate_entry_trend(self, dataframe, metadata):
    dataframe.loc[dataframe["close"] < dataframe["close"].rolling(5).mean(), "enter_long"] = 1
    return dataframe

def custom_stake_amount(self, pair, current_time, current_rate, proposed_stake, **kwargs):
    return 1000.0 + 10.0 * self.seen.get(pair, 0)

def adjust_trade_position(self, trade, current_time, current_rate, current_profit, **kwargs):
    if current_profit < -0.01 and trade.nr_of_successful_entries < 3:
        trade.set_custom_data("added", trade.get_custom_data("added", 0) + 1)
        return 500.0
    return None

def custom_stoploss(self, pair, trade, current_time, current_rate, current_profit, **kwargs):
    return -0.02 if trade.get_custom_data("added") else None

def confirm_trade_entry(self, pair, **kwargs):
    self.seen[pair] = self.seen.get(pair, 0) + 1
    return self.seen[pair] % 3 != 0
"""


def market(n: int = 300) -> dict[str, object]:
    rng = np.random.default_rng(8)
    out = {}
    for pair in ("BTC/USDT", "ETH/USDT"):
        close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.008, n)))
        opened = np.concatenate([[100.0], close[:-1]])
        high, low = np.maximum(opened, close) * 1.004, np.minimum(opened, close) * 0.996
        out[pair] = frame(list(zip(opened, high, low, close, strict=True)), pair)
    return out


def heard(made: RunPlan) -> list[Step]:
    """Return every step as the agent gets it in a run."""
    host = LocalHost(made.graph, made.settings)
    agent = host.agents[made.graph.index["freqtrade"]]
    steps: list[Step] = []
    process = agent.process

    def listen(step: Step) -> object:
        steps.append(step)
        return process(step)

    agent.process = listen  # type: ignore[method-assign]
    for begin in range(0, len(made.feed), 64):
        host.block(made.feed.block(begin, begin + 64))
    return steps


def built(made: RunPlan) -> FreqtradeAgent:
    spec = made.graph.specs[made.graph.index["freqtrade"]]
    agent = build_agent(spec, made.settings, InlineFits())
    assert isinstance(agent, FreqtradeAgent)
    return agent


def test_a_restored_agent_goes_on_as_the_first_one(tmp_path: Path) -> None:
    frames = market()
    made = plan(tmp_path, strategy(tmp_path, BODY), frames, sets=["freqtrade.max_open_trades=2"])  # type: ignore[arg-type]
    steps = heard(made)
    first = built(made)
    said = [encode_block([list(first.process(s))]) for s in steps]
    assert sum(len(s) for s in said) > 20_000
    for at in (40, 150, 151, 260):
        before = built(made)
        for s in steps[:at]:
            before.process(s)
        after = built(made)
        after.restore(before.snapshot())
        assert [encode_block([list(after.process(s))]) for s in steps[at:]] == said[at:]
        assert after.snapshot() == first.snapshot()


def test_what_cannot_be_kept_is_named(tmp_path: Path) -> None:
    body = "def bot_start(self, **kwargs):\n    self.helper = lambda x: x\n"
    made = plan(tmp_path, strategy(tmp_path, body), market(20))  # type: ignore[arg-type]
    with pytest.raises(
        StrategyError, match=r"Mine.helper: expected something that can be kept in a snapshot"
    ):
        built(made).snapshot()
