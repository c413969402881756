"""Secrets: from the environment or a file, never shown, never in a configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.problems import ConfigProblem
from config.secrets import read_secret, secret_paths


def test_environment_then_file(tmp_path: Path) -> None:
    file = tmp_path / "pw"
    file.write_text("from file\n")
    by_file = {"TRADEWIND_JOURNAL_PASSWORD_FILE": str(file)}
    secret = read_secret("JOURNAL_PASSWORD", by_file)
    assert secret is not None
    assert secret.get_secret_value() == "from file"
    assert "from file" not in f"{secret!r} {secret}"
    assert read_secret("JOURNAL_PASSWORD", {}) is None
    with pytest.raises(ConfigProblem, match="both"):
        read_secret("JOURNAL_PASSWORD", {**by_file, "TRADEWIND_JOURNAL_PASSWORD": "x"})


def test_unreadable_and_empty_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="readable"):
        read_secret("X", {"TRADEWIND_X_FILE": str(tmp_path / "gone")})
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(ConfigProblem, match="empty"):
        read_secret("X", {"TRADEWIND_X_FILE": str(tmp_path / "empty")})


def test_paths_of_secrets_are_found_at_any_depth() -> None:
    tree = {"a": [{"api_key": "x"}], "b": {"password": None, "token": "t"}, "max_tokens": 3}
    assert secret_paths(tree) == ["a.0.api_key", "b.token"]
