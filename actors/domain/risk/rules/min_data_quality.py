"""No new risk on data that cannot be trusted."""

from __future__ import annotations

import pydantic

from actors.domain import registry
from actors.domain.registry import component
from actors.domain.risk.rules.base import Book, Proposal, RiskRule, Verdict


@component
class MinDataQuality(RiskRule):
    """Denies below the limit and while no score is known; code ``DATA_QUALITY``. No state; O(1)."""

    class Params(registry.Params):
        """`min_score` in [0, 1] of the health monitor's `DataQualityAssessed`."""

        min_score: float = pydantic.Field(0.8, ge=0, le=1)

    def check(self, proposal: Proposal, book: Book) -> Verdict | None:
        """Compare the last score of the pair; NaN (none yet) is denied too."""
        limit: float = self.params.min_score
        score = book.quality[proposal.index]
        return None if score >= limit else Verdict("DATA_QUALITY", limit, score)
