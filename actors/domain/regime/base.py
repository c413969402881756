"""What a regime detector is: one view per bar, causal, over its own states and the common vocabulary."""

from __future__ import annotations

from math import nan
from typing import Any, ClassVar

import msgspec

from actors.domain.events.regime import REGIMES, RegimeConfidence
from actors.domain.fitting import FitRunner
from actors.domain.registry import Params
from actors.domain.state import Stateful

UNIFORM: tuple[float, ...] = tuple(1.0 / len(REGIMES) for _ in REGIMES)


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One bar as a detector sees it. `high`, `low`, `close` in quote; `log_return` fraction (NaN on the first bar).

    `volume` in base (NaN: unknown) and `close_ns` (UTC; None: unknown) tell an ensemble in what market the bar lies.
    """

    step: int
    high: float
    low: float
    close: float
    log_return: float
    quality: float = 1.0
    volume: float = nan
    close_ns: int | None = None


class Assessment(msgspec.Struct, frozen=True, gc=False):
    """A detector's view: probabilities over `REGIMES` (sum 1), label = their argmax, confidence in [0, 1].

    Before its warm-up a detector says `UNIFORM` with confidence 0. `detail`, `context` and `weights` are an
    ensemble's: see `actors.domain.events.regime.RegimeAssessed`.
    """

    label: str
    probabilities: tuple[float, ...]
    confidence: float
    native_label: str = ""
    bars_in_state: int = 0
    detail: RegimeConfidence | None = None
    context: str = ""
    weights: tuple[float, ...] = ()


class Detector(Stateful):
    """Base of detectors: one instance per pair; a subclass takes ``(params, *, fits, name, seed)``.

    `fits` runs its walk-forward refits (see `actors.domain.fitting`); `name` is unique in the fleet. `learns` is
    True if its thresholds come from all of its past: then where the data begin matters, by design. `settling_bars`
    says after how many bars that no longer matters, where it is more than a few times the warm-up.
    """

    Params: ClassVar[type[Params]] = Params
    learns: ClassVar[bool] = False
    warmup_bars: int
    settling_bars: int | None = None

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        self.params = params
        self.name = name
        self.seed = seed

    def update(self, obs: Observation) -> Assessment:
        """Take the next bar and return the view at its close."""
        raise NotImplementedError
