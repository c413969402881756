"""From a backtest to its result: metrics, trades, parts by regime, strategy and pair, costs, marked windows, report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from actors.domain.evaluation.open_positions import OpenPosition
from actors.domain.evaluation.report_model import GroupRow, ReportModel, Window
from actors.domain.model.timerange import format_ns
from actors.domain.risk.policy import RiskPolicy
from cluster.runs.backtest import DONE, Backtest
from cluster.runs.backtest_sanity import lines as sanity_lines
from cluster.runs.costs import cost_notes, cost_words
from cluster.runs.execute import Finished
from cluster.runs.plan import RunPlan
from cluster.runs.result import IMPLAUSIBLE, report_model, run_result
from config.schema import Config, in_freqtrade_style

ENDED = "trading_ended"
LOST = "EVIDENCE: the account was lost"
FEWEST_SPELLS = 10


def silence(finished: Finished) -> list[str]:
    """Return why a run sent no order at all, or had none of them filled, if so."""
    record, config = finished.recorder.record, finished.plan.config.model
    if record.counts["fills"]:
        return []
    if record.counts["orders"]:
        feed = finished.plan.feed
        frames = [
            f.slice_time(int(feed.times[feed.warmup_steps]) - f.timeframe_ns) for f in feed.frames.values()
        ]
        why = "" if any(f.volume.any() for f in frames) else ": no bar of the range has any volume"
        return [f"NO FILLS: {record.counts['orders']} orders were sent, none was filled{why}"]
    series, _ = record.curves
    cash, out = float(config.account.initial_cash_quote), []
    for pair, one in series.items():
        largest = max((abs(t) for _, t in one.targets), default=0.0)
        least = float(config.instruments.rules(pair).min_notional)
        if 0.0 < largest * cash < least:
            out.append(
                f"NO ORDERS: the largest wish for {pair} was worth {largest * cash:.2f} {config.account.quote}, the "
                f"venue takes {least:g} at least; raise account.initial_cash_quote"
            )
    wished = any(t for one in series.values() for _, t in one.targets)
    if out:
        return out
    if not wished:
        return ["NO ORDERS: the strategies never wished to hold anything"]
    return [
        f"NO ORDERS: every wish was denied or, after sizing, within {_dead_band(config)}; the report lists the denials"
    ]


def untraded(finished: Finished) -> list[str]:
    """Return a sentence if most spells of wishes left no trade: sizing may have made them too small to be worth one.

    None of a lost account: nothing could be bought any more, whatever the sizing.
    """
    record, config = finished.recorder.record, finished.plan.config.model
    series, account = record.curves
    if min(account.equity, default=1.0) <= 0.0:
        return []
    spells = dict.fromkeys(series, 0)
    for pair, one in series.items():
        side = 0
        for _, target in one.targets:
            now = (target > 0.0) - (target < 0.0)
            spells[pair] += now not in (0, side)
            side = now
    made = Counter(t.instrument_id for t in record.trades) + Counter(p.pair for p in record.open_positions())
    wished, traded = sum(spells.values()), sum(min(made[pair], n) for pair, n in spells.items())
    if wished < FEWEST_SPELLS or 2 * traded >= wished:
        return []
    never = [pair for pair, n in spells.items() if n and not made[pair]]
    none = f" ({', '.join(never)}: none at all)" if never else ""
    text = (
        f"UNTRADED: of {wished:,} spells in which a pair was wished, {wished - traded:,} led to no trade{none}: after "
        f"sizing they were within {_dead_band(config)}, below the venue's smallest order, or denied "
        f"({record.counts['denied']} denials)"
    )
    return [text]


def unleveraged(finished: Finished) -> list[str]:
    """Return a sentence if a leverage was granted that no position ever used: sizing and risk rules decide on it."""
    config = finished.plan.config.model
    _, account = finished.recorder.record.curves
    most = max((sum(map(abs, row)) for row in account.exposures), default=0.0)
    own = any(in_freqtrade_style(s.kind) for s in config.strategies)  # sizes its own orders
    if own or config.account.leverage <= 1 or not 0.0 < most < 1.0:
        return []
    text = (
        f"LEVERAGE: account.leverage {config.account.leverage} permits and does not size: exposure was never above "
        f"{most:.2f} times the equity; what limits it are risk.sizing and risk.rules (limit_frac of max_position_frac "
        "and max_gross_exposure)"
    )
    return [text]


def _dead_band(config: Config) -> str:
    band = float(config.risk.params.get("rebalance_band_frac", RiskPolicy().rebalance_band_frac))
    return f"the dead band of {band:.2%} of equity (risk.params.rebalance_band_frac)"


def ended_pairs(plan: RunPlan, trades: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the pairs whose bars end before the run does, and those that start after it began.

    `first_bar_at` is the first bar of the run, warm-up included; `closed_trade` is the round trip that the end of the
    bars closed, by its position in `trades`, None where nothing was held.
    """
    closed = {t["pair"]: k for k, t in enumerate(trades) if t["exit_reason"] == ENDED}
    first, last = int(plan.feed.times[plan.feed.warmup_steps]), int(plan.feed.times[-1])
    width = plan.settings.timeframe_ns
    out = []
    for pair, frame in plan.feed.frames.items():
        begin, end = int(frame.close_ns[0]), int(frame.close_ns[-1])
        if end < last or begin > first:
            out.append(
                {
                    "pair": pair,
                    "first_bar_at": format_ns(begin - width),
                    "last_bar_at": format_ns(end - width),
                    "listed_late": begin > first,
                    "ended_early": end < last,
                    "closed_trade": closed.get(pair) if end < last else None,
                }
            )
    return out


