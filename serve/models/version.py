"""A version of a model: detectors with their ensemble, and what they have learned from one pair's bars, if anything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actors.domain import registry
from actors.domain.errors import InvalidParamsError, ModelVersionError
from actors.domain.fitting import InlineFits
from actors.domain.model.timeframe import format_timeframe
from actors.domain.regime.ensemble import EnsembleParams
from actors.domain.regime.panel import PACKAGE, Panel
from config.schema import Config


@dataclass(frozen=True)
class ModelSettings:
    """What a model is made of.

    Attributes
    ----------
    detectors : tuple of (kind, params)
        In the order of the ensemble's members.
    ensemble : mapping
    seed : int
    timeframes : tuple of str
        Longer bars, on which every detector runs as well.
    """

    detectors: tuple[tuple[str, Mapping[str, Any]], ...]
    ensemble: Mapping[str, Any]
    seed: int
    timeframes: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: Config) -> ModelSettings:
        """Return the regime section of a configuration."""
        parts = tuple((part.kind, dict(part.params)) for part in config.regime.detectors)
        return cls(parts, dict(config.regime.ensemble), config.seed, tuple(config.regime.timeframes))

    @classmethod
    def parse(cls, tree: Mapping[str, Any]) -> ModelSettings:
        """Return what `tree` returned."""
        detectors = tuple((kind, params) for kind, params in tree["detectors"])
        return cls(detectors, tree["ensemble"], tree["seed"], tuple(tree["timeframes"]))

    def tree(self) -> dict[str, Any]:
        """Return the settings as plain values."""
        detectors = [[kind, dict(params)] for kind, params in self.detectors]
        return {
            "detectors": detectors, "ensemble": dict(self.ensemble), "seed": self.seed,
            "timeframes": list(self.timeframes),
        }  # fmt: skip

    @property
    def hash(self) -> str:
        """SHA-256 (hex) over the settings: models with the same one answer alike."""
        text = json.dumps(self.tree(), sort_keys=True, separators=(",", ":"), default=list)
        return hashlib.sha256(text.encode()).hexdigest()

    def check(self) -> None:
        """Raise what is wrong with them, without building anything.

        Raises
        ------
        InvalidParamsError, UnknownComponentError
            Detectors and their parameters, the ensemble and its weights.
        """
        kinds = [kind for kind, _ in self.detectors]
        if not kinds or len(set(kinds)) != len(kinds):
            raise InvalidParamsError(
                "MODEL_DETECTORS", f"detectors: expected at least one, and each kind once, found {kinds}"
            )
        for kind, params in self.detectors:
            registry.validate(PACKAGE, kind, params)
        weights = EnsembleParams.parse(self.ensemble).weights
        if weights and (len(weights) != len(kinds) or min(weights) < 0.0 or sum(weights) <= 0.0):
            raise InvalidParamsError(
                "ENSEMBLE_WEIGHTS",
                f"ensemble.weights: expected {len(kinds)} non-negative numbers, not all 0, found {weights}",
            )

    def panel(self, pair: str, timeframe_ns: int) -> Panel:
        """Return the model for bars of a pair, with nothing learned.

        Raises
        ------
        ConfigError
            If a longer frame is no multiple of the bars.
        """
        return Panel(
            self.detectors, self.ensemble, pair=pair, seed=self.seed, fits=InlineFits(),
            timeframe=format_timeframe(timeframe_ns), timeframes=self.timeframes,
        )  # fmt: skip


@dataclass(frozen=True)
class Training:
    """What a fitted version has seen: `bars` of `pair`, the last of which closed at `until_ns`."""

    pair: str
    timeframe_ns: int
    bars: int
    until_ns: int
    data_hash: str


@dataclass(frozen=True)
class ModelVersion:
    """One version, never changed once it is published.

    Attributes
    ----------
    name : str
    version : int
        From 1.
    settings : ModelSettings
    config_hash : str
        Of the whole configuration that it was published from.
    created_ns : int
        When it was published.
    training : Training or None
        None: it learns from the bars of each request only.
    """

    name: str
    version: int
    settings: ModelSettings
    config_hash: str
    created_ns: int
    training: Training | None

    def tree(self) -> dict[str, Any]:
        """Return the version as plain values."""
        training = None if self.training is None else dict(vars(self.training))
        return {
            "name": self.name, "version": self.version, "settings": self.settings.tree(),
            "config_hash": self.config_hash, "created_ns": self.created_ns, "training": training,
        }  # fmt: skip

    @classmethod
    def parse(cls, tree: Mapping[str, Any]) -> ModelVersion:
        """Return what `tree` returned.

        Raises
        ------
        ModelVersionError
            If another release has written it.
        """
        try:
            training = None if tree["training"] is None else Training(**tree["training"])
            return cls(
                tree["name"], tree["version"], ModelSettings.parse(tree["settings"]), tree["config_hash"],
                tree["created_ns"], training,
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as e:
            raise ModelVersionError(
                "MODEL_FORMAT", f"model: expected the fields of this release, found {e!r}; publish it again"
            ) from e
