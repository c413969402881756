"""Scorer of headlines: native = twin to the bit on any Unicode, bad input refused alike."""

from __future__ import annotations

import importlib
import importlib.util
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.errors import KernelError
from actors.domain.kernels import TEXT_RULES, TextScorer
from actors.domain.kernels.twins import text as twin
from actors.domain.sentiment.lexicon import crypto_lexicon

LEXICON = crypto_lexicon()
BACKENDS: dict[str, Any] = {"twin": twin.TextScorer(*map(list, LEXICON))}
if importlib.util.find_spec("_tradecore"):
    BACKENDS["native"] = importlib.import_module("_tradecore").TextScorer(*map(list, LEXICON))
every_backend = pytest.mark.parametrize("backend", sorted(BACKENDS))

# lone surrogates too: str holds them, UTF-8 does not
ANY = st.text(st.characters(codec=None) | st.characters(categories=["Cs"]), max_size=80)
PIECES = st.sampled_from(
    [*LEXICON.texts[::7], *LEXICON.texts[-90:], "NOT", "Not", "$BTC", "@user", "https://a.b/c?d=1", "-5%", "+3.2%",
     "(", ")", "!", "?", ",", ".", " - ", "—", "…", "’s", "'s", "$45K", "51", "%", "crypto.com", "\n", "\t", "",
     "\ud800", "\u200d", "\ufe0f", "的", "é", "İ", "ß", "0", "x2"]
)  # fmt: skip
PASTED = st.lists(st.tuples(PIECES, st.sampled_from([" ", "", " ", "\u00a0", "-"])), max_size=25).map(
    lambda parts: "".join(a + b for a, b in parts)
)


def judged(backend: Any, texts: list[str | None]) -> np.ndarray:
    out = np.empty((len(texts), 5))
    backend.score(texts, out)
    return out


@pytest.mark.skipif("native" not in BACKENDS, reason="no compiled kernels")
@settings(max_examples=300, deadline=None)
@given(text=ANY | PASTED | PASTED.map(str.upper) | PASTED.map(str.title))
def test_native_equals_twin_on_any_text(text: str) -> None:
    one, two = (judged(b, [text]) for b in BACKENDS.values())
    assert one.tobytes() == two.tobytes()
    assert BACKENDS["twin"].explain(text) == BACKENDS["native"].explain(text)


@pytest.mark.skipif("native" not in BACKENDS, reason="no compiled kernels")
@pytest.mark.parametrize(
    "text",
    ["Bear market is over", "Exchange denies insolvency rumours", "Is the bull market over? It comes to an end",
     "Shorts liquidated: denies hack, denies everything"],
)  # fmt: skip
def test_native_equals_twin_on_ends_and_denials(text: str) -> None:
    one, two = (judged(b, [text]) for b in BACKENDS.values())
    assert one.tobytes() == two.tobytes()
    assert BACKENDS["twin"].explain(text) == BACKENDS["native"].explain(text) != []


@pytest.mark.skipif("native" not in BACKENDS, reason="no compiled kernels")
def test_native_equals_twin_on_every_code_point() -> None:
    points = [chr(c) for c in [*range(0x3100), *range(0xD7F0, 0xE010), *range(0xF8F0, 0x10000),
                               *range(0x1EF00, 0x1FC00), *range(0x3100, 0x110000, 997)]]  # fmt: skip
    texts: list[str | None] = [f"soars{c}crash {c} 5{c}7%" for c in points]
    one, two = (judged(b, texts) for b in BACKENDS.values())
    assert [points[k] for k in np.flatnonzero((one != two).any(axis=1) & ~np.isnan(one[:, 0]))] == []
    assert one.tobytes() == two.tobytes()


@settings(max_examples=100, deadline=None)
@given(text=ANY | PASTED)
def test_the_score_is_the_squashed_sum_and_one_text_does_not_see_another(text: str) -> None:
    for backend in BACKENDS.values():
        alone, among = judged(backend, [text]), judged(backend, ["Bitcoin soars!", text, None])
        assert alone[0].tobytes() == among[1].tobytes()
        score, words, known, hits, truncated = alone[0]
        assert np.isnan(score) or -1.0 < score < 1.0
        assert 0 <= known <= words <= len(text)
        assert truncated == 0.0
        found = backend.explain(text)
        assert len(found) <= hits
        for begin, end, term, value, _, rules in found:
            assert 0 <= begin < end <= len(text)
            assert rules < 1 << 10
            assert term == -1 or LEXICON.values[term] == value


@every_backend
def test_a_huge_text_costs_no_more_than_its_head(backend: str) -> None:
    head = "Bitcoin crashes again and again. " * 125  # 4,125 characters
    huge = head + "bitcoin soars " * 7000
    out = judged(BACKENDS[backend], [head[:4096], huge, "x" * 100_000, "🚀" * 100_000])
    assert len(huge) > 100_000
    assert (out[1, :4] == out[0, :4]).all()
    assert out[:, 4].tolist() == [0.0, 1.0, 1.0, 1.0]
    assert np.isnan(out[2, 0])
    assert out[3, 3] == 4096


@every_backend
@pytest.mark.parametrize("bad", [b"Bitcoin soars", 3, ["a"], 1.5])
def test_what_is_no_text_is_refused_by_row(backend: str, bad: Any) -> None:
    with pytest.raises(TypeError, match=f"row 1: expected str or None, found {type(bad).__name__}"):
        judged(BACKENDS[backend], ["a", bad])


@every_backend
@pytest.mark.parametrize(
    ("texts", "kinds", "values", "message"),
    [
        (["a"], [13], [1.0], "row 0: expected a kind"),
        (["a"], [-1], [1.0], "row 0: expected a kind"),
        (["a"], [1], [float("nan")], "row 0: expected a kind"),
        (["a", ""], [1, 1], [1.0, 1.0], "row 1: expected a term"),
        (["a", "a"], [1, 1], [1.0, 1.0], "row 1: found a term that an earlier row has"),
        (["a b c d e f g"], [1], [1.0], "row 0: expected at most 6 words"),
        (["a"], [1, 1], [1.0], "expected 1"),
    ],
)
def test_a_lexicon_that_is_none_is_refused(
    backend: str, texts: list[str], kinds: list[int], values: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        type(BACKENDS[backend])(texts, kinds, values)


def test_the_public_scorer_names_rules_travels_and_refuses() -> None:
    scorer = TextScorer(*LEXICON)
    hits = scorer.explain("Bitcoin is not going to CRASH badly")
    assert [(h.rules, h.value) for h in hits if h.begin == 24] == [(("negated", "capitals"), -2.6)]
    assert set(hits[0].rules) <= set(TEXT_RULES)
    again = pickle.loads(pickle.dumps(scorer))
    texts = ["Bitcoin soars", None, "ETH plunges 🚀"]
    assert again.score(texts).tobytes() == scorer.score(tuple(texts)).tobytes()
    with pytest.raises(KernelError, match="row 0: expected str or None, found bytes; decode"):
        scorer.score([b"x"])  # type: ignore[list-item]
    with pytest.raises(KernelError, match="expected str, found bytes"):
        scorer.explain(b"x")  # type: ignore[arg-type]
    with pytest.raises(KernelError, match="row 0"):
        TextScorer([""], [1], [1.0])
