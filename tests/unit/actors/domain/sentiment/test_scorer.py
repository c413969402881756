"""What the lexicon and its rules say of texts, on the kernels of this process."""

from __future__ import annotations

from math import isnan

import pytest

from actors.domain import registry
from actors.domain.errors import DataError, InvalidParamsError, UnknownComponentError
from actors.domain.sentiment.lexicon import KINDS, crypto_lexicon, entries
from actors.domain.sentiment.scorers.base import LITTLE_KNOWN, NO_KNOWN_WORDS, NO_TEXT, Verdict, checked
from actors.domain.sentiment.scorers.lexicon import LexiconScorer

SCORERS = "actors.domain.sentiment.scorers"


def make(**params) -> LexiconScorer:
    return registry.build(SCORERS, "lexicon", params)


SCORER = make()


def score(text: str) -> float:
    return SCORER.score([text])[0].score


@pytest.mark.parametrize(
    "text",
    [
        "Bitcoin soars to a new all-time high", "ETH rallies 12%", "Exchange hack averted", "China lifts ban on mining",
        "Lawsuit is dismissed", "Bank run was averted",
        "Inflation falls sharply", "Net loss narrowed", "HODL 🚀", "BTC +5.2% today", "Fees drop on Ethereum",
        "Not a scam", "Regulator cuts risk", "Bitcoin back above $50,000", "PayPal partners with a crypto exchange",
        "$BTC to the moon :)", "Fed announces rate cut", "Short sellers liquidated as BTC rallies",
        "Bear market is over", "Crypto winter comes to an end", "Exchange denies insolvency rumours",
    ],
)  # fmt: skip
def test_good_news(text: str) -> None:
    assert score(text) > 0.05


@pytest.mark.parametrize(
    "text",
    [
        "Bitcoin plunges below $20K", "Exchange hacked, funds stolen", "SEC rejects the ETF", "Inflation rises sharply",
        "Losses widen at miner", "I got rekt", "BTC -5.2% today", "Not bullish at all", "Bank run at a crypto lender",
        "Stablecoin loses its peg", "Merger scrapped", "📉 😱", "ETH hits all time low", "Rug pull drains wallets",
        "Bitcoin fails to rally", "Bull market is over", "Bitcoin rally has ended", "SEC denies approval of the fund",
        "SEC denies ETF",
    ],
)  # fmt: skip
def test_bad_news(text: str) -> None:
    assert score(text) < -0.05


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ("Bitcoin rises sharply", "Bitcoin rises"),
        ("Bitcoin rises", "Bitcoin rises slightly"),
        ("Bitcoin surges!", "Bitcoin surges"),
        ("Bitcoin surges!!!", "Bitcoin surges!"),
        ("Bitcoin SURGES today", "Bitcoin surges today"),
        ("Bitcoin surges", "Will bitcoin surge?"),
        ("Bitcoin falls, but miners gain", "Bitcoin gains, but miners fall"),
        ("Bitcoin gains", "Bitcoin may gain"),
        ("Bitcoin rallies despite a crash", "Bitcoin crashes despite a rally"),
        ("🚀🚀", "🚀"),
    ],
)
def test_what_strengthens_and_weakens(more: str, less: str) -> None:
    assert score(more) > score(less)


@pytest.mark.parametrize("text", ["Bitcoin is over 50,000 dollars", "Court denies appeal"])
def test_words_of_an_end_and_of_denial_are_worth_nothing_alone(text: str) -> None:
    assert score(text) == 0.0


@pytest.mark.parametrize("more", ["!", "!!", "!!!", "!!!!!!!!!!"])
def test_exclamations_are_bounded(more: str) -> None:
    assert 0.3 < score("Bitcoin surges" + more) <= score("Bitcoin surges!!!")


def test_verdicts_say_why_there_is_no_score() -> None:
    texts = [
        None,
        "",
        "   ",
        "比特币价格暴跌",
        "El precio sube mucho hoy en la bolsa",
        "?!",
    ]
    found = SCORER.score(texts)
    assert all(isnan(v.score) for v in found)
    assert [v.reason for v in found] == [NO_TEXT] * 3 + [NO_KNOWN_WORDS] * 3
    (little,) = SCORER.score(["Inflation hält Europas Notenbanken weiter auf Trab"])
    assert (isnan(little.score), little.reason) == (True, LITTLE_KNOWN)
    assert found[4].coverage == 0.0
    assert isnan(found[1].coverage)


def test_neutral_english_is_zero_and_covered() -> None:
    (found,) = SCORER.score(["The company has an office in London"])
    assert (found.score, found.hits, found.reason) == (0.0, 0, "")
    assert found.coverage > 0.5


def test_emoji_alone_and_a_huge_text() -> None:
    emoji, huge = SCORER.score(["🚀🚀🚀", "Bitcoin crashes. " * 6000])
    assert emoji.score > 0.4
    assert isnan(emoji.coverage)
    assert huge.truncated
    assert huge.score < -0.9


@pytest.mark.parametrize("bad", [b"Bitcoin soars", 7, ["x"]])
def test_what_is_no_text_is_refused(bad: object) -> None:
    with pytest.raises(DataError, match=f"row 1: expected str or None, found {type(bad).__name__}"):
        SCORER.score(["fine", bad])  # type: ignore[list-item]


def test_the_order_and_company_of_texts_do_not_matter() -> None:
    texts = ["Bitcoin soars", "ETH crashes", "Miners gain 5%"]
    assert SCORER.score(texts) == SCORER.score(texts[::-1])[::-1]
    assert SCORER.score([texts[1]]) == SCORER.score(texts)[1:2]


def test_own_terms_replace_ours() -> None:
    own = make(terms={"hopium": 2.0, "soars": -1.0})
    assert own.score(["pure hopium"])[0].score > 0.0
    assert own.score(["Bitcoin soars"])[0].score < 0.0
    assert isnan(score("pure hopium"))
    for terms in ({"Hopium": 1.0}, {"": 1.0}, {"x": 9.0}, {"x": float("nan")}):
        with pytest.raises(InvalidParamsError, match="expected a lower-case term"):
            make(terms=terms)
    with pytest.raises(UnknownComponentError):
        registry.build(SCORERS, "vader")


def test_the_lexicon_is_large_and_in_order() -> None:
    lexicon = crypto_lexicon()
    assert len(lexicon.texts) == len(set(lexicon.texts)) > 3000
    for text, kind, value in zip(*lexicon, strict=True):
        assert text == " ".join(text.split()) == text.lower() or text.startswith((":", ";", "=", "D"))
        assert "-" not in text or text.startswith(":")
        assert len(text.split()) <= 6
        assert abs(value) <= 3.0
        if KINDS[kind] in ("plain", "negator", "contrast", "concession", "name"):
            assert value == 0.0
    meanings: dict[str, set[str]] = {}
    for text, kind, value in entries():
        meanings.setdefault(text, set()).add(
            "good" if value > 0 and kind != 4 else "bad" if value < 0 else "none"
        )
    torn = sorted(t for t, m in meanings.items() if {"good", "bad"} <= m)
    assert torn == ["eased", "eases", "easing", "halving"], "a term of two tables with opposite signs"


def test_a_strangers_scorer_is_checked() -> None:
    assert checked([Verdict(0.5), Verdict(float("nan"))], 2, "x")
    with pytest.raises(DataError, match="expected 2 verdicts, found 1"):
        checked([Verdict(0.5)], 2, "x")
    with pytest.raises(DataError, match=r"expected a score in \[-1, 1\] or NaN, found 1.5 for text 0"):
        checked([Verdict(1.5)], 1, "x")
