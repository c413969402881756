"""Does the judge judge rightly? Random walks, without and with a planted edge, each searched and judged as any market.

A market is a Gaussian random walk; a planted edge adds a drift of ± `edge` deviations of a bar whose sign lasts 100
bars in the mean (geometric), which a moving-average crossover can follow. Every trial is a vector backtest without
costs, asked for by name here: with costs the trials that trade more are truly worse, and nothing would be pure noise.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from actors.domain import kernels
from actors.domain.errors import ConfigError
from actors.domain.model.bars import BarFrame
from actors.domain.processor import derive_seed
from actors.domain.search.plan import SweepPlan
from actors.domain.search.result import run_one
from actors.domain.search.terms import Terms
from actors.domain.validation.evidence import EvidenceSettings, record_evidence
from actors.domain.validation.record import TrialRecord
from actors.domain.validation.selection import trial_sharpes
from actors.domain.validation.verdict import NONE, verdict_of
from actors.runtime.fanout_items import Progress
from cluster.cli import common
from cluster.cli.common import Outcome
from cluster.runs.pools import pools

HOUR_NS = 3_600 * 10**9
SIGMA = 0.01
HOLD_BARS = 100.0
TRIALS = 200
MOST_ALARMS_FRAC = 0.11
"""Alarms that a judge who cries wolf in 5 of 100 markets exceeds once in 200 studies of 100."""


@dataclass(frozen=True)
class NoiseSettings:
    """What all markets share."""

    plan: SweepPlan
    bars: int
    seed: int
    paths: int


@dataclass(frozen=True)
class NoiseMarket:
    """One market."""

    number: int
    edge: float


def random_market(bars: int, edge: float, rng: np.random.Generator) -> BarFrame:
    """Return hourly bars of a random walk with an edge planted in the drift; no edge: a martingale.

    Examples
    --------
    >>> f = random_market(50, 0.0, np.random.default_rng(0))
    >>> len(f), f.synthetic
    (50, True)
    """
    shock = rng.standard_normal(bars)
    turns = np.cumsum(rng.random(bars) < 1.0 / HOLD_BARS) + int(rng.integers(0, 2))
    move = SIGMA * (shock + edge * np.where(turns % 2 == 0, 1.0, -1.0))
    close = 100.0 * np.exp(np.cumsum(move - 0.5 * SIGMA * SIGMA))
    open_ = np.concatenate([[100.0], close[:-1]])
    return BarFrame(
        "NOISE/USDT", HOUR_NS, np.arange(bars, dtype=np.int64) * HOUR_NS, open_, np.maximum(open_, close),
        np.minimum(open_, close), close, np.ones(bars), source="random walk", synthetic=True,
    )  # fmt: skip


def plan_of(trials: int) -> SweepPlan:
    """Return a grid of at least two moving-average crossovers, `trials` of them or a few less.

    Examples
    --------
    >>> len(plan_of(200)), len(plan_of(20))
    (200, 20)
    """
    fast = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20)
    count = max(1, trials // len(fast))
    slow = tuple(sorted({round(25 * (220 / 25) ** (k / max(1, count - 1))) for k in range(count)}))
    terms = Terms(fee_frac=0.0, slippage_frac=0.0, allow_short=True)
    return SweepPlan("ma_crossover", {"fast_bars": fast, "slow_bars": slow}, {"band_frac": 0.0}, terms)


def judge_market(shared: NoiseSettings, item: NoiseMarket, _rng: np.random.Generator) -> dict[str, Any]:
    """Search one market and judge the best trial; the market follows from seed, number and edge alone."""
    plan = shared.plan
    rng = np.random.default_rng(derive_seed(shared.seed, "noise", item.number))
    frame = random_market(shared.bars, item.edge, rng)
    table = np.empty((shared.bars - 1, len(plan)))
    trades = []
    for k in range(len(plan)):
        run, _ = run_one(plan.kind, plan.all_params(k), plan.terms, frame)
        table[:, k] = run.equity[1:] / run.equity[:-1] - 1.0
        trades.append(run.trades)
    best = int(trial_sharpes(table).argmax())
    closed = trades[best][trades[best]["exit_bar"] >= 0]
    length = float((closed["exit_bar"] - closed["entry_bar"]).mean()) if len(closed) else None
    record = TrialRecord(
        table, best, frame.close[1:] / frame.close[:-1] - 1.0, 365.0 * 24.0, 1, len(closed), length
    )
    evidence = record_evidence(record, EvidenceSettings(paths=shared.paths, seed=shared.seed))
    verdict = verdict_of(evidence)
    return {
        "words": verdict.words, "dsr": evidence["deflated_sharpe"]["value"], "pbo": evidence["pbo"]["value"],
        "spa": evidence["spa_cash"].get("consistent"), "psr": evidence["sharpe"]["psr"],
        "effective_trials": evidence["sample"]["effective_trials"],
    }  # fmt: skip


def noise_study(args: argparse.Namespace) -> Outcome:
    """Judge many markets without an edge and some with one; exit 1 if the judge cries wolf or PBO leans.

    Raises
    ------
    ConfigError
        If a number is out of range.
    """
    edges = _edges(args.edges)
    for name, least in (("noise_study", 2), ("noise_bars", 500), ("epochs", 20)):
        if (given := getattr(args, name)) is not None and given < least:
            raise ConfigError(
                "NOISE_NUMBERS",
                f"--{name.replace('_', '-')}: expected {least} or more, found {given}",
            )
    config = common.configuration(args, "backtest")
    trials = TRIALS if args.epochs is None else args.epochs
    settings = NoiseSettings(plan_of(trials), args.noise_bars, config.model.seed, args.paths // 2)
    markets = [NoiseMarket(k, edge) for edge in (0.0, *edges) for k in range(args.noise_study)]

    def tell(p: Progress) -> None:
        if p.done % 20 == 0 and not args.no_progress:
            sys.stderr.write(f"validate: {p.done} of {p.total} markets\n")

    kernels.select_backend(config.model.kernels.backend, require_native=config.model.kernels.require_native)
    with pools(args, config, tell) as make:
        pool = make(settings)
        try:
            found = pool.map(judge_market, markets)
        finally:
            pool.close()
    rows = [
        figures(edge, [r for m, r in zip(markets, found, strict=True) if m.edge == edge]) for edge in (0.0, *edges)
    ]  # fmt: skip
    checks = judged(rows[0])
    result = {
        "noise_study": {
            "bars": settings.bars, "trials": len(settings.plan), "strategy": settings.plan.kind, "costs": "none",
            "rows": rows, "checks": checks,
        }
    }  # fmt: skip
    head = {"seed": config.model.seed, "kernel_backend": kernels.backend().name}
    return Outcome(result, ok=all(c["met"] for c in checks), text=words(result["noise_study"]), head=head)


def figures(edge: float, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the judge said over the markets of one edge."""
    pbo = np.array([r["pbo"] for r in rows])
    alarms = sum(r["words"] != NONE for r in rows)
    count = len(rows)
    share = alarms / count
    return {
        "edge": edge, "markets": count, "alarms": alarms, "alarm_frac": share,
        "alarm_se": math.sqrt(share * (1.0 - share) / count),
        "evidence": sum(r["words"] == "evidence" for r in rows),
        "pbo_mean": float(pbo.mean()), "pbo_se": float(pbo.std(ddof=1)) / math.sqrt(count),
        "spa_alarms": sum(r["spa"] is not None and r["spa"] <= 0.05 for r in rows),
        "undeflated_alarms": sum(r["psr"] is not None and r["psr"] >= 0.95 for r in rows),
        "dsr_median": float(np.median([r["dsr"] or 0.0 for r in rows])),
    }  # fmt: skip


