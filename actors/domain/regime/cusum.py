"""CUSUM alarms: drift and volatility since the last alarm for a shift of either.

Two charts of Page (1954) run over returns held to mean and deviation of the present stretch so far: one of the return,
one of the square root of its size, which is nearly normal (Hawkins 1981). After an alarm the new stretch is taken to
have begun where the chart that rang last stood at 0; its mean and deviation are drawn to no drift and to the usual
volatility while it is short. How rare false alarms are follows from `allowance` and `threshold`: see
`actors.domain.regime.changes.cusum.average_run_length`; returns with fat tails and short stretches ring more often.
"""

from __future__ import annotations

from math import ceil, exp, log, pi, sqrt
from typing import Any, ClassVar

from actors.domain.events.regime import REGIMES
from actors.domain.fitting import FitRunner
from actors.domain.params import Param
from actors.domain.regime.base import (
    STANDING_STILL,
    WARMING_UP,
    Assessment,
    Observation,
    PriceDetector,
    silent,
)
from actors.domain.regime.changes.cusum import Cusum
from actors.domain.regime.vocabulary import distinctness, soft_labels, top
from actors.domain.registry import Params, component

_NORMAL = sqrt(0.5 * pi)  # deviation over mean absolute value of normal deviates
_SIZE_MEAN, _SIZE_SD = 0.8222, 0.3491  # of the square root of a normal deviate's size
_CAP = 4.0  # standard deviations: one wild bar is no alarm by itself
_EMPTY = (0.0, 0.0, 0.0, 0.0)
_WILD = 8.0  # units of volatility: more of a bar does not enter the stretch


class CusumParams(Params):
    """Parameters of `CusumDetector`."""

    allowance: float = Param(
        0.25, ge=0.0, low=0.1, high=1.0, about="half the shift that matters, standard deviations"
    )
    threshold: float = Param(10.0, gt=0.0, low=4.0, high=20.0, about="sum that rings, standard deviations")
    recent_bars: int = Param(24, ge=1, low=6, high=96, about="an alarm within this many bars is recent")
    most_bars: int = Param(
        500, ge=20, low=100, high=2000, about="of a stretch: what is older counts for less"
    )
    mean_weight_bars: float = Param(
        20.0, gt=0.0, low=2.0, high=100.0, log=True, about="weight of the prior of no drift"
    )
    variance_weight_bars: float = Param(
        6.0, gt=0.0, low=3.0, high=20.0, about="weight of the prior of usual volatility"
    )
    decay: float = Param(
        0.998, gt=0.5, lt=1.0, low=0.99, high=0.9995,
        about="EWMA of the volatility that returns are measured in, per bar",
    )  # fmt: skip
    min_history_bars: int = Param(100, ge=20, low=50, high=300, about="bars before the first view")
    drift_sd: float = Param(
        0.08, gt=0.0, low=0.03, high=0.2, about="width of a prototype; sampling error is added"
    )
    volatility_sd: float = Param(0.35, gt=0.0, low=0.2, high=0.8)


