"""What a venue checks before it takes an order: form, tick, lot, minimum notional; a typed code for each."""

from __future__ import annotations

from decimal import Decimal

from actors.domain.model.instrument import BUY, SELL, Instrument
from actors.domain.simulation.book_order import BookOrder

UNKNOWN_PAIR = "UNKNOWN_PAIR"
ORDER_TYPE_UNSUPPORTED = "ORDER_TYPE_UNSUPPORTED"
TIME_IN_FORCE_UNSUPPORTED = "TIME_IN_FORCE_UNSUPPORTED"
SIDE_INVALID = "SIDE_INVALID"
QUANTITY_INVALID = "QUANTITY_INVALID"
LOT_SIZE = "LOT_SIZE"
TICK_SIZE = "TICK_SIZE"
LIMIT_PRICE_MISSING = "LIMIT_PRICE_MISSING"
MIN_NOTIONAL = "MIN_NOTIONAL"
NO_REFERENCE_PRICE = "NO_REFERENCE_PRICE"
INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
CLIENT_ORDER_ID_REUSED = "CLIENT_ORDER_ID_REUSED"
ORDER_UNKNOWN = "ORDER_UNKNOWN"


def refusal(
    order: BookOrder, instrument: Instrument | None, reference: Decimal | None
) -> tuple[str, str] | None:
    """Return ``(code, message)`` if the order breaks a rule of the instrument, else None.

    Parameters
    ----------
    order : BookOrder
    instrument : Instrument or None
        None if the venue does not trade the pair.
    reference : Decimal or None, quote
        Price by which a market order is valued.
    """
    if instrument is None:
        return UNKNOWN_PAIR, f"pair: expected one this venue trades, found {order.pair!r}"
    if order.side not in (BUY, SELL):
        return SIDE_INVALID, f"side: expected +1 or -1, found {order.side}"
    if order.order_type not in ("market", "limit"):
        return ORDER_TYPE_UNSUPPORTED, f"order_type: expected market or limit, found {order.order_type!r}"
    if order.time_in_force not in ("GTC", "IOC"):
        return TIME_IN_FORCE_UNSUPPORTED, f"time_in_force: expected GTC or IOC, found {order.time_in_force!r}"
    if not order.quantity.is_finite() or order.quantity <= 0:
        return QUANTITY_INVALID, f"quantity: expected > 0, found {order.quantity}"
    if order.quantity % instrument.lot:
        return LOT_SIZE, f"quantity: expected a multiple of {instrument.lot}, found {order.quantity}"
    price = reference
    if order.order_type == "limit":
        price = order.limit_price
        if price is None or not price.is_finite() or price <= 0:
            return LIMIT_PRICE_MISSING, f"limit_price: expected > 0 for a limit order, found {price}"
        if price % instrument.tick:
            return TICK_SIZE, f"limit_price: expected a multiple of {instrument.tick}, found {price}"
    if price is None:
        return NO_REFERENCE_PRICE, f"{order.pair}: expected a price seen before a market order, found none"
    notional = price * order.quantity
    if notional < instrument.min_notional:
        return MIN_NOTIONAL, f"notional: expected at least {instrument.min_notional}, found {notional}"
    return None
