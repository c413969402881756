"""The same news twice: exact and near copies of recent texts are known by their shingles."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from typing import Any, ClassVar

from actors.domain.state import Stateful

_WORD = re.compile(r"[^\W_]+")
_READ = 4096
MOST_TEXTS = 4096
"""Texts that are remembered at most; a flood forgets the oldest first."""


def shingles(text: str) -> tuple[int, ...]:
    """Return the sorted hashes of a text's three-word shingles; case and punctuation do not matter.

    Examples
    --------
    >>> shingles("Bitcoin soars, again!") == shingles("bitcoin SOARS again")
    True
    """
    words = _WORD.findall(text[:_READ].lower())
    if not words:
        return ()
    parts = [" ".join(words[k : k + 3]) for k in range(max(1, len(words) - 2))]
    return tuple(sorted({int.from_bytes(hashlib.blake2b(p.encode(), digest_size=7).digest()) for p in parts}))


class Duplicates(Stateful):
    """Remembers the texts of a window of time.

    Parameters
    ----------
    window_ns : int
        How long a text is remembered.
    alike_frac : float
        Jaccard similarity of shingles from which on two texts are the same, in (0, 1].

    Examples
    --------
    >>> d = Duplicates(window_ns=10, alike_frac=0.6)
    >>> d.seen("Bitcoin soars to a new record high", 0), d.seen("BITCOIN SOARS to a new record high!", 3)
    (False, True)
    >>> d.seen("Bitcoin soars to a new record high", 20)
    False
    """

    STATE: ClassVar[tuple[str, ...]] = ("_kept",)

    def __init__(self, *, window_ns: int, alike_frac: float) -> None:
        self._window, self._alike = window_ns, alike_frac
        self._kept: deque[tuple[int, tuple[int, ...]]] = deque()
        self._first = 0  # number of the oldest kept text
        self._index: dict[int, list[int]] = {}  # shingle → numbers of kept texts, rising

    def seen(self, text: str, now_ns: int) -> bool:
        """Tell whether a text repeats one of the window; if not, remember it. A text without words repeats none."""
        while self._kept and (now_ns - self._kept[0][0] > self._window or len(self._kept) >= MOST_TEXTS):
            self._forget()
        marks = shingles(text)
        if not marks:
            return False
        shared: dict[int, int] = {}
        for mark in marks:
            for number in self._index.get(mark, ()):
                shared[number] = shared.get(number, 0) + 1
        for number, common in shared.items():
            size = len(self._kept[number - self._first][1])
            if common >= self._alike * (len(marks) + size - common):
                return True
        self._remember(now_ns, marks)
        return False

    def _remember(self, now_ns: int, marks: tuple[int, ...]) -> None:
        number = self._first + len(self._kept)
        self._kept.append((now_ns, marks))
        for mark in marks:
            self._index.setdefault(mark, []).append(number)

    def _forget(self) -> None:
        _, marks = self._kept.popleft()
        for mark in marks:
            numbers = self._index[mark]
            numbers.pop(0)  # numbers rise, so the oldest text's stands first
            if not numbers:
                del self._index[mark]
        self._first += 1

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore the texts and rebuild the index over them."""
        super().load_state(tree)
        kept, self._kept, self._index, self._first = self._kept, deque(), {}, 0
        for now_ns, marks in kept:
            self._remember(now_ns, tuple(marks))
