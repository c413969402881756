"""The outermost layer: a request's id, who asks, and no error that leaves as anything but a problem."""

from __future__ import annotations

import logging
import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from actors.domain.errors import TradingError
from serve.api import problems
from serve.api.access import OPEN_PATHS, Tokens
from serve.api.problems import HttpProblem

_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
_LOG = logging.getLogger("ray.serve")
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Front:
    """ASGI layer around the application.

    A caller's ``X-Request-ID`` is kept if it is short and plain, else one is made; every answer carries it, by
    `names_request` (Serve's proxy does it as well). Without a token every path but the health pages is 401, whether it
    exists or not.
    """

    def __init__(self, app: ASGIApp, tokens: Tokens, *, names_request: bool = True) -> None:
        self._app, self._tokens, self._names_request = app, tokens, names_request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _ID.match(given) else uuid.uuid4().hex
        role = self._tokens.role(headers.get("authorization"))
        scope.setdefault("state", {}).update(request_id=request_id, role=role)
        started = False

        async def sender(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                out = MutableHeaders(scope=message)
                if self._names_request:
                    out["X-Request-ID"] = request_id
                for name, value in _HEADERS.items():
                    out[name] = value
            await send(message)

        try:
            if role is None and scope["path"] not in OPEN_PATHS:
                raise HttpProblem(
                    401, "TOKEN_REQUIRED",
                    "Authorization: expected Bearer and a token of this installation, found none or another; the token "
                    "lies in the user's folder under keys/serve_token",
                    WWW_Authenticate="Bearer",
                )  # fmt: skip
            await self._app(scope, receive, sender)
        except Exception as e:
            problem = self.problem(e, request_id)
            if started:
                raise
            await problems.response(problem, request_id)(scope, receive, sender)

    @staticmethod
    def problem(error: Exception, request_id: str) -> HttpProblem:
        """Return what a caller is told of an error; the rest goes to the log."""
        if isinstance(error, HttpProblem):
            return error
        if isinstance(error, TradingError):
            problem = problems.of_error(error)
            if problem.status == 500:
                _LOG.error("request %s failed: %s", request_id, error)
            return problem
        _LOG.error("request %s failed", request_id, exc_info=error)
        return HttpProblem(
            500, "INTERNAL", "expected an answer, found a fault of the server; its log has the request id"
        )
