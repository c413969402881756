"""Twin of the simulator's orders, ranks and slippage (``order.rs``, ``ranks.rs``, ``slip.rs``)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.model.money import ZERO

MARKET, LIMIT, STOP, STOP_LIMIT, TAKE_PROFIT, TAKE_PROFIT_LIMIT, TRAILING = range(7)
GTC, IOC, FOK = range(3)
ACCEPTED, FILLED, CANCELED, EXPIRED, REJECTED, CHARGED = range(6)
MIN_NOTIONAL, INSUFFICIENT_BALANCE, ORDER_UNKNOWN, REQUESTED, BY_IOC, BY_FOK = range(1, 7)
EXPIRE_STEP, OCO, PARENT, POST_ONLY_WOULD_TAKE, REDUCE_ONLY_NO_POSITION = range(7, 12)
INSUFFICIENT_MARGIN, LIQUIDATED, FUNDING, BORROW, LIQUIDATION = range(12, 17)
IN_FLIGHT, WAITING, WORKING = range(3)
AT_OPEN, ADVERSE, FAVOURABLE = range(3)
LIMITED: Final = (LIMIT, STOP_LIMIT, TAKE_PROFIT_LIMIT)
STOPS: Final = (STOP, STOP_LIMIT, TRAILING)
TAKES: Final = (TAKE_PROFIT, TAKE_PROFIT_LIMIT)
_PARKINSON = 1.0 / (4.0 * math.log(2.0))
MOMENT_BITS: Final = 20
Key = tuple[int, float, int]
Finer = tuple[Sequence[FloatArray], NDArray[np.int64], NDArray[np.int64]]


class Bar(NamedTuple):
    """One bar."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    filled_forward: bool


@dataclass(slots=True, eq=False)
class Order:
    """One order; quantities in lots."""

    id: int
    side: int
    kind: int
    lots: int
    limit_ticks: int
    stop_ticks: int
    trail: float
    trail_frac: bool
    force: int
    expire: int
    post_only: bool
    reduce_only: bool
    list: int
    parent: int
    due: int
    limit: float
    through: float
    trigger: float
    worst: float
    stage: int = IN_FLIGHT
    arrival: int = 0
    filled: int = 0
    hold: Decimal = ZERO
    hold_price: Decimal = ZERO
    mark: float = math.nan
    fresh: bool = True
    triggered: bool = False
    met: int = -1
    born: int = -1
    parent_price: float = math.nan

    @property
    def leaves(self) -> int:
        """Lots not executed."""
        return self.lots - self.filled

    @property
    def spends(self) -> int:
        """Index of the currency it spends: 0 base, 1 quote."""
        return 1 if self.side > 0 else 0

    @property
    def acts_market(self) -> bool:
        """Whether it acts as a market order now."""
        return self.kind == MARKET or (self.triggered and self.kind not in LIMITED)

    @property
    def acts_limit(self) -> bool:
        """Whether it acts as a limit order now."""
        return self.kind == LIMIT or (self.triggered and self.kind in LIMITED)

    def level(self) -> float:
        """Return the level of a trailing stop."""
        distance = self.mark * self.trail if self.trail_frac else self.trail
        level = self.mark + self.side * distance
        if self.stop_ticks <= 0:
            return level
        return min(level, self.worst) if self.side > 0 else max(level, self.worst)

    def grow(self, filled: int, reference: float, inside: int) -> None:
        """Follow the parent's filled lots; `inside` is the step if it was filled inside the bar, else -1."""
        self.lots = filled
        if self.stage != WAITING:
            return
        self.stage, self.mark = WORKING, reference
        if self.kind == TRAILING:
            self.trigger = self.level()
        if inside >= 0:
            self.born, self.parent_price, self.fresh = inside, reference, False


