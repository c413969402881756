"""The cluster's token: one per installation, however many processes are the first."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from actors.runtime.environment import token_file


def test_a_process_that_comes_second_takes_the_token_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, real = [], secrets.token_hex

    def while_making(size: int) -> str:
        if size == 32:
            monkeypatch.setattr(secrets, "token_hex", real)
            seen.append(token_file(tmp_path).read_text())
        return real(size)

    monkeypatch.setattr(secrets, "token_hex", while_making)
    path = token_file(tmp_path)
    assert [path.read_text()] == seen
    assert len(seen[0]) == 64
    assert path.stat().st_mode & 0o777 == 0o600
    assert token_file(tmp_path).read_text() == seen[0]
