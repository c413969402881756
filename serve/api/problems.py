"""Errors as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import pydantic
from starlette.responses import Response

from actors.domain.errors import (
    ConfigError,
    DataError,
    ModelVersionError,
    NotFittedError,
    SnapshotError,
    TradingError,
)
from actors.domain.registry import told

MEDIA_TYPE = "application/problem+json"
_MOST_FAULTS = 20
_LONGEST = 160
"""Characters of one value that a message repeats."""
_MISSING = ("MODEL_UNKNOWN", "MODEL_VERSION_UNKNOWN")


class HttpProblem(Exception):  # noqa: N818 - named after what it becomes
    """A request that is refused before anybody computes; `faults` are (path, message)."""

    def __init__(
        self, status: int, code: str, detail: str, faults: Sequence[tuple[str, str]] = (), **headers: str
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.faults = status, code, detail, tuple(faults)
        self.headers = {k.replace("_", "-"): v for k, v in headers.items()}


def status_of(error: TradingError) -> int:
    """Return the HTTP status of one of our errors.

    Examples
    --------
    >>> status_of(DataError("BAR_INSANE", "")), status_of(ModelVersionError("MODEL_UNKNOWN", ""))
    (422, 404)
    >>> status_of(TradingError("X", "", retryable=True)), status_of(TradingError("X", ""))
    (503, 500)
    """
    if isinstance(error, SnapshotError):
        return 500
    if error.code in _MISSING:
        return 404
    if isinstance(error, ModelVersionError | NotFittedError):
        return 409
    if isinstance(error, ConfigError | DataError):
        return 422
    return 503 if error.retryable else 500


def of_error(error: TradingError) -> HttpProblem:
    """Return the problem of one of our errors; what is the server's own affair is told in its log only."""
    status = status_of(error)
    if status == 500:
        return HttpProblem(
            500, error.code, "expected the server to be able to answer, found a fault of its own; its log has the "
            "request id"
        )  # fmt: skip
    if status == 503:
        return HttpProblem(status, error.code, error.message, Retry_After="1")
    return HttpProblem(status, error.code, error.message)


def of_validation(error: pydantic.ValidationError) -> HttpProblem:
    """Return the problem of a body that does not validate: each fault with its path, at most 20."""
    found = error.errors(include_url=False, include_context=False)
    if found[0]["type"] == "json_invalid":
        said = str(found[0]["msg"]).removeprefix("Invalid JSON: ")
        return HttpProblem(400, "JSON_INVALID", f"body: expected a JSON object, found: {said}")
    faults = [_fault(dict(row)) for row in found[:_MOST_FAULTS]]
    more = f" (the first {_MOST_FAULTS} of {len(found)})" if len(found) > _MOST_FAULTS else ""
    detail = "; ".join(message for _, message in faults[:3]) + ("; …" if len(faults) > 3 else "")
    return HttpProblem(422, "REQUEST_INVALID", f"{detail}{more}", faults)


def _fault(row: dict[str, Any]) -> tuple[str, str]:
    path = ".".join(map(str, row["loc"]))
    if row["type"] == "missing":
        return path, f"{path}: expected a value, found none"
    given = row.get("input")
    if isinstance(given, list | dict):
        row["input"] = _Short(f"{len(given)} entries")
    elif isinstance(given, str) and len(given) > _LONGEST:
        row["input"] = given[:_LONGEST] + "…"
    if row["type"] == "extra_forbidden":
        return path, f"{path}: expected no such key, found one; look at its spelling"
    row["msg"] = _wanted(str(row["msg"]))
    return path, told(row).removeprefix("params: ")


_WORDS = (
    (r"^Input should be ", "expected "),
    (r"^(List|Tuple) should have at (least|most) (\d+) items?.*$", r"expected at \2 \3 entries"),
    (r"^String should match pattern ", "expected text that matches "),
    (r"^(String|Dictionary|Object) should ", r"expected a \1 to "),
)


def _wanted(message: str) -> str:
    """Return pydantic's words in ours.

    Examples
    --------
    >>> _wanted("Input should be a valid number"), _wanted("List should have at least 1 item after validation, not 0")
    ('expected a valid number', 'expected at least 1 entries')
    """
    for pattern, words in _WORDS:
        message = re.sub(pattern, words, message)
    return message


class _Short(str):
    """A text that is repeated without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def response(problem: HttpProblem, request_id: str) -> Response:
    """Return the HTTP answer."""
    body = {
        "type": f"urn:tradewind:problem:{problem.code.lower().replace('_', '-')}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": request_id,
        "errors": [{"path": path, "message": message} for path, message in problem.faults],
    }
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, problem.status, media_type=MEDIA_TYPE, headers=problem.headers)
