"""Scorer of headlines: a lexicon and rules over words, emoji and phrases, hundreds of thousands a second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from actors.domain.errors import KernelError, KernelUnavailableError
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import backend, impl

TEXT_COLUMNS: Final = 5
TEXT_RULES: Final = (
    "scaled", "negated", "relieved", "flipped", "muted", "capitals", "conceded", "before_but", "after_but",
)  # fmt: skip
"""What the bits of a hit's rules mean, from the lowest on."""


class TextHit(NamedTuple):
    """One term that counts in a text.

    Attributes
    ----------
    begin, end : int
        Its characters are ``text[begin:end]``.
    term : int
        Row of the lexicon; -1: a signed percentage.
    value : float
        What the lexicon says it is worth.
    worth : float
        What it is worth in this text.
    rules : tuple of str
        Which of `TEXT_RULES` made the difference.
    """

    begin: int
    end: int
    term: int
    value: float
    worth: float
    rules: tuple[str, ...]


class TextScorer:
    """A lexicon laid out for scoring. Immutable; pickles as its columns.

    Parameters
    ----------
    texts : sequence of str
        Terms in lower case; words of a phrase parted by one blank, at most 6. A single sign beyond ASCII is an emoji.
    kinds : sequence of int
        0 plain, 1 valence, 2 move, 3 burden, 4 scale, 5 negator, 6 reliever, 7 contrast, 8 concession, 9 and 10 links,
        11 name, 12 level: see `actors.domain.sentiment.lexicon`.
    values : sequence of float
        Within 10.

    Raises
    ------
    KernelError
        If a row is no term.
    KernelUnavailableError
        If the compiled module is older than this kernel.

    Examples
    --------
    >>> scorer = TextScorer(["soars", "not"], [2, 5], [2.4, 0.0])
    >>> scorer.score(["Bitcoin soars", "Does not soar"])[:, 0].round(3).tolist()
    [0.375, 0.0]
    """

    def __init__(self, texts: Sequence[str], kinds: Sequence[int], values: Sequence[float]) -> None:
        made = getattr(impl(), "TextScorer", None)
        if made is None:
            raise KernelUnavailableError(
                "KERNEL_TEXT_MISSING",
                f"text scorer: expected kernels that have it, found {backend().name} ones of older sources; run "
                "`make build`",
            )
        self._columns = (list(texts), [int(k) for k in kinds], [float(v) for v in values])
        try:
            self._model: Any = made(*self._columns)
        except (ValueError, TypeError) as e:
            raise KernelError("KERNEL_TEXT_LEXICON", f"text scorer: {e}") from e

    def __reduce__(self) -> tuple[Any, ...]:
        return (TextScorer, self._columns)

    def score(self, texts: Sequence[str | None]) -> FloatArray:
        """Return score, words, known words, hits and truncated (0 or 1) of each text, shape (n, 5).

        The score lies in (-1, 1): ``s / (|s| + 4)``, s the sum of what the terms are worth. It is NaN where nothing
        is known of a text: None, no word and no sign of the lexicon, or 4 words and more of which less than a fifth
        are known (another language). Only the first 4096 characters are read.

        Raises
        ------
        KernelError
            If an element is neither str nor None.
        """
        rows = texts if type(texts) is list else list(texts)
        out = np.empty((len(rows), TEXT_COLUMNS))
        try:
            self._model.score(rows, out)
        except TypeError as e:
            raise KernelError("KERNEL_TEXT_TYPE", f"texts: {e}; decode bytes before") from e
        return out

    def explain(self, text: str) -> list[TextHit]:
        """Return the terms that count in a text, in its order.

        Raises
        ------
        KernelError
            If `text` is no str.
        """
        if not isinstance(text, str):
            raise KernelError("KERNEL_TEXT_TYPE", f"text: expected str, found {type(text).__name__}")
        return [
            TextHit(b, e, term, value, worth, tuple(n for k, n in enumerate(TEXT_RULES) if rules >> k & 1))
            for b, e, term, value, worth, rules in self._model.explain(text)
        ]
