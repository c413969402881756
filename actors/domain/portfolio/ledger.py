"""A double-entry ledger in Decimal: every execution and charge posts entries that sum to zero in each currency.

Accounts per currency: ``assets`` (what we hold; below 0: what we owe), ``equity`` (deposits, negative by
convention), ``trading`` (the other side of each exchange), ``fees`` (what venues took of executions), and what
holding cost: ``funding``, ``borrow``, ``liquidation``. Pacioli's rule is the invariant: the entries of a currency
sum to 0, to the last digit, after every posting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import ClassVar

import msgspec

from actors.domain.errors import InvalidParamsError, TradingError
from actors.domain.events.execution import OrderFilled
from actors.domain.events.portfolio import AccountCharged
from actors.domain.model.instrument import Instrument
from actors.domain.model.money import ZERO, to_decimal
from actors.domain.portfolio.position import EXACT, Position, RoundTrip
from actors.domain.state import Stateful

ASSETS, EQUITY, TRADING, FEES = "assets", "equity", "trading", "fees"
FUNDING, BORROW, LIQUIDATION = CHARGES = ("funding", "borrow", "liquidation")
ACCOUNTS = (ASSETS, EQUITY, TRADING, FEES, *CHARGES)
Bookable = OrderFilled | AccountCharged
_REMEMBER_FILLS = 8192


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line of a posting."""

    account: str
    currency: str
    amount: Decimal


