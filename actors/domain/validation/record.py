"""The record of a search: what every trial earned, period by period, and what was chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InsufficientDataError, InvalidParamsError

FloatArray = NDArray[np.float64]
FEWEST_PERIODS = 64


@dataclass(frozen=True)
class TrialRecord:
    """All trials of a search over one range of time.

    Parameters
    ----------
    returns : array, shape (n_periods, n_trials), fraction per period, each ≥ -1
        Trials that failed earned nothing: zeros. They count as trials all the same.
    chosen : int
        Column of the trial that the search chose.
    benchmark : array, shape (n_periods,)
        Of holding the market.
    periods_per_year : float
    period_bars : int ≥ 1
        Bars of a period.
    trade_count : int
        Round trips of the chosen trial.
    mean_trade_bars : float or None
        Their mean duration: how long a decision has an effect. None without any.
    earlier : int ≥ 0
        Trials made before on the same idea, whose records are not here: they count in the deflated Sharpe ratio.

    Raises
    ------
    InvalidParamsError
        If shapes do not fit or a value is not finite.
    InsufficientDataError
        For fewer than two trials or than 64 periods.

    Examples
    --------
    >>> r = np.random.default_rng(0).standard_normal((100, 3)) * 0.01
    >>> record = TrialRecord(r, 1, r[:, 0], 8760.0, 1, 20, 5.0)
    >>> record.trials, record.horizon
    (3, 2)
    """

    returns: FloatArray
    chosen: int
    benchmark: FloatArray
    periods_per_year: float
    period_bars: int
    trade_count: int
    mean_trade_bars: float | None
    earlier: int = 0

    def __post_init__(self) -> None:
        shape = self.returns.shape
        fits = self.returns.ndim == 2 and self.benchmark.shape == shape[:1] and 0 <= self.chosen < shape[1]
        fits = fits and self.earlier >= 0
        if not fits or not np.isfinite(self.returns).all() or not np.isfinite(self.benchmark).all():
            raise InvalidParamsError(
                "RECORD_SHAPES",
                f"record: expected finite returns of shape (periods, trials), one benchmark per period and a chosen "
                f"trial among them, found {shape}, {self.benchmark.shape} and {self.chosen}",
            )
        if shape[1] < 2 or shape[0] < FEWEST_PERIODS:
            raise InsufficientDataError(
                "RECORD_TOO_SMALL",
                f"validation: expected at least {FEWEST_PERIODS} periods and 2 trials, found {shape[0]} and "
                f"{shape[1]}; bring more bars or raise -e",
            )

    @property
    def periods(self) -> int:
        """Number of periods."""
        return int(self.returns.shape[0])

    @property
    def trials(self) -> int:
        """Number of trials, those that failed among them."""
        return int(self.returns.shape[1])

    @property
    def bars(self) -> int:
        """Bars that the periods span."""
        return self.periods * self.period_bars

    @property
    def own(self) -> FloatArray:
        """Returns of the chosen trial, shape (n_periods,)."""
        found: FloatArray = np.ascontiguousarray(self.returns[:, self.chosen])
        return found

    @property
    def horizon(self) -> int:
        """Periods for which a decision has an effect, rounded up; at most a fiftieth of the record."""
        if self.mean_trade_bars is None:
            return 0
        return min(int(np.ceil(self.mean_trade_bars / self.period_bars)), self.periods // 50)
