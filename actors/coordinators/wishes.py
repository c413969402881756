"""From targets to exposures worth having: the part of the risk coordinator that sizes, and remembers exits."""

from __future__ import annotations

import math
from decimal import Decimal

from actors.coordinators.rule_panel import RulePanel
from actors.domain.events.execution import OrderFilled
from actors.domain.events.risk import RiskMeasured
from actors.domain.model.money import ZERO
from actors.domain.processor import Agent
from actors.domain.risk.exits import ExitParams, exit_reason
from actors.domain.risk.policy import RiskPolicy
from actors.domain.risk.rules.base import Book
from actors.domain.risk.sizing.base import Known, Sizing


class SizedWishes(Agent):
    """What is wished of each pair, in fractions of equity; lists follow the pairs of the run."""

    _policy: RiskPolicy
    _exits: ExitParams
    _needs_range: bool
    _sizing: Sizing
    _panel: RulePanel
    _book: Book
    _at: dict[str, int]
    _venue_minimum: list[float]
    _target: list[float]
    _volatility: list[float]
    _correlation: float
    _range: list[float]
    _close: list[float]
    _close_step: list[int]
    _exited: list[int]
    _work_wish: list[float]
    _work_frac: list[float]
    _work_quantity: list[Decimal]
    _work_until: list[int]

    def _take_measure(self, event: RiskMeasured) -> None:
        if event.measure == "volatility" and event.instrument_id is not None:
            self._volatility[self._at[event.instrument_id]] = event.value
        elif event.measure == "correlation" and event.instrument_id is None:
            self._correlation = event.value
        elif event.measure == "atr" and event.instrument_id is not None:
            self._range[self._at[event.instrument_id]] = event.value

    def _take_exit(self, fill: OrderFilled, number: int) -> None:
        """Remember that a protective exit left this side; what is left of it is an exit at work."""
        if exit_reason(fill.intent_id) is None:
            return
        i = self._at[fill.instrument_id]  # type: ignore[index]
        if self._exited[i] != -fill.side:
            self._panel.exited(i, number)
        self._exited[i] = -fill.side
        if fill.leaves_quantity > 0:
            self._work_wish[i] = self._work_frac[i] = 0.0
            self._work_quantity[i] = ZERO
            self._work_until[i] = number + self._policy.working_steps
        elif self._work_frac[i] != 0.0:
            # what opened or enlarged it is withdrawn by the execution coordinator
            self._work_until[i] = -1

    def _forget_exits(self) -> None:
        """A wish that is not on the side left by an exit has turned: the next one on it is news."""
        for i, side in enumerate(self._exited):
            if side and not self._target[i] * side > 0.0:
                self._exited[i] = 0

    def _wishes(self, number: int, equity: float) -> list[float | None]:
        """Return the sized exposure per pair; None where nothing is to be decided in this step."""
        active = 0
        for target in self._target:
            if target == target and target != 0.0:
                active += 1
        short = self._policy.allow_short
        out: list[float | None] = []
        for i, target in enumerate(self._target):
            if target != target or self._close_step[i] != number:
                out.append(None)
                continue
            wish = 0.0 if self._exited[i] else self._size(i, target, active, equity)
            if self._sizing.at_entry and wish * self._book.held[i] > 0.0 and not self._is_dust(i, equity):
                out.append(None)
            else:
                out.append(0.0 if wish < 0.0 and not short else wish)
        return out

    def _size(self, i: int, target: float, active: int, equity: float) -> float:
        """Return the exposure that is worth having; NaN if it, or where its exits lie, cannot be known."""
        if self._needs_range and target != 0.0 and self._range[i] != self._range[i]:
            return math.nan
        if not self._sizing.reads_account:
            return self._sizing.size(target, self._volatility[i], self._correlation, active)
        stop = self._exits.stop_frac(self._close[i], self._range[i])
        return self._sizing.size_from(
            target, Known(self._volatility[i], self._correlation, active, equity, stop)
        )

    def _is_dust(self, i: int, equity: float) -> bool:
        """Tell whether what is held is too little for the venue to take."""
        return abs(self._book.held[i]) * equity < self._venue_minimum[i]

    def _band(self, i: int, equity: float) -> float:
        """Return the dead band: none around flat for schemes that state a size."""
        if self._sizing.opens_small and self._is_dust(i, equity):
            return 0.0
        return self._policy.rebalance_band_frac