class Ledger(Stateful):
    """Balances, positions and equity of one account, as a function of its fills and marks.

    Parameters
    ----------
    instruments : mapping pair → Instrument
        All in the account's quote currency.
    initial_cash : Decimal, quote
        At least 0.
    quote : str
        Currency of the account.

    Raises
    ------
    InvalidParamsError
        If a pair is quoted in another currency, or two pairs share a base.

    Notes
    -----
    At any time ``equity == initial_cash + realised + unrealised``, exactly, whatever the account's mode: a short is
    a negative position, borrowed quote negative cash, and `realised` is net of fees and charges. A fill or charge
    whose id was booked before (one of the last 8192) changes nothing. Cost: O(1) per fill, O(pairs held) per mark.
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "_balances", "_positions", "_marks", "_peak", "_seen", "fill_count", "realised", "fees_quote",
        "slippage_quote", "charged_quote", "_unassigned",
    )  # fmt: skip

    def __init__(self, instruments: Mapping[str, Instrument], initial_cash: Decimal, quote: str) -> None:
        bases = [i.base for i in instruments.values()]
        foreign = [p for p, i in instruments.items() if i.quote != quote or i.base == quote]
        if foreign or len(dict.fromkeys(bases)) != len(bases):
            raise InvalidParamsError(
                "LEDGER_PAIRS",
                f"pairs: expected distinct bases quoted in {quote}, found {', '.join(instruments)}",
            )
        if initial_cash < 0:
            raise InvalidParamsError("LEDGER_CASH", f"initial_cash: expected >= 0, found {initial_cash}")
        self._instruments = dict(instruments)
        self.quote = quote
        self.initial_cash = initial_cash
        self._balances: dict[str, dict[str, Decimal]] = {
            currency: dict.fromkeys(ACCOUNTS, ZERO) for currency in (quote, *bases)
        }
        self._positions = {pair: Position(i.lot) for pair, i in self._instruments.items()}
        self._marks: dict[str, float | Decimal] = {}
        self._peak = initial_cash
        self._seen: dict[str, None] = {}
        self.fill_count = 0
        # totals over all pairs, quote: PnL after fees, fees (those in base at their fill), slippage (a memo
        # figure, part of the prices paid; positive = cost); kept as sums so that an idle step costs little
        self.realised = self.fees_quote = self.slippage_quote = ZERO
        self.charged_quote = dict.fromkeys(CHARGES, ZERO)
        # charges of the whole account, of no pair
        self._unassigned = ZERO
        self._post((Entry(ASSETS, quote, initial_cash), Entry(EQUITY, quote, -initial_cash)))

    # -- writing ---------------------------------------------------------------------------------------------

    def apply(self, fill: OrderFilled, step: int) -> list[RoundTrip] | None:
        """Book a fill; return the round trips it closed, or None if it was booked before.

        Raises
        ------
        TradingError
            If the pair or the currency of the fee is not of this account.
        """
        if fill.fill_id in self._seen:
            return None
        pair = fill.instrument_id or ""
        instrument = self._instruments.get(pair)
        if instrument is None or fill.fee_currency not in (instrument.base, instrument.quote):
            raise TradingError(
                "LEDGER_FOREIGN_FILL",
                f"fill {fill.fill_id}: expected a pair of {', '.join(self._instruments)} with its fee in "
                f"base or quote, found {pair!r} with {fill.fee_currency}",
            )
        self._post(self.entries(fill, instrument))
        self._remember(fill.fill_id)
        self.fill_count += 1
        in_base = fill.fee_currency == instrument.base
        # until the first bar of a pair, the fill itself is the only price known
        self._marks.setdefault(pair, fill.price)
        position = self._positions[pair]
        realised, fees = position.realised, position.fees
        trips = position.apply(
            fill.side,
            fill.quantity,
            fill.price,
            ZERO if in_base else fill.fee,
            fill.fee if in_base else ZERO,
            fill.slippage_quote,
            fill.ts_fill_ns,
            step,
        )
        self.realised = EXACT.add(self.realised, EXACT.subtract(position.realised, realised))
        self.fees_quote = EXACT.add(self.fees_quote, EXACT.subtract(position.fees, fees))
        self.slippage_quote = EXACT.add(self.slippage_quote, fill.slippage_quote)
        return trips

    def charge(self, charge: AccountCharged) -> bool:
        """Book a charge; return False if it was booked before.

        Raises
        ------
        TradingError
            If the pair, the currency or the kind is not of this account.
        """
        if charge.charge_id in self._seen:
            return False
        position = self._positions.get(charge.instrument_id or "")
        foreign = position is None and charge.instrument_id is not None
        if foreign or charge.currency != self.quote or charge.kind not in CHARGES:
            raise TradingError(
                "LEDGER_FOREIGN_CHARGE",
                f"charge {charge.charge_id}: expected {', '.join(CHARGES)} in {self.quote} for one of "
                f"{', '.join(self._instruments)} or for none, found {charge.kind} in {charge.currency} for "
                f"{charge.instrument_id!r}",
            )
        amount = charge.amount
        self._post((Entry(ASSETS, self.quote, -amount), Entry(charge.kind, self.quote, amount)))
        self._remember(charge.charge_id)
        self.charged_quote[charge.kind] = EXACT.add(self.charged_quote[charge.kind], amount)
        self.realised = EXACT.subtract(self.realised, amount)
        if position is None:
            self._unassigned = EXACT.add(self._unassigned, amount)
        else:
            position.charge(amount)
        return True

    def _remember(self, key: str) -> None:
        self._seen[key] = None
        if len(self._seen) > _REMEMBER_FILLS:
            del self._seen[next(iter(self._seen))]

    @staticmethod
    def entries(fill: OrderFilled, instrument: Instrument) -> tuple[Entry, ...]:
        """Return the balanced entries of a fill."""
        base = fill.quantity if fill.side > 0 else -fill.quantity
        notional = EXACT.multiply(base, fill.price)
        out = (
            Entry(ASSETS, instrument.base, base),
            Entry(TRADING, instrument.base, -base),
            Entry(ASSETS, instrument.quote, -notional),
            Entry(TRADING, instrument.quote, notional),
        )
        if not fill.fee:
            return out
        return (*out, Entry(ASSETS, fill.fee_currency, -fill.fee), Entry(FEES, fill.fee_currency, fill.fee))

    def mark(self, pair: str, price: float | Decimal) -> None:
        """Set the price by which a pair's position is valued; a float means its shortest decimal text."""
        self._marks[pair] = price

    def close_step(self) -> tuple[Decimal, float]:
        """Return ``(equity, drawdown_frac)`` at the present marks and move the peak."""
        equity = self.equity
        if equity > self._peak:
            self._peak = equity
            return equity, 0.0
        if self._peak <= 0:
            return equity, float("nan")
        return equity, 1.0 - float(equity) / float(self._peak)

    def _post(self, entries: Iterable[Entry]) -> None:
        for e in entries:
            accounts = self._balances[e.currency]
            accounts[e.account] = EXACT.add(accounts[e.account], e.amount)

    # -- reading ---------------------------------------------------------------------------------------------

    @property
    def cash(self) -> Decimal:
        """Quote currency held; below 0: owed."""
        return self._balances[self.quote][ASSETS]

    @property
    def equity(self) -> Decimal:
        """Cash plus positions at their marks, quote."""
        total = self._balances[self.quote][ASSETS]
        for pair, position in self._positions.items():
            quantity = position.quantity
            if quantity:
                # fused multiply-add is one exact operation instead of two
                total = EXACT.fma(quantity, to_decimal(self._marks[pair]), total)
        return total

    @property
    def unrealised(self) -> Decimal:
        """Open PnL at the marks, quote."""
        total = ZERO
        for pair, position in self._positions.items():
            if position.quantity:
                total = EXACT.add(total, position.unrealised(to_decimal(self._marks[pair])))
        return total

    def position(self, pair: str) -> Position:
        """Return a pair's position (do not change it)."""
        return self._positions[pair]

    def mark_of(self, pair: str) -> float | Decimal | None:
        """Return the price a pair is valued at, None before any."""
        return self._marks.get(pair)

    def balance(self, account: str, currency: str) -> Decimal:
        """Return one account's sum of entries."""
        return self._balances[currency][account]

    def check(self) -> None:
        """Raise if the books contradict themselves.

        Raises
        ------
        TradingError
            ``LEDGER_UNBALANCED``: a currency does not sum to 0; ``LEDGER_POSITION``: a position is not its
            balance; ``LEDGER_TOTALS``: a total is not its pairs' sum; ``LEDGER_EQUITY``: equity is not
            deposits plus PnL.
        """
        for currency, accounts in self._balances.items():
            total = ZERO
            for amount in accounts.values():
                total = EXACT.add(total, amount)
            if total != 0:
                raise TradingError(
                    "LEDGER_UNBALANCED", f"{currency}: expected entries to sum to 0, found {total}"
                )
        for pair, position in self._positions.items():
            held = self._balances[self._instruments[pair].base][ASSETS]
            if held != position.quantity:
                raise TradingError(
                    "LEDGER_POSITION", f"{pair}: expected a position of {held}, found {position.quantity}"
                )
        charged = EXACT.add(self._sum("carry"), self._unassigned)
        totals = (
            ("realised", self.realised, EXACT.subtract(self._sum("realised"), self._unassigned)),
            ("fees", self.fees_quote, self._sum("fees")),
            ("charges", _exact_sum(self.charged_quote.values()), charged),
        )
        for name, total, parts in totals:
            if parts != total:
                raise TradingError("LEDGER_TOTALS", f"{name}: expected {parts} over pairs, found {total}")
        expected = EXACT.add(EXACT.add(self.initial_cash, self.realised), self.unrealised)
        if expected != self.equity:
            raise TradingError("LEDGER_EQUITY", f"equity: expected {expected}, found {self.equity}")

    @classmethod
    def rebuild(
        cls,
        instruments: Mapping[str, Instrument],
        initial_cash: Decimal,
        quote: str,
        booked: Iterable[tuple[int, Bookable]],
    ) -> Ledger:
        """Return the ledger that ``(step, fill or charge)`` pairs lead to; marks are set by `mark`."""
        ledger = cls(instruments, initial_cash, quote)
        for step, event in booked:
            if isinstance(event, OrderFilled):
                ledger.apply(event, step)
            else:
                ledger.charge(event)
        return ledger

    def _sum(self, name: str) -> Decimal:
        return _exact_sum(getattr(position, name) for position in self._positions.values())


def _exact_sum(values: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for value in values:
        total = EXACT.add(total, value)
    return total
