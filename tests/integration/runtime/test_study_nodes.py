"""One study by the verb: in one process, and through kills of workers, of the driver, and of one node of three."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.bench import studies

pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]
EPOCHS = 30


def words(folder: Path, bars: int) -> list[str]:
    """Flags of a small study over synthetic bars."""
    frame = next(iter(generate(SyntheticParams(n_bars=bars), 5).frames.values()))
    columns = [frame.open_ns // 10**9, frame.open, frame.high, frame.low, frame.close, frame.volume]
    rows = [",".join(map(repr, row)) for row in zip(*(np.asarray(c).tolist() for c in columns), strict=True)]
    path = folder / "BTCUSDT_1h.csv"
    path.write_text("timestamp,open,high,low,close,volume\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return [
        "-s", "ma_crossover", "--data", str(path), "-p", "BTC/USDT", "-i", "1h", "-e", str(EPOCHS),
        "--pruner", "median", "--slices", "3",
    ]  # fmt: skip


def test_a_study_is_the_same_wherever_it_runs_and_whatever_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    ways = ("one-worker", "workers-killed", "driver-killed", "node-killed")
    found = studies.run(words(tmp_path, 2000), tmp_path / "ud", kills=2, seed=3, only=ways)
    rows = {row.name: row for row in found}
    assert tuple(rows) == ways
    assert {r.hash for r in rows.values()} == {rows["one-worker"].hash}
    assert {r.best for r in rows.values()} == {rows["one-worker"].best}
    assert {r.trials for r in rows.values()} == {EPOCHS}
    assert rows["workers-killed"].disturbed in ("SIGKILL of 1 workers", "SIGKILL of 2 workers")
    assert "SIGKILL of the driver after" in rows["driver-killed"].disturbed
    assert "SIGKILL of a node" in rows["node-killed"].disturbed
