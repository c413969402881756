"""Limits to adding to a position: how often, how soon, and only when it has earned it.

Source: the pyramiding rules of the Turtles (Faith, 2007, "Way of the Turtle"): at most so many units, each added
only after the price has moved on by a stated distance.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pydantic

from actors.domain import registry
from actors.domain.params import Param
from actors.domain.registry import component
from actors.domain.risk.rules.base import Book, Proposal, RiskRule, Verdict


@component
class Pyramiding(RiskRule):
    """Denies enlarging a position; codes ``PYRAMID_ENTRIES``, ``PYRAMID_WAIT``, ``PYRAMID_GAIN``.

    Openings and reversals start a new position and are never denied. What is too small for the venue counts as
    flat. State: entries and the step of the last one, per pair; O(1).
    """

    class Params(registry.Params):
        """Limits of one position.

        Attributes
        ----------
        max_entries : int
            Opening included; 1: no adding.
        min_steps_between : int
            Steps since the last entry was granted.
        min_gain_frac : float or None
            Least gain of the price over the average entry, on the position's side; None: no such limit.
        """

        max_entries: int = Param(1, ge=1, low=1, high=5)
        min_steps_between: int = Param(1, ge=1, low=1, high=24)
        min_gain_frac: float | None = pydantic.Field(None, ge=0)

    STATE: ClassVar[tuple[str, ...]] = ("_entries", "_last")

    def __init__(self, params: Any, pairs: tuple[str, ...]) -> None:
        super().__init__(params, pairs)
        self._entries = [0] * len(pairs)
        self._last = [-(1 << 40)] * len(pairs)

    def check(self, proposal: Proposal, book: Book) -> Verdict | None:
        """Look at an enlargement."""
        if not _adds(proposal):
            return None
        p, i = self.params, proposal.index
        entries = self._entries[i] + 1
        if entries > p.max_entries:
            return Verdict("PYRAMID_ENTRIES", float(p.max_entries), float(entries))
        passed = proposal.step - self._last[i]
        if passed < p.min_steps_between:
            return Verdict("PYRAMID_WAIT", float(p.min_steps_between), float(passed))
        if p.min_gain_frac is not None:
            side = 1.0 if proposal.current_frac > 0.0 else -1.0
            gain = side * (proposal.price / book.entry[i] - 1.0)
            if not gain >= p.min_gain_frac:
                return Verdict("PYRAMID_GAIN", float(p.min_gain_frac), gain)
        return None

    def approved(self, proposal: Proposal) -> None:
        """Count entries."""
        i = proposal.index
        if _adds(proposal):
            self._entries[i] += 1
        elif proposal.proposed_frac == 0.0 or proposal.reduces:
            return
        else:
            self._entries[i] = 1
        self._last[i] = proposal.step


def _adds(proposal: Proposal) -> bool:
    current, wish = proposal.current_frac, proposal.proposed_frac
    held = abs(current) * proposal.equity >= proposal.min_notional and current != 0.0
    return held and current * wish > 0.0 and abs(wish) > abs(current)
