"""What is asked and what is answered, as JSON: strict types, no unknown keys, no number that is none.

Times are integer nanoseconds UTC or RFC 3339 texts, prices and volumes plain numbers. Columns rather than rows: a
series is half as long on the wire, and arrays are what detectors read.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from actors.domain.events.regime import REGIMES

MAX_SERIES = 64
MAX_BARS = 20_000
MAX_DETECTORS = 16
PAIR = r"^[A-Z0-9]{1,20}/[A-Z0-9]{1,20}$"
TIMEFRAME = r"^[1-9]\d{0,5}[smhdw]$"
KIND = r"^[a-z][a-z0-9_]{0,39}$"
"""No colon: whoever may ask for regimes may not name code to be imported."""
MODEL = r"^[a-z][a-z0-9_-]{0,39}$"
RFC3339 = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)$"

Price = Annotated[float, Field(gt=0.0)]
Volume = Annotated[float, Field(ge=0.0)]
Moment = int | Annotated[str, Field(pattern=RFC3339)]


class Asked(pydantic.BaseModel):
    """Base of what comes in."""

    model_config = pydantic.ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Series(Asked):
    """Bars of one pair, oldest first, as columns of equal length; `timestamp` is when a bar opened."""

    pair: Annotated[str, Field(pattern=PAIR, examples=["BTC/USDT"])]
    timeframe: Annotated[str, Field(pattern=TIMEFRAME, examples=["1h"])]
    timestamp: Annotated[list[Moment], Field(min_length=2, max_length=MAX_BARS)]
    open: Annotated[list[Price], Field(max_length=MAX_BARS)]
    high: Annotated[list[Price], Field(max_length=MAX_BARS)]
    low: Annotated[list[Price], Field(max_length=MAX_BARS)]
    close: Annotated[list[Price], Field(max_length=MAX_BARS)]
    volume: Annotated[list[Volume], Field(max_length=MAX_BARS)]

    @pydantic.model_validator(mode="after")
    def _equally_long(self) -> Series:
        names = ("open", "high", "low", "close", "volume")
        lengths = {name: len(getattr(self, name)) for name in names}
        wrong = {name: n for name, n in lengths.items() if n != len(self.timestamp)}
        if wrong:
            raise ValueError(
                f"columns: expected {len(self.timestamp)} values in each, as in timestamp, found {wrong}"
            )
        return self


class DetectorChoice(Asked):
    """A detector by its kind (``tradewind list-detectors``), with parameters where the defaults do not fit."""

    kind: Annotated[str, Field(pattern=KIND)]
    params: dict[str, pydantic.JsonValue] = {}


class ModelChoice(Asked):
    """A model by its name; without `version` the active one. `require_fitted` refuses one that has learned nothing."""

    name: Annotated[str, Field(pattern=MODEL)] = "default"
    version: Annotated[int, Field(ge=1)] | None = None
    require_fitted: bool = False


class RegimeRequest(Asked):
    """Label bars with regimes, by a model or by detectors named here; `bars` says for which bars to answer.

    Detectors named here run on the series' bars, and on the longer `timeframes` as well, where there are some.
    """

    series: Annotated[list[Series], Field(min_length=1, max_length=MAX_SERIES)]
    model: ModelChoice | None = None
    detectors: Annotated[list[DetectorChoice], Field(min_length=1, max_length=MAX_DETECTORS)] | None = None
    ensemble: dict[str, pydantic.JsonValue] | None = None
    timeframes: Annotated[list[Annotated[str, Field(pattern=TIMEFRAME)]], Field(max_length=4)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    bars: Literal["last", "all"] = "last"

    @pydantic.model_validator(mode="after")
    def _one_way(self) -> RegimeRequest:
        if self.detectors is not None and self.model is not None:
            raise ValueError("request: expected model or detectors, found both; leave one out")
        alone = [n for n in ("ensemble", "timeframes", "seed") if getattr(self, n) is not None]
        if self.detectors is None and alone:
            raise ValueError(
                f"request: expected {', '.join(alone)} together with detectors, found no detectors; a model has its own"
            )
        return self


class ActivateRequest(Asked):
    """Make `version` the one that answers; refused if `expected_active` is given and another one is active."""

    version: Annotated[int, Field(ge=1)]
    expected_active: Annotated[int, Field(ge=1)] | None = None


class Answered(pydantic.BaseModel):
    """Base of what goes out."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Remark(Answered):
    """What the answer should be read with."""

    code: str
    message: str


