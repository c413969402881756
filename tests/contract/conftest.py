"""The market that the contract suite runs on, and one run of the default fleet with every inbox kept."""

from __future__ import annotations

import component_inputs as given
import pytest
from recorded_run import Recording, record

from actors.domain.model.bars import BarFrame

CUT = 420


@pytest.fixture(scope="session")
def frame() -> BarFrame:
    """A pair that lacks a few bars."""
    return given.market()[1]


@pytest.fixture(scope="session")
def other(frame: BarFrame) -> BarFrame:
    """The same bars before CUT, quite different ones after."""
    return given.another_future(frame, int(frame.open_ns[CUT]))


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The default fleet with exits over two pairs, one of which lacks a few bars."""
    return record(tmp_path_factory.mktemp("recorded"))


@pytest.fixture(scope="session")
def other_recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """The same fleet over a market that parts from the first one halfway."""
    return record(tmp_path_factory.mktemp("other"), bars=500, parts_at=250)
