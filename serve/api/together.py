"""Work of one request side by side: all of it, or the first failure and no work that goes on for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


async def all_or_first_failure(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results in order, or raise the failure of the lowest index.

    A failure ends what comes after it at once. What comes before it goes on: it might fail as well and would then be
    told instead, so that the same request is always refused for the same reason, however fast its parts are. Nothing
    is left running when this returns or is cancelled.
    """
    tasks = [asyncio.create_task(part) for part in work]
    try:
        failed = len(tasks)
        pending = set(tasks)
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            if not any(task.cancelled() or task.exception() for task in done):
                continue
            failed = next(i for i, t in enumerate(tasks) if t.done() and (t.cancelled() or t.exception()))
            for later in tasks[failed + 1 :]:
                later.cancel()
            pending &= set(tasks[:failed])
        return [task.result() for task in tasks[: failed + 1]]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
