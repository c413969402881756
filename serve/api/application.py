"""The HTTP application, whole and without Ray: routes, error handlers, and the front before them."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from actors.domain.errors import TradingError
from serve.api import health, models, problems, regime
from serve.api.access import Tokens
from serve.api.documents import openapi
from serve.api.front import Front
from serve.api.problems import HttpProblem
from serve.api.service import Service


def application(service: Service, tokens: Tokens, *, names_request: bool = True) -> FastAPI:
    """Return the application of one replica.

    Pages that show documentation would load scripts from elsewhere, so there are none; the document itself is at
    ``/openapi.json``, for those with a token.
    """
    app = FastAPI(
        title="Tradewind regimes",
        version=version("tradewind"),
        description="Market regimes of bars that are sent in, and the models that give them.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.service = service
    for part in (health.router, regime.router, models.router):
        app.include_router(part)
    document = openapi(app)
    app.state.paths = (*document["paths"], "/openapi.json")

    @app.get("/openapi.json", include_in_schema=False)
    async def described() -> JSONResponse:
        return JSONResponse(document)

    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HttpProblem, _problem)
    app.add_exception_handler(TradingError, _error)
    app.add_middleware(Front, tokens=tokens, names_request=names_request)
    return app


def _answer(request: Request, problem: HttpProblem) -> Response:
    return problems.response(problem, request.state.request_id)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HttpProblem)
    return _answer(request, error)


async def _error(request: Request, error: Exception) -> Response:
    assert isinstance(error, TradingError)
    return _answer(request, Front.problem(error, request.state.request_id))


async def _invalid(request: Request, error: Exception) -> Response:
    return _answer(
        request, HttpProblem(422, "REQUEST_INVALID", f"request: expected a valid one, found {error}")
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        known = ", ".join(request.app.state.paths)
        detail = f"path: expected one of {known}, found {request.url.path[:80]}"
        return _answer(request, HttpProblem(404, "PATH_UNKNOWN", detail))
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        detail = f"method: expected {allowed}, found {request.method[:16]}"
        return _answer(request, HttpProblem(405, "METHOD_UNKNOWN", detail, Allow=allowed))
    return _answer(request, HttpProblem(error.status_code, "HTTP", str(error.detail)))
