"""What else could have happened: the law of drawdown and growth of resampled records, and how likely ruin is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actors.domain import kernels
from actors.domain.errors import InsufficientDataError, InvalidParamsError
from actors.domain.evaluation.metrics.block_length import optimal_block_length

FloatArray = NDArray[np.float64]
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Probabilities whose quantiles are told."""
FEWEST_TRADES = 10


@dataclass(frozen=True)
class PathLaw:
    """Laws over resampled paths.

    Attributes
    ----------
    paths, steps : int
        How many, and how long each is.
    mean_block : float or None
        Mean length of a block; None where the record was only put in another order.
    drawdown, growth : dict level → float
        Quantiles of the deepest drawdown (fraction) and of final over first equity.
    loss_probability : float
        Share of the paths that end below their start.
    ruin_frac, ruin_probability : float
        Share of the paths whose drawdown reaches `ruin_frac` at some time.
    ruin_error : float
        Standard error of that share.
    """

    paths: int
    steps: int
    mean_block: float | None
    drawdown: dict[float, float]
    growth: dict[float, float]
    loss_probability: float
    ruin_frac: float
    ruin_probability: float
    ruin_error: float


def path_law(
    returns: FloatArray,
    *,
    paths: int = 2000,
    seed: int = 7,
    ruin_frac: float = 0.5,
    mean_block: float | None = None,
    steps: int | None = None,
) -> PathLaw:
    """Return the laws of stationary bootstrap paths (Politis & Romano, 1994) of a record.

    Parameters
    ----------
    returns : array, shape (n,), n ≥ 12, fraction per period, each ≥ -1
    paths, seed : int
    ruin_frac : float in (0, 1]
    mean_block : float, optional
        By default that of Politis & White (2004, corrected 2009), which keeps the serial dependence of the record.
    steps : int, optional
        Length of a path; by default that of the record.

    Raises
    ------
    InsufficientDataError
        For fewer than 12 returns.
    InvalidParamsError
        If `ruin_frac` is out of range.

    Examples
    --------
    >>> r = np.random.default_rng(0).standard_normal(500) * 0.01
    >>> law = path_law(r, paths=400)
    >>> law.drawdown[0.5] < law.drawdown[0.95] < 1.0, law == path_law(r, paths=400)
    (True, True)
    """
    _ruin(ruin_frac)
    sample = np.ascontiguousarray(returns, dtype=np.float64)
    if sample.shape[0] < 12:
        raise InsufficientDataError(
            "PATHS_TOO_SHORT", f"Monte Carlo: expected at least 12 returns, found {sample.shape[0]}"
        )
    # six digits: the last ones of a dot product differ between machines, and a draw must not
    block = float(f"{optimal_block_length(sample) if mean_block is None else mean_block:.6g}")
    drawn = kernels.bootstrap_paths(sample, paths=paths, seed=seed, mean_block_bars=block, steps=steps)
    return _law(drawn.growth, drawn.max_drawdown, drawn.steps, block, ruin_frac)


def shuffled_trades(
    trade_returns: FloatArray, *, paths: int = 2000, seed: int = 7, ruin_frac: float = 0.5
) -> PathLaw:
    """Return the laws of the same round trips in another order: an extra, since order in time is lost.

    The final equity is that of the record on every path; only the way there differs. What markets do to a strategy
    depends on their order, so this says less than `path_law`.

    Parameters
    ----------
    trade_returns : array, shape (n,), n ≥ 10
        Of the equity by each round trip, each ≥ -1.

    Raises
    ------
    InsufficientDataError
        For fewer than 10 round trips.

    Examples
    --------
    >>> law = shuffled_trades(np.array([0.1, -0.1, 0.05, -0.05, 0.2, -0.1, 0.1, -0.02, 0.03, 0.01]), paths=200)
    >>> round(law.growth[0.05], 9) == round(law.growth[0.95], 9), law.mean_block
    (True, None)
    """
    _ruin(ruin_frac)
    sample = np.asarray(trade_returns, dtype=np.float64)
    if sample.shape[0] < FEWEST_TRADES or not (np.isfinite(sample) & (sample >= -1.0)).all():
        raise InsufficientDataError(
            "TRADES_TOO_FEW",
            f"trade reshuffle: expected at least {FEWEST_TRADES} finite returns from -1, found {sample.shape[0]}",
        )
    rng = np.random.default_rng(seed)
    growth, deepest = np.empty(paths), np.empty(paths)
    for k in range(paths):
        curve = np.cumprod(1.0 + rng.permutation(sample))
        peak = np.maximum.accumulate(np.maximum(curve, 1.0))
        growth[k], deepest[k] = curve[-1], float((1.0 - curve / peak).max())
    return _law(growth, deepest, len(sample), None, ruin_frac)


def _law(
    growth: FloatArray, deepest: FloatArray, steps: int, block: float | None, ruin_frac: float
) -> PathLaw:
    paths = len(growth)
    ruined = float((deepest >= ruin_frac).mean())
    return PathLaw(
        paths=paths, steps=steps, mean_block=block,
        drawdown=dict(zip(LEVELS, np.quantile(deepest, LEVELS).tolist(), strict=True)),
        growth=dict(zip(LEVELS, np.quantile(growth, LEVELS).tolist(), strict=True)),
        loss_probability=float((growth < 1.0).mean()), ruin_frac=ruin_frac, ruin_probability=ruined,
        ruin_error=math.sqrt(ruined * (1.0 - ruined) / paths),
    )  # fmt: skip


def _ruin(ruin_frac: float) -> None:
    if not 0.0 < ruin_frac <= 1.0:
        raise InvalidParamsError("RUIN_FRAC", f"ruin_frac: expected a value in (0, 1], found {ruin_frac}")
