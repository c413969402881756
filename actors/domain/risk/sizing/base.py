"""What position sizing is: from a wanted exposure and what is known to an exposure worth having."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from actors.domain import registry
from actors.domain.state import Stateful


class Known(msgspec.Struct, frozen=True, gc=False):
    """What a scheme may know at a close; NaN: unknown.

    Attributes
    ----------
    volatility : float
        Of the pair, per bar.
    correlation : float
        Average between pairs.
    active_pairs : int
        Pairs with a wish other than flat.
    equity : float
        Of the account, quote.
    stop_frac : float
        Distance of the configured stop from a price at this close, a fraction of it.
    """

    volatility: float
    correlation: float
    active_pairs: int
    equity: float
    stop_frac: float


class Sizing(Stateful):
    """Base of sizing schemes; a subclass takes ``(params, periods_per_year)``.

    Parameters
    ----------
    params : Params
    periods_per_year : float
        Bars in 365 days.

    Attributes
    ----------
    reads_account : bool
        True if the scheme writes `size_from` and needs equity, stop distance or past trades; False if `size` of
        volatility and correlation is all there is to it.
    at_entry : bool
        True if a position has its size from its opening on: it is left alone while the wish stays on its side.
    opens_small : bool
        True if the dead band holds no opening back: the scheme states a size, not a share of the wish.
    """

    Params: ClassVar[type[registry.Params]] = registry.Params
    reads_account: ClassVar[bool] = False
    at_entry: ClassVar[bool] = False
    opens_small: ClassVar[bool] = False

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

    def size_from(self, target_frac: float, known: Known) -> float:
        """Return the signed fraction of equity to hold from all that is known; NaN if it cannot be known."""
        return self.size(target_frac, known.volatility, known.correlation, known.active_pairs)

    def closed(self, return_frac: float) -> None:
        """Learn the outcome of a closed trade: its return after costs, a fraction of what was paid for it."""


def with_sign(target_frac: float, size: float) -> float:
    """Return a size on the side of a wish; flat stays flat.

    Examples
    --------
    >>> with_sign(-0.3, 0.5), with_sign(0.0, float("nan"))
    (-0.5, 0.0)
    """
    if target_frac == 0.0:
        return 0.0
    return -size if target_frac < 0.0 else size
