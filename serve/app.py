"""``serve run serve.app:build``: the application of Ray Serve, on loopback unless Serve is told otherwise.

Arguments follow as ``key=value``: ``serve run serve.app:build num_replicas=3 config=mine.yaml``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic import Field

from actors.domain.errors import ConfigError
from actors.domain.registry import told
from actors.runtime.environment import RAY_ENV
from config.load import resolve
from config.problems import ConfigProblem
from serve.api.access import tokens
from serve.api.gateway import Gateway
from serve.api.service import DEFAULT_MODEL
from serve.inference.regime import RegimeInference
from serve.models.store import ModelStore, ensure
from serve.models.version import ModelSettings

_LOG = logging.getLogger("ray.serve")


class ServeArgs(pydantic.BaseModel):
    """What ``serve run`` may be given.

    Attributes
    ----------
    userdir : str
        Models and keys; default TRADEWIND_USERDIR, else ``user_data`` in the current folder. On several machines a
        shared volume.
    config : str
        Files over the shipped configuration, separated by commas; ``preset:NAME`` as everywhere.
    num_replicas, inference_replicas : int
        Of the gateway, and of what computes.
    max_body_mib : float
        Largest body.
    budget_s : float
        Seconds that one series may take.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    userdir: str = ""
    config: str = ""
    num_replicas: Annotated[int, Field(ge=1, le=64)] = 2
    inference_replicas: Annotated[int, Field(ge=1, le=64)] = 2
    max_body_mib: Annotated[float, Field(gt=0.0, le=64.0)] = 8.0
    budget_s: Annotated[float, Field(gt=0.0, le=600.0)] = 20.0

    @classmethod
    def parse(cls, args: Mapping[str, Any]) -> ServeArgs:
        """Return validated arguments.

        Raises
        ------
        ConfigError
            With every problem.
        """
        try:
            return cls(**dict(args))
        except pydantic.ValidationError as e:
            rows = "; ".join(told(dict(row)) for row in e.errors())
            known = ", ".join(cls.model_fields)
            raise ConfigError("SERVE_ARGS", f"serve: {rows}; known are {known}") from e


def build(args: dict[str, Any]) -> Any:
    """Return the application: see that keys, tokens and an active model are there, then bind the deployments.

    Raises
    ------
    ConfigError
        If the arguments, the configuration or a token are wrong.
    ModelVersionError, SnapshotError
        If the models on disk cannot be used.
    """
    given = ServeArgs.parse(args)
    for name, value in RAY_ENV.items():  # for a cluster that is started after this
        os.environ.setdefault(name, value)
    userdir = Path(given.userdir or os.environ.get("TRADEWIND_USERDIR") or "user_data").expanduser().resolve()
    try:
        config = resolve("paper", files=[f for f in given.config.split(",") if f], env=dict(os.environ))
    except ConfigProblem as e:
        raise ConfigError("CONFIG_INVALID", str(e)) from e
    tokens(userdir, os.environ)
    said = ensure(ModelStore(userdir), DEFAULT_MODEL, ModelSettings.of(config.model), config.content_hash)
    _LOG.info("%s", said)
    inference = _deployment(RegimeInference).options(num_replicas=given.inference_replicas).bind(str(userdir))
    return (
        _deployment(Gateway)
        .options(num_replicas=given.num_replicas)
        .bind(inference, str(userdir), int(given.max_body_mib * (1 << 20)), given.budget_s)
    )


def _deployment(decorated: Any) -> Any:
    """Return what Serve's decorator has made of a class; without types, as Serve comes without."""
    return decorated
