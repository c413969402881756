"""The confidence calculator: factors to one raw score, calibrated on the past, with level, conformal set and reason.

It asks nothing but what an ensemble hands it per bar, learns only from labels that have since become known, and holds
no clock and no threads: an instance belongs to one pair of one ensemble, and agents are actors, so calls never overlap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import nan
from typing import Any, ClassVar, cast

import msgspec

from actors.domain.errors import InvalidParamsError
from actors.domain.events.regime import HIGH, LOW, MEDIUM, REGIMES, RegimeConfidence
from actors.domain.regime.confidence import reasons
from actors.domain.regime.confidence.calibrator import OF_LABELS, OF_TRUTH, Calibrator
from actors.domain.regime.confidence.conformal import Conformal
from actors.domain.regime.confidence.factors import Quality, View, agreement
from actors.domain.regime.confidence.history import HitRates
from actors.domain.regime.confidence.params import ConfidenceParams
from actors.domain.regime.confidence.reliability import Evidence, LabelReliability, evidence
from actors.domain.regime.confidence.transition import TransitionForecast
from actors.domain.regime.retrospect import FixedLagSmoother, Known
from actors.domain.state import Stateful

_N = len(REGIMES)
_CERTAIN = tuple(tuple(float(k == j) for k in range(_N)) for j in range(_N))
_QUALITY_GAIN = 0.01
_LEAST_SCORES = 30  # unsure bars whose regime is known, before there is a conformal set
_DOUBT, _LEAD, _WILD = 0.5, 0.2, 0.95  # where a factor is named as a reason


class ConfidenceFigures(msgspec.Struct, frozen=True):
    """What a calculator has done so far.

    Attributes
    ----------
    assessed, cache_hits : int
        Bars, and questions answered from memory.
    mean_raw, mean_score : float or None
    levels : dict
        Bars per level.
    outcomes, refits : int
        Labels that became known, isotonic fits.
    hit_rate, brier : float or None
        Of sampled labels against what became known, and of their scores.
    set_miss_rate : float or None
        Share of sampled unsure bars whose set, as it was given out, missed the right regime.
    leave_base_rate, leave_skill : float or None
        Of the forecast that the regime ends; `leave_verdict` in words.
    """

    assessed: int
    cache_hits: int
    mean_raw: float | None
    mean_score: float | None
    levels: dict[str, int]
    outcomes: int
    refits: int
    hit_rate: float | None
    brier: float | None
    set_miss_rate: float | None
    leave_base_rate: float | None
    leave_skill: float | None
    leave_verdict: str


class ConfidenceCalculator(Stateful):
    """Scores the label in force at each bar of one pair.

    Parameters
    ----------
    params : ConfidenceParams
    stay_probability : float
        Of a regime from bar to bar, as the ensemble's filter has it.
    own_labels : bool
        True: labels become known by smoothing the beliefs (see `retrospect`), and an outcome is the probability that
        the label in force was right (see `reliability`). False: the caller says the truth by `learn`.

    Notes
    -----
    State: bounded, whatever the past: bars whose label is not known yet, two histograms, a window of conformal scores,
    and the forecast's. Cost O(regimes + members) per bar.
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "_bar", "_waiting", "_calibrator", "_conformal", "_rates", "_forecast", "_smoother", "_reliability", "_usual",
        "_rated", "_last_step", "_hits", "_sum_raw", "_sum_score", "_levels", "_right", "_loss",
    )  # fmt: skip

    def __init__(self, params: ConfidenceParams, *, stay_probability: float, own_labels: bool = True) -> None:
        self._p = p = params
        self._weights = (p.agreement_weight, p.history_weight, p.quality_weight, p.boundary_weight)
        self._exponent, self._least_modifier = -p.volatility_exponent, p.least_modifier
        self._horizon = p.leave_horizon_bars
        self._every = every = p.learn_every_bars
        self._calibrator = Calibrator(
            prior_weight=p.prior_weight, min_outcomes=p.min_outcomes, refit_every=p.refit_every, half_life=p.half_life,
            prior=OF_LABELS if own_labels else OF_TRUTH,
        )  # fmt: skip
        self._conformal = Conformal(
            alpha=p.miss_frac, rate=p.adaptation, window=p.conformal_window, min_scores=_LEAST_SCORES
        )
        self._rates = HitRates(_N, p.history_half_life)
        # from sample to sample the chain takes `every` steps
        decay = (stay_probability - (1.0 - stay_probability) / (_N - 1)) ** every
        stay = (1.0 + (_N - 1) * decay) / _N
        self._forecast = TransitionForecast(
            states=_N, stay_probability=stay, horizon=p.leave_horizon_bars // every
        )
        lag = p.known_after_bars // every
        self._smoother = (
            FixedLagSmoother(states=_N, stay_probability=stay, lag_bars=lag, stride_bars=lag)
            if own_labels
            else None
        )
        self._reliability = LabelReliability()
        # label, belief, raw, score, limit of the set, members' views of sampled bars whose regime is not known yet
        self._waiting: deque[tuple[int, tuple[float, ...], float, float, float | None, Evidence | None]] = (
            deque()
        )
        self._bar = -1
        self._usual = 1.0
        self._rated = 0
        self._last_step: int | None = None
        self._last_question: tuple[object, ...] = ()
        self._last: RegimeConfidence | None = None
        self._hits = 0
        self._sum_raw = self._sum_score = self._loss = 0.0
        self._levels = {HIGH: 0, MEDIUM: 0, LOW: 0}
        self._right = 0.0

    def assess(
        self,
        label: int,
        belief: tuple[float, ...],
        views: Sequence[View | None],
        weights: Sequence[float],
        *,
        step: int | None = None,
        quality: Quality | None = None,
        volatility_ratio: float = nan,
        bars_in_state: int = 1,
    ) -> RegimeConfidence:
        """Return the confidence in the label in force at the next bar.

        Parameters
        ----------
        label : int
            Index into `REGIMES` of the label in force.
        belief : tuple of float, shape (6,)
            The ensemble's probabilities; sum 1.
        views, weights : sequence
            Of the members, in one order; a silent member is None or has confidence 0.
        step : int, optional
            Which bar this is: the same question at the same step is answered from memory, another question at the same
            step does not count as a bar.
        quality : Quality, optional
            None: not known, the factor is left out.
        volatility_ratio : float
            Present over usual; NaN: not known.
        bars_in_state : int
            Bars that the label has been in force for.
        """
        again = step is not None and step == self._last_step
        share = agreement(views, weights, REGIMES[label])
        if again:
            question, last = (label, belief, quality, volatility_ratio, bars_in_state), self._last
            if last is not None and question == self._last_question and share == last.agreement:
                self._hits += 1
                return last
        out = self._score(label, belief, share, quality, volatility_ratio, bars_in_state, 0)
        self._last_step = step
        self._last_question = (label, belief, quality, volatility_ratio, bars_in_state)
        self._last = out
        if again:
            return out
        self._bar = bar = self._bar + 1
        self._sum_raw += out.raw
        self._sum_score += out.score
        self._levels[out.level] += 1
        if bar % self._every == 0:
            if quality is not None:
                self._rated += 1
                self._usual += max(_QUALITY_GAIN, 1.0 / self._rated) * (quality.score - self._usual)
            given = self._conformal.given(belief)
            heard = None if self._smoother is None else evidence(views, weights, out.boundary or 0.0)
            self._waiting.append((label, belief, out.raw, out.score, given, heard))
            self._forecast.ask(belief, bars_in_state, volatility_ratio)
            if self._smoother is not None:
                for known in self._smoother.update(belief):
                    self._learn_own(known)
        return out

    def silent(
        self, label: int, belief: tuple[float, ...], *, silent_bars: int, quality: Quality | None = None
    ) -> RegimeConfidence:
        """Return the confidence in a label that no bar has confirmed for `silent_bars`; nothing is learnt.

        The members' agreement and the volatility are those of the last bar. Whatever the factors then come to, no more
        is left than the freshness of the data leaves of what that bar had: silence is no reason to trust.
        """
        aged = (quality or Quality(1.0)).aged(silent_bars, self._p.stale_after_bars)
        last = self._last
        if last is None:
            return self._score(label, belief, None, aged, nan, 0, silent_bars)
        most = last.score * max(0.0, 1.0 - silent_bars / self._p.stale_after_bars)
        ratio = cast(float, self._last_question[3])
        return self._score(label, belief, last.agreement, aged, ratio, 0, silent_bars, most)

    def learn(self, label: int) -> None:
        """Take the regime of the oldest sampled bar whose regime is not known; bars are sampled from the first on.

        Raises
        ------
        InvalidParamsError
            If no sampled bar waits for its label.
        """
        if not self._waiting:
            raise InvalidParamsError(
                "CONFIDENCE_LABEL", "confidence: expected a sampled bar that waits for its label, found none"
            )
        self._take(label, _CERTAIN[label])

    def _learn_own(self, known: Known) -> None:
        """Take what hindsight says of the oldest sampled bar, for as much as it is worth."""
        said, _, _, _, _, heard = self._waiting[0]
        if heard is not None:
            self._take(known.label, self._reliability.shares(said, known.probabilities, heard))

    def _take(self, label: int, shares: tuple[float, ...]) -> None:
        """Learn from the oldest sampled bar: the label that is known, and how probable each regime is in its light."""
        said, belief, raw, score, given, _ = self._waiting.popleft()
        right = shares[said]
        self._right += right
        self._loss += right * (1.0 - score) ** 2 + (1.0 - right) * score * score
        self._calibrator.learn(raw, right)
        if score < self._p.high_at:  # sets are given out when unsure, so they must hold there
            self._conformal.learn([(1.0 - b, q) for b, q in zip(belief, shares, strict=True)], given)
        self._rates.learn(said, right)
        self._forecast.learn(label)

    def state(self) -> dict[str, Any]:
        """Return the state; what was answered last goes along as plain values."""
        tree = super().state()
        label, belief, quality, *rest = self._last_question or (None, None, None)
        held = msgspec.structs.astuple(quality) if isinstance(quality, Quality) else None
        tree["_last_question"] = (label, belief, held, *rest)
        tree["_last"] = None if self._last is None else msgspec.structs.astuple(self._last)
        return tree

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore."""
        tree = dict(tree)
        label, belief, held, *rest = tree.pop("_last_question")
        last = tree.pop("_last")
        super().load_state(tree)
        self._last = None if last is None else RegimeConfidence(
            **dict(zip(RegimeConfidence.__struct_fields__, last, strict=True))
        )  # fmt: skip
        self._last_question = (
            () if last is None else (label, belief, None if held is None else Quality(*held), *rest)
        )

    @property
    def forecast(self) -> TransitionForecast:
        """The forecast that the regime ends."""
        return self._forecast

    def figures(self) -> ConfidenceFigures:
        """Return what was done so far."""
        bars, known = self._bar + 1, self._calibrator.outcomes
        conformal, forecast = self._conformal, self._forecast
        return ConfidenceFigures(
            assessed=bars, cache_hits=self._hits,
            mean_raw=self._sum_raw / bars if bars else None, mean_score=self._sum_score / bars if bars else None,
            levels=dict(self._levels), outcomes=known, refits=self._calibrator.refits,
            hit_rate=self._right / known if known else None, brier=self._loss / known if known else None,
            set_miss_rate=conformal.missed / conformal.known if conformal.known else None,
            leave_base_rate=forecast.base_rate, leave_skill=forecast.skill.value,
            leave_verdict=forecast.skill.verdict,
        )  # fmt: skip

    def _score(
        self, label: int, belief: tuple[float, ...], share: float | None, quality: Quality | None, ratio: float,
        bars_in_state: int, silent_bars: int, most: float = 1.0,
    ) -> RegimeConfidence:  # fmt: skip
        by_share, by_history, by_quality, by_lead = self._weights
        total, score = by_lead, 0.0
        held = belief[label]
        lead = held - sorted(belief)[-2] if held == max(belief) else 0.0
        score = by_lead * lead
        if share is not None:
            total += by_share
            score += by_share * share
        history = self._rates.rates[label]
        if history is not None:
            total += by_history
            score += by_history * history
        worth = None
        if quality is not None:
            worth = quality.score
            total += by_quality
            score += by_quality * worth
        p, modifier = self._p, 1.0
        if ratio > 1.0:  # NaN is not
            modifier = max(self._least_modifier, ratio**self._exponent)
        raw = score / total * modifier if total > 0.0 else 0.0
        score = self._calibrator.map(raw)
        if worth is not None and worth < self._usual:
            # the map was learnt on better data; of such bars it knows nothing
            score *= worth / self._usual
        if score > most:
            score = most
        calibrated = self._calibrator.refits > 0
        members: tuple[str, ...] | None = ()
        leave = None
        if calibrated and score >= p.high_at:
            level, reason = HIGH, ""
        else:
            level = MEDIUM if score >= p.medium_at else LOW
            found = self._conformal.members(belief)
            members = None if found is None else tuple([REGIMES[k] for k in found])
            reason = reasons.PHRASES[
                (0 if calibrated else reasons.UNCALIBRATED)
                + (reasons.DISSENT if share is not None and share <= _DOUBT else 0)
                + (reasons.MISTAKEN if history is not None and history <= _DOUBT else 0)
                + (reasons.BOUNDARY if lead <= _LEAD else 0)
                + (reasons.WILD if modifier < _WILD else 0)
            ]
        if quality is not None and (silent_bars or worth < reasons.POOR_QUALITY):  # type: ignore[operator]
            data = reasons.of_quality(quality, silent_bars)
            reason = f"{data}; {reason}" if reason else data
        forecast = self._forecast
        if forecast.known and not silent_bars:
            leave = forecast.probability(belief, bars_in_state, ratio)
        return RegimeConfidence(
            score=score, raw=raw, level=level, agreement=share, history=history, data_quality=worth, boundary=lead,
            volatility_modifier=modifier, calibrated=calibrated, conformal=members, leave_probability=leave,
            leave_horizon_bars=self._horizon, reason=reason,
        )  # fmt: skip
