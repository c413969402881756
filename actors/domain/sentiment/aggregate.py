"""From scored items to one reading per bar: weights, age, copies, and how much stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import ClassVar, NamedTuple

from pydantic import Field

from actors.domain.errors import DataError
from actors.domain.registry import Params
from actors.domain.sentiment.duplicates import Duplicates
from actors.domain.state import Stateful

KINDS: tuple[str, ...] = ("news", "social", "index")
HOUR_NS = 3_600_000_000_000


class AggregateParams(Params):
    """How items become a reading."""

    news_half_life_h: float = Field(default=24.0, gt=0.0, description="hours after which an item counts half")
    social_half_life_h: float = Field(default=6.0, gt=0.0)
    index_half_life_h: float = Field(default=48.0, gt=0.0)
    news_share: float = Field(default=1.0, ge=0.0, description="weight of a kind beside the others")
    social_share: float = Field(default=0.5, ge=0.0)
    index_share: float = Field(default=1.0, ge=0.0)
    prior_items: float = Field(
        default=1.0, gt=0.0, description="items of score 0 that stand beside the real ones"
    )
    duplicate_window_h: float = Field(default=72.0, ge=0.0, description="how long a text is remembered")
    alike_frac: float = Field(default=0.6, gt=0.0, le=1.0, description="shared shingles that make a copy")


class Item(NamedTuple):
    """One scored item; `score` NaN: nobody could read it."""

    published_ns: int
    kind: str
    score: float
    weight: float = 1.0
    text: str = ""


class Reading(NamedTuple):
    """Sentiment at a moment; see `actors.domain.events.sentiment.SentimentScored`."""

    score: float
    quality: float
    means: tuple[float, ...]
    items: int
    duplicates: int
    unread: int


class Aggregate(Stateful):
    """Running means of the kinds, each forgetting with its own half-life. O(1) per bar and item.

    Parameters
    ----------
    params : AggregateParams
    kinds : sequence of str
        Kinds that sources exist for: quality is measured against these.

    Raises
    ------
    DataError
        From `update`: an item of the future, or of a kind that no source has.

    Examples
    --------
    >>> a = Aggregate(AggregateParams(), ["news"])
    >>> r = a.update(HOUR_NS, [Item(0, "news", 0.5)])
    >>> round(r.means[0], 3), round(r.quality, 3), round(r.score, 3)
    (0.5, 0.493, 0.246)
    """

    STATE: ClassVar[tuple[str, ...]] = ("_now", "_sums", "_weights", "_index_ns", "_duplicates")

    def __init__(self, params: AggregateParams, kinds: Sequence[str]) -> None:
        p = params
        self._p = p
        lives = (p.news_half_life_h, p.social_half_life_h, p.index_half_life_h)
        shares = (p.news_share, p.social_share, p.index_share)
        self._life_ns = [h * HOUR_NS for h in lives]
        self._shares = [s if k in kinds else 0.0 for k, s in zip(KINDS, shares, strict=True)]
        if not sum(self._shares) > 0.0:
            raise DataError(
                "SENTIMENT_KINDS",
                f"sentiment: expected a source of a kind whose share is above 0, found kinds {list(kinds)}",
            )
        self._now = 0
        self._sums = [0.0] * len(KINDS)
        self._weights = [0.0] * len(KINDS)
        self._index_ns = -1
        self._duplicates = Duplicates(window_ns=int(p.duplicate_window_h * HOUR_NS), alike_frac=p.alike_frac)

    def update(self, now_ns: int, items: Sequence[Item]) -> Reading:
        """Take the items that became known since the last call, return the reading at `now_ns`."""
        self._age(now_ns)
        taken = duplicates = unread = 0
        for item in items:
            if item.published_ns > now_ns or item.kind not in KINDS:
                raise DataError(
                    "SENTIMENT_ITEM",
                    f"sentiment: expected an item of {', '.join(KINDS)} known by {now_ns}, found one of {item.kind!r} "
                    f"published at {item.published_ns}",
                )
            if item.text and self._duplicates.seen(item.text, now_ns):
                duplicates += 1
            elif item.score != item.score:
                unread += 1
            else:
                taken += 1
                self._add(now_ns, item)
        means = tuple(s / w if w > 0.0 else nan for s, w in zip(self._sums, self._weights, strict=True))
        top = quality = 0.0
        for share, total, weight in zip(self._shares, self._sums, self._weights, strict=True):
            top += share * total / (weight + self._p.prior_items)
            quality += share * weight / (weight + self._p.prior_items)
        whole = sum(self._shares)
        return Reading(top / whole, quality / whole, means, taken, duplicates, unread)

    def _age(self, now_ns: int) -> None:
        passed = now_ns - self._now
        self._now = now_ns
        for k, life in enumerate(self._life_ns):
            kept = 0.5 ** (passed / life)
            self._sums[k] *= kept
            self._weights[k] *= kept
            if self._weights[k] < 1e-12:  # nothing left that could matter
                self._sums[k] = self._weights[k] = 0.0

    def _add(self, now_ns: int, item: Item) -> None:
        k = KINDS.index(item.kind)
        if item.kind == "index":
            # a newer value of an index replaces the older one: it is a level, not one voice among many
            if item.published_ns < self._index_ns:
                return
            self._index_ns = item.published_ns
            self._sums[k] = self._weights[k] = 0.0
            weight = item.weight * 4.0 * self._p.prior_items  # one value is the whole index
        else:
            weight = item.weight
        weight *= 0.5 ** ((now_ns - item.published_ns) / self._life_ns[k])
        self._sums[k] += weight * item.score
        self._weights[k] += weight
