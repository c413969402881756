"""Limit of the sum of the magnitudes of all exposures."""

from __future__ import annotations

from actors.domain import registry
from actors.domain.params import Param
from actors.domain.registry import component
from actors.domain.risk.rules.base import Book, Proposal, RiskRule, Verdict, toward


@component
class MaxGrossExposure(RiskRule):
    """Resizes to the room that is left, denies without room; code ``GROSS_EXPOSURE_LIMIT``.

    Approved intents that still work count as held. No state; O(pairs).
    """

    class Params(registry.Params):
        """`limit_frac`: gross exposure per equity."""

        limit_frac: float = Param(0.95, gt=0, low=0.3, high=1.0)

    def check(self, proposal: Proposal, book: Book) -> Verdict | None:
        """Allow up to the limit less the other pairs' exposures."""
        limit: float = self.params.limit_frac
        others = -abs(book.exposures[proposal.index])
        for exposure in book.exposures:
            others += abs(exposure)
        wanted = proposal.proposed_frac
        gross = others + abs(wanted)
        # room below float noise is no room, and must not turn an exact fit into a resize
        if gross <= limit + 1e-12:
            return None
        room = limit - others
        allowed = toward(wanted, room) if room > 1e-12 else None
        return Verdict("GROSS_EXPOSURE_LIMIT", limit, gross, allowed)

    def breach(self, book: Book) -> tuple[float, float] | None:
        """Report held gross exposure above the limit."""
        gross = 0.0
        for held in book.held:
            gross += abs(held)
        limit: float = self.params.limit_frac
        return (limit, gross) if gross > limit else None
