"""How much of the best trial may be luck: the deflated Sharpe ratio by all trials, and the probability of overfitting.

Every trial that was asked counts, pruned and failed ones too: leaving some out is what flatters. The variance is that
of the ratios that are known; the others taken as zeros would shrink it by more than their number raises the bar.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import variance
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InsufficientDataError
from actors.domain.evaluation.metrics.deflated import deflated_sharpe_of, expected_max_sharpe
from actors.domain.search.study.trial import Trial
from actors.domain.validation.effective_trials import group_trials
from actors.domain.validation.overfitting import overfitting_probability


def sharpes_per_bar(trials: Sequence[Trial], bars_per_year: float) -> list[float | None]:
    """Return the Sharpe ratio of each trial per bar; None of one that found nothing, was pruned or failed.

    Examples
    --------
    >>> from actors.domain.search.study.trial import TrialResult
    >>> done = TrialResult("complete", (1.0,), metrics={"sharpe_ann": 2.0})
    >>> sharpes_per_bar([Trial(0, {}, done), Trial(1, {}, TrialResult("pruned"))], 400.0)
    [0.1, None]
    """
    root = math.sqrt(bars_per_year)
    return [
        None
        if t.result.state != "complete" or (s := t.result.metrics.get("sharpe_ann")) is None
        else float(s) / root
        for t in trials
    ]


def returns_table(trials: Sequence[Trial]) -> NDArray[np.float64] | None:
    """Return the returns of the complete trials, shape (periods, trials); None of fewer than two."""
    known = [r for t in trials if t.result.state == "complete" and (r := t.result.returns) is not None]
    return np.stack(known, axis=1) if len(known) > 1 else None


def overfitting(
    trials: Sequence[Trial], best: Trial | None, bars_per_year: float, *, earlier: int = 0
) -> dict[str, Any]:
    """Return the evidence for and against luck.

    Parameters
    ----------
    trials : sequence of Trial
        All of the study; complete ones hold their returns.
    best : Trial or None
    bars_per_year : float
    earlier : int ≥ 0
        Trials of the studies that this one goes on from: what they chose is where it began.

    Returns
    -------
    dict
        ``trials``, earlier ones among them; ``effective_trials`` by the likeness of returns; ``sharpe_variance`` per
        bar; ``luck_sharpe_ann``, the Sharpe ratio that the best of so many worthless trials is expected to show;
        ``dsr`` by all trials and ``dsr_effective`` by the effective ones; ``pbo`` with ``pbo_halves``,
        ``pbo_loss_probability``. Undefined is None, and ``why`` says for what reason.
    """
    ratios = [s for s in sharpes_per_bar(trials, bars_per_year) if s is not None]
    spread = variance(ratios) if len(ratios) > 1 else None
    count = len(trials) + earlier
    out: dict[str, Any] = {
        "trials": count, "effective_trials": None, "sharpe_variance": spread, "luck_sharpe_ann": None,
        "dsr": None, "dsr_effective": None, "pbo": None, "pbo_halves": None, "pbo_loss_probability": None, "why": {},
    }  # fmt: skip
    why: dict[str, str] = out["why"]
    table = returns_table(trials)
    if table is None:
        why["pbo"] = why["effective_trials"] = "fewer than two complete trials"
    else:
        try:
            found = overfitting_probability(table)
            out |= {
                "pbo": found.pbo,
                "pbo_halves": found.halves,
                "pbo_loss_probability": found.loss_probability,
            }
        except InsufficientDataError as e:
            why["pbo"] = e.message
        out["effective_trials"] = group_trials(table).count
    if spread is None:
        why["dsr"] = (
            "a single trial was not chosen among others"
            if count == 1
            else "fewer than two trials have a Sharpe ratio"
        )
        return out
    out["luck_sharpe_ann"] = expected_max_sharpe(count, spread) * math.sqrt(bars_per_year)
    if best is None:
        why["dsr"] = "no trial is complete and keeps the constraints"
        return out
    m = best.result.metrics
    if None in (m.get("sharpe_ann"), m.get("skew"), m.get("kurtosis")):
        why["dsr"] = "the best trial's returns have no Sharpe ratio or moments"
        return out
    own = (m["sharpe_ann"] / math.sqrt(bars_per_year), int(m["bars"]), m["skew"], m["kurtosis"])
    out["dsr"] = deflated_sharpe_of(*own, trials=count, variance=spread)
    groups = out["effective_trials"]
    if groups is not None and groups > 1:
        out["dsr_effective"] = deflated_sharpe_of(*own, trials=groups, variance=spread)
    else:
        why["dsr_effective"] = "the trials' returns are all alike: one thing was tried"
    return out
