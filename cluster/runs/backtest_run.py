"""The run of the verb from flags to outcome: configuration, bars, plan, result, files; new or made again."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from actors.domain import kernels
from actors.domain.errors import ConfigError
from cluster.cli import common
from cluster.cli.common import Outcome
from cluster.runs import backtest_rerun as again
from cluster.runs import backtest_store as stored
from cluster.runs import perpetual, session
from cluster.runs.backtest import DECISIONS, DONE, Backtest, run_events, run_fast
from cluster.runs.backtest_export import (
    Span,
    export_equity,
    export_trades,
    marked_windows,
    read_windows,
    table_format,
)
from cluster.runs.backtest_fast import obstacle
from cluster.runs.backtest_regimes import NOTE, observe
from cluster.runs.backtest_result import describe, summary
from cluster.runs.backtest_sanity import leaks, plausibility
from cluster.runs.detail import load_details
from cluster.runs.plan import RunPlan
from cluster.runs.result import head, store
from cluster.runs.session import Market

_NOT_AGAIN = ("pairs", "timeframe", "strategy", "config", "set", "seed", "fee", "timeframe_detail")
_KEPT_RESULT = ("decision_hash", "metrics", "trades", "positions", "decisions", "orders", "fills")


@dataclass
class Job:
    """A backtest about to run.

    Attributes
    ----------
    folder : Path
        Where result, report, record and decision log go.
    record : dict
        What makes it repeatable; see `backtest_store.run_record`.
    of : Path or None
        Folder of the run that this one repeats.
    windows : list of spans
        To be marked in result and report.
    """

    args: argparse.Namespace
    plan: RunPlan
    market: Market
    folder: Path
    record: dict[str, Any] = field(default_factory=dict)
    of: Path | None = None
    windows: list[Span] = field(default_factory=list)


def prepare(args: argparse.Namespace) -> Job:
    """Return the job that the flags describe.

    Raises
    ------
    ConfigError, DataError
        Before anything is computed.
    """
    for name in (args.export_trades, args.export_equity):
        if name is not None:
            table_format(name)
    root, of = common.userdir(args) / "results", None
    if args.rerun is not None:
        given = [n for n in _NOT_AGAIN if getattr(args, n)]
        if given or args.timerange != "-":
            raise ConfigError(
                "RERUN_FLAGS",
                "--rerun: expected none of the flags that choose a run beside it (only --data, where the files "
                f"have moved), found {', '.join(given) or 'timerange'}",
            )
        of, then = stored.find(root, args.rerun)
        args = argparse.Namespace(**vars(args))
        for name, value in then["args"].items():
            if name not in (*again.FILES, "windows") or not getattr(args, name):
                setattr(args, name, value)
        config = again.configured(then)
    else:
        config = common.configuration(args, "backtest")
    # before anything is computed: a file that cannot be read must not cost the result
    spans = read_windows(args.windows) if args.windows else []
    frames, loaded, notes = common.load_frames(args, config)
    market = Market(
        frames, loaded, notes, details=load_details(args.data, config.model, frames),
        perpetuals=perpetual.load(args, config.model),
    )  # fmt: skip
    plan = session.make_plan(
        args, config, market, common.timerange(args), session.new_run_id(), journal=False
    )
    return Job(args, plan, market, root / plan.run_id, of=of, windows=spans)


def execute(job: Job) -> Backtest:
    """Compute a job; its record and decision log go to its folder, whatever happens."""
    args, plan, folder = job.args, job.plan, job.folder
    kept = again.kept_args(args, session.absolute_data)
    kept["windows"] = session.absolute(args.windows) if args.windows else None
    why = obstacle(plan) if args.path != "event" else "--path event"
    if why is not None and args.path == "fast":
        raise ConfigError(
            "PATH_FAST",
            f"--path fast: expected a plan that can be computed in columns, found: {why}; use --path auto",
        )
    kernels.select_backend(plan.settings.kernel_backend, require_native=plan.settings.require_native)
    folder.mkdir(parents=True, exist_ok=True)
    job.record = stored.run_record(plan, kept, "fast" if why is None else "event")
    stored.save(folder, job.record)
    if why is None:
        backtest = run_fast(args, plan, folder / DECISIONS)
    else:
        backtest = run_events(args, plan, folder / DECISIONS)
        if args.path == "auto":
            backtest.notes = (f"computed on the event path: {why}",)
    stored.pack_log(folder / DECISIONS)
    return backtest


def conclude(job: Job, backtest: Backtest, began: float) -> Outcome:
    """Write result, report, record and exports of a backtest; return the verb's outcome."""
    args, folder = job.args, job.folder
    finished = backtest.finished
    plan, record = finished.plan, finished.recorder.record
    if not plan.config.model.regime.detectors and not args.no_regimes:
        observe(plan, record)
        backtest.notes += (NOTE,)
    series, account = record.curves
    groups = backtest.attribution.groups(
        series, account, plan.settings.timeframe_ns, total_pnl_quote=record.total_pnl_quote,
        fees_quote=record.costs.fees_quote,
    )  # fmt: skip
    windows = marked_windows(job.windows, account, plan.settings.timeframe_ns)
    names = ", ".join(s.kind for s in plan.config.model.strategies)
    sanity = plausibility(plan, record.metrics())
    result, model = describe(
        backtest, groups, backtest.attribution.leaders, windows=windows, sanity=sanity,
        title=f"Tradewind backtest: {names}", mode="backtest", started_s=began, loaded=job.market.loaded,
    )  # fmt: skip
    result["report"] = str(folder / "report.html")
    result["exports"] = [
        str(Path(p).expanduser().resolve()) for p in (args.export_trades, args.export_equity) if p
    ]
    outcome = common.plain({k: result[k] for k in _KEPT_RESULT})
    stored.save(folder, job.record | {"status": backtest.status, "path": backtest.path, "result": outcome})
    text, ok = [summary(result, folder, plan.config.model.account.quote)], not leaks(sanity)
    if job.of is not None:
        result["rerun"] = found = again.compare(job.of, folder)
        ok = ok and found["equal"] and backtest.status == DONE
        text += again.lines(found)
    store(finished, model, result, folder)
    # last: a file that cannot be written must not cost the result
    if args.export_trades:
        export_trades(result["trades"], args.export_trades)
    if args.export_equity:
        export_equity(account, plan.pairs, args.export_equity)
    return Outcome(result, ok=ok, text="\n".join(text), head=head(plan))
