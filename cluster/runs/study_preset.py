"""Writes the choice of a study as a preset, with the provenance that deflates its Sharpe ratio from then on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from actors.domain.errors import ConfigError, StorageError
from actors.domain.search.study.luck import sharpes_per_bar
from cluster.runs.study import StudyResult
from config.handover import handed_over
from config.load import HERE, ResolvedConfig

_NAME = re.compile(r"^[A-Za-z0-9_][\w-]{0,79}$")


def preset_path(name: str, into: str, userdir: Path) -> Path:
    """Return where a preset goes.

    Raises
    ------
    ConfigError
        If the name is none, or is taken among the presets that everybody shares.
    """
    if not _NAME.match(name):
        raise ConfigError("PRESET_NAME", f"--write-preset: expected letters, digits, _ and -, found {name!r}")
    path = (HERE if into == "config" else userdir) / "presets" / f"{name}.yaml"
    if into == "config" and path.exists():
        raise ConfigError(
            "PRESET_EXISTS",
            f"--write-preset {name}: expected a new name, found {path.name} in config/presets; choose another",
        )
    return path


def write_preset(
    found: StudyResult, config: ResolvedConfig, study: str, bars_per_year: float, *, name: str, into: str,
    userdir: Path, facts: Mapping[str, str],
) -> Path:  # fmt: skip
    """Write the preset of the best trial; return its path.

    Raises
    ------
    ConfigError, StorageError
    """
    best = found.best
    assert best is not None
    path = preset_path(name, into, userdir)
    model = found.best_config(config).model
    tree = handed_over(
        model,
        study,
        best.number,
        sharpes_per_bar(found.trials, bars_per_year),
        before=config.model.provenance,
    )
    lines = [
        f"# Chosen by a study: trial {best.number}, {', '.join(f'{v:.6g}' for v in best.result.values)}."
    ]
    lines += [f"# {key}: {value}" for key, value in facts.items()]
    lines.append(
        "# In-sample: what was chosen among many flatters itself. See provenance below, and `tradewind validate`."
    )
    text = "\n".join(lines) + "\n" + yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as e:
        raise StorageError(
            "PRESET_UNWRITABLE",
            f"{path}: expected to write it, found {e.strerror or e}; choose --preset-into userdir",
        ) from e
    return path
