"""Regimes of a run whose fleet has no detectors: observed beside it, for the report only.

A strategy that reads bars alone is decided without detectors; what it earned in which regime is still worth
knowing. The quick detectors of the default fleet (volatility and trend, pooled by the same ensemble) label the
same bars causally; no decision hears them.
"""

from __future__ import annotations

from actors.agents.regime import EnsembleAgent, RegimeAgent
from actors.domain.evaluation.run_record import RunRecord
from actors.domain.events.regime import RegimeAssessed
from actors.domain.fitting import InlineFits
from actors.domain.processor import AgentContext, Step
from cluster.runs.plan import RunPlan

OBSERVERS = ("volatility", "trend")
NOTE = f"regimes are observed beside the run ({' and '.join(OBSERVERS)}); no decision depends on them"
_BLOCK = 512


def observe(plan: RunPlan, record: RunRecord) -> None:
    """Write the observed regime of every decision bar into the record's series."""
    settings = plan.settings

    def context(name: str) -> AgentContext:
        return AgentContext(name, settings.instruments, settings.timeframe_ns, settings.seed, InlineFits())

    detectors = [RegimeAgent(context(f"regime-{kind}"), kind) for kind in OBSERVERS]
    ensemble = EnsembleAgent(context("regime-ensemble"), [d.name for d in detectors])
    labels: dict[str, dict[int, str]] = {pair: {} for pair in plan.pairs}
    series, _ = record.curves
    record.regimes.observed = True
    at: dict[int, dict[str, int]] = {}
    for pair, one in series.items():
        for index, ts in enumerate(one.ts_ns):
            at.setdefault(ts, {})[pair] = index
    for begin in range(0, len(plan.feed), _BLOCK):
        for item in plan.feed.block(begin, begin + _BLOCK):
            k, ts = item.step, item.ts_event_ns
            step = Step(k, ts, item.events, item.warmup)
            views = tuple(view for d in detectors for view in d.process(step))
            agreed = [
                e for e in ensemble.process(Step(k, ts, views, item.warmup)) if isinstance(e, RegimeAssessed)
            ]
            for event in agreed:
                labels[event.instrument_id or ""][ts] = event.label
            for said in (*views, *agreed):
                if isinstance(said, RegimeAssessed):
                    record.regimes.take(said, item.warmup)
            record.regimes.close_step(at.get(ts, {}))
    for pair, one in series.items():
        one.detected = [labels[pair].get(ts, "") for ts in one.ts_ns]
