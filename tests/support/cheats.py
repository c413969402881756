"""Components that cheat on purpose; the checks of the contract suite must report each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pydantic

from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.events.signal import SignalEmitted
from actors.domain.fitting import FitRunner, Refit
from actors.domain.indicators.base import Indicator
from actors.domain.indicators.scaled import ScaledIndicator
from actors.domain.model.bars import BarFrame
from actors.domain.processor import Agent, AgentContext, Step
from actors.domain.regime.base import UNIFORM, Assessment, Detector, Observation
from actors.domain.registry import Params
from actors.domain.risk.sizing.base import Sizing
from actors.domain.strategies.base import FLAT, Market, Opinion, Strategy

SEEN: list[float] = []
TOMORROW: dict[tuple[str, int], float] = {}
"""Close of the next bar by pair and moment: what nobody can know. A test fills it in."""


class PeekingStrategy(Strategy):
    """Honest bar by bar; its batch form knows the next close."""

    has_batch: ClassVar[bool] = True
    warmup_bars = 1

    def __init__(self, params: Any = None) -> None:
        super().__init__(params)
        self._last = float("nan")

    STATE: ClassVar[tuple[str, ...]] = ("_last",)

    def update(self, market: Market) -> Opinion:
        """Follow the last move."""
        move, self._last = market.close - self._last, market.close
        return Opinion(1.0, 0.5) if move > 0.0 else FLAT

    def batch(self, frame: BarFrame) -> tuple[Any, Any]:
        """Follow the move that comes."""
        rises = np.append(np.diff(frame.close), np.nan) > 0.0
        return np.where(rises, 1.0, 0.0), np.where(rises, 0.5, 0.0)


class CentredWindow(Indicator):
    """Mean of five closes with the bar in the middle: two of them lie ahead."""

    names = ("mean",)
    warmup_bars = 2

    def batch(self, frame: BarFrame) -> Any:
        """Return the centred mean."""
        return np.convolve(frame.close, np.ones(5) / 5, mode="same")[np.newaxis, :]


class WholeSample(Indicator):
    """Standardises by mean and spread of the whole frame, that is of the future too."""

    names = ("z",)
    warmup_bars = 0

    def batch(self, frame: BarFrame) -> Any:
        """Return z-scores."""
        return ((frame.close - frame.close.mean()) / frame.close.std())[np.newaxis, :]


class SharedDetector(Detector):
    """Keeps its memory in an attribute of the class, emptied by each new instance: alone it looks clean."""

    warmup_bars = 0
    recent: ClassVar[list[float]] = []

    def __init__(
        self, params: Any = None, *, fits: FitRunner | None = None, name: str = "", seed: int = 0
    ) -> None:
        self.recent.clear()

    def update(self, obs: Observation) -> Assessment:
        """Count how many closes lie below this one."""
        self.recent.append(obs.close)
        return Assessment("bull", UNIFORM, sum(c < obs.close for c in self.recent) / len(self.recent))


class GlobalMemory:
    """Keeps its memory in a module global."""

    def update(self, x: float) -> tuple[float]:
        """Return how many values all instances have seen."""
        SEEN.append(x)
        return (float(len(SEEN)),)


class ForgetfulAgent(Agent):
    """Forgets one attribute in `STATE`."""

    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed,)
    STATE: ClassVar[tuple[str, ...]] = ("_closes",)

    def __init__(self, ctx: AgentContext) -> None:
        super().__init__(ctx)
        self._closes: dict[str, float] = {}
        self._rises = 0

    def process(self, step: Step) -> Sequence[Event]:
        """Say how often prices have risen."""
        for bar in step.inbox:
            pair = bar.instrument_id or ""
            self._rises += bar.close > self._closes.get(pair, bar.close)  # type: ignore[attr-defined]
            self._closes[pair] = bar.close  # type: ignore[attr-defined]
        return [
            SignalEmitted(
                ts_event_ns=step.ts_event_ns, source=self.name, instrument_id=b.instrument_id,
                strategy="forgetful", direction=0.0, confidence=1.0 / (1 + self._rises),
            )
            for b in step.inbox
        ]  # fmt: skip


class LateForgetter(Indicator):
    """Forgets a counter that changes its output only after a thousand bars."""

    names = ("close",)
    warmup_bars = 0
    STATE: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self._bars = 0

    def update(self, bar: BarClosed) -> tuple[float]:
        """Return the close, after a thousand bars its half."""
        self._bars += 1
        return (bar.close if self._bars <= 1000 else 0.5 * bar.close,)


class DropsItsFit(Detector):
    """Restores its level, but not the fit that is under way."""

    warmup_bars = 0
    STATE: ClassVar[tuple[str, ...]] = ("_level", "_bars")

    def __init__(self, params: Any = None, *, fits: FitRunner, name: str = "x", seed: int = 0) -> None:
        self._refit = Refit(fits, name, float, 20)
        self._level, self._bars = 0.0, 0

    def update(self, obs: Observation) -> Assessment:
        """Return a level that is revised 20 steps after it was asked for."""
        found = self._refit.take(obs.step)
        self._level = self._level if found is None else found
        self._bars += 1
        if self._bars % 50 == 0:
            self._refit.ask(obs.step, (obs.close,))
        return Assessment("bull", UNIFORM, self._level)


class OtherArithmetic(Indicator):
    """Batch and streaming agree to fifteen digits, not to the bit."""

    names = ("mean",)
    warmup_bars = 0
    STATE: ClassVar[tuple[str, ...]] = ("_sum", "_bars")

    def __init__(self) -> None:
        self._sum, self._bars = 0.0, 0

    def update(self, bar: BarClosed) -> tuple[float]:
        """Return the mean of all closes."""
        self._sum += bar.close
        self._bars += 1
        return (self._sum / self._bars,)

    def batch(self, frame: BarFrame) -> Any:
        """Return the same by an update of the mean."""
        mean, out = 0.0, []
        for n, close in enumerate(frame.close.tolist(), 1):
            mean += (close - mean) / n
            out.append(mean)
        return np.array([out])


class EarlyTalker(Indicator):
    """Says that it needs 20 bars and speaks after 10."""

    names = ("close",)
    warmup_bars = 20

    def __init__(self) -> None:
        self._bars = 0

    def update(self, bar: BarClosed) -> tuple[float]:
        """Return the close."""
        self._bars += 1
        return (bar.close if self._bars > 10 else float("nan"),)


class PricedFeature(ScaledIndicator):
    """Calls a price a feature."""

    names = feature_names = ("close",)
    warmup_bars = 0

    def update(self, bar: BarClosed) -> tuple[float]:
        """Return the close."""
        return (bar.close,)

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return it again."""
        return tuple(values)


class StaysHere:
    """Holds a function that no other process can load."""

    def __init__(self) -> None:
        self.update = lambda x: x


class RemembersWishes(Sizing):
    """Says that it keeps nothing and keeps the last wish."""

    def size(self, target_frac: float, volatility: float, correlation: float, active_pairs: int) -> float:
        """Return the mean of this wish and the last."""
        last, self.last = getattr(self, "last", 0.0), target_frac
        return 0.5 * (target_frac + last)


class LooseParams:
    def update(self, x):
        return x

    class Params(pydantic.BaseModel):
        window_bars: int


class Oracle(Strategy):
    """Reads tomorrow's close out of a table that a running fleet cannot have."""

    class Params(Params):
        """Has none."""

    warmup_bars = 0

    def update(self, market: Market) -> Opinion:
        """Be right."""
        coming = _after(TOMORROW, market)
        if coming is None or coming == market.close:
            return FLAT
        return Opinion(1.0 if coming > market.close else -1.0, 1.0)


def _after(table: Mapping[tuple[str, int], float], market: Market) -> float | None:
    # a strategy is not told its pair: the close finds it
    return table.get((repr(market.close), market.step))
