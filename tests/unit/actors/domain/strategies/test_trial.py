"""The trial of a user's strategy must report what is planted, and nothing else."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from actors.domain.registry import Params
from actors.domain.strategies import trial
from actors.domain.strategies.base import FLAT, Columns, Market, Opinion, Strategy
from actors.domain.strategies.simple import Memory, SimpleStrategy, indicator


class Honest(Strategy):
    """Follows the last move."""

    STATE: ClassVar[tuple[str, ...]] = ("_last",)
    has_batch: ClassVar[bool] = True
    warmup_bars = 1
    ahead = 0

    def __init__(self, params: Any = None) -> None:
        super().__init__(params)
        self._last = float("nan")

    def update(self, market: Market) -> Opinion:
        rose, self._last = market.close > self._last, market.close
        return Opinion(1.0, 0.5) if rose else FLAT

    def batch(self, columns: Columns) -> Any:
        rose = np.diff(columns.close, prepend=np.nan) > 0.0
        rose = np.roll(rose, -self.ahead)
        return rose.astype(float), np.where(rose, 0.5, 0.0)


class Peeks(Honest):
    """Its batch form knows the next move."""

    ahead = 1


class Forgets(Honest):
    """Half of its memory is not in its state."""

    def __init__(self, params: Any = None) -> None:
        super().__init__(params)
        self._rises = 0

    def update(self, market: Market) -> Opinion:
        said = super().update(market)
        self._rises += said.direction > 0.0
        return said if self._rises % 3 else FLAT


class ForgetsSimply(SimpleStrategy):
    """Changes something that is no `Memory` without setting an attribute."""

    kept = Memory(0)

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self.lost = [0]

    def decide(self, bar: Market) -> float:
        self.kept += 1
        self.lost[0] += 1
        return 1.0 if self.lost[0] % 3 else -1.0


class Hasty(Honest):
    """Speaks before the warm-up that it declares is over."""

    warmup_bars = 50


class Loud(Honest):
    """Is surer than sure."""

    has_batch: ClassVar[bool] = False

    def update(self, market: Market) -> Opinion:
        said = super().update(market)
        return Opinion(1.0, 1.5) if said.direction else said


class Silent(Honest):
    """Has nothing to say."""

    has_batch: ClassVar[bool] = False

    def update(self, market: Market) -> Opinion:
        return FLAT


class Shared(Honest):
    """All instances write to one list."""

    has_batch: ClassVar[bool] = False
    seen: ClassVar[list[float]] = []

    def update(self, market: Market) -> Opinion:
        self.seen.append(market.close)
        return Opinion(1.0, 0.5) if len(self.seen) % 7 == 0 else FLAT


def _faults(cls: type[Strategy]) -> list[str]:
    return trial.faults(lambda: cls(getattr(cls, "Params", Params)()))


def test_an_honest_one_passes() -> None:
    assert _faults(Honest) == []


def test_a_batch_form_that_peeks() -> None:
    found = _faults(Peeks)
    assert any("the batch form says something else" in x for x in found)
    assert any(x == "bar 299: the batch form over another future says something else" for x in found)


def test_a_memory_that_is_not_kept() -> None:
    found = _faults(Forgets)
    assert found[0].startswith("bar 300: attribute _rises is not restored")
    assert any("after a restore" in x for x in found)
    assert any("attribute lost is not restored" in x for x in _faults(ForgetsSimply))


def test_bounds_warm_up_silence_and_shared_memory() -> None:
    assert any("out of bounds" in x for x in _faults(Loud))
    assert any("though 50 bars of warm-up are declared" in x for x in _faults(Hasty))
    assert any("says nothing in 600 bars" in x for x in _faults(Silent))
    assert any("a second instance says something else" in x for x in _faults(Shared))


def test_columns_written_by_hand_fill_up_with_the_close() -> None:
    made = trial.columns_of([1.0, 2.0], high=[3.0, 4.0])
    assert (made.open.tolist(), made.high.tolist(), made.volume.tolist()) == ([1, 2], [3, 4], [1, 1])


def test_sample_bars_are_sane_and_seeded() -> None:
    one, two = trial.sample_bars(seed=3), trial.sample_bars(seed=3)
    assert one.close.tobytes() == two.close.tobytes() != trial.sample_bars(seed=4).close.tobytes()
    assert (one.low > 0.0).all()
    assert (one.low <= np.minimum(one.open, one.close)).all()
    assert (one.high >= np.maximum(one.open, one.close)).all()


def test_an_indicator_that_sees_the_whole_sample_is_caught_through_the_strategy() -> None:
    class Whole(SimpleStrategy):
        def indicators(self) -> Any:
            return {"level": indicator("sma", window_bars=3)}

        def decide(self, bar: Market, level: float) -> float:
            return 0.5 if level > 100.0 else -0.5

        def batch(self, columns: Columns) -> Any:
            high = columns.close > columns.close.mean()
            return np.where(high, 1.0, -1.0), np.full(len(high), 0.5)

    assert any("another future" in x for x in trial.faults(lambda: Whole(Whole.Params())))