class Slip:
    """Slippage: kind 0 none, 1 fixed, 2 square root, 3 volume share."""

    __slots__ = ("_kind", "_numbers", "_seen")

    def __init__(self, kind: int, numbers: Sequence[float]) -> None:
        if kind not in (0, 1, 2, 3):
            raise ValueError("expected slippage of kind 0, 1, 2 or 3")
        self._kind, self._numbers = kind, numbers
        self._seen: tuple[float, float] | None = None

    def cost(self, quantity: float, bar: Bar) -> float:
        """Return the adverse move as a fraction of the price."""
        if self._kind < 2:
            return self._numbers[0] if self._kind else 0.0
        if self._kind == 3:
            limit, impact, _ = self._numbers
            share = min(limit, abs(quantity) / bar.volume) if bar.volume > 0.0 else limit
            return impact * (share * share)
        prefactor, most, _ = self._numbers
        spread = math.log(bar.high / bar.low)
        variance, volume = self._seen or (spread * spread * _PARKINSON, bar.volume)
        if volume <= 0.0:
            return most
        return min(most, prefactor * math.sqrt(variance * abs(quantity) / volume))

    def observe(self, bar: Bar) -> None:
        """Learn from a bar after its executions."""
        if self._kind != 2:
            return
        spread = math.log(bar.high / bar.low)
        now, alpha = spread * spread * _PARKINSON, self._numbers[2]
        if self._seen is None:
            self._seen = (now, bar.volume)
            return
        variance, volume = self._seen
        self._seen = (variance + alpha * (now - variance), volume + alpha * (bar.volume - volume))


def past(side: int, price: float, limit: float) -> bool:
    """Tell whether a price is at the limit or better for the side."""
    return price <= limit if side > 0 else price >= limit


def only(order: Order) -> int:
    """Return why an order that does not rest ended."""
    return BY_FOK if order.force == FOK else BY_IOC


def _through(o: Order, bar: Bar) -> bool:
    if o.fresh and o.force:
        return False
    return bar.low <= o.through if o.side > 0 else bar.high >= o.through


def _key(o: Order, bar: Bar, step: int, touch: int) -> Key | None:
    inside, distance = o.born == step, o.side * (bar.open - o.limit)
    if touch == AT_OPEN:
        if inside:
            return None
        if o.acts_market:
            return (0, 0.0, o.arrival)
        if o.acts_limit:
            return (1, distance, o.arrival) if distance <= 0.0 and (o.fresh or _through(o, bar)) else None
        if not past(-o.side if o.kind in STOPS else o.side, bar.open, o.trigger):
            return None
        return (1, distance, o.arrival) if o.kind in LIMITED else (0, 0.0, o.arrival)
    if touch == ADVERSE:
        if o.triggered or o.kind not in STOPS:
            return None
        touched = bar.high >= o.trigger if o.side > 0 else bar.low <= o.trigger
        return (0, abs(o.trigger - bar.open), o.arrival) if touched else None
    if inside:
        return None
    if o.acts_limit:
        return (0, distance, o.arrival) if distance > 0.0 and _through(o, bar) else None
    if o.triggered or o.kind not in TAKES:
        return None
    touched = bar.low <= o.trigger if o.side > 0 else bar.high >= o.trigger
    return (0, o.side * (bar.open - o.trigger), o.arrival) if touched else None


def pick(live: Sequence[Order], bar: Bar, step: int, touch: int) -> tuple[Order, int] | None:
    """Return the first in rank of the orders that can act in a class of touches."""
    best: tuple[Key, Order] | None = None
    for o in live:
        if o.stage == WORKING and o.met != step:
            key = _key(o, bar, step, touch)
            if key is not None and (best is None or key < best[0]):
                best = key, o
    return None if best is None else (best[1], touch)


def would_take(o: Order, bar: Bar) -> bool:
    """Tell whether a post-only order would take at this open."""
    return (
        o.post_only and o.fresh and o.stage == WORKING and o.kind == LIMIT and past(o.side, bar.open, o.limit)
    )


def set_levels(live: Sequence[Order], bar: Bar) -> None:
    """Give trailing stops their level of this bar."""
    for o in live:
        if o.kind == TRAILING and o.stage == WORKING and not o.triggered:
            if math.isnan(o.mark):
                o.mark = bar.open
            o.trigger = o.level()


def settle_marks(live: Sequence[Order], bar: Bar, step: int) -> None:
    """After the touches: nobody is fresh, watermarks take the bar's extreme."""
    for o in live:
        if o.stage == WORKING:
            o.fresh = False
            if o.kind == TRAILING and o.born != step:
                o.mark = min(o.mark, bar.low) if o.side > 0 else max(o.mark, bar.high)


