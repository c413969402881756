"""Results that are too good to be true are told loudly; strategies that could look ahead are tried for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actors.domain import registry
from actors.domain.causality.lookahead import MIN_BARS, Verdict, analyse
from actors.domain.causality.market import View
from actors.domain.causality.subjects import of_kind
from actors.domain.errors import TradingError
from actors.domain.evaluation.metrics.plausibility import implausible
from actors.domain.model.timerange import format_ns
from actors.domain.strategies.simple import SimpleStrategy
from cluster.runs.plan import RunPlan
from config.schema import StrategyComponent, in_freqtrade_style

PACKAGE = "actors.domain.strategies"

BARS, CUTS = 1200, 3
ADVICE = (
    "do not trust this result before you know why: run tradewind lookahead-analysis -s STRATEGY on the same data, "
    "look at the costs, and look for prices that could not be traded"
)


def plausibility(plan: RunPlan, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``implausible lookahead advice`` of a run.

    `lookahead` has a row ``strategy causal first_leak bars`` per strategy tried: `causal` None where it could not be
    judged. Tried are a user's own strategies that compute whole columns, and all of them if a figure is implausible.
    """
    reasons = implausible(metrics, timeframe_ns=plan.settings.timeframe_ns)
    parts = [p for p in plan.config.model.strategies if reasons or computes_columns(p)]
    return {
        "implausible": reasons,
        "lookahead": tried(plan, parts) if parts else [],
        "advice": ADVICE if reasons else None,
    }


def computes_columns(part: StrategyComponent) -> bool:
    """Tell whether a strategy is a user's own and takes whole columns: bar by bar nobody can look ahead."""
    if ":" not in part.kind or in_freqtrade_style(part.kind):
        return False
    try:
        made = registry.build(PACKAGE, part.kind, part.params)
    except TradingError:
        return False
    if isinstance(made, SimpleStrategy) and type(made).batch is SimpleStrategy.batch:
        return any(not type(line).__module__.startswith("actors.") for line in made.lines)
    return bool(getattr(made, "has_batch", False))


def tried(plan: RunPlan, parts: Sequence[StrategyComponent] | None = None) -> list[dict[str, Any]]:
    """Return what a short look-ahead analysis says about strategies of a plan, on its first pair's last bars."""
    frame = next(iter(plan.feed.frames.values()))
    piece = frame.slice_rows(max(0, len(frame) - BARS), None)
    out = []
    for part in plan.config.model.strategies if parts is None else parts:
        row: dict[str, Any] = {"strategy": part.kind, "causal": None, "first_leak": None, "bars": len(piece)}
        out.append(row)
        if in_freqtrade_style(part.kind):
            # its columns were compared with those of cut-off bars before the run began
            row |= {"causal": True, "bars": len(frame)}
            continue
        if len(piece) < MIN_BARS:
            continue
        try:
            verdict = analyse(of_kind("strategies", part.kind, part.params), View(piece), cuts=CUTS)
        except TradingError as e:
            row["first_leak"] = f"not judged: {e}"
            continue
        row["causal"], row["first_leak"] = verdict.causal, leak(verdict)
    return out


def leak(verdict: Verdict) -> str | None:
    """Return a leak as a sentence, None without one."""
    found = verdict.first_leak
    if found is None:
        return verdict.note or None
    return (
        f"{found.output} at the bar of {format_ns(found.time_ns)} is {found.before}, and {found.after} once the bars "
        f"from position {found.cut} on are others ({found.form} form, {found.probe})"
    )


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return the gate's words for a person; none where nothing is odd."""
    out = [f"IMPLAUSIBLE: {text}" for text in found["implausible"]]
    if not out:
        return [
            f"LOOKAHEAD: {row['strategy']} looks ahead over its last {row['bars']} bars: {row['first_leak']}; the "
            f"result is worth nothing"
            for row in found["lookahead"]
            if row["causal"] is False
        ]
    for row in found["lookahead"]:
        verdict = {True: "does not look ahead", False: "LOOKS AHEAD", None: "could not be judged"}[
            row["causal"]
        ]
        more = f": {row['first_leak']}" if row["first_leak"] else ""
        out.append(f"IMPLAUSIBLE: {row['strategy']} {verdict} over its last {row['bars']} bars{more}")
    return [*out, f"IMPLAUSIBLE: {found['advice']}"]


def leaks(found: Mapping[str, Any]) -> bool:
    """True if a strategy was seen to look ahead."""
    return any(row["causal"] is False for row in found["lookahead"])
