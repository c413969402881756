"""What a strategy sees as ``dp`` and ``wallets``: bars and analysed frames up to now, and the account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd

from actors.adapters.freqtrade.levels import moment
from actors.domain.errors import ConfigError
from actors.domain.model.bars import BarFrame
from actors.domain.model.resample import resample
from actors.domain.model.timeframe import format_timeframe, parse_timeframe

MAX_ROWS = 1000
"""Rows of an analysed frame that a callback gets at most, as in live trading."""


class RunMode(Enum):
    """Under which a strategy runs; here always BACKTEST, for it never sees a live order book."""

    LIVE = "live"
    DRY_RUN = "dry_run"
    BACKTEST = "backtest"
    HYPEROPT = "hyperopt"
    PLOT = "plot"
    OTHER = "other"


def frame_of(bars: BarFrame) -> pd.DataFrame:
    """Return the bars as strategies of this style expect them."""
    return pd.DataFrame(
        {
            "date": pd.to_datetime(bars.open_ns, unit="ns", utc=True),
            "open": bars.open, "high": bars.high, "low": bars.low, "close": bars.close, "volume": bars.volume,
        }
    )  # fmt: skip


class DataProvider:
    """Bars of the run's pairs, on their own timeframe or a higher one, never beyond `limit`.

    Parameters
    ----------
    frames : mapping pair → BarFrame
    """

    def __init__(self, frames: Mapping[str, BarFrame]) -> None:
        self._frames = dict(frames)
        self._analysed: dict[str, tuple[pd.DataFrame, Any]] = {}
        self._limit_ns: int | None = None

    def __bool__(self) -> bool:
        return True

    # -- for whoever owns it --------------------------------------------------------------------------------

    def limit(self, ts_ns: int | None) -> None:
        """Show only what had closed at a time; None shows all."""
        self._limit_ns = ts_ns

    def keep(self, pair: str, frame: pd.DataFrame, close_ns: Any) -> None:
        """Keep the analysed frame of a pair for callbacks."""
        self._analysed[pair] = (frame, np.asarray(close_ns, dtype=np.int64))

    # -- for strategies -------------------------------------------------------------------------------------

    @property
    def runmode(self) -> RunMode:
        """`RunMode.BACKTEST`."""
        return RunMode.BACKTEST

    @property
    def available_pairs(self) -> list[tuple[str, str]]:
        """Pairs of the run with their timeframe."""
        return [(p, format_timeframe(f.timeframe_ns)) for p, f in self._frames.items()]

    def current_whitelist(self) -> list[str]:
        """Return the pairs of the run."""
        return list(self._frames)

    def get_pair_dataframe(
        self, pair: str, timeframe: str | None = None, candle_type: str = ""
    ) -> pd.DataFrame:
        """Return the bars of a pair, made of lower ones where a higher timeframe is asked for.

        Raises
        ------
        ConfigError
            If the run has no bars of which they could be made.
        """
        if pair not in self._frames:
            raise ConfigError(
                "STRATEGY_DATA",
                f"dp: expected one of the pairs of the run ({', '.join(self._frames)}), found {pair}; name it in -p "
                "and give its bars",
            )
        if candle_type not in ("", "spot"):
            raise ConfigError(
                "STRATEGY_DATA", f"dp: expected candles of the spot market, found {candle_type!r}"
            )
        bars = self._frames[pair]
        if self._limit_ns is not None:
            bars = bars.slice_time(None, self._limit_ns - bars.timeframe_ns + 1)
        if timeframe is not None and parse_timeframe(timeframe) != bars.timeframe_ns:
            bars = resample(bars, parse_timeframe(timeframe)).frame
        return frame_of(bars)

    historic_ohlcv = ohlcv = get_pair_dataframe

    def get_analyzed_dataframe(
        self, pair: str, timeframe: str | None = None
    ) -> tuple[pd.DataFrame, datetime]:
        """Return the newest rows of the analysed frame that had closed by now, and that time."""
        if pair not in self._analysed:
            return pd.DataFrame(), moment(0)
        frame, close_ns = self._analysed[pair]
        now = int(close_ns[-1]) if self._limit_ns is None else self._limit_ns
        end = int(np.searchsorted(close_ns, now, side="right"))
        last = moment(int(close_ns[end - 1])) if end else moment(0)
        return frame.iloc[max(0, end - MAX_ROWS) : end], last

    def send_msg(self, message: str, *, always_send: bool = False) -> None:
        """Send nothing: a backtest tells nobody."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ConfigError(
            "STRATEGY_UNSUPPORTED",
            f"dp.{name} is not supported: expected one of available_pairs, current_whitelist, get_pair_dataframe, "
            "get_analyzed_dataframe, historic_ohlcv, ohlcv, runmode, send_msg",
        )


class Wallets:
    """The account's figures as callbacks ask for them, in quote currency unless a currency is named."""

    def __init__(self, quote: str, initial: float, usable_frac: float) -> None:
        self._quote, self._usable = quote, usable_frac
        self._free = self._total = self._start = initial
        self._held: dict[str, float] = {}

    def update(self, free: float, equity: float, held: Mapping[str, float]) -> None:
        """Take the account of this step: free quote, equity, and base quantities by currency."""
        self._free, self._total, self._held = free, equity, dict(held)

    def get_free(self, currency: str) -> float:
        """Return what no trade holds."""
        return self._free if currency == self._quote else 0.0

    def get_used(self, currency: str) -> float:
        """Return what trades hold."""
        return 0.0 if currency == self._quote else self._held.get(currency, 0.0)

    def get_total(self, currency: str) -> float:
        """Return all of a currency."""
        return self.get_free(currency) + self.get_used(currency)

    def get_starting_balance(self) -> float:
        """Return the cash of the beginning."""
        return self._start

    def get_total_stake_amount(self) -> float:
        """Return the equity that may be used."""
        return self._total * self._usable

    def get_available_stake_amount(self) -> float:
        """Return the free cash that may be used."""
        return self._free * self._usable
