"""What ``new-strategy`` writes: a strategy that runs, and a test that passes."""

from __future__ import annotations

STRATEGY = '''"""{name}: what it trades, and why that should pay, in a sentence.

What stands here is shown by `tradewind list-strategies` as its source: the paper or book the rule comes from.
"""

from actors.domain.strategies.simple import Param, SimpleStrategy, indicator


class {name}(SimpleStrategy):
    """Long while the fast average is above the slow one and the rise is not overdone; short below it.

    Warm-up: the longest of the indicators.
    """

    # low and high are what a search looks through; ge, gt, le, lt are what is legal
    fast_bars = Param(12, ge=2, low=5, high=50, log=True, about="bars of the fast average")
    slow_bars = Param(48, ge=3, low=20, high=200, log=True, about="bars of the slow average")
    rsi_bars = Param(14, ge=2, low=5, high=30, about="bars of the RSI")
    hot_rsi = Param(80.0, gt=50.0, lt=100.0, low=60.0, high=95.0, about="RSI above which nothing is bought")
    ordered = ("fast_bars", "slow_bars")

    def indicators(self):
        # any kind of `tradewind list-indicators`, under the name that `decide` gives it
        return {{
            "fast": indicator("sma", window_bars=self.fast_bars),
            "slow": indicator("sma", window_bars=self.slow_bars),
            "rsi": indicator("rsi", window_bars=self.rsi_bars),
        }}

    def decide(self, bar, fast, slow, rsi):
        # called at each close once all values are known; 0.6 is long with confidence 0.6, None is flat.
        # To remember something from bar to bar: `from ... import Memory`, `entry = Memory(0.0)` in the class
        if fast > slow:
            return 0.6 if rsi <= self.hot_rsi else None
        if fast < slow:
            return -0.6
        return None
'''

TEST = '''"""Test of {name}; run it with: python -m pytest {file}"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from {module} import {name}

from actors.domain.strategies.trial import columns_of, faults, opinions


def make(**params):
    return {name}({name}.Params(**params))


def test_it_keeps_the_contract():
    # causal, the same after a restore, batch form equal to the streaming form to the bit
    assert faults(make) == []


def test_by_hand():
    strategy = make(fast_bars=2, slow_bars=3, rsi_bars=2, hot_rsi=80.0)
    # averages of 2: -, 9.5, 10.5, 12, 10; of 3: -, -, 10.33, 11, 10.67; RSI(2): -, -, 75, 75, 15
    direction, confidence = opinions(strategy, columns_of([10.0, 9.0, 12.0, 12.0, 8.0]))
    assert direction == [0.0, 0.0, 1.0, 1.0, -1.0]
    assert confidence == [0.0, 0.0, 0.6, 0.6, 0.6]


def test_an_overdone_rise_is_not_bought():
    # only gains: the RSI is 100
    direction, _ = opinions(make(fast_bars=2, slow_bars=3, rsi_bars=2), columns_of([10.0, 11.0, 13.0, 14.0]))
    assert direction == [0.0, 0.0, 0.0, 0.0]
'''