def group_row(row: GroupRow) -> dict[str, Any]:
    """Return one part under the names of the JSON result."""
    plain: dict[str, Any] = msgspec.to_builtins(row)
    del plain["kind"], plain["name"]
    return plain


def by_name(groups: Sequence[GroupRow], kind: str) -> dict[str, dict[str, Any]]:
    """Return the parts of one kind by name."""
    return {g.name: group_row(g) for g in groups if g.kind == kind}


def describe(
    backtest: Backtest,
    groups: Sequence[GroupRow],
    leaders: Sequence[str],
    *,
    windows: Sequence[Window] = (),
    sanity: Mapping[str, Any],
    **how: Any,
) -> tuple[dict[str, Any], ReportModel]:
    """Return the JSON result and the report model of a backtest.

    Parameters
    ----------
    sanity : mapping
        Of `backtest_sanity.plausibility`.
    how
        Goes to `report_model`.
    """
    finished = backtest.finished
    plan = finished.plan
    trades = finished.recorder.record.trade_rows()
    pairs = ended_pairs(plan, trades)
    notes = cost_notes(plan.config.model)
    notes += sanity_lines(sanity)[
        len(sanity["implausible"]) :
    ]  # the figures themselves are told by the record
    notes += [_pair_note(row, trades) for row in pairs]
    notes += backtest.notes
    if backtest.status == DONE:
        notes += silence(finished) or untraded(finished)
        notes += unleveraged(finished)
    else:
        reason = f": {backtest.error}" if backtest.error is not None else ""
        notes.insert(0, f"INCOMPLETE: the run {backtest.status} after {finished.recorder.steps} of "
                        f"{len(plan.feed)} steps{reason}")  # fmt: skip
    model = report_model(finished, notes=notes, **how)
    model.groups, model.windows = list(groups), list(windows)
    if backtest.path == "fast":
        for row in model.agents:
            row.events = None  # most of what they would have said was computed in columns
    for trade, leader in zip(model.trades, leaders, strict=True):
        trade["strategy"] = leader
    result = run_result(finished) | {
        "status": backtest.status,
        "path": backtest.path,
        "error": None if backtest.error is None else str(backtest.error),
        "steps": finished.recorder.steps,
        "wall_s": round(finished.wall_s, 3),
        "cpu_s": round(finished.extra["cpu_s"], 3) if "cpu_s" in finished.extra else None,
        "fit_cpu_s": round(finished.extra["fit_cpu_s"], 3) if "fit_cpu_s" in finished.extra else None,
        "bars_per_s": round(plan.feed.bar_count / finished.wall_s, 1) if finished.wall_s else None,
        "trades": model.trades,
        "per_regime": by_name(groups, "regime"),
        "per_strategy": by_name(groups, "strategy"),
        "per_pair": by_name(groups, "pair"),
        "pairs_listed_or_ended": pairs,
        "open_positions": [position_row(p) for p in model.open_positions],
        "plausibility": dict(sanity),
        "windows": [window_row(w) for w in windows],
        "benchmark": model.benchmark_metrics,
        "per_month": msgspec.to_builtins(model.monthly),
        "drawdowns": msgspec.to_builtins(model.drawdowns),
        "intervals": msgspec.to_builtins(model.intervals),
        "statistics": model.statistics,
        "warnings": list(model.warnings),
        "notes": list(model.notes),
    }  # fmt: skip
    return result, model


