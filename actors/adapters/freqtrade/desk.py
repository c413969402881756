"""What entries and exits of a strategy share: its positions, its callbacks, commands to the venue."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from actors.adapters.freqtrade import levels, protections, support
from actors.adapters.freqtrade.failures import described
from actors.adapters.freqtrade.interface import IStrategy
from actors.adapters.freqtrade.orders import Position, Working
from actors.adapters.freqtrade.parameters import parameters_of
from actors.domain.errors import StrategyError, TradingError
from actors.domain.events.base import Event
from actors.domain.events.execution import CancelOrder, SubmitOrder
from actors.domain.events.risk import OrderIntentApproved, OrderIntentDenied
from actors.domain.execution.ids import client_order_id
from actors.domain.model.instrument import BUY, SELL, Instrument
from actors.domain.model.money import to_decimal


class Signals(msgspec.Struct):
    """Signal columns of one pair: tag (or None) by the opening time of the bar, ns; for each side."""

    enter: dict[str, dict[int, str | None]]
    leave: dict[str, dict[int, str | None]]
    first_ns: int


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the account is used.

    `stake` is a fixed quote amount, or None for equal shares of all of it; `leverage` is the most that the account
    allows, None on a spot account.
    """

    max_open_trades: int = 3
    stake: Decimal | None = None
    balance_frac: float = 0.99
    fee_frac: float = 0.001
    leverage: float | None = None


class Desk:
    """Positions and commands of one strategy.

    Parameters
    ----------
    name : str
        Source of the events.
    strategy : IStrategy
    signals : mapping pair → Signals
    instruments : mapping pair → Instrument
    limits : Limits
    bar_ns, seed : int
    """

    def __init__(
        self,
        name: str,
        strategy: IStrategy,
        signals: Mapping[str, Signals],
        instruments: Mapping[str, Instrument],
        limits: Limits,
        bar_ns: int,
        seed: int,
    ) -> None:
        self.name, self.strategy, self.instruments = name, strategy, dict(instruments)
        self.limits, self._bar_ns, self._seed = limits, bar_ns, seed
        self._signals = dict(signals)
        self.locks = protections.Protections(protections.parse(strategy.protections), bar_ns)
        strategy.locks = self.locks
        self.positions = {pair: Position(pair) for pair in instruments}
        self._out: list[Event] = []
        self._now = 0
        self._cash = self._equity = Decimal(0)

    # -- the strategy's word ---------------------------------------------------------------------------------

    @functools.cached_property
    def _own(self) -> frozenset[str]:
        return frozenset(support.members(type(self.strategy)))

    def asks(self, callback: str) -> bool:
        """Tell whether the strategy writes a callback itself."""
        return callback in self._own

    def ask(self, callback: str, whose: str, /, **said: Any) -> Any:
        """Return what a callback says; `current_time` is added.

        Raises
        ------
        StrategyError
            If it raises: with pair, time, parameters and the line of its file.
        """
        try:
            return getattr(self.strategy, callback)(current_time=levels.moment(self._now), **said)
        except TradingError:
            raise
        except Exception as e:
            raise StrategyError("STRATEGY_RAISED", f"{self._where(callback, whose)}: {described(e)}") from e

    def expect(self, callback: str, pair: str, expected: str, found: Any) -> StrategyError:
        """Return the error of a callback that said something senseless."""
        return StrategyError(
            "STRATEGY_RAISED", f"{self._where(callback, pair)}: expected {expected}, found {found!r}"
        )

    def _where(self, callback: str, pair: str) -> str:
        knobs = {n: p.value for n, p in parameters_of(self.strategy).items()}
        named = f" with {', '.join(f'{n}={v!r}' for n, v in knobs.items())}" if knobs else ""
        when = levels.moment(self._now)
        return f"{type(self.strategy).__name__}.{callback} at {pair} {when:%Y-%m-%d %H:%M}{named}"

    # -- commands --------------------------------------------------------------------------------------------

    def intent(self, position: Position, quantity: Decimal, price: float, reason: str) -> str:
        """Announce a wish of a signed quantity and return its id."""
        position.numbers += 1
        intent = f"{position.pair}-{position.numbers}"
        opens = (quantity > 0) == (position.sign > 0)
        self._out.append(
            OrderIntentApproved(
                ts_event_ns=self._now, source=self.name, instrument_id=position.pair, intent_id=intent,
                quantity=quantity, reference_price=to_decimal(price),
                target_frac=float(position.sign) if opens else 0.0, urgency=1.0, reason=reason,
            )
        )  # fmt: skip
        return intent

    def submit(
        self,
        position: Position,
        intent: str,
        role: str,
        side: int,
        order_type: str,
        quantity: Decimal,
        *,
        price: Decimal | None = None,
        **terms: Any,
    ) -> str:
        """Send an order and return its client id."""
        cid = client_order_id(self._seed, intent, self.name, 0)
        position.working[cid] = Working(role, quantity, price)
        self._out.append(
            SubmitOrder(
                ts_event_ns=self._now, source=self.name, instrument_id=position.pair, client_order_id=cid,
                intent_id=intent, side=side, order_type=order_type, quantity=quantity, **terms,
            )
        )  # fmt: skip
        return cid

    def cancel(self, position: Position, reason: str, *roles: str) -> None:
        """Withdraw the working orders of some roles."""
        for cid in position.of_role(*roles):
            self._out.append(
                CancelOrder(
                    ts_event_ns=self._now, source=self.name, instrument_id=position.pair, client_order_id=cid,
                    reason=reason,
                )
            )  # fmt: skip
            # it may still fill before the cancel arrives
            position.working[cid].leaving = True

    def deny(self, position: Position, code: str, rule: str, limit: float, found: float) -> None:
        """Announce that a signal was not followed, and why."""
        position.numbers += 1
        self._out.append(
            OrderIntentDenied(
                ts_event_ns=self._now, source=self.name, instrument_id=position.pair,
                intent_id=f"{position.pair}-{position.numbers}", quantity=Decimal(0), code=code, rule=rule,
                limit=float(limit), observed=float(found),
            )
        )  # fmt: skip


def way_in(position: Position) -> int:
    """Return the side of an order that opens or enlarges a position."""
    return BUY if position.sign > 0 else SELL


def way_out(position: Position) -> int:
    """Return the side of an order that reduces or ends a position."""
    return SELL if position.sign > 0 else BUY
