"""What a pre-trade rule is: it sees one proposed exposure and the book, and allows, resizes or denies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from actors.domain import registry
from actors.domain.state import Stateful

FloatArray = NDArray[np.float64]


class Proposal(msgspec.Struct, gc=False):
    """A change of one pair's exposure that asks for permission; all fractions are signed and of equity.

    Attributes
    ----------
    index : int
        Position of the pair in the run's pairs.
    current_frac, proposed_frac : float
        Exposure now and after the trade.
    equity, price : float
        Quote currency.
    min_notional : float
        The venue's smallest order, quote currency.
    """

    index: int
    pair: str
    step: int
    current_frac: float
    proposed_frac: float
    equity: float
    price: float
    min_notional: float

    @property
    def notional(self) -> float:
        """Value of the order in quote currency, unsigned."""
        return abs(self.proposed_frac - self.current_frac) * self.equity

    @property
    def reduces(self) -> bool:
        """True if the trade only takes risk off: towards zero, not beyond it."""
        return is_reduction(self.current_frac, self.proposed_frac)


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """A rule's objection: deny, or (`allowed_frac` given) go no further than that signed exposure."""

    code: str
    limit: float
    observed: float
    allowed_frac: float | None = None


class Book:
    """What rules may know beside the proposal.

    Attributes
    ----------
    exposures : list of float
        Per pair the larger in magnitude of what is held and of what approved intents are still working.
    held : list of float
        Signed exposures of the ledger, fractions of equity.
    entry : list of float
        Average entry price per pair, NaN while flat.
    quality : list of float
        Last data-quality score per pair; NaN before the first.
    confidence : list of float
        Last confidence in the regime per pair; NaN before there is a regime.
    step : int
    """

    __slots__ = ("confidence", "entry", "exposures", "held", "quality", "step")

    def __init__(self, pairs: int) -> None:
        self.exposures = [0.0] * pairs
        self.held = [0.0] * pairs
        self.entry = [float("nan")] * pairs
        self.quality = [float("nan")] * pairs
        self.confidence = [float("nan")] * pairs
        self.step = -1


class RiskRule(Stateful):
    """Base of rules; a subclass takes ``(params, pairs)`` and is marked `@component`.

    Attributes
    ----------
    limits_risk : bool
        True if the rule is not asked about trades that only reduce an exposure: an exit is always allowed.
    """

    Params: ClassVar[type[registry.Params]] = registry.Params
    limits_risk: ClassVar[bool] = True
    observes: ClassVar[bool] = False

    def __init__(self, params: Any, pairs: tuple[str, ...]) -> None:
        self.params = params
        self.pairs = pairs

    def check(self, proposal: Proposal, book: Book) -> Verdict | None:
        """Return None to allow, or the objection."""
        raise NotImplementedError

    def breach(self, book: Book) -> tuple[float, float] | None:
        """Return ``(limit, observed)`` if what is held breaks the limit now, else None."""
        return None

    def observe(self, returns: Sequence[float]) -> None:
        """Take the step's simple return per pair (NaN: none); called every step if `observes`."""

    def observe_many(self, returns: FloatArray) -> None:
        """Take consecutive steps at once, shape (steps, pairs); the same as `observe` of each in turn."""
        for row in returns.tolist():
            self.observe(row)

    def approved(self, proposal: Proposal) -> None:
        """Learn that a trade was let through."""

    def exited(self, index: int, step: int) -> None:
        """Learn that a protective order ended (a part of) a pair's position; nobody was asked."""


def is_reduction(current_frac: float, proposed_frac: float) -> bool:
    """Tell whether a trade moves an exposure towards zero and not beyond.

    Examples
    --------
    >>> is_reduction(0.5, 0.2), is_reduction(0.5, 0.0), is_reduction(0.5, -0.1), is_reduction(0.0, 0.1)
    (True, True, False, False)
    """
    return current_frac * proposed_frac >= 0.0 and abs(proposed_frac) < abs(current_frac)


def toward(sign_of: float, magnitude: float) -> float:
    """Return a non-negative magnitude with the sign of the first argument.

    Examples
    --------
    >>> toward(-0.7, 0.2)
    -0.2
    """
    return -magnitude if sign_of < 0.0 else magnitude
