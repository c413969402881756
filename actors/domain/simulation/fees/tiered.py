"""Rates that fall with what was traded over the last 30 days, as exchanges publish them.

The default schedule is Kraken's for spot pairs (its public AssetPairs as recorded by nautilus_trader's tests).
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import ROUND_DOWN, Decimal
from itertools import pairwise
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from actors.domain.model.instrument import BUY, Instrument
from actors.domain.model.money import ZERO, to_decimal
from actors.domain.registry import Params, component
from actors.domain.simulation.fees.base import FeeModel

Row = tuple[Decimal, float, float]
_STEP = Decimal("0.00000001")
_BPS = Decimal("0.0001")
_HOUR_NS, _DAY = 3_600_000_000_000, 24
_KRAKEN: tuple[Row, ...] = tuple(
    (Decimal(volume), maker, taker)
    for volume, maker, taker in (
        (0, 25.0, 40.0), (10_000, 20.0, 35.0), (50_000, 14.0, 24.0), (100_000, 12.0, 22.0),
        (250_000, 10.0, 20.0), (500_000, 8.0, 18.0), (1_000_000, 6.0, 16.0), (2_500_000, 4.0, 14.0),
        (5_000_000, 2.0, 12.0), (10_000_000, 0.0, 10.0),
    )
)  # fmt: skip


class TieredParams(Params):
    """A schedule and how its volume is counted.

    Attributes
    ----------
    tiers : rows of (from_quote, maker_bps, taker_bps)
        From which notional of the window on a pair of rates holds; the first row starts at 0.
    window_days : int
    update : {"day", "hour", "trade"}
        When a tier is found anew: at 00:00 UTC, at each full hour, after each execution. What was traded since
        does not count before; in any case it is counted by whole hours.
    elsewhere_quote : Decimal
        Notional that the account trades in every window outside of this run.
    discount_frac : float
        Share of the fee that the venue waives, such as Binance's 0.25 for fees paid in BNB.
    fee_currency : {"quote", "received"}
        ``received``: a buy's fee in base, a sell's in quote.
    """

    tiers: tuple[Row, ...] = Field(default=_KRAKEN, min_length=1)
    window_days: int = Field(default=30, ge=1, le=366)
    update: Literal["day", "hour", "trade"] = "day"
    elsewhere_quote: Decimal = Field(default=ZERO, ge=0)
    discount_frac: float = Field(default=0.0, ge=0.0, le=1.0)
    fee_currency: Literal["quote", "received"] = "quote"

    @field_validator("tiers")
    @classmethod
    def _a_schedule(cls, rows: tuple[Row, ...]) -> tuple[Row, ...]:
        if rows[0][0] != 0:
            raise ValueError(f"expected the first tier to start at 0, found {rows[0][0]}")
        for before, row in pairwise(rows):
            if row[0] <= before[0] or row[1] > before[1] or row[2] > before[2]:
                raise ValueError(
                    f"expected volumes that rise and rates that do not, found {_text(before)} before {_text(row)}"
                )
        if any(not 0.0 <= rate <= 1000.0 for row in rows for rate in row[1:]):
            raise ValueError("expected rates from 0 to 1000 bps; rebates are not simulated")
        return rows


@component
class Tiered(FeeModel):
    """Charges the rates of the tier that the trailing volume of this account has reached.

    State: the notional of each hour of the window in which something was traded, exact. Cost: O(1) per fill, O(hours
    kept) when the tier is found anew. A tier never rests on a later execution; all pairs count together.

    Examples
    --------
    >>> model = Tiered(TieredParams(tiers=[(0, 20, 40), (1000, 10, 30)], update="trade"))
    >>> pair, half = Instrument(pair="BTC/USDT"), Decimal("0.5")
    >>> for _ in range(2):
    ...     model.at(0)
    ...     print(model.fee(pair, BUY, half, Decimal(2000), "taker")[0])
    ...     model.observe(half * 2000)
    4.00000000
    3.00000000
    """

    STATE: ClassVar[tuple[str, ...]] = ("_hours", "_hour", "_mark", "_volume")
    Params = TieredParams

    def __init__(self, params: Any) -> None:
        left = 1 - to_decimal(float(params.discount_frac))
        rates = [[to_decimal(float(bps)) * _BPS * left for bps in row[1:]] for row in params.tiers]
        self._from = [row[0] for row in params.tiers]
        self._rates = {"maker": [r[0] for r in rates], "taker": [r[1] for r in rates]}
        self._received = params.fee_currency == "received"
        self._window = params.window_days * _DAY
        self._update: str = params.update
        self._elsewhere: Decimal = params.elsewhere_quote
        self.hold_rate = ZERO if self._received else max(rates[0])
        self._hours: dict[int, Decimal] = {}
        self._hour = self._mark = -1
        self._volume = self._elsewhere

    def at(self, ts_ns: int) -> None:
        """Find the tier anew where it is due."""
        self._hour = hour = max(ts_ns // _HOUR_NS, self._hour)
        # hours before the mark count
        mark = {"day": hour // _DAY * _DAY, "hour": hour, "trade": hour + 1}[self._update]
        if mark != self._mark:
            self._mark, first = mark, mark - self._window
            self._hours = {h: q for h, q in self._hours.items() if h >= first}
            self._volume = self._elsewhere + sum((q for h, q in self._hours.items() if h < mark), ZERO)

    def fee(
        self, instrument: Instrument, side: int, quantity: Decimal, price: Decimal, liquidity: str
    ) -> tuple[Decimal, str]:
        """Return the fee of one execution."""
        rate = self._rates[liquidity][bisect_right(self._from, self._volume) - 1]
        if self._received and side == BUY:
            return (quantity * rate).quantize(_STEP, ROUND_DOWN), instrument.base
        return (quantity * price * rate).quantize(_STEP, ROUND_DOWN), instrument.quote

    def observe(self, notional_quote: Decimal) -> None:
        """Count an execution."""
        self._hours[self._hour] = self._hours.get(self._hour, ZERO) + notional_quote
        if self._hour < self._mark:
            self._volume += notional_quote


def _text(row: Row) -> str:
    return "/".join(f"{float(x):g}" for x in row)
