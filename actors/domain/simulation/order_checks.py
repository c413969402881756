"""What a venue checks before it takes an order: form, tick, lot, minimum notional; a typed code for each."""

from __future__ import annotations

from decimal import Decimal

from actors.domain.model.instrument import BUY, SELL, Instrument
from actors.domain.simulation.book_order import LIMITED, PLAIN, STOPS, TAKES, BookOrder

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
INSUFFICIENT_MARGIN = "INSUFFICIENT_MARGIN"
LIQUIDATED = "LIQUIDATED"
CLIENT_ORDER_ID_REUSED = "CLIENT_ORDER_ID_REUSED"
ORDER_UNKNOWN = "ORDER_UNKNOWN"
TRADING_ENDED = "TRADING_ENDED"
STOP_PRICE_INVALID = "STOP_PRICE_INVALID"
TRAILING_OFFSET_INVALID = "TRAILING_OFFSET_INVALID"
PARENT_OFFSET_INVALID = "PARENT_OFFSET_INVALID"
EXPIRE_MISSING = "EXPIRE_MISSING"
PARENT_UNKNOWN = "PARENT_UNKNOWN"
PARENT = "PARENT"
OCO = "OCO"
FOK = "FOK"
IOC = "IOC"
POST_ONLY_WOULD_TAKE = "POST_ONLY_WOULD_TAKE"
REDUCE_ONLY_NO_POSITION = "REDUCE_ONLY_NO_POSITION"
CONTINGENT_NEEDS_OPEN = "CONTINGENT_NEEDS_OPEN"
_TYPES = (*PLAIN, *STOPS, *TAKES)
_FORCES = ("GTC", "IOC", "FOK", "GTD")


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
    if order.order_type not in _TYPES:
        text = f"order_type: expected one of {', '.join(_TYPES)}, found {order.order_type!r}"
        return ORDER_TYPE_UNSUPPORTED, text
    if order.time_in_force not in _FORCES:
        text = f"time_in_force: expected one of {', '.join(_FORCES)}, found {order.time_in_force!r}"
        return TIME_IN_FORCE_UNSUPPORTED, text
    if order.time_in_force == "GTD" and order.expire_step is None:
        return EXPIRE_MISSING, "expire_step: expected one for a GTD order, found none"
    if not order.quantity.is_finite() or order.quantity <= 0:
        return QUANTITY_INVALID, f"quantity: expected > 0, found {order.quantity}"
    if order.quantity % instrument.lot:
        return LOT_SIZE, f"quantity: expected a multiple of {instrument.lot}, found {order.quantity}"
    price = reference
    anchored = order.parent_offset is not None
    if anchored:
        no = _offset_refusal(order)
        if no is not None:
            return no
    elif order.order_type in LIMITED:
        price = order.limit_price
        if price is None or not price.is_finite() or price <= 0:
            text = f"limit_price: expected > 0 for a {order.order_type} order, found {price}"
            return LIMIT_PRICE_MISSING, text
        if price % instrument.tick:
            return TICK_SIZE, f"limit_price: expected a multiple of {instrument.tick}, found {price}"
    if order.order_type not in PLAIN and not anchored:
        no = _trigger_refusal(order, instrument)
        if no is not None:
            return no
        price = order.limit_price or order.stop_price or reference
    if price is None:
        return NO_REFERENCE_PRICE, f"{order.pair}: expected a price seen before a market order, found none"
    notional = price * order.quantity
    if notional < instrument.min_notional:
        return MIN_NOTIONAL, f"notional: expected at least {instrument.min_notional}, found {notional}"
    return None


def _offset_refusal(order: BookOrder) -> tuple[str, str] | None:
    offset, kind = order.parent_offset, order.parent_offset_kind
    if order.parent_id is None or order.order_type not in ("limit", "stop", "take_profit"):
        text = f"parent_offset: expected a limit, stop or take_profit with a parent, found {order.order_type}"
        return PARENT_OFFSET_INVALID, text
    if order.limit_price is not None or order.stop_price is not None:
        return PARENT_OFFSET_INVALID, "parent_offset: expected no price beside it, found one"
    if kind not in ("absolute", "percent"):
        return PARENT_OFFSET_INVALID, f"parent_offset_kind: expected absolute or percent, found {kind!r}"
    if offset is None or not offset.is_finite() or (kind == "percent" and offset <= -1):
        return PARENT_OFFSET_INVALID, f"parent_offset: expected a price above 0, found {offset} {kind}"
    return None


def _trigger_refusal(order: BookOrder, instrument: Instrument) -> tuple[str, str] | None:
    if order.order_type == "trailing_stop":
        offset, kind = order.trailing_offset, order.trailing_kind
        if kind not in ("absolute", "percent"):
            return TRAILING_OFFSET_INVALID, f"trailing_kind: expected absolute or percent, found {kind!r}"
        if offset is None or not offset.is_finite() or offset <= 0 or (kind == "percent" and offset >= 1):
            most = " and < 1" if kind == "percent" else ""
            return TRAILING_OFFSET_INVALID, f"trailing_offset: expected > 0{most}, found {offset}"
        if order.stop_price is None:
            return None
    stop = order.stop_price
    if stop is None or not stop.is_finite() or stop <= 0:
        return STOP_PRICE_INVALID, f"stop_price: expected > 0 for a {order.order_type} order, found {stop}"
    if stop % instrument.tick:
        return TICK_SIZE, f"stop_price: expected a multiple of {instrument.tick}, found {stop}"
    return None
