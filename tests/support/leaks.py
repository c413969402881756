"""The ways in which backtests see the future, one class or function each, and an honest twin of every one.

It is also a user's file: ``tradewind lookahead-analysis -s tests/support/leaks.py:centred``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from actors.domain.events.market import BarClosed
from actors.domain.fitting import FitRunner, Refit
from actors.domain.indicators.base import Indicator
from actors.domain.model.bars import BarFrame
from actors.domain.model.resample import resample
from actors.domain.regime.base import UNIFORM, Assessment, Detector, Observation
from actors.domain.registry import Params
from actors.domain.strategies.base import FLAT, Market, Opinion, Strategy

FOUR_HOURS_NS = 4 * 3_600_000_000_000


def _series(frame: BarFrame) -> pd.Series:
    return pd.Series(frame.close, index=pd.to_datetime(frame.open_ns, unit="ns", utc=True))


def centred(frame: BarFrame) -> Any:
    """A smoothing window with the bar in its middle."""
    return _series(frame).rolling(5, center=True).mean().to_numpy()


def trailing(frame: BarFrame) -> Any:
    """The same window, ending at the bar."""
    return _series(frame).rolling(5).mean().to_numpy()


def scaled(frame: BarFrame) -> Any:
    """Standardised by mean and deviation of all data."""
    close = np.log(frame.close)
    return (close - close.mean()) / close.std()


def scaled_by_past(frame: BarFrame) -> Any:
    """Standardised by mean and deviation of the bars so far."""
    close = np.log(_series(frame))
    return ((close - close.expanding(30).mean()) / close.expanding(30).std()).to_numpy()


class Shifted(Strategy):
    """Trades the next bar's return: shift(-1) where shift(1) was meant. Bar by bar it is honest."""

    class Params(Params):
        """Has none."""

    STATE: ClassVar[tuple[str, ...]] = ("_last",)
    has_batch: ClassVar[bool] = True
    warmup_bars = 1
    by = -1

    def __init__(self, params: Any = None) -> None:
        super().__init__(params)
        self._last = float("nan")

    def update(self, market: Market) -> Opinion:
        """Follow the last move."""
        move, self._last = market.close - self._last, market.close
        return Opinion(1.0 if move > 0.0 else -1.0, 0.5) if move > 0.0 or move < 0.0 else FLAT

    def batch(self, columns: Any) -> Any:
        """Follow the move that comes."""
        close = pd.Series(columns.close)
        move = (close.shift(self.by) - close) * -self.by
        return np.sign(move.fillna(0.0)).to_numpy(), np.where(move.fillna(0.0) != 0.0, 0.5, 0.0)


class ShiftedBack(Shifted):
    """The same with shift(1)."""

    by = 1

    def batch(self, columns: Any) -> Any:
        """Follow the last move."""
        close = pd.Series(columns.close)
        move = (close - close.shift(1)).fillna(0.0)
        return np.sign(move).to_numpy(), np.where(move != 0.0, 0.5, 0.0)


def unfinished(frame: BarFrame) -> Any:
    """Four-hour closes from the opening of their bar on: the first three hours see the fourth."""
    close = _series(frame)
    return close.resample("4h").last().reindex(close.index, method="ffill").to_numpy()


def finished(frame: BarFrame) -> Any:
    """Four-hour closes from their close on."""
    higher = resample(frame, FOUR_HOURS_NS)
    out = np.full(len(frame), np.nan)
    for row, close in zip(higher.known_row.tolist(), higher.frame.close.tolist(), strict=True):
        out[row:] = close
    return out


def decoded(frame: BarFrame) -> Any:
    """Regimes by a hidden Markov model fitted on, and decoded over, the whole series."""
    returns = np.diff(np.log(frame.close), prepend=np.log(frame.open[0]))[:, None]
    return {"regime": _model(returns).predict(returns).astype(np.float64)}


def filtered(frame: BarFrame) -> Any:
    """Fitted on the first 200 bars; after them, every tenth bar, the last state of the 40 bars that end there."""
    returns = np.diff(np.log(frame.close), prepend=np.log(frame.open[0]))[:, None]
    out = np.full(len(frame), np.nan)
    if len(frame) > 200:
        model = _model(returns[:200])
        for t in range(200, len(frame), 10):
            out[t : t + 10] = model.predict(returns[t - 39 : t + 1])[-1]
    return {"regime": out}


