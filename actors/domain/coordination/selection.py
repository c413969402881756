"""Which strategies may speak in which regime: a table of multipliers, believed as far as the regime is.

With regime label r of confidence q, member i speaks with 1 + q·(table[i][r] − 1): an uncertain regime
silences nobody. The default table follows the literature: trend rules earn in directional markets,
reversal rules in ranges, neither in a crash.

References
----------
Ang & Timmermann (2012), "Regime changes and financial markets".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from actors.domain.errors import InvalidParamsError
from actors.domain.events.regime import REGIMES

_TREND = {"sideways": 0.3, "crash": 0.5, "high_volatility": 0.6, "low_volatility": 0.8}
_REVERSAL = {"bull": 0.5, "bear": 0.4, "crash": 0.0, "high_volatility": 0.3}
DEFAULT_TABLE: Mapping[str, Mapping[str, float]] = {
    "ma_crossover": _TREND,
    "macd": _TREND,
    "rsi": _REVERSAL,
    "regime_aware": {},
}
"""Member → regime → multiplier; what is not named counts 1."""


class RegimeSelection:
    """The table laid out per regime for fast look-up.

    Parameters
    ----------
    members : sequence of str
        Order of the multipliers.
    table : mapping member → regime → multiplier
        Multipliers >= 0; absent entries are 1.

    Raises
    ------
    InvalidParamsError
        For an unknown regime or a multiplier that is negative or infinite.

    Examples
    --------
    >>> s = RegimeSelection(["a", "b"], {"a": {"crash": 0.0}})
    >>> s.multipliers("crash", 1.0), s.multipliers("crash", 0.5), s.multipliers("", 0.0)
    ((0.0, 1.0), (0.5, 1.0), (1.0, 1.0))
    """

    def __init__(self, members: Sequence[str], table: Mapping[str, Mapping[str, float]]) -> None:
        for member, row in table.items():
            for regime, factor in row.items():
                if regime not in REGIMES:
                    raise InvalidParamsError(
                        "REGIME_UNKNOWN",
                        f"regime_table.{member}: expected one of {', '.join(REGIMES)}, found {regime!r}",
                    )
                if not 0.0 <= factor < float("inf"):
                    raise InvalidParamsError(
                        "MULTIPLIER_RANGE",
                        f"regime_table.{member}.{regime}: expected a multiplier >= 0, found {factor}",
                    )
        self._ones = (1.0,) * len(members)
        self._rows = {r: tuple(float(table.get(m, {}).get(r, 1.0)) for m in members) for r in REGIMES}

    def multipliers(self, regime: str, confidence: float) -> tuple[float, ...]:
        """Return one multiplier per member; all 1 for an unknown regime or confidence 0."""
        row = self._rows.get(regime)
        if row is None or confidence <= 0.0:
            return self._ones
        return tuple([1.0 + confidence * (x - 1.0) for x in row])
