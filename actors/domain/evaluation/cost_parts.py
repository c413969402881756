"""What each cost took from a run: fees, spread, impact, funding, interest; per pair and in all, exact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from actors.domain.events.execution import OrderFilled
from actors.domain.events.portfolio import AccountCharged
from actors.domain.model.money import ZERO, normal_str

CHARGED = ("maker_fees_quote", "taker_fees_quote", "spread_quote", "impact_quote", "funding_quote", "borrow_quote",
           "liquidation_quote")  # fmt: skip
"""The parts that add up to the whole; `delay_quote` is what the market did between decision and fill."""


class CostParts(msgspec.Struct, kw_only=True):
    """Sums in quote currency, positive = cost.

    ``spread + impact + delay`` is the slippage of the fills.
    """

    maker_fees_quote: Decimal = ZERO
    taker_fees_quote: Decimal = ZERO
    spread_quote: Decimal = ZERO
    impact_quote: Decimal = ZERO
    delay_quote: Decimal = ZERO
    funding_quote: Decimal = ZERO
    borrow_quote: Decimal = ZERO
    liquidation_quote: Decimal = ZERO
    traded_quote: Decimal = ZERO

    def fill(self, event: OrderFilled) -> None:
        """Count an execution."""
        fee = event.fee
        if event.fee_currency == (event.instrument_id or "").partition("/")[0]:
            fee *= event.price
        if event.liquidity == "maker":
            self.maker_fees_quote += fee
        else:
            self.taker_fees_quote += fee
        self.spread_quote += event.spread_quote
        self.impact_quote += event.impact_quote
        self.delay_quote += event.slippage_quote - event.spread_quote - event.impact_quote
        self.traded_quote += event.quantity * event.price

    def charge(self, event: AccountCharged) -> None:
        """Count what no fill explains."""
        name = f"{event.kind}_quote"
        setattr(self, name, getattr(self, name) + event.amount)

    @property
    def total_quote(self) -> Decimal:
        """All of them but the delay."""
        return sum((getattr(self, name) for name in CHARGED), ZERO)

    def row(self) -> dict[str, Any]:
        """Return the sums as decimal text, the whole, and each in bps of what was traded.

        Examples
        --------
        >>> CostParts(taker_fees_quote=Decimal(3), traded_quote=Decimal(2000)).row()["bps_of_traded"]["taker_fees"]
        15.0
        """
        sums = {name: getattr(self, name) for name in (*CHARGED, "delay_quote")} | {
            "total_quote": self.total_quote
        }
        traded = self.traded_quote
        return {
            **{name: normal_str(value) for name, value in sums.items()},
            "traded_quote": normal_str(traded),
            "bps_of_traded": {
                name.removesuffix("_quote"): float(value / traded * 10_000) if traded else None
                for name, value in sums.items()
            },
        }


class CostBook:
    """The parts of a run by pair; charges of the whole account stand under no pair.

    Examples
    --------
    >>> CostBook().report()["total_quote"]
    '0'
    """

    def __init__(self) -> None:
        self._pairs: dict[str, CostParts] = {}

    def fill(self, event: OrderFilled) -> None:
        """Count an execution."""
        self._of(event.instrument_id).fill(event)

    def charge(self, event: AccountCharged) -> None:
        """Count what no fill explains."""
        self._of(event.instrument_id).charge(event)

    def report(self) -> dict[str, Any]:
        """Return the row of the run with ``per_pair`` rows."""
        rows = {pair or "account": parts.row() for pair, parts in self._pairs.items()}
        return {**self.whole.row(), "per_pair": rows}

    @property
    def whole(self) -> CostParts:
        """The parts of the run."""
        whole = CostParts()
        for parts in self._pairs.values():
            for name in CostParts.__struct_fields__:
                setattr(whole, name, getattr(whole, name) + getattr(parts, name))
        return whole

    def _of(self, pair: str | None) -> CostParts:
        return self._pairs.setdefault(pair or "", CostParts())
