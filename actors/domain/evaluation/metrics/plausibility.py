"""Is it too good to be true? Sentences about results that a fault explains better than skill does.

The bounds are far outside of what any published record of a liquid market shows over as many bars: whoever passes
one has a leak of future data, prices that could not be traded, or costs that are missing, until shown otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

SHARPE: Final = 10.0
CAGR_FRAC: Final = 20.0
"""Two thousand percent a year."""
ERRORS: Final = 5.0
"""Standard errors of an independent record that a Sharpe ratio must lie above 0: fewer may be luck, told elsewhere."""
FEWEST_TRADES: Final = 30
WIN_RATE_FRAC: Final = 0.95
PROFIT_FACTOR: Final = 25.0
CALMAR: Final = 100.0
_DAY_NS = 86_400_000_000_000
_FEWEST_DAYS = 60.0


def implausible(metrics: Mapping[str, Any], *, timeframe_ns: int) -> list[str]:
    """Return one sentence for each figure that is too good to be believed as it stands.

    Parameters
    ----------
    metrics : mapping
        Of `run_metrics`.
    timeframe_ns : int

    Examples
    --------
    >>> implausible({"bars": 5000, "sharpe_ann": 14.2}, timeframe_ns=3_600_000_000_000)
    ['an annual Sharpe ratio of 14.2 over 5000 bars (above 10)']
    >>> implausible({"bars": 300, "sharpe_ann": 14.2}, timeframe_ns=3_600_000_000_000)
    []
    """
    bars, trades = int(metrics["bars"]), int(metrics.get("trade_count") or 0)
    days, out = bars * timeframe_ns / _DAY_NS, []

    def above(name: str, limit: float) -> float | None:
        value = metrics.get(name)
        return value if value is not None and value > limit else None

    sharpe = above("sharpe_ann", SHARPE)
    if sharpe is not None and sharpe * math.sqrt(days / 365.0) > ERRORS:
        out.append(f"an annual Sharpe ratio of {sharpe:.1f} over {bars} bars (above {SHARPE:g})")
    if days >= _FEWEST_DAYS:
        if (cagr := above("cagr_frac", CAGR_FRAC)) is not None:
            out.append(
                f"growth of {_percent(cagr)} a year over {days:.0f} days (above {_percent(CAGR_FRAC)})"
            )
        if (calmar := above("calmar", CALMAR)) is not None:
            out.append(f"yearly growth of {calmar:.0f} times the deepest drawdown (above {CALMAR:g})")
    if trades >= FEWEST_TRADES:
        if (won := above("win_rate_frac", WIN_RATE_FRAC)) is not None:
            out.append(f"{won:.1%} of {trades} round trips won (above {WIN_RATE_FRAC:.0%})")
        if (factor := above("profit_factor", PROFIT_FACTOR)) is not None:
            out.append(
                f"gains of {factor:.0f} times the losses over {trades} round trips (above {PROFIT_FACTOR:g})"
            )
    return out


def _percent(value: float) -> str:
    """A growth for people: it may have thirty digits.

    >>> _percent(20.0), _percent(3e27)
    ('2,000 %', '3e+29 %')
    """
    return f"{100 * value:,.0f} %" if value < 1e7 else f"{100 * value:.0e} %"
