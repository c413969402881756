"""Change points online, and conditional variances by GARCH."""

from __future__ import annotations

from math import inf
from typing import Protocol

import numpy as np

from actors.domain.errors import KernelError
from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import Stream, impl


class BocpdStream(Stream, Protocol):
    """Bayesian online change-point detection."""

    def update(self, x: float, /) -> tuple[float, float, float, float]:
        """Take one bar.

        Returns
        -------
        recent : float
            Probability that the current segment has at most `recent_bars` bars.
        mean_run, likely_run : float
            Mean and mode of the segment's length, bars.
        surprise : float
            ``−ln p(x | past)``.
        """

    def run(self, x: FloatArray, out: FloatArray, /) -> None:
        """Take many bars; their four values go to the rows of `out`, shape (n_bars, 4)."""


def bocpd_stream(
    hazard: float,
    *,
    mean: float,
    kappa: float,
    alpha: float,
    beta: float,
    max_run: int = 500,
    recent_bars: int = 10,
) -> BocpdStream:
    """Return an online detector of changes in mean or variance.

    The data of a segment are normal with the conjugate prior ``μ | σ² ~ N(mean, σ²/kappa)``,
    ``σ² ~ InvGamma(alpha, beta)``; a change comes at any bar with probability `hazard`. Runs longer than `max_run` are
    counted there. A NaN bar is not counted. O(max_run) per bar.

    Parameters
    ----------
    hazard : float in (0, 1)
    mean, kappa, alpha, beta : float
        Prior of a segment.
    max_run : int
    recent_bars : int
        Below `max_run`.

    Raises
    ------
    KernelError
        If a parameter is out of range. ``update`` itself raises a plain ValueError for an infinite bar.

    Examples
    --------
    >>> d = bocpd_stream(0.01, mean=0.0, kappa=1.0, alpha=2.0, beta=1.0, max_run=50, recent_bars=3)
    >>> for x in [0.1, -0.2] * 10 + [6.0, 6.2]: recent, mean_run, likely_run, surprise = d.update(x)
    >>> recent > 0.9, likely_run
    (True, 2.0)

    References
    ----------
    Adams and MacKay (2007), "Bayesian online changepoint detection".
    """
    limit, near = check.window("max_run", max_run, 2), check.window("recent_bars", recent_bars, 0)
    prior = [float(v) for v in (hazard, mean, kappa, alpha, beta)]
    try:
        stream: BocpdStream = impl().Bocpd(*prior, limit, near)
    except ValueError as e:
        raise KernelError("KERNEL_BOCPD", f"bocpd_stream: {e}") from e
    return stream


def garch_filter(
    returns: FloatArray,
    *,
    omega: float,
    alpha: float,
    beta: float,
    gamma: float = 0.0,
    first: float | None = None,
    dof: float = inf,
) -> tuple[FloatArray, float]:
    """Return the conditional variances of a series by GARCH(1,1) or GJR, and its log-likelihood.

    ``v_{t+1} = ω + (α + γ 1{r_t < 0}) r_t² + β v_t``. Row t uses returns up to t − 1; the last row is the forecast for
    the bar after the series. A NaN return stands for its expected square.

    Parameters
    ----------
    returns : array, shape (n_bars,)
        Less their mean.
    omega, alpha, beta, gamma : float
        ω > 0, the others not negative (α + γ neither).
    first : float, optional
        Variance of the first bar; default ``ω + (α + γ/2 + β) b``, b the backcast of `garch_backcast`.
    dof : float
        Degrees of freedom of t innovations (scaled to unit variance), above 2; infinite: normal.

    Returns
    -------
    variances : array, shape (n_bars + 1,)
    log_likelihood : float

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> v, ll = garch_filter(np.array([1.0, -2.0]), omega=0.1, alpha=0.1, beta=0.8, first=1.0)
    >>> v.round(6).tolist()
    [1.0, 1.0, 1.3]

    References
    ----------
    Bollerslev (1986); Glosten, Jagannathan and Runkle (1993).
    """
    returns = check.series("returns", returns)
    begin = first
    if begin is None:
        begin = omega + (alpha + 0.5 * gamma + beta) * garch_backcast(returns)
    out = np.empty(returns.shape[0] + 1)
    numbers = [float(v) for v in (omega, alpha, gamma, beta, begin, dof)]
    try:
        total: float = impl().garch_filter(returns, *numbers, out)
    except ValueError as e:
        raise KernelError("KERNEL_GARCH", f"garch_filter: {e}") from e
    return out, total


def garch_backcast(returns: FloatArray) -> float:
    """Return the exponentially weighted mean (0.94) of the first 75 squared returns, the variance before the series.

    Examples
    --------
    >>> import numpy as np
    >>> garch_backcast(np.array([2.0, -2.0]))
    4.0
    """
    squares = np.asarray(returns, dtype=np.float64)[:75] ** 2
    known = ~np.isnan(squares)
    weights = 0.94 ** np.arange(squares.shape[0]) * known
    return float(np.where(known, squares, 0.0) @ weights / weights.sum()) if known.any() else float("nan")
