"""The configured sources of sentiment as inputs of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from actors.adapters.sentiment.collectors import FileCollector
from actors.adapters.sentiment.port import Layout
from actors.domain.events.sentiment import HeadlinePublished
from actors.runtime.graph import FEED
from config.schema import Sentiment, SentimentSource


def headlines(sentiment: Sentiment) -> tuple[list[HeadlinePublished], list[str], list[str]]:
    """Return what the sources published, lines that name them for the run's data hash, and notes; nothing if off.

    A file is parsed once per process as long as it does not change.

    Raises
    ------
    DataError
        If a source cannot be read.
    """
    events: list[HeadlinePublished] = []
    hashes: list[str] = []
    notes: list[str] = []
    for source in sentiment.sources if sentiment.enabled else ():
        found = _known(source)
        events += found.events
        hashes.append(f"sentiment:{source.kind}:{found.digest}")
        notes += [f"SENTIMENT: {note}" for note in found.notes]
    return events, hashes, notes


class _Read(NamedTuple):
    """A source that was read; events do not change, so runs share them."""

    events: tuple[HeadlinePublished, ...]
    digest: str
    notes: tuple[str, ...]


_KEPT = 8
"""Sources that a process remembers: a search plans a run per trial, over the same few files."""
_READ: dict[tuple[str, int, int, int], _Read] = {}


def _known(source: SentimentSource) -> _Read:
    """Return a source as it was read before, unless its file is another one by now."""
    path = Path(source.path).expanduser()
    try:
        now = path.stat()
    except OSError:
        return _read(source, path)  # says what is wrong
    key = (source.model_dump_json(), now.st_mtime_ns, now.st_size, now.st_ino)
    if key not in _READ:
        found = _read(source, path)
        for old in list(_READ)[: max(0, len(_READ) - _KEPT + 1)]:
            del _READ[old]
        _READ[key] = found
    return _READ[key]


def _read(source: SentimentSource, path: Path) -> _Read:
    layout = Layout({str(k): v for k, v in source.columns.items()}, source.day_first)
    found = FileCollector(path, source.kind, layout).collect()
    name = source.name or path.name
    events = tuple(
        HeadlinePublished(
            ts_event_ns=item.published_ns, source=FEED, published_ns=item.published_ns, outlet=name,
            kind=source.kind, text=item.text, score=item.score, weight=source.weight,
        )
        for item in found.items
    )  # fmt: skip
    return _Read(events, found.digest, tuple(found.notes))


def unused(sources: Sequence[SentimentSource], told: int, known: int) -> list[str]:
    """Return a note where nothing, or only a part, of what the sources hold lies in the range of the run."""
    if not sources or told == known:
        return []
    return [
        f"SENTIMENT: {told} of {known} items lie in the range of the run"
        + ("" if told else ": the sentiment detector stays silent")
    ]
