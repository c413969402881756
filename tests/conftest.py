"""Fixtures and rules for all tests."""

from __future__ import annotations

import importlib.util
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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs the market data or the compiled kernels where they are missing; say what stays together.

    With several workers (`pytest -n 2 --dist loadgroup`) a file's tests run in one of them, as they share fixtures, and
    all files with a Ray session run in the same one, one after the other: it starts first, as it has the most to wait.
    """
    ray = {item.path for item in items if item.get_closest_marker("ray") is not None}
    items.sort(key=lambda item: item.path not in ray)  # stable: the shuffle stays
    for item in items:
        item.add_marker(pytest.mark.xdist_group("ray" if item.path in ray else str(item.path)))
    missing = {}
    if not SHARED.is_dir():
        missing["shared_data"] = "needs the market data in ../shared/data, which is not on this machine"
    if importlib.util.find_spec("_tradecore") is None:
        missing["native"] = "needs the compiled kernels"
    for name, reason in missing.items():
        for item in items:
            if item.get_closest_marker(name) is not None:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real market data beside the checkout."""
    return SHARED


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The checkout."""
    return ROOT
