"""The deployment that labels bars: a local inference behind Serve, whose errors travel as values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ray import serve as ray_serve

from actors.domain.errors import TradingError
from serve.inference.job import Job
from serve.inference.local import LocalInference
from serve.models.store import ModelStore


@dataclass(frozen=True)
class Failed:
    """An error of ours on its way back: Ray would wrap a raised one."""

    error: TradingError


@ray_serve.deployment(
    num_replicas=2,
    max_ongoing_requests=4,
    health_check_period_s=1,
    health_check_timeout_s=30,
    graceful_shutdown_wait_loop_s=0.2,
    graceful_shutdown_timeout_s=30,
    ray_actor_options={"num_cpus": 0},
)
class RegimeInference:
    """Labels one series per call; keeps nothing between calls but versions it has read."""

    def __init__(self, userdir: str) -> None:
        self._local = LocalInference(ModelStore(Path(userdir)))

    async def detect(self, job: Job) -> bytes | Failed:
        """Do one job."""
        try:
            return await self._local.detect(job)
        except TradingError as e:
            return Failed(e)

    async def ping(self) -> None:
        """Answer."""
