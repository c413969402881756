"""``tradewind sentiment``: scores with reasons, feeds to files, bench; and a run that reads what was collected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.cli import main as cli

RSS = """<rss><channel>
<item><title>Bitcoin soars to a record high</title><pubDate>Mon, 01 Jan 2024 10:00:00 GMT</pubDate></item>
<item><title>Exchange hacked, funds stolen</title><pubDate>Mon, 01 Jan 2024 09:00:00 GMT</pubDate></item>
</channel></rss>"""


def call(
    args: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, dict[str, Any], str]:
    code = cli.main([*args, "--userdir", str(tmp_path / "ud"), "--json", "-"])
    out = capsys.readouterr()
    return code, json.loads(out.out) if out.out else {}, out.err


def test_scores_say_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    huge = "Bitcoin crashes. " * 6000
    file = tmp_path / "texts.txt"
    file.write_text("ETH not bullish\n\nEl precio sube mucho hoy\n", encoding="utf-8")
    code, doc, _ = call(
        ["sentiment", "score", "Bitcoin SOARS to a new all-time high", "🚀", huge, "--file", str(file)],
        tmp_path,
        capsys,
    )
    assert code == 0
    result = doc["result"]
    assert result["scorer"] == "lexicon"
    good, emoji, long, negated, foreign = result["texts"]
    assert good["score"] > 0.4
    assert [(t["text"], t["rules"]) for t in good["terms"]] == [
        ("SOARS", ["capitals"]),
        ("all-time high", []),
    ]
    assert emoji["coverage"] is None
    assert long["truncated"]
    assert len(long["text"]) == 200
    assert negated["score"] < 0
    assert negated["terms"][0]["rules"] == ["negated"]
    assert (foreign["score"], foreign["coverage"], foreign["reason"]) == (None, 0.0, "no known words")
    assert (doc["verb"], doc["kernel_backend"]) in {("sentiment", "native"), ("sentiment", "python")}


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["score"], 2, "expected texts or --file"),
        (["score", "--file", "/nowhere/x"], 3, "expected texts in UTF-8"),
        (["score", "a", "--set", "sentiment.scorer.kind=vader"], 2, "expected one of lexicon"),
        (["score", "a", "--set", "sentiment.scorer.params.terms={A: 1}"], 2, "expected a lower-case term"),
        (["collect", "x.rss"], 2, "expected one address or file and --out"),
        (["collect", "/nowhere/x.rss", "--out", "y.csv"], 3, "expected a file to read"),
        (["bench", "--rounds", "0"], 2, "of at least 1"),
        (["bench", "--data", "/nowhere", "--rounds", "1"], 3, "expected columns news"),
    ],
)
def test_bad_input(
    args: list[str], code: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, _, err = call(["sentiment", *args], tmp_path, capsys)
    assert (found, message in err) == (code, True), err


def test_a_feed_becomes_a_source_that_a_run_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    feed, news = tmp_path / "feed.xml", tmp_path / "news.csv"
    feed.write_text(RSS, encoding="utf-8")
    code, doc, _ = call(["sentiment", "collect", str(feed), "--out", str(news)], tmp_path, capsys)
    assert code == 0
    assert {k: doc["result"][k] for k in ("items", "first", "last")} == {
        "items": 2, "first": "2024-01-01T09:00:00Z", "last": "2024-01-01T10:00:00Z"
    }  # fmt: skip
    mood = ["--set", f"sentiment={{enabled: true, sources: [{{path: '{news}'}}]}}"]
    demo = ["demo", "--host", "local", "--bars", "560", "--no-progress"]
    code, doc, _ = call([*demo, *mood], tmp_path, capsys)
    assert code == 0
    agents = {a["name"] for a in doc["result"]["agents"]}
    assert {"sentiment", "regime-sentiment"} <= agents
    code, _, err = call([*demo, "--set", "sentiment.enabled=true"], tmp_path, capsys)
    assert code == 2
    assert "expected at least one of sentiment.sources" in err
    code, _, err = call(
        [*demo, "--set", "sentiment={enabled: true, sources: [{path: /nowhere.csv}]}"], tmp_path, capsys
    )
    assert code == 3
    assert "expected a file to read" in err


@pytest.mark.native
def test_speed_is_a_ratio_to_the_twin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, doc, _ = call(["sentiment", "bench", "--rounds", "1"], tmp_path, capsys)
    assert doc["result"]["speed"]["faster_than_twin"] > 10.0
    assert [c["name"] for c in doc["result"]["checks"]] == ["headlines_per_second"]
