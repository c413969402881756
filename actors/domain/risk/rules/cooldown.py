"""A pause after an exit, so that one wobbling signal does not pay the spread again and again."""

from __future__ import annotations

from typing import Any, ClassVar

from actors.domain import registry
from actors.domain.params import Param
from actors.domain.registry import component
from actors.domain.risk.rules.base import Book, Proposal, RiskRule, Verdict


@component
class Cooldown(RiskRule):
    """Denies openings in a pair for some steps after its exit; code ``COOLDOWN``.

    State: the last exit step per pair; O(1).
    """

    class Params(registry.Params):
        """`steps_after_exit`: openings are denied while fewer steps have passed."""

        steps_after_exit: int = Param(3, ge=1, low=1, high=24)

    STATE: ClassVar[tuple[str, ...]] = ("_exit_step",)

    def __init__(self, params: Any, pairs: tuple[str, ...]) -> None:
        super().__init__(params, pairs)
        self._exit_step: list[int] = [-(1 << 40)] * len(pairs)

    def check(self, proposal: Proposal, book: Book) -> Verdict | None:
        """Count the steps since the exit."""
        if proposal.current_frac != 0.0:
            return None
        limit: int = self.params.steps_after_exit
        passed = proposal.step - self._exit_step[proposal.index]
        return None if passed >= limit else Verdict("COOLDOWN", float(limit), float(passed))

    def approved(self, proposal: Proposal) -> None:
        """Remember exits."""
        if proposal.proposed_frac == 0.0:
            self._exit_step[proposal.index] = proposal.step

    def exited(self, index: int, step: int) -> None:
        """A stop is an exit too."""
        self._exit_step[index] = step
