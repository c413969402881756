"""From bars to one vector of features per bar: causal, without units, in a fixed order of names.

Every column is a pure number: prices enter as differences in units of one bar's usual move, volume as a share
of its usual level. Multiplying all prices or all volumes by a constant changes nothing but the last bits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from math import inf, log, log1p, nan, sqrt
from typing import Any, ClassVar

from actors.domain import registry
from actors.domain.events.market import BarClosed
from actors.domain.indicators.base import Indicator
from actors.domain.indicators.scaled import ScaledIndicator
from actors.domain.state import Stateful

_PACKAGE = "actors.domain.indicators"
_LAGS = (1, 3, 6, 12, 24, 48)
_BASE = (
    *(f"return_{lag}" for lag in _LAGS),
    "efficiency_24",
    "volatility_ratio",
    "range_surprise",
    "close_location",
    "volume_surprise",
)
_FAST, _SLOW, _VOLUME = 1.0 / 12.0, 1.0 / 96.0, 1.0 / 48.0
BASE_WARMUP_BARS = 96
_LN2 = log(2.0)


def feature_names(indicators: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the columns that a pipeline of these indicators makes, in order.

    Parameters
    ----------
    indicators : sequence of mappings ``{"kind": …, "params": {…}}``

    Raises
    ------
    UnknownComponentError, InvalidParamsError
        If an indicator cannot be built.

    Examples
    --------
    >>> feature_names([])[:2]
    ('return_1', 'return_3')
    """
    return FeaturePipeline(indicators).names


class FeaturePipeline(Stateful):
    """Features of one pair.

    Parameters
    ----------
    indicators : sequence of mappings ``{"kind": …, "params": {…}}``

    Attributes
    ----------
    names : tuple of str
        Columns: the base features, then those of each indicator. A name that occurs again gets a number.
    warmup_bars : int
        Bars before the first row that may be complete.
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "bars", "log_return", "_logs", "_moves", "_path", "_fast", "_slow", "_volume", "_indicators",
    )  # fmt: skip

    def __init__(self, indicators: Sequence[Mapping[str, Any]]) -> None:
        self._indicators: list[ScaledIndicator] = [
            made if isinstance(made, ScaledIndicator) else _Standardised(made)
            for made in (registry.build(_PACKAGE, i["kind"], i.get("params") or {}) for i in indicators)
        ]
        wanted = [*_BASE]
        for indicator in self._indicators:
            wanted += indicator.feature_names
        seen: dict[str, int] = {}
        names = []
        for name in wanted:
            seen[name] = seen.get(name, 0) + 1
            names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
        self.names: tuple[str, ...] = tuple(names)
        self.warmup_bars = max([BASE_WARMUP_BARS, *(i.feature_warmup_bars for i in self._indicators)])
        self.bars = 0
        self.log_return = nan  # of the last bar; NaN on the first one
        self._logs: deque[float] = deque(maxlen=_LAGS[-1] + 1)  # log closes, newest last
        self._moves: deque[float] = deque(maxlen=24)  # absolute log returns
        self._path = 0.0  # their sum
        self._fast = self._slow = self._volume = 0.0

    def update(self, bar: BarClosed) -> tuple[float, ...]:
        """Take the next bar and return one value per name; NaN where a column is not warm or undefined."""
        self.bars += 1
        logs = self._logs
        now = log(bar.close)
        step = now - logs[-1] if logs else nan
        self.log_return = step
        logs.append(now)
        # until the memory is full the weights are 1/n: a plain mean, not one that trusts the first bar
        n = self.bars - 1
        if n:
            self._follow(abs(step))
            square = step * step
            self._fast += (square - self._fast) * (_FAST if n > 12 else 1.0 / n)
            self._slow += (square - self._slow) * (_SLOW if n > 96 else 1.0 / n)
        usual_volume = self._volume  # of the bars before this one
        self._volume += (bar.volume - usual_volume) * (_VOLUME if n > 48 else 1.0 / (n + 1))
        sigma = sqrt(self._slow) if n >= BASE_WARMUP_BARS and self._slow > 0.0 else nan
        spread = bar.high - bar.low
        size = len(logs)
        out = [
            (now - logs[-1 - lag]) / (sigma * root) if size > lag else nan
            for lag, root in _ROOTS
        ]  # fmt: skip
        out.append((now - logs[-25]) / self._path if size > 24 and self._path > 0.0 else nan)
        out.append(0.5 * log(self._fast / self._slow) if sigma == sigma and self._fast > 0.0 else nan)
        out.append(log(bar.high / bar.low) / sigma)
        out.append(((bar.close - bar.low) - (bar.high - bar.close)) / spread if spread > 0.0 else 0.0)
        out.append(log1p(bar.volume / usual_volume) - _LN2 if usual_volume > 0.0 else nan)
        unit = bar.close * sigma
        for indicator in self._indicators:
            out += indicator.features(indicator.update(bar), bar, unit)
        return tuple(out)

    def _follow(self, move: float) -> None:
        moves = self._moves
        if len(moves) == moves.maxlen:
            self._path -= moves[0]
        moves.append(move)
        self._path += move
        if self.bars % 64 == 0:  # a running sum forgets its rounding errors on a fixed grid
            self._path = sum(moves)


_ROOTS = tuple((lag, sqrt(lag)) for lag in _LAGS)


class _Standardised(ScaledIndicator):
    """Gives a stranger's indicator features: each output against its own running mean and spread."""

    STATE: ClassVar[tuple[str, ...]] = ("_n", "_mean", "_variance")
    _MEMORY = 96

    def __init__(self, inner: Indicator) -> None:
        self._stream = inner
        self.names = inner.names
        self.feature_names = tuple(f"{name}_z" for name in inner.names)
        self.warmup_bars = inner.warmup_bars
        self._n = [0] * len(inner.names)
        self._mean = [0.0] * len(inner.names)
        self._variance = [0.0] * len(inner.names)

    @property
    def feature_warmup_bars(self) -> int:
        return self.warmup_bars + self._MEMORY

    def update(self, bar: BarClosed) -> Sequence[float]:
        return self._stream.update(bar)

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return z-scores against the bars before; NaN until `_MEMORY` values were seen."""
        out = []
        for j, x in enumerate(values):
            z = nan
            if -inf < x < inf:
                n, mean, variance = self._n[j], self._mean[j], self._variance[j]
                if n >= self._MEMORY and variance > 0.0:
                    z = (x - mean) / sqrt(variance)
                self._n[j] = n + 1
                weight = 1.0 / min(n + 1, self._MEMORY)
                gap = x - mean
                self._mean[j] = mean + weight * gap
                self._variance[j] = (1.0 - weight) * (variance + weight * gap * gap)
            out.append(z)
        return tuple(out)
