"""Jobs handed to replicas: one that dies is replaced once, and what nobody waits for any longer is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any

import pytest
import served
from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError

from actors.domain.errors import AgentUnavailableError, ModelError
from serve.inference.job import Job
from serve.inference.regime import Failed
from serve.inference.remote import RemoteInference

JOB = Job(served.bars(120), ("default", 1), None, False, -9.99)
"""With the time in queues, 10 ms: enough for what answers at once."""
PATIENT = Job(served.bars(120), ("default", 1), None, False, 60.0)


class Response:
    """What a handle returns: awaited for the answer, or cancelled."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer
        self.awaited = asyncio.Event()
        self.cancelled = False

    def __await__(self) -> Generator[Any, None, Any]:
        return self._wait().__await__()

    async def _wait(self) -> Any:
        self.awaited.set()
        found = self._answer()
        return await found if asyncio.iscoroutine(found) else found

    def cancel(self) -> None:
        self.cancelled = True


class Handle:
    """A deployment whose replicas answer in turn as told: a value, an error, or never (None)."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.calls: list[Response] = []
        self.detect = self.ping = self

    def remote(self, *_: Any) -> Response:
        said = self._answers.pop(0)

        def answer() -> Any:
            if said is None:
                return asyncio.Event().wait()
            if isinstance(said, Exception):
                raise said
            return said

        self.calls.append(Response(answer))
        return self.calls[-1]


def detect(handle: Handle, job: Job = PATIENT) -> bytes:
    return asyncio.run(RemoteInference(handle).detect(job))


def test_a_dead_replica_is_replaced_once() -> None:
    assert detect(Handle(b"first")) == b"first"
    assert detect(Handle(RayActorError(), b"second")) == b"second"
    with pytest.raises(AgentUnavailableError, match="two that died"):
        detect(Handle(RayActorError(), RayActorError(), b"third"))


def test_our_errors_come_back_as_they_were() -> None:
    with pytest.raises(ModelError, match="as it was"):
        detect(Handle(Failed(ModelError("VIEW_UNDEFINED", "as it was"))))
    with pytest.raises(AgentUnavailableError, match="a free place in the queue"):
        detect(Handle(BackPressureError(num_queued_requests=9, max_queued_requests=9)))


def test_who_is_late_is_cancelled() -> None:
    handle = Handle(None)
    with pytest.raises(AgentUnavailableError, match="expected an answer within"):
        detect(handle, JOB)
    assert [r.cancelled for r in handle.calls] == [True]


def test_a_job_whose_caller_is_cancelled_is_cancelled_where_it_runs() -> None:
    handle = Handle(None, None)

    async def work() -> None:
        caller = asyncio.create_task(RemoteInference(handle).detect(PATIENT))
        while not handle.calls:
            await asyncio.sleep(0)
        await handle.calls[0].awaited.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller

    asyncio.run(work())
    assert [r.cancelled for r in handle.calls] == [True]
