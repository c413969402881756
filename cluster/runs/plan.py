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
from actors.domain.evaluation.regime_trace import STAY
from actors.domain.features.pipeline import feature_names
from actors.domain.model.bars import BarFrame
from actors.domain.model.detail import BarDetail
from actors.domain.model.instrument import Instrument
from actors.domain.model.timeframe import parse_timeframe
from actors.domain.model.timerange import TimeRange, format_ns
from actors.runtime.build import RunSettings
from actors.runtime.graph import FleetGraph
from actors.runtime.slices import SliceFeed
from cluster.runs.perpetual import NONE, Perpetuals, complete
from cluster.runs.sentiment import headlines, unused
from cluster.runs.ticks import coarse_ticks
from config.contradictions import across, adaptive_contradictions, exit_contradictions
from config.load import ResolvedConfig
from config.parts import blocks, components
from config.schema import Config, StrategyComponent, in_freqtrade_style

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
    problems += [
        str(p) for p in (*across(known), *exit_contradictions(config), *adaptive_contradictions(config))
    ]
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


def combined_hash(
    frames: Mapping[str, BarFrame], details: Mapping[str, BarDetail], more: Sequence[str] = ()
) -> str:
    """Return one hash of all bars of a run, finer ones included, and of further lines that name what else it reads."""
    text = "\n".join(
        [
            *(f"{pair}:{frame.data_hash}" for pair, frame in frames.items()),
            *(f"{pair}/detail:{_inside(frames[pair], d).data_hash}" for pair, d in details.items()),
            *more,
        ]
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _inside(frame: BarFrame, detail: BarDetail) -> BarFrame:
    return detail.bars.slice_time(frame.start_ns, frame.end_ns)


def stay_probability(config: Config) -> float:
    """Return the stay probability of the regime ensemble's filter, as the configuration or its default has it."""
    return float(config.regime.ensemble.get("stay_probability", STAY))


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
            "RANGE_EMPTY",
            f"{frame.pair}: expected bars in --timerange {span}, found bars from {format_ns(frame.start_ns)} to "
            f"{format_ns(frame.end_ns)} only; choose another range or other data",
            pair=frame.pair,
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
    details: Mapping[str, BarDetail] | None = None,
    perpetuals: Perpetuals = NONE,
) -> RunPlan:
    """Return the plan of a run over `frames`; `details` are the finer bars that the configuration asks for.

    Raises
    ------
    ConfigError, DataError
        If anything contradicts; nothing has been started then.
    """
    model = config.model
    validate_components(model)
    foreign = _freqtrade_style(model)
    pieces = {p: cut(f, span, model.data.max_warmup_bars) for p, f in frames.items()}
    if (model.timeframe_detail is not None) != bool(details):
        raise ConfigError(
            "DETAIL_UNSUPPORTED",
            "timeframe_detail: expected it for a verb that settles orders by finer bars (backtesting, trade, parity, "
            f"chaos), found {'no' if not details else 'such'} bars here; leave it out",
        )
    rules = instruments(model, list(pieces))
    notes = (*notes, *coarse_ticks(pieces, rules))
    carried = complete(perpetuals, model, pieces, span.start_ns)
    news, news_hashes, news_notes = headlines(model.sentiment)
    feed = SliceFeed(
        pieces, span.start_ns, details, funding=carried.funding, marks=carried.marks, headlines=news
    )
    notes = (*notes, *news_notes, *unused(model.sentiment.sources, len(feed.headlines), len(news)))
    if feed.warmup_steps >= len(feed):
        raise DataError(
            "RANGE_EMPTY", f"--timerange: expected bars to decide on in {span}, found warm-up only"
        )
    plain: dict[str, Any] = model.model_dump(mode="json")
    graph = FleetGraph(default_fleet(plain, feature_names(plain["features"]["indicators"])))
    url = "" if not journal else (model.journal.url or f"sqlite:///{run_dir / 'journal.sqlite'}")
    settings = RunSettings(
        run_id=run_id,
        seed=model.seed,
        timeframe_ns=parse_timeframe(model.timeframe),
        instruments=rules,
        snapshot_dir=str(run_dir / "snapshots") if journal else "",
        key_path=str(key_path) if journal else "",
        journal_url=url,
        config_hash=config.content_hash,
        kernel_backend=model.kernels.backend,
        require_native=model.kernels.require_native,
        env=dict(WORKER_ENV),
    )
    plan = RunPlan(
        run_id=run_id, config=config, graph=graph, settings=settings, feed=feed, run_dir=run_dir,
        data_hash=combined_hash(pieces, feed.details, (*carried.hashes, *news_hashes)), notes=(*notes, *carried.notes),
    )  # fmt: skip
    if foreign is None:
        return plan
    from cluster.runs.freqtrade import freqtrade_plan  # pandas and the adapter: only who needs them

    return freqtrade_plan(plan, foreign)


def _freqtrade_style(model: Config) -> StrategyComponent | None:
    """Return the strategy of freqtrade's style, None if the strategies are ours.

    Raises
    ------
    ConfigError
        If it is not alone.
    """
    found = [s for s in model.strategies if in_freqtrade_style(s.kind)]
    if found and len(model.strategies) > 1:
        raise ConfigError(
            "STRATEGY_ALONE",
            f"strategies: expected {found[0].kind} alone, since a class in freqtrade's style manages its own orders, "
            f"found {', '.join(s.kind for s in model.strategies)}; run each by itself and use report --compare",
        )
    return found[0] if found else None
