"""From an `AgentSpec` to a processor: the same few lines in every process."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from actors.domain.errors import UnknownComponentError
from actors.domain.fitting import FitRunner
from actors.domain.model.instrument import Instrument
from actors.domain.processor import Agent, AgentContext
from actors.runtime.graph import AgentSpec


@dataclass(frozen=True)
class RunSettings:
    """What all agents of a run share; plain and picklable, no secrets.

    Attributes
    ----------
    run_id : str
    seed : int
    timeframe_ns : int
    instruments : mapping pair → Instrument
        In the order of the run's pairs.
    snapshot_dir, key_path : str
        Where snapshots lie and the key that signs them; absolute.
    journal_url : str
        SQLAlchemy URL; empty runs without a journal.
    config_hash : str
        Names the configuration in snapshots.
    kernel_backend : str
        auto, native or python.
    require_native : bool
    """

    run_id: str
    seed: int
    timeframe_ns: int
    instruments: Mapping[str, Instrument]
    snapshot_dir: str = ""
    key_path: str = ""
    journal_url: str = ""
    config_hash: str = ""
    kernel_backend: Literal["auto", "native", "python"] = "auto"
    require_native: bool = False
    env: Mapping[str, str] = field(default_factory=dict)


def agent_class(spec: AgentSpec) -> type[Agent]:
    """Import the factory of a spec.

    Raises
    ------
    UnknownComponentError
        If it cannot be imported.
    """
    module_name, _, class_name = spec.factory.partition(":")
    try:
        cls: type[Agent] = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as e:
        raise UnknownComponentError(
            "FACTORY_UNKNOWN",
            f"agent {spec.name}: expected factory module:Class, found {spec.factory!r} ({e})",
        ) from e
    return cls


def build_agent(spec: AgentSpec, run: RunSettings, fits: FitRunner) -> Agent:
    """Import the factory of a spec and build its agent.

    Raises
    ------
    UnknownComponentError
        If the factory cannot be imported.
    """
    ctx = AgentContext(spec.name, run.instruments, run.timeframe_ns, run.seed, fits)
    return agent_class(spec)(ctx, **dict(spec.params))
