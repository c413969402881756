"""An independent referee of one backtest: a moving-average crossover on one spot pair, by the written rules.

Plain Python; money in exact fractions, statistics in floats. It shares no code with the system and knows the
default configuration only: volatility-targeted size, dead band, risk rules, market, resting and sliced orders,
square-root slippage, ten basis points of fees, next-open fills. What it does not know (a tripped breaker, a tail
limit that binds, an account out of cash) it refuses instead of guessing.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS
TICK, LOT = Fraction(1, 100), Fraction(1, 100_000)
MIN_NOTIONAL = 10
FEE, FEE_STEP = Fraction(1, 1000), Fraction(1, 10**8)


def exact(x: float) -> Fraction:
    """The number that the shortest text of a float names."""
    return Fraction(repr(x))


def down(x: Fraction, step: Fraction) -> Fraction:
    return math.floor(x / step) * step


def up(x: Fraction, step: Fraction) -> Fraction:
    return math.ceil(x / step) * step


@dataclass
class Trade:
    """A round trip from flat to flat."""

    opened_ns: int
    closed_ns: int
    quantity: Fraction
    entry_price: Fraction
    exit_price: Fraction
    fees: Fraction
    pnl: Fraction


@dataclass(eq=False)
class Order:
    """A market order (`limit` None) or a resting one; `fresh` until it has met a bar."""

    parent: Parent
    side: int
    left: Fraction
    limit: Fraction | None
    sent: int
    number: int = 0
    fresh: bool = True
    canceling: bool = False


@dataclass(eq=False)
class Parent:
    """What one algorithm has to do of an intent."""

    side: int
    resting: bool
    quantity: Fraction
    done: Fraction = Fraction(0)
    dropped: Fraction = Fraction(0)
    stage: int = 0
    slots: list[Fraction] = field(default_factory=list)
    began: int = 0
    stopped: bool = False
    orders: list[Order] = field(default_factory=list)

    @property
    def unplaced(self) -> Fraction:
        return self.quantity - self.done - self.dropped - sum((o.left for o in self.orders), Fraction(0))


class Referee:
    """Trades of a run; call `run` with columns of equal length, decisions from bar `first` on."""

    def __init__(self, fast: int, slow: int, cash: int = 100_000) -> None:
        self.fast, self.slow = fast, slow
        self.cash, self.held = Fraction(cash), Fraction(0)
        self.start_cash = float(cash)
        self.book: list[Order] = []
        self.arriving: list[Order] = []
        self.cancels: list[Order] = []
        self.parents: list[Parent] = []
        self.trades: list[Trade] = []
        self.fills = 0
        self._open: dict[str, Fraction | int] = {}
        self._numbers = 0

    # -- the venue -------------------------------------------------------------------------------------------

    def venue(self, k: int) -> None:
        """Cancels, then new orders, then the bar: market orders first, then the better limit."""
        for order in self.cancels:
            if order in self.book:
                self._leave(order)
        self.cancels = []
        for order in self.arriving:
            price = order.limit if order.limit is not None else exact(self.o[k])
            if price * order.left < MIN_NOTIONAL:
                order.parent.dropped += order.left
                order.parent.orders.remove(order)
                continue
            if order.side > 0 and price * order.left * (1 + FEE) > self.cash:
                raise NotImplementedError("an account out of cash")
            self._numbers += 1
            order.number = self._numbers
            self.book.append(order)
        self.arriving = []
        if self.v[k] > 0.0:
            opened = exact(self.o[k])
            budget = down(exact(self.v[k]) / 10, LOT)
            ranked = sorted(
                self.book,
                key=lambda o: (
                    (0, 0, o.number) if o.limit is None else (1, o.side * (opened - o.limit), o.number)
                ),
            )
            for order in ranked:
                budget -= self._meet(order, k, opened, budget)
                order.fresh = False
        self._learn_costs(k)

    def _meet(self, order: Order, k: int, opened: Fraction, budget: Fraction) -> Fraction:
        side, limit = order.side, order.limit
        if limit is None or (order.fresh and side * (limit - opened) >= 0):
            price, taker = opened, True
        elif side > 0 and exact(self.l[k]) <= limit - TICK:
            price, taker = min(opened, limit), False
        elif side < 0 and exact(self.h[k]) >= limit + TICK:
            price, taker = max(opened, limit), False
        else:
            return Fraction(0)
        quantity = min(order.left, budget)
        if quantity <= 0:
            return Fraction(0)
        at_open = price == opened
        if taker:
            share = self.variance * float(quantity) / self.volume
            cost = min(0.05, 0.0001 + math.sqrt(share))
            moved = exact(self.o[k] * (1.0 + side * cost))
            price = up(moved, TICK) if side > 0 else down(moved, TICK)
            if limit is not None:
                price = min(price, limit) if side > 0 else max(price, limit)
        self._book_fill(side, quantity, price, k, at_open)
        order.left -= quantity
        order.parent.done += quantity
        if order.left == 0:
            self._leave(order)
        return quantity

    def _leave(self, order: Order) -> None:
        self.book.remove(order)
        order.parent.orders.remove(order)

    def _learn_costs(self, k: int) -> None:
        alpha = 1.0 - 0.5 ** (1.0 / 48.0)
        spread = math.log(self.h[k] / self.l[k]) ** 2 * (1.0 / (4.0 * math.log(2.0)))
        if k == 0:
            self.variance, self.volume = spread, self.v[0]
        else:
            self.variance += alpha * (spread - self.variance)
            self.volume += alpha * (self.v[k] - self.volume)

    # -- the books -------------------------------------------------------------------------------------------

    def _book_fill(self, side: int, quantity: Fraction, price: Fraction, k: int, at_open: bool) -> None:
        self.fills += 1
        when = self.t[k] if at_open else self.t[k] + HOUR_NS
        fee = down(quantity * price * FEE, FEE_STEP)
        if self.held == 0:
            self._open = {"ns": when, "in": Fraction(0), "paid": Fraction(0), "out": Fraction(0),
                          "got": Fraction(0), "fees": Fraction(0)}  # fmt: skip
        trade = self._open
        trade["fees"] += fee
        if side > 0:
            trade["in"] += quantity
            trade["paid"] += quantity * price
        else:
            trade["out"] += quantity
            trade["got"] += quantity * price
        self.cash -= side * quantity * price + fee
        self.held += side * quantity
        if self.held < 0:
            raise AssertionError("sold more than was held")
        if self.held == 0:
            self.trades.append(
                Trade(
                    int(trade["ns"]), when, Fraction(trade["in"]), Fraction(trade["paid"]) / trade["in"],
                    Fraction(trade["got"]) / trade["out"], Fraction(trade["fees"]),
                    Fraction(trade["got"] - trade["paid"] - trade["fees"]),
                )
            )  # fmt: skip

    # -- the whole run ---------------------------------------------------------------------------------------

    def run(
        self,
        t: list[int],
        o: list[float],
        h: list[float],
        low: list[float],
        c: list[float],
        v: list[float],
        first: int,
    ) -> list[Trade]:
        """Return the closed trades."""
        self.t, self.o, self.h, self.l, self.c, self.v = t, o, h, low, c, v
        sums = [Fraction(0)]
        for close in c:
            sums.append(sums[-1] + exact(close))
        target, self.mind = 0.0, Mind(self)
        for k in range(len(c)):
            self.venue(k)
            confidence = 0.0
            side = 0.0
            if k >= self.slow - 1:
                fast = (sums[k + 1] - sums[k + 1 - self.fast]) / self.fast
                slow = (sums[k + 1] - sums[k + 1 - self.slow]) / self.slow
                gap = float((fast - slow) / slow)
                if abs(gap) > 0.002:
                    side, confidence = math.copysign(1.0, gap), abs(gap) / (abs(gap) + 0.02)
            target = held_target(target, max(0.0, side * confidence * 0.5))
            self.mind.decide(k, target, confidence, k < first)
            self.work(k)
        return self.trades

    def work(self, k: int) -> None:
        """Let the algorithms act on what the venue said in this step; market orders are sent first."""
        close = exact(self.c[k])
        for parent in sorted(self.parents, key=lambda p: (bool(p.slots), p.resting)):
            if parent.stopped:
                for order in parent.orders:
                    self._cancel(order)
            elif parent.slots:
                due = k - parent.began + 1
                part = sum(parent.slots[parent.stage : due], Fraction(0))
                parent.stage = max(parent.stage, min(due, len(parent.slots)))
                left = parent.unplaced
                part = left if parent.stage >= len(parent.slots) else min(part, left)
                if part > 0:
                    self._send(parent, part, None, close, k)
            elif not parent.resting:
                if parent.unplaced > 0:
                    self._send(parent, parent.unplaced, None, close, k)
            else:
                for order in parent.orders:
                    if order.limit is not None and k - order.sent >= 2:
                        self._cancel(order)
                left = parent.unplaced
                if left > 0 and parent.stage > 1:
                    self._send(parent, left, None, close, k)
                elif left > 0:
                    parent.stage += 1
                    passive = close - parent.side * close * 2 / 10_000
                    limit = down(passive, TICK) if parent.side > 0 else up(passive, TICK)
                    self._send(parent, left, max(limit, TICK), close, k)
        self.parents = [p for p in self.parents if p.orders or not (p.stopped or p.unplaced <= 0)]

    def _send(
        self, parent: Parent, quantity: Fraction, limit: Fraction | None, close: Fraction, k: int
    ) -> None:
        if quantity * (limit or close) < MIN_NOTIONAL:
            parent.dropped += quantity
            return
        order = Order(parent, parent.side, quantity, limit, k)
        parent.orders.append(order)
        self.arriving.append(order)

    def _cancel(self, order: Order) -> None:
        if not order.canceling:
            order.canceling = True
            self.cancels.append(order)


def held_target(held: float, wanted: float) -> float:
    """Open from 0.05 on, close at 0.01, move by 0.04 at least."""
    if held == 0.0:
        return wanted if wanted >= 0.05 else 0.0
    if wanted <= 0.01:
        return 0.0
    return wanted if abs(wanted - held) >= 0.04 else held


def slices(quantity: Fraction, count: int, least: Fraction) -> list[Fraction]:
    """Equal parts on the lot at equal distances; a part too small waits for the next, the last takes the rest."""
    out, done, last = [Fraction(0)] * count, Fraction(0), -1
    for i in range(count):
        upto = quantity if i == count - 1 else down(quantity * (i + 1) / count, LOT)
        part = upto - done
        if part > 0 and (part >= least or i == count - 1):
            if part < least and last >= 0:
                out[last] += part
            else:
                out[i], last = part, i
            done = upto
    return out


class Mind:
    """Size, rules and the choice of orders."""

    def __init__(self, game: Referee) -> None:
        self.game = game
        self.decay = 0.5 ** (1.0 / 48.0)
        self.square = self.weight = 0.0
        self.seen = 0
        self.returns: deque[float] = deque(maxlen=500)
        self.until, self.wish, self.frac, self.goal = -1, 0.0, 0.0, Fraction(0)
        self.left_at = -(10**9)
        self.approvals: deque[int] = deque()
        self.mean_volume = 0.0
        self.spread: float | None = None
        self.peak = self.last_equity = self.day_start = game.start_cash
        self.day = -1
        self.slots: deque[int] = deque(maxlen=100)
        self.scale, self.judged = 0.0, 0

    def decide(self, k: int, target: float, confidence: float, warm: bool) -> None:
        """Update what is measured, then wish, ask, and hand an intent on."""
        game = self.game
        close = game.c[k]
        self._measure(k)
        equity = float(game.cash + game.held * exact(close))
        self._breakers(k, equity)
        held = float(game.held) * close / equity if game.held else 0.0
        if self.until >= 0 and (game.held == self.goal or k >= self.until):
            self.until = -1
        if warm:
            return
        wish = 0.0
        if target != 0.0:
            if self.seen < 24 or self.square <= 0.0:
                return
            sigma = math.sqrt(self.square / self.weight)
            wish = target * min(1.0, 0.4 / math.sqrt(8760.0) / sigma)
        working = self.until >= 0
        settled = self.wish if working else held
        if wish == 0.0:
            if settled == 0.0 and (working or game.held == 0):
                return
        elif abs(wish - settled) <= 0.05:
            return
        if abs(wish - held) * equity < MIN_NOTIONAL and not working:
            return
        reduces = held * wish >= 0.0 and wish < held
        if not reduces and not self._allowed(k, held, wish):
            return
        if abs(wish - held) * equity < MIN_NOTIONAL:
            return
        quantity = self._quantity(wish, equity, close)
        if quantity == 0 and not working:
            return
        self.wish, self.frac, self.goal = wish, wish, game.held + quantity
        self.until = k + 12 if quantity else -1
        if quantity:
            self.approvals.append(k)
            if wish == 0.0:
                self.left_at = k
        self._plan(k, quantity, max(0.5, confidence) if reduces else confidence, close)

    def _measure(self, k: int) -> None:
        game = self.game
        alpha = 1.0 - self.decay
        if k:
            change = game.c[k] / game.c[k - 1] - 1.0
            self.returns.append(change)
            self.square = self.decay * self.square + alpha * change * change
            self.weight = self.decay * self.weight + alpha
            self.seen += 1
            then, now = math.log(game.h[k - 1] * game.l[k - 1]) / 2, math.log(game.h[k] * game.l[k]) / 2
            last = math.log(game.c[k - 1])
            estimate = 4.0 * (last - then) * (last - now)
            self.spread = estimate if self.spread is None else self.spread + alpha * (estimate - self.spread)
            self.mean_volume += alpha * (game.v[k] - self.mean_volume)
        else:
            self.mean_volume = game.v[0]
        self._quality(k)

    def _quality(self, k: int) -> None:
        """Slots of the last 100 bars: 0 missing, 1 present, 2 an outlier."""
        game = self.game
        if not k:
            self.slots.append(1)
            return
        for _ in range(min((game.t[k] - game.t[k - 1]) // HOUR_NS - 1, 100)):
            self.slots.append(0)
        last = game.c[k - 1]
        size = max(abs(game.c[k] - last), game.h[k] - last, last - game.l[k]) / last
        odd = self.judged >= 30 and size > 12.0 * self.scale > 0.0
        kept = min(size, 12.0 * self.scale) if self.judged >= 30 and self.scale > 0.0 else size
        self.judged += 1
        self.scale += max(1.0 - 0.5 ** (1.0 / 100.0), 1.0 / self.judged) * (kept - self.scale)
        self.slots.append(2 if odd else 1)

    def _breakers(self, k: int, equity: float) -> None:
        """15 % below the peak, or 5 % below the day's start: not refereed."""
        day = (self.game.t[k] + HOUR_NS - 1) // DAY_NS
        if day != self.day:
            self.day, self.day_start = day, self.last_equity
        self.last_equity, self.peak = equity, max(self.peak, equity)
        if 1.0 - equity / self.peak >= 0.15 or 1.0 - equity / self.day_start >= 0.05:
            raise NotImplementedError(f"a breaker at bar {k}")

    def _allowed(self, k: int, held: float, wish: float) -> bool:
        here = sum(s > 0 for s in self.slots)
        odd = sum(s == 2 for s in self.slots)
        if here / len(self.slots) * (1.0 - odd / here) < 0.8:
            return False
        if held == 0.0 and k - self.left_at < 3:
            return False
        while self.approvals and self.approvals[0] <= k - 24:
            self.approvals.popleft()
        if len(self.approvals) >= 20:
            return False
        if wish > 0.5:
            raise NotImplementedError("a wish above the position limit")
        outcomes = sorted(r * wish for r in self.returns)
        if len(outcomes) < 100:
            return False
        mass = round(0.01 * len(outcomes), 9)
        count = math.ceil(mass)
        tail = sum(outcomes[: int(mass)]) + (mass - int(mass)) * (
            outcomes[int(mass)] if int(mass) < count else 0.0
        )
        if -outcomes[count - 1] > 0.04 or -tail / mass > 0.06:
            raise NotImplementedError(f"a tail limit at bar {k}")
        return True

    def _quantity(self, wish: float, equity: float, close: float) -> Fraction:
        held = self.game.held
        if wish == 0.0:
            return -down(held, LOT)
        move = down(exact(wish * equity / close), LOT) - held
        return down(move, LOT) if move >= 0 else -down(-move, LOT)

    def _plan(self, k: int, quantity: Fraction, urgency: float, close: float) -> None:
        """A new intent withdraws the one before; calm ones rest half of it or all if the spread is worth it."""
        for parent in self.game.parents:
            parent.stopped = True
        if not quantity:
            return
        side, size = (1 if quantity > 0 else -1), abs(quantity)
        taken, rested = size, Fraction(0)
        least = max(LOT, up(Fraction(MIN_NOTIONAL) * Fraction(105, 100) / exact(close), LOT))
        if urgency < 0.8:
            share = float(size) / self.mean_volume if self.mean_volume > 0.0 else math.inf
            if share > 0.02:
                most = min(12, int(size / least))
                count = max(1, min(most, math.ceil(share / 0.01))) if most >= 2 else 1
                slots = slices(size, count, least) if count > 1 else []
                self.game.parents.append(Parent(side, False, size, slots=slots, began=k))
                return
            worth = self.spread is not None and 10_000.0 * math.sqrt(max(0.0, self.spread)) >= 1.0
            if worth and size >= least:
                half = down(size / 2, LOT)
                if urgency <= 0.2:
                    taken, rested = Fraction(0), size
                elif half >= least and size - half >= least:
                    taken, rested = size - half, half
        if taken:
            self.game.parents.append(Parent(side, False, taken))
        if rested:
            self.game.parents.append(Parent(side, True, rested))
