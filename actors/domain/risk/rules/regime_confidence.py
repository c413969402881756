"""Less new risk while the regime is in doubt: positions are opened and enlarged by what is believed of the regime.

The score is the calibrated one of the ensemble (`actors.domain.regime.confidence`): the share of bars like this one on
which the regime in force was later held for the right one. Hindsight shares the ensemble's errors: it is no truth.
"""

from __future__ import annotations

from actors.domain import registry
from actors.domain.params import Param
from actors.domain.registry import component
from actors.domain.risk.rules.base import Book, Proposal, RiskRule, Verdict


@component
class RegimeConfidenceRule(RiskRule):
    """Scales new risk by ``least_scale + (1 − least_scale)·score/full_at`` below `full_at`; code ``REGIME_UNSURE``.

    What is held is left alone: falling confidence sells nothing. Without a regime (no detectors, or none has a view
    yet) it says nothing. No state; O(1).
    """

    class Params(registry.Params):
        """`least_scale` at a score of 0; `full_at`: score from which on nothing is taken off."""

        least_scale: float = Param(0.5, ge=0.0, le=1.0, low=0.0, high=1.0)
        full_at: float = Param(0.75, gt=0.0, le=1.0, low=0.5, high=0.9)

    def check(self, proposal: Proposal, book: Book) -> Verdict | None:
        """Cut what is proposed; an enlargement that the cut takes below what is held is denied."""
        score, full = book.confidence[proposal.index], self.params.full_at
        if not score < full:  # NaN: no regime
            return None
        least: float = self.params.least_scale
        held, allowed = proposal.current_frac, proposal.proposed_frac * (least + (1.0 - least) * score / full)
        enlarges = held * allowed <= 0.0 or abs(allowed) > abs(held)
        return Verdict("REGIME_UNSURE", full, score, allowed if enlarges and allowed != 0.0 else None)
