"""Characters to tokens, by code point alone: no Unicode tables, so both backends agree on any text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LIMIT = 4096
"""Characters of a text that are read; what comes after is cut off and the text marked as truncated."""

SPACE, LETTER, DIGIT, BREAK, QUOTE, DASH, GAP = range(7)
ASKING = frozenset(
    "how what why who where when which is are will can could does do did should has have would".split()  # noqa: SIM905
)
"""A text that begins with one of these asks, whether or not it ends with a question mark."""
_ASCII_BREAKS = frozenset(".,;:!?()|\n")


def class_of(char: str) -> int:
    """Return the class of a character: blank, letter, digit, end of a clause, apostrophe, hyphen, or a mere gap."""
    c = ord(char)
    if c < 128:
        if char.isalpha():
            return LETTER
        if char.isdigit():
            return DIGIT
        if char in _ASCII_BREAKS:
            return BREAK
        if char in " \t\r\x0b\x0c":
            return SPACE
        return QUOTE if char == "'" else DASH if char == "-" else GAP
    if c in (0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000) or 0x2000 <= c <= 0x200A:
        return SPACE
    if c in (0x2018, 0x2019, 0x02BC, 0xFF07):
        return QUOTE
    if c in (0x2010, 0x2011, 0x2212):
        return DASH
    if 0x2012 <= c <= 0x2015 or c == 0x2026 or 0x3001 <= c <= 0x303F:
        return BREAK
    if 0xFF01 <= c <= 0xFF0F or 0xFF1A <= c <= 0xFF20 or 0xFF3B <= c <= 0xFF40 or 0xFF5B <= c <= 0xFF65:
        return BREAK
    if 0x80 <= c <= 0xBF:
        return LETTER if c in (0xAA, 0xB5, 0xBA) else GAP
    if c in (0xD7, 0xF7) or 0x2000 <= c <= 0x2BFF or 0xD800 <= c <= 0xF8FF or 0xFE00 <= c <= 0xFE0F:
        return GAP
    return GAP if 0xFFF0 <= c <= 0xFFFF or 0x1F000 <= c <= 0x1FAFF or c >= 0xE0000 else LETTER


@dataclass(slots=True)
class Token:
    """A word, a number or a sign. `term` ≥ 0: the lexicon's row of a sign; -1: a signed percent of worth `value`."""

    form: str
    text: str
    begin: int
    end: int
    clause: int
    caps: bool = False
    term: int = -2
    value: float = 0.0


@dataclass(slots=True)
class Read:
    """Tokens of a text and what its punctuation says."""

    tokens: list[Token]
    exclamations: int = 0
    asking: bool = False
    mixed: bool = False


def _lower(char: str) -> str:
    return char.lower() if char.isascii() else "'" if class_of(char) == QUOTE else char


def tokens_of(text: str, signs: Mapping[str, int], smileys: Sequence[tuple[str, int]]) -> Read:
    """Return the tokens of a text."""
    out = Read([])
    n, i, clause = len(text), 0, 0
    classes = [class_of(c) for c in text]
    while i < n:
        char, kind = text[i], classes[i]
        alone = i == 0 or classes[i - 1] == SPACE  # something may begin here
        if char in signs:
            out.tokens.append(Token("sign", char, i, i + 1, clause, term=signs[char]))
            i += 1
            continue
        if alone and kind != SPACE:
            took = _address(text, classes, i)
            if took:
                i += took
                continue
            smiley = _smiley(text, classes, i, smileys)
            if smiley is not None:
                length, term = smiley
                out.tokens.append(Token("sign", text[i : i + length], i, i + length, clause, term=term))
                i += length
                continue
        if kind == LETTER:
            i = _word(text, classes, i, clause, out)
        elif kind == DIGIT:
            i = _number(text, classes, i, clause, out)
        elif kind == BREAK:
            if _inside(classes, i, char):
                i += 1
                continue
            if char == "!":
                out.exclamations += 1
            if char not in "()|\n":
                out.asking = char == "?"
            clause += 1
            i += 1
        elif kind == DASH and alone and (i + 1 == n or classes[i + 1] == SPACE):
            clause += 1  # a dash between blanks parts clauses
            i += 1
        else:
            i += 1
    if out.tokens and out.tokens[0].form == "word" and out.tokens[0].text in ASKING:
        out.asking = True
    return out


def _inside(classes: list[int], i: int, char: str) -> bool:
    """Tell whether a full stop stands inside a name such as crypto.com."""
    return (
        char == "."
        and 0 < i < len(classes) - 1
        and classes[i - 1] in (LETTER, DIGIT)
        and classes[i + 1] == LETTER
    )


def _address(text: str, classes: list[int], i: int) -> int:
    """Return the length of a link, a mention or a cashtag that begins here; 0 if there is none."""
    n = len(text)
    char = text[i]
    if char in "hHwW":
        head = "".join([_lower(c) for c in text[i : i + 8]])
        if head.startswith(("http://", "https://", "www.")):
            j = i
            while j < n and classes[j] != SPACE and text[j] != "\n":
                j += 1
            return j - i
    elif char in "@$" and i + 1 < n and (classes[i + 1] == LETTER or text[i + 1] == "_"):
        j = i + 1
        while j < n and (classes[j] in (LETTER, DIGIT) or text[j] == "_"):
            j += 1
        return j - i
    return 0


def _smiley(
    text: str, classes: list[int], i: int, smileys: Sequence[tuple[str, int]]
) -> tuple[int, int] | None:
    """Return length and term of an emoticon that stands alone here."""
    if text[i].isascii() and not (text[i].isalnum() and text[i] != "D"):
        for sign, term in smileys:
            end = i + len(sign)
            if text.startswith(sign, i) and (end == len(text) or classes[end] == SPACE or text[end] == "\n"):
                return len(sign), term
    return None


def _word(text: str, classes: list[int], i: int, clause: int, out: Read) -> int:
    j, upper, small = i, 0, False
    while j < len(text):
        c = classes[j]
        if c == QUOTE:
            if j + 1 == len(text) or classes[j + 1] != LETTER:
                break
        elif c not in (LETTER, DIGIT):
            break
        if "A" <= text[j] <= "Z":
            upper += 1
        elif "a" <= text[j] <= "z":
            small = True
        j += 1
    out.mixed |= small
    word = "".join([_lower(c) for c in text[i:j]])
    out.tokens.append(Token("word", word, i, j, clause, caps=upper >= 2 and not small))
    return j


def _number(text: str, classes: list[int], i: int, clause: int, out: Read) -> int:
    n, j = len(text), i
    while j < n and (
        classes[j] in (DIGIT, LETTER)
        or (text[j] in ".," and j + 1 < n and classes[j + 1] == DIGIT and classes[j - 1] == DIGIT)
    ):
        j += 1
    percent = j < n and text[j] == "%"
    sign = 0.0
    if percent and i > 0 and (i == 1 or (classes[i - 2] != LETTER and classes[i - 2] != DIGIT)):
        sign = 1.2 if text[i - 1] == "+" else -1.2 if classes[i - 1] == DASH else 0.0
    end = j + 1 if percent else j
    if sign:
        out.tokens.append(Token("sign", text[i:j], i - 1, end, clause, term=-1, value=sign))
    else:
        number = "".join([_lower(c) for c in text[i:j]])
        out.tokens.append(Token("number", number, i, end, clause))
    return end
