"""Words and terms of the exact simulator: order types, reports, costs and limits of its market."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, NamedTuple

import numpy as np

OrderType = Literal[
    "market", "limit", "stop", "stop_limit", "take_profit", "take_profit_limit", "trailing_stop"
]
TimeInForce = Literal["GTC", "IOC", "FOK"]
ORDER_TYPES: Final[tuple[OrderType, ...]] = (
    "market", "limit", "stop", "stop_limit", "take_profit", "take_profit_limit", "trailing_stop",
)  # fmt: skip
TIMES_IN_FORCE: Final[tuple[TimeInForce, ...]] = ("GTC", "IOC", "FOK")
EVENTS: Final = ("accepted", "filled", "canceled", "expired", "rejected", "charged")
CODES: Final = (
    "", "MIN_NOTIONAL", "INSUFFICIENT_BALANCE", "ORDER_UNKNOWN", "REQUESTED", "IOC", "FOK", "EXPIRE_STEP",
    "OCO", "PARENT", "POST_ONLY_WOULD_TAKE", "REDUCE_ONLY_NO_POSITION", "INSUFFICIENT_MARGIN", "LIQUIDATED",
    "FUNDING", "BORROW", "LIQUIDATION",
)  # fmt: skip
REPORT_DTYPE: Final = np.dtype(
    [
        ("step", np.int64), ("order", np.int64), ("event", np.int64), ("code", np.int64), ("side", np.int64),
        ("order_type", np.int64), ("price_ticks", np.int64), ("lots", np.int64), ("fee_e8", np.int64),
        ("taker", np.int64), ("reference", np.float64),
    ]
)  # fmt: skip
"""A report in numbers: `event` and `code` index `EVENTS` and `CODES`; the fee is in units of 1e-8."""


@dataclass(frozen=True, slots=True)
class Slippage:
    """How much worse than the reference a taker fares; the formulas of the components of these names.

    Parameters
    ----------
    kind : {"none", "fixed_bps", "square_root", "volume_share"}
    cost_bps : float
        Of ``fixed_bps``.
    prefactor, half_life_bars, max_cost_bps : float
        Of ``square_root``.
    volume_limit, price_impact : float
        Of ``volume_share``.
    """

    kind: Literal["none", "fixed_bps", "square_root", "volume_share"] = "fixed_bps"
    cost_bps: float = 2.0
    prefactor: float = 1.0
    half_life_bars: float = 48.0
    max_cost_bps: float = 500.0
    volume_limit: float = 0.025
    price_impact: float = 0.1

    def numbers(self) -> tuple[int, list[float]]:
        """Return number and three parameters of the formula, as the kernels take them."""
        if self.kind == "none":
            return 0, [0.0] * 3
        if self.kind == "fixed_bps":
            return 1, [self.cost_bps / 10_000.0, 0.0, 0.0]
        if self.kind == "volume_share":
            return 3, [self.volume_limit, self.price_impact, 0.0]
        alpha = 1.0 - 0.5 ** (1.0 / self.half_life_bars)
        return 2, [self.prefactor, self.max_cost_bps / 10_000.0, alpha]


@dataclass(frozen=True, slots=True)
class SimRules:
    """Costs and limits of the simulated market; every cost is on by default.

    Parameters
    ----------
    maker_bps, taker_bps : float
        Fees in basis points of the notional.
    fee_received : bool
        A buy pays its fee in base (else in quote).
    half_spread_bps : float
        What a taker pays beside slippage.
    slippage : Slippage
    max_volume_share : float or None
        Our largest share of a bar's volume.
    through_ticks : int
        How far the market must trade beyond a resting limit; 0: a touch is enough.
    latency_steps : int
        Extra bars a command travels.
    """

    maker_bps: float = 10.0
    taker_bps: float = 10.0
    fee_received: bool = False
    half_spread_bps: float = 1.0
    slippage: Slippage = Slippage()
    max_volume_share: float | None = 0.1
    through_ticks: int = 1
    latency_steps: int = 0


class SimReport(NamedTuple):
    """What happened to an order; money is exact.

    Order 0 is the venue's own doing: a fill with the code ``LIQUIDATION``, or a ``charged`` report whose `fee` is what
    it took (below 0: gave) and whose code says why.
    """

    step: int
    order: int
    event: str
    code: str
    side: int
    order_type: OrderType
    price: Decimal
    quantity: Decimal
    fee: Decimal
    liquidity: str
