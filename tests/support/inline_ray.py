"""The conductor's Ray in one process: calls are computed when they are sent, processes die on command.

Real shells, a real conductor; only the transport is replaced, so that thousands of losses can be tried in the
time of one on a cluster. What a cluster itself does is tested on a cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ray.exceptions import ActorDiedError, RayTaskError

from actors.domain.errors import TradingError
from actors.domain.fitting import InlineFits
from actors.runtime.graph import FleetGraph
from actors.runtime.journal_shell import JournalShell
from actors.runtime.shell import AgentShell


class Ref:
    """A finished call: its value, or why there is none."""

    def __init__(self, value: Any = None, error: BaseException | None = None) -> None:
        self.value, self.error = value, error

    def read(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


class InlineRay:
    """Stands for the module `ray` in the conductor's modules."""

    def get(self, refs: Any, timeout: float | None = None) -> Any:
        return [r.read() for r in refs] if isinstance(refs, list) else refs.read()

    def wait(self, refs: list[Ref], num_returns: int = 1, timeout: float | None = None) -> Any:
        return refs, []

    def put(self, value: Any) -> Ref:
        return Ref(value)


class Handle:
    """An actor: `alive` or not; its methods take what `ray.remote` gives them."""

    def __init__(self, name: str, born: Callable[[bool], Any]) -> None:
        self.name, self._born = name, born
        self.me: Any = born(False)
        self.births, self.sent = 1, 0
        self.die_at: set[int] = set()
        """Numbers of calls on which the process dies: even ones before it computes, odd ones after."""

    def revive(self) -> None:
        if self.me is None:
            self.me = self._born(True)
            self.births += 1

    def __getattr__(self, method: str) -> Any:
        return _Method(self, method)

    def call(self, method: str, args: Sequence[Any]) -> Ref:
        self.sent += 1
        dies = self.sent in self.die_at
        for arg in args:
            if isinstance(arg, Ref) and arg.error is not None:
                return Ref(error=arg.error)
        if self.me is None or (dies and self.sent % 2 == 0):
            self.me = None
            return Ref(error=ActorDiedError())
        plain = [a.value if isinstance(a, Ref) else a for a in args]
        try:
            value = getattr(self.me, method)(*plain)
        except TradingError as e:  # as Ray: the caller finds it when it asks
            return Ref(error=RayTaskError(method, "", e))
        if dies:
            self.me = None
            return Ref(error=ActorDiedError())
        return Ref(value)


class _Method:
    def __init__(self, handle: Handle, name: str) -> None:
        self._handle, self._name = handle, name

    def remote(self, *args: Any) -> Ref:
        return self._handle.call(self._name, args)


class Root:
    """The supervisor: revives whom it finds dead."""

    def __init__(self, handles: dict[str, Handle]) -> None:
        self._handles = handles

    def ensure(self, deadline_s: float, gone: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
        for handle in self._handles.values():
            handle.revive()
        return {n: {**h.me.status(), "handle": h} for n, h in self._handles.items()}


def fleet(
    monkeypatch: Any, graph: FleetGraph, settings: Any, attach: Any = None, resumed: int | None = None
) -> tuple[Any, dict[str, Handle]]:
    """Return ``(supervisor, handles)`` of shells in this process.

    `attach` is given to agents that can take it; `resumed` is the step whose snapshots a driver's resume loads.
    """
    inline = InlineRay()
    for module in ("calls", "conductor", "order_path"):
        monkeypatch.setattr(f"actors.runtime.{module}.ray", inline)
    monkeypatch.setattr("actors.runtime.shell.RayFits", InlineFits)

    def born(spec: Any) -> Callable[[bool], AgentShell]:
        def make(again: bool) -> AgentShell:
            cls = JournalShell if spec.name == "journal" else AgentShell
            shell = cls(
                spec,
                settings,
                recover=again,
                keep_steps=graph.max_delay,
                resume_step=None if again else resumed,
            )
            if attach is not None and hasattr(shell.agent, "attach"):
                shell.agent.attach(attach)
            return shell

        return make

    handles = {s.name: Handle(s.name, born(s)) for s in graph.specs}
    root = Handle("supervisor", lambda _: Root(handles))
    return root, handles
