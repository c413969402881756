"""How a fleet took a disturbance: its account beside the undisturbed one, exposure, breakers, orders, recovery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
_FLAT = 0.005
"""Gross exposure below which a book counts as empty: dust, and what a venue takes no order for."""


@dataclass(frozen=True)
class Account:
    """An account bar by bar.

    Attributes
    ----------
    ts_ns : int array, shape (n,)
        Closes.
    equity : array, shape (n,), quote currency
    gross : array, shape (n,)
        Sum of the magnitudes of the exposures, fractions of equity.
    """

    ts_ns: npt.NDArray[np.int64]
    equity: FloatArray
    gross: FloatArray


@dataclass(frozen=True)
class Response:
    """Figures of one scenario; None where there was nothing to measure or it did not come to pass.

    Attributes
    ----------
    equity_frac, undisturbed_equity_frac : float
        Change of equity from the last close before the shock to the end of the run.
    worst_frac : float
        Deepest loss from that close on, positive.
    drawdown_frac, undisturbed_drawdown_frac : float
        Deepest fall from a running high since that close.
    shortfall_frac : float
        Largest distance behind the undisturbed run at the same close, fraction of it.
    exposure_before_frac : float
    bars_to_half, bars_to_flat : int or None
        Bars from the shock until the gross exposure was at most half of the one before, and until it was flat.
    recovery_bars : int or None
        Bars from the lowest equity until it was back where it stood before the shock; 0 if it never lost.
    """

    equity_frac: float
    undisturbed_equity_frac: float
    worst_frac: float
    drawdown_frac: float
    undisturbed_drawdown_frac: float
    shortfall_frac: float
    exposure_before_frac: float
    bars_to_half: int | None
    bars_to_flat: int | None
    recovery_bars: int | None


def respond(run: Account, twin: Account, at_ns: int, timeframe_ns: int) -> Response | None:
    """Compare a run with its undisturbed twin from the first close after `at_ns` on.

    Parameters
    ----------
    run, twin : Account
    at_ns : int
        Opening time of the first disturbed bar.
    timeframe_ns : int
        Length of a bar: bars are counted by the clock, also where none was seen.

    Returns
    -------
    Response or None
        None if the account has no close after it.

    Examples
    --------
    >>> import numpy as np
    >>> ts, flat = np.array([1, 2, 3, 4]), np.full(4, 100.0)
    >>> r = respond(Account(ts, np.array([100.0, 90.0, 95.0, 100.0]), np.array([0.4, 0.4, 0.2, 0.0])),
    ...             Account(ts, flat, flat * 0.0), 1, 1)
    >>> r.worst_frac, r.bars_to_half, r.bars_to_flat, r.recovery_bars
    (0.1, 2, 3, 2)
    """
    first = int(np.searchsorted(run.ts_ns, at_ns, side="right"))
    if first >= len(run.ts_ns):
        return None
    base = max(0, first - 1)
    equity, gross = run.equity[first:], run.gross[first:]
    bars = (run.ts_ns[first:] - at_ns) // timeframe_ns
    start, before = float(run.equity[base]), float(run.gross[base])
    other = _at(twin, run.ts_ns[first:])
    calm = float(_at(twin, run.ts_ns[base : base + 1])[0])
    low = int(np.argmin(equity))
    if float(equity[low]) >= start:
        recovery: int | None = 0
    else:
        back = np.flatnonzero(equity[low:] >= start)
        recovery = int(bars[low + int(back[0])] - bars[low]) if back.size else None
    return Response(
        equity_frac=float(equity[-1]) / start - 1.0,
        undisturbed_equity_frac=float(other[-1]) / calm - 1.0,
        worst_frac=max(0.0, round(1.0 - float(equity[low]) / start, 12)),
        drawdown_frac=_fall(np.concatenate([[start], equity])),
        undisturbed_drawdown_frac=_fall(np.concatenate([[calm], other])),
        shortfall_frac=max(0.0, float(np.max(1.0 - equity / other))),
        exposure_before_frac=before,
        bars_to_half=_first(gross <= 0.5 * before, bars) if before > _FLAT else None,
        bars_to_flat=_first(gross <= _FLAT, bars) if before > _FLAT else None,
        recovery_bars=recovery,
    )


def _at(account: Account, ts_ns: npt.NDArray[np.int64]) -> FloatArray:
    """Equity of an account at other closes: the last one known then."""
    rows = np.clip(np.searchsorted(account.ts_ns, ts_ns, side="right") - 1, 0, None)
    return account.equity[rows]


def _fall(equity: FloatArray) -> float:
    return float(np.max(1.0 - equity / np.maximum.accumulate(equity)))


def _first(hit: npt.NDArray[np.bool_], bars: npt.NDArray[np.int64]) -> int | None:
    """Bars until something is first so, counted from 1."""
    return int(bars[int(np.argmax(hit))]) if hit.any() else None


@dataclass
class OrderAudit:
    """Follows every order from its submission to its end.

    An order is *lost* when it was sent, has neither been accepted nor ended, and the connection does not count it
    among those whose outcome is not known. `fresh_steps` are left to an order to reach the venue.

    Examples
    --------
    >>> audit = OrderAudit(fresh_steps=1)
    >>> audit.submitted("a", 5); audit.submitted("b", 5); audit.answered("a", ended=False)
    >>> audit.lost(9), audit.unanswered, audit.open
    (1, 0, 1)
    """

    fresh_steps: int = 2
    unanswered: int = 0
    doubled: int = 0
    _sent: dict[str, int] = field(default_factory=dict)
    _answered: dict[str, bool] = field(default_factory=dict)

    def submitted(self, client_order_id: str, step: int) -> None:
        """An order was sent; the same id a second time is doubled."""
        if client_order_id in self._sent:
            self.doubled += 1
        self._sent[client_order_id] = step

    def answered(self, client_order_id: str, *, ended: bool) -> None:
        """The venue said something about an order."""
        self._answered[client_order_id] = ended or self._answered.get(client_order_id, False)

    def lost(self, last_step: int) -> int:
        """Return how many orders nobody accounts for at the end."""
        silent = [s for cid, s in self._sent.items() if cid not in self._answered]
        late = sum(last_step - step > self.fresh_steps for step in silent)
        return max(0, late - self.unanswered)

    @property
    def open(self) -> int:
        """Orders that the venue has taken and not ended."""
        return sum(not ended for cid, ended in self._answered.items() if cid in self._sent)


def exact_loss(weights: Mapping[str, float], moves: Mapping[str, float]) -> float:
    """Return the change of equity of a book that stands still: Σ w·shock, a fraction of equity.

    Examples
    --------
    >>> exact_loss({"A": 0.5, "B": 0.25}, {"A": -0.5, "B": 0.5})
    -0.125
    """
    return float(sum(weights[pair] * moves[pair] for pair in weights))


def worst_moves(closes: Sequence[float], bars: int) -> float | None:
    """Return the worst simple return over `bars` bars; None with too few.

    Examples
    --------
    >>> worst_moves([100.0, 50.0, 75.0], 1)
    -0.5
    """
    if len(closes) <= bars:
        return None
    array = np.asarray(closes, dtype=np.float64)
    return float(np.min(array[bars:] / array[:-bars] - 1.0))
