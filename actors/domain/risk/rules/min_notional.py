"""The smallest order that is worth its costs and that the venue takes."""

from __future__ import annotations

from typing import ClassVar

import pydantic

from actors.domain import registry
from actors.domain.registry import component
from actors.domain.risk.rules.base import Book, Proposal, RiskRule, Verdict


@component
class MinNotional(RiskRule):
    """Denies smaller orders, reductions included (the venue would refuse them); code ``MIN_NOTIONAL``.

    A full exit needs the venue's minimum only. Put it last: earlier rules may resize. No state; O(1).
    """

    class Params(registry.Params):
        """`min_notional_quote`; the instrument's own minimum holds where it is larger."""

        min_notional_quote: float = pydantic.Field(10.0, ge=0)

    limits_risk: ClassVar[bool] = False

    def check(self, proposal: Proposal, book: Book) -> Verdict | None:
        """Compare the order's value."""
        limit = proposal.min_notional
        if proposal.proposed_frac != 0.0:
            limit = max(limit, self.params.min_notional_quote)
        notional = proposal.notional
        return None if notional >= limit else Verdict("MIN_NOTIONAL", limit, notional)
