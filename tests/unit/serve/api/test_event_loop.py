"""A store that is slow (a volume shared over a network) delays who asks for it, and nobody else."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import asgi
import pytest
import served
from fastapi import FastAPI

from serve.models.store import ModelStore

PATIENCE_S = 20.0
BODY = {"series": [served.series(served.bars(120))]}


class Gate:
    """Holds whoever comes through it, in whichever thread, until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self.passed_late = False
        self.times = 0

    def pass_through(self) -> None:
        self.times += 1
        self.reached.set()
        self.passed_late = not self.opened.wait(PATIENCE_S) or self.passed_late


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[FastAPI, Gate]:
    """An application whose store lists no folder before the gate is open."""
    app, _ = served.made(tmp_path)
    gate, real = Gate(), ModelStore.versions

    def versions(store: ModelStore, name: str) -> list[int]:
        gate.pass_through()
        return real(store, name)

    monkeypatch.setattr(ModelStore, "versions", versions)
    return app, gate


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("GET", "/api/v1/models", None, served.ASK),
        ("GET", "/api/v1/models/default", None, served.ASK),
        ("POST", "/api/v1/models/default/activate", {"version": 1}, served.RULE),
        ("POST", "/api/v1/regime", BODY, served.ASK),
        ("GET", "/readyz", None, {}),
    ],
)
def test_a_slow_store_does_not_stall_who_asks_whether_we_live(
    slow: tuple[FastAPI, Gate], method: str, path: str, body: Any, headers: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    app, gate = slow
    # a version that was read before is not looked for again
    monkeypatch.setattr(app.state.service.store, "_read", {})

    async def work() -> tuple[asgi.Answer, asgi.Answer]:
        waits = asyncio.create_task(asgi.ask(app, method, path, body=body, headers=headers))
        assert await asyncio.to_thread(gate.reached.wait, PATIENCE_S)
        assert not waits.done()
        meanwhile = await asgi.ask(app, "GET", "/livez")
        gate.opened.set()
        return meanwhile, await waits

    meanwhile, answer = asyncio.run(work())
    assert not gate.passed_late, "the event loop waited for the store"
    assert (meanwhile.status, answer.status) == (200, 200), answer.body


def test_those_who_ask_whether_we_are_ready_share_one_look(slow: tuple[FastAPI, Gate]) -> None:
    """Anybody may ask, so that many who do must not take the threads that requests need."""
    app, gate = slow

    async def work() -> list[asgi.Answer]:
        many = [asyncio.create_task(asgi.ask(app, "GET", "/readyz")) for _ in range(50)]
        assert await asyncio.to_thread(gate.reached.wait, PATIENCE_S)
        for _ in range(10):
            await asyncio.sleep(0)
        gate.opened.set()
        return list(await asyncio.gather(*many))

    assert {answer.status for answer in asyncio.run(work())} == {200}
    assert gate.times == 1
