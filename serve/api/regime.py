"""``POST /api/v1/regime``: bars in; labels, probabilities and confidence out."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from actors.domain import kernels
from actors.domain.events.regime import REGIMES
from serve.api.body import read
from serve.api.documents import problems_of
from serve.api.question import jobs
from serve.api.service import Service
from serve.api.together import all_or_first_failure
from serve.models.version import ModelSettings, ModelVersion
from serve.schemas import RegimeAnswer, RegimeRequest

router = APIRouter(tags=["regime"])
_VERSION = version("tradewind")  # read once: it is looked for in files


@router.post(
    "/api/v1/regime", response_model=RegimeAnswer,
    responses=problems_of(400, 401, 404, 409, 413, 415, 422, 503), summary="Label bars with regimes",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/RegimeRequest"}}},
        }
    },
)  # fmt: skip
async def regime(request: Request) -> Response:
    """Answer for the last bar of each series, or for all of them; each bar by what was known at its close only.

    The series of a request are computed side by side. Either all of them are answered or none.
    """
    service: Service = request.app.state.service
    asked = await read(request, RegimeRequest, service.max_body_bytes)
    work, who = await asyncio.to_thread(jobs, asked, service.store, service.budget_s)
    answers = await all_or_first_failure([service.inference.detect(job) for job in work])
    head = {
        "request_id": request.state.request_id,
        "tradewind": _VERSION,
        "kernel_backend": kernels.backend().name,
        "vocabulary": REGIMES,
        "model": _who(who),
        "series": [msgspec.Raw(answer) for answer in answers],
    }
    return Response(msgspec.json.encode(head), media_type="application/json")


def _who(who: ModelVersion | ModelSettings) -> dict[str, Any]:
    settings = who if isinstance(who, ModelSettings) else who.settings
    made = None if isinstance(who, ModelSettings) else who
    training = made.training if made else None
    return {
        "name": made.name if made else None,
        "version": made.version if made else None,
        "fitted": training is not None,
        "detectors": [kind for kind, _ in settings.detectors],
        "settings_hash": settings.hash,
        "config_hash": made.config_hash if made else None,
        "data_hash": training.data_hash if training else None,
    }
