"""The OpenAPI document: our own schemas, the token, and problems on every route."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from serve.api.access import OPEN_PATHS
from serve.api.problems import MEDIA_TYPE
from serve.schemas import definitions


def problems_of(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route documents of its errors."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {s: {"description": HTTPStatus(s).phrase, "content": content} for s in statuses}


def openapi(app: FastAPI) -> dict[str, Any]:
    """Return the document of an application."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    components = document.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **definitions()}
    # what FastAPI would answer by itself does not occur here: errors are problems
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            answers = operation["responses"]
            operation["responses"] = {k: v for k, v in answers.items() if "HTTPValidationError" not in str(v)}
            if path not in OPEN_PATHS:
                operation["security"] = [{"token": []}]
    return document
