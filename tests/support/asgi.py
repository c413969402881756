"""A client that calls an ASGI application directly: no server, no port, the whole stack of middleware."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def ask(
    app: Any,
    method: str,
    path: str,
    *,
    body: Any = None,
    parts: Iterable[bytes] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Return the answer to one request; `body` becomes JSON unless it is bytes, `parts` come one by one."""
    sent = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    if body is not None or parts is not None:
        sent.setdefault("content-type", "application/json")
    if body is not None:
        sent.setdefault("content-length", str(len(body)))
    chunks = list(parts) if parts is not None else [body or b""]
    incoming = [
        {"type": "http.request", "body": c, "more_body": i < len(chunks) - 1} for i, c in enumerate(chunks)
    ]
    route, _, query = path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(route), "raw_path": route.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(k.lower().encode(), v.encode()) for k, v in sent.items()],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000), "state": {},
    }  # fmt: skip
    out: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop(0)
        await asyncio.sleep(3600)
        raise AssertionError("nobody waits for an hour")

    async def send(message: dict[str, Any]) -> None:
        out.append(dict(message))

    await app(scope, receive, send)
    start = out[0]
    assert [m["type"] for m in out].count("http.response.start") == 1
    return Answer(
        start["status"],
        {k.decode().lower(): v.decode() for k, v in start["headers"]},
        b"".join(m.get("body", b"") for m in out[1:]),
    )


def call(app: Any, method: str, path: str, **more: Any) -> Answer:
    """Return the answer, from code that is not asynchronous."""
    return asyncio.run(ask(app, method, path, **more))
