"""The project's own scorer: crypto lexicon and rules, by the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import ClassVar

from pydantic import Field

from actors.domain import kernels
from actors.domain.errors import DataError, KernelError
from actors.domain.registry import Params, component
from actors.domain.sentiment.lexicon import crypto_lexicon
from actors.domain.sentiment.scorers.base import LITTLE_KNOWN, NO_KNOWN_WORDS, NO_TEXT, Scorer, Verdict


class LexiconParams(Params):
    """Parameters of `LexiconScorer`."""

    terms: dict[str, float] = Field(
        default={}, description="terms of your own in lower case, with valences in [-3, 3]; they replace ours"
    )


@component
class LexiconScorer(Scorer):
    """Scores by the terms of the crypto lexicon and what the words around them do.

    Examples
    --------
    >>> from actors.domain import registry
    >>> scorer = registry.build("actors.domain.sentiment.scorers", "lexicon")
    >>> [round(v.score, 1) for v in scorer.score(["Bitcoin soars", "Inflation falls", "Exchange hacked!"])]
    [0.4, 0.2, -0.4]
    """

    Params: ClassVar[type[Params]] = LexiconParams

    def __init__(self, params: LexiconParams) -> None:
        lexicon = crypto_lexicon()
        self.lexicon = lexicon.extended(params.terms) if params.terms else lexicon
        self.kernel = kernels.TextScorer(*self.lexicon)

    def score(self, texts: Sequence[str | None]) -> list[Verdict]:
        """Return one verdict per text; see `actors.domain.kernels.TextScorer.score`."""
        try:
            rows = self.kernel.score(texts).tolist()
        except KernelError as e:
            raise DataError("SENTIMENT_TEXT", f"sentiment: {e.message}") from e
        return [
            Verdict(
                score,
                known / words if words else nan,
                int(hits),
                "" if score == score else _reason(text, known),
                truncated == 1.0,
            )
            for text, (score, words, known, hits, truncated) in zip(texts, rows, strict=True)
        ]


def _reason(text: str | None, known: float) -> str:
    if text is None or not text.strip():
        return NO_TEXT
    return LITTLE_KNOWN if known else NO_KNOWN_WORDS
