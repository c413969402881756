"""Configuration history: versions, differences, reasons, torn lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.history import FILE_NAME, Change, record, versions
from config.load import resolve
from config.problems import ConfigProblem


def test_versions_keep_differences_and_reasons(tmp_path: Path) -> None:
    a, b = resolve("paper"), resolve("paper", sets=["seed=9", "strategies.rsi.weight=2"])
    assert record(tmp_path, a, reason="first", ts_ns=1).number == 1
    assert record(tmp_path, a, reason="again", ts_ns=2).reason == "first"
    second = record(tmp_path, b, reason="new seed", ts_ns=3)
    assert second.changes == (Change("seed", 7, 9), Change("strategies.1.weight", 1.0, 2.0))
    kept = versions(tmp_path)
    assert [(v.number, v.reason, v.ts_ns) for v in kept] == [(1, "first", 1), (2, "new seed", 3)]
    assert kept[1] == second
    assert kept[1].content_hash == b.content_hash


def test_torn_line_is_cut_off(tmp_path: Path) -> None:
    record(tmp_path, resolve("paper"), reason="first", ts_ns=1)
    with (tmp_path / FILE_NAME).open("ab") as f:
        f.write(b'{"number": 2, "ts')
    assert len(versions(tmp_path)) == 1
    assert record(tmp_path, resolve("paper", sets=["seed=1"]), reason="x", ts_ns=2).number == 2
    assert [v.number for v in versions(tmp_path)] == [1, 2]


def test_foreign_line_and_missing_reason_are_refused(tmp_path: Path) -> None:
    assert versions(tmp_path) == []
    with pytest.raises(ConfigProblem, match="why"):
        record(tmp_path, resolve("paper"), reason=" ", ts_ns=1)
    (tmp_path / FILE_NAME).write_text("[]\n")
    with pytest.raises(ConfigProblem, match=":1"):
        versions(tmp_path)
