"""One line per fleet or strategy over all scenarios: how bad, how often, how fast, how much per unit of market fall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np


@dataclass(frozen=True)
class Outcome:
    """One scenario of one subject; losses positive, fractions of equity."""

    market_fall_frac: float
    drawdown_frac: float
    undisturbed_drawdown_frac: float
    bars_to_half: int | None
    exposed: bool
    breaker_trips: int
    recovered: bool


@dataclass(frozen=True)
class Robustness:
    """Figures over scenarios.

    Attributes
    ----------
    scenarios, exposed : int
        All, and those it entered with something at stake.
    worst_drawdown_frac, mean_drawdown_frac : float
    excess_drawdown_frac : float
        Mean of what the disturbance added to the drawdown.
    fall_share : float or None
        Drawdown per market fall: least squares through the origin. 1 is buy-and-hold, 0 is cash.
    within_limit_share : float
        Scenarios with a drawdown below the limit.
    halved_share, median_bars_to_half : float or None
        Of the exposed ones: those in which exposure was halved, and how fast then.
    recovered_share : float
    breaker_trips : int
    """

    scenarios: int
    exposed: int
    worst_drawdown_frac: float
    mean_drawdown_frac: float
    excess_drawdown_frac: float
    fall_share: float | None
    within_limit_share: float
    halved_share: float | None
    median_bars_to_half: float | None
    recovered_share: float
    breaker_trips: int


def robustness(outcomes: Sequence[Outcome], limit_frac: float) -> Robustness | None:
    """Return the figures; None without scenarios.

    Examples
    --------
    >>> rows = [Outcome(0.4, 0.04, 0.0, 3, True, 1, True), Outcome(0.2, 0.02, 0.02, None, True, 0, False)]
    >>> r = robustness(rows, 0.03)
    >>> round(r.fall_share, 6), r.within_limit_share, r.median_bars_to_half, r.halved_share
    (0.1, 0.5, 3, 0.5)
    """
    if not outcomes:
        return None
    fall = np.array([o.market_fall_frac for o in outcomes])
    down = np.array([o.drawdown_frac for o in outcomes])
    calm = np.array([o.undisturbed_drawdown_frac for o in outcomes])
    exposed = [o for o in outcomes if o.exposed]
    halved = [o.bars_to_half for o in exposed if o.bars_to_half is not None]
    power = float(fall @ fall)
    return Robustness(
        scenarios=len(outcomes),
        exposed=len(exposed),
        worst_drawdown_frac=float(down.max()),
        mean_drawdown_frac=float(down.mean()),
        excess_drawdown_frac=float((down - calm).mean()),
        fall_share=float(fall @ down) / power if power > 0.0 else None,
        within_limit_share=float((down < limit_frac).mean()),
        halved_share=len(halved) / len(exposed) if exposed else None,
        median_bars_to_half=median(halved) if halved else None,
        recovered_share=sum(o.recovered for o in outcomes) / len(outcomes),
        breaker_trips=sum(o.breaker_trips for o in outcomes),
    )
