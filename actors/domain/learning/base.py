"""What a predictor is: P(up over the horizon) from one feature vector, trained on matured outcomes only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from actors.domain.fitting import FitRunner
from actors.domain.registry import Params
from actors.domain.state import Stateful


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One bar as a model sees it: selected features by name order, the close, and the step number."""

    step: int
    features: tuple[float, ...]
    close: float
    ready: bool


class Notice(msgspec.Struct, frozen=True, gc=False):
    """Something a model did besides predicting: ``kind`` is "drift" or "trained"; figures by name."""

    kind: str
    figures: dict[str, float]


class Predictor(Stateful):
    """Base of predictors: one instance per pair; a subclass takes ``(params, *, names, fits, name, seed)``.

    A label of bar t (sign of the return t → t+horizon) may be learnt only at or after bar t+horizon.
    """

    Params: ClassVar[type[Params]] = Params
    horizon_bars: int
    version: int

    def __init__(self, params: Any, *, names: Sequence[str], fits: FitRunner, name: str, seed: int) -> None:
        self.params = params
        self.names = tuple(names)
        self.name = name
        self.seed = seed

    def update(self, sample: Sample) -> tuple[float, Sequence[Notice]]:
        """Learn what has matured, then return P(up) for this bar (NaN while untrained) and notices."""
        raise NotImplementedError