def _model(returns: Any) -> Any:
    from hmmlearn.hmm import GaussianHMM

    model = GaussianHMM(
        2, covariance_type="diag", n_iter=6, tol=0.0, init_params="", params="mc", random_state=0,
        min_covar=1e-9,
    )  # fmt: skip
    spread = float(returns.var())
    model.startprob_ = np.array([0.5, 0.5])
    model.transmat_ = np.array([[0.95, 0.05], [0.05, 0.95]])
    model.means_ = np.zeros((2, 1))
    model.covars_ = np.array([[0.3 * spread], [3.0 * spread]])
    logger = logging.getLogger("hmmlearn.base")
    before, logger.disabled = logger.disabled, True  # it warns when the likelihood stops rising
    try:
        return model.fit(returns)
    finally:
        logger.disabled = before


class LiveMemory(Detector):
    """Hands its fit the ring that it goes on writing to: on a host that fits later, the fit sees the future."""

    warmup_bars = 0
    STATE: ClassVar[tuple[str, ...]] = ("_refit", "_ring", "_bars", "_level")
    copies = False

    def __init__(self, params: Any = None, *, fits: FitRunner, name: str = "x", seed: int = 0) -> None:
        self._refit = Refit(fits, name, _median, 10)
        self._ring = np.zeros(64)
        self._bars, self._level = 0, 0.0

    def update(self, obs: Observation) -> Assessment:
        """Return the median close of the ring, revised every 50 bars."""
        found = self._refit.take(obs.step)
        self._level = self._level if found is None else found
        self._ring[self._bars % 64] = obs.close
        self._bars += 1
        if self._bars % 50 == 0 and not self._refit.pending:
            self._refit.ask(obs.step, (self._ring.copy() if self.copies else self._ring,))
        return Assessment("bull", UNIFORM, min(1.0, self._level / (self._level + obs.close)))


class PastMemory(LiveMemory):
    """The same with a copy."""

    copies = True


def _median(closes: Any) -> float:
    return float(np.median(closes))


class RemembersRuns(Indicator):
    """Bar by bar, but a table of the class keeps the closes of earlier runs: the second run knows the next one."""

    names = ("next",)
    warmup_bars = 0
    STATE: ClassVar[tuple[str, ...]] = ("_bars",)
    table: ClassVar[dict[int, float]] = {}

    def __init__(self, params: Any = None) -> None:
        self._bars = 0

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return the next close if an earlier run has seen it."""
        self.table[self._bars] = bar.close
        self._bars += 1
        return (self.table.get(self._bars, bar.close),)


class FitsOnEverything(Detector):
    """Streams, but its model comes from a table that the run before left behind: the fit has seen the future."""

    warmup_bars = 0
    STATE: ClassVar[tuple[str, ...]] = ("_refit", "_bars", "_level")
    seen: ClassVar[list[float]] = []

    def __init__(self, params: Any = None, *, fits: FitRunner, name: str = "x", seed: int = 0) -> None:
        self._refit = Refit(fits, name, _median, 5)
        self._bars, self._level = 0, 0.0

    def update(self, obs: Observation) -> Assessment:
        """Ask for a fit on all closes that any run has seen."""
        found = self._refit.take(obs.step)
        self._level = self._level if found is None else found
        self.seen.append(obs.close)
        self._bars += 1
        if self._bars % 40 == 0 and not self._refit.pending:
            self._refit.ask(obs.step, (np.array(self.seen),))
        return Assessment("bull" if obs.close > self._level else "bear", UNIFORM, 0.5)


class SlowStart(Indicator):
    """An exponential average over 400 bars that says it is warm after 5."""

    names = ("level",)
    warmup_bars = 5
    STATE: ClassVar[tuple[str, ...]] = ("_level", "_bars")
    weight = 1.0 / 400.0

    def __init__(self, params: Any = None) -> None:
        self._level, self._bars = float("nan"), 0

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return the average of the bar's move, in basis points."""
        move = 1e4 * (bar.close / bar.open - 1.0)
        self._level = move if self._bars == 0 else self._level + self.weight * (move - self._level)
        self._bars += 1
        return (self._level if self._bars > self.warmup_bars else float("nan"),)


class NeverForgets(Indicator):
    """Sums all moves since the data began: unstable."""

    names = ("total",)
    warmup_bars = 0
    STATE: ClassVar[tuple[str, ...]] = ("_total",)

    def __init__(self, params: Any = None) -> None:
        self._total = 0.0

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return the total of all moves."""
        self._total += bar.close - bar.open
        return (self._total,)


class LateSpeaker(Indicator):
    """Declares 5 bars and is silent for 20."""

    names = ("close",)
    warmup_bars = 5
    STATE: ClassVar[tuple[str, ...]] = ("_bars",)

    def __init__(self, params: Any = None) -> None:
        self._bars = 0

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return the close from the 21st bar on."""
        self._bars += 1
        return (bar.close if self._bars > 20 else float("nan"),)
