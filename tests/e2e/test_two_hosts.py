"""Two machines as two network namespaces with a cable: a fan-out, a study and a stress test, equal to one process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
import two_hosts
from two_hosts import HEAD, OTHER, TwoHosts

ROOT = Path(__file__).parents[2]
REASON = two_hosts.why_not()
pytestmark = [
    pytest.mark.ray, pytest.mark.timeout(1200), pytest.mark.skipif(bool(REASON), reason=REASON or "can"),
]  # fmt: skip


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoHosts]:
    """Both hosts, up."""
    with TwoHosts(tmp_path_factory.mktemp("hosts")) as made:
        yield made


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six hundred hours of a random walk."""
    rng = np.random.default_rng(11)
    close = 100 * np.exp(np.cumsum(rng.standard_normal(600) * 0.01))
    opened = np.r_[close[:1], close[:-1]]
    path = tmp_path_factory.mktemp("bars") / "BTCUSDT_1h.parquet"
    pd.DataFrame(
        {
            "timestamp": pd.date_range("2023-01-01", periods=600, freq="1h", tz="UTC"), "open": opened,
            "high": np.maximum(opened, close) * 1.002, "low": np.minimum(opened, close) * 0.998, "close": close,
            "volume": rng.uniform(500.0, 900.0, 600),
        }
    ).to_parquet(path)  # fmt: skip
    return path


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr[-2000:]
    made: dict[str, Any] = json.loads(done.stdout)["result"]
    return made


def both(hosts: TwoHosts, folder: Path, *words: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run a verb in this process's way, alone, and over the cable from the head's host."""
    command = [sys.executable, "-m", "cluster.cli", *words, "--no-progress", "--json", "-"]
    alone = subprocess.run(
        [*command, "-j", "1", "--userdir", str(folder / "alone")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=400,
    )
    together = hosts.run(
        [*command, "-j", "2", "--address", hosts.address, "--userdir", str(folder / "together")],
        more={"PYTHONPATH": str(ROOT)},
    )
    return result_of(alone), result_of(together)


def test_work_is_done_on_both_and_comes_to_the_same(hosts: TwoHosts) -> None:
    support = ROOT / "tests" / "support"
    done = hosts.run(
        [sys.executable, str(support / "two_hosts_driver.py"), hosts.address, "400"],
        more={"PYTHONPATH": f"{support}:{ROOT}"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {"nodes": 2, "addresses": [HEAD, OTHER], "equal": True, "items": 400}


def test_nobody_joins_without_the_token(hosts: TwoHosts, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("0" * 64, encoding="utf-8")
    support = ROOT / "tests" / "support"
    done = hosts.run(
        [sys.executable, str(support / "two_hosts_driver.py"), hosts.address, "4"], host=1,
        more={"PYTHONPATH": f"{support}:{ROOT}", "RAY_AUTH_TOKEN_PATH": str(wrong)},
    )  # fmt: skip
    assert done.returncode != 0
    assert "token" in done.stderr.lower()


def test_a_study_has_the_same_trials_and_hash(hosts: TwoHosts, bars: Path, tmp_path: Path) -> None:
    alone, together = both(
        hosts, tmp_path, "hyperopt", "-s", "ma_crossover", "--data", str(bars), "-p", "BTC/USDT", "-i", "1h", "-e",
        "14", "--engine", "fleet",
    )  # fmt: skip
    assert alone["study_hash"] == together["study_hash"]
    assert alone["trials"] == together["trials"]
    assert alone["best"] == together["best"]


def test_a_stress_test_has_the_same_rows_and_hash(hosts: TwoHosts, bars: Path, tmp_path: Path) -> None:
    alone, together = both(
        hosts, tmp_path, "stress", "-s", "ma_crossover", "--data", str(bars), "-p", "BTC/USDT", "-i", "1h",
        "--timerange", "20230109-", "--only", "gap", "dies", "feed", "--no-strategies", "--no-reverse",
    )  # fmt: skip
    assert alone["checks"]["ok"]
    assert alone["result_hash"] == together["result_hash"]
    assert alone["scenarios"] == together["scenarios"]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    with TwoHosts(tmp_path) as made:
        spaces, started = made.spaces, [p.pid for p in made._started]
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    assert not [s for s in spaces if s in listed]
    assert not [pid for pid in started if psutil.pid_exists(pid)]
