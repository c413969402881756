"""What a person reads at the end of a validation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster.runs.walk_forward_words import checks, number, percent, share


def summary(result: Mapping[str, Any]) -> str:
    """Return the verdict, the checks and the figures behind them."""
    e, v = result["evidence"], result["verdict"]
    s, sharpe, dsr = e["sample"], e["sharpe"], e["deflated_sharpe"]
    lines = [
        f"VERDICT:  {v['words']}",
        (
            f"sample:   {s['trials']} trials ({s['effective_trials']} different ones), {s['bars']:,} bars in "
            f"{s['periods']:,} periods, {s['years']:.1f} years, {s['trade_count']} round trips of the best"
        ),
        (
            f"best:     trial {result['best']['number']}, Sharpe {number(sharpe.get('sharpe_ann'))} a year, "
            f"{percent(sharpe.get('cagr_frac'))} a year; the best of as many worthless ones: "
            f"{number(dsr.get('expected_best_sharpe_ann'))}; market {number(sharpe.get('benchmark_sharpe_ann'))}"
        ),
    ]
    lines += checks(v["checks"])
    law = e["bootstrap"]
    if "undefined" not in law:
        lines.append(
            f"paths:    drawdown {share(law['drawdown']['q50'])} in the median, {share(law['drawdown']['q95'])} in "
            f"one of 20; of a loss {share(law['loss_probability'])}, drawdown of {law['ruin_frac']:.0%} "
            f"{share(law['ruin_probability'])} ± {share(law['ruin_error'])}"
        )
    for name, row in (result["reruns"] or {}).items():
        lines.append(
            f"again:    {name.replace('_', ' ')}: Sharpe {number(row['median_sharpe_ann'])} in the median of "
            f"{row['runs']}, {share(row['positive_frac'])} of them above 0"
        )
    lines += [f"change:   {text}" for text in v["would_change"]]
    lines += [f"note:     {text}" for text in result["notes"]]
    return "\n".join([*lines, f"report:   {result['report']}"])
