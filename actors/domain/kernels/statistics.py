"""Statistics of a run's returns in one pass, and resampled paths of them, without storing any.

Sources: Pébay (2008) for one-pass moments, Hyndman & Fan (1996) for quantiles, Acerbi & Tasche (2002) for expected
shortfall, Politis & Romano (1994) for the stationary bootstrap.
"""

from __future__ import annotations

from operator import index
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import KernelError
from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import impl

_FIGURES: Final = 22
_PATH_FIGURES: Final = 10
_WHOLE: Final = frozenset((0, 10, 11, 12, 14, 16))


class ReturnStatistics(NamedTuple):
    """Figures of a sample of simple returns, from which every ratio follows.

    Attributes
    ----------
    bars : int
    mean, m2, m3, m4 : float
        Mean, and sums (not means) of the second to fourth powers of the deviations from it.
    gain_sum, loss_sum, downside_sum : float
        Sum of the gains, of the losses (positive), of the squared losses.
    best, worst : float
    wins, losses, longest_losing_bars : int
        Bars above and below 0; longest run of losing bars.
    growth, growth_exponent : float, int
        Final over initial equity is ``growth · 2^growth_exponent``.
    max_drawdown : float
    longest_under_water_bars : int
    drawdown_square_sum : float
        Sum of the squared drawdowns after each bar.
    low_quantile, high_quantile : float
        Type 7 quantiles at `tail` and ``1 - tail``.
    var, es : float
        Order-statistic value at risk and fractional expected shortfall, losses positive.
    """

    bars: int
    mean: float
    m2: float
    m3: float
    m4: float
    gain_sum: float
    loss_sum: float
    downside_sum: float
    best: float
    worst: float
    wins: int
    losses: int
    longest_losing_bars: int
    growth: float
    growth_exponent: int
    max_drawdown: float
    longest_under_water_bars: int
    drawdown_square_sum: float
    low_quantile: float
    high_quantile: float
    var: float
    es: float


class BootstrapPaths(NamedTuple):
    """Resampled paths.

    Attributes
    ----------
    growth : array, shape (paths,)
        Final over initial equity.
    max_drawdown : array, shape (paths,), fraction
    sums : array, shape (paths, 10), or None
        Sums over the path of: deviations from `center`, their squares, squared losses, gains, losses (negative),
        squared drawdowns; then bars above 0, type 7 quantiles at `tail` and ``1 - tail``, fractional expected
        shortfall.
    center : float
    steps : int
    """

    growth: FloatArray
    max_drawdown: FloatArray
    sums: NDArray[np.float64] | None
    center: float
    steps: int


def return_statistics(returns: FloatArray, *, tail: float = 0.05) -> ReturnStatistics:
    """Return all figures of a sample of simple returns in one pass.

    Parameters
    ----------
    returns : array, shape (n,), n ≥ 1, fraction per bar, each ≥ -1
    tail : float in (0, 0.5]
        Share of the sample in either tail.

    Raises
    ------
    KernelError
        If there is no return, one is not finite or below -1 (the first is named), or `tail` is out of range.

    Examples
    --------
    >>> s = return_statistics(np.array([0.1, -0.2, 0.05, 0.0]))
    >>> s.bars, s.wins, s.losses, round(s.max_drawdown, 6), s.longest_under_water_bars
    (4, 2, 1, 0.2, 3)
    """
    return _run(check.series("returns", returns), False, tail)


def equity_statistics(equity: FloatArray, *, tail: float = 0.05) -> ReturnStatistics:
    """Return `return_statistics` of an equity curve, without an array of its returns; drawdowns are the curve's own.

    Parameters
    ----------
    equity : array, shape (n + 1,), n ≥ 1, quote currency, > 0
        Starts with the capital before the first bar.
    tail : float in (0, 0.5]

    Raises
    ------
    KernelError
        If there are fewer than two values, one is not finite and above 0, or `tail` is out of range.

    Examples
    --------
    >>> s = equity_statistics(np.array([100.0, 110.0, 99.0]))
    >>> s.bars, round(s.growth, 6), round(s.max_drawdown, 6)
    (2, 0.99, 0.1)
    """
    return _run(check.series("equity", equity), True, tail)


