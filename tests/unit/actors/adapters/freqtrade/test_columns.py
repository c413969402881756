"""Whole-frame code: what it must return, and every way to look ahead by it, named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from freqtrade_run import frame, strategy

from actors.adapters.freqtrade import columns, shim
from actors.adapters.freqtrade.loader import load_strategy
from actors.domain.errors import ConfigError, StrategyError
from actors.domain.model.bars import BarFrame


def bars(n: int = 400) -> BarFrame:
    rng = np.random.default_rng(5)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, n)))
    opened = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(opened, close) * 1.002, np.minimum(opened, close) * 0.998
    return frame(list(zip(opened, high, low, close, rng.uniform(1.0, 2.0, n), strict=True)))


def check(folder: Path, body: str) -> None:
    made = load_strategy(strategy(folder, body))
    with shim.installed():
        columns.refuse_lookahead(made, bars(), columns.analyse(made, bars()))


IND = "def populate_indicators(self, dataframe, metadata):\n"
ENTRY = "def populate_entry_trend(self, dataframe, metadata):\n"

LEAKS = {
    "shift(-1)": (IND + "    dataframe['next'] = dataframe['close'].shift(-1)\n    return dataframe\n", "next"),
    # never stored, and seldom true: only a cut right behind a signal shows it
    "shift(-1) inside a rare condition": (
        ENTRY + "    rise = dataframe['close'].shift(-1) / dataframe['close']\n"
        "    dataframe.loc[rise > 1.025, 'enter_long'] = 1\n    return dataframe\n",
        "enter_long",
    ),
    "centred window": (
        IND + "    dataframe['mid'] = dataframe['close'].rolling(9, center=True).mean()\n    return dataframe\n", "mid",
    ),
    "scaled by the whole column": (
        IND + "    c = dataframe['close']\n    dataframe['z'] = (c - c.mean()) / c.std()\n    return dataframe\n", "z",
    ),
    "the last row": (
        IND + "    dataframe['gap'] = dataframe['close'] / dataframe['close'].iloc[-1]\n    return dataframe\n", "gap",
    ),
    "filled backwards": (
        IND + "    dataframe['top'] = dataframe['high'].rolling(30).max().shift(-29).bfill()\n    return dataframe\n",
        "top",
    ),
    "an unfinished bar": (
        IND + "    day = dataframe.set_index('date')['close'].resample('1D').last()\n"
        "    dataframe['day'] = dataframe['date'].dt.floor('1D').map(day)\n    return dataframe\n",
        "day",
    ),
    "a tag": (
        ENTRY + "    dataframe.loc[dataframe.index % 7 == 0, 'enter_long'] = 1\n"
        "    dataframe['enter_tag'] = (dataframe['close'].shift(-1) > 0).map({True: 'up', False: 'down'})\n"
        "    return dataframe\n",
        "enter_tag",
    ),
    "an exit": (
        ("def populate_exit_trend(self, dataframe, metadata):\n"
        "    dataframe.loc[dataframe['low'].shift(-1) < dataframe['low'] * 0.98, 'exit_long'] = 1\n"
        "    return dataframe\n"),
        "exit_long",
    ),
}  # fmt: skip


@pytest.mark.parametrize("leak", LEAKS)
def test_a_look_ahead_is_refused_and_named(tmp_path: Path, leak: str) -> None:
    body, column = LEAKS[leak]
    with pytest.raises(
        StrategyError, match=rf"Mine: expected columns that know the past only, found {column} of BTC/USDT"
    ):
        check(tmp_path, body)


def test_it_tells_bar_and_both_values(tmp_path: Path) -> None:
    with pytest.raises(StrategyError) as e:
        check(tmp_path, LEAKS["shift(-1)"][0])
    # the first cut is at 0.37 of 400 bars: row 147 opens on the seventh day at 3:00
    assert "next of BTC/USDT at 1970-01-07 03:00 to be nan with the bars up to 1970-01-07 03:00 and " in str(
        e.value
    )
    assert e.value.code == "LOOKAHEAD"


@pytest.mark.parametrize(
    "body",
    [
        IND + "    dataframe['mean'] = dataframe['close'].ewm(span=20).mean()\n    return dataframe\n",
        IND + "    dataframe['top'] = dataframe['high'].expanding().max()\n    return dataframe\n",
        IND + "    dataframe['text'] = dataframe['close'].map(str)\n    return dataframe\n",
        ENTRY + "    dataframe.loc[dataframe['close'] > dataframe['high'].shift(1), ['enter_long', 'enter_tag']] = "
        "(1, 'break')\n    return dataframe\n",
    ],
)  # fmt: skip
def test_the_past_is_free(tmp_path: Path, body: str) -> None:
    check(tmp_path, body)


def test_rows_before_the_start_up_do_not_count(tmp_path: Path) -> None:
    body = "startup_candle_count = 200\n" + IND
    body += "    dataframe['odd'] = (dataframe.index < 150) * float(len(dataframe))\n    return dataframe\n"
    check(tmp_path, body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (IND + "    dataframe['x'] = 1\n", "populate_indicators: expected the frame to be returned, found NoneType"),
        (IND + "    return dataframe.dropna().iloc[5:]\n", "the 400 rows of BTC/USDT in their order, found 395"),
        (IND + "    return dataframe.iloc[::-1]\n", "no row may be dropped, added or moved"),
        (ENTRY + "    return dataframe[dataframe['rsi'] > 3]\n", r"BTC/USDT: KeyError: 'rsi' \(line"),
    ],
)  # fmt: skip
def test_what_the_methods_must_return(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check(tmp_path, body)


def test_signals_are_ones_of_any_kind() -> None:
    made = columns.frame_of(bars(5))
    made["enter_long"] = [1, 0, None, 1.0, 2]
    made["exit_long"] = [True, False, False, True, False]
    made["enter_tag"] = ["a", "b", None, "", "c"]
    assert list(columns.signal_rows(made, "enter_long", "enter_tag")) == [(0, "a"), (3, None)]
    assert list(columns.signal_rows(made, "exit_long", "exit_tag")) == [(0, None), (3, None)]
    assert list(columns.signal_rows(made, "enter_short", "enter_tag")) == []
