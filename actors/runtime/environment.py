"""What Ray's own processes must find in the environment before they start; imports no Ray.

Ray reads its authentication mode when its library is loaded, so all of this stands before the first
``import ray`` of a process: the command line calls `prepare_environment` first.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from actors.adapters.storage.private_file import make_once

RAY_ENV: Mapping[str, str] = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # two timers of a second each stand between a crash and its discovery; with 50 ms a crashed agent answers
    # again after about one second
    "RAY_timeout_ms_task_wait_for_death_info": "50",
    "RAY_core_worker_internal_heartbeat_ms": "50",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # agents take no CPU resource, so a fleet is many times the default; it warns about every four times of it
    "RAY_worker_maximum_startup_concurrency": "8",
}
"""Must stand in the environment before the raylet starts; job-level environment variables are harmful."""


def prepare_environment(userdir: Path) -> None:
    """Set what Ray reads at its start; what a person has set stays.

    Token authentication is on unless the person chose a mode.
    """
    for name, value in RAY_ENV.items():
        os.environ.setdefault(name, value)
    if "RAY_AUTH_MODE" not in os.environ:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN_PATH"] = str(token_file(userdir))


def token_file(userdir: Path) -> Path:
    """Return the project's own token, made on first use, readable by its owner only."""
    path = userdir / "keys" / "ray_token"
    make_once(path, secrets.token_hex(32).encode())
    return path
