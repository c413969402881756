"""From a finished run to its JSON result, its stored files and its report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from actors.adapters.feeds.files import LoadedBars
from actors.adapters.feeds.report import Finding
from actors.domain import kernels
from actors.domain.evaluation.metrics.deflated import Trials
from actors.domain.evaluation.report_model import (
    AgentRow,
    DataSource,
    ReportModel,
    RunInfo,
    SwitchRow,
    encode,
)
from actors.domain.model.timeframe import format_timeframe
from actors.domain.model.timerange import format_ns
from actors.ops.report.html import build_report
from cluster import __version__
from cluster.runs.costs import costs_of
from cluster.runs.detail import detail_notes, detail_result
from cluster.runs.execute import Finished
from cluster.runs.plan import RunPlan
from config.schema import Config

Truth = Mapping[str, Mapping[int, str]]
IMPLAUSIBLE = "IMPLAUSIBLE:"
"""Beginning of the notes that no reader may miss."""


def head(plan: RunPlan) -> dict[str, Any]:
    """Return the head fields of the JSON document."""
    return {
        "seed": plan.settings.seed,
        "config_hash": plan.config.content_hash,
        "data_hash": plan.data_hash,
        "kernel_backend": kernels.backend().name,
    }


def sources(plan: RunPlan, loaded: Mapping[str, Sequence[LoadedBars]]) -> list[DataSource]:
    """Return where each pair's bars came from and what is wrong with them."""
    out = []
    for pair, frame in plan.feed.frames.items():
        gaps = frame.gaps()
        missing = sum(g.missing for g in gaps)
        defects = [_defect(w) for item in loaded.get(pair, ()) for w in item.report.warnings]
        out.append(
            DataSource(
                pair=pair, source=Path(frame.source).name or frame.source, rows=len(frame),
                first_ns=frame.start_ns, last_ns=frame.end_ns, synthetic=frame.synthetic, gaps=len(gaps),
                missing_frac=missing / (len(frame) + missing), defects=tuple(defects),
            )
        )  # fmt: skip
    return out


def _defect(finding: Finding) -> str:
    """Return a defect in one sentence: what and how often; where is for the data check to tell."""
    return finding.message if finding.message.startswith("found ") else f"{finding.count} {finding.message}"


def report_model(
    finished: Finished,
    *,
    title: str,
    mode: str,
    started_s: float,
    loaded: Mapping[str, Sequence[LoadedBars]] | None = None,
    truth: Truth | None = None,
    notes: Sequence[str] = (),
) -> ReportModel:
    """Return everything the report of a run shows."""
    plan, recorder = finished.plan, finished.recorder
    info = kernels.backend()
    restarts = finished.extra.get("platform", {}).get("supervision", {}).get("restarts", {})
    return recorder.record.report(
        RunInfo(
            title=title, mode=mode, host=finished.host, pairs=plan.pairs,
            timeframe=format_timeframe(plan.settings.timeframe_ns), seed=plan.settings.seed,
            kernel_backend=info.name, kernel_reason=info.reason,
            synthetic=any(f.synthetic for f in plan.feed.frames.values()), version=__version__,
            run_id=plan.run_id, config_hash=plan.config.content_hash, data_hash=plan.data_hash,
            decision_hash=recorder.log.digest(),
            started_at=datetime.fromtimestamp(started_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            duration_s=round(finished.wall_s, 3), warmup_bars=plan.feed.warmup_steps,
            decisions=recorder.log.count, quote_currency=plan.config.model.account.quote,
        ),
        sources=sources(plan, loaded or {}),
        agents=[
            AgentRow(name=a["name"], kind=a["kind"], pid=a["pid"], restarts=restarts.get(a["name"], 0))
            for a in finished.agents
        ],
        config=plan.config.model.model_dump(mode="json"),
        truth=truth,
        trials=trials_of(plan.config.model),
        notes=[*plan.notes, *notes, *detail_notes(detail_of_run(finished)), *lost_notes(finished)],
    )  # fmt: skip


def lost_notes(finished: Finished) -> list[str]:
    """Return a sentence for each agent that the run had to go on without."""
    return [
        f"LOST: agent {name} was given up and is missing from step {step} on; the breaker agent_lost tripped"
        for name, step in finished.extra.get("missing_from", {}).items()
    ]


def trials_of(config: Config) -> Trials | None:
    """Return among how many trials the parameters were chosen, if their study says so."""
    found = config.provenance
    return None if found is None else Trials(found.trials, found.sharpe_variance)


def run_result(finished: Finished) -> dict[str, Any]:
    """Return the result keys that every run reports."""
    plan, record = finished.plan, finished.recorder.record
    counts = record.counts
    account = last_account(finished)
    return {
        "run_id": plan.run_id,
        "host": finished.host,
        "bars": plan.feed.bar_count,
        "warmup_bars": plan.feed.warmup_steps,
        "decisions": finished.recorder.log.count,
        "orders": counts["orders"],
        "fills": counts["fills"],
        "trade_count": len(record.trades),
        "decision_hash": finished.recorder.log.digest(),
        "metrics": record.metrics(),
        "provenance": None
        if plan.config.model.provenance is None
        else plan.config.model.provenance.model_dump(),
        "costs": costs_of(plan.config.model, record.cost_book),
        "detail": detail_of_run(finished),
        "switches": [switch_row(s) for s in record.switches],
        "agents": finished.agents,
        **account,
    }


def switch_row(switch: SwitchRow) -> dict[str, Any]:
    """Return a switch of parameters under the names of the JSON result."""
    return {
        "at": format_ns(switch.ts_ns), "pair": switch.pair, "strategy": switch.strategy, "from": switch.previous,
        "to": switch.chosen, "regime": switch.regime, "confidence": switch.confidence, "why": switch.reason,
        "params": json.loads(switch.parameters),
    }  # fmt: skip


def detail_of_run(finished: Finished) -> dict[str, Any] | None:
    """Return where finer bars told the order of what happened inside a bar, and where not; None without them."""
    series, _ = finished.recorder.record.curves
    return detail_result(finished.plan.feed, {pair: [f.ts_ns for f in s.fills] for pair, s in series.items()})


def last_account(finished: Finished) -> dict[str, Any]:
    """Return positions at the end, decimal strings by pair."""
    record = finished.recorder.record
    return {"positions": dict(record.positions), "open_orders": sorted(record.open_orders)}


def store(finished: Finished, model: ReportModel, result: Mapping[str, Any], folder: Path) -> Path:
    """Write the report model, the result and the HTML page of a run; return the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_bytes(encode(model))
    (folder / "result.json").write_text(json.dumps(dict(result), default=str, indent=1), encoding="utf-8")
    return build_report(model, folder / "report.html")
