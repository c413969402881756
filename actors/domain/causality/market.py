"""One series of bars in every shape that components are fed, and the futures that it might have had instead."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise, repeat
from math import log, sqrt, tanh
from typing import Final, Literal

import numpy as np

from actors.domain.errors import InsufficientDataError
from actors.domain.events.market import BarClosed
from actors.domain.events.regime import REGIMES
from actors.domain.features.pipeline import FeaturePipeline, feature_names
from actors.domain.learning.base import Sample
from actors.domain.model.bars import VALUE_COLUMNS, BarFrame
from actors.domain.regime.base import Observation
from actors.domain.strategies.base import Market

Future = Literal["wild", "flat"]
FUTURES: Final[tuple[Future, ...]] = ("wild", "flat")
SAMPLE_NAMES: Final = feature_names([])
MODELS: Final = ("online", "forest")
_CONTEXT_BARS = 48
_BULL, _SIDEWAYS, _BEAR, _CRASH, _WILD, _CALM = REGIMES


class View:
    """A frame as bars, observations, samples and markets; each list is made when it is first asked for.

    Parameters
    ----------
    frame : BarFrame
        At least one bar.

    Notes
    -----
    `markets` carries a plain causal reading of the last two days of bars where the fleet has its ensemble and its
    predictors: those are tested by themselves, and a strategy is judged by what it adds.
    """

    def __init__(self, frame: BarFrame) -> None:
        if len(frame) == 0:
            raise InsufficientDataError("NO_BARS", f"{frame.pair}: expected bars, found none")
        self.frame = frame

    def __len__(self) -> int:
        return len(self.frame)

    def prefix(self, bars: int) -> View:
        """Return the view of the first `bars` bars: what was known then."""
        part = View(self.frame.slice_rows(0, bars))
        for name in ("bars", "observations", "samples", "markets"):
            if (
                name in self.__dict__
            ):  # inputs are causal themselves: a prefix of theirs is theirs of the prefix
                part.__dict__[name] = self.__dict__[name][:bars]
        return part

    @cached_property
    def steps(self) -> list[int]:
        """Number of the step of each bar; a missing bar leaves its number out."""
        opened = self.frame.open_ns
        out: list[int] = ((opened - opened[0]) // self.frame.timeframe_ns).tolist()
        return out

    @cached_property
    def bars(self) -> list[BarClosed]:
        """Bars as indicators see them."""
        width, pair = self.frame.timeframe_ns, self.frame.pair
        return [
            BarClosed(
                ts_event_ns=r.open_ns + width, source="feed", instrument_id=pair, open_ns=r.open_ns,
                close_ns=r.open_ns + width, open=r.open, high=r.high, low=r.low, close=r.close, volume=r.volume,
            )
            for r in self.frame.rows()
        ]  # fmt: skip

    @cached_property
    def returns(self) -> list[float]:
        """Log returns, NaN on the first bar."""
        logs = [log(c) for c in self.frame.close.tolist()]
        return [float("nan"), *(b - a for a, b in pairwise(logs))]

    @cached_property
    def observations(self) -> list[Observation]:
        """Bars as detectors see them; the mood, for which bars have no news, is a function of the returns so far."""
        f = self.frame
        rows = zip(
            self.steps, f.high.tolist(), f.low.tolist(), f.close.tolist(), self.returns, repeat(1.0),
            f.volume.tolist(), f.close_ns.tolist(), f.open.tolist(), self._moods, strict=False,
        )  # fmt: skip
        return [Observation(*row) for row in rows]

    @property
    def _moods(self) -> list[float]:
        return [tanh(40.0 * r) if r == r else 0.0 for r in self.returns]

    @cached_property
    def samples(self) -> list[Sample]:
        """Bars as predictors see them: the base features of the pipeline."""
        pipeline, out = FeaturePipeline([]), []
        for step, bar in zip(self.steps, self.bars, strict=True):
            values = pipeline.update(bar)
            total = sum(values)
            out.append(Sample(step, values, bar.close, total - total == 0.0))
        return out

    @cached_property
    def markets(self) -> list[Market]:
        """Bars as strategies see them."""
        out, returns = [], self.returns
        for k, (step, b) in enumerate(zip(self.steps, self.bars, strict=True)):
            regime, sure, p = _reading(returns[max(1, k + 1 - _CONTEXT_BARS) : k + 1])
            out.append(
                Market(
                    step, b.open, b.high, b.low, b.close, b.volume, regime, sure, dict.fromkeys(MODELS, p)
                )
            )  # fmt: skip
        return out


def _reading(returns: list[float]) -> tuple[str, float, float]:
    """Regime, confidence and P(up) that the last returns suggest; unknown until there are enough."""
    n = len(returns)
    if n < _CONTEXT_BARS:
        return "", 0.0, float("nan")
    square = sum([r * r for r in returns])
    if square == 0.0:
        return _SIDEWAYS, 0.5, 0.5
    late = returns[-12:]
    t = sum(returns) / sqrt(square)
    heat = sqrt(sum([r * r for r in late]) / len(late) * n / square)
    label = (
        _CRASH if t < -2.0 and heat > 1.5 else _BULL if t > 1.0 else _BEAR if t < -1.0
        else _WILD if heat > 1.3 else _CALM if heat < 0.7 else _SIDEWAYS
    )  # fmt: skip
    return label, min(1.0, 0.4 + 0.2 * abs(t)), 0.5 + 0.4 * t / (1.0 + abs(t))


def with_future(frame: BarFrame, cut: int, kind: Future, bars: int | None = None, seed: int = 8) -> BarFrame:
    """Return the same bars before `cut` and quite different ones from there on.

    Parameters
    ----------
    cut : int
        Position of the first bar that differs.
    kind : {"wild", "flat"}
        "wild": the same prices backwards, three times as high, shaken by 30 % a bar, with a tenth of the volume.
        "flat": nothing moves and nothing is traded any more.
    bars : int, optional
        How many bars of that future; default: as many as the frame has.

    Examples
    --------
    >>> f = BarFrame("A/B", 1, [0, 1, 2], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [5.0] * 3)
    >>> with_future(f, 1, "flat").close.tolist(), with_future(f, 1, "flat").volume.tolist()
    ([1.0, 1.0, 1.0], [5.0, 0.0, 0.0])
    """
    stop = len(frame) if bars is None else min(len(frame), cut + bars)
    part = frame.slice_rows(0, stop)
    columns = {name: np.array(getattr(part, name)) for name in VALUE_COLUMNS}
    if kind == "flat":
        last = float(frame.close[cut - 1] if cut else frame.open[0])
        for name in VALUE_COLUMNS:
            columns[name][cut:] = 0.0 if name == "volume" else last
    else:
        shake = np.exp(np.random.default_rng([seed, cut]).normal(0.0, 0.3, stop - cut))
        for name in VALUE_COLUMNS:
            late = columns[name][cut:][::-1]
            columns[name][cut:] = late * 0.1 if name == "volume" else late * 3.0 * shake
    return BarFrame(
        frame.pair, frame.timeframe_ns, part.open_ns, **columns, flags=part.flags, source="another future",
        synthetic=True,
    )  # fmt: skip
