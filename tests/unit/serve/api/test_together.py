"""Parts of a request side by side: all results, or one failure that does not depend on how fast the parts are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asgi
import pytest
import served

from actors.domain.errors import ModelError
from serve.api.together import all_or_first_failure
from serve.inference.job import Job
from serve.inference.local import LocalInference
from serve.models.store import ModelStore

REGIME = "/api/v1/regime"
PATIENCE_S = 30.0


async def _value(of: int, order: list[int], after: asyncio.Event | None = None) -> int:
    if after is not None:
        await after.wait()
    order.append(of)
    return of


async def _failure(of: int, after: asyncio.Event | None = None) -> int:
    if after is not None:
        await after.wait()
    raise ModelError(f"PART_{of}", "")


async def _forever(ended: list[int], of: int, started: asyncio.Event | None = None) -> int:
    try:
        if started is not None:
            started.set()
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        ended.append(of)
        raise
    raise AssertionError("nobody sets it")


def patient(work: Any) -> Any:
    async def within() -> Any:
        return await asyncio.wait_for(work, PATIENCE_S)

    return asyncio.run(within())


def test_results_come_in_order_whoever_is_first() -> None:
    async def work() -> list[int]:
        late = asyncio.Event()

        async def sets() -> int:
            late.set()
            return 1

        return await all_or_first_failure([_value(0, order, late), sets(), _value(2, order)])

    order: list[int] = []
    assert patient(work()) == [0, 1, 2]
    assert order == [2, 0]
    assert patient(all_or_first_failure([])) == []


def test_a_failure_ends_what_comes_after_it() -> None:
    ended: list[int] = []

    async def work() -> None:
        started = asyncio.Event()
        await all_or_first_failure([_failure(0, started), _forever(ended, 1, started), _forever(ended, 2)])

    with pytest.raises(ModelError) as caught:
        patient(work())
    assert caught.value.code == "PART_0"
    assert ended == [1, 2]


def test_the_lowest_failure_is_told_though_it_comes_last() -> None:
    ended: list[int] = []

    async def work() -> None:
        later_has_failed = asyncio.Event()

        async def third() -> int:
            later_has_failed.set()
            raise ModelError("PART_2", "")

        await all_or_first_failure(
            [_value(0, []), _failure(1, later_has_failed), third(), _forever(ended, 3)]
        )

    with pytest.raises(ModelError) as caught:
        patient(work())
    assert caught.value.code == "PART_1"
    assert ended == [3]


def test_nothing_goes_on_when_the_caller_is_cancelled() -> None:
    ended: list[int] = []

    async def work() -> None:
        started = asyncio.Event()
        whole = asyncio.create_task(all_or_first_failure([_forever(ended, 0), _forever(ended, 1, started)]))
        await started.wait()
        whole.cancel()
        with pytest.raises(asyncio.CancelledError):
            await whole
        assert ended == [0, 1]

    patient(work())


class _Batch:
    """Answers no series: the one of 120 bars fails once the longest is under way, which waits for ever."""

    def __init__(self) -> None:
        self.ended: list[int] = []
        self.started = asyncio.Event()

    async def detect(self, job: Job) -> bytes:
        if len(job.frame) == 120:
            await self.started.wait()
            raise ModelError("DETECTION_TIME", "expected less, found more", retryable=True)
        return bytes(await _forever(self.ended, len(job.frame), self.started))

    async def ping(self) -> None:
        """Return at once."""


def test_a_request_whose_series_fails_leaves_no_job_running(tmp_path: Path) -> None:
    inference = _Batch()
    app, _ = served.made(tmp_path, inference)
    body = {"series": [served.series(served.bars(n)) for n in (120, 300)]}

    async def work() -> asgi.Answer:
        answer = await asgi.ask(app, "POST", REGIME, body=body, headers=served.ASK)
        assert inference.ended == [300]
        return answer

    answer = patient(work())
    assert (answer.status, answer.json["code"]) == (503, "DETECTION_TIME")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_job_that_is_given_up_ends_at_its_next_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread cannot be cancelled: it must find out by itself, and free its place."""
    _, store = served.made(tmp_path)
    local = LocalInference(store, threads=1)
    looked: list[int] = []
    real = ModelStore.panel

    async def work() -> None:
        loop, started, goes_on = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

        def panel(*args: Any) -> Any:
            made = real(*args)
            update = type(made).update

            def slow(*values: Any, **named: Any) -> Any:
                looked.append(1)
                loop.call_soon_threadsafe(started.set)
                asyncio.run_coroutine_threadsafe(goes_on.wait(), loop).result(PATIENCE_S)
                return update(made, *values, **named)

            made.update = slow  # type: ignore[method-assign]
            return made

        monkeypatch.setattr(ModelStore, "panel", panel)
        job = Job(served.bars(300), ("default", 1), None, True, 600.0)
        first = asyncio.create_task(local.detect(job))
        await started.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        goes_on.set()
        monkeypatch.setattr(ModelStore, "panel", real)
        assert await local.detect(job), "the only thread is free again"
        assert len(looked) == 1

    patient(work())
