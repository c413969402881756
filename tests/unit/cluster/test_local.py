"""Starting a cluster on a machine that is too busy for Ray's own patience."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actors.domain.errors import ConfigError, VenueError
from cluster import local

PORTS = {"port": 16379, "dashboard_port": 18265, "metrics_port": 19464}


@pytest.mark.parametrize(
    ("why", "tries"),
    [
        ("Exception: The current node timed out during startup. This could happen because", 2),
        ("ModuleNotFoundError: no such thing", 1),
    ],
)
def test_only_a_start_that_ran_out_of_rays_time_is_tried_again_and_once(
    why: str, tries: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    def launch(*args: Any) -> Any:
        made.append(args)
        raise VenueError("CLUSTER_START", f"up: expected a running head, found that it ended with 1: {why}")

    monkeypatch.setattr(local, "_launch", launch)
    monkeypatch.setattr(local, "refuse_used_ports", lambda ports: None)
    with pytest.raises(VenueError, match="ended with 1"):
        local.start(tmp_path, PORTS, num_cpus=1)
    assert len(made) == tries


def test_a_temporary_folder_that_somebody_else_put_there_is_refused(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    theirs.mkdir(mode=0o755)
    local.private_folder(theirs)
    assert theirs.stat().st_mode & 0o777 == 0o700
    ours.symlink_to(theirs)
    with pytest.raises(ConfigError, match="found a link"):
        local.private_folder(ours)
