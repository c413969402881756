"""The enhanced ensemble on trial: causal members, weights learnt on the training series, then on the trial itself.

Members say probabilities over their long-run shares, so that the pool's argmax is the prior rule. How far each is
believed at first comes from the training series, whose states have become known to a smoother since: Hedge over its
bars, by each member's mean loss in each of the states, all states alike. From then on the ensemble learns as it does in
a fleet. A member without a training series of its own is given a tenth.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from actors.domain.regime.base import Assessment, Observation
from actors.domain.regime.context import ContextParams
from actors.domain.regime.enhanced import EnhancedEnsemble
from actors.domain.regime.ensemble import EnsembleParams
from actors.domain.regime.member_weights import LearningParams

FloatArray = NDArray[np.float64]
States = NDArray[np.int64]
NEWCOMER_SHARE = 0.1
_STAY = 0.98


def balanced(probabilities: FloatArray, shares: FloatArray) -> FloatArray:
    """Return probabilities over long-run shares, rows to sum 1: what is believed if all states were as frequent.

    Examples
    --------
    >>> balanced(np.array([[0.9, 0.1]]), np.array([0.9, 0.1])).tolist()
    [[0.5, 0.5]]
    """
    odds = probabilities / np.maximum(shares, 1e-12)
    out: FloatArray = odds / odds.sum(axis=1, keepdims=True)
    return out


def trained_weights(said: Sequence[FloatArray], known: FloatArray) -> tuple[float, ...]:
    """Return each member's weight by what it said of a series whose states are known by now; they sum to 1.

    Hedge (``w ∝ exp(−η·n·L)``, η = √(8 ln N / n)) over the n bars, L a member's quadratic loss, half the squared
    distance to the state, averaged in each state and over the states.

    Parameters
    ----------
    said : sequence of array, shape (n, K)
    known : array, shape (n, K)
        Smoothed probabilities; the most likely state counts.

    Examples
    --------
    >>> right, wrong = np.eye(2)[[0, 1, 1, 0]], np.eye(2)[[1, 0, 0, 1]]
    >>> [round(w, 3) for w in trained_weights([right, wrong], right)]
    [0.991, 0.009]
    """
    n, states = known.shape
    labels = known.argmax(axis=1)
    target = np.eye(states)[labels]
    present = [k for k in range(states) if (labels == k).any()]
    losses = []
    for q in said:
        each = 0.5 * ((q - target) ** 2).sum(axis=1)
        losses.append(sum(float(each[labels == k].mean()) for k in present) / len(present))
    rate = sqrt(8.0 * log(max(len(said), 2)) / n) * n
    raw = np.exp(-rate * (np.array(losses) - min(losses)))
    return tuple((raw / raw.sum()).tolist())


def pooled_labels(y: FloatArray, members: Sequence[FloatArray], weights: Sequence[float]) -> States:
    """Return the ensemble's label of every bar, bar by bar; NaN rows of a member are bars on which it is silent.

    Parameters
    ----------
    y : array, shape (n,)
        Returns: what the ensemble reads the market's context from.
    members : sequence of array, shape (n, K)
        Balanced probabilities.
    weights : sequence of float
        What each member is believed at first.
    """
    n, states = members[0].shape
    names = tuple(f"state_{k}" for k in range(states))
    params = EnsembleParams(
        kind="enhanced", weights=tuple(weights), stay_probability=_STAY, min_dwell_bars=0, margin_frac=0.0,
        context=ContextParams(parts=("volatility",)),
        # bars are days: a month until a label counts as known, and weights move slowly
        learning=LearningParams(lag_bars=20, round_bars=20, horizon_rounds=1000, share_frac=0.0),
    )  # fmt: skip
    ensemble = EnhancedEnsemble(
        params, members=len(members), filtered=False, states=names, initial=0, urgent=()
    )
    views = [
        [None if row[0] != row[0] else Assessment("", tuple(row), 1.0) for row in member.tolist()]
        for member in members
    ]
    out = np.empty(n, dtype=np.int64)
    for t, (r, said) in enumerate(zip(y.tolist(), zip(*views, strict=True), strict=True)):
        view = ensemble.update(said, Observation(step=t, high=1.0, low=1.0, close=1.0, log_return=r))
        out[t] = names.index(view.label)
    return out
