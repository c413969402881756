"""The packages under test are the ones of this checkout, not an installed copy."""

import importlib
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["actors", "config", "serve", "cluster"])
def test_a_package_lies_in_this_repository(name: str, repo_root: Path) -> None:
    module = importlib.import_module(name)
    assert [Path(p).resolve() for p in module.__path__] == [repo_root / name]
