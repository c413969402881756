"""The crypto lexicon: words, phrases and signs with their kind and what they are worth.

A term's *kind* says what it does in a headline, its *value* how much. Valences lie in [-3, 3]; of a scaling word the
value is its factor. All of it was written for this project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from actors.domain.errors import InvalidParamsError
from actors.domain.sentiment.words import crypto, finance, further, grammar, idioms, moves, signs

(PLAIN, VALENCE, MOVE, BURDEN, SCALE, NEGATOR, RELIEVER, CONTRAST, CONCESSION, LINK_OF, LINK, NAME, LEVEL) = (
    range(13)
)
KINDS: Final = (
    "plain", "valence", "move", "burden", "scale", "negator", "reliever", "contrast", "concession", "link_of", "link",
    "name", "level",
)  # fmt: skip
_VOWELS = "aeiou"


class Term(NamedTuple):
    """One entry.

    Attributes
    ----------
    text : str
        Lower case; the words of a phrase are parted by one blank, hyphens count as blanks.
    kind : int
        Index into `KINDS`.
    value : float
    """

    text: str
    kind: int
    value: float


class Lexicon(NamedTuple):
    """Terms in the columns that `actors.domain.kernels.text_scorer` takes."""

    texts: tuple[str, ...]
    kinds: tuple[int, ...]
    values: tuple[float, ...]

    def extended(self, valences: Mapping[str, float]) -> Lexicon:
        """Return the lexicon with other or further valences, e.g. from configuration.

        Raises
        ------
        InvalidParamsError
            If a term is empty, not in lower case, or its valence is outside [-3, 3].

        Examples
        --------
        >>> crypto_lexicon().extended({"hopium": 1.5}).values[-1]
        1.5
        """
        for text, value in valences.items():
            if not text.strip() or text != " ".join(text.lower().split()) or not -3.0 <= value <= 3.0:
                raise InvalidParamsError(
                    "LEXICON_TERM",
                    f"sentiment.lexicon: expected a lower-case term and a valence in [-3, 3], found {text!r}: {value}",
                )
        kept = [Term(*t) for t in zip(*self, strict=True) if t[0] not in valences]
        return _columns([*kept, *(Term(t, VALENCE, float(v)) for t, v in valences.items())])


def inflected(verb: str) -> tuple[str, str, str, str]:
    """Return infinitive, third person, past and participle; a phrase inflects its first word.

    Examples
    --------
    >>> inflected("rally"), inflected("dip+"), inflected("inch up")[2]
    (('rally', 'rallies', 'rallied', 'rallying'), ('dip', 'dips', 'dipped', 'dipping'), 'inched up')
    """
    head, _, rest = verb.partition(" ")
    tail = f" {rest}" if rest else ""
    doubled = head.endswith("+")
    stem = head.rstrip("+")
    root = stem + stem[-1] if doubled else stem
    if stem.endswith("y") and stem[-2] not in _VOWELS:
        forms = (stem, stem[:-1] + "ies", stem[:-1] + "ied", stem + "ing")
    elif stem.endswith("e"):
        forms = (stem, stem + "s", stem + "d", stem[:-1] + "ing")
    else:
        third = stem + ("es" if stem.endswith(("s", "x", "z", "ch", "sh")) else "s")
        forms = (stem, third, root + "ed", root + "ing")
    return forms[0] + tail, forms[1] + tail, forms[2] + tail, forms[3] + tail


def _listed(text: str) -> list[str]:
    return [" ".join(t.split()) for t in text.split(",") if t.strip()]


def _table(kind: int, table: Mapping[float, str], *, verbs: bool = False) -> Iterator[Term]:
    for value, text in table.items():
        for entry in _listed(text):
            for form in inflected(entry) if verbs else (entry,):
                yield Term(form, kind, value)


def _words(kind: int, text: str) -> Iterator[Term]:
    yield from (Term(t, kind, 0.0) for t in _listed(text))


def entries() -> Iterator[Term]:
    """Yield every term as it stands in the tables, inflected; of a term that comes again the first counts."""
    yield from _words(PLAIN, grammar.PLAIN)
    yield from _words(PLAIN, further.PLAIN)
    yield from _table(VALENCE, idioms.VALENCES)
    yield from _table(LEVEL, idioms.LEVELS)
    yield from _table(MOVE, moves.UP_WORDS)
    yield from _table(MOVE, moves.DOWN_WORDS)
    yield from _table(BURDEN, moves.BURDENS)
    for table in (crypto.GOOD, crypto.BAD, finance.GOOD, finance.BAD, further.VALENCES):
        yield from _table(VALENCE, table)
    yield from _table(SCALE, grammar.INTENSIFIERS)
    yield from _table(SCALE, grammar.DAMPENERS)
    yield from _words(NEGATOR, grammar.NEGATORS)
    yield from _table(RELIEVER, grammar.RELIEVERS)
    yield from _words(CONTRAST, grammar.CONTRASTS)
    yield from _words(CONCESSION, grammar.CONCESSIONS)
    yield from _table(MOVE, moves.UP_VERBS, verbs=True)
    yield from _table(MOVE, moves.DOWN_VERBS, verbs=True)
    yield from _table(VALENCE, crypto.VERBS, verbs=True)
    yield from _words(NAME, grammar.NAMES)
    yield from _words(LINK_OF, grammar.LINKS_OF)
    yield from _words(LINK, grammar.LINKS)
    yield from _words(PLAIN, grammar.ENGLISH)
    yield from _words(PLAIN, further.ENGLISH)
    for table in (signs.EMOJI, signs.EMOTICONS):
        for value, text in table.items():
            yield from (Term(sign, VALENCE, value) for sign in text.split())


def _columns(terms: Iterable[Term]) -> Lexicon:
    first: dict[str, Term] = {}
    for term in terms:
        first.setdefault(term.text, term)
    texts, kinds, values = zip(*first.values(), strict=True)
    return Lexicon(texts, kinds, values)


@lru_cache(maxsize=1)
def crypto_lexicon() -> Lexicon:
    """Return the lexicon.

    Examples
    --------
    >>> len(crypto_lexicon().texts) > 1500
    True
    """
    return _columns(entries())
