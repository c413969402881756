"""The rules of a run in their order: each proposal is laid before them, and what is held is held to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from actors.domain import registry
from actors.domain.risk.rules.base import Book, FloatArray, Proposal, RiskRule, Verdict
from actors.domain.state import Stateful

PACKAGE = "actors.domain.risk.rules"


class RulePanel(Stateful):
    """Asks rules one after the other.

    Parameters
    ----------
    rules : sequence of mapping
        ``{"kind": …, "params": {…}}`` from `actors/domain/risk/rules`; asked in this order.
    pairs : tuple of str
    """

    STATE: ClassVar[tuple[str, ...]] = ("_rules", "_breached_step")

    def __init__(self, rules: Sequence[Mapping[str, Any]], pairs: tuple[str, ...]) -> None:
        self._names = [str(rule["kind"]) for rule in rules]
        self._rules: list[RiskRule] = [
            registry.build(PACKAGE, rule["kind"], rule.get("params"), pairs=pairs) for rule in rules
        ]
        self._observers = self._watching()
        self._breached_step = [-(1 << 40)] * len(self._rules)

    def observe(self, returns: Sequence[float]) -> None:
        """Take the step's simple return per pair (NaN: none)."""
        for rule in self._observers:
            rule.observe(returns)

    def observe_many(self, returns: FloatArray) -> None:
        """Take consecutive steps at once, shape (steps, pairs)."""
        for rule in self._observers:
            rule.observe_many(returns)

    def ask(self, proposal: Proposal, book: Book, band: float) -> tuple[str, Verdict] | None:
        """Ask the rules; return the last objection, with `proposed_frac` cut to what is granted.

        What is granted is `current_frac` after a denial. A resize into the dead band is a denial: the rule
        that leaves no room worth trading is the one to name.

        Parameters
        ----------
        proposal : Proposal
        book : Book
        band : float
            Dead band of the pair, fraction of equity.

        Returns
        -------
        (str, Verdict) or None
            Name of the rule and what it said.
        """
        held, objection = proposal.current_frac, None
        for name, rule in zip(self._names, self._rules, strict=True):
            if rule.limits_risk and proposal.reduces:
                continue
            verdict = rule.check(proposal, book)
            if verdict is None:
                continue
            objection = (name, verdict)
            allowed = verdict.allowed_frac
            if allowed is not None and (allowed == 0.0 or abs(allowed - held) > band):
                proposal.proposed_frac = allowed
            elif held * proposal.proposed_frac < 0.0 and rule.limits_risk:
                proposal.proposed_frac = 0.0
            else:
                proposal.proposed_frac = held
                return objection
        return objection

    def breaches(self, book: Book, number: int, patience_steps: int) -> Iterator[tuple[str, float, float]]:
        """Yield ``(rule, limit, observed)`` of each limit that what is held breaks now.

        An exposure that hovers at its limit is one breach, not one per crossing: it is told again only after
        `patience_steps` within the limit.
        """
        for k, rule in enumerate(self._rules):
            found = rule.breach(book)
            if found is None:
                continue
            if number - self._breached_step[k] > patience_steps:
                yield self._names[k], found[0], found[1]
            self._breached_step[k] = number

    def approved(self, proposal: Proposal) -> None:
        """Tell all that a trade was let through."""
        for rule in self._rules:
            rule.approved(proposal)

    def exited(self, index: int, step: int) -> None:
        """Tell all that a protective order ended (a part of) a pair's position."""
        for rule in self._rules:
            rule.exited(index, step)

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        super().load_state(tree)
        self._observers = self._watching()

    def _watching(self) -> list[RiskRule]:
        return [rule for rule in self._rules if rule.observes]
