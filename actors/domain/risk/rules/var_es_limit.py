"""Limit of the book's one-bar VaR and ES after the trade, by historical simulation of joint returns.

Source: Acerbi & Tasche (2002) for ES; the definitions are those of `actors.domain.risk.measures`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pydantic

from actors.domain import registry
from actors.domain.registry import component
from actors.domain.risk.measures import FloatArray, book_tail
from actors.domain.risk.rules.base import Book, Proposal, RiskRule, Verdict

_BISECTIONS = 12


@component
class VarEsLimit(RiskRule):
    """Resizes to the largest step towards the wish that keeps VaR and ES below their limits, else denies.

    Codes: ``VAR_LIMIT``, ``ES_LIMIT``, and ``SCENARIOS_TOO_FEW`` while fewer than `min_observations` joint
    returns are known (a book that cannot be measured is not grown). Scenarios in which a needed pair has no
    return are left out. State: the window of joint returns. Cost O(window) per check.
    """

    class Params(registry.Params):
        """`confidence` over one bar; limits are positive fractions of equity.

        What is held is measured every `remeasure_steps`, every proposal when it is made.
        """

        confidence: float = pydantic.Field(0.99, gt=0, lt=1)
        var_limit_frac: float = pydantic.Field(0.04, gt=0)
        es_limit_frac: float = pydantic.Field(0.06, gt=0)
        window_bars: int = pydantic.Field(500, ge=20)
        min_observations: int = pydantic.Field(100, ge=10)
        remeasure_steps: int = pydantic.Field(6, ge=1)

        @pydantic.model_validator(mode="after")
        def _consistent(self) -> VarEsLimit.Params:
            if self.min_observations > self.window_bars:
                raise ValueError(
                    f"min_observations: expected at most window_bars = {self.window_bars}, "
                    f"found {self.min_observations}"
                )
            if self.es_limit_frac < self.var_limit_frac:
                raise ValueError(
                    f"es_limit_frac: expected at least var_limit_frac = {self.var_limit_frac} "
                    f"(ES is never below VaR), found {self.es_limit_frac}"
                )
            return self

    observes: ClassVar[bool] = True
    STATE: ClassVar[tuple[str, ...]] = ("_rows", "_at", "_filled", "_found", "_measured_step")

    def __init__(self, params: Any, pairs: tuple[str, ...]) -> None:
        super().__init__(params, pairs)
        self._rows: FloatArray = np.full((params.window_bars, len(pairs)), np.nan)
        self._at = 0
        self._filled = 0
        self._found: tuple[float, float] | None = None
        self._measured_step = -params.remeasure_steps

    def observe(self, returns: Sequence[float]) -> None:
        """Keep the step's joint returns."""
        self._rows[self._at] = returns
        self._at = (self._at + 1) % self._rows.shape[0]
        if self._filled < self._rows.shape[0]:
            self._filled += 1

    def observe_many(self, returns: FloatArray) -> None:
        """Keep many steps' joint returns."""
        size = self._rows.shape[0]
        places = (self._at + np.arange(len(returns))) % size
        # of more rows than the window holds, the last ones stay
        self._rows[places[-size:]] = returns[-size:]
        self._at = (self._at + len(returns)) % size
        self._filled = min(size, self._filled + len(returns))

    def check(self, proposal: Proposal, book: Book) -> Verdict | None:
        """Measure the book after the trade."""
        weights = list(book.exposures)
        weights[proposal.index] = proposal.proposed_frac
        measured, count = self._measure(weights)
        p = self.params
        if measured is None:
            return Verdict("SCENARIOS_TOO_FEW", float(p.min_observations), float(count))
        if self._fits(measured):
            return None
        code, limit, observed = (
            ("ES_LIMIT", p.es_limit_frac, measured[1])
            if measured[1] > p.es_limit_frac
            else ("VAR_LIMIT", p.var_limit_frac, measured[0])
        )
        return Verdict(code, limit, observed, self._largest(weights, proposal))

    def breach(self, book: Book) -> tuple[float, float] | None:
        """Report the held book's ES (or VaR) above its limit."""
        if not any(book.held):
            self._found, self._measured_step = None, -self.params.remeasure_steps
        elif book.step - self._measured_step >= self.params.remeasure_steps:
            self._found, self._measured_step = self._excess(book.held), book.step
        return self._found

    def _excess(self, weights: Sequence[float]) -> tuple[float, float] | None:
        measured, _ = self._measure(weights)
        if measured is None or self._fits(measured):
            return None
        p = self.params
        if measured[1] > p.es_limit_frac:
            return p.es_limit_frac, measured[1]
        return p.var_limit_frac, measured[0]

    def _fits(self, measured: tuple[float, float]) -> bool:
        within: bool = measured[0] <= self.params.var_limit_frac and measured[1] <= self.params.es_limit_frac
        return within

    def _measure(self, weights: Sequence[float]) -> tuple[tuple[float, float] | None, int]:
        rows = self._rows[: self._filled]
        used = [j for j, weight in enumerate(weights) if weight != 0.0]
        if len(used) == 1:
            pnl = rows[:, used[0]] * weights[used[0]]
        else:
            # a pair without exposure must not spoil a scenario by its missing bar
            pnl = rows[:, used] @ np.array([weights[j] for j in used])
        # NaN in, NaN out: one sum tells whether any scenario is incomplete
        if pnl.size and pnl.sum() != pnl.sum():
            pnl = pnl[~np.isnan(pnl)]
        count = int(pnl.size)
        if count < self.params.min_observations:
            return None, count
        return book_tail(pnl, self.params.confidence), count

    def _largest(self, weights: list[float], proposal: Proposal) -> float | None:
        """Return the exposure nearest to the wish that fits; None if even the present one does not."""
        low, high = 0.0, 1.0
        span = proposal.proposed_frac - proposal.current_frac
        for trial in range(_BISECTIONS + 1):
            # the first trial asks about standing still
            share = 0.0 if trial == 0 else (low + high) / 2.0
            weights[proposal.index] = proposal.current_frac + share * span
            measured, _ = self._measure(weights)
            if measured is not None and self._fits(measured):
                low = share
            elif trial == 0:
                return None
            else:
                high = share
        return proposal.current_frac + low * span if low > 0.0 else None
