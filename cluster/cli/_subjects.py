"""What `lookahead-analysis` and `recursive-analysis` look at: shipped components, and a user's own in any form."""

from __future__ import annotations

import argparse
import contextlib
import functools
import hashlib
import importlib
import importlib.util
import inspect
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from actors.agents.features import FeaturesAgent
from actors.domain import registry
from actors.domain.causality import subjects
from actors.domain.causality.columns import Columns, from_any, gather
from actors.domain.causality.market import View
from actors.domain.causality.subjects import BATCH, FAMILIES, PREFIX, STREAM, Subject
from actors.domain.causality.witness import Witness
from actors.domain.errors import ConfigError, UnknownComponentError
from actors.domain.events.features import FeaturesComputed, FeatureSetRevised
from actors.domain.model.bars import VALUE_COLUMNS
from actors.domain.model.instrument import Instrument
from actors.domain.model.timeframe import format_timeframe
from actors.domain.model.timerange import TimeRange
from actors.domain.processor import AgentContext, Step
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.cli import common
from config.load import ResolvedConfig


def add_arguments(parser: argparse.ArgumentParser, bars: int) -> None:
    """Flags that both verbs share."""
    common.add_market(parser)
    parser.add_argument(
        "--bars",
        type=int,
        default=bars,
        metavar="N",
        help=f"last N bars of the data (0: all of them), or of a synthetic market; default {bars}",
    )


def views(args: argparse.Namespace) -> tuple[dict[str, View], ResolvedConfig, list[str], dict[str, Any]]:
    """Return the series to look at by pair, the configuration, notes, and the head of the document.

    Without ``--data`` it is one pair of the synthetic market.
    """
    if args.bars < 0:
        raise ConfigError("BARS", f"--bars: expected 0 or more, found {args.bars}")
    # -s may name other things than strategies here, so it is not the configuration's
    config = common.configuration(
        argparse.Namespace(**{**vars(args), "strategy": [], "set": _other_sets(args)}), "paper"
    )
    notes: list[str] = []
    if args.data:
        frames, _, notes = common.load_frames(args, config)
        span: TimeRange = common.timerange(args)
        frames = {p: f.slice_time(span.start_ns, span.end_ns) for p, f in frames.items()}
        frames = {
            p: f.slice_rows(max(0, len(f) - args.bars), None) if args.bars else f for p, f in frames.items()
        }
    else:
        made = generate(SyntheticParams(n_bars=args.bars or 1500), config.model.seed)
        pair, frame = next(iter(made.frames.items()))
        frames = {pair: frame}
        notes.append("synthetic market: made by a generator, not traded anywhere")
    digest = hashlib.sha256("\n".join(f"{p}:{f.data_hash}" for p, f in frames.items()).encode()).hexdigest()
    head = {"seed": config.model.seed, "config_hash": config.content_hash, "data_hash": digest}
    return {pair: View(frame) for pair, frame in frames.items()}, config, notes, head


def chosen(args: argparse.Namespace, config: ResolvedConfig) -> list[Subject]:
    """Return what ``-s`` names, or everything that is shipped.

    ``-s`` takes a kind (``rsi``: in every family that has it; ``indicators.rsi``), ``module:Name`` or
    ``FILE.py[:Name]``: a strategy, indicator, detector or predictor class, a strategy class in freqtrade's style,
    or a function from a frame of bars to one value per bar.

    Raises
    ------
    ConfigError
        If a name means nothing, or a file cannot be loaded.
    """
    params = _params(args)
    if not args.strategy:
        return [*subjects.discover(), selection(config.model.model_dump(mode="json")["features"])]
    return [s for name in args.strategy for s in _named(name, params, config)]


def _other_sets(args: argparse.Namespace) -> list[str]:
    return [s for s in args.set if not s.startswith("strategy.")]


def _params(args: argparse.Namespace) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for item in args.set:
        key, sep, text = item.removeprefix("strategy.").partition("=")
        if item.startswith("strategy."):
            if not sep or not args.strategy:
                raise ConfigError("SET_SYNTAX", f"--set {item}: expected strategy.KEY=VALUE beside -s")
            out[key] = yaml.safe_load(text)
    return out


