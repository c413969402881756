"""What position sizing is: from a wanted exposure and the market's risk to an exposure worth having."""

from __future__ import annotations

from typing import Any, ClassVar

from actors.domain import registry


class Sizing:
    """Base of sizing schemes; stateless; a subclass takes ``(params, periods_per_year)``.

    Parameters
    ----------
    params : Params
    periods_per_year : float
        Bars in 365 days.
    """

    Params: ClassVar[type[registry.Params]] = registry.Params

    def __init__(self, params: Any, periods_per_year: float) -> None:
        self.params = params
        self.periods_per_year = periods_per_year

    def size(self, target_frac: float, volatility: float, correlation: float, active_pairs: int) -> float:
        """Return the signed fraction of equity to hold; NaN if it cannot be known.

        Parameters
        ----------
        target_frac : float
            Signed wish of the strategy side, fraction of equity.
        volatility : float
            Per bar; NaN if unknown.
        correlation : float
            Average between pairs; NaN if unknown.
        active_pairs : int
            Pairs with a wish other than flat.
        """
        raise NotImplementedError
