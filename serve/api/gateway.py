"""The deployment that speaks HTTP."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from ray import serve as ray_serve

from serve.api.access import tokens
from serve.api.application import application
from serve.api.service import Service
from serve.inference.remote import RemoteInference
from serve.models.store import ModelStore


@ray_serve.deployment(
    num_replicas=2,
    max_ongoing_requests=64,
    max_queued_requests=256,
    health_check_period_s=1,
    health_check_timeout_s=30,
    graceful_shutdown_wait_loop_s=0.2,
    graceful_shutdown_timeout_s=30,
    ray_actor_options={"num_cpus": 0},
)
@ray_serve.ingress()
class Gateway:
    """Checks who asks and what, hands out work, puts the answers together.

    The application is built in the replica, so nothing of it is pickled; tokens are read here, by name, and travel in
    no argument.
    """

    def __init__(self, inference: Any, userdir: str, max_body_bytes: int, budget_s: float) -> None:
        folder = Path(userdir)
        self._tokens = tokens(folder, os.environ)
        self._service = Service(ModelStore(folder), RemoteInference(inference), max_body_bytes, budget_s)

    def __serve_build_asgi_app__(self) -> FastAPI:
        return application(self._service, self._tokens, names_request=False)
