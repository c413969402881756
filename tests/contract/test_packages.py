"""The plain names of the top-level packages belong to this checkout and to nobody else."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import sys
from pathlib import Path

import pytest

NAMES = ("actors", "config", "cluster", "serve")
OURS = {"tradewind"}


@pytest.mark.parametrize("name", NAMES)
def test_a_package_comes_from_this_repository(name: str, repo_root: Path) -> None:
    if name == "serve" and not (repo_root / name).is_dir():
        assert importlib.util.find_spec(name) is None, "another project's package would be taken for ours"
        return
    assert Path(importlib.import_module(name).__file__).resolve().is_relative_to(repo_root / name)


@pytest.mark.parametrize("name", NAMES)
def test_no_other_distribution_claims_the_name(name: str, repo_root: Path) -> None:
    claims = importlib.metadata.packages_distributions().get(name, [])
    assert set(claims) <= OURS
    elsewhere = [
        Path(p) for p in sys.path if p and not (repo_root / "actors").is_relative_to(Path(p).resolve())
    ]
    taken = [p for p in elsewhere if (p / name).is_dir() or (p / f"{name}.py").is_file()]
    assert taken == []