def window_row(window: Window) -> dict[str, Any]:
    """Return a marked window under the names of the JSON result."""
    return {
        "name": window.name,
        "from": format_ns(window.start_ns),
        "to": format_ns(window.end_ns),
        "return_frac": window.return_frac,
        "benchmark_frac": window.benchmark_frac,
        "max_drawdown_frac": window.max_drawdown_frac,
    }


def position_row(position: OpenPosition) -> dict[str, Any]:
    """Return what is still held under the names of the JSON result."""
    row: dict[str, Any] = msgspec.to_builtins(position)
    return row | {"opened_at": format_ns(row.pop("opened_ns"))}


def _deflated(statistics: Mapping[str, Any]) -> str:
    """Return the deflated Sharpe ratio in words, nothing where the number of trials is not known.

    Examples
    --------
    >>> _deflated({"dsr": 0.61, "trials": 200}), _deflated({"dsr": None, "trials": 1}), _deflated({"trials": None})
    (', deflated 0.61 after 200 trials', ', the only trial of its study', '')
    """
    trials, dsr = statistics["trials"], statistics.get("dsr")
    if trials is None:
        return ""
    if trials == 1:
        return ", the only trial of its study"
    return f", deflated {'undefined' if dsr is None else f'{dsr:.2f}'} after {trials} trials"


def _pair_note(row: Mapping[str, Any], trades: Sequence[Mapping[str, Any]]) -> str:
    parts = []
    if row["listed_late"]:
        parts.append(f"enters with its first bar of {_minute(row['first_bar_at'])}")
    if row["ended_early"]:
        end, closed = "nothing was held then", row["closed_trade"]
        if closed is not None:
            t = trades[closed]
            end = f"the {t['side']} of {t['quantity']} was closed there at {float(t['exit_price']):.8g}"
        parts.append(f"ends with its last bar of {_minute(row['last_bar_at'])}, {end}")
    return f"{row['pair']}: {'; '.join(parts)}"


def _minute(text: str) -> str:
    return text[:16].replace("T", " ")


def summary(result: Mapping[str, Any], folder: Path, quote: str) -> str:
    """Return what a person reads at the end of a backtest."""
    m = result["metrics"]

    def percent(x: float | None) -> str:
        return "undefined" if x is None else f"{x:+.2%}"

    def number(x: float | None) -> str:
        return "undefined" if x is None else f"{x:.2f}"

    speed = f", {result['bars_per_s']:,.0f} bars/s" if result["bars_per_s"] else ""
    if result["fit_cpu_s"]:
        speed += f"; {result['fit_cpu_s']:.1f} of {result['cpu_s']:.1f} s on the CPU were fits of models"
    lines = [
        (
            f"run:      {result['run_id']} ({result['status']}), {result['path']} path, {result['bars']} bars, "
            f"{result['warmup_bars']} slices warm-up, {result['wall_s']:.1f} s{speed}"
        ),
        (
            f"decided:  {result['decisions']} decisions, {result['orders']} orders, {result['fills']} fills, "
            f"{result['trade_count']} round trips"
        ),
        (
            f"result:   {percent(m['total_return_frac'])} ({m['total_pnl_quote']} {quote}) after costs "
            f"({cost_words(m)}); buy and hold {percent(result['benchmark']['total_return_frac'])}"
        ),
        (
            f"risk:     max drawdown {percent(m['max_drawdown_frac'])}, Sharpe {number(m['sharpe_ann'])}, Sortino "
            f"{number(m['sortino_ann'])}, PSR {number(m['psr'])} over {m['bars']} bars"
            f"{_deflated(result['statistics'])}"
        ),
    ]
    for title, key in (("strategy", "per_strategy"), ("regime", "per_regime"), ("pair", "per_pair")):
        rows = result[key]
        if len(rows) > 1 or key == "per_regime":
            lines += [
                f"{title + ':':<9} {name:<18} {float(row['pnl_quote']):>+14.2f} {quote}, "
                f"{row['trade_count']} trades"
                for name, row in rows.items()
            ]
    if result["open_positions"]:
        held = ", ".join(f"{p['quantity']} {p['pair']} {p['side']}" for p in result["open_positions"])
        lines.append(f"held:     {held} at the end, no round trip yet")
    loud = [n for n in result["notes"] if n.startswith((IMPLAUSIBLE, "LOOKAHEAD:", LOST))]
    lines = [*loud, *lines, *(f"note:     {n}" for n in result["notes"] if n not in loud)]
    lines += [f"hash:     {result['decision_hash']}", f"report:   {result['report']}", f"stored:   {folder}"]
    return "\n".join(lines)
