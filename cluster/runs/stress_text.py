"""What a person reads at the end of a stress test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster.runs.stress import FLEET


def text_of(result: Mapping[str, Any]) -> str:
    """Return the tables as text."""
    lines = [(f"{'SYNTHETIC market' if result['synthetic'] else 'Market'}: {', '.join(result['pairs'])}, "
             f"{result['bars']} bars; shocks strike at {result['struck_at']}, book {_book(result)}")]  # fmt: skip
    lines.append(
        f"{'scenario (fleet)':<44} {'market':>7} {'drawdown':>9} {'calm':>7} {'exposed':>8} "
        f"{'to half':>8} {'to flat':>8} "
        f"{'recovery':>9} {'lost':>5}  breakers"
    )
    for r in result["scenarios"]:
        if r["subject"] != FLEET:
            continue
        if r["failure"] is not None:
            lines.append(f"{r['scenario'][:44]:<44} FAILED: {r['failure']}")
            continue
        lines.append(
            f"{r['scenario'][:44]:<44} {_pct(r['market_fall_frac']):>7} {_pct(r['drawdown_frac']):>9} "
            f"{_pct(r['undisturbed_drawdown_frac']):>7} {_pct(r['exposure_before_frac']):>8} "
            f"{_bars(r['bars_to_half']):>8} "
            f"{_bars(r['bars_to_flat']):>8} {_bars(r['recovery_bars']):>9} {r['orders_lost']:>5}  {_trips(r)}"
        )
    lines.extend(
        f"robustness {r['subject']}: worst drawdown {_pct(r['worst_drawdown_frac'])}, drawdown per market fall "
        f"{_num(r['fall_share'])}, below the limit in {_pct(r['within_limit_share'])} of {r['scenarios']} scenarios"
        for r in result["robustness"]
    )
    for r in result["reverse"]:
        breaks = "no size" if r["breaks_frac"] is None else f"a size of {_pct(r['breaks_frac'])}"
        lines.append(
            f"reverse: {breaks} of a {r['kind']} trips {r['breaker']} ({_pct(r['limit_frac'])}); "
            f"{_pct(r['holds_frac'])} does not"
        )
    for r in result["most_likely"]:
        if r.get("moves") is not None:
            moves = ", ".join(f"{p} {m:+.1%}" for p, m in r["moves"].items())
            lines.append(
                f"most likely shock for {r['breaker']}: {moves} within {r['horizon_bars']} bars, "
                f"{r['distance']:.1f} deviations"
            )
    lines.extend(
        f"extreme events {r['pair']}: {r['hits']} of {r['crises']} crises hit, {r['events']} events, "
        f"{r['false_alarms']} outside crises ({r['false_alarms_per_year']:.1f} a year)"
        for r in result["extreme_events"]
    )
    lines += [f"left out: {text}" for text in result["skipped"]]
    c = result["checks"]
    lines.append(
        f"checks: {c['scenarios']} runs beside their twins, {c['failed']} failed; orders lost "
        f"{c['orders_lost']}, doubled "
        f"{c['orders_doubled']}, sent to a venue known not to answer {c['orders_into_void']}; ledgers that do not "
        f"balance {c['ledgers_unbalanced']}"
    )
    lines += [f"hash:   {result['result_hash']}", f"report: {result['report']}"]
    return "\n".join(lines)


def _book(result: Mapping[str, Any]) -> str:
    return ", ".join(f"{p} {w:.1%}" for p, w in result["book_at_strike_frac"].items())


def _trips(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{t['breaker']} after {t['bars']}" for t in row["breaker_trips"]) or "none"


def _pct(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _bars(value: int | None) -> str:
    return "–" if value is None else f"{value}"


def _num(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
