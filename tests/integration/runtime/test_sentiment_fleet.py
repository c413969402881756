"""A fleet that reads news and the fear-and-greed index decides alike in one process and on Ray."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

import pytest
import small

from actors.adapters.feeds.files import load_bars
from actors.adapters.sentiment.times import parse_time
from actors.domain.events.regime import RegimeAssessed
from actors.domain.events.sentiment import SentimentScored
from actors.domain.model.bars import BarFrame
from actors.runtime.local import LocalHost
from cluster.runs.execute import open_run, run_local, run_ray
from cluster.runs.plan import RunPlan

PAIR = "BTC/USDT"
LEAN = [
    "regime.detectors=[{kind: trend}, {kind: volatility}]", "regime.ensemble={}",
    "learning.predictors=[{kind: online, params: {}}]", "features.indicators=[]",
    "strategies=[{kind: regime_aware}, {kind: macd}]",
]  # fmt: skip


def market(shared: Path) -> dict[str, BarFrame]:
    whole = load_bars(shared / "ohlcv/binance_spot/BTCUSDT_1h.parquet", PAIR, "1h")
    begin = int(whole.open_ns.searchsorted(1_654_041_600_000_000_000))  # June 2022
    return {PAIR: whole.slice_time(int(whole.open_ns[begin]), int(whole.open_ns[begin + 500]))}


def sources(shared: Path, *, news: Path | None = None) -> str:
    headlines = news or shared / "sentiment/bitcoin_news_scored_2021_2023.csv.gz"
    return (
        "sentiment={enabled: true, detector: {min_history_bars: 50}, sources: ["
        f"{{path: '{headlines}', kind: news, columns: {{text: Short Description, score: ''}}}}, "
        f"{{path: '{shared}/sentiment/fear_greed_2018_2023.csv.gz', kind: index}}]}}"
    )


def said(plan: RunPlan) -> dict[str, list[Any]]:
    heard: dict[str, list[Any]] = {"sentiment": [], "regime-sentiment": [], "regime-ensemble": []}

    host = LocalHost(plan.graph, plan.settings)
    for piece in plan.feed:
        for name, events in host.step(piece):
            if name in heard:
                heard[name] += events
    return heard


@pytest.mark.shared_data
@pytest.mark.ray
@pytest.mark.timeout(300)
def test_both_hosts_decide_alike_and_the_news_matter(
    shared_data: Path, ray_for_tests: None, tmp_path: Path
) -> None:
    bars = market(shared_data)

    def plan(name: str, *sets: str, **more: Any) -> RunPlan:
        return small.plan(tmp_path / name, market=bars, sets=[*LEAN, *sets], **more)

    mood = sources(shared_data)
    local = run_local(plan("local", mood))
    assert local.recorder.record.counts["fills"] > 5
    fleet = plan("ray", mood, journal=True, run_id="mood")
    open_run(fleet, {})
    assert run_ray(fleet).recorder.log.digest() == local.recorder.log.digest()
    without = run_local(plan("without"))
    assert without.recorder.log.digest() != local.recorder.log.digest(), (
        "news that change nothing are not heard"
    )
    hashes = {plan("a", mood).data_hash, plan("b").data_hash}
    assert len(hashes) == 2


@pytest.mark.shared_data
def test_news_after_a_moment_change_nothing_before_it(shared_data: Path, tmp_path: Path) -> None:
    bars = market(shared_data)
    cut = 300
    closes = bars[PAIR].close_ns
    path = shared_data / "sentiment/bitcoin_news_scored_2021_2023.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    changed = tmp_path / "news.csv"
    with changed.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        for row in rows:
            late = parse_time(row["Date"]) > int(closes[cut])
            writer.writerow(
                row | ({"Short Description": "Everything crashes, panic everywhere"} if late else {})
            )

    def views(name: str, news: Path | None) -> dict[str, list[Any]]:
        return said(small.plan(tmp_path / name, market=bars, sets=[*LEAN, sources(shared_data, news=news)]))

    one, two = views("one", None), views("two", changed)
    readings = one["sentiment"]
    assert len(readings) == 500
    assert all(type(e) is SentimentScored for e in readings)
    assert sum(e.items for e in readings) > 150
    assert repr(readings[: cut + 1]) == repr(two["sentiment"][: cut + 1])
    assert repr(readings[cut + 1 :]) != repr(two["sentiment"][cut + 1 :])
    mood, other = one["regime-sentiment"], two["regime-sentiment"]
    assert all(type(e) is RegimeAssessed for e in mood)
    assert repr(mood[: cut + 1]) == repr(other[: cut + 1])
    assert mood[cut + 1 :] != other[cut + 1 :]
    assert len({e.native_label for e in mood}) >= 3
