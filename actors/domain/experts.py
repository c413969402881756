"""Expert weights from losses alone: Hedge, fixed share and AdaHedge, each with its regret guarantee.

All take one loss in [0, 1] per expert and round, in plain floats (a fleet has a handful of experts, where
arrays cost more than they save), and work on cumulative losses relative to the best, so that nothing
under- or overflows however long the run is.

References
----------
Freund & Schapire (1997), "A decision-theoretic generalization of on-line learning"; Herbster & Warmuth
(1998), "Tracking the best expert"; de Rooij, van Erven, Grünwald & Koolen (2014), "Follow the leader if
you can, hedge if you must".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import add, mul
from typing import ClassVar

from actors.domain.errors import InvalidParamsError
from actors.domain.state import Stateful


class ExpertWeights(Stateful):
    """Base of weighting schemes: `weights` is what to use now, `update` takes the round's losses.

    Parameters
    ----------
    n_experts : int
        At least 1.

    Attributes
    ----------
    weights : tuple of float, shape (n_experts,)
        Non-negative, sum 1 (to rounding); uniform before the first loss.
    mix_loss : float
        Sum over rounds of Σ w·ℓ: what following the weights has cost.
    """

    STATE: ClassVar[tuple[str, ...]] = ("weights", "mix_loss")

    def __init__(self, n_experts: int) -> None:
        if n_experts < 1:
            raise InvalidParamsError("EXPERTS_NONE", f"n_experts: expected >= 1, found {n_experts}")
        self.n_experts = n_experts
        self.weights: tuple[float, ...] = (1.0 / n_experts,) * n_experts
        self.mix_loss = 0.0

    def update(self, losses: Sequence[float]) -> None:
        """Take one loss per expert, each in [0, 1].

        Raises
        ------
        InvalidParamsError
            If a loss is outside [0, 1], not a number, or the count is wrong.
        """
        if len(losses) != self.n_experts:
            raise InvalidParamsError(
                "LOSSES_COUNT", f"losses: expected {self.n_experts} values, found {len(losses)}"
            )
        for loss in losses:
            if not 0.0 <= loss <= 1.0:
                raise InvalidParamsError("LOSS_RANGE", f"losses: expected values in [0, 1], found {loss}")
        self.mix_loss += sum(map(mul, self.weights, losses))
        self._learn(losses)

    def _learn(self, losses: Sequence[float]) -> None:
        raise NotImplementedError


class Hedge(ExpertWeights):
    """w ∝ w·exp(−ηℓ) with η = √(8 ln N / T): regret over T rounds at most √(T ln N / 2).

    Parameters
    ----------
    n_experts : int
    horizon_rounds : int
        T of the guarantee.

    Examples
    --------
    >>> h = Hedge(2, 8)
    >>> h.update([1.0, 0.0])
    >>> h.weights[1] > 0.69
    True
    """

    STATE: ClassVar[tuple[str, ...]] = ("_sums",)

    def __init__(self, n_experts: int, horizon_rounds: int) -> None:
        super().__init__(n_experts)
        self.eta = _eta(n_experts, horizon_rounds)
        self._sums: list[float] = [0.0] * n_experts

    def _learn(self, losses: Sequence[float]) -> None:
        self._sums = list(map(add, self._sums, losses))
        self.weights = _softmin(self._sums, self.eta)


class FixedShare(ExpertWeights):
    """Hedge, then w = (1−α)w + α/N: no expert ever falls below α/N, so a comeback is found quickly.

    The default of the fleet: which strategy leads changes with the market.

    Parameters
    ----------
    n_experts : int
    horizon_rounds : int
        Rounds over which η is tuned: the span between changes of leader one reckons with.
    share_frac : float
        α in [0, 1).

    Examples
    --------
    >>> f = FixedShare(2, 8, 0.1)
    >>> for _ in range(50):
    ...     f.update([1.0, 0.0])
    >>> round(f.weights[0], 3), round(sum(f.weights), 12)
    (0.085, 1.0)
    """

    def __init__(self, n_experts: int, horizon_rounds: int, share_frac: float) -> None:
        super().__init__(n_experts)
        if not 0.0 <= share_frac < 1.0:
            raise InvalidParamsError("SHARE_RANGE", f"share_frac: expected in [0, 1), found {share_frac}")
        self.eta = _eta(n_experts, horizon_rounds)
        self.share_frac = share_frac

    def _learn(self, losses: Sequence[float]) -> None:
        exp, eta = math.exp, self.eta
        raw = [w * exp(-eta * losses[i]) for i, w in enumerate(self.weights)]
        total = sum(raw)
        keep, floor = 1.0 - self.share_frac, self.share_frac / self.n_experts
        self.weights = tuple([keep * w / total + floor for w in raw])


class AdaHedge(ExpertWeights):
    """Hedge whose η = ln N / Δ follows the accumulated mixability gap Δ: nothing to tune.

    Regret at most 2√(L*(T−L*)/T · ln N) + 16/3·ln N + 2, with L* the best expert's loss.

    Examples
    --------
    >>> a = AdaHedge(2)
    >>> a.update([1.0, 0.0])
    >>> a.weights[1] > 0.79
    True
    """

    STATE: ClassVar[tuple[str, ...]] = ("_sums", "_gap")

    def __init__(self, n_experts: int) -> None:
        super().__init__(n_experts)
        self._sums: list[float] = [0.0] * n_experts
        self._gap = 0.0

    def _eta_now(self) -> float:
        return math.log(self.n_experts) / self._gap if self._gap > 0.0 and self.n_experts > 1 else math.inf

    def _learn(self, losses: Sequence[float]) -> None:
        eta, w = self._eta_now(), self.weights
        h = sum(map(mul, w, losses))
        if eta == math.inf:
            m = min(x for x, a in zip(losses, w, strict=True) if a > 0.0)
        else:
            # -ln(Σ w·e^{-ηℓ})/η from the sums, both logarithms shifted: weights may underflow, this cannot
            best = min(self._sums)
            now = [x - best for x in self._sums]
            then = list(map(add, now, losses))
            low = min(then)
            before = sum([math.exp(-eta * x) for x in now])
            after = sum([math.exp(-eta * (x - low)) for x in then])
            m = low - (math.log(after) - math.log(before)) / eta
        self._gap += max(0.0, h - m)
        self._sums = list(map(add, self._sums, losses))
        eta = self._eta_now()
        if eta == math.inf:
            best = min(self._sums)
            leaders = [1.0 if x == best else 0.0 for x in self._sums]
            count = sum(leaders)
            self.weights = tuple([x / count for x in leaders])
        else:
            self.weights = _softmin(self._sums, eta)


def _eta(n_experts: int, horizon_rounds: int) -> float:
    if horizon_rounds < 1:
        raise InvalidParamsError("HORIZON_RANGE", f"horizon_rounds: expected >= 1, found {horizon_rounds}")
    return math.sqrt(8.0 * math.log(n_experts) / horizon_rounds)


def _softmin(sums: Sequence[float], eta: float) -> tuple[float, ...]:
    best = min(sums)
    raw = [math.exp(-eta * (x - best)) for x in sums]
    total = sum(raw)
    return tuple([x / total for x in raw])
