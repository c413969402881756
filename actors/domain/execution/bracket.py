"""The protective orders of one position: what must rest at the venue now, and what leads there.

An entry takes its bracket along: stop, target and trailing stop are its children in one list, priced from its
fills, so no bar passes without them. Once no entry is under way, one order per role stands for the whole position
at its average price; a change of the position replaces them. Every order is reduce-only: the venue cuts it to the
position, so together they can never sell more than there is. The one that fills ends the others of its list.
"""

from __future__ import annotations

from decimal import Decimal, localcontext

import msgspec

from actors.domain.model.instrument import Instrument
from actors.domain.model.money import MONEY_CONTEXT, ZERO, to_decimal
from actors.domain.risk.exits import STOP, TARGET, TIME, TRAILING, ExitParams

PRICED = (STOP, TARGET)
ROLES = (STOP, TARGET, TRAILING)
ORDER_TYPES = {STOP: "stop", TARGET: "limit", TRAILING: "trailing_stop", TIME: "market"}


class Terms(msgspec.Struct, frozen=True, gc=False):
    """Distances of one position, fixed at the decision to open it: ``(kind, distance)`` per role.

    `kind` is ``percent`` (a fraction of the price) or ``absolute`` (quote, on the tick).
    """

    stop: tuple[str, Decimal] | None = None
    target: tuple[str, Decimal] | None = None
    trailing: tuple[str, Decimal] | None = None

    def of(self, role: str) -> tuple[str, Decimal] | None:
        """Return the distance of a role."""
        found: tuple[str, Decimal] | None = getattr(self, role)
        return found

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles that have a distance."""
        return tuple(r for r in ROLES if self.of(r) is not None)


def terms_of(exits: ExitParams, instrument: Instrument, atr: float) -> Terms | None:
    """Return the distances at a decision; None if one is measured in a range that is unknown.

    Parameters
    ----------
    exits : ExitParams
    instrument : Instrument
    atr : float
        Average true range, quote; NaN if unknown.

    Examples
    --------
    >>> exits = ExitParams(stop={"atr": 2}, target={"r": 1.5})
    >>> terms_of(exits, Instrument(pair="BTC/USDT"), 3.333)
    Terms(stop=('absolute', Decimal('6.67')), target=('absolute', Decimal('10.00')), trailing=None)
    """
    if exits.needs_range and not atr > 0.0:
        return None

    def distance(measure: str, amount: float) -> tuple[str, Decimal]:
        if measure == "frac":
            return "percent", to_decimal(amount)
        quote = amount * atr if measure == "atr" else amount
        return "absolute", max(instrument.price(float(quote)), instrument.tick)

    target: tuple[str, Decimal] | None = None
    if exits.target is not None and exits.target.measure == "r" and exits.risk is not None:
        target = distance(exits.risk.measure, exits.risk.amount * exits.target.amount)
    elif exits.target is not None:
        target = distance(exits.target.measure, exits.target.amount)
    return Terms(
        stop=None if exits.stop is None else distance(exits.stop.measure, exits.stop.amount),
        target=target,
        trailing=None if exits.trailing is None else distance(exits.trailing.measure, exits.trailing.amount),
    )


def anchored_price(
    instrument: Instrument, side: int, average: Decimal, offset: Decimal, kind: str
) -> Decimal:
    """Return the price at a signed distance from a fill, on the tick: never a worse limit, at least one tick.

    Examples
    --------
    >>> anchored_price(Instrument(pair="BTC/USDT"), -1, Decimal("100.05"), Decimal("-0.02"), "percent")
    Decimal('98.05')
    """
    with localcontext(MONEY_CONTEXT):
        exact = average * (1 + offset) if kind == "percent" else average + offset
        return max(instrument.price(exact, side), instrument.tick)


class Protective(msgspec.Struct, gc=False):
    """One protective order under way; `price` is None until it follows from a fill, `parent` empty if it has none."""

    role: str
    side: int
    quantity: Decimal
    group: str
    parent: str = ""
    price: Decimal | None = None
    filled: Decimal = ZERO
    leaving: bool = False

    @property
    def leaves(self) -> Decimal:
        """Quantity not yet executed."""
        return self.quantity - self.filled


class Entry(msgspec.Struct, gc=False):
    """An order that opens or enlarges, while it may still fill."""

    side: int
    quantity: Decimal
    filled: Decimal = ZERO
    cost: Decimal = ZERO


class Place(msgspec.Struct, frozen=True, gc=False):
    """Send a protective order; of the prices those that its role and parent ask for are given."""

    role: str
    side: int
    quantity: Decimal
    group: str = ""
    parent: str = ""
    price: Decimal | None = None
    offset: tuple[str, Decimal] | None = None
    trailing: tuple[str, Decimal] | None = None


class Withdraw(msgspec.Struct, frozen=True, gc=False):
    """Cancel a protective order."""

    client_order_id: str
    reason: str


class TooSmall(msgspec.Struct, frozen=True, gc=False):
    """A role has no order, for the venue takes none of so little value."""

    role: str
    quantity: Decimal
    value: Decimal


Action = Place | Withdraw | TooSmall


class Guard(msgspec.Struct):
    """Everything about the protection of one pair's position.

    Attributes
    ----------
    quantity, average : Decimal
        Signed position on the lot, its average entry price.
    bars : int
        Bars that closed with it.
    best : float
        Best price since the entry.
    terms, upcoming : Terms or None
        Of the position; of the one that the entries under way would open.
    orders : dict client order id → Protective
    entries : dict client order id → Entry
    refused : dict role → (quantity, price)
        What the venue did not or would not take: not asked again unless it changes.
    """

    pair: str
    quantity: Decimal = ZERO
    average: Decimal = ZERO
    bars: int = 0
    best: float = 0.0
    terms: Terms | None = None
    upcoming: Terms | None = None
    orders: dict[str, Protective] = {}
    entries: dict[str, Entry] = {}
    refused: dict[str, tuple[Decimal, Decimal | None]] = {}

    # -- what happened ---------------------------------------------------------------------------------------

    def hold(self, quantity: Decimal, average: Decimal, instrument: Instrument, price: float) -> None:
        """Take the position after a fill at `price`."""
        before, now = _sign(self.quantity), _sign(instrument.quantity(quantity))
        self.quantity, self.average = instrument.quantity(quantity), average
        if now != before:
            self.bars, self.best = 0, price
            self.refused.clear()
            if now:
                self.terms = self.upcoming

    def bar(self, opened: float, high: float, low: float, *, from_open: bool) -> None:
        """Count a closed bar; in the first one the extreme may have come before us, unless we came at its open."""
        if not self.quantity:
            return
        self.bars += 1
        if self.bars == 1:
            if not from_open:
                return
            self.best = opened
        self.best = max(self.best, high) if self.quantity > 0 else min(self.best, low)

    def opens(self, client_order_id: str, side: int, quantity: Decimal, terms: Terms | None) -> None:
        """Learn of an order that opens or enlarges; `terms` are those of a position opened now."""
        if self.quantity * side <= 0 and not any(e.side == side for e in self.entries.values()):
            self.upcoming = terms
        elif self.quantity * side > 0:
            self.upcoming = self.terms
        self.entries[client_order_id] = Entry(side, quantity)

    def filled(
        self, client_order_id: str, quantity: Decimal, price: Decimal, leaves: Decimal, instrument: Instrument
    ) -> None:
        """Count a fill of an entry or of a protective order; `leaves` is what the venue still works."""
        order = self.orders.get(client_order_id)
        if order is not None:
            order.filled += quantity
            if leaves <= 0:
                del self.orders[client_order_id]
            return
        entry = self.entries.get(client_order_id)
        if entry is None:
            return
        entry.filled += quantity
        entry.cost += quantity * price
        average = MONEY_CONTEXT.divide(entry.cost, entry.filled)
        for child in self.orders.values():
            if child.parent == client_order_id and not child.filled:
                child.quantity = entry.filled
                if child.role in PRICED:
                    child.price = self.level(child.role, average, -entry.side, instrument, self.upcoming)
        if leaves <= 0:
            del self.entries[client_order_id]

    def accepted(self, client_order_id: str, quantity: Decimal) -> None:
        """Learn how much the venue took: no more than there was to protect."""
        order = self.orders.get(client_order_id)
        if order is not None and not order.parent and not order.filled:
            order.quantity = quantity

    def ended(self, client_order_id: str, *, refused: bool = False) -> Protective | None:
        """Forget an order that the venue ended; return it if it was a protective one."""
        self.entries.pop(client_order_id, None)
        order = self.orders.pop(client_order_id, None)
        if order is not None and refused and not order.parent:
            self.refused[order.role] = (order.quantity, order.price)
        return order

    # -- what follows ----------------------------------------------------------------------------------------

    def bracket(self, client_order_id: str, group: str) -> list[Place]:
        """Return the children of an entry."""
        entry, terms = self.entries[client_order_id], self.upcoming
        out: list[Place] = []
        if terms is None:
            return out
        for role in terms.roles:
            kind, distance = terms.of(role) or ("", ZERO)
            signed = distance * (entry.side if role == TARGET else -entry.side)
            out.append(
                Place(
                    role, -entry.side, entry.quantity, group, client_order_id,
                    offset=(kind, signed) if role in PRICED else None,
                    trailing=(kind, distance) if role == TRAILING else None,
                )
            )  # fmt: skip
        return out

    def act(self, instrument: Instrument, group: str, max_bars: int | None) -> list[Action]:
        """Return what makes the orders at the venue those that the position needs.

        Parameters
        ----------
        instrument : Instrument
        group : str
            Name of a list that was never used.
        max_bars : int or None
            Bars after which the position is left.
        """
        loose = {cid: o for cid, o in self.orders.items() if not o.leaving and o.parent not in self.entries}
        side = _sign(self.quantity)
        if not side:
            return [Withdraw(cid, "FLAT") for cid in loose]
        out: list[Action] = [Withdraw(cid, "TURNED") for cid, o in loose.items() if o.side == side]
        loose = {cid: o for cid, o in loose.items() if o.side != side}
        if any(o.filled and o.role != TARGET for o in self.orders.values()):
            return out  # a stop is on its way out, over several bars
        if max_bars is not None and self.bars >= max_bars and not any(o.role == TIME for o in loose.values()):
            out.append(Place(TIME, -side, abs(self.quantity)))
        return out + self._bring_to_size(side, instrument, group, loose)

    def _bring_to_size(
        self, side: int, instrument: Instrument, group: str, loose: dict[str, Protective]
    ) -> list[Action]:
        wanted = {
            r: self._wanted(r, side, instrument) for r in (self.terms.roles if self.terms is not None else ())
        }
        small = [r for r, o in wanted.items() if 0 < o.quantity * (o.price or ZERO) < instrument.min_notional]
        told = self._too_small(small, wanted, loose)
        roles = [r for r in wanted if r not in small]
        # an order that cannot be replaced stays as it is: the venue cuts it to the position
        standing = {cid: o for cid, o in loose.items() if o.role in roles}
        fits = {r: [o for o in standing.values() if o.role == r and _same(o, wanted[r])] for r in roles}
        groups = {o.group for o in standing.values()}
        single = all(len(found) <= 1 for found in fits.values())
        if single and len(groups) == 1 and len(standing) == sum(map(len, fits.values())):
            # all that stands is right; what is missing joins its list
            (group,) = groups
            missing = [r for r in roles if not fits[r] and self._worth(r, wanted[r])]
            return [*told, *(self._place(r, wanted[r], group) for r in missing)]
        placed = [self._place(r, wanted[r], group) for r in roles if self._worth(r, wanted[r])]
        return [*told, *placed, *(Withdraw(cid, "REPLACED") for cid in standing)]

    def _too_small(
        self, roles: list[str], wanted: dict[str, Protective], loose: dict[str, Protective]
    ) -> list[Action]:
        """Tell once of each role that has no order and can have none."""
        bare = [r for r in roles if all(o.role != r for o in loose.values()) and self._worth(r, wanted[r])]
        for r in bare:
            self.refused[r] = (wanted[r].quantity, wanted[r].price)
        return [TooSmall(r, wanted[r].quantity, wanted[r].quantity * (wanted[r].price or ZERO)) for r in bare]

    def _wanted(self, role: str, side: int, instrument: Instrument) -> Protective:
        """Return the order of a role that stands for all that no entry under way protects."""
        attached = [
            self.entries[o.parent]
            for o in self.orders.values()
            if o.role == role and o.parent in self.entries
        ]
        # an order that turns the position protects nothing of it until it has
        covered = sum((e.filled for e in attached if e.side == side), ZERO)
        quantity = max(abs(self.quantity) - covered, ZERO)
        price = self.level(role, self.average, -side, instrument, self.terms)
        return Protective(role, -side, quantity, "", price=price)

    def level(
        self, role: str, average: Decimal, order_side: int, instrument: Instrument, terms: Terms | None
    ) -> Decimal | None:
        """Return the price of a role's order: from the average entry, a trailing one from the best price so far."""
        found = None if terms is None else terms.of(role)
        if found is None:
            return None
        kind, distance = found
        if role == TRAILING:
            offset = float(distance)
            level = self.best + order_side * (self.best * offset if kind == "percent" else offset)
            # on the looser tick: the venue's own level is as good, to the tick
            return max(instrument.price(level, -order_side), instrument.tick)
        signed = distance * (order_side if role == STOP else -order_side)
        return anchored_price(instrument, order_side, average, signed, kind)

    def _worth(self, role: str, wanted: Protective) -> bool:
        return wanted.quantity > 0 and self.refused.get(role) != (wanted.quantity, wanted.price)

    def _place(self, role: str, wanted: Protective, group: str) -> Place:
        trailing = None if self.terms is None or role != TRAILING else self.terms.of(role)
        return Place(role, wanted.side, wanted.quantity, group, price=wanted.price, trailing=trailing)


def _same(order: Protective, wanted: Protective) -> bool:
    # a trailing stop moves by itself: its level is the venue's
    priced = order.role not in PRICED or order.price == wanted.price
    return priced and order.leaves == wanted.quantity


def _sign(quantity: Decimal) -> int:
    return (quantity > 0) - (quantity < 0)
