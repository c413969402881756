"""A driver killed in the middle of a run on Ray: nobody is left behind, and a resume ends as if nothing had been."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import small

from actors.adapters.journal import JournalReader, verify
from cluster.runs.chaos import submitted_ids

ROOT = Path(__file__).parents[2]


def tradewind(*words: str) -> list[str]:
    return [sys.executable, "-m", "cluster.cli", *words, "--no-progress"]


def result(words: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        [*words, "--json", "-"], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)["result"]
    return found


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_a_killed_driver_leaves_nobody_and_loses_nothing(tmp_path: Path) -> None:
    frame = next(iter(small.frames(460).values()))
    table = pd.DataFrame({c: getattr(frame, c) for c in ("open", "high", "low", "close", "volume")})
    table.insert(0, "timestamp", frame.open_ns)
    data = tmp_path / "BTCUSDT_1h.parquet"
    table.to_parquet(data)
    replay = ["trade", "--replay", "--data", str(data), "-p", "BTC/USDT", "-i", "1h", "--timerange", "20240108-",
              "--set", "runtime.snapshot_every_steps=64"]  # fmt: skip
    killed = tmp_path / "killed"
    driver = subprocess.Popen(
        tradewind(*replay, "--host", "ray", "--userdir", str(killed)), cwd=ROOT, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    end = time.monotonic() + 240
    while len(list(killed.glob("journal/*/snapshots/*/recorder.snap"))) < 2:
        assert driver.poll() is None, "ended before its second snapshot was seen"
        assert time.monotonic() < end
        time.sleep(0.02)
    children = psutil.Process(driver.pid).children(recursive=True)
    assert len(children) > 20
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    _, alive = psutil.wait_procs(children, timeout=150)
    assert alive == []

    resumed = result(tradewind("trade", "--resume", "--userdir", str(killed)))
    whole = result(tradewind(*replay, "--host", "local", "--userdir", str(tmp_path / "whole")))
    assert resumed["orders"] > 0
    for key in ("decision_hash", "orders", "fills", "trade_count", "positions", "metrics"):
        assert resumed[key] == whole[key], key
    run_id = Path(resumed["journal"]).name
    with JournalReader(f"sqlite:///{resumed['journal']}/journal.sqlite", run_id) as journal:
        assert verify(journal) == []
        ids = [i.client_order_id for i in journal.intents() if i.kind == "submit"]
        lines = (Path(resumed["journal"]) / "decisions.jsonl").read_text(encoding="utf-8").splitlines()
        assert sorted(ids) == sorted(submitted_ids(lines))
        assert journal.last_step() == 459
