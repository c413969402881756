"""The forecast that a regime ends within a horizon: held transition probabilities, then a hazard regression on top.

``P(leave within h) = 1 − Σ_k α(k)·p_kk^h`` with the filtered belief α and stay probabilities counted in labels that
have since become known. A logistic regression on its log-odds, the age of the regime and the present and changing
volatility corrects what a chain without memory gets wrong; refitted on the past only. What it is worth is measured
against the base rate of the past (`BrierSkill`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import exp, log, log1p
from typing import Any, ClassVar

import numpy as np

from actors.domain.regime.confidence.logistic import fit_logistic
from actors.domain.regime.confidence.skill import SKILL, BrierSkill
from actors.domain.state import Stateful

FEATURES = 5
"""One, log-odds of the chain's probability, age, volatility, volatility of volatility."""
_PRIOR = np.array([-1.5, 0.7, 0.3, 0.2, 0.0])  # found on the markets of tuning
_RIDGE = np.array([2.0, 60.0, 60.0, 60.0, 60.0])
_WINDOW, _MIN_ROWS, _REFIT_EVERY, _MIN_BASE = 1500, 150, 125, 50
_PRIOR_SAMPLES = 25.0
_FADE = 0.5 ** (1.0 / 25.0)  # half-life of the volatility of volatility, in samples
Row = tuple[float, ...]


class TransitionForecast(Stateful):
    """Learns from every sampled bar in turn: `ask` at the bar, `learn` when its regime has become known.

    Parameters
    ----------
    states : int
    stay_probability : float
        Of a state from one sample to the next, before anything is counted.
    horizon : int
        In samples.

    Attributes
    ----------
    skill : BrierSkill
        Of the forecasts that have come due.
    known : bool
        Whether they have shown skill.

    Notes
    -----
    State: counts per state, forecasts under way, the last 1,500 rows of the regression. O(states) per bar.
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "_stays", "_counts", "_previous", "_run", "_known", "_pending", "_rows", "_outcomes", "_filled",
        "_coefficients", "_fitted", "_due", "_left", "_resolved", "_level", "_unrest", "skill", "known",
    )  # fmt: skip

    def __init__(self, *, states: int, stay_probability: float, horizon: int) -> None:
        self._horizon = horizon
        self._stay = stay_probability
        self._stays = [0.0] * states
        self._counts = [0.0] * states
        self._previous = -1
        self._run = self._known = 0
        self._pending: deque[tuple[Row, float, float | None]] = deque()
        self._rows = np.zeros((_WINDOW, FEATURES))
        self._outcomes = np.zeros(_WINDOW)
        self._filled = self._due = 0
        self._coefficients: Row = tuple(_PRIOR.tolist())
        self._fitted = False
        self._left = self._resolved = 0
        self._level: float | None = None
        self._unrest = 0.0
        self.skill = BrierSkill(block=4 * horizon)
        self.known = False
        self._hold()

    @property
    def base_rate(self) -> float | None:
        """Share of past forecasts after which the regime did end; None while few are known."""
        return self._left / self._resolved if self._resolved >= _MIN_BASE else None

    def stay_probabilities(self) -> tuple[float, ...]:
        """Return p_kk from sample to sample, as counted so far."""
        return tuple(self._holding)

    def probability(self, belief: Sequence[float], bars_in_state: int, volatility_ratio: float) -> float:
        """Return the probability that the regime ends within the horizon.

        Parameters
        ----------
        belief : sequence of float, shape (states,)
        bars_in_state : int
            Bars that the label in force has been so.
        volatility_ratio : float
            Present over usual; NaN: unknown.
        """
        chain = 1.0
        for a, held in zip(belief, self._held, strict=True):
            chain -= a * held
        if not self._fitted:
            return min(max(chain, 0.0), 1.0)
        row = self._row(chain, bars_in_state, volatility_ratio)
        return self._corrected(row)

    def ask(self, belief: Sequence[float], bars_in_state: int, volatility_ratio: float) -> None:
        """Make the forecast of a sampled bar; what comes of it is learnt later."""
        level = log(volatility_ratio) if volatility_ratio > 0.0 else None
        if level is not None and self._level is not None:
            self._unrest += (1.0 - _FADE) * (abs(level - self._level) - self._unrest)
        self._level = level
        chain = 1.0
        for a, held in zip(belief, self._held, strict=True):
            chain -= a * held
        row = self._row(chain, bars_in_state, volatility_ratio)
        p = self._corrected(row) if self._fitted else min(max(chain, 0.0), 1.0)
        self._pending.append((row, p, self.base_rate))

    def learn(self, label: int) -> None:
        """Take the regime of the oldest sampled bar whose regime was not known."""
        before = self._previous
        if before >= 0:
            self._counts[before] += 1.0
            if label == before:
                self._stays[before] += 1.0
                self._run += 1
            else:
                self._run = 1
            self._hold()
        else:
            self._run = 1
        self._previous = label
        self._known += 1
        if self._known > self._horizon:
            row, p, base = self._pending.popleft()
            self._resolve(row, p, base, 0.0 if self._run > self._horizon else 1.0)

    def _resolve(self, row: Row, p: float, base: float | None, outcome: float) -> None:
        if base is not None:
            self.skill.add(p, base, outcome)
            self.known = self.skill.verdict == SKILL
        self._resolved += 1
        self._left += int(outcome)
        at = self._filled % _WINDOW
        self._rows[at] = row
        self._outcomes[at] = outcome
        self._filled += 1
        self._due += 1
        if self._filled >= _MIN_ROWS and self._due >= _REFIT_EVERY:
            n = min(self._filled, _WINDOW)
            found = fit_logistic(self._rows[:n], self._outcomes[:n], prior=_PRIOR, ridge=_RIDGE)
            self._coefficients = tuple(found.tolist())
            self._fitted = True
            self._due = 0

    def _row(self, chain: float, bars_in_state: int, volatility_ratio: float) -> Row:
        p = min(max(chain, 1e-4), 1.0 - 1e-4)
        ratio = min(max(volatility_ratio, 0.1), 10.0) if volatility_ratio == volatility_ratio else 1.0
        age = log1p(bars_in_state)
        return (1.0, log(p / (1.0 - p)), age, log(ratio), self._unrest)

    def _corrected(self, row: Row) -> float:
        score = 0.0
        for c, x in zip(self._coefficients, row, strict=True):
            score += c * x
        return 1.0 / (1.0 + exp(-min(max(score, -30.0), 30.0)))

    def _hold(self) -> None:
        lent = _PRIOR_SAMPLES * self._stay
        self._holding = [
            (s + lent) / (n + _PRIOR_SAMPLES) for s, n in zip(self._stays, self._counts, strict=True)
        ]
        h = self._horizon
        self._held = [p**h for p in self._holding]

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore; stay probabilities follow from the counts."""
        super().load_state(tree)
        self._hold()
