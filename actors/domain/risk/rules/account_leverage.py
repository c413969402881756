"""What the account carries: the exposure up to which its venue opens positions, less a reserve."""

from __future__ import annotations

import pydantic

from actors.domain import registry
from actors.domain.registry import component
from actors.domain.risk.rules.base import Book, Proposal, RiskRule, Verdict, toward


@component
class AccountLeverage(RiskRule):
    """Resizes to the room that the account has left, denies without room; code ``ACCOUNT_LEVERAGE``.

    The venue measures an order at the next open with its fees; what is asked for to the last unit at the close would
    be rejected at every bar. The fleet asks this rule on every account, also where no other limits the exposure.
    Approved intents that still work count as held. No state; O(pairs).
    """

    class Params(registry.Params):
        """`leverage` of the account; `reserve_frac` of it stays free for fees and the move up to the open."""

        leverage: float = pydantic.Field(1.0, ge=1.0)
        reserve_frac: float = pydantic.Field(0.02, ge=0.0, lt=1.0)

    def check(self, proposal: Proposal, book: Book) -> Verdict | None:
        """Allow up to what is carried less the other pairs' exposures."""
        limit: float = self.params.leverage * (1.0 - self.params.reserve_frac)
        others = sum(map(abs, book.exposures)) - abs(book.exposures[proposal.index])
        wanted = proposal.proposed_frac
        gross = others + abs(wanted)
        # room below float noise is no room, and must not turn an exact fit into a resize
        if gross <= limit + 1e-12:
            return None
        room = limit - others
        allowed = toward(wanted, room) if room > 1e-12 else None
        return Verdict("ACCOUNT_LEVERAGE", limit, gross, allowed)
