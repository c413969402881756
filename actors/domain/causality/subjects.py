"""What is put on trial: a component in its streaming and its batch form, whatever its family."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from actors.domain import registry
from actors.domain.causality.columns import Columns, from_any, gather
from actors.domain.causality.market import SAMPLE_NAMES, View
from actors.domain.causality.witness import Witness
from actors.domain.errors import ConfigError
from actors.domain.events.regime import REGIMES
from actors.domain.features.pipeline import FeaturePipeline
from actors.domain.fitting import Refit
from actors.domain.indicators.base import Indicator
from actors.domain.learning.base import Predictor
from actors.domain.model.bars import BarFrame
from actors.domain.regime.base import Detector
from actors.domain.regime.confidence.confident import ConfidentEnsemble
from actors.domain.regime.ensemble import ENHANCED, EnsembleParams
from actors.domain.state import Stateful
from actors.domain.strategies.base import MarketColumns, Strategy

Form = Callable[[View, Witness], Columns]
STREAM: Final = "stream"
BATCH: Final = "batch"
PREFIX: Final = "actors.domain."
FAMILIES: Final[dict[str, type[Any]]] = {
    "indicators": Indicator, "regime": Detector, "learning": Predictor, "strategies": Strategy,
}  # fmt: skip
"""Packages of components that look at a market, with the base class of each."""


@dataclass(frozen=True)
class Subject:
    """One component with default or given parameters.

    Attributes
    ----------
    family, kind : str
        Such as ``indicators`` and ``rsi``.
    forms : mapping of str → callable
        ``stream`` (bar by bar) and ``batch`` (a whole frame at once), those that there are. Each call works on a
        fresh instance.
    warmup_bars : int or None
        As declared: bars before the first complete output.
    settling_bars : int or None
        As declared, by components whose memory is far longer than their warm-up: bars after which the start of the
        data no longer matters.
    cumulative : bool
        Its level depends on where the data begin, as declared; only changes mean something.
    learns : bool
        It is fitted, or ranks by all of its past: what it says depends on what it was shown, by design.
    """

    family: str
    kind: str
    forms: Mapping[str, Form] = field(repr=False)
    warmup_bars: int | None = None
    settling_bars: int | None = None
    cumulative: bool = False
    learns: bool = False

    @property
    def name(self) -> str:
        """Family and kind, ``indicators.rsi``."""
        return f"{self.family}.{self.kind}"


def discover(families: Sequence[str] = tuple(FAMILIES)) -> list[Subject]:
    """Return every component of the families, found as everywhere: by its file; the ensemble; the features."""
    found = [of_kind(family, kind) for family in families for kind in registry.kinds(PREFIX + family)]
    found += [ensemble(), enhanced_ensemble()] if "regime" in families else []
    return found + ([pipeline()] if "indicators" in families else [])


def of_kind(family: str, kind: str, params: Mapping[str, Any] | None = None) -> Subject:
    """Return a component by its configured kind (or ``module:Class``).

    Raises
    ------
    UnknownComponentError, InvalidParamsError
    """
    package = PREFIX + family
    cls, valid = registry.load(package, kind), registry.validate(package, kind, params or {})
    return of_class(family, kind, cls, valid)


def family_of(cls: type[Any]) -> str | None:
    """Return the family that a class belongs to by its base, None for a stranger."""
    return next((family for family, base in FAMILIES.items() if issubclass(cls, base)), None)


def of_class(family: str, kind: str, cls: type[Any], params: Any) -> Subject:
    """Return a component from its class and validated parameters."""
    columns = {"names": SAMPLE_NAMES} if family == "learning" else {}

    def make(witness: Witness) -> Any:
        if family in ("regime", "learning"):
            return cls(params, fits=witness, name=kind, seed=7, **columns)
        # a bare class of a stranger's has no parameters to take
        return cls() if cls.__init__ is object.__init__ else cls(params)

    sample = make(Witness())
    forms: dict[str, Form] = {}
    if _overrides(cls, FAMILIES[family], "update"):
        forms[STREAM] = _streamed(make, *_FEEDS[family](sample))
    if _overrides(cls, FAMILIES[family], "batch") or getattr(sample, "has_batch", False):
        names = getattr(sample, "names", ()) if family == "indicators" else _OPINION
        forms[BATCH] = _batched(make, names, bool(getattr(sample, "reads", ())))
    if not forms:
        raise ConfigError("NO_FORM", f"{kind}: expected update() or batch(), found neither in {cls.__name__}")
    return Subject(
        family,
        kind,
        forms,
        warmup_bars=getattr(sample, "warmup_bars", None),
        settling_bars=getattr(sample, "settling_bars", None),
        cumulative=bool(getattr(sample, "cumulative", False)),
        learns=family == "learning" or bool(getattr(sample, "learns", False)) or has_refit(sample),
    )


def ensemble(
    params: Mapping[str, Any] | None = None, settings: Mapping[str, Any] | None = None, kind: str = "ensemble"
) -> Subject:
    """Return the regimes that the fleet acts on: every shipped detector, pooled, smoothed and held.

    Parameters
    ----------
    params : mapping of detector → its parameters, optional
    settings : mapping, optional
        Of the ensemble itself.
    kind : str
        What it is called.
    """
    package, given = f"{PREFIX}regime", params or {}
    kinds = registry.kinds(package)

    def stream(view: View, witness: Witness) -> Columns:
        members = [registry.build(package, k, given.get(k, {}), fits=witness, name=k, seed=7) for k in kinds]
        pool = ConfidentEnsemble(EnsembleParams.parse(settings or {}), members=len(members))
        _, names, row = _detector_feed(None)

        def update(seen: Any) -> Sequence[Any]:
            return row(pool.update([m.update(seen) for m in members], seen))

        return gather(names, _walk(view.observations, update, witness))

    warmup = max(
        registry.build(package, k, given.get(k, {}), fits=Witness(), name=k, seed=7).warmup_bars
        for k in kinds
    )
    return Subject("regime", kind, {STREAM: stream}, warmup_bars=warmup, learns=True)


def enhanced_ensemble(params: Mapping[str, Any] | None = None) -> Subject:
    """Return the same with weights per market context, which it learns."""
    return ensemble(params, {"kind": ENHANCED}, "enhanced_ensemble")


def pipeline() -> Subject:
    """Return the features of every shipped indicator together."""
    kinds = [{"kind": k} for k in registry.kinds(PREFIX + "indicators")]
    made = FeaturePipeline(kinds)

    def stream(view: View, witness: Witness) -> Columns:
        thing = FeaturePipeline(kinds)
        return gather(made.names, _walk(view.bars, thing.update, witness))

    return Subject("features", "pipeline", {STREAM: stream}, warmup_bars=made.warmup_bars)


def of_function(kind: str, function: Callable[[BarFrame], Any]) -> Subject:
    """Return a stranger's function from a frame to arrays, one value per bar."""

    def batch(view: View, _: Witness) -> Columns:
        return from_any(function(view.frame), len(view), kind)

    return Subject("function", kind, {BATCH: batch})


