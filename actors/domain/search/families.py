"""Which grids share their work: strategies whose batch form a sweep kernel repeats, and how their axes map to it.

A family serves a grid whose axes are all its own. Parameters that change only an opinion's confidence do not change a
vector backtest, which trades the sign; as an axis they are refused here, so that nobody takes equal rows for a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain import kernels
from actors.domain.model.bars import BarFrame
from actors.domain.search.terms import Terms

Axes = Mapping[str, Sequence[Any]]
Records = NDArray[np.void]
Legal = NDArray[np.bool_]


@dataclass(frozen=True)
class Family:
    """How one strategy's grids are swept.

    Attributes
    ----------
    axes : tuple of str
        Parameters the kernel varies, in its order.
    silent : tuple of str
        Parameters that change no sign.
    run : callable
        ``run(frame, axes, terms, threads)``: one record per legal combination, in the order of a product.
    legal : callable
        ``legal(values by axis, broadcast against each other)``: which combinations the kernel computes.
    switches : tuple of str
        Axes among `axes` that are no numbers and must have one value.
    """

    axes: tuple[str, ...]
    silent: tuple[str, ...]
    run: Callable[[BarFrame, Axes, Terms, int], Records]
    legal: Callable[[Mapping[str, NDArray[Any]]], Legal]
    switches: tuple[str, ...] = ()

    def accepted(self, axes: Axes) -> Legal:
        """Return which combinations of all its axes the kernel computes, one dimension per axis."""
        last = len(axes) - 1
        spread = {
            name: np.array(values).reshape([-1 if k == j else 1 for j in range(last + 1)])
            for k, (name, values) in enumerate(axes.items())
        }
        return self.legal(spread)

    def count(self, axes: Axes) -> int:
        """Return how many combinations the kernel computes."""
        return int(np.count_nonzero(self.accepted(axes)))


def family_of(kind: str, axes: Axes) -> Family | None:
    """Return the family that sweeps these axes of a strategy, None where each combination needs its own backtest.

    Examples
    --------
    >>> family_of("ma_crossover", {"fast_bars": [2, 3], "slow_bars": [9]}) is not None
    True
    >>> family_of("ma_crossover", {"fast_bars": [2, 3], "scale_frac": [0.1, 0.2]}) is None
    True
    >>> family_of("macd", {"fast_bars": [2, 3]}) is None
    True
    """
    family = _FAMILIES.get(kind)
    if family is None or not set(axes) <= set(family.axes):
        return None
    if any(len(axes.get(name, (None,))) > 1 for name in family.switches):
        return None
    return family


def _ma_cross(frame: BarFrame, axes: Axes, terms: Terms, threads: int) -> Records:
    return kernels.sweep_ma_cross(
        frame.open, frame.close, axes["fast_bars"], axes["slow_bars"], bands_frac=axes["band_frac"],
        threads=threads, **terms.arguments(),
    )  # fmt: skip


def _rsi(frame: BarFrame, axes: Axes, terms: Terms, threads: int) -> Records:
    return kernels.sweep_rsi(
        frame.open, frame.close, axes["window_bars"], axes["oversold"], axes["overbought"], threads=threads,
        **terms.arguments(),
    )  # fmt: skip


def _bollinger(frame: BarFrame, axes: Axes, terms: Terms, threads: int) -> Records:
    return kernels.sweep_bollinger(
        frame.open, frame.close, axes["window_bars"], axes["width"], reversal=axes["mode"][0] == "reversal",
        threads=threads, **terms.arguments(),
    )  # fmt: skip


def _donchian(frame: BarFrame, axes: Axes, terms: Terms, threads: int) -> Records:
    return kernels.sweep_donchian(
        frame.open, frame.high, frame.low, frame.close, axes["entry_bars"], axes["exit_bars"], threads=threads,
        **terms.arguments(),
    )  # fmt: skip


def _momentum(frame: BarFrame, axes: Axes, terms: Terms, threads: int) -> Records:
    spans = (axes["short_bars"], axes["middle_bars"], axes["long_bars"], axes["volatility_bars"])
    return kernels.sweep_momentum(frame.open, frame.close, *spans, threads=threads, **terms.arguments())


def _all(values: Mapping[str, NDArray[Any]]) -> Legal:
    return np.ones(np.broadcast_shapes(*(v.shape for v in values.values())), dtype=bool)


_FAMILIES: Mapping[str, Family] = {
    "ma_crossover": Family(
        ("fast_bars", "slow_bars", "band_frac"), ("scale_frac",), _ma_cross,
        lambda v: (v["fast_bars"] < v["slow_bars"]) & _all(v),
    ),
    "rsi": Family(("window_bars", "oversold", "overbought"), (), _rsi, _all),
    "bollinger": Family(("window_bars", "width", "mode"), (), _bollinger, _all, ("mode",)),
    "donchian": Family(
        ("entry_bars", "exit_bars"), ("scale_frac",), _donchian,
        lambda v: (v["exit_bars"] <= v["entry_bars"]) & _all(v),
    ),
    "time_series_momentum": Family(
        ("short_bars", "middle_bars", "long_bars", "volatility_bars"), ("target_volatility_frac",), _momentum,
        lambda v: (v["short_bars"] < v["middle_bars"]) & (v["middle_bars"] < v["long_bars"]) & _all(v),
    ),
}  # fmt: skip
