"""``list-indicators`` tells what a strategy needs to know: columns in order, warm-up, limits, source."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from actors.domain import registry
from actors.domain.model.bars import BarFrame
from cluster.cli import main as cli

PACKAGE = "actors.domain.indicators"


def test_every_kind_with_columns_and_warm_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list-indicators", "--json", "-"]) == 0
    rows = {r["kind"]: r for r in json.loads(capsys.readouterr().out)["result"]["indicators"]}
    assert list(rows) == registry.kinds(PACKAGE)
    rng = np.random.default_rng(2)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, 300)))
    frame = BarFrame("A/B", 60, 60 * np.arange(300), close, close * 1.01, close * 0.99, close, np.ones(300))
    for kind, row in rows.items():
        lines = registry.build(PACKAGE, kind).batch(frame)
        assert len(row["columns"]) == len(lines)
        assert int(np.isnan(lines).any(axis=0).argmin()) == row["warmup_bars"], kind
        assert len(row["source"]) > 20


def test_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list-indicators"]) == 0
    said = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "columns: macd, macd_signal, macd_hist" in said
    assert "source: Directional movement (Wilder 1978)" in said
    assert "window_bars=14 [ge=2]" in said
