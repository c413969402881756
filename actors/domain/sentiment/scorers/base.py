"""What a scorer of texts is: a batch of texts in, one verdict per text out."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import ClassVar, NamedTuple

from actors.domain.errors import DataError
from actors.domain.registry import Params

NO_TEXT, NO_KNOWN_WORDS, LITTLE_KNOWN = "no text", "no known words", "too few known words"


class Verdict(NamedTuple):
    """What a scorer says of one text.

    Attributes
    ----------
    score : float
        In [-1, 1]; NaN where it cannot say: `reason` tells why.
    coverage : float
        Share of the words that the scorer knows, in [0, 1]; NaN for a text without words.
    hits : int
        Terms that made the score.
    reason : str
        Empty where there is a score.
    truncated : bool
        Only the beginning of the text was read.
    """

    score: float
    coverage: float = nan
    hits: int = 0
    reason: str = ""
    truncated: bool = False


class Scorer:
    """Base of scorers; a subclass takes ``(params)``. The same texts give the same verdicts, in any order."""

    Params: ClassVar[type[Params]] = Params

    def score(self, texts: Sequence[str | None]) -> list[Verdict]:
        """Return one verdict per text.

        Raises
        ------
        DataError
            If an element is neither text nor None.
        """
        raise NotImplementedError


def checked(verdicts: Sequence[Verdict], count: int, name: str) -> Sequence[Verdict]:
    """Return a scorer's verdicts if they are fit to use: a model of somebody else may say anything.

    Raises
    ------
    DataError
        If there is not one per text, or a score is outside [-1, 1].
    """
    if len(verdicts) != count:
        raise DataError(
            "SCORER_COUNT", f"sentiment scorer {name}: expected {count} verdicts, found {len(verdicts)}"
        )
    for k, verdict in enumerate(verdicts):
        if not (verdict.score != verdict.score or -1.0 <= verdict.score <= 1.0):
            raise DataError(
                "SCORER_RANGE",
                f"sentiment scorer {name}: expected a score in [-1, 1] or NaN, found {verdict.score} for text {k}",
            )
    return verdicts
