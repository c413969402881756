"""Twin of the simulator's signal with protective orders (``rust/kernels/src/sim/simulate.rs``)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain.kernels.twins import _sim_rules as rules
from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._sim_margin import MarginSim
from actors.domain.kernels.twins._sim_rules import Bar, Finer
from actors.domain.model.money import MONEY_CONTEXT


class SignalSim(MarginSim):
    """The part of the simulator that trades a signal."""

    def simulate(
        self,
        columns: Sequence[FloatArray],
        flags: NDArray[np.uint8],
        signal: FloatArray,
        protection: Sequence[float],
        equity: FloatArray,
        finer: Finer | None = None,
        /,
    ) -> None:
        """Run a signal with protective orders over columns; write the equity."""
        rules.check_protection(protection)
        parts = rules.finer_of(finer, len(equity))
        on, children, leveraged = 0, range(0), self._margin is not None
        for i, (bar, x) in enumerate(zip(rules.bars_of(columns, flags), signal.tolist(), strict=True)):
            self._take(bar, parts(i))
            base, quote = map(float, self._owned)
            equity[i] = quote + base * bar.close
            if isnan(x):
                raise ValueError(f"row {i}: signal: expected a number, found NaN; use 0 for no opinion")
            now = int(x > 0.0) - int(leveraged and x < 0.0)
            if now == on:
                continue
            if on:
                self._leave(children)
            on = now
            if on:
                cash = float(equity[i]) if leveraged else quote
                children = self._enter(bar.close, protection, on, cash)

    def _leave(self, children: range) -> None:
        for order in children:
            if self.is_live(order):
                self.cancel(order)
        lots = self._lots_held()
        if lots:
            self.submit(-1 if lots > 0 else 1, rules.MARKET, abs(lots))

    def _enter(self, close: float, protection: Sequence[float], side: int, cash: float) -> range:
        size, stop, target, trail = protection
        power, opening = self._power()
        wanted = cash * power * size / (close * opening)
        lots = self._steps(wanted, self._lot, ROUND_FLOOR) if wanted > 0.0 else 0
        if not lots:
            return range(0)
        first = last = self.submit(side, rules.MARKET, lots)
        tail = (0, -1, False, False, first, first)

        def price(distance: float, *, up: bool) -> int:
            at = close * (1.0 + distance if up else 1.0 - distance)
            return max(self._steps(at, self._tick, ROUND_CEILING if up else ROUND_FLOOR), 1)

        long = side > 0
        if stop > 0.0:
            last = self.submit(-side, rules.STOP, lots, 0, price(stop, up=not long), 0.0, True, *tail)
        if target > 0.0 and (long or target < 1.0):
            last = self.submit(-side, rules.LIMIT, lots, price(target, up=long), 0, 0.0, True, *tail)
        if trail > 0.0:
            last = self.submit(-side, rules.TRAILING, lots, 0, 0, trail, True, *tail)
        return range(first, last + 1)

    @staticmethod
    def _steps(value: float, step: Decimal, rounding: str) -> int:
        with localcontext(MONEY_CONTEXT):
            return int((Decimal(repr(value)) / step).to_integral_value(rounding))

    def _take(self, bar: Bar, finer: Sequence[Bar] = ()) -> None:
        raise NotImplementedError

    def submit(self, side: int, kind: int, lots: int, /, *more: Any) -> int:
        """Send an order, return its id."""
        raise NotImplementedError

    def cancel(self, order: int, /) -> None:
        """Ask to take an order back."""
        raise NotImplementedError

    def is_live(self, order: int, /) -> bool:
        """Tell whether an order is on its way or in the book."""
        raise NotImplementedError