@component
class CusumDetector(PriceDetector):
    """Reads drift and volatility since the last alarm for a shift of either.

    `native_label` is ``up``, ``down``, ``wild`` or ``calm`` for `recent_bars` after such an alarm, else ``settled``.
    State: two charts and the sums of the stretch and of what may become the next one. Warm-up: `min_history_bars`.
    O(1) per bar.
    """

    Params: ClassVar[type[Params]] = CusumParams
    MEASURES: ClassVar[tuple[str, ...]] = (
        "drift", "log_volatility", "up_sd", "down_sd", "wild_sd", "calm_sd", "since_alarm_bars",
    )  # fmt: skip
    STATE: ClassVar[tuple[str, ...]] = (
        "_bars", "_usual", "_mean", "_size", "_sums", "_held", "_since", "_native", "_bars_in_state",
    )  # fmt: skip

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        super().__init__(params, fits=fits, name=name, seed=seed)
        p: CusumParams = params
        self._p = p
        self.warmup_bars = p.min_history_bars + 1
        # a stretch lasts until an alarm, so where the data begin is forgotten with the volatility and two stretches
        self.settling_bars = ceil(log(0.01) / log(p.decay)) + 4 * p.most_bars
        self._fade = exp(-1.0 / p.most_bars)
        self._bars = 0  # bars with a return
        self._usual = 0.0
        self._mean, self._size = Cusum(p.allowance, p.threshold), Cusum(p.allowance, p.threshold)
        self._sums = _EMPTY  # of the stretch: bars, Σz, Σz², Σ|z − mean|
        # the same since each side of each chart was last at 0: up, down, wild, calm
        self._held = [_EMPTY] * 4
        self._since = 0
        self._native = "settled"
        self._bars_in_state = 0

    @property
    def own_states(self) -> tuple[str, ...]:
        """See `Detector`."""
        return "up", "down", "wild", "calm", "settled"

    def _update(self, obs: Observation) -> Assessment:
        p, r = self._p, obs.log_return
        if r != r:  # the first bar has no return
            return silent(WARMING_UP)
        known = self._usual
        self._bars += 1
        self._usual += max(1.0 - p.decay, 1.0 / self._bars) * (_NORMAL * abs(r) - self._usual)
        if not known > 0.0:
            return silent(STANDING_STILL if self._bars > p.min_history_bars else WARMING_UP)
        z = min(max(r / known, -_WILD), _WILD)
        rang = self._listen(z)
        if self._bars < p.min_history_bars:
            return silent(WARMING_UP)
        native = rang or (self._native if self._since <= p.recent_bars else "settled")
        self._bars_in_state = self._bars_in_state + 1 if native == self._native else 1
        self._native = native
        drift, level, error = self._stretch()
        probabilities = soft_labels(
            drift, level, drift_sd=sqrt(p.drift_sd**2 + error), volatility_sd=sqrt(p.volatility_sd**2 + 0.5 * error)
        )  # fmt: skip
        charts = (self._mean.up, self._mean.down, self._size.up, self._size.down)
        return Assessment(
            label=REGIMES[top(probabilities)],
            probabilities=probabilities,
            confidence=distinctness(probabilities) * obs.quality,
            native_label=native,
            bars_in_state=self._bars_in_state,
            own_probabilities=self._own(native, charts),
            features=(drift, level, *charts, float(self._since)),
            data_quality=obs.quality,
        )

    def _listen(self, z: float) -> str:
        """Show both charts a bar; the name of an alarm, empty if none rings. The stretch then begins anew."""
        fade = self._fade
        mean, deviation = self._moments()
        n, total, square, size = self._sums
        weight = self._p.variance_weight_bars
        # of sizes, not of squares: with fat tails a stretch would else seem to calm down all the time
        usual_size = (_NORMAL * size + weight) / (n + weight)
        self._sums = (fade * n + 1.0, fade * total + z, fade * square + z * z, fade * size + abs(z - mean))
        moved = self._mean.update(min(max((z - mean) / deviation, -_CAP), _CAP))
        away = min(abs(z - mean) / max(usual_size, 1e-3), _CAP)
        sized = self._size.update((sqrt(away) - _SIZE_MEAN) / _SIZE_SD)
        bars = (self._mean.since_up, self._mean.since_down, self._size.since_up, self._size.since_down)
        for i, since in enumerate(bars):
            n, total, square, size = self._held[i] if since > 1 else _EMPTY
            self._held[i] = (n + 1.0, total + z, square + z * z, size + abs(z - mean)) if since else _EMPTY
        self._since += 1
        if not moved and not sized:
            return ""
        # a shift of the mean is the rarer news: it goes first where both ring
        which = (0 if moved > 0 else 1) if moved else (2 if sized > 0 else 3)
        self._sums = self._held[which]
        self._since = 0
        p = self._p
        self._mean, self._size = Cusum(p.allowance, p.threshold), Cusum(p.allowance, p.threshold)
        self._held = [_EMPTY] * 4
        return self.own_states[which]

    def _own(self, native: str, charts: tuple[float, ...]) -> tuple[float, ...]:
        """The state in force keeps what the charts do not yet speak against: each pulls by its share of the way."""
        pulls = [0.5 * (s / self._p.threshold) ** 2 for s in charts]
        whole = sum(pulls)
        scale = 0.5 / whole if whole > 0.5 else 1.0
        own = [scale * v for v in pulls] + [0.0]
        own[self.own_states.index(native)] += 1.0 - sum(own)
        return tuple(own)

    def _stretch(self) -> tuple[float, float, float]:
        """Return drift, log volatility and squared standard error of the stretch, with the prior."""
        mean, deviation = self._moments()
        return mean / deviation, log(deviation), 1.0 / (self._sums[0] + self._p.variance_weight_bars)

    def _moments(self) -> tuple[float, float]:
        """Return mean and deviation of the stretch, in units of volatility, with the prior."""
        p = self._p
        n, total, square, _ = self._sums
        mean = total / (n + p.mean_weight_bars)
        weight = p.variance_weight_bars
        variance = (square - 2.0 * mean * total + n * mean * mean + weight) / (n + weight)
        return mean, sqrt(max(variance, 1e-6))