_OPINION = ("direction", "confidence")
_VIEW = ("label", *(f"p_{r}" for r in REGIMES), "confidence", "native_label")
_Feed = tuple[str, Sequence[str], Callable[[Any], Sequence[Any]]]


def _indicator_feed(sample: Any) -> _Feed:
    return "bars", tuple(sample.names), tuple


def _detector_feed(_: Any) -> _Feed:
    return "observations", _VIEW, lambda a: (a.label, *a.probabilities, a.confidence, a.native_label)


def _predictor_feed(_: Any) -> _Feed:
    return "samples", ("probability_up",), lambda out: (out[0],)


def _strategy_feed(_: Any) -> _Feed:
    return "markets", (*_OPINION, "horizon_bars"), lambda o: (o.direction, o.confidence, o.horizon_bars)


# what a family is fed, what it says, and how an output becomes one row
_FEEDS: Final[dict[str, Callable[[Any], _Feed]]] = {
    "indicators": _indicator_feed, "regime": _detector_feed, "learning": _predictor_feed,
    "strategies": _strategy_feed,
}  # fmt: skip


def _streamed(
    make: Callable[[Witness], Any],
    inputs: str,
    names: Sequence[str],
    row: Callable[[Any], Sequence[Any]],
) -> Form:
    def stream(view: View, witness: Witness) -> Columns:
        update = make(witness).update
        return gather(names, _walk(getattr(view, inputs), lambda x: tuple(row(update(x))), witness))

    return stream


def _batched(make: Callable[[Witness], Any], names: Sequence[str], reads: bool) -> Form:
    def batch(view: View, witness: Witness) -> Columns:
        # one that reads regimes or predictions gets columns of them beside the bars
        found = make(witness).batch(MarketColumns.from_markets(view.markets) if reads else view.frame)
        if not hasattr(found, "keys") and not hasattr(found, "columns") and len(found) == len(names):
            found = dict(zip(names, found, strict=True))
        return from_any(found, len(view), "batch")

    return batch


def _walk(items: Sequence[Any], update: Callable[[Any], Any], witness: Witness) -> list[Any]:
    out = []
    for k, x in enumerate(items):
        witness.bar = k
        out.append(update(x))
    return out


def _overrides(cls: type[Any], base: type[Any], name: str) -> bool:
    return getattr(cls, name, None) is not getattr(base, name, None)


def has_refit(thing: Any, depth: int = 4) -> bool:
    """Tell whether a component is fitted from time to time, itself or in one of its parts."""
    if isinstance(thing, Refit):
        return True
    if depth == 0:
        return False
    if isinstance(thing, Stateful):
        return any(has_refit(v, depth - 1) for v in vars(thing).values())
    if isinstance(thing, dict):
        return any(has_refit(v, depth - 1) for v in thing.values())
    return isinstance(thing, list | tuple) and any(has_refit(v, depth - 1) for v in thing)
