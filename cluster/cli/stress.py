"""``stress``: crises, shocks, a dying venue, and the smallest shock that breaks a limit, on the real fleet."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydantic
import yaml

from actors.domain.errors import ConfigError
from actors.domain.model.timeframe import parse_timeframe
from actors.domain.model.timerange import format_ns
from actors.domain.risk.breakers import DailyLossBreaker, DrawdownBreaker
from actors.domain.stress.extremes import ExtremeParams
from actors.domain.stress.scenario import DEFAULT_SHOCKS, Shock
from actors.ops.report.stress import build_page
from actors.runtime.fanout_items import Progress
from cluster.cli import common
from cluster.runs import session, stress_result
from cluster.runs.plan import combined_hash
from cluster.runs.pools import add_workers, pools
from cluster.runs.stress import FLEET, make_plan, read_crises, run_stress
from cluster.runs.stress_text import text_of
from cluster.runs.stress_trial import Subjects
from config.load import ResolvedConfig

HELP = (
    "Stress the fleet: real crises, injected shocks, a venue that dies; each beside the same run undisturbed."
)
EXAMPLE = (
    "tradewind stress --data BTCUSDT_1h.parquet --data ETHUSDT_1h.parquet -p BTC/USDT ETH/USDT "
    "--timerange 20230801-20231001 -j 2"
)
HORIZON_BARS = 24


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    common.add_market(parser)
    g = parser.add_argument_group("stress")
    g.add_argument("--windows", default=None, metavar="CSV",
                   help="crises: columns start, end (UTC days), event, perhaps kind; default: twelve of 2013-2023; "
                        "those that the bars do not hold are left out and named")  # fmt: skip
    g.add_argument("--shocks", default=None, metavar="FILE",
                   help="YAML or JSON list of shocks (name, kind, size_frac …); default: nine of ours")  # fmt: skip
    g.add_argument("--only", nargs="+", default=None, metavar="TEXT",
                   help="only scenarios whose name or kind contains one of these; crises are a kind")  # fmt: skip
    g.add_argument(
        "--no-strategies", action="store_true", help="the fleet only, not each of its strategies alone"
    )
    g.add_argument(
        "--no-reverse", action="store_true", help="no search for the smallest shock that breaks a limit"
    )
    add_workers(parser)


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    config = common.configuration(args, "paper")
    frames, _, notes = common.load_frames(args, config)
    kinds = [] if args.no_strategies else [s.kind for s in config.model.strategies]
    configs: dict[str, ResolvedConfig] = {FLEET: config}
    configs |= {f"strategy {kind}": _alone(args, kind) for kind in kinds if len(kinds) > 1}
    subjects = Subjects(frames, configs)
    width = parse_timeframe(config.model.timeframe)
    crises = read_crises(args.windows)
    chosen = [c for c in crises if _wanted(args.only, c.event, "crisis")]
    shocks = [s for s in read_shocks(args.shocks) if _wanted(args.only, s.name, s.kind)]
    if not chosen and not shocks:
        raise ConfigError(
            "STRESS_NOTHING", f"--only {' '.join(args.only or [])}: expected a scenario, found none"
        )
    plan = make_plan(subjects, chosen, shocks, common.timerange(args), width)
    limits = {} if args.no_reverse else loss_limits(config)
    data_hash = combined_hash(frames, {})
    heard = None if args.no_progress else _Told()

    def say(text: str) -> None:
        if not args.no_progress:
            sys.stderr.write(f"stress: {text}\n")

    with pools(args, config, heard) as make:
        pool = make(subjects)
        try:
            stressed = run_stress(
                plan, pool, strategies=[n for n in configs if n != FLEET], reverse=not args.no_reverse,
                limits=limits, say=say,
            )  # fmt: skip
            likely = stress_result.likely_rows(stressed, limits, HORIZON_BARS, pool) if limits else []
        finally:
            pool.close()
    rows = [row for subject in configs for row in stress_result.rows_of(stressed, subject)]
    checks = stress_result.checks_of(rows)
    spans = [(c.event, c.start_ns, c.end_ns) for c in crises]
    extremes = [stress_result.extreme_row(f, spans, ExtremeParams()) for f in frames.values()]
    strongest = max(loss_limits(config).values(), default=1.0)
    result: dict[str, Any] = {
        "scenarios": rows, "checks": checks,
        "robustness": stress_result.robustness_rows(rows, strongest), "robustness_limit_frac": strongest,
        "reverse": stress_result.reverse_rows(stressed, limits), "most_likely": likely,
        "crisis_moves": stress_result.crisis_moves(stressed, HORIZON_BARS), "extreme_events": extremes,
        "struck_at": format_ns(stressed.at_ns), "book_at_strike_frac": stress_result.book_at_strike(stressed),
        "skipped": plan.skipped, "notes": [*config.notes, *notes], "bars": sum(map(len, frames.values())),
        "synthetic": any(f.synthetic for f in frames.values()), "pairs": list(frames),
        "timeframe": config.model.timeframe,
    }  # fmt: skip
    result["result_hash"] = stress_result.table_hash(rows, result["reverse"], likely)
    folder = common.make_userdir(common.userdir(args)) / "results" / session.new_run_id()
    result["report"] = str(build_page(result, folder / "stress.html"))
    (folder / "stress.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    head = {"seed": config.model.seed, "config_hash": config.content_hash, "data_hash": data_hash,
            "kernel_backend": stress_result.kernel_name()}  # fmt: skip
    return common.Outcome(result, ok=checks["ok"], text=text_of(result), head=head)


class _Told:
    """Tells on stderr how far the runs are, every tenth part."""

    def __init__(self) -> None:
        self._tenth = 0

    def __call__(self, p: Progress) -> None:
        tenth = 10 * p.done // max(1, p.total or p.done)
        if p.done == 1 or tenth != self._tenth:
            self._tenth = tenth
            sys.stderr.write(f"stress: {p.done} of {p.total} runs, {p.failed} failed\n")


def _alone(args: argparse.Namespace, kind: str) -> ResolvedConfig:
    """Resolve the same configuration with one strategy, and only the agents that it reads."""
    copy = argparse.Namespace(**vars(args))
    copy.strategy, copy.fleet = [kind], "auto"
    copy.set = [s for s in args.set if not s.startswith("strategies")]
    return common.configuration(copy, "paper")


def _wanted(only: Sequence[str] | None, *names: str) -> bool:
    return only is None or any(text.lower() in name.lower() for text in only for name in names)


def read_shocks(path: str | None) -> list[Shock]:
    """Return the shocks of a file, those shipped without one.

    Raises
    ------
    ConfigError
        With all problems at once.
    """
    if path is None:
        return list(DEFAULT_SHOCKS)
    try:
        rows = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as e:
        raise ConfigError("SHOCKS_FILE", f"--shocks {path}: expected a YAML or JSON list, found: {e}") from e
    if not isinstance(rows, list) or not rows:
        raise ConfigError(
            "SHOCKS_FILE", f"--shocks {path}: expected a list of shocks, found {type(rows).__name__}"
        )
    out, problems = [], []
    for k, row in enumerate(rows):
        try:
            out.append(Shock(**row))
        except (pydantic.ValidationError, TypeError) as e:
            found = e.errors() if isinstance(e, pydantic.ValidationError) else [{"loc": (), "msg": str(e)}]
            problems += [
                f"[{k}].{'.'.join(map(str, x['loc']))}: {x['msg']}, found {x.get('input')!r}" for x in found
            ]
    names = [s.name for s in out]
    problems += [f"name {n!r}: given twice" for n in dict.fromkeys(names) if names.count(n) > 1]
    if problems:
        raise ConfigError("SHOCKS_INVALID", f"--shocks {path}:\n  " + "\n  ".join(problems))
    return out


def loss_limits(config: ResolvedConfig) -> dict[str, float]:
    """Return the configured limits of loss, by breaker.

    Examples
    --------
    >>> from config.load import resolve
    >>> loss_limits(resolve("paper"))
    {'drawdown': 0.15, 'daily_loss': 0.05}
    """
    found = config.model.risk.breakers
    kinds = {"drawdown": DrawdownBreaker.Params, "daily_loss": DailyLossBreaker.Params}
    return {n: float(kind(**found[n]).limit_frac) for n, kind in kinds.items() if n in found}
