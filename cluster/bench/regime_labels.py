"""Labels of every detector and of the ensembles over one series of bars, for the parts of `regime_value`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.adapters.feeds.files import load_pair
from actors.domain import registry
from actors.domain.events.regime import REGIMES
from actors.domain.fitting import InlineFits
from actors.domain.model.bars import BarFrame
from actors.domain.regime.ensemble import ENHANCED
from actors.domain.regime.panel import ENSEMBLE, PACKAGE, Panel
from config.load import resolve

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
RISKY = ("bear", "crash", "high_volatility")
ALL = "ensemble of all"
SEED = 7


@dataclass(frozen=True)
class Labels:
    """What one subject said at each close.

    Attributes
    ----------
    label : int8 array, shape (n,)
        Index into `REGIMES`; -1 before the warm-up is over.
    """

    name: str
    label: NDArray[np.int8]

    def among(self, regimes: Sequence[str]) -> BoolArray:
        """Return where one of these regimes holds."""
        out: BoolArray = np.isin(self.label, [REGIMES.index(r) for r in regimes])
        return out

    @property
    def known(self) -> BoolArray:
        """Where there is a view at all."""
        out: BoolArray = self.label >= 0
        return out


@dataclass(frozen=True)
class Bars:
    """Columns of one series, shape (n,) each; `open_ns` and `volume` matter to the enhanced ensemble's context only."""

    high: FloatArray
    low: FloatArray
    close: FloatArray
    open_ns: NDArray[np.int64]
    volume: FloatArray

    @classmethod
    def of(cls, frame: BarFrame) -> Bars:
        """Return a frame's columns."""
        return cls(frame.high, frame.low, frame.close, frame.open_ns, frame.volume)


def labels_of(bars: Bars, pair: str, *, every: bool = True) -> list[Labels]:
    """Return the labels of the default ensemble and the enhanced one, and with `every` of each detector and of all
    of them together.

    All with default parameters; row k is said at close k and knows the bars up to it. Who never has a view (a detector
    of sentiment, where there is none) is left out.
    """
    # bars are taken as they follow each other: those of stocks have sessions, not gaps
    model = resolve("backtest").model.regime
    usual = [(d.kind, d.params) for d in model.detectors]

    def panel(detectors: Sequence[tuple[str, Mapping[str, Any]]], ensemble: Mapping[str, Any]) -> Panel:
        return Panel(detectors, ensemble, pair=pair, seed=SEED, fits=InlineFits(), always_open=False)

    panels: list[tuple[Panel, dict[str, str]]] = [
        (panel(usual, model.ensemble), {ENSEMBLE: "ensemble"}),
        (panel(usual, {"kind": ENHANCED}), {ENSEMBLE: ENHANCED}),
    ]
    if every:
        kinds = registry.kinds(PACKAGE)
        panels.append((panel([(k, {}) for k in kinds], {}), {**{k: k for k in kinds}, ENSEMBLE: ALL}))
    said: dict[str, list[int]] = {name: [] for _, names in panels for name in names.values()}
    columns = (bars.high, bars.low, bars.close, bars.open_ns, bars.volume)
    for high, low, close, open_ns, volume in zip(*(x.tolist() for x in columns), strict=True):
        for one, names in panels:
            views = one.update(high, low, close, 1.0, open_ns=open_ns, volume=volume)
            for name, view in zip(one.names, views, strict=True):
                if name in names:
                    rows = said[names[name]]
                    # a view without confidence is none yet
                    known = view.confidence > 0.0 or bool(rows and rows[-1] >= 0)
                    rows.append(REGIMES.index(view.label) if known else -1)
    found = [Labels(name, np.array(rows, dtype=np.int8)) for name, rows in said.items()]
    return [one for one in found if one.known.any()]


def frame_of(file: Path, pair: str, timeframe: str) -> BarFrame:
    """Return the bars of a file; gaps stay gaps."""
    return load_pair([file], pair, timeframe, "reject", max_missing_frac=1.0)[0]


def mean_over(close: FloatArray, bars: int) -> FloatArray:
    """Return the mean of the last `bars` closes; NaN before there are so many.

    Examples
    --------
    >>> mean_over(np.array([1.0, 3.0, 5.0]), 2).tolist()
    [nan, 2.0, 4.0]
    """
    out = np.full(len(close), np.nan)
    if len(close) >= bars:
        out[bars - 1 :] = np.lib.stride_tricks.sliding_window_view(close, bars).mean(axis=1)
    return out


def drawdown_rule(close: FloatArray, bars: int, *, leave: float, back: float) -> BoolArray:
    """Return where the rule is out: from `leave` below the highest close of the last `bars` until `back` below it.

    Examples
    --------
    >>> drawdown_rule(np.array([100.0, 79.0, 85.0, 95.0]), 10, leave=0.2, back=0.1).tolist()
    [False, True, True, False]
    """
    out, gone = np.zeros(len(close), dtype=bool), False
    for k, price in enumerate(close.tolist()):
        depth = 1.0 - price / float(close[max(0, k - bars + 1) : k + 1].max())
        gone = depth > back if gone else depth >= leave
        out[k] = gone
    return out


def highest_fifth(figure: FloatArray, least: int) -> BoolArray:
    """Return where a figure lies in the highest fifth of its own past, `least` known values before any answer.

    Examples
    --------
    >>> highest_fifth(np.array([1.0, 2.0, 3.0, 2.0, 9.0]), 3).tolist()
    [False, False, True, False, True]
    """
    out = np.zeros(len(figure), dtype=bool)
    past: list[float] = []
    for k, value in enumerate(figure.tolist()):
        if value != value:
            continue
        place = np.searchsorted(past, value)
        past.insert(int(place), value)
        out[k] = len(past) >= least and value > float(np.quantile(past, 0.8))
    return out


def bars_text(value: float | None, digits: int = 0) -> str:
    """Return a figure for a table, a dash where there is none."""
    return "-" if value is None or value != value else f"{value:.{digits}f}"
