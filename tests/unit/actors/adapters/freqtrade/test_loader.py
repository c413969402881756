"""Loading a strategy file: what its imports find, what is refused in one message, where parameters come from."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from actors.adapters.freqtrade import shim, support, ta_lib
from actors.adapters.freqtrade.loader import load_strategy
from actors.adapters.freqtrade.parameters import (
    BooleanParameter,
    CategoricalParameter,
    DecimalParameter,
    IntParameter,
    RealParameter,
    parameters_of,
)
from actors.domain.errors import ConfigError, InvalidParamsError

HEAD = "from freqtrade.strategy import IStrategy\n\n\nclass Mine(IStrategy):\n"


def written(folder: Path, body: str, head: str = HEAD) -> Path:
    file = folder / "mine.py"
    file.write_text(
        head + "".join(f"    {line}\n" for line in body.splitlines() or ["pass"]), encoding="utf-8"
    )
    return file


def test_imports_of_every_usual_form_are_answered_and_taken_back(tmp_path: Path) -> None:
    head = """
import logging
from datetime import datetime
from functools import reduce

import freqtrade.vendor.qtpylib.indicators as qtpylib
import numpy as np
import pandas as pd
import talib.abstract as ta
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.exchange import timeframe_to_minutes, timeframe_to_prev_date
from freqtrade.persistence import Order, Trade
from freqtrade.strategy import (BooleanParameter, CategoricalParameter, DecimalParameter, IntParameter, IStrategy,
                                RealParameter, informative, merge_informative_pair, stoploss_from_absolute,
                                stoploss_from_open)
from freqtrade.strategy.interface import IStrategy
from freqtrade.vendor.qtpylib.indicators import crossed_above
from pandas import DataFrame, Series


