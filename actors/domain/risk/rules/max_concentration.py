"""Limit of one pair's share in the gross exposure."""

from __future__ import annotations

import pydantic

from actors.domain import registry
from actors.domain.params import Param
from actors.domain.registry import component
from actors.domain.risk.rules.base import Book, Proposal, RiskRule, Verdict, toward


@component
class MaxConcentration(RiskRule):
    """Resizes to the share; code ``CONCENTRATION_LIMIT``.

    The share is measured against the gross exposure, but at least against `gross_floor_frac`: without that
    floor the first position of an empty book would be 100 % of it and could never be opened. With one pair
    in the run there is nothing to spread and the rule is silent. No state; O(pairs).
    """

    class Params(registry.Params):
        """`limit_frac` in (0, 1]: largest share of one pair; `gross_floor_frac` of equity."""

        limit_frac: float = Param(0.6, gt=0, le=1, low=0.3, high=1.0)
        gross_floor_frac: float = pydantic.Field(0.6, ge=0)

    def check(self, proposal: Proposal, book: Book) -> Verdict | None:
        """Allow up to the share."""
        if len(self.pairs) < 2:
            return None
        limit: float = self.params.limit_frac
        floor: float = self.params.gross_floor_frac
        others = -abs(book.exposures[proposal.index])
        for exposure in book.exposures:
            others += abs(exposure)
        wanted = abs(proposal.proposed_frac)
        base = max(wanted + others, floor)
        if base <= 0.0 or wanted <= limit * base + 1e-12:
            return None
        # |w| ≤ c·max(|w| + others, floor) solved for |w|
        allowed = max(limit * floor, limit * others / (1.0 - limit))
        verdict = toward(proposal.proposed_frac, allowed) if allowed > 1e-12 else None
        return Verdict("CONCENTRATION_LIMIT", limit, wanted / base, verdict)

    def breach(self, book: Book) -> tuple[float, float] | None:
        """Report the largest held share above the limit."""
        if len(self.pairs) < 2:
            return None
        gross, worst = 0.0, 0.0
        for held in book.held:
            size = abs(held)
            gross += size
            worst = max(worst, size)
        limit: float = self.params.limit_frac
        base = max(gross, self.params.gross_floor_frac)
        return (limit, worst / base) if base > 0.0 and worst > limit * base else None
