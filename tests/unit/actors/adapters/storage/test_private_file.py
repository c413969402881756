"""A private file is made once, whole, by one of those who try."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from actors.adapters.storage import private_file
from actors.adapters.storage.private_file import make_once

RACER = """
import sys
from pathlib import Path
from actors.adapters.storage.private_file import make_once
me, path = sys.argv[1].encode(), Path(sys.argv[2])
print("here", flush=True)
for line in sys.stdin:
    file = path / line.strip() / "token"
    make_once(file, me * 40)
    print(file.read_bytes().decode(), flush=True)
"""


def test_the_first_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "token"
    make_once(path, b"one")
    make_once(path, b"two")
    assert path.read_bytes() == b"one"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["token"]


def test_who_comes_between_looking_and_making_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = tmp_path / "token", private_file.write_synced

    def other_first(temporary: Path, data: bytes, mode: int) -> None:
        monkeypatch.setattr(private_file, "write_synced", real)
        assert not path.exists(), "nobody sees a file that is not yet written"
        real(temporary, data, mode)
        assert not path.exists()
        make_once(path, b"the other's")

    monkeypatch.setattr(private_file, "write_synced", other_first)
    make_once(path, b"mine")
    assert path.read_bytes() == b"the other's"
    assert [p.name for p in tmp_path.iterdir()] == ["token"]


def test_processes_that_start_at_once_agree(tmp_path: Path, repo_root: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, name, str(tmp_path)],
            cwd=repo_root,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in "ab"
    ]
    try:
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "here\n"
        for turn in range(100):
            for racer in racers:
                assert racer.stdin is not None
                racer.stdin.write(f"{turn}\n")
                racer.stdin.flush()
            found = [racer.stdout.readline() for racer in racers if racer.stdout is not None]
            assert found[0] == found[1]
            assert len(found[0]) == 41
    finally:
        for racer in racers:
            racer.kill()
            racer.communicate()
