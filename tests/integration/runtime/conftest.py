"""A Ray session for the tests of one module; the next may need none, or a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.runtime.environment import prepare_environment

SUPPORT = Path(__file__).parents[2] / "support"


@pytest.fixture(scope="module")
def ray_for_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Ray of this process's own."""
    prepare_environment(tmp_path_factory.mktemp("ray"))
    from actors.runtime.session import ray_session

    with ray_session(num_cpus=4, object_store_mb=100, code_paths=[str(SUPPORT)]):
        yield
