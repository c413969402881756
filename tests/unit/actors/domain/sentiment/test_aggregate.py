"""From items to a reading: age, weights, copies, missing news."""

from __future__ import annotations

from math import isnan, nan

import numpy as np
import pytest

from actors.domain.errors import DataError
from actors.domain.sentiment.aggregate import HOUR_NS, Aggregate, AggregateParams, Item
from actors.domain.sentiment.duplicates import MOST_TEXTS, Duplicates, shingles
from actors.domain.state import dumps, loads

H = HOUR_NS


def make(kinds=("news",), **params) -> Aggregate:
    return Aggregate(AggregateParams(**params), kinds)


def test_an_item_counts_half_after_its_half_life() -> None:
    a = make(news_half_life_h=10.0, prior_items=1.0)
    first = a.update(0, [Item(0, "news", 0.8)])
    later = a.update(10 * H, [])
    assert first.score == pytest.approx(0.8 * 1 / 2)
    assert later.score == pytest.approx(0.8 * 0.5 / 1.5)
    assert (later.means[0], later.items) == (pytest.approx(0.8), 0)
    assert a.update(10_000 * H, []).quality == 0.0
    assert isnan(a.update(10_000 * H, []).means[0])


def test_late_news_counts_by_its_age_and_weight() -> None:
    a = make(news_half_life_h=10.0)
    r = a.update(20 * H, [Item(0, "news", 1.0, 2.0), Item(20 * H, "news", -1.0, 1.0)])
    assert r.means[0] == pytest.approx((2 * 0.25 - 1.0) / 1.5)


def test_without_news_the_reading_is_zero_of_no_quality() -> None:
    r = make(("news", "index")).update(5 * H, [])
    assert (r.score, r.quality, r.items) == (0.0, 0.0, 0)
    assert all(isnan(m) for m in r.means)


def test_a_newer_index_value_replaces_the_older_and_never_the_reverse() -> None:
    a = make(("index",))
    a.update(48 * H, [Item(24 * H, "index", -0.8), Item(48 * H, "index", 0.2)])
    assert a.update(48 * H, [Item(30 * H, "index", 1.0)]).means[2] == pytest.approx(0.2)


def test_kinds_that_no_source_has_do_not_lower_quality_and_a_flood_of_posts_does_not_drown_news() -> None:
    alone = make(("news",)).update(0, [Item(0, "news", 0.5, 9.0)])
    assert alone.quality == pytest.approx(0.9)
    posts = [Item(0, "social", -1.0, 1.0, f"post number {k} about {k * 7} coins") for k in range(500)]
    mixed = make(("news", "social")).update(0, [Item(0, "news", 1.0, 9.0), *posts])
    assert mixed.score > 0.2


def test_copies_count_once_and_unread_texts_not_at_all() -> None:
    a = make()
    text = "Bitcoin soars to a new record high on Monday"
    texts = [text, text.upper() + "!", text + " morning"]
    items = [*(Item(0, "news", 0.5, 1.0, t) for t in texts), Item(0, "news", nan, 1.0, "something else here")]
    r = a.update(0, items)
    assert (r.items, r.duplicates, r.unread) == (1, 2, 1)
    assert r.score == make().update(0, items[:1]).score
    assert a.update(100 * H, [Item(100 * H, "news", 0.5, 1.0, text)]).duplicates == 0


@pytest.mark.parametrize("item", [Item(1, "news", 0.1), Item(0, "rumour", 0.1)])
def test_the_future_and_unknown_kinds_are_refused(item: Item) -> None:
    with pytest.raises(DataError, match="known by 0"):
        make().update(0, [item])
    with pytest.raises(DataError, match="expected a source of a kind"):
        make(("news",), news_share=0.0)


def test_it_goes_on_from_its_state() -> None:
    rng = np.random.default_rng(1)
    words = ["bitcoin", "soars", "falls", "bank", "miner", "hack", "record", "fund"]

    def items(k: int) -> list[Item]:
        return [
            Item(k * H - int(rng.integers(0, H)), str(rng.choice(["news", "social"])), float(rng.uniform(-1, 1)),
                 float(rng.uniform(0.5, 2)), " ".join(rng.choice(words, 5)))
            for _ in range(int(rng.integers(0, 4)))
        ]  # fmt: skip

    steps = [(k * H, items(k)) for k in range(1, 200)]
    one = make(("news", "social"))
    for now, new in steps[:80]:
        one.update(now, new)
    two = make(("news", "social"))
    two.load_state(loads(dumps(one.state())))
    assert repr([one.update(*s) for s in steps[80:]]) == repr([two.update(*s) for s in steps[80:]])
    assert dumps(one.state()) == dumps(two.state())


def test_duplicates_are_bounded_and_blind_to_case_and_marks() -> None:
    d = Duplicates(window_ns=10**18, alike_frac=0.6)
    for k in range(MOST_TEXTS + 50):
        assert not d.seen(f"story {k} of coin {k * 3} and bank {k * 5}", k)
    assert len(d.state()["_kept"]) == MOST_TEXTS
    assert d.seen(f"Story {MOST_TEXTS} of coin {MOST_TEXTS * 3}, and bank {MOST_TEXTS * 5}!", MOST_TEXTS + 60)
    assert not d.seen("story 0 of coin 0 and bank 0", MOST_TEXTS + 60), "forgotten first"
    assert not d.seen("🚀", 0)
    assert not d.seen("🚀", 0), "a text without words repeats none"
    assert len(shingles("a b " * 100_000)) == 2
