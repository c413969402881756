"""The Ray host: starts a fleet of actors under a root supervisor, conducts it, and ends it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import ray
from ray.exceptions import RayError

from actors.domain import kernels
from actors.domain.errors import FleetUnavailableError, SupervisionError, TradingError
from actors.domain.events.base import Event
from actors.runtime import names
from actors.runtime.build import RunSettings
from actors.runtime.calls import root_of
from actors.runtime.conductor import Conductor
from actors.runtime.graph import FleetGraph
from actors.runtime.nodes import refuse_other_nodes
from actors.runtime.slices import Slice, SliceFeed
from actors.runtime.supervision import SupervisionPolicy
from actors.runtime.supervisor import Supervisor

Outputs = list[tuple[str, Sequence[Event]]]


class RayHost:
    """A fleet on Ray.

    Use as a context manager: entering starts the supervisor and all agents and waits until all answer (replay
    needs everybody), leaving ends them.

    Parameters
    ----------
    graph, run
        What to start.
    policy : SupervisionPolicy
    resume_step : int or None
        All agents load their snapshot of this step.
    without : collection of str
        Agents that were given up before that step: they are not started.
    """

    def __init__(
        self,
        graph: FleetGraph,
        run: RunSettings,
        policy: SupervisionPolicy | None = None,
        *,
        resume_step: int | None = None,
        without: Collection[str] = (),
        ready_deadline_s: float = 180.0,
    ) -> None:
        self.graph, self.run = graph, run
        self.policy = policy or SupervisionPolicy()
        self._resume_step, self._deadline = resume_step, ready_deadline_s
        self._without = sorted(without)
        self.handles: dict[str, Any] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self._lease_stop = threading.Event()
        self._lease: threading.Thread | None = None
        self.supervisor: Any = None
        self.conducting: Conductor | None = None

    def __enter__(self) -> RayHost:
        try:
            self._start()
        except BaseException:  # Ctrl-C as well: a detached fleet would outlive its driver on a shared cluster
            self.close()
            raise
        return self

    def _start(self) -> None:
        self._clear_leftovers()
        refuse_other_nodes()
        self.supervisor = (
            ray.remote(Supervisor)
            .options(
                name=names.SUPERVISOR, namespace=names.namespace(self.run.run_id), lifetime="detached",
                num_cpus=0, max_restarts=-1, max_task_retries=0,
            )
            .remote(
                list(self.graph.specs), self.run, self.policy, resume_step=self._resume_step,
                keep_steps=self.graph.max_delay, without=self._without,
            )
        )  # fmt: skip
        try:
            self.handles = ray.get(self.supervisor.start.remote(), timeout=self._deadline)
            rows = ray.get(self.supervisor.ensure.remote(self._deadline), timeout=self._deadline + 30)
        except ray.exceptions.GetTimeoutError as e:
            silent = self._silent()
            raise FleetUnavailableError(
                "FLEET_LATE",
                f"fleet: expected all agents ready within {self._deadline:g} s, found {len(silent)} of "
                f"{len(self.graph.specs)} without an answer ({', '.join(silent[:5]) or 'the supervisor'}); this "
                "machine may be busy: set runtime.ready_deadline_s higher, or compute in one process with --host local",
            ) from e
        except RayError as e:
            root = root_of(e)
            if isinstance(root, TradingError):
                raise root from e
            raise SupervisionError("FLEET_START", f"fleet: could not start: {root}") from e
        _refuse_mixed_kernels(rows)
        self.rows = {n: {k: v for k, v in r.items() if k != "handle"} for n, r in rows.items()}
        self._lease = threading.Thread(target=self._keep_lease, name="fleet-lease", daemon=True)
        self._lease.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _silent(self) -> list[str]:
        """Return the agents that have not answered yet; empty if the supervisor does not answer either."""
        with contextlib.suppress(RayError):
            return list(ray.get(self.supervisor.report.remote(), timeout=10)["silent"])
        return []

    def _clear_leftovers(self) -> None:
        """End a fleet of the same run that a killed driver left behind."""
        space = names.namespace(self.run.run_id)
        for name in (names.SUPERVISOR, *self.graph.names, *names.PLATFORM):
            with contextlib.suppress(ValueError):
                ray.kill(ray.get_actor(name, namespace=space), no_restart=True)

    def _keep_lease(self) -> None:
        while not self._lease_stop.wait(5.0):
            with contextlib.suppress(RayError):
                self.supervisor.renew.remote()

    def conductor(
        self,
        feed: SliceFeed,
        *,
        block_steps: int,
        snapshot_every_steps: int,
        on_step: Callable[[Slice, Outputs], None],
        **more: Any,
    ) -> Conductor:
        """Return a conductor for this fleet; a resumed fleet goes on behind its snapshot."""
        conductor = Conductor(
            self.graph, feed, self.supervisor, self.handles, block_steps=block_steps,
            snapshot_every_steps=snapshot_every_steps, on_step=on_step, **more,
        )  # fmt: skip
        if self._resume_step is not None:
            kept = {
                n: ray.get(self.handles[n].outputs_since.remote(self._resume_step - self.graph.max_delay))
                for n in self.graph.names
                if n not in self._without
            }
            conductor.resume(self._resume_step, kept)
        self.conducting = conductor
        return conductor

    def agents(self) -> list[dict[str, Any]]:
        """Return ``name kind pid`` of every actor, platform and supervisor included."""
        rows = [{k: r[k] for k in ("name", "kind", "pid")} for r in self.rows.values()]
        rows.append(ray.get(self.supervisor.whoami.remote()))
        return rows

    def platform(self) -> dict[str, Any]:
        """Return what the registry, the bus, the knowledge repository and the supervisor know at the end."""
        return {
            "registry": ray.get(self.handles[names.REGISTRY].rows.remote()),
            "bus": ray.get(self.handles[names.BUS].stats.remote()),
            "knowledge": ray.get(self.handles[names.KNOWLEDGE].facts.remote()),
            "supervision": ray.get(self.supervisor.report.remote()),
        }

    def close(self) -> None:
        """End all actors of the run."""
        self._lease_stop.set()
        if self.supervisor is None:
            return
        with contextlib.suppress(RayError):
            ray.get(self.supervisor.stop.remote(), timeout=30)
        with contextlib.suppress(RayError, ValueError):
            ray.kill(self.supervisor, no_restart=True)
        for name in (*self.graph.names, *names.PLATFORM):
            # what a supervisor that died meanwhile did not end
            with contextlib.suppress(ValueError, RayError):
                ray.kill(ray.get_actor(name, namespace=names.namespace(self.run.run_id)), no_restart=True)
        self.supervisor = None


def _refuse_mixed_kernels(rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Equal decisions are promised per kernel backend: a fleet must not compute on two.

    Raises
    ------
    SupervisionError
        If a process found other kernels than this one.
    """
    here = kernels.backend()
    for name, row in rows.items():
        found = (row["kernel_backend"], row["kernel_version"])
        if found != (here.name, here.version):
            raise SupervisionError(
                "KERNELS_DIFFER",
                f"agent {name}: expected the kernels of this process, {here.name} {here.version}, found "
                f"{found[0]} {found[1]}; install the same build on every node (make build), or "
                "set kernels.backend: python",
                agent=name,
            )
