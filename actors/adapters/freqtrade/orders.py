"""The orders of one pair's trade and what the venue has said of them."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from actors.adapters.freqtrade.trade import LONG, SHORT, Trade

ENTRY, ADD, STOP, ROI, REDUCE, EXIT = "entry", "add", "stop", "roi", "reduce", "exit"
"""Roles: the entry, an addition to it, the stop, the target, a partial exit, the exit at the next open."""
RESTING = (STOP, ROI)
"""What lies at the venue while a trade is open."""


class Working(msgspec.Struct):
    """An order the venue has not ended yet.

    `price` is its trigger or limit (None while it follows from a fill to come, `offset` from its price), `leaving`
    that a cancel is on its way, `filled` that part of it has been done.
    """

    role: str
    quantity: Decimal
    price: Decimal | None = None
    leaving: bool = False
    filled: bool = False
    offset: Decimal | None = None


class Position(msgspec.Struct):
    """All about one pair: its open trade (or None), orders by client id, quantities.

    `numbers` counts intents and `trades` entries, so that ids repeat in a repeated run; `held` is unsigned base,
    `bought` and `cost` what its entry brought and was worth; `exiting` is the reason of an exit that has been
    decided, `exit_reason` that of the order that ended the trade.
    """

    pair: str
    side: str = LONG
    leverage: float = 1.0
    trade: Trade | None = None
    working: dict[str, Working] = {}
    held: Decimal = Decimal(0)
    bought: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)
    tag: str | None = None
    exiting: str = ""
    exit_reason: str = ""
    numbers: int = 0
    trades: int = 0

    @property
    def sign(self) -> int:
        """+1 long, -1 short."""
        return -1 if self.side == SHORT else 1

    @property
    def way_out(self) -> str:
        """Name of the list to which all orders belong that end the present trade: one of them is enough."""
        return f"{self.pair}-out-{self.trades}"

    def of_role(self, *roles: str) -> list[str]:
        """Return the client ids of working orders of these roles, in order of submission; not those leaving."""
        return [cid for cid, order in self.working.items() if order.role in roles and not order.leaving]
