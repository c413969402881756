"""What a sweep is run on: money, costs and size, the same for every combination."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Terms:
    """Money, costs and size of a vector backtest; see `kernels.signal_backtest`. Costs are on by default.

    Attributes
    ----------
    cash_quote, fee_frac, slippage_frac, exposure_frac : float
    allow_short : bool
    """

    cash_quote: float = 10_000.0
    fee_frac: float = 0.001
    slippage_frac: float = 0.0005
    exposure_frac: float = 1.0
    allow_short: bool = False

    def arguments(self) -> dict[str, Any]:
        """Return them as keyword arguments of the kernels."""
        return asdict(self)
