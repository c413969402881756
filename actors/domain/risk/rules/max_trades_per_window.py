"""Limit of the number of trades in a window of steps: a strategy gone wild must not trade itself to death."""

from __future__ import annotations

from collections import deque
from typing import Any, ClassVar

import pydantic

from actors.domain import registry
from actors.domain.params import Param
from actors.domain.registry import component
from actors.domain.risk.rules.base import Book, Proposal, RiskRule, Verdict


@component
class MaxTradesPerWindow(RiskRule):
    """Denies what is not an exit once `max_trades` were approved in the window; code ``TRADE_COUNT_LIMIT``.

    Exits count but are never denied. State: the steps of the window's approvals; O(1) amortised.
    """

    class Params(registry.Params):
        """`max_trades` over all pairs within the last `window_steps`."""

        max_trades: int = Param(20, ge=1, low=2, high=50, log=True)
        window_steps: int = pydantic.Field(24, ge=1)

    STATE: ClassVar[tuple[str, ...]] = ("_steps",)

    def __init__(self, params: Any, pairs: tuple[str, ...]) -> None:
        super().__init__(params, pairs)
        self._steps: deque[int] = deque()

    def check(self, proposal: Proposal, book: Book) -> Verdict | None:
        """Count the approvals of the window."""
        oldest = proposal.step - self.params.window_steps
        while self._steps and self._steps[0] <= oldest:
            self._steps.popleft()
        limit: int = self.params.max_trades
        if len(self._steps) < limit:
            return None
        return Verdict("TRADE_COUNT_LIMIT", float(limit), float(len(self._steps) + 1))

    def approved(self, proposal: Proposal) -> None:
        """Count it."""
        self._steps.append(proposal.step)

    def exited(self, index: int, step: int) -> None:
        """Count it."""
        self._steps.append(step)
