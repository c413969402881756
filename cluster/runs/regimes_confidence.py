"""The confidence section of ``regimes bench``: markets fanned out, tables and checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.domain.evaluation import confidence_summary as summary
from actors.domain.evaluation.confidence_study import (
    BARS,
    FIRST_JUDGED,
    TUNING,
    ConfidenceCell,
    ConfidenceScore,
    run_confidence,
)
from actors.runtime.fanout_items import FanOut

STUDY = "confidence"
LEAST_TRIALS = summary.LEAST_TRIALS
MOST_TRIALS = 50
"""Markets of a kind: more would only be slow, each has thousands of bars."""
KEYS = f"""
confidence: {{markets [{{market, learns_from (truth, told when it would become known, or labels, smoothed in hindsight
and weighted by what they are worth: all that live trading has), scored_by, trials, bars, ece, ece_se, market_ece_mean,
market_ece_worst (of single markets), mce, brier, log_loss, base_rate, bins, levels {{HIGH, MEDIUM, LOW: {{bars,
share_frac, hit_rate, score, gap_se}}}}, set_bars, set_coverage, set_coverage_se, set_size}}],
endings [{{market, labels, trials, forecasts, horizon_bars, brier, base_brier, skill, skill_se, skilled_trials}}], bars,
tuning_seeds, first_judged_seed}}. Standard errors are jackknifed over markets: --trials of each kind, at most
{MOST_TRIALS}; checks take {LEAST_TRIALS}. Forecast is that a regime ends within the horizon; skill is over the
base rate of the past."""


def study(trials: int, make: Callable[[Any], FanOut]) -> dict[str, Any]:
    """Return the section, with its checks under ``checks``."""
    cells = summary.markets()
    items = [cell for cell in cells for _ in range(min(trials, MOST_TRIALS))]
    pool = make(BARS)
    try:
        scores: list[ConfidenceScore] = pool.map(run_confidence, items)
    finally:
        pool.close()
    found: dict[ConfidenceCell, list[ConfidenceScore]] = {cell: [] for cell in cells}
    for cell, score in zip(items, scores, strict=True):
        found[cell].append(score)
    markets, endings = summary.scores(found), summary.endings(found)
    return {
        "markets": markets, "endings": endings, "bars": BARS, "tuning_seeds": list(TUNING),
        "first_judged_seed": FIRST_JUDGED, "checks": summary.checks(markets, endings),
    }  # fmt: skip


def text(section: dict[str, Any]) -> str:
    """Return the section for people."""
    return summary.text(section["markets"], section["endings"])
