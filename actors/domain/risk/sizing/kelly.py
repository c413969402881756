"""Fractional Kelly: the growth-optimal size of the trades seen so far, shrunk, cut and capped.

Gaussian: ``f* = μ/σ²`` of trade returns. Binary, for a chance p of winning W and else losing L per unit:
``f* = p/L − (1−p)/W`` (with L = 1 and odds b = W the familiar ``p − (1−p)/b``). Of f* a fraction c is used, which
keeps ``c(2−c)`` of the growth; the mean is shrunk towards zero by ``n/(n+m)``. For m pairs of correlation ρ the
solution of ``Σ⁻¹μ`` with equal means is f* over ``1 + (m−1)ρ``.

Source: Kelly (1956), "A new interpretation of information rate"; Thorp (2006), "The Kelly criterion in blackjack,
sports betting, and the stock market"; MacLean, Ziemba & Blazenko (1992) on fractions.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any, ClassVar, Literal

import pydantic

from actors.domain import registry
from actors.domain.params import Param
from actors.domain.registry import component
from actors.domain.risk.sizing.base import Known, Sizing, with_sign


@component
class Kelly(Sizing):
    """Sizes by the returns of the last closed trades of the account, all pairs together.

    Until `min_trades` have closed nothing can be estimated and positions are opened with `start_frac`. A mean that
    is not above zero gives `min_frac`; with 0 the run then opens nothing more, and stays out, for it learns from
    its own trades only. State: the last `window_trades` returns. Cost: O(window) per closed trade, O(1) per bar.

    Examples
    --------
    >>> kelly = Kelly(Kelly.Params(min_trades=2, shrink_trades=0, fraction=0.5), 8760.0)
    >>> nothing = Known(float("nan"), float("nan"), 1, 1.0, float("nan"))
    >>> kelly.size_from(0.3, nothing)
    0.1
    >>> kelly.closed(0.3); kelly.closed(-0.1)
    >>> round(kelly.size_from(0.3, nothing), 6)  # half of 0.1 / 0.08
    0.625
    """

    class Params(registry.Params):
        """Sizes are fractions of equity.

        Attributes
        ----------
        estimate : str
            ``gaussian`` or ``binary``.
        fraction : float
            Share of the full Kelly size.
        shrink_trades : float
            Trades of zero mean that the prior is worth.
        min_trades, window_trades : int
            Before the first estimate; as many as count.
        start_frac, min_frac, max_frac : float
            Before the first estimate; least and most after it.
        """

        estimate: Literal["gaussian", "binary"] = "gaussian"
        fraction: float = Param(0.5, gt=0, le=1, low=0.1, high=1.0)
        shrink_trades: float = Param(30.0, ge=0, low=5.0, high=120.0)
        min_trades: int = pydantic.Field(30, ge=2)
        window_trades: int = pydantic.Field(500, ge=2)
        start_frac: float = Param(0.1, ge=0, low=0.02, high=0.3)
        min_frac: float = pydantic.Field(0.0, ge=0)
        max_frac: float = pydantic.Field(1.0, gt=0)

        @pydantic.model_validator(mode="after")
        def _ordered(self) -> Kelly.Params:
            if self.min_trades > self.window_trades:
                raise ValueError(
                    f"min_trades: expected at most window_trades = {self.window_trades}, found {self.min_trades}"
                )
            for name in ("start_frac", "min_frac"):
                if getattr(self, name) > self.max_frac:
                    raise ValueError(
                        f"{name}: expected at most max_frac = {self.max_frac:g}, found {getattr(self, name):g}"
                    )
            return self

    reads_account = True
    opens_small = True
    STATE: ClassVar[tuple[str, ...]] = ("_returns", "_size")

    def __init__(self, params: Any, periods_per_year: float) -> None:
        super().__init__(params, periods_per_year)
        self._returns: deque[float] = deque(maxlen=params.window_trades)
        self._size: float | None = None

    def closed(self, return_frac: float) -> None:
        """Take one more outcome; one that is undefined (nothing was paid) is none."""
        if math.isfinite(return_frac):
            self._returns.append(return_frac)
            self._size = None

    def size_from(self, target_frac: float, known: Known) -> float:
        """Return the size on the side of the wish."""
        if target_frac == 0.0:
            return 0.0
        if self._size is None:
            self._size = self._estimate()
        size = self._size
        if known.active_pairs > 1:
            rho = 1.0 if known.correlation != known.correlation else max(known.correlation, 0.0)
            size /= 1.0 + (known.active_pairs - 1) * rho
        return with_sign(target_frac, size)

    def _estimate(self) -> float:
        p, count = self.params, len(self._returns)
        if count < p.min_trades:
            return float(p.start_frac)
        shrink = count / (count + p.shrink_trades)
        full = (
            _gaussian(self._returns, shrink) if p.estimate == "gaussian" else _binary(self._returns, shrink)
        )
        return float(min(p.max_frac, max(p.min_frac, p.fraction * full)))


def _gaussian(returns: deque[float], shrink: float) -> float:
    """Return ``shrink · μ / σ²`` (ddof 1); infinite for a sure gain, 0 for a sure loss."""
    mean = math.fsum(returns) / len(returns)
    variance = math.fsum((r - mean) ** 2 for r in returns) / (len(returns) - 1)
    if variance > 0.0:
        return shrink * mean / variance
    return math.inf if mean > 0.0 else 0.0


def _binary(returns: deque[float], shrink: float) -> float:
    """Return ``shrink · mean / (W · L)``, which is ``p/L − (1−p)/W`` where nothing is shrunk."""
    wins = [r for r in returns if r > 0.0]
    losses = [-r for r in returns if r < 0.0]
    if not wins or not losses:
        return math.inf if wins else 0.0
    win, loss = math.fsum(wins) / len(wins), math.fsum(losses) / len(losses)
    p = len(wins) / (len(wins) + len(losses))
    return shrink * (p * win - (1.0 - p) * loss) / (win * loss)
