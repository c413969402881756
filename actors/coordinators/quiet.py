"""Steps in which the order path has nothing to decide, taken many at once: the risk coordinator's part.

A step is quiet when no intent is at work, no breaker is tripped, and every wish is as near to what is held as
the dead band allows. In such a step `RiskCoordinator.process` only remembers what it heard; `skip` lets it
remember the last of many. Both know the coordinator's memory, so they live beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from actors.coordinators.risk import RiskCoordinator
from actors.domain.risk.sizing.base import Known

FloatArray = NDArray[np.float64]


def is_idle(risk: RiskCoordinator) -> bool:
    """Tell whether no intent is at work and no breaker is tripped."""
    return not any(until >= 0 for until in risk._work_until) and not risk._watch.any_tripped


def follows_account(risk: RiskCoordinator) -> bool:
    """Tell whether wishes depend on the account, so that they are not known before it is."""
    return risk._sizing.reads_account


def wishes(
    risk: RiskCoordinator, targets: FloatArray, volatility: FloatArray, correlation: FloatArray, *,
    ranges: FloatArray, closes: FloatArray, equity: Sequence[float] = (),
) -> FloatArray:  # fmt: skip
    """Return the sized wish per step and pair, shape (steps, pairs); NaN where it cannot be known.

    Parameters
    ----------
    targets, volatility, ranges, closes : array, shape (steps, pairs)
        The last ones known at each step; a target of NaN: none yet.
    correlation : array, shape (steps,)
    equity : sequence of float, shape (steps,)
        Of the account; needed if sizes follow it.
    """
    out = np.full(targets.shape, np.nan)
    short, sizing = risk._policy.allow_short, risk._sizing
    active = (np.nan_to_num(targets) != 0.0).sum(axis=1).tolist()
    rho = correlation.tolist()
    for i in range(targets.shape[1]):
        wished, deviation = targets[:, i].tolist(), volatility[:, i].tolist()
        if sizing.reads_account:
            stops = map(risk._exits.stop_frac, closes[:, i].tolist(), ranges[:, i].tolist())
            rows = zip(wished, deviation, rho, active, equity, stops, strict=True)
            column = [sizing.size_from(t, Known(*known)) if t == t else t for t, *known in rows]
        else:
            size, plain = sizing.size, zip(wished, deviation, rho, active, strict=True)
            column = [size(t, v, c, n) if t == t else t for t, v, c, n in plain]
        out[:, i] = column
    if risk._needs_range:
        out[np.isnan(ranges) & (targets != 0.0)] = np.nan
    if not short:
        out[out < 0.0] = 0.0
    return out


def after_exits(risk: RiskCoordinator, wish: FloatArray, targets: FloatArray) -> FloatArray:
    """Return wishes that count as flat until a target turns, for pairs that a protective exit has left."""
    if not any(risk._exited):
        return wish
    out = wish.copy()
    for i, side in enumerate(risk._exited):
        if side:
            out[: _turns(targets[:, i], side), i] = 0.0
    return out


def _turns(target: FloatArray, side: int) -> int:
    """Return the first step at which a target is not on a side any more, the number of steps if none is."""
    with np.errstate(invalid="ignore"):
        gone = ~(target * side > 0.0)
    return int(np.argmax(gone)) if gone.any() else len(target)


def is_quiet(
    risk: RiskCoordinator, wish: FloatArray, known: NDArray[np.bool_], held: FloatArray,
    equity: Sequence[float], flat: Sequence[bool],
) -> NDArray[np.bool_]:  # fmt: skip
    """Return per step whether an idle coordinator would decide nothing, shape (steps,).

    Parameters
    ----------
    wish : array, shape (steps, pairs)
    known : bool array, shape (steps, pairs)
        True where the pair has a bar in the step and a target.
    held : array, shape (steps, pairs)
        Exposures at the closes, fractions of equity.
    equity : sequence of float, shape (steps,)
    flat : sequence of bool, shape (pairs,)
        True where the position is exactly zero.
    """
    still, sizing, band = np.array(flat), risk._sizing, risk._policy.rebalance_band_frac
    with np.errstate(invalid="ignore"):
        near = np.abs(wish - held) <= band
        if sizing.at_entry or sizing.opens_small:
            dust = np.abs(held) * np.array(equity)[:, np.newaxis] < np.array(risk._venue_minimum)
            if sizing.opens_small:
                near = np.where(dust, np.abs(wish - held) <= 0.0, near)
            if sizing.at_entry:
                near |= (wish * held > 0.0) & ~dust
    decided = np.where(wish == 0.0, still, np.where(np.isnan(wish), ~still, near))
    return np.asarray((decided | ~known).all(axis=1))


def skip(
    risk: RiskCoordinator, *, targets: FloatArray, confidences: FloatArray, volatility: FloatArray,
    correlation: float, quality: FloatArray, closes: FloatArray, close_steps: NDArray[np.int64],
    returns: FloatArray, ranges: FloatArray, wished: FloatArray, regime: FloatArray | None = None,
) -> None:  # fmt: skip
    """Let the coordinator remember quiet steps; breakers are updated by the caller.

    Parameters
    ----------
    targets, confidences, volatility, quality, closes, ranges : array, shape (pairs,)
        The last ones known at the last skipped step.
    correlation : float
    close_steps : int array, shape (pairs,)
        Step of each pair's last bar; -2 before the first.
    returns : array, shape (steps, pairs)
        Simple returns of the skipped steps; NaN where a bar or the one before it is missing.
    wished : array, shape (steps, pairs)
        Targets of the skipped steps.
    regime : array, shape (pairs,), optional
        Confidence in the regime at the last skipped step; None: nobody says any.
    """
    # in place: the book shares the list of quality scores
    risk._target[:], risk._confidence[:] = targets.tolist(), confidences.tolist()
    risk._volatility[:], risk._quality[:] = volatility.tolist(), quality.tolist()
    risk._close[:], risk._close_step[:] = closes.tolist(), close_steps.tolist()
    if regime is not None:
        risk._regime[:] = regime.tolist()
    risk._correlation = correlation
    risk._range[:] = ranges.tolist()
    for i, side in enumerate(risk._exited):
        if side and _turns(wished[:, i], side) < len(wished):
            risk._exited[i] = 0
    risk._panel.observe_many(returns)
