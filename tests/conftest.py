"""Fixtures and rules for all tests."""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

# before numpy or Ray are imported anywhere
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# tests stay on loopback; Ray reads this when it is imported
os.environ.setdefault("RAY_AUTH_MODE", "disabled")

ROOT = Path(__file__).resolve().parents[1]
TWIN_LIMIT_S = 1200
"""For a test on the Python twins: a few compute for more than a minute there, and the machine may be busy."""
SHARED = ROOT.parent / "shared" / "data"


@cache
def _starts_ray(path: Path) -> bool:
    """Return whether a file has tests with a Ray session."""
    return "pytest.mark.ray" in path.read_text(encoding="utf-8")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return what deals the tests out where there are several workers (`pytest -n 2`).

    A file's tests run in one worker, as they share fixtures; all files with a Ray session run in the same one, one
    after the other, and come first, as they have the most to wait.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "ray" if _starts_ray(config.rootpath / file) else file

    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs the market data or the compiled kernels where they are missing; give the twins more time."""
    missing = {}
    if not SHARED.is_dir():
        missing["shared_data"] = "needs the market data in ../shared/data, which is not on this machine"
    if importlib.util.find_spec("_tradecore") is None:
        missing["native"] = "needs the compiled kernels"
    for name, reason in missing.items():
        for item in items:
            if item.get_closest_marker(name) is not None:
                item.add_marker(pytest.mark.skip(reason=reason))
    if "native" in missing:
        for item in items:
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(TWIN_LIMIT_S))


class _RayFirst:
    """Puts the files with a Ray session first; the shuffle stays otherwise."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: not _starts_ray(item.path))


def pytest_configure(config: pytest.Config) -> None:
    """Register what comes after the shuffle."""
    config.pluginmanager.register(_RayFirst(), "ray-first")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real market data beside the checkout."""
    return SHARED


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The checkout."""
    return ROOT