class Confidence(Answered):
    """How far a label may be believed, and why; see `actors.domain.events.regime.RegimeConfidence`."""

    model_config = pydantic.ConfigDict(extra="allow", frozen=True)
    score: float
    raw: float
    level: str
    reason: str


class View(Answered):
    """What one detector, or the ensemble, says of each bar that was asked for.

    `probabilities` follow `vocabulary`; `native_label` is the detector's own state, `own_probabilities` follow its
    `states` (empty while it is silent: `reason`), `features` its `measures`. `detail`, `context` and `weights` are the
    ensemble's, null where it says nothing of the kind.
    """

    label: list[str]
    probabilities: list[list[float]]
    confidence: list[float]
    native_label: list[str]
    bars_in_state: list[int]
    own_probabilities: list[list[float]]
    features: list[list[float | None]]
    data_quality: list[float]
    reason: list[str]
    detail: list[Confidence | None] | None
    context: list[str] | None
    weights: list[list[float]] | None


class SeriesAnswer(Answered):
    """Views by name at the closes of the bars that opened at `open_ns`; the last one is the ensemble's."""

    pair: str
    timeframe: str
    bars: int
    data_hash: str
    open_ns: list[int]
    states: dict[str, list[str]]
    measures: dict[str, list[str]]
    views: dict[str, View]
    warnings: list[Remark]


class TrainingAnswer(Answered):
    """What a fitted version has learned from; a request's bars must come after `until_ns`."""

    pair: str
    timeframe: str
    bars: int
    until_ns: int
    data_hash: str


class VersionAnswer(Answered):
    """One version of a model; `fault` is the code of what keeps it from being used, and then nothing else is known."""

    version: int
    active: bool
    fault: str | None
    created: str | None
    detectors: list[str]
    settings_hash: str | None
    config_hash: str | None
    data_hash: str | None
    fitted: bool
    training: TrainingAnswer | None


class ModelAnswer(Answered):
    """A model, the version that answers, and all of them."""

    name: str
    active: int | None
    versions: list[VersionAnswer]


class ModelsAnswer(Answered):
    """All models."""

    models: list[ModelAnswer]


class Answerer(Answered):
    """Who has answered: a model's version, or (name and version null) detectors named in the request."""

    name: str | None
    version: int | None
    fitted: bool
    detectors: list[str]
    settings_hash: str
    config_hash: str | None
    data_hash: str | None


class RegimeAnswer(Answered):
    """One answer per series, in the order of the request."""

    request_id: str
    tradewind: str
    kernel_backend: str
    vocabulary: Annotated[list[str], Field(examples=[list(REGIMES)])]
    model: Answerer
    series: list[SeriesAnswer]


class ActivationAnswer(Answered):
    """What is active now, and what was before; `changed` is false if it had been so already."""

    name: str
    version: int
    previous: int | None
    changed: bool
    activated: str


class Check(Answered):
    """One thing that must be so before requests can be answered."""

    name: str
    ok: bool
    message: str


class HealthAnswer(Answered):
    """State of the service."""

    status: Literal["alive", "ready", "not ready"]
    checks: list[Check] = []


class Fault(Answered):
    """One thing that is wrong with a request, and where."""

    path: str
    message: str


class Problem(Answered):
    """An error (RFC 9457): `detail` says what was expected, what was found, what to do; `code` is for scripts."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[Fault] = []


PUBLIC: tuple[type[pydantic.BaseModel], ...] = (
    RegimeRequest, ActivateRequest, RegimeAnswer, ModelsAnswer, ModelAnswer, ActivationAnswer, HealthAnswer, Problem,
)  # fmt: skip
"""What OpenAPI describes."""


def definitions() -> dict[str, Any]:
    """Return the JSON schemas of `PUBLIC` and of what they are made of, by name, referring to OpenAPI's components."""
    out: dict[str, Any] = {}
    for model in PUBLIC:
        mode: Literal["validation", "serialization"] = (
            "validation" if issubclass(model, Asked) else "serialization"
        )
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}", mode=mode)
        out |= schema.pop("$defs", {})
        out[model.__name__] = schema
    return out