class Mine(IStrategy):
"""
    strategy = load_strategy(written(tmp_path, "timeframe = '5m'", head), "Mine")
    assert strategy.timeframe == "5m"
    assert not [n for n in sys.modules if n.split(".")[0] == "freqtrade"]


def test_a_real_module_of_that_name_is_there_again_afterwards(tmp_path: Path) -> None:
    from types import ModuleType

    real = ModuleType("freqtrade")
    sys.modules["freqtrade"] = real
    try:
        load_strategy(written(tmp_path, ""))
        assert sys.modules["freqtrade"] is real
    finally:
        del sys.modules["freqtrade"]


def test_what_a_stand_in_lacks_is_named(tmp_path: Path) -> None:
    head = "from freqtrade.vendor.qtpylib import indicators as q\n" + HEAD
    with pytest.raises(ConfigError, match=r"expected one of atr, .*found 'renko', which is not supported"):
        load_strategy(written(tmp_path, "x = q.renko", head))
    with pytest.raises(ConfigError, match=r"expected its imports to be installed, found: .*'hyperopt_magic'"):
        load_strategy(written(tmp_path, "", "from freqtrade.strategy import hyperopt_magic\n" + HEAD))
    with pytest.raises(
        ConfigError, match=r"No module named 'not_there_at_all'; install the package with pip"
    ):
        load_strategy(written(tmp_path, "", "import not_there_at_all\n" + HEAD))


def test_ta_lib_has_a_stand_in_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ta_lib, "installed", lambda: False)
    shim.modules.cache_clear()
    try:
        body = "def populate_indicators(self, dataframe, metadata):\n"
        body += "    dataframe['rsi'] = ta.RSI(dataframe, timeperiod=2)\n    return dataframe"
        strategy = load_strategy(written(tmp_path, body, "import talib.abstract as ta\n" + HEAD))
        with shim.installed():
            assert sys.modules["talib.abstract"].RSI.__module__ == ta_lib.__name__
        frame = pd.DataFrame({"close": [1.0, 2.0, 1.0, 2.0]})
        assert strategy.populate_indicators(frame, {})["rsi"].iloc[-1] == 75.0
        with pytest.raises(ConfigError, match=r"talib.abstract: expected one of AD, .*found 'HT_SINE'"):
            load_strategy(written(tmp_path, "x = ta.HT_SINE", "import talib.abstract as ta\n" + HEAD))
    finally:
        shim.modules.cache_clear()


def test_helpers_beside_the_file_are_found(tmp_path: Path) -> None:
    (tmp_path / "helpers_beside.py").write_text("WIDTH = 7\n", encoding="utf-8")
    file = written(tmp_path, "startup_candle_count = helpers_beside.WIDTH", "import helpers_beside\n" + HEAD)
    try:
        assert load_strategy(file).startup_candle_count == 7
    finally:
        del sys.modules["helpers_beside"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("class Mine:\n    pass\n", "expected one strategy class, found none; name it as FILE:CLASS"),
        (
            HEAD + "    pass\n\n\nclass Other(IStrategy):\n    pass\n",
            "expected one strategy class, found Mine, Other",
        ),
        ("class Mine(:\n", "expected Python, found"),
        ("x = 1 / 0\n", "ZeroDivisionError while it was loaded: division by zero"),
    ],
)
def test_a_file_that_is_no_strategy(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.py"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_strategy(file)


def test_a_file_or_class_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a Python file, found nothing at"):
        load_strategy(tmp_path / "none.py")
    with pytest.raises(ConfigError, match="expected a strategy class Yours, found Mine"):
        load_strategy(written(tmp_path, ""), "Yours")


def test_everything_that_is_not_supported_is_named_at_once(tmp_path: Path) -> None:
    body = (
        "can_short = True\nstoploss = 0.1\ntrailing_stop_positive = 2\nminimal_roi = {'soon': 0.1}\n"
        "startup_candle_count = -1\n"
        "def custom_entry_price(self, **kwargs):\n    pass\ndef set_freqai_targets(self, **kwargs):\n    pass\n"
        "def populate_buy_trend(self, dataframe, metadata):\n    return dataframe\n"
    )
    with pytest.raises(ConfigError) as e:
        load_strategy(written(tmp_path, body))
    for text in (
        "custom_entry_price is not supported", "set_freqai_targets is not supported",
        "populate_buy_trend is of an old interface: expected populate_entry_trend", "can_short is not supported",
        "stoploss: expected a fraction in [-1, 0), found 0.1", "trailing_stop_positive: expected a fraction in (0, 1)",
        "minimal_roi: expected minutes: fraction, found 'soon': 0.1", "startup_candle_count: expected a whole number",
    ):  # fmt: skip
        assert text in e.value.message
    assert e.value.code == "STRATEGY_UNSUPPORTED"


def test_a_member_of_a_mixin_counts(tmp_path: Path) -> None:
    head = (
        "from freqtrade.strategy import IStrategy\n\n\nclass Prices:\n    def custom_exit_price(self, **kwargs):\n"
        "        return None\n\n\nclass Mine(Prices, IStrategy):\n"
    )
    with pytest.raises(ConfigError, match="Mine: custom_exit_price is not supported"):
        load_strategy(written(tmp_path, "", head))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("stoploss = '10%'", "stoploss: expected a number, found '10%'"),
        ("minimal_roi = [0.1]", "minimal_roi: expected a mapping of minutes to fractions"),
        ("timeframe = '1 hour'", "timeframe: expected a number and one of s m h d w"),
        ("trailing_only_offset_is_reached = True", "expected a trailing_stop_positive_offset above 0"),
        (
            "trailing_stop_positive = 0.03\ntrailing_stop_positive_offset = 0.02",
            "expected more than trailing_stop_pos",
        ),
        ("protections = {'method': 'CooldownPeriod'}", "protections: expected a list"),
        ("protections = [{'method': 'Nothing'}]", r"protections\[0\]: method"),
        (
            "def __init__(self, config):\n    super().__init__(config)\n    self.x = config['nope']",
            "KeyError: 'nope'",
        ),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_strategy(written(tmp_path, body))


def test_what_has_no_effect_is_told_with_its_reason(tmp_path: Path) -> None:
    body = "order_types = {'entry': 'limit'}\nplot_config = {}\ndef leverage(self, **kwargs):\n    return 3.0"
    assert [n.partition(": ")[0] for n in support.notes(load_strategy(written(tmp_path, body)))] == [
        "Mine.order_types has no effect", "Mine.plot_config has no effect", "Mine.leverage has no effect",
    ]  # fmt: skip


KNOBS = """
fast = IntParameter(2, 20, default=5, space="buy")
slow = IntParameter([10, 40], default=30, space="buy")
limit = DecimalParameter(0.1, 0.9, default=0.3337, decimals=2, space="sell")
rate = RealParameter(0.0, 1.0, default=0.5)
kind = CategoricalParameter(["sma", "ema"], default="ema", space="buy", load=False)
on = BooleanParameter(default=True)
"""


def knobs(folder: Path, body: str = "", **more: Any) -> dict[str, Any]:
    head = "from freqtrade.strategy import *\n" + HEAD
    strategy = load_strategy(written(folder, KNOBS + body, head), **more)
    return {n: p.value for n, p in parameters_of(strategy).items()}


def test_parameters_hold_their_default_and_a_range_of_one(tmp_path: Path) -> None:
    assert knobs(tmp_path) == {"fast": 5, "slow": 30, "limit": 0.33, "rate": 0.5, "kind": "ema", "on": True}
    assert list(IntParameter(2, 20, default=5).range) == [5]
    assert DecimalParameter(0.0, 1.0, default=0.126, decimals=2).range == [0.13]
    assert CategoricalParameter([1, 2]).range == [1]


def test_pasted_values_then_the_file_then_the_command_line(tmp_path: Path) -> None:
    pasted = (
        'buy_params = {"fast": 6, "slow": 31, "kind": "sma"}\nsell_params = {"limit": 0.5}\nstoploss = -0.1'
    )
    assert knobs(tmp_path, pasted) == {
        "fast": 6, "slow": 31, "limit": 0.5, "rate": 0.5, "kind": "ema", "on": True,
    }  # fmt: skip
    stored = {
        "strategy_name": "Mine",
        "params": {"buy": {"slow": 32}, "roi": {"0": 0.07}, "stoploss": {"stoploss": -0.2},
                   "trailing": {"trailing_stop": True, "trailing_stop_positive": 0.01}},
    }  # fmt: skip
    (tmp_path / "mine.json").write_text(json.dumps(stored), encoding="utf-8")
    assert knobs(tmp_path, pasted, params={"rate": 0.75})["slow"] == 32
    assert knobs(tmp_path, pasted, params={"rate": 0.75, "slow": 33})["slow"] == 33
    strategy = load_strategy(tmp_path / "mine.py", params={"stoploss": -0.3})
    assert (strategy.minimal_roi, strategy.stoploss, strategy.trailing_stop) == ({"0": 0.07}, -0.3, True)


def test_another_file_of_that_name_is_left_alone_and_a_broken_one_told(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"verb": "backtesting"}), encoding="utf-8")
    assert knobs(tmp_path)["fast"] == 5
    file.write_text(json.dumps({"strategy_name": "Mine"}), encoding="utf-8")
    with pytest.raises(ConfigError, match="expected params by space, found None"):
        knobs(tmp_path)
    file.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="expected JSON"):
        knobs(tmp_path)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"fast": 21}, r"strategy.fast: expected a whole number in \[2, 20\], found 21"),
        ({"fast": 5.5}, "strategy.fast: expected a whole number"),
        ({"kind": "wma"}, "strategy.kind: expected one of 'sma', 'ema', found 'wma'"),
        (
            {"fsat": 5},
            "strategy.fsat: expected one of fast, kind, limit, on, rate, slow, minimal_roi, stoploss",
        ),
        ({"stoploss": 0.5}, r"stoploss: expected a fraction in \[-1, 0\), found 0.5"),
    ],
)
def test_values_of_the_command_line_are_checked(tmp_path: Path, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        knobs(tmp_path, params=params)


@pytest.mark.parametrize(
    "make",
    [
        lambda: IntParameter(5, default=5),
        lambda: IntParameter(5, 9, default=10),
        lambda: IntParameter(5, 9, default=6.5),
        lambda: RealParameter(0.0, 1.0, default=2.0),
        lambda: CategoricalParameter(["a"]),
        lambda: CategoricalParameter(["a", "b"], default="c"),
        lambda: BooleanParameter(default=3),
    ],
)
def test_parameters_that_contradict_themselves(make: Any) -> None:
    with pytest.raises(InvalidParamsError, match="parameter: expected"):
        make()
