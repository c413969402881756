"""How good the data of a pair is: completeness × freshness × outlier-free share over a rolling window of bar slots."""

from __future__ import annotations

from collections import deque
from typing import ClassVar

import pydantic

from actors.domain.model.bars import FLAG_FORWARD_FILLED
from actors.domain.registry import Params
from actors.domain.state import Stateful

_PRESENT, _FILLED, _OUTLIER = 1, 2, 4


class QualityParams(Params):
    """Parameters of `PairQuality`.

    Attributes
    ----------
    window_bars : int
        Slots that completeness and the outlier share look back on.
    stale_after_bars : int
        Age of the last genuine bar at which freshness is 0.
    outlier_scale : float
        A bar is an outlier when its absolute log-free return exceeds this many average absolute returns.
    scale_half_life_bars : float
        Half-life of that average.
    min_scale_bars : int
        Returns seen before a bar can be called an outlier.
    """

    window_bars: int = pydantic.Field(100, ge=2)
    stale_after_bars: int = pydantic.Field(5, ge=1)
    outlier_scale: float = pydantic.Field(12.0, gt=1)
    scale_half_life_bars: float = pydantic.Field(100.0, gt=0)
    min_scale_bars: int = pydantic.Field(30, ge=1)


class PairQuality(Stateful):
    """Rolling quality of one pair.

    Parameters
    ----------
    params : QualityParams
    timeframe_ns : int
        Length of a bar.

    Attributes
    ----------
    score, completeness, freshness, outlier_free : float
        After the last `bar`; fractions in [0, 1].
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "_slots", "_here", "_bad", "_last_ns", "_genuine_ns", "_close", "_scale", "_seen",
        "completeness", "freshness", "outlier_free", "score",
    )  # fmt: skip

    def __init__(self, params: QualityParams, timeframe_ns: int) -> None:
        self._p, self._frame = params, timeframe_ns
        self._decay = 0.5 ** (1.0 / params.scale_half_life_bars)
        self._slots: deque[int] = deque()
        self._here = self._bad = self._seen = 0
        self._last_ns: int | None = None
        self._genuine_ns = 0
        self._close = self._scale = 0.0
        self.completeness = self.freshness = self.outlier_free = self.score = float("nan")

    def bar(self, close_ns: int, high: float, low: float, close: float, flags: int, now_ns: int) -> None:
        """Take a bar (prices in quote, flags as a `BarFrame` has them) and reckon the quality at a step's time."""
        filled = flags & FLAG_FORWARD_FILLED
        if self._last_ns is not None:
            missing = (close_ns - self._last_ns) // self._frame - 1
            for _ in range(min(missing, self._p.window_bars)):
                self._push(0)
        self._last_ns = close_ns
        if filled:
            self._push(_FILLED)
        else:
            self._genuine_ns = close_ns
            self._push(_PRESENT | _OUTLIER if self._is_outlier(high, low, close) else _PRESENT)
            self._close = close
        here = self._here
        age = self.silent_bars(now_ns)
        self.completeness = here / len(self._slots)
        self.freshness = 1.0 - age / self._p.stale_after_bars if age < self._p.stale_after_bars else 0.0
        self.outlier_free = 1.0 - self._bad / here if here else 0.0
        self.score = self.completeness * self.freshness * self.outlier_free

    def silent_bars(self, now_ns: int) -> float:
        """Age of the last genuine bar in bars; infinite before the first."""
        if not self._genuine_ns:
            return float("inf")
        age = now_ns - self._genuine_ns
        return age / self._frame if age > 0 else 0.0

    def _is_outlier(self, high: float, low: float, close: float) -> bool:
        """Judge by the scale before this bar, then let a clipped return into the scale."""
        last, p = self._close, self._p
        if not last:
            return False
        size = max(abs(close - last), high - last, last - low) / last
        scale = self._scale
        found = self._seen >= p.min_scale_bars and size > p.outlier_scale * scale > 0.0
        r = min(size, p.outlier_scale * scale) if self._seen >= p.min_scale_bars and scale > 0.0 else size
        self._seen += 1
        # the plain mean while young, so that the first bar does not rule for a half-life
        gain = max(1.0 - self._decay, 1.0 / self._seen)
        self._scale = scale + gain * (r - scale)
        return found

    def _push(self, slot: int) -> None:
        slots = self._slots
        slots.append(slot)
        self._here += slot & _PRESENT
        if slot & _OUTLIER:
            self._bad += 1
        if len(slots) > self._p.window_bars:
            old = slots.popleft()
            self._here -= old & _PRESENT
            if old & _OUTLIER:
                self._bad -= 1
