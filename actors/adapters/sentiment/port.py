"""The port of collectors: whatever the source, raw items come out, each with the time from which it was known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

KINDS: Final = ("news", "social", "index")
MAX_BYTES: Final = 64 * 1024 * 1024
"""Of one document; a larger one is refused before it is read."""
MAX_ITEMS: Final = 2_000_000
MAX_TEXT: Final = 4096
"""Characters of one text that are kept: the scorer reads no more."""


class RawItem(NamedTuple):
    """One text or index value.

    Attributes
    ----------
    published_ns : int
        From when on it was known: the later of its publication and of when it was first seen, ns UTC.
    text : str
        Empty for an index value.
    score : float or None
        In [-1, 1] where the source has one.
    """

    published_ns: int
    text: str
    score: float | None = None


@dataclass(frozen=True)
class Layout:
    """Which columns hold what, where their names do not say it; and how days are written."""

    columns: dict[str, str] = field(default_factory=dict)
    day_first: bool = False


@dataclass(frozen=True)
class Collected:
    """What a source gave.

    Attributes
    ----------
    items : tuple of RawItem
        By time.
    digest : str
        SHA-256 of the bytes that were read.
    notes : tuple of str
        What was left out, for the person to see.
    """

    items: tuple[RawItem, ...]
    digest: str
    notes: tuple[str, ...] = ()


class Collector(Protocol):
    """A source of items."""

    @property
    def kind(self) -> str:
        """``news``, ``social`` or ``index``."""

    def collect(self) -> Collected:
        """Return all items that the source has now.

        Raises
        ------
        DataError
            If the document cannot be had or is not what it should be.
        """


def ordered(items: Sequence[RawItem]) -> tuple[RawItem, ...]:
    """Return the items by time; those of one moment keep the order of the document."""
    return tuple(sorted(items, key=lambda item: item.published_ns))