def _named(name: str, params: Mapping[str, Any], config: ResolvedConfig) -> Iterator[Subject]:
    path, _, member = name.partition(":")
    if path.endswith(".py"):
        yield from _of_file(Path(path).expanduser(), member, params)
        return
    if ":" in name:
        try:
            thing = getattr(importlib.import_module(path), member)
        except (ImportError, AttributeError) as e:
            raise UnknownComponentError(
                "COMPONENT_UNKNOWN", f"-s {name}: expected module:Name that can be imported, found {e}"
            ) from e
        yield of_thing(name, thing, params)
        return
    family, _, kind = name.rpartition(".")
    makers: dict[tuple[str, str], Callable[[], Subject]] = {
        ("features", "pipeline"): subjects.pipeline,
        ("regime", "ensemble"): subjects.ensemble,
        ("regime", "enhanced_ensemble"): subjects.enhanced_ensemble,
        ("features", "selection"): lambda: selection(config.model.model_dump(mode="json")["features"]),
    }
    for one in FAMILIES:
        for k in registry.kinds(PREFIX + one):
            makers[one, k] = functools.partial(subjects.of_kind, one, k, params)
    wanted = [make for (f, k), make in makers.items() if k == kind and family in ("", f)]
    if not wanted:
        raise UnknownComponentError(
            "COMPONENT_UNKNOWN",
            f"-s {name}: expected a kind, module:Name or FILE.py[:Name]; kinds: "
            + ", ".join(f"{f}.{k}" for f, k in makers),
        )
    for make in wanted:
        yield make()


def of_thing(name: str, thing: Any, params: Mapping[str, Any]) -> Subject:
    """Return a user's class or function as a subject; a function gets a `BarFrame`.

    Raises
    ------
    ConfigError
        If it is nothing that can be analysed.
    """
    if isinstance(thing, type):
        family = subjects.family_of(thing)
        if family is not None:
            return subjects.of_class(family, name, thing, _valid(family, thing, params))
        if _is_freqtrade(thing):
            from actors.adapters.freqtrade import loader

            return _freqtrade(name, lambda: loader.instance(thing, config=loader.ANYWHERE))
    elif callable(thing):
        return subjects.of_function(name, thing)
    raise UnknownComponentError(
        "COMPONENT_UNKNOWN",
        f"-s {name}: expected a strategy, indicator, detector or predictor class, a class in freqtrade's style or a "
        f"function of a frame, found {thing!r}",
    )


def _valid(family: str, cls: type[Any], params: Mapping[str, Any]) -> Any:
    return registry.validate(PREFIX + family, f"{cls.__module__}:{cls.__qualname__}", params)


def _of_file(file: Path, member: str, params: Mapping[str, Any]) -> Iterator[Subject]:
    if not file.is_file():
        raise ConfigError("STRATEGY_FILE", f"-s {file}: expected a Python file, found none")
    if "IStrategy" in file.read_text(encoding="utf-8"):
        from actors.adapters.freqtrade import loader

        first = loader.load_strategy(file, member or None, params=params, config=loader.ANYWHERE)
        cls = type(first)
        yield _freqtrade(
            f"{file.name}:{cls.__name__}",
            lambda: loader.instance(cls, file, params=params, config=loader.ANYWHERE),
        )
        return
    module = _module(file)
    names = [member] if member else _members(module)
    for one in names:
        if not hasattr(module, one):
            raise UnknownComponentError("COMPONENT_UNKNOWN", f"-s {file}:{one}: no such name in the file")
        yield of_thing(f"{file.name}:{one}", getattr(module, one), params)
    if not names:
        raise UnknownComponentError(
            "COMPONENT_UNKNOWN",
            f"-s {file}: expected a component class or a public function of one argument, found neither",
        )