def check_ticket(
    side: int, kind: int, lots: int, limit: int, stop: int, trail: float, trail_frac: bool, force: int
) -> None:
    """Refuse an order that no venue could read."""
    if not 0 <= kind <= TRAILING:
        raise ValueError("expected an order type from 0 to 6")
    if not 0 <= force <= FOK:
        raise ValueError("expected a time in force from 0 to 2")
    if lots <= 0 or abs(side) != 1:
        raise ValueError("parameter out of range: an order needs a side and a quantity above 0")
    if kind in LIMITED and limit <= 0:
        raise ValueError("parameter out of range: a limit must be above 0")
    if kind == TRAILING:
        if not 0.0 < trail < math.inf or (trail_frac and trail >= 1.0):
            text = "parameter out of range: a trailing distance must be above 0, a fraction below 1"
            raise ValueError(text)
    elif (kind in STOPS or kind in TAKES) and stop <= 0:
        raise ValueError("parameter out of range: a trigger must be above 0")


def check_protection(protection: Sequence[float]) -> None:
    """Refuse a size or distance out of range."""
    size, stop, target, trail = protection
    if not 0.0 < size <= 1.0:
        raise ValueError("parameter out of range: size must lie in (0, 1]")
    if not (0.0 <= stop < 1.0 and 0.0 <= trail < 1.0 and 0.0 <= target < math.inf):
        raise ValueError(
            "parameter out of range: stop and trail must lie in [0, 1), target must not be below 0"
        )


def check_bar(bar: Bar, row: int) -> None:
    """Refuse a bar that contradicts itself, naming row and column."""
    for name in ("open", "high", "low", "close"):
        if not 0.0 < getattr(bar, name) < math.inf:
            raise ValueError(f"row {row}: {name}: expected a finite price above 0")
    if not 0.0 <= bar.volume < math.inf:
        raise ValueError(f"row {row}: volume: expected a finite number not below 0")
    if not (bar.low <= bar.open <= bar.high and bar.low <= bar.close <= bar.high):
        raise ValueError(f"row {row}: high: expected low <= open, close <= high")


def part_of(row: Sequence[float]) -> Bar:
    """Return a finer bar."""
    open_, high, low, close, volume = row
    return Bar(open_, high, low, close, volume, False)


def check_finer(bar: Bar, finer: Sequence[Bar], row: int) -> None:
    """Refuse finer bars that contradict themselves or do not rebuild the bar."""
    if not finer:
        return
    for part in finer:
        check_bar(part, row)
    rebuilt = (finer[0].open, max(p.high for p in finer), min(p.low for p in finer), finer[-1].close)
    if rebuilt != (bar.open, bar.high, bar.low, bar.close):
        raise ValueError(f"row {row}: detail: expected finer bars that rebuild the bar")


def finer_of(finer: Finer | None, bars: int) -> Callable[[int], Sequence[Bar]]:
    """Return what gives the finer bars of each bar."""
    if finer is None:
        return lambda i: ()
    columns, first, count = (finer[0], finer[1].tolist(), finer[2].tolist())
    size = len(columns[3])
    for found in (len(first), len(count)):
        if found != bars:
            raise ValueError(f"expected {bars} bars in every array, found {found}")
    for begin, n in zip(first, count, strict=True):
        if n and not (0 <= begin <= begin + n <= size and 0 <= n < 1 << MOMENT_BITS):
            raise ValueError("parameter out of range: the finer bars of a bar must be rows of their columns")
    rows = list(zip(*(c.tolist() for c in columns), strict=True))
    return lambda i: [part_of(row) for row in rows[first[i] : first[i] + count[i]]]


def bars_of(columns: Sequence[FloatArray], flags: NDArray[np.uint8]) -> Iterator[Bar]:
    """Return the bars of five columns of one length."""
    count = columns[3].shape[0]
    lengths = [len(c) for c in columns] + ([len(flags)] if len(flags) else [])
    for found in lengths:
        if found != count:
            raise ValueError(f"expected {count} bars in every array, found {found}")
    if not count:
        raise ValueError("parameter out of range: a backtest needs at least one bar")
    filled = (flags & 1).astype(bool).tolist() if flags.shape[0] else [False] * count
    return (Bar(*row) for row in zip(*(c.tolist() for c in columns), filled, strict=True))
