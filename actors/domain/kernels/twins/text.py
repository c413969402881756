"""Twin of the headline scorer (see ``text.rs``): characters to tokens, tokens to items, items to a score."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np
from numpy.typing import NDArray

from actors.domain.kernels.twins._text_rules import Item, weigh
from actors.domain.kernels.twins._text_tokens import LIMIT, Token, tokens_of

MAX_PHRASE = 6


class TextScorer:
    """A lexicon laid out for scoring: words to numbers, phrases to a tree of numbers. Immutable."""

    __slots__ = ("_ends", "_kinds", "_longest", "_signs", "_smileys", "_steps", "_values", "_words")

    def __init__(self, texts: Sequence[str], kinds: Sequence[int], values: Sequence[float], /) -> None:
        if not len(texts) == len(kinds) == len(values):
            raise ValueError(
                f"expected {len(texts)} texts, kinds and values, found {len(kinds)} and {len(values)}"
            )
        self._kinds, self._values = list(kinds), [float(v) for v in values]
        self._words: dict[str, int] = {}
        self._signs: dict[str, int] = {}
        self._smileys: list[tuple[str, int]] = []
        self._steps: dict[tuple[int, int], int] = {}
        self._ends: list[int] = [-1]  # of a node of the tree: the term that ends there
        for at, (text, kind, value) in enumerate(zip(texts, kinds, values, strict=True)):
            if not 0 <= kind < 13 or not abs(value) <= 10.0:
                raise ValueError(
                    f"row {at}: expected a kind from 0 to 12 and a value within 10, found {kind}, {value}"
                )
            if not text:
                raise ValueError(f"row {at}: expected a term, found an empty text")
            if len(text) == 1 and ord(text) > 127:
                self._signs[text] = at
            elif not any(c.isascii() and c.isalnum() for c in text) or text in (":D", ":-D", "D:"):
                self._smileys.append((text, at))
            else:
                self._phrase(text, at)
        self._smileys.sort(key=lambda s: (-len(s[0]), s[1]))

    def _phrase(self, text: str, at: int) -> None:
        node = 0
        parts = text.split(" ")
        if len(parts) > MAX_PHRASE:
            raise ValueError(f"row {at}: expected at most {MAX_PHRASE} words, found {len(parts)}")
        for part in parts:
            word = self._words.setdefault(part, len(self._words))
            found = self._steps.get((node, word))
            if found is None:
                found = self._steps[node, word] = len(self._ends)
                self._ends.append(-1)
            node = found
        if self._ends[node] >= 0:
            raise ValueError(f"row {at}: found a term that an earlier row has")
        self._ends[node] = at

    def score(self, texts: Sequence[str | None], out: NDArray[np.float64], /) -> None:
        """Write score, words, known words, hits and truncated (0 or 1) of each text into `out`, shape (n, 5)."""
        if out.shape != (len(texts), 5):
            raise ValueError(f"expected an output of {len(texts)} rows and 5 columns")
        for row, text in enumerate(texts):
            if text is None:
                out[row] = (nan, 0.0, 0.0, 0.0, 0.0)
                continue
            if not isinstance(text, str):
                raise TypeError(f"row {row}: expected str or None, found {type(text).__name__}")
            out[row] = self._judge(text)[0]

    def explain(self, text: str, /) -> list[tuple[int, int, int, float, float, int]]:
        """Return ``(begin, end, term, value, contribution, rules)`` of each term that counts."""
        return [
            (i.begin, i.end, i.term, i.value, i.worth, i.rules)
            for i in self._judge(text)[1]
            if i.worth != 0.0
        ]

    def _judge(self, text: str) -> tuple[tuple[float, float, float, float, float], list[Item]]:
        read = tokens_of(text[:LIMIT], self._signs, self._smileys)
        items, words, known = self._items(read.tokens)
        total, hits = weigh(items, exclamations=read.exclamations, asking=read.asking, mixed=read.mixed)
        # a text in which next to nothing is known says nothing: 3 in 10 words, of 4 or more
        strange = (words >= 4 and known * 5 < words) or (known == 0 and hits == 0)
        score = nan if strange else total / (abs(total) + 4.0)
        return (score, float(words), float(known), float(hits), float(len(text) > LIMIT)), items

    def _items(self, tokens: list[Token]) -> tuple[list[Item], int, int]:
        items: list[Item] = []
        words = known = 0
        ids = [self._id(t) for t in tokens]
        at, n = 0, len(tokens)
        while at < n:
            token = tokens[at]
            if token.term >= -1 and token.form != "word":  # a sign, a smiley or a signed percent
                kind = self._kinds[token.term] if token.term >= 0 else 1
                value = self._values[token.term] if token.term >= 0 else token.value
                items.append(Item(kind, value, token.clause, False, token.begin, token.end, token.term))
                at += 1
                continue
            term, taken = self._longest_match(tokens, ids, at)
            last = tokens[at + taken - 1]
            if term < 0:
                items.append(Item(-2 if token.form == "number" else -1, 0.0, token.clause, False, token.begin,
                                  last.end, -1))  # fmt: skip
                words += token.form == "word"
            else:
                kind = self._kinds[term]
                items.append(
                    Item(kind, self._values[term], token.clause, token.caps, token.begin, last.end, term)
                )
                if kind != 11:
                    count = sum(t.form == "word" for t in tokens[at : at + taken])
                    words += count
                    known += count
            at += taken
        return items, words, known

    def _id(self, token: Token) -> int:
        if token.form == "sign":
            return -1
        found = self._words.get(token.text)
        if found is None and token.text.endswith("'s"):
            found = self._words.get(token.text[:-2])
        return -1 if found is None else found

    def _longest_match(self, tokens: list[Token], ids: list[int], at: int) -> tuple[int, int]:
        node, term, taken = 0, -1, 1
        for k in range(at, min(at + MAX_PHRASE, len(tokens))):
            if ids[k] < 0 or tokens[k].clause != tokens[at].clause:
                break
            found = self._steps.get((node, ids[k]))
            if found is None:
                break
            node = found
            if self._ends[node] >= 0:
                term, taken = self._ends[node], k - at + 1
        return term, taken
