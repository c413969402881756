"""Several strategies as one: a side is taken when enough of them share it and few object.

Lam & Suen (1997), "Application of majority voting to pattern recognition", IEEE Transactions on Systems, Man and
Cybernetics 27(5), for votes with rejection; Clemen (1989), "Combining forecasts", International Journal of
Forecasting 5(4): the plain mean of the agreeing is hard to beat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pydantic

from actors.domain import registry
from actors.domain.errors import TradingError
from actors.domain.params import Param
from actors.domain.registry import Params, component
from actors.domain.strategies.base import (
    FLAT,
    PREDICTIONS,
    REGIME,
    Columns,
    FloatArray,
    Market,
    Opinion,
    Strategy,
)
from actors.domain.strategies.rows import streamed

_PACKAGE = "actors.domain.strategies"
_SELF = "multi_strategy"


class Member(Params):
    """One of the strategies that vote.

    Attributes
    ----------
    kind : str
        A strategy, or ``module:Class``.
    params : mapping
        Its parameters.
    """

    kind: str
    params: Mapping[str, Any] = pydantic.Field(default_factory=dict)


class MultiStrategyParams(Params):
    """Parameters of `MultiStrategy`.

    Attributes
    ----------
    members : sequence of kinds, or of ``{kind, params}``
        At least two. By default five that follow moves, each by something else: averages, momentum, extremes,
        dispersion, volume. Followers and faders of a move seldom agree, so a mixture of both hardly ever speaks.
    min_agreeing : int
        Members of one side that it takes.
    max_opposing : int
        Members of the other side that may be there.
    """

    members: tuple[Member, ...] = tuple(
        Member(kind=k) for k in ("ma_crossover", "macd", "donchian", "bollinger", "market_imbalance")
    )
    min_agreeing: int = Param(2, ge=1, low=1, high=4)
    max_opposing: int = Param(0, ge=0, low=0, high=2)

    @pydantic.field_validator("members", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if not isinstance(given, list | tuple):
            return given
        return [{"kind": x} if isinstance(x, str) else x for x in given]

    @pydantic.model_validator(mode="after")
    def _possible(self) -> MultiStrategyParams:
        kinds = [m.kind for m in self.members]
        if len(kinds) < 2 or _SELF in kinds:
            raise ValueError(f"members: expected at least two, none of them {_SELF}, found {kinds}")
        if not self.max_opposing < self.min_agreeing <= len(kinds):
            raise ValueError(
                f"max_opposing < min_agreeing <= {len(kinds)} members: found {self.max_opposing} and "
                f"{self.min_agreeing}"
            )
        for m in self.members:
            try:
                registry.validate(_PACKAGE, m.kind, m.params)
            except TradingError as e:
                raise ValueError(f"members: {e.message}") from e
        return self


@component
class MultiStrategy(Strategy):
    """The consensus of its members.

    Notes
    -----
    State: the members. Warm-up: the shortest that lets ``min_agreeing`` members speak. Per bar the sum of their
    costs. The direction is the mean of the agreeing members' directions; the confidence is their mean confidence
    times the share of all members that they are. Members without a batch form are run bar by bar in it.

    Examples
    --------
    >>> s = MultiStrategy(MultiStrategyParams(members=("rsi", "mean_reversion")))
    >>> s.warmup_bars
    47
    """

    Params = MultiStrategyParams
    STATE: ClassVar[tuple[str, ...]] = ("_members",)
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._members: list[Strategy] = self._built()
        self._least, self._most = params.min_agreeing, params.max_opposing
        self.warmup_bars = sorted(m.warmup_bars for m in self._members)[self._least - 1]
        # one that has no batch form does not show what it reads
        read = [x for m in self._members for x in (m.reads if m.has_batch else (REGIME, PREDICTIONS))]
        self.reads = tuple(dict.fromkeys(read))

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        opinions = [m.update(market) for m in self._members]
        longs = shorts = 0
        for o in opinions:
            if o.direction > 0.0:
                longs += 1
            elif o.direction < 0.0:
                shorts += 1
        if longs > shorts:
            side, agreeing, opposing = 1.0, longs, shorts
        else:
            side, agreeing, opposing = -1.0, shorts, longs
        if agreeing < self._least or opposing > self._most or agreeing == opposing:
            return FLAT
        direction = confidence = 0.0
        for o in opinions:
            if o.direction * side > 0.0:
                direction += o.direction
                confidence += o.confidence
        return Opinion(direction / agreeing, confidence / len(opinions))

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        said = [m.batch(columns) if m.has_batch else streamed(m, columns) for m in self._built()]
        bars = len(columns.close)
        longs, shorts = np.zeros(bars), np.zeros(bars)
        for direction, _ in said:
            longs += direction > 0.0
            shorts += direction < 0.0
        side = np.where(longs > shorts, 1.0, -1.0)
        agreeing, opposing = np.maximum(longs, shorts), np.minimum(longs, shorts)
        live = (agreeing >= self._least) & (opposing <= self._most) & (agreeing != opposing)
        total, sure = np.zeros(bars), np.zeros(bars)
        for direction, confidence in said:
            with_it = live & (direction * side > 0.0)
            total[with_it] += direction[with_it]
            sure[with_it] += confidence[with_it]
        return np.divide(total, agreeing, out=np.zeros(bars), where=live), sure / len(said)

    def _built(self) -> list[Strategy]:
        return [registry.build(_PACKAGE, m.kind, m.params) for m in self.params.members]