def _members(module: ModuleType) -> list[str]:
    """Names of the component classes of a file, and of its public functions of one argument."""
    own = {
        n: v for n, v in vars(module).items()
        if getattr(v, "__module__", "") == module.__name__ and not n.startswith("_")
    }  # fmt: skip
    return [
        n for n, v in own.items()
        if (isinstance(v, type) and subjects.family_of(v) is not None) or (inspect.isfunction(v) and _of_one(v))
    ]  # fmt: skip


def _of_one(function: Callable[..., Any]) -> bool:
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    return len(needed) == 1 and needed[0].kind in (needed[0].POSITIONAL_ONLY, needed[0].POSITIONAL_OR_KEYWORD)


def _module(file: Path) -> ModuleType:
    name = f"tradewind_user_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ConfigError("STRATEGY_FILE", f"-s {file}: expected a Python file (.py)")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as e:
        raise ConfigError("STRATEGY_FILE", f"-s {file}: {type(e).__name__} while it was loaded: {e}") from e
    return module


def _is_freqtrade(thing: type[Any]) -> bool:
    return hasattr(thing, "populate_indicators") and hasattr(thing, "populate_entry_trend")


def _freqtrade(name: str, make: Any) -> Subject:
    """A class in freqtrade's style: every column that it adds to the bars is an output."""
    from actors.adapters.freqtrade import columns as ft

    def batch(view: View, _: Witness) -> Columns:
        strategy = make()
        strategy.timeframe = format_timeframe(view.frame.timeframe_ns)
        out = ft.analyse(strategy, view.frame)
        added = [c for c in out.columns if c not in ("date", *VALUE_COLUMNS)]
        return from_any(out[added], len(view), name)

    declared = int(make().startup_candle_count)
    return Subject("freqtrade", name, {BATCH: batch}, warmup_bars=declared or None)


def selection(settings: Mapping[str, Any]) -> Subject:
    """The features agent of the fleet: configured indicators, and the walk-forward choice of columns."""
    params = {"indicators": settings["indicators"], "selection": settings.get("selection")}
    names = FeaturesAgent.feature_names(params["indicators"])

    def stream(view: View, witness: Witness) -> Columns:
        pair = view.frame.pair
        context = AgentContext("features", {pair: Instrument(pair=pair)}, 1, 7, witness)
        agent, rows, selected = FeaturesAgent(context, **params), [], ""
        for k, (step, bar) in enumerate(zip(view.steps, view.bars, strict=True)):
            witness.bar = k
            for event in agent.process(Step(step, bar.close_ns, (bar,))):
                if isinstance(event, FeatureSetRevised):
                    selected = " ".join(event.selected)
                elif isinstance(event, FeaturesComputed):
                    values = event.values
            rows.append((*values, selected))
        return gather([*names, "selected"], rows)

    return Subject("features", "selection", {STREAM: stream}, learns=True)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as aligned text."""
    widths = [max(len(r[k]) for r in rows) for k in range(len(rows[0]))] if rows else []
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows)


def stdout_kept() -> contextlib.AbstractContextManager[Any]:
    """Send what a user's code prints to stderr: stdout is for the result."""
    return contextlib.redirect_stdout(sys.stderr)


@contextlib.contextmanager
def progress(args: argparse.Namespace, verb: str, total: int) -> Iterator[Callable[[str], None]]:
    """Yield what is told the name of each piece of work as it begins: a bar on a terminal, else a line now and then."""
    if args.no_progress:
        yield lambda _: None
    elif not sys.stderr.isatty():
        yield _Lines(verb, total)
    else:
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True)) as bars:
            task = bars.add_task(verb, total=total)
            done = 0

            def show(name: str) -> None:
                nonlocal done
                bars.update(task, completed=done, description=name)
                done += 1

            yield show
            bars.update(task, completed=total, description=verb)


class _Lines:
    """A line every few seconds, for pipes and logs."""

    def __init__(self, verb: str, total: int) -> None:
        self._verb, self._total, self._done = verb, total, 0
        self._next = time.monotonic() + 3.0

    def __call__(self, name: str) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 3.0
            sys.stderr.write(f"{self._verb}: {self._done} of {self._total} done, now {name}\n")
        self._done += 1
