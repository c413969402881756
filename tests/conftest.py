"""Fixtures and rules for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# before numpy or Ray are imported anywhere
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# tests stay on loopback; Ray reads this when it is imported
os.environ.setdefault("RAY_AUTH_MODE", "disabled")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs the market data where it is missing."""
    if SHARED.is_dir():
        return
    skip = pytest.mark.skip(reason="needs the market data in ../shared/data, which is not on this machine")
    for item in items:
        if "shared_data" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real market data beside the checkout."""
    return SHARED


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The checkout."""
    return ROOT
