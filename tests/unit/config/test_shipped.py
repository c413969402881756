"""What we ship names real components with valid parameters, in every mode and preset."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

import config
from actors.agents.fleet import default_fleet
from actors.domain import registry
from actors.domain.features.pipeline import feature_names
from config.contradictions import across
from config.load import resolve
from config.parts import blocks, components
from config.problems import ConfigProblem
from config.schema import running

PRESETS = sorted(p.stem for p in (Path(config.__file__).parent / "presets").glob("*.yaml"))


@pytest.mark.parametrize("preset", [None, *PRESETS])
def test_every_component_exists_and_takes_its_parameters(preset: str | None) -> None:
    files = [f"preset:{preset}"] if preset else []
    model = resolve("paper", files).model
    parts = []
    for ref in components(model):
        params = registry.validate(ref.package, ref.kind, ref.params)
        parts.append((ref.path, ref.kind, params.model_dump()))
    assert across(parts) == []
    for ref in blocks(model):
        module, _, name = ref.kind.partition(":")
        getattr(importlib.import_module(module), name)(**ref.params)


@pytest.mark.parametrize("adaptive", [{}, {"min_dwell_bars": 6, "by_regime": {"bull": {"window_bars": 9}}}])
def test_what_is_validated_of_a_strategy_is_what_its_agent_runs(adaptive: dict[str, object]) -> None:
    """Agents do not import the configuration, so the two sides say it each for itself: they must say the same."""
    part = {"kind": "rsi", "params": {"window_bars": 14}, "adaptive": adaptive}
    plain = resolve("paper", sets=["strategies=" + json.dumps([part])]).model.model_dump(mode="json")
    graph = default_fleet(plain, feature_names(plain["features"]["indicators"]))
    (agent,) = [spec for spec in graph if spec.parent == "coordinator-strategy"]
    kind, params = running(part)
    assert dict(agent.params) == {"kind": kind, "params": params}


def test_presets_change_what_they_say() -> None:
    base = resolve("paper").content_hash
    hashes = {p: resolve("paper", [f"preset:{p}"]).content_hash for p in PRESETS}
    assert len({base, *hashes.values()}) == len(PRESETS) + 1


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(ConfigProblem, match="preset:nowhere"):
        resolve("paper", ["preset:nowhere"])


def test_breakers_are_on_by_default() -> None:
    from actors.domain.risk.breakers import build_breakers

    breakers = build_breakers(resolve("paper").model.risk.breakers, 3_600_000_000_000)
    assert sorted(breakers) == ["agent_lost", "daily_loss", "drawdown", "venue_lost"]
    fewer = resolve("paper", sets=["risk.breakers.daily_loss=null"]).model.risk.breakers
    assert sorted(fewer) == ["agent_lost", "drawdown", "venue_lost"]
