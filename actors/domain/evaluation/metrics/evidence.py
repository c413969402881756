"""Is there enough evidence? Sentences about what a record is too short, too thin or too lucky to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from actors.domain.evaluation.metrics.intervals import Interval
from actors.domain.events.portfolio import TradeClosed

FEWEST_TRADES = 30
"""Below this a share of winners is known to ±18 percentage points at best (95 %, binomial)."""
LARGEST_SHARE = 0.5
CONVINCING = 0.95
YEAR_NS = 365 * 86_400_000_000_000


def evidence_warnings(
    metrics: Mapping[str, Any],
    trades: Sequence[TradeClosed],
    *,
    timeframe_ns: int,
    intervals: Mapping[str, Interval] | None = None,
    dsr: float | None = None,
    trials: int | None = None,
    fewest_trades: int = FEWEST_TRADES,
) -> list[str]:
    """Return one sentence for each reason to doubt a result.

    Parameters
    ----------
    metrics : mapping
        Of `run_metrics`.
    trades : sequence of TradeClosed
    timeframe_ns : int
    intervals : mapping, optional
        Of `metric_intervals`.
    dsr : float, optional
        Deflated Sharpe ratio, where the run is the choice of a study of `trials` trials.
    trials : int, optional
        None where nobody has said how many there were.
    fewest_trades : int

    Examples
    --------
    >>> found = evidence_warnings({"bars": 240, "sharpe_ann": 1.2, "min_track_record_bars": 12_345.6}, (),
    ...                           timeframe_ns=3_600_000_000_000)
    >>> [text.split(":")[0] for text in found]
    ['no round trip was closed', 'too few bars', 'annual figures are extrapolated']
    """
    out = []
    count, bars = len(trades), int(metrics["bars"])
    if count == 0:
        out.append("no round trip was closed: nothing can be said about trades")
    elif count < fewest_trades:
        out.append(
            f"too few round trips: {count}, fewer than {fewest_trades}; win rate, profit factor and expectancy "
            "say little"
        )
    share = _largest_share(trades)
    if count >= 2 and share is not None and share > LARGEST_SHARE:
        out.append(f"one round trip brought {share:.0%} of all gains: without it the result is another one")
    sharpe, needed = metrics["sharpe_ann"], metrics["min_track_record_bars"]
    if sharpe is None:
        out.append("no Sharpe ratio: the equity did not vary")
    elif sharpe <= 0.0:
        out.append("the Sharpe ratio is not above 0: no length of such a record would show skill")
    elif needed is not None and bars < needed:
        out.append(
            f"too few bars: {bars}; at this Sharpe ratio {needed:,.0f} are needed before it differs from 0 at "
            "95 % confidence"
        )
    days = bars * timeframe_ns / 86_400_000_000_000
    if 0 < bars * timeframe_ns < YEAR_NS:
        out.append(f"annual figures are extrapolated: from {days:.1f} days")
    spanned = (intervals or {}).get("sharpe_ann")
    low, high = (spanned.low, spanned.high) if spanned is not None else (None, None)
    if spanned is not None and low is not None and high is not None and low <= 0.0 <= high:
        out.append(
            f"the {spanned.confidence:.0%} interval of the Sharpe ratio, {low:.2f} to {high:.2f}, holds 0: the "
            "record does not show its sign"
        )
    if dsr is not None and dsr < CONVINCING:
        out.append(
            f"the deflated Sharpe ratio is {dsr:.2f} after {trials} trials, below {CONVINCING:g}: the best of as many "
            "worthless strategies might look like this"
        )
    psr = metrics.get("psr")
    if trials is None and psr is not None and psr >= CONVINCING:
        out.append(
            f"how many trials led to these parameters is not known: if there were several, the probability of "
            f"{psr:.2f} that the Sharpe ratio is above 0 says too much (a study tells it in the section provenance)"
        )
    return out


def _largest_share(trades: Sequence[TradeClosed]) -> float | None:
    gains = [t.pnl_quote for t in trades if t.pnl_quote > 0]
    total = sum(gains, Decimal(0))
    return float(max(gains) / total) if total > 0 else None
