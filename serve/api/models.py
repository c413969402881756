"""Models and their versions; making another version the one that answers."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from actors.domain.errors import TradingError
from actors.domain.model.timeframe import format_timeframe
from serve.api.body import read
from serve.api.documents import problems_of
from serve.api.problems import HttpProblem
from serve.api.service import Service
from serve.models.store import ModelStore
from serve.models.version import ModelVersion, Training
from serve.schemas import ActivateRequest, ActivationAnswer, ModelAnswer, ModelsAnswer

router = APIRouter(tags=["models"])
_LOG = logging.getLogger("ray.serve")
_KEY = re.compile(r"^[\x21-\x7e]{1,64}$")
_BODY_BYTES = 4096


@router.get("/api/v1/models", response_model=ModelsAnswer, responses=problems_of(401), summary="All models")
async def models(request: Request) -> JSONResponse:
    """List models with their versions, hashes, and which version is active."""
    return JSONResponse({"models": await asyncio.to_thread(_all, request.app.state.service.store)})


@router.get(
    "/api/v1/models/{name}", response_model=ModelAnswer, responses=problems_of(401, 404), summary="One model"
)
async def one_model(request: Request, name: str) -> JSONResponse:
    """List one model's versions."""
    return JSONResponse(await asyncio.to_thread(_one, request.app.state.service.store, name))


@router.post(
    "/api/v1/models/{name}/activate", response_model=ActivationAnswer,
    responses=problems_of(400, 401, 403, 404, 409, 413, 415, 422),
    summary="Make a version the one that answers (admin token)",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ActivateRequest"}}},
        },
        "parameters": [{
            "name": "Idempotency-Key", "in": "header", "required": False,
            "schema": {"type": "string", "maxLength": 64},
            "description": "a repeated request with the same key changes nothing and gets the first one's answer",
        }],
    },
)  # fmt: skip
async def activate(request: Request, name: str) -> JSONResponse:
    """Swap: from the next request on, on every replica, without a restart; requests under way end as they began."""
    service: Service = request.app.state.service
    if request.state.role != "admin":
        raise HttpProblem(
            403,
            "ADMIN_REQUIRED",
            "Authorization: expected the admin's token, found a reader's; it lies in the user's folder under "
            "keys/serve_admin_token",
        )
    asked = await read(request, ActivateRequest, _BODY_BYTES)
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.match(key):
        raise HttpProblem(
            422, "IDEMPOTENCY_KEY", "Idempotency-Key: expected 1 to 64 printable characters, found others"
        )
    done = await asyncio.to_thread(
        service.store.activate, name, asked.version, by="admin", request_id=request.state.request_id, key=key,
        expected=asked.expected_active,
    )  # fmt: skip
    _LOG.info("model %s: version %s in place of %s, by admin", name, done.version, done.previous)
    return JSONResponse(
        {
            "name": name, "version": done.version, "previous": done.previous,
            "changed": done.previous != done.version, "activated": moment(done.at_ns),
        }
    )  # fmt: skip


def _all(store: ModelStore) -> list[dict[str, Any]]:
    return [model(store, name) for name in store.names()]


def _one(store: ModelStore, name: str) -> dict[str, Any]:
    store.active(name)  # says what there is, if this is not
    return model(store, name)


def model(store: ModelStore, name: str) -> dict[str, Any]:
    """Return a model as JSON."""
    history = store.history(name)
    active = history[-1].version if history else None
    versions = [version(store, name, number, active) for number in store.versions(name)]
    return {"name": name, "active": active, "versions": versions}


def version(store: ModelStore, name: str, number: int, active: int | None) -> dict[str, Any]:
    """Return a version as JSON; a file that cannot be used hides no other."""
    head = {"version": number, "active": number == active}
    try:
        return {**head, "fault": None, **_made_of(store.load(name, number)[0])}
    except TradingError as e:
        _LOG.error("model %s, version %s: %s", name, number, e)
        return {
            **head, "fault": e.code, "created": None, "detectors": [], "settings_hash": None, "config_hash": None,
            "data_hash": None, "fitted": False, "training": None,
        }  # fmt: skip


def _made_of(made: ModelVersion) -> dict[str, Any]:
    return {
        "created": moment(made.created_ns),
        "detectors": [kind for kind, _ in made.settings.detectors],
        "settings_hash": made.settings.hash,
        "config_hash": made.config_hash,
        "data_hash": made.training.data_hash if made.training else None,
        "fitted": made.training is not None,
        "training": _training(made.training) if made.training else None,
    }


def _training(training: Training) -> dict[str, Any]:
    return {
        "pair": training.pair, "timeframe": format_timeframe(training.timeframe_ns), "bars": training.bars,
        "until_ns": training.until_ns, "data_hash": training.data_hash,
    }  # fmt: skip


def moment(at_ns: int) -> str:
    """Return a time as RFC 3339, UTC, to the millisecond.

    Examples
    --------
    >>> moment(1_700_000_000_123_456_789)
    '2023-11-14T22:13:20.123Z'
    """
    at = datetime.fromtimestamp(at_ns // 10**9, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at_ns // 10**6 % 1000:03d}Z"
