"""What is still held when a run ends: no round trip yet, though its open PnL is in the equity."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from actors.domain.events.portfolio import PositionChanged
from actors.domain.model.money import normal_str, to_decimal

_DIGITS = Decimal("1e-12")


class OpenPosition(msgspec.Struct, kw_only=True):
    """One position at the end of a run; money and quantity are decimal strings, `entry_price` an average of fills.

    `unrealised_quote` is against `last_price`, before what leaving would cost.
    """

    pair: str
    side: str
    opened_ns: int
    quantity: str
    entry_price: str
    last_price: str
    unrealised_quote: str


class OpenPositions:
    """Follows the positions of a run.

    Notes
    -----
    State: per pair held, the newest change and when the position was opened. Cost: O(1) per change.
    """

    def __init__(self) -> None:
        self._held: dict[str, tuple[int, PositionChanged]] = {}

    def take(self, event: PositionChanged) -> None:
        """Note a change."""
        pair, before = event.instrument_id or "", None
        if pair in self._held:
            opened, before = self._held.pop(pair)
        if event.quantity != 0:
            kept = before is not None and (before.quantity > 0) == (event.quantity > 0)
            self._held[pair] = (opened if kept else event.ts_event_ns, event)

    def rows(self, closes: Mapping[str, float]) -> list[OpenPosition]:
        """Return what is held, in the order in which it was last changed.

        Parameters
        ----------
        closes : mapping pair → price
            Last closes.
        """
        out = []
        for pair, (opened, e) in self._held.items():
            last = to_decimal(closes[pair])
            out.append(
                OpenPosition(
                    pair=pair, side="long" if e.quantity > 0 else "short", opened_ns=opened,
                    quantity=normal_str(abs(e.quantity)), entry_price=normal_str(e.average_price.quantize(_DIGITS)),
                    last_price=normal_str(last),
                    unrealised_quote=normal_str((e.quantity * (last - e.average_price)).quantize(_DIGITS)),
                )
            )  # fmt: skip
        return out
