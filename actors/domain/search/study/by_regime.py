"""Parameters per regime, learnt from the trials of one study: in each regime those of the trial that did best in it.

No trial is run for it: each is judged once more by its bars of one regime (a bar belongs to the regime that was known
before it). Choosing among many on few bars finds luck, so a regime with few bars or round trips keeps the global
choice, and the caller runs the whole map over the same bars before it believes in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actors.domain.errors import ConfigError
from actors.domain.events.regime import REGIMES
from actors.domain.search.objectives.base import Direction
from actors.domain.search.study.trial import Trial

_PREFIX = "regime."


@dataclass(frozen=True)
class LearnRule:
    """What a regime needs to have parameters of its own.

    Attributes
    ----------
    least_bars : int ≥ 1
        Bars of it in the training.
    least_trades : int ≥ 0
        Round trips that the chosen trial opened in it.
    """

    least_bars: int = 250
    least_trades: int = 10

    def __post_init__(self) -> None:
        if self.least_bars < 1 or self.least_trades < 0:
            raise ConfigError(
                "LEARN_RULE",
                f"regimes: expected at least 1 bar and 0 round trips, found {self.least_bars} and {self.least_trades}",
            )


@dataclass(frozen=True)
class RegimeChoice:
    """What was chosen for one regime.

    Attributes
    ----------
    bars, trades : int
        Of the trial whose parameters hold there.
    trial : int or None
        None: the global choice.
    value, global_value : float or None
        Of the objective over the regime's bars.
    note : str
        Why the global choice was kept; empty where it was not.
    """

    regime: str
    bars: int
    trades: int
    trial: int | None
    value: float | None
    global_value: float | None
    note: str = ""


@dataclass(frozen=True)
class Learnt:
    """Choices per regime, and the values that put them into a configuration: path → value."""

    choices: tuple[RegimeChoice, ...]
    values: Mapping[str, Any]

    @property
    def searched(self) -> int:
        """How many regimes were chosen for: each choice is another search among the trials."""
        return sum(c.trial is not None for c in self.choices)

    @property
    def notes(self) -> tuple[str, ...]:
        """The regimes that keep the global choice, with the reason."""
        return tuple(f"{c.regime}: {c.note}" for c in self.choices if c.note)


def regime_metrics(regime: str, value: float | None, bars: int, trades: int) -> dict[str, float | int | None]:
    """Return what a trial says of one regime, under the names of its metrics.

    Examples
    --------
    >>> regime_metrics("bull", 1.5, 400, 12)
    {'regime.bull.value': 1.5, 'regime.bull.bars': 400, 'regime.bull.trades': 12}
    """
    at = f"{_PREFIX}{regime}"
    return {f"{at}.value": value, f"{at}.bars": bars, f"{at}.trades": trades}


def learn(trials: Sequence[Trial], best: Trial, direction: Direction, rule: LearnRule) -> Learnt:
    """Return, per regime that the trials saw, whose parameters to take.

    Parameters
    ----------
    trials : sequence of Trial
        Their metrics hold `regime_metrics`.
    best : Trial
        The global choice.
    direction : str
        Of the objective.
    rule : LearnRule

    Notes
    -----
    Only feasible trials are asked; of equal values the one with the lower number is taken. A regime in which the
    global choice has no value (it never traded there, say) keeps it: nothing could be compared.

    Examples
    --------
    >>> from actors.domain.search.study.trial import TrialResult
    >>> def trial(k, window, bull, bear):
    ...     own = regime_metrics("bull", bull, 500, 20) | regime_metrics("bear", bear, 40, 3)
    ...     return Trial(k, {"strategies.rsi.params.window_bars": window}, TrialResult("complete", (1.0,), metrics=own))
    >>> found = learn([trial(0, 9, 0.5, 0.1), trial(1, 21, 0.9, 0.8)], trial(0, 9, 0.5, 0.1), "maximize", LearnRule())
    >>> dict(found.values), found.notes
    ({'strategies.rsi.adaptive.by_regime.bull.window_bars': 21}, ('bear: 40 bars in the training, expected 250',))
    """
    sign = -1.0 if direction == "minimize" else 1.0
    choices, values = [], dict[str, Any]()
    for regime in REGIMES:
        at = f"{_PREFIX}{regime}"
        seen = [t for t in trials if t.result.feasible and t.result.metrics.get(f"{at}.bars")]
        if not seen:
            continue
        own, bars = best.result.metrics.get(f"{at}.value"), int(seen[0].result.metrics[f"{at}.bars"])
        able = [
            t for t in seen
            if t.result.metrics[f"{at}.value"] is not None and t.result.metrics[f"{at}.trades"] >= rule.least_trades
        ]  # fmt: skip
        kept = int(best.result.metrics.get(f"{at}.trades") or 0)
        note, top = "", None
        if bars < rule.least_bars:
            note = f"{bars} bars in the training, expected {rule.least_bars}"
        elif not able:
            note = f"no trial with {rule.least_trades} round trips in it"
        elif own is None:
            note = "the global parameters have no value in it to compare with"
        else:
            top = min(able, key=lambda t: (-sign * t.result.metrics[f"{at}.value"], t.number))
            if sign * (top.result.metrics[f"{at}.value"] - own) <= 0.0:
                note, top = "no trial does better in it than the global parameters", None
        if top is None:
            choices.append(RegimeChoice(regime, bars, kept, None, own, own, note))
            continue
        m = top.result.metrics
        choices.append(RegimeChoice(regime, bars, int(m[f"{at}.trades"]), top.number, m[f"{at}.value"], own))
        for path, value in top.params.items():
            place = adaptive_path(path, regime)
            if place is not None and value != best.params.get(path):
                values[place] = value
    return Learnt(tuple(choices), values)


def adaptive_path(path: str, regime: str) -> str | None:
    """Return where a strategy's parameter stands for one regime; None of what is no strategy's parameter.

    Examples
    --------
    >>> adaptive_path("strategies.rsi.params.window_bars", "bull"), adaptive_path("risk.sizing.kind", "bull")
    ('strategies.rsi.adaptive.by_regime.bull.window_bars', None)
    """
    keys = path.split(".")
    if len(keys) != 4 or keys[0] != "strategies" or keys[2] != "params":
        return None
    return f"strategies.{keys[1]}.adaptive.by_regime.{regime}.{keys[3]}"
