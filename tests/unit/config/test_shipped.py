"""What we ship names real components with valid parameters, in every mode and preset."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import config
from actors.domain import registry
from config.contradictions import across
from config.load import resolve
from config.problems import ConfigProblem
from config.schema import blocks, components

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
