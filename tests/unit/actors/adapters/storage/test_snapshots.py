"""Snapshot files: only whole files of this installation, agent, step and configuration are loaded."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from actors.adapters.storage import snapshots
from actors.adapters.storage.snapshots import SnapshotStore, load_key
from actors.domain.errors import SnapshotError

STATE = b"\x00state of an agent" * 50


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "snaps", tmp_path / "key")


def code_of(call: Any) -> str:
    with pytest.raises(SnapshotError) as caught:
        call()
    return caught.value.code


def test_load_returns_what_was_saved(store: SnapshotStore, tmp_path: Path) -> None:
    path = store.save("regime-hmm", 256, STATE, "c" * 64)
    assert path == tmp_path / "snaps" / "256" / "regime-hmm.snap"
    assert store.load("regime-hmm", 256, "c" * 64) == STATE
    store.save("regime-hmm", 256, b"", "c" * 64)
    assert SnapshotStore(tmp_path / "snaps", tmp_path / "key").load("regime-hmm", 256, "c" * 64) == b""
    assert [p.name for p in path.parent.iterdir()] == ["regime-hmm.snap"]


@pytest.mark.parametrize("where", [0, 9, 30, 200, -40, -1])
def test_one_flipped_bit_is_refused(store: SnapshotStore, where: int) -> None:
    path = store.save("a", 1, STATE, "h")
    data = bytearray(path.read_bytes())
    data[where] ^= 1
    path.write_bytes(data)
    assert code_of(lambda: store.load("a", 1, "h")) in ("SNAPSHOT_SIGNATURE", "SNAPSHOT_TRUNCATED")


def test_every_truncation_is_refused(store: SnapshotStore) -> None:
    path = store.save("a", 1, b"xy", "h")
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        with pytest.raises(SnapshotError):
            store.load("a", 1, "h")
    path.write_bytes(data)
    assert store.load("a", 1, "h") == b"xy"


def test_a_foreign_key_is_refused(store: SnapshotStore, tmp_path: Path) -> None:
    store.save("a", 1, STATE, "h")
    other = SnapshotStore(tmp_path / "snaps", tmp_path / "other")
    assert code_of(lambda: other.load("a", 1, "h")) == "SNAPSHOT_SIGNATURE"


def test_a_file_of_another_agent_step_or_configuration_is_refused(store: SnapshotStore) -> None:
    path = store.save("a", 1, STATE, "h")
    (path.parent / "b.snap").write_bytes(path.read_bytes())
    assert code_of(lambda: store.load("b", 1, "h")) == "SNAPSHOT_OTHER"
    (path.parent.parent / "2").mkdir()
    (path.parent.parent / "2" / "a.snap").write_bytes(path.read_bytes())
    assert code_of(lambda: store.load("a", 2, "h")) == "SNAPSHOT_OTHER"
    assert code_of(lambda: store.load("a", 1, "other")) == "SNAPSHOT_OTHER"
    assert code_of(lambda: store.load("a", 3, "h")) == "SNAPSHOT_MISSING"


@pytest.mark.parametrize("name", ["../a", "a/b", "", ".hidden", "a\0"])
def test_names_cannot_leave_the_folder(store: SnapshotStore, name: str) -> None:
    assert code_of(lambda: store.save(name, 1, b"", "h")) == "SNAPSHOT_NAME"


def test_key_is_private_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "key"
    key = load_key(path)
    assert (len(key), path.stat().st_mode & 0o777) == (32, 0o600)
    assert load_key(path) == key
    for mode in (0o640, 0o604, 0o660):
        path.chmod(mode)
        assert code_of(lambda: load_key(path)) == "SNAPSHOT_KEY_MODE"
    path.chmod(0o600)
    path.write_bytes(b"short")
    assert code_of(lambda: load_key(path)) == "SNAPSHOT_KEY"


def test_a_linked_key_is_refused(tmp_path: Path) -> None:
    load_key(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert code_of(lambda: load_key(tmp_path / "link")) == "SNAPSHOT_IO"


def test_racing_processes_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(load_key, [tmp_path / "key"] * 32))
    assert len(set(keys)) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["key"]


def test_latest_complete_needs_every_agent(store: SnapshotStore) -> None:
    assert (store.latest_complete(["a"]), store.latest("a"), store.steps()) == (None, None, [])
    for agent, step in [("a", 9), ("b", 9), ("a", 10), ("b", 10), ("a", 100)]:
        store.save(agent, step, b"", "h")
    assert store.latest_complete(["a", "b"]) == 10
    assert (store.latest("a"), store.latest("b")) == (100, 10)
    assert store.latest_complete([]) is None


def test_prune_keeps_two_complete_steps_and_what_is_being_written(store: SnapshotStore) -> None:
    for step in (1, 2, 3, 4):
        store.save("a", step, b"", "h")
        store.save("b", step, b"", "h")
    store.save("a", 5, b"", "h")
    assert store.prune(["a", "b"]) == [1, 2]
    assert store.steps() == [3, 4, 5]
    assert store.prune(["a", "b"]) == []


def test_a_full_disk_leaves_the_old_file_whole(store: SnapshotStore, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store.save("a", 1, STATE, "h")

    def full(_fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(snapshots.os, "fsync", full)
    assert code_of(lambda: store.save("a", 1, b"new", "h")) == "SNAPSHOT_DISK_FULL"
    assert store.load("a", 1, "h") == STATE
    assert [p.name for p in path.parent.iterdir()] == ["a.snap"]


def test_read_tells_whose_state_it_is_and_trusts_only_our_signature(
    store: SnapshotStore, tmp_path: Path
) -> None:
    path = store.save("regime", 3, STATE, "h" * 64)
    header, state = store.read("regime", 3)
    assert (header.agent, header.step, header.config_hash, state) == ("regime", 3, "h" * 64, STATE)
    assert code_of(lambda: SnapshotStore(tmp_path / "snaps", tmp_path / "other").read("regime", 3)) == (
        "SNAPSHOT_SIGNATURE"
    )
    assert code_of(lambda: store.load("regime", 3, "i" * 64)) != "SNAPSHOT_SIGNATURE"
    path.write_bytes(path.read_bytes()[:-1])
    assert code_of(lambda: store.read("regime", 3)) == "SNAPSHOT_SIGNATURE"
