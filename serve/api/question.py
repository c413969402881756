"""From a request that is well formed to jobs: bars are checked, a model is found, costs are bounded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from actors.domain import registry
from actors.domain.errors import (
    DataError,
    InvalidParamsError,
    NotFittedError,
    TradingError,
    UnknownComponentError,
)
from actors.domain.model.bars import BarFrame
from actors.domain.model.timeframe import parse_timeframe
from actors.domain.params import search_space
from actors.domain.regime.panel import PACKAGE
from serve.api.problems import HttpProblem, of_error
from serve.inference.job import Job
from serve.models.store import ModelStore
from serve.models.version import ModelSettings, ModelVersion
from serve.schemas import MAX_BARS, MAX_DETECTORS, DetectorChoice, RegimeRequest, Series

DEFAULT_SEED = 7
_OLDEST_NS = 10**17
"""March 1973: a smaller number is no nanoseconds but seconds, milliseconds or microseconds."""
_MOST = {"states": 12, "clusters": 12, "starts": 8, "max_iterations": 100}
"""Largest values of parameters that cost time and have no range of their own."""
_MOST_MEMBERS = MAX_DETECTORS
"""Numbers in one list of an ensemble's parameters: its weights are one per detector."""


def jobs(
    request: RegimeRequest, store: ModelStore, budget_s: float
) -> tuple[list[Job], ModelVersion | ModelSettings]:
    """Return one job per series, and the version or the settings that they are for.

    Raises
    ------
    HttpProblem
        With every series that is wrong.
    TradingError
        If the model or its detectors are not to be had.
    """
    who, model, settings = _answerer(request, store)
    frames, faults, first = [], [], None
    for i, series in enumerate(request.series):
        try:
            frames.append(frame(series))
        except TradingError as e:
            first = first or e
            faults.append((f"series.{i}", f"{e.message}"))
    if first is not None:
        problem = of_error(first)
        raise HttpProblem(problem.status, first.code, first.message, faults)
    every = request.bars == "all"
    return [Job(f, model, settings, every, budget_s) for f in frames], who


def _answerer(
    request: RegimeRequest, store: ModelStore
) -> tuple[ModelVersion | ModelSettings, tuple[str, int] | None, ModelSettings | None]:
    if request.detectors is not None:
        settings = ModelSettings(
            tuple((d.kind, _bounded(d)) for d in request.detectors),
            _sized(request.ensemble or {}, "ensemble"),
            DEFAULT_SEED if request.seed is None else request.seed,
            tuple(request.timeframes or ()),
        )
        settings.check()
        return settings, None, settings
    name = request.model.name if request.model else "default"
    wanted = request.model.version if request.model else None
    version = store.active(name) if wanted is None else wanted
    made, _ = store.load(name, version)
    if made.training is None and request.model is not None and request.model.require_fitted:
        raise NotFittedError(
            "MODEL_NOT_FITTED",
            f"model {name}, version {version}: expected one that has learned from bars, found one that learns from "
            "each request's own; publish a fitted version (python -m serve.publish --data …), or leave require_fitted",
        )
    return made, (name, version), None


def frame(series: Series) -> BarFrame:
    """Return a series as checked bars.

    Raises
    ------
    DataError
        If times are in another unit or out of order, or a bar contradicts itself.
    """
    columns = {name: np.array(getattr(series, name)) for name in ("open", "high", "low", "close", "volume")}
    times = np.array([_nanoseconds(t, series.pair) for t in series.timestamp], dtype=np.int64)
    return BarFrame.from_columns(
        series.pair, parse_timeframe(series.timeframe), {"open_ns": times, **columns}, source="request"
    )


def _nanoseconds(moment: int | str, pair: str) -> int:
    if isinstance(moment, int):
        if not _OLDEST_NS <= moment < 2**63:
            raise DataError(
                "TIMESTAMP_UNIT",
                f"{pair}: timestamp: expected nanoseconds since 1970 (19 digits) or RFC 3339 text, found {moment}",
            )
        return moment
    whole, _, rest = moment.removesuffix("Z").removesuffix("+00:00").partition(".")
    try:
        seconds = int(datetime.fromisoformat(f"{whole}+00:00").timestamp())
    except ValueError as e:
        raise DataError(
            "TIMESTAMP", f"{pair}: timestamp: expected a date that exists, found {moment!r}"
        ) from e
    return seconds * 10**9 + int(rest.ljust(9, "0") or 0)


def _bounded(choice: DetectorChoice) -> Mapping[str, Any]:
    """Return a detector's parameters, if none of them makes it costly beyond reason.

    The limits of a component say what works; who pays for a stranger's request needs narrower ones: the range of its
    search where it has one, a series' length for what counts bars, a few times the default for the rest.
    """
    known_kinds = registry.kinds(PACKAGE)
    if choice.kind not in known_kinds:
        raise UnknownComponentError(
            "DETECTOR_UNKNOWN",
            f"detectors: expected kinds out of {', '.join(known_kinds)}, found {choice.kind!r}"
            f"{registry.meant(choice.kind, known_kinds)}",
        )
    registry.validate(PACKAGE, choice.kind, choice.params)
    model = registry.params_of(registry.load(PACKAGE, choice.kind))
    ranges = search_space(model)
    for name, value in choice.params.items():
        default = model.model_fields[name].default
        known = ranges.get(name)
        most = _MOST.get(name)
        if known is not None and known.high is not None:
            most = max(known.high, default)
        elif most is None and name.endswith("_bars"):
            most = MAX_BARS
        elif most is None and type(default) is int:
            most = max(4 * default, 16)
        values = value if isinstance(value, list) else [value]
        sizes = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        if len(values) > 16 or (most is not None and sizes and max(sizes) > most):
            raise InvalidParamsError(
                "PARAMS_COSTLY",
                f"{choice.kind}: {name}: expected {_limit(most)} in a "
                f"request, found {str(value)[:80]}; publish a model where it must be more",
            )
    return choice.params


def _sized(params: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return an ensemble's parameters, if no number in them is larger than the longest series: what counts bars need
    not be, and what does not count bars is far smaller.
    """
    for name, value in params.items():
        at = f"{path}.{name}"
        if isinstance(value, dict):
            _sized(value, at)
            continue
        values = value if isinstance(value, list) else [value]
        numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        if len(values) > _MOST_MEMBERS or any(abs(v) > MAX_BARS for v in numbers):
            raise InvalidParamsError(
                "PARAMS_COSTLY",
                f"{at}: expected numbers up to {MAX_BARS} and at most {_MOST_MEMBERS} of them in a request, found "
                f"{str(value)[:80]}; publish a model where it must be more",
            )
    return dict(params)


def _limit(most: float | None) -> str:
    return "at most 16 values" if most is None else f"at most {most:g} and at most 16 values"
