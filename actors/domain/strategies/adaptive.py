"""A strategy whose parameters follow the market's regime.

Ang & Timmermann (2012), "Regime changes and financial markets": what suits a market depends on its state, and the
state is known late and with error; hence the confidence, the dwell and the confirmation before anything is switched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pydantic

from actors.domain import registry
from actors.domain.errors import TradingError
from actors.domain.events.regime import REGIMES
from actors.domain.params import Param
from actors.domain.registry import Params, component
from actors.domain.strategies.base import (
    PREDICTIONS,
    REGIME,
    Columns,
    FloatArray,
    Market,
    MarketColumns,
    Opinion,
    Strategy,
)
from actors.domain.strategies.rows import streamed
from actors.domain.strategies.switching import SetSelector, SwitchRule, sets_of

_PACKAGE = "actors.domain.strategies"
_SELF = "adaptive"
_DEFAULT_MAP: Mapping[str, Mapping[str, Any]] = {
    "bull": {"fast_bars": 10, "slow_bars": 30},
    "sideways": {"fast_bars": 30, "slow_bars": 100},
    "bear": {"fast_bars": 30, "slow_bars": 100},
}


class AdaptiveParams(Params):
    """Parameters of `Adaptive`.

    Attributes
    ----------
    kind : str
        The strategy, or ``module:Class``.
    params : mapping
        Its global parameters: they hold where the map has nothing for a regime.
    by_regime : mapping regime → mapping parameter → value
        What differs from the global parameters in a regime.
    min_confidence : float
        Of the regime, in [0, 1]: below it nothing is switched.
    release_confidence : float
        Below it the global parameters come back (after dwell and confirmation); 0: never.
    min_dwell_bars : int
        Bars that a set is kept at least.
    confirm_bars : int
        Bars in a row in which the same set must be asked for.
    handover_bars : int
        Bars that a set at most keeps the say to close a position which it holds and the next set does not share.
    urgent : sequence of regimes
        They wait for nothing but the confidence.
    """

    kind: str = "ma_crossover"
    params: Mapping[str, Any] = pydantic.Field(default_factory=dict)
    by_regime: Mapping[str, Mapping[str, Any]] = pydantic.Field(default_factory=lambda: dict(_DEFAULT_MAP))
    min_confidence: float = Param(0.3, ge=0, le=1, low=0.0, high=0.8)
    release_confidence: float = Param(0.0, ge=0, le=1, low=0.0, high=0.3)
    min_dwell_bars: int = Param(12, ge=0, low=0, high=96)
    confirm_bars: int = Param(2, ge=1, low=1, high=12)
    handover_bars: int = Param(12, ge=0, low=0, high=48)
    urgent: tuple[str, ...] = ("crash",)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _own_map(cls, given: Any) -> Any:
        """The default map is that of the default strategy: another one begins without any."""
        if isinstance(given, Mapping) and "kind" in given and "by_regime" not in given:
            return {**given, "by_regime": {}}
        return given

    @pydantic.model_validator(mode="after")
    def _known(self) -> AdaptiveParams:
        if self.kind == _SELF:
            raise ValueError(
                f"kind: expected the strategy whose parameters are switched, found {_SELF} itself"
            )
        strange = [r for r in (*self.by_regime, *self.urgent) if r not in REGIMES]
        if strange:
            raise ValueError(
                f"by_regime and urgent: expected regimes of {', '.join(REGIMES)}, found {strange}"
            )
        if self.release_confidence > self.min_confidence:
            raise ValueError(
                f"release_confidence: expected at most min_confidence ({self.min_confidence}), found "
                f"{self.release_confidence}"
            )
        for regime, own in ((None, {}), *self.by_regime.items()):
            try:
                registry.validate(_PACKAGE, self.kind, {**self.params, **own})
            except TradingError as e:
                where = "params" if regime is None else f"by_regime.{regime}"
                raise ValueError(f"{where}: {e.message}") from e
        return self


@component
class Adaptive(Strategy):
    """One instance of a strategy per distinct parameter set; the regime says whose opinion counts.

    Notes
    -----
    State: the instances, all of which see every bar, so that a switch needs no new warm-up, and the machine that
    chooses (`switching.SetSelector`). A set is not switched to before its own warm-up is over. Warm-up: that of the
    quickest set. Cost per bar: one update per distinct set. After a bar at which it switched, `switch` says from
    where to where, how sure the regime was, and why.

    Examples
    --------
    >>> s = Adaptive(AdaptiveParams(kind="rsi", by_regime={"bull": {"window_bars": 7}, "crash": {"window_bars": 7}}))
    >>> s.names, s.warmup_bars
    (('global', 'bull+crash'), 7)
    """

    Params = AdaptiveParams
    STATE: ClassVar[tuple[str, ...]] = ("_sets", "_selector")
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._sets, self._selector = self._built()
        self.names = self._selector.names
        self.warmup_bars = min(s.warmup_bars for s in self._sets)
        # one that has no batch form does not show what it reads
        read = [x for s in self._sets for x in (s.reads if s.has_batch else (REGIME, PREDICTIONS))]
        self.reads = tuple(dict.fromkeys([REGIME, *read]))

    @property
    def switch(self) -> tuple[str, str, float, str] | None:
        """What the last bar changed: set before, set now, confidence, why; None where nothing changed."""
        return self._selector.switch

    def values(self, name: str) -> dict[str, Any]:
        """Return the parameters of a set by its name, plain."""
        return self._sets[self.names.index(name)].params.model_dump(mode="json")  # type: ignore[no-any-return]

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close: that of the set in force."""
        opinions = [s.update(market) for s in self._sets]
        chosen = self._selector.choose(
            market.regime, market.regime_confidence, [o.direction for o in opinions]
        )
        return opinions[chosen]

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        direction, confidence, _ = self.decided(columns)
        return direction, confidence

    def decided(
        self, columns: Columns
    ) -> tuple[FloatArray, FloatArray, list[tuple[int, tuple[str, str, float, str]]]]:
        """Return ``(direction, confidence, switches)`` over columns; a switch is (bar, `switch` at that bar)."""
        known = MarketColumns.of(columns)
        sets, selector = self._built()
        said = [s.batch(known) if s.has_batch else streamed(s, known) for s in sets]
        labels = (*REGIMES, "")  # index -1, unknown, is the last one
        rows = zip(*(direction.tolist() for direction, _ in said), strict=True)
        chosen = np.zeros(len(known.close), dtype=np.int64)
        switches = []
        regimes = zip(known.regime.tolist(), known.regime_confidence.tolist(), rows, strict=True)
        for k, (regime, sure, directions) in enumerate(regimes):
            chosen[k] = selector.choose(labels[regime], sure, directions)
            if selector.switch is not None:
                switches.append((k, selector.switch))
        at = np.arange(len(chosen))
        direction = np.stack([d for d, _ in said])[chosen, at]
        return direction, np.stack([c for _, c in said])[chosen, at], switches

    def _built(self) -> tuple[list[Strategy], SetSelector]:
        p = self.params
        base = registry.validate(_PACKAGE, p.kind, p.params)
        own = {r: registry.validate(_PACKAGE, p.kind, {**p.params, **v}) for r, v in p.by_regime.items()}
        distinct, names, number = sets_of(base, own, REGIMES)
        sets: list[Strategy] = [registry.load(_PACKAGE, p.kind)(x) for x in distinct]
        rule = SwitchRule(
            min_confidence=p.min_confidence, release_confidence=p.release_confidence,
            min_dwell_bars=p.min_dwell_bars, confirm_bars=p.confirm_bars, handover_bars=p.handover_bars,
            urgent=p.urgent,
        )  # fmt: skip
        return sets, SetSelector(rule, number, names, [s.warmup_bars for s in sets])
