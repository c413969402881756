"""What a person reads at the end of a walk-forward."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def summary(result: Mapping[str, Any]) -> str:
    """Return what a person reads at the end."""
    m, b, v = result["metrics"], result["benchmark"], result["verdict"]
    interval = result["intervals"]["sharpe_ann"] or {}
    sure = (
        f" (95 %: {interval['low']:.2f} to {interval['high']:.2f})" if interval.get("low") is not None else ""
    )
    lines = [
        f"VERDICT:  {v['words']}",
        (
            f"folds:    {len(result['folds'])}, {result['trials']} trials, {m['bars']} bars out of sample, "
            f"{m['trade_count']} round trips"
        ),
        (
            f"stitched: {percent(m['total_return_frac'])}, {percent(m['cagr_frac'])} a year, Sharpe "
            f"{number(m['sharpe_ann'])}{sure}, max drawdown {share(m['max_drawdown_frac'])}; holding the market "
            f"{percent(b['total_return_frac'])}, Sharpe {number(b['sharpe_ann'])}"
        ),
        f"kept:     {number(result['efficiency'])} of the annual growth in sample",
    ]
    for f in result["folds"]:
        t, train = f["test"], f["train"]["metrics"]
        lines.append(
            f"  fold {f['number'] + 1}: {f['test_from'][:10]} to {f['test_to'][:10]}  Sharpe in sample "
            f"{number(train.get('sharpe_ann'))}, out {number(t['sharpe_ann'])}, {percent(t['total_return_frac'])}, "
            f"{t['trade_count']} trades"
        )
    lines += checks(v["checks"])
    lines += [f"change:   {text}" for text in v["would_change"]]
    lines += [f"note:     {text}" for text in result["notes"]]
    return "\n".join([*lines, f"hash:     {result['oos_hash']}", f"report:   {result['report']}"])


def checks(rows: list[Mapping[str, Any]]) -> list[str]:
    """Return one line per check of a verdict."""
    return [
        f"  {'met    ' if c['met'] else 'not met'} {c['name']}: {number(c['value'])} (expected "
        f"{'at least' if c['at_least'] else 'at most'} {c['bound']:g}), {c['asks']}"
        for c in rows
    ]


def percent(x: float | None) -> str:
    """Return a fraction as people read it."""
    return "undefined" if x is None else f"{x:+.2%}"


def share(x: float | None) -> str:
    """Return a share, which has no sign, as people read it."""
    return "undefined" if x is None else f"{x:.2%}"


def number(x: float | None) -> str:
    """Return a figure as people read it."""
    return "undefined" if x is None else f"{x:.2f}"
