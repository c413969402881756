"""Bodies: bounded while they come in, parsed away from the event loop, so that health pages answer meanwhile."""

from __future__ import annotations

import asyncio
from typing import TypeVar

import pydantic
from starlette.requests import ClientDisconnect, Request

from serve.api.problems import HttpProblem, of_validation

M = TypeVar("M", bound=pydantic.BaseModel)
_AT_ONCE = 16_384
"""Bytes that are parsed sooner than a thread is woken."""
_DRAINED = 64 << 20
"""Bytes that are read and forgotten before a body is refused: a client that is still sending would see no answer but a
lost connection. Beyond it that is what it sees."""


async def read(request: Request, model: type[M], most: int) -> M:
    """Return a request's JSON body as a model.

    Raises
    ------
    HttpProblem
        415 for another media type, 413 beyond `most` bytes, 400 for what is no JSON, 422 for what does not validate.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HttpProblem(
            415, "MEDIA_TYPE", f"Content-Type: expected application/json, found {kind[:80] or 'nothing'}"
        )
    data = await _bounded(request, most)
    try:
        if len(data) <= _AT_ONCE:
            return model.model_validate_json(data)
        return await asyncio.to_thread(model.model_validate_json, data)
    except pydantic.ValidationError as e:
        raise of_validation(e) from e


async def _bounded(request: Request, most: int) -> bytes:
    claimed = request.headers.get("content-length", "0")
    if claimed.isdecimal() and int(claimed) > _DRAINED:
        raise _too_large(most, f"{int(claimed):,}")
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)  # what a header claims is not what comes
            if size > most:
                parts.clear()
            else:
                parts.append(part)
            if size > _DRAINED:
                break
    except ClientDisconnect as e:
        raise HttpProblem(400, "BODY_CUT", "body: expected all of it, found the connection closed") from e
    if size > most:
        raise _too_large(most, f"{'more than ' * (size > _DRAINED)}{min(size, _DRAINED):,}")
    return b"".join(parts)


def _too_large(most: int, found: str) -> HttpProblem:
    return HttpProblem(
        413,
        "BODY_TOO_LARGE",
        f"body: expected at most {most:,} bytes, found {found}; send fewer bars or series",
    )
