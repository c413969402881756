"""``/livez``: this process answers. ``/readyz``: requests can be answered; both without a token."""

from __future__ import annotations

import asyncio
import logging
import time

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from actors.domain.errors import TradingError
from serve.api.service import DEFAULT_MODEL, Service
from serve.schemas import HealthAnswer

router = APIRouter(tags=["health"])
_LOG = logging.getLogger("ray.serve")


@router.get("/livez", response_model=HealthAnswer, summary="Does this process answer?")
async def livez() -> JSONResponse:
    """Depends on nothing."""
    return JSONResponse({"status": "alive", "checks": []})


@router.get(
    "/readyz", response_model=HealthAnswer, responses={503: {"model": HealthAnswer}},
    summary="Can requests be answered?",
)  # fmt: skip
async def readyz(request: Request) -> JSONResponse:
    """Look for an active model that can be read, and for somebody who computes."""
    service: Service = request.app.state.service
    async with service.checking:  # anybody may ask, so one look at a time: the others take what it finds
        found = service.fresh_checks()
        if found is None:
            found = [
                ("model", await asyncio.to_thread(_model, service)),
                ("inference", await _inference(service)),
            ]
            service.checked = (time.monotonic(), found)
    ok = not any(message for _, message in found)
    checks = [{"name": name, "ok": not message, "message": message} for name, message in found]
    return JSONResponse({"status": "ready" if ok else "not ready", "checks": checks}, 200 if ok else 503)


def _model(service: Service) -> str:
    try:
        service.store.load(DEFAULT_MODEL, service.store.active(DEFAULT_MODEL))
    except TradingError as e:
        _LOG.error("readyz: %s", e)
        return e.code
    return ""


async def _inference(service: Service) -> str:
    try:
        await service.inference.ping()
    except TradingError as e:
        _LOG.error("readyz: %s", e)
        return e.code
    return ""
