"""Jobs handed to the replicas of a deployment; one that dies under a job is replaced by another, once."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError

from actors.domain.errors import AgentUnavailableError
from serve.inference.job import Job
from serve.inference.regime import Failed

_LOG = logging.getLogger("ray.serve")
_GRACE_S = 10.0
"""What a job may wait in queues, above its own time."""


class RemoteInference:
    """`serve.inference.job.Inference` over a deployment's handle.

    A job is a pure function of what it carries, so doing it twice is harmless.
    """

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def detect(self, job: Job) -> bytes:
        """Return the answer of one series as JSON."""
        answer = await self._call("detect", job.budget_s + _GRACE_S, job)
        if isinstance(answer, Failed):
            raise answer.error
        assert isinstance(answer, bytes)
        return answer

    async def ping(self) -> None:
        """Return if a replica answers within two seconds."""
        await self._call("ping", 2.0)

    async def _call(self, method: str, timeout_s: float, *args: Any) -> Any:
        for last in (False, True):
            response = getattr(self._handle, method).remote(*args)
            try:
                async with asyncio.timeout(timeout_s):
                    return await response
            except RayActorError as e:
                if last:
                    raise _unavailable("a replica that lives", "two that died") from e
                _LOG.warning("a replica died under %s; another one is asked", method)
            except BackPressureError as e:
                raise _unavailable("a free place in the queue", "none") from e
            except asyncio.CancelledError:
                response.cancel()  # Serve lets a call go on whose caller no longer waits
                raise
            except TimeoutError as e:
                response.cancel()
                raise _unavailable(f"an answer within {timeout_s:g} s", "none") from e
        raise AssertionError("the last attempt returns or raises")


def _unavailable(expected: str, found: str) -> AgentUnavailableError:
    return AgentUnavailableError(
        "INFERENCE_UNAVAILABLE", f"inference: expected {expected}, found {found}; ask again in a second", retryable=True
    )  # fmt: skip
