"""Limit of one pair's exposure as a fraction of equity."""

from __future__ import annotations

from actors.domain import registry
from actors.domain.params import Param
from actors.domain.registry import component
from actors.domain.risk.rules.base import Book, Proposal, RiskRule, Verdict, toward


@component
class MaxPositionFrac(RiskRule):
    """Resizes to the limit; code ``POSITION_LIMIT``. No state; O(1)."""

    class Params(registry.Params):
        """`limit_frac` of equity per pair."""

        limit_frac: float = Param(0.5, gt=0, low=0.1, high=1.0)

    def check(self, proposal: Proposal, book: Book) -> Verdict | None:
        """Allow up to the limit."""
        limit: float = self.params.limit_frac
        wanted = proposal.proposed_frac
        if abs(wanted) <= limit:
            return None
        return Verdict("POSITION_LIMIT", limit, abs(wanted), toward(wanted, limit))

    def breach(self, book: Book) -> tuple[float, float] | None:
        """Report the largest held exposure above the limit."""
        limit: float = self.params.limit_frac
        worst = 0.0
        for held in book.held:
            if held > worst or -held > worst:
                worst = abs(held)
        return (limit, worst) if worst > limit else None