def _run(x: FloatArray, curve: bool, tail: float) -> ReturnStatistics:
    ranks, out = _ranks(x.shape[0] - curve, tail), np.empty(_FIGURES)
    try:
        impl().return_statistics(x, curve, *ranks, out)
    except ValueError as e:
        raise KernelError("KERNEL_STATISTICS", f"statistics: {e}") from e
    found = [int(v) if i in _WHOLE else v for i, v in enumerate(out.tolist())]
    return ReturnStatistics._make(found)


def _ranks(n: int, tail: float) -> tuple[float, float, float]:
    """Return the positions of both quantiles and the mass of a tail."""
    if not 0.0 < tail <= 0.5:
        raise KernelError("KERNEL_PARAM_RANGE", f"tail: expected a share in (0, 0.5], found {tail!r}")
    # (1 - 0.95) * 500 is 25.000000000000025 in floats and would take one observation too many
    return (n - 1) * tail, (n - 1) * (1.0 - tail), max(round(tail * n, 9), 1e-9)


def bootstrap_paths(
    returns: FloatArray,
    *,
    paths: int,
    seed: int,
    steps: int | None = None,
    mean_block_bars: float = 1.0,
    sums: bool = False,
    tail: float = 0.05,
) -> BootstrapPaths:
    """Resample paths by the stationary bootstrap; memory does not grow with the length of the paths.

    Path ``p`` depends on `seed` and ``p`` alone: asking for more paths keeps the first ones, and both backends
    give the same bits. A start is drawn with 32 random bits, so no return is favoured by more than n / 2^32.

    Parameters
    ----------
    returns : array, shape (n,), n ≥ 1, fraction per bar, each ≥ -1
    paths : int
    seed : int
        Any whole number from 0; its lowest 64 bits count.
    steps : int, optional
        Bars of each path; default n.
    mean_block_bars : float ≥ 1
        Mean length of a block of successive returns; 1 draws every bar anew.
    sums : bool
        Whether the figures for ratios are wanted; they take 36 bytes per return.
    tail : float in (0, 0.5]
        Share of a path in either tail.

    Raises
    ------
    KernelError
        If an argument is out of range or a return cannot be used (the first is named).

    Examples
    --------
    >>> r = np.array([0.01, -0.02, 0.03])
    >>> a, b = (bootstrap_paths(r, paths=p, seed=7, mean_block_bars=2.0) for p in (2, 4))
    >>> a.growth.tolist() == b.growth[:2].tolist()
    True
    """
    returns = check.series("returns", returns)
    count = check.window("paths", paths)
    length = check.window("steps", max(returns.shape[0], 1) if steps is None else steps)
    block = check.positive("mean_block_bars", mean_block_bars)
    if block < 1.0:
        raise KernelError(
            "KERNEL_PARAM_RANGE", f"mean_block_bars: expected 1 or more, found {mean_block_bars!r}"
        )
    restart = max(1, round(2**32 / block))
    center = float(returns.mean()) if returns.shape[0] else 0.0
    growth, deepest = np.empty(count), np.empty(count)
    totals = np.empty(count * _PATH_FIGURES if sums else 0)
    ranks = _ranks(length, tail)
    try:
        impl().bootstrap_paths(returns, length, restart, _seed(seed), center, *ranks, growth, deepest, totals)
    except ValueError as e:
        raise KernelError("KERNEL_BOOTSTRAP", f"bootstrap: {e}") from e
    return BootstrapPaths(
        growth, deepest, totals.reshape(count, _PATH_FIGURES) if sums else None, center, length
    )


def _seed(seed: Any) -> int:
    try:
        number = index(seed)
    except TypeError:
        number = -1
    if number < 0:
        raise KernelError("KERNEL_PARAM_RANGE", f"seed: expected a whole number from 0, found {seed!r}")
    return number & 0xFFFF_FFFF_FFFF_FFFF
