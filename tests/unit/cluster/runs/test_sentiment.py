"""Sources of sentiment as inputs of runs: parsed once for the many plans of a search, anew when the file changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from actors.adapters.sentiment.collectors import FileCollector
from actors.domain.errors import DataError
from cluster.runs import sentiment as runs
from cluster.runs.sentiment import headlines
from config.schema import Sentiment, SentimentSource

ROWS = "date,title,score\n2021-02-01 10:00:00,Up we go,0.5\n2021-02-01 09:00:00,Down,\n"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were parsed, one entry each time."""
    seen: list[Path] = []
    real = FileCollector.collect
    monkeypatch.setattr(runs, "_READ", {})

    def collect(self: FileCollector) -> object:
        seen.append(self.path)
        return real(self)

    monkeypatch.setattr(FileCollector, "collect", collect)
    return seen


def section(*paths: Path, **more: object) -> Sentiment:
    return Sentiment(enabled=True, sources=tuple(SentimentSource(path=str(p), **more) for p in paths))  # type: ignore[arg-type]


def test_many_plans_parse_a_source_once(tmp_path: Path, parsed: list[Path]) -> None:
    path = tmp_path / "news.csv"
    path.write_text(ROWS)
    first = headlines(section(path))
    assert [(e.text, e.score, e.outlet, e.weight) for e in first[0]] == [
        ("Down", None, "news.csv", 1.0), ("Up we go", 0.5, "news.csv", 1.0)
    ]  # fmt: skip
    first[0].clear()  # what a plan does with its list is its own affair
    for _ in range(3):
        assert len(headlines(section(path))[0]) == 2
    assert parsed == [path]
    assert headlines(Sentiment()) == ([], [], [])


def test_another_file_or_another_reading_of_it_is_parsed(tmp_path: Path, parsed: list[Path]) -> None:
    path = tmp_path / "news.csv"
    path.write_text(ROWS)
    before = headlines(section(path))
    assert [e.weight for e in headlines(section(path, weight=2.0))[0]] == [2.0, 2.0]
    assert [e.score for e in headlines(section(path, columns={"score": ""}))[0]] == [None, None]
    assert len(parsed) == 3
    os.utime(path, ns=(1, 1))
    path.write_text(ROWS.replace("Down", "Up"))
    after = headlines(section(path))
    assert [e.text for e in after[0]] == ["Up", "Up we go"]
    assert after[1] != before[1]
    path.unlink()
    with pytest.raises(DataError, match="expected a file to read"):
        headlines(section(path))


def test_few_sources_are_kept(tmp_path: Path, parsed: list[Path]) -> None:
    paths = [tmp_path / f"{i}.csv" for i in range(12)]
    for path in paths:
        path.write_text(ROWS)
    headlines(section(*paths))
    assert len(runs._READ) == 8
    headlines(section(*paths[4:]))
    assert len(parsed) == 12