def judged(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the checks on the markets without an edge."""
    most = max(1, math.floor(MOST_ALARMS_FRAC * row["markets"] + 1e-9))
    lean = abs(row["pbo_mean"] - 0.5)
    return [
        {"name": "false_alarms", "value": row["alarms"], "at_most": most, "met": row["alarms"] <= most},
        {"name": "pbo_lean", "value": lean, "at_most": 3.0 * row["pbo_se"], "met": lean <= 3.0 * row["pbo_se"]},
    ]  # fmt: skip


def words(study: dict[str, Any]) -> str:
    """Return the study as a table to read."""
    lines = [
        f"noise study: {study['trials']} trials of {study['strategy']} a market, {study['bars']} bars, no costs",
        "edge (σ)  markets  some or weak  evidence  PBO mean ± se  SPA p ≤ .05  PSR ≥ .95 (not deflated)",
    ]  # fmt: skip
    for r in study["rows"]:
        lines.append(  # noqa: PERF401
            f"{r['edge']:8.3f}  {r['markets']:7d}  {r['alarms']:4d} ({r['alarm_frac']:.0%} ± {r['alarm_se']:.0%})"
            f"  {r['evidence']:8d}  {r['pbo_mean']:.3f} ± {r['pbo_se']:.3f}  {r['spa_alarms']:11d}"
            f"  {r['undeflated_alarms']:12d}"
        )
    for c in study["checks"]:
        lines.append(  # noqa: PERF401
            f"{'met    ' if c['met'] else 'NOT MET'} {c['name']}: {c['value']:.4g}, at most {c['at_most']:.4g}"
        )
    return "\n".join(lines)


def _edges(text: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        found = (-1.0,)
    if any(not 0.0 < e < 10.0 for e in found) or len(set(found)) < len(found):
        raise ConfigError("NOISE_EDGES", f"--edges: expected different numbers above 0, found {text!r}")
    return found
