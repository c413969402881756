"""The log of activations: what was written is found, what was changed is refused, a torn line never happened."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from actors.domain.errors import ModelVersionError, SnapshotError
from serve.models.activations import ActivationLog

KEY = b"k" * 32


def log(path: Path, key: bytes = KEY) -> ActivationLog:
    return ActivationLog(path / "m" / "activations.jsonl", key)


def add(to: ActivationLog, version: int, **more: Any) -> Any:
    return to.append(version, model="m", at_ns=version * 10, by="admin", request_id=f"r{version}", **more)


def test_the_last_line_is_in_force_for_every_reader(tmp_path: Path) -> None:
    writer, reader = log(tmp_path), log(tmp_path)
    assert reader.active is None
    assert reader.lines() == ()
    for version in (1, 2, 1):
        made = add(writer, version)
        assert reader.active == version
    assert made.previous == 2
    assert [a.version for a in log(tmp_path).lines()] == [1, 2, 1]
    assert [a.request_id for a in log(tmp_path).lines()] == ["r1", "r2", "r1"]


@pytest.mark.parametrize("how", ["version", "drop", "swap", "add", "mac"])
def test_a_log_that_was_changed_is_refused(tmp_path: Path, how: str) -> None:
    for version in (1, 2, 3):
        add(log(tmp_path), version)
    path = tmp_path / "m" / "activations.jsonl"
    lines = path.read_text().splitlines()
    if how == "version":
        lines[1] = lines[1].replace('"version":2', '"version":9')
    elif how == "drop":
        del lines[1]
    elif how == "swap":
        lines[0], lines[1] = lines[1], lines[0]
    elif how == "add":
        lines.append(lines[-1])
    else:
        tree = json.loads(lines[2])
        tree["mac"] = ("0" if tree["mac"][0] != "0" else "1") + tree["mac"][1:]
        lines[2] = json.dumps(tree)
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(SnapshotError, match="expected a line that this installation wrote"):
        log(tmp_path).lines()
    with pytest.raises(SnapshotError):
        add(log(tmp_path), 4)


def test_another_installation_s_log_is_refused(tmp_path: Path) -> None:
    add(log(tmp_path), 1)
    with pytest.raises(SnapshotError):
        log(tmp_path, b"x" * 32).lines()


def test_a_torn_line_never_took_effect_and_does_not_stay(tmp_path: Path) -> None:
    for version in (1, 2):
        add(log(tmp_path), version)
    path = tmp_path / "m" / "activations.jsonl"
    whole = path.read_bytes()
    for cut in range(1, len(whole.splitlines()[1]) + 1):
        path.write_bytes(whole[:-cut])
        assert log(tmp_path).active == 1
    add(log(tmp_path), 5)
    assert [a.version for a in log(tmp_path).lines()] == [1, 5]


def test_a_repeated_key_does_nothing_twice(tmp_path: Path) -> None:
    mine = log(tmp_path)
    first = add(mine, 1, key="a")
    add(mine, 2)
    assert add(mine, 1, key="a") == first
    assert mine.active == 2, "a repeated request must not roll back what came after it"
    with pytest.raises(ModelVersionError, match="Idempotency-Key") as caught:
        add(mine, 3, key="a")
    assert caught.value.code == "IDEMPOTENCY_KEY_USED"


def test_who_expects_another_version_is_told(tmp_path: Path) -> None:
    mine = log(tmp_path)
    add(mine, 1)
    add(mine, 2, expected=1)
    with pytest.raises(ModelVersionError, match="expected version 2") as caught:
        add(mine, 3, expected=1)
    assert caught.value.code == "ACTIVATION_CONFLICT"
    assert mine.active == 2


def test_many_writers_lose_no_line(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: add(log(tmp_path), i + 1), range(40)))
    lines = log(tmp_path).lines()
    assert sorted(a.version for a in lines) == list(range(1, 41))
    assert [a.previous for a in lines[1:]] == [a.version for a in lines[:-1]]


def test_a_thread_that_read_before_does_not_undo_what_another_has_read_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread still holds the log of one line, when a second activation is there and a third is written."""
    shared, elsewhere = log(tmp_path), log(tmp_path)
    add(elsewhere, 1)
    has_old, goes_on, real = threading.Event(), threading.Event(), Path.read_bytes

    def read(path: Path) -> bytes:
        data = real(path)
        if threading.current_thread() is late:
            has_old.set()
            assert goes_on.wait(20.0)
        return data

    def dumps(*args: Any, **named: Any) -> str:
        if threading.current_thread() is not late:
            goes_on.set()
            late.join()
        return to_text(*args, **named)

    late, to_text = threading.Thread(target=shared.lines), json.dumps
    monkeypatch.setattr(Path, "read_bytes", read)
    late.start()
    assert has_old.wait(20.0)
    add(elsewhere, 2)
    shared.lines()
    monkeypatch.setattr(json, "dumps", dumps)
    add(shared, 3)
    monkeypatch.undo()
    assert [a.version for a in log(tmp_path).lines()] == [1, 2, 3]
    assert [a.version for a in shared.lines()] == [1, 2, 3]
