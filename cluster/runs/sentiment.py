"""The configured sources of sentiment as inputs of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from actors.adapters.sentiment.collectors import FileCollector
from actors.adapters.sentiment.port import Layout
from actors.domain.events.sentiment import HeadlinePublished
from actors.runtime.graph import FEED
from config.schema import Sentiment, SentimentSource


def headlines(sentiment: Sentiment) -> tuple[list[HeadlinePublished], list[str], list[str]]:
    """Return what the sources published, lines that name them for the run's data hash, and notes; nothing if off.

    Raises
    ------
    DataError
        If a source cannot be read.
    """
    events: list[HeadlinePublished] = []
    hashes: list[str] = []
    notes: list[str] = []
    for source in sentiment.sources if sentiment.enabled else ():
        found = FileCollector(
            Path(source.path).expanduser(),
            source.kind,
            Layout({str(k): v for k, v in source.columns.items()}, source.day_first),
        ).collect()
        name = source.name or Path(source.path).name
        events += [
            HeadlinePublished(
                ts_event_ns=item.published_ns, source=FEED, published_ns=item.published_ns, outlet=name,
                kind=source.kind, text=item.text, score=item.score, weight=source.weight,
            )
            for item in found.items
        ]  # fmt: skip
        hashes.append(f"sentiment:{source.kind}:{found.digest}")
        notes += [f"SENTIMENT: {note}" for note in found.notes]
    return events, hashes, notes


def unused(sources: Sequence[SentimentSource], told: int, known: int) -> list[str]:
    """Return a note where nothing, or only a part, of what the sources hold lies in the range of the run."""
    if not sources or told == known:
        return []
    return [
        f"SENTIMENT: {told} of {known} items lie in the range of the run"
        + ("" if told else ": the sentiment detector stays silent")
    ]
