"""What the words around a word do to its worth; the same operations in the same order as ``text_rules.rs``."""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN, NUMBER = -1, -2
(PLAIN, VALENCE, MOVE, BURDEN, SCALE, NEGATOR, RELIEVER, CONTRAST, CONCESSION, LINK_OF, LINK, NAME, LEVEL) = (
    range(13)
)
(SCALED, NEGATED, RELIEVED, FLIPPED, MUTED, CAPITALS, CONCEDED, BEFORE_BUT, AFTER_BUT, SPENT) = (
    1 << k for k in range(10)
)
REACH_NEGATOR, REACH_RELIEVER, REACH_BURDEN = 3, 4, 3


@dataclass(slots=True)
class Item:
    """A term found in a text, or a word that is none; `worth` and `rules` are filled in by `weigh`."""

    kind: int
    value: float
    clause: int
    caps: bool
    begin: int
    end: int
    term: int
    worth: float = 0.0
    rules: int = 0


def weigh(items: list[Item], *, exclamations: int, asking: bool, mixed: bool) -> tuple[float, int]:
    """Fill in what each item is worth; return the sum and the number of items that count."""
    _relieve(items)
    _turn(items)
    contrast = -1
    for at, item in enumerate(items):
        if item.kind == CONTRAST and at > 0:
            contrast = at
    total, hits, clause, conceded = 0.0, 0, -1, False
    for at, item in enumerate(items):
        if item.clause != clause:
            clause, conceded = item.clause, False
        if item.kind == CONCESSION:
            conceded = True
        if item.value == 0.0 or item.rules & SPENT or not _counts(items, at):
            continue
        v = _scaled(items, at)
        if any(items[k].kind == NEGATOR for k in _back(items, at, REACH_NEGATOR)):
            v *= -0.6
            item.rules |= NEGATED
        if item.rules & RELIEVED:
            v *= -0.7
        if item.rules & FLIPPED:
            v *= -0.8
        if item.rules & MUTED:
            v *= 0.2
        if item.caps and mixed:
            v *= 1.15
            item.rules |= CAPITALS
        if conceded:
            v *= 0.5
            item.rules |= CONCEDED
        if contrast >= 0 and at < contrast:
            v *= 0.6
            item.rules |= BEFORE_BUT
        elif contrast >= 0:
            v *= 1.3
            item.rules |= AFTER_BUT
        item.worth = v
        total += v
        hits += 1
    total *= 1.0 + 0.08 * min(exclamations, 3)
    if asking:
        total *= 0.4
    return total, hits


def _counts(items: list[Item], at: int) -> bool:
    """Tell whether an item has a worth: a level has one where a figure follows it in its clause."""
    item = items[at]
    if item.kind == LEVEL:
        return at + 1 < len(items) and items[at + 1].kind == NUMBER and items[at + 1].clause == item.clause
    return item.kind in (VALENCE, MOVE, BURDEN, RELIEVER)


def _back(items: list[Item], at: int, reach: int) -> range:
    """Return the places before an item in its clause, nearest first."""
    last = at
    while last > 0 and at - last < reach and items[last - 1].clause == items[at].clause:
        last -= 1
    return range(at - 1, last - 1, -1)


def _relieve(items: list[Item]) -> None:
    """Let each word of relief turn what it ends or refuses: the next thing, or in the passive the one before."""
    for at, item in enumerate(items):
        if item.kind != RELIEVER:
            continue
        found = -1
        for k in range(at + 1, min(at + 1 + REACH_RELIEVER, len(items))):
            if items[k].clause != item.clause:
                break
            if items[k].kind in (VALENCE, MOVE, BURDEN) and items[k].value != 0.0:
                found = k
                break
        if found < 0:
            for k in _back(items, at, 2):
                if items[k].kind in (VALENCE, MOVE, BURDEN) and items[k].value != 0.0:
                    found = k
                if items[k].kind not in (LINK, LINK_OF):
                    break
        if found < 0:
            continue
        other = items[found]
        if (other.value < 0.0 or item.value <= 0.0) and not other.rules & RELIEVED:
            other.rules |= RELIEVED
            item.rules |= SPENT


def _turn(items: list[Item]) -> None:
    """A burden that falls is good news: the move changes its sign, the burden itself hardly counts."""
    for at, item in enumerate(items):
        if item.kind != MOVE:
            continue
        found = -1
        for k in _back(items, at, REACH_BURDEN):
            if items[k].kind == BURDEN:
                found = k
            if items[k].kind not in (NUMBER, SCALE, LINK_OF, LINK):
                break
        if found < 0:
            for k in range(at + 1, min(at + 3, len(items))):
                if items[k].clause != item.clause:
                    break
                if items[k].kind == BURDEN:
                    found = k
                if items[k].kind != LINK_OF:
                    break
        if found >= 0 and not items[found].rules & RELIEVED:
            item.rules |= FLIPPED
            items[found].rules |= MUTED


def _scaled(items: list[Item], at: int) -> float:
    """Return the value times the nearest scaling word: one of the two before it, or the one behind a move."""
    item = items[at]
    for k in _back(items, at, 2):
        if items[k].kind == SCALE:
            item.rules |= SCALED
            factor = items[k].value if k == at - 1 else 1.0 + (items[k].value - 1.0) * 0.7
            return item.value * factor
    if item.kind == MOVE and at + 1 < len(items):
        after = items[at + 1]
        if after.clause == item.clause and after.kind == SCALE:
            item.rules |= SCALED
            return item.value * after.value
    return item.value
