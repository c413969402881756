"""Sentiment facts: what was published outside, and what the fleet makes of it at a bar's close."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.events.base import Event


class HeadlinePublished(Event, frozen=True, kw_only=True, gc=False):
    """A text or an index value became known; an input that enters the first step whose bars close at or after it.

    Attributes
    ----------
    published_ns : int
        When it was known at the earliest, ns UTC; never after the step's time.
    outlet : str
        Name of the configured source.
    kind : str
        ``news``, ``social`` or ``index``.
    text : str
        Empty for an index.
    score : float or None
        In [-1, 1] where the source brings its own (an index always does); None: the fleet's scorer reads the text.
    weight : float
        Of the source, above 0.
    """

    stage: ClassVar[str] = "market"
    published_ns: int
    outlet: str
    kind: str = "news"
    text: str = ""
    score: float | None = None
    weight: float = 1.0


class SentimentScored(Event, frozen=True, kw_only=True, gc=False):
    """The market's sentiment at the close of this step, from all that was known by then.

    Attributes
    ----------
    score : float
        In [-1, 1]: means of the kinds, weighted by kind and by how much there is of each; without any news it goes
        back to 0 as they age.
    quality : float
        In [0, 1]: how much stands behind it.
    news, social, index : float
        Mean of each kind alone, NaN where nothing recent is known.
    items, duplicates, unread : int
        Of this step: items that count, those that say what another said, texts without a known word.
    coverage : float
        Share of known words in the texts of this step; NaN without texts.
    """

    stage: ClassVar[str] = "market"
    score: float
    quality: float
    news: float
    social: float
    index: float
    items: int = 0
    duplicates: int = 0
    unread: int = 0
    coverage: float = float("nan")
