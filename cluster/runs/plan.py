"""From configuration and bars to a run that either host can execute."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actors.agents.fleet import default_fleet
from actors.domain import registry
from actors.domain.agent_params import checked
from actors.domain.errors import ConfigError, DataError, InvalidParamsError
from actors.domain.features.pipeline import feature_names
from actors.domain.model.bars import BarFrame
from actors.domain.model.instrument import Instrument
from actors.domain.model.timeframe import parse_timeframe
from actors.domain.model.timerange import TimeRange
from actors.runtime.build import RunSettings
from actors.runtime.graph import FleetGraph
from actors.runtime.slices import SliceFeed
from config.contradictions import across
from config.load import ResolvedConfig
from config.schema import Config, blocks, components

WORKER_ENV: Mapping[str, str] = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""Reductions must not depend on the number of threads."""


@dataclass(frozen=True)
class RunPlan:
    """All that a host needs, and all that a result names."""

    run_id: str
    config: ResolvedConfig
    graph: FleetGraph
    settings: RunSettings
    feed: SliceFeed
    run_dir: Path
    data_hash: str
    notes: tuple[str, ...] = ()

    @property
    def pairs(self) -> tuple[str, ...]:
        """Pairs of the run in order."""
        return tuple(self.feed.frames)

    @property
    def journal_url(self) -> str:
        """Where the journal lies."""
        return self.settings.journal_url


def validate_components(config: Config) -> None:
    """Check the parameters of every configured component.

    Raises
    ------
    ConfigError
        With all problems and their paths at once.
    """
    problems, known = [], []
    for ref in components(config):
        try:
            params = registry.validate(ref.package, ref.kind, ref.params)
            known.append((ref.path, ref.kind, params.model_dump()))
        except ConfigError as e:
            problems.append(f"{ref.path}: {e.message}")
    for ref in blocks(config):
        try:
            checked(registry.load(ref.package, ref.kind), ref.params, ref.path)
        except ConfigError as e:
            problems.append(e.message)
    problems += [str(p) for p in across(known)]
    if problems:
        raise InvalidParamsError("COMPONENTS_INVALID", "configuration:\n  " + "\n  ".join(problems))


def instruments(config: Config, pairs: Sequence[str]) -> dict[str, Instrument]:
    """Return the instruments of the run's pairs."""
    out = {}
    for pair in pairs:
        rules = config.instruments.rules(pair)
        out[pair] = Instrument(pair=pair, tick=rules.tick, lot=rules.lot, min_notional=rules.min_notional)
    quotes = sorted({i.quote for i in out.values()})
    if quotes != [config.account.quote]:
        raise ConfigError(
            "QUOTE_MISMATCH",
            f"pairs: expected all quoted in the account's {config.account.quote}, found {', '.join(quotes)}; "
            "set account.quote",
        )
    return out


def combined_hash(frames: Mapping[str, BarFrame]) -> str:
    """Return one hash of all bars of a run."""
    text = "\n".join(f"{pair}:{frame.data_hash}" for pair, frame in frames.items())
    return hashlib.sha256(text.encode()).hexdigest()


def cut(frame: BarFrame, span: TimeRange, max_warmup_bars: int | None) -> BarFrame:
    """Return the bars of a range and the warm-up before it.

    Raises
    ------
    DataError
        If no bar lies in the range.
    """
    inside = frame.slice_time(span.start_ns, span.end_ns)
    if len(inside) == 0:
        raise DataError(
            "RANGE_EMPTY", f"{frame.pair}: expected bars in {span}, found data {frame!r}", pair=frame.pair
        )
    if span.start_ns is None:
        return inside
    before = frame.slice_time(None, span.start_ns)
    keep = len(before) if max_warmup_bars is None else min(len(before), max_warmup_bars)
    start = before.open_ns[len(before) - keep] if keep else span.start_ns
    return frame.slice_time(int(start), span.end_ns)


def build_plan(
    config: ResolvedConfig,
    frames: Mapping[str, BarFrame],
    span: TimeRange,
    *,
    run_id: str,
    run_dir: Path,
    key_path: Path,
    journal: bool = True,
    notes: Sequence[str] = (),
) -> RunPlan:
    """Return the plan of a run over `frames`.

    Raises
    ------
    ConfigError, DataError
        If anything contradicts; nothing has been started then.
    """
    model = config.model
    validate_components(model)
    pieces = {p: cut(f, span, model.data.max_warmup_bars) for p, f in frames.items()}
    feed = SliceFeed(pieces, span.start_ns)
    if feed.warmup_steps >= len(feed):
        raise DataError("RANGE_EMPTY", f"timerange: expected bars to decide on in {span}, found warm-up only")
    plain: dict[str, Any] = model.model_dump(mode="json")
    graph = FleetGraph(default_fleet(plain, feature_names(plain["features"]["indicators"])))
    url = "" if not journal else (model.journal.url or f"sqlite:///{run_dir / 'journal.sqlite'}")
    settings = RunSettings(
        run_id=run_id,
        seed=model.seed,
        timeframe_ns=parse_timeframe(model.timeframe),
        instruments=instruments(model, list(pieces)),
        snapshot_dir=str(run_dir / "snapshots") if journal else "",
        key_path=str(key_path) if journal else "",
        journal_url=url,
        config_hash=config.content_hash,
        kernel_backend=model.kernels.backend,
        require_native=model.kernels.require_native,
        env=dict(WORKER_ENV),
    )
    return RunPlan(
        run_id=run_id, config=config, graph=graph, settings=settings, feed=feed, run_dir=run_dir,
        data_hash=combined_hash(pieces), notes=tuple(notes),
    )  # fmt: skip
