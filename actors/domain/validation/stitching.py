"""Out-of-sample records of walk-forward folds, put end to end, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain import kernels
from actors.domain.errors import InsufficientDataError
from actors.domain.evaluation.metrics.intervals import Interval, metric_intervals
from actors.domain.evaluation.metrics.summary import ratios_of
from actors.domain.processor import derive_seed
from actors.domain.validation.snooping import superior_ability
from actors.domain.validation.verdict import CONVINCING, FEWEST_TRADES, NONE, SOME, WEAK, Check

FloatArray = NDArray[np.float64]
LEAST_EFFICIENCY = 0.5
LEAST_WON = 0.5
LEVEL = 0.05


@dataclass(frozen=True)
class FoldFigures:
    """One fold, as far as the verdict reads it.

    Attributes
    ----------
    returns : array, shape (n_bars,)
        Of the test, the cost of leaving what was held at its end included.
    train_cagr_frac : float or None
        Annual growth of the chosen parameters where they were chosen; None where nothing could be chosen.
    trade_count : int
        Round trips of the test.
    """

    returns: FloatArray
    train_cagr_frac: float | None
    trade_count: int


@dataclass(frozen=True)
class Stitched:
    """What the folds say together.

    Attributes
    ----------
    returns : array, shape (n_bars,)
        The concatenation of the folds' returns.
    metrics : dict
        Ratios of it, under the names of the command line.
    sharpe_interval : Interval or None
    efficiency : float or None
        Annual growth out of sample over the folds' mean annual growth in sample; None where the latter is not above 0
        or a fold has none.
    folds_won_frac : float
    benchmark_p : float or None
        Of the test that this beats the market held at the same volatility; None where it cannot be made.
    words : str
        ``no evidence``, ``weak evidence`` or ``evidence``.
    checks : tuple of Check
    would_change : tuple of str
    """

    returns: FloatArray
    metrics: dict[str, Any]
    sharpe_interval: Interval | None
    efficiency: float | None
    folds_won_frac: float
    benchmark_p: float | None
    words: str
    checks: tuple[Check, ...]
    would_change: tuple[str, ...]


def stitch(
    folds: Sequence[FoldFigures],
    benchmark: FloatArray,
    *,
    periods_per_year: float,
    seed: int,
    paths: int = 1000,
) -> Stitched:
    """Put the folds end to end and judge them.

    Parameters
    ----------
    folds : sequence of FoldFigures, in time order
    benchmark : array, shape (bars of all folds,)
        Returns of holding the market over the same bars.
    periods_per_year : float
    seed, paths : int
        Of the bootstraps.

    Notes
    -----
    The rule of the verdict: **no evidence** unless the probability that the true Sharpe ratio is above 0 (PSR) reaches
    0.95 over the stitched bars, which no choice has seen; **evidence** if besides the market held at the same
    volatility is beaten (p ≤ 0.05), the efficiency is 0.5 or more, at least half of the folds earn, and there are 30
    round trips; else **weak evidence**. What is undefined is not met.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> folds = [FoldFigures(rng.standard_normal(300) * 0.01 + 0.002, 5.0, 20) for _ in range(3)]
    >>> found = stitch(folds, rng.standard_normal(900) * 0.01, periods_per_year=365.0, seed=7)
    >>> found.words, bool((found.returns == np.concatenate([f.returns for f in folds])).all())
    ('weak evidence', True)
    """
    returns = np.concatenate([f.returns for f in folds])
    metrics = dict(ratios_of(kernels.return_statistics(np.ascontiguousarray(returns)), periods_per_year))
    known = [f.train_cagr_frac for f in folds if f.train_cagr_frac is not None]
    trained = float(np.mean(known)) if len(known) == len(folds) else None
    grown = metrics["cagr_frac"]
    efficiency = grown / trained if grown is not None and trained is not None and trained > 0.0 else None
    won = float(np.mean([float(np.prod(1.0 + f.returns)) > 1.0 for f in folds]))
    trades = sum(f.trade_count for f in folds)
    p = _against(returns, benchmark, paths, derive_seed(seed, "walk-forward", "spa") % 2**63)
    checks = (
        _at_least("psr", "is the Sharpe ratio above 0, as far as so many bars can tell?", metrics["psr"], CONVINCING),
        Check("benchmark", "is the market beaten, held at the same volatility?", p, LEVEL, False,
              p is not None and p <= LEVEL),
        _at_least("efficiency", "is half of the growth in sample kept out of sample?", efficiency, LEAST_EFFICIENCY),
        _at_least("folds_won", "do at least half of the folds earn?", won, LEAST_WON),
        _at_least("trades", "are there enough round trips?", float(trades), FEWEST_TRADES),
    )  # fmt: skip
    words = NONE if not checks[0].met else SOME if all(c.met for c in checks) else WEAK
    interval = None
    if len(returns) >= 20:
        drawn = metric_intervals(
            returns, periods_per_year=periods_per_year, paths=paths,
            seed=derive_seed(seed, "walk-forward", "interval") % 2**63,
        )  # fmt: skip
        interval = drawn.get("sharpe_ann")
    return Stitched(
        returns,
        metrics,
        interval,
        efficiency,
        won,
        p,
        words,
        checks,
        tuple(_change(metrics, checks, len(returns))),
    )


def _at_least(name: str, asks: str, value: float | None, bound: float) -> Check:
    return Check(name, asks, value, bound, True, value is not None and value >= bound)


def _against(returns: FloatArray, benchmark: FloatArray, paths: int, seed: int) -> float | None:
    held = float(benchmark.std(ddof=1)) if len(benchmark) > 1 else 0.0
    if held == 0.0:
        return None
    share = float(returns.std(ddof=1)) / held
    try:
        return superior_ability(returns[:, None], share * benchmark, paths=paths, seed=seed).consistent
    except InsufficientDataError:
        return None


def _change(metrics: dict[str, Any], checks: Sequence[Check], bars: int) -> list[str]:
    out = []
    needed = metrics["min_track_record_bars"]
    if not checks[0].met:
        if needed is not None:
            out.append(
                f"{max(0, int(needed) + 1 - bars):,} more out-of-sample bars at this Sharpe ratio "
                f"({int(needed) + 1:,} in all) would show that it is above 0"
            )
        elif metrics["sharpe_ann"] is None:
            out.append("a strategy that trades out of sample: without returns that vary nothing can be shown")
        else:
            out.append(
                "the Sharpe ratio out of sample is not above 0: no length of such a record would show skill"
            )
    words = {
        "benchmark": "an edge over the market held at the same volatility",
        "efficiency": "parameters whose growth in sample carries over: fewer of them, or longer trains",
        "folds_won": "gains that are spread over the folds",
        "trades": f"more round trips: {FEWEST_TRADES} are the least to judge by",
    }
    return out + [words[c.name] for c in checks if not c.met and c.name in words]
