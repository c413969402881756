"""Inputs for every kind of component, drawn from one seeded market with a hole, and the same with another future."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import small

from actors.domain import registry
from actors.domain.events.market import BarClosed
from actors.domain.events.portfolio import AccountUpdated
from actors.domain.execution.algos.base import Algorithm, Child, Place, Work
from actors.domain.execution.order_state import OrderLife, OrderState
from actors.domain.fitting import InlineFits
from actors.domain.learning.base import Sample
from actors.domain.model.bars import BarFrame
from actors.domain.model.instrument import Instrument
from actors.domain.model.money import floor_to
from actors.domain.regime.base import Observation
from actors.domain.risk.rules.base import Book, Proposal
from actors.domain.risk.sizing.base import Known
from actors.domain.strategies.base import Market

PAIRS = ("BTC/USDT", "ETH/USDT")
COLUMNS = ("open", "high", "low", "close", "volume")
# brings fits within the reach of a short test; a component takes what it knows
QUICK = {
    "min_history_bars": 150, "refit_every_bars": 120, "window_bars": 300, "lag_steps": 5, "min_samples": 100,
    "min_observations": 40, "max_trades": 4, "trees": 12,
}  # fmt: skip
FITTED = ("regime", "learning", "risk.rules", "risk.measurement")


def market(bars: int = 640) -> tuple[BarFrame, BarFrame]:
    """A whole pair, and one that lacks a few bars."""
    first, second = small.frames(bars).values()
    return first, second


def another_future(frame: BarFrame, cut_ns: int) -> BarFrame:
    """The same bars before a moment; after it other prices, turned round and wildly larger, and little volume."""
    late = np.asarray(frame.open_ns) >= cut_ns
    columns = {c: np.array(getattr(frame, c)) for c in COLUMNS}
    noise = np.exp(np.random.default_rng(8).normal(0.0, 0.3, int(late.sum())))
    for name in ("open", "high", "low", "close"):
        columns[name][late] = columns[name][late][::-1] * 3.0 * noise
    columns["volume"][late] *= 0.1
    return BarFrame(
        frame.pair,
        frame.timeframe_ns,
        frame.open_ns,
        **columns,
        flags=frame.flags,
        source="x",
        synthetic=True,
    )


def scaled(frame: BarFrame, price: float, volume: float = 1.0) -> BarFrame:
    """The same market in another unit; a power of two changes no bit of a ratio."""
    columns = {c: np.array(getattr(frame, c)) * (volume if c == "volume" else price) for c in COLUMNS}
    return BarFrame(
        frame.pair,
        frame.timeframe_ns,
        frame.open_ns,
        **columns,
        flags=frame.flags,
        source="x",
        synthetic=True,
    )


def bars(frame: BarFrame) -> list[BarClosed]:
    """Bars as agents get them."""
    width = frame.timeframe_ns
    rows = zip(*(getattr(frame, c).tolist() for c in ("open_ns", *COLUMNS)), strict=True)
    return [
        BarClosed(
            ts_event_ns=t + width, source="feed", instrument_id=frame.pair, open_ns=t, close_ns=t + width,
            open=o, high=h, low=low, close=c, volume=v,
        )
        for t, o, h, low, c, v in rows
    ]  # fmt: skip


def _steps(frame: BarFrame) -> list[int]:
    """Numbers of the steps in which the pair has a bar: a missing bar leaves its number out."""
    opened = np.asarray(frame.open_ns)
    return ((opened - opened[0]) // frame.timeframe_ns).tolist()


def mood(step: int, log_return: float) -> float:
    """A reading of news: a slow wave, and what the bar did."""
    return 0.5 * math.sin(step / 17.0) + 0.4 * math.tanh(
        50.0 * (log_return if log_return == log_return else 0.0)
    )


def observations(frame: BarFrame) -> list[Observation]:
    """What detectors see."""
    returns = np.diff(np.log(frame.close), prepend=np.nan).tolist()
    rows = zip(
        _steps(frame), frame.high.tolist(), frame.low.tolist(), frame.close.tolist(), returns, frame.open.tolist(),
        strict=True,
    )  # fmt: skip
    return [Observation(*row, open=opened, sentiment=mood(row[0], row[4])) for *row, opened in rows]


def markets(frame: BarFrame) -> list[Market]:
    """What strategies see; regime and prediction are functions of the bars up to it."""
    names = ("bull", "sideways", "bear", "crash", "high_volatility", "low_volatility")
    return [
        Market(k, b.open, b.high, b.low, b.close, b.volume, names[k // 50 % 6], 0.4 + 0.5 * (b.close > b.open),
               {"online": 0.5 + 0.01 * (k % 7), "forest": float("nan") if k < 60 else 0.55})
        for k, b in zip(_steps(frame), bars(frame), strict=True)
    ]  # fmt: skip


def samples(frame: BarFrame) -> list[Sample]:
    """What predictors see: four returns of different length."""
    close = frame.close.tolist()
    return [
        Sample(k, tuple(close[i] / close[max(0, i - d)] - 1.0 for d in (1, 3, 9, 27)), close[i], i >= 27)
        for i, k in enumerate(_steps(frame))
    ]


def joint_steps(frame: BarFrame) -> list[tuple[int, tuple[Any, ...]]]:
    """Steps of two pairs, the second with holes and another path, and the account after each."""
    second, highest, out = 50.0, 1.0, []
    for k, bar in enumerate(bars(frame)):
        inbox: list[Any] = [replace_pair(bar, PAIRS[0])]
        second *= (1.0 + 0.7 * (bar.close / bar.open - 1.0)) * (1.0 + 0.002 * np.sin(k))
        if k % 97 != 40:
            inbox.append(replace_pair(bar, PAIRS[1], close=second))
        equity = 1.0 + 0.3 * (bar.close / 1000.0)
        highest = max(highest, equity)
        inbox.append(
            AccountUpdated(
                ts_event_ns=bar.close_ns, source="ledger", equity=Decimal(repr(equity)), cash=Decimal(1),
                positions=(Decimal(1), Decimal(0)), exposures_frac=(0.3, 0.0),
                drawdown_frac=1.0 - equity / highest, fees_quote=Decimal(0), slippage_quote=Decimal(0),
                realised_pnl_quote=Decimal(0),
            )
        )  # fmt: skip
        out.append((k, tuple(inbox)))
    return out


def replace_pair(bar: BarClosed, pair: str, close: float | None = None) -> BarClosed:
    """The same bar for another pair, all prices moved to `close`."""
    f = 1.0 if close is None else close / bar.close
    return BarClosed(
        ts_event_ns=bar.ts_event_ns, source=bar.source, instrument_id=pair, open_ns=bar.open_ns,
        close_ns=bar.close_ns, open=bar.open * f, high=bar.high * f, low=bar.low * f, close=bar.close * f,
        volume=bar.volume,
    )  # fmt: skip


@dataclass(frozen=True)
class RuleCase:
    """One step of a rule: returns, the book and two proposals."""

    returns: tuple[float, float]
    exposures: tuple[float, float]
    quality: tuple[float, float]
    wishes: tuple[float, float]
    step: int
    equity: float
    price: float


def rule_cases(frame: BarFrame) -> list[RuleCase]:
    """Books and wishes that follow the market: sometimes modest, sometimes far beyond any limit."""
    out, previous = [], float("nan")
    for k, bar in enumerate(bars(frame)):
        rng = np.random.default_rng([k, int(bar.close * 1e6) % 2**31])
        r = bar.close / previous - 1.0
        previous = bar.close
        held = [float(x) for x in rng.choice([0.0, 0.0, 0.2, -0.1, 0.7], 2)]
        wish = [float(x) for x in rng.choice([0.0, 0.001, 0.3, 0.9, -0.4, 2.5], 2)]
        score = [float(x) for x in rng.choice([1.0, 1.0, 0.97, 0.2, float("nan")], 2)]
        out.append(
            RuleCase((r, float("nan") if k % 50 == 7 else 4.0 * r), (held[0], held[1]), (score[0], score[1]),
                     (wish[0], wish[1]), k, 10_000.0, bar.close)
        )  # fmt: skip
    return out


def ask_rule(rule: Any, case: RuleCase) -> list[Any]:
    """Feed a rule as the risk coordinator does; return its breach and its verdicts."""
    if rule.observes:
        rule.observe(case.returns)
    book = Book(len(PAIRS))
    book.exposures, book.held, book.quality = list(case.exposures), list(case.exposures), list(case.quality)
    # anything in [0, 1] that differs from case to case
    book.confidence = [min(max(abs(e), 0.0), 1.0) for e in case.exposures]
    book.step = case.step
    book.entry = [case.price / (1.0 + e) if e else float("nan") for e in case.exposures]
    out: list[Any] = [rule.breach(book)]
    for i, pair in enumerate(PAIRS):
        asked = Proposal(
            index=i, pair=pair, step=case.step, current_frac=case.exposures[i], proposed_frac=case.wishes[i],
            equity=case.equity, price=case.price, min_notional=10.0,
        )  # fmt: skip
        verdict = None if rule.limits_risk and asked.reduces else rule.check(asked, book)
        out.append(verdict)
        if verdict is None and asked.proposed_frac != asked.current_frac:
            rule.approved(asked)
    return out


def sizing_cases(frame: BarFrame) -> list[tuple[float, Known, float | None]]:
    """Wishes with known and unknown volatility, correlation and stop; now and then a trade closes before."""
    nan = float("nan")
    out: list[tuple[float, Known, float | None]] = []
    for k, b in enumerate(bars(frame)):
        move = abs(b.close / b.open - 1.0)
        wish = (0.0, 1.0, -0.6, 0.25)[k % 4]
        known = Known(
            nan if k % 11 == 0 else move, nan if k % 7 == 0 else 0.9 - (k % 5) * 0.4, 1 + k % 3,
            10_000.0 * b.close / b.open, nan if k % 13 == 0 else 0.01 + move,
        )  # fmt: skip
        out.append((wish, known, b.close / b.open - 1.0 if k % 3 == 1 else None))
    return out


def size(sizing: Any, case: tuple[float, Known, float | None]) -> float:
    """Let a scheme hear of a closed trade, then ask it."""
    wish, known, outcome = case
    if outcome is not None:
        sizing.closed(outcome)
    frac: float = sizing.size_from(wish, known)
    return frac


class Desk:
    """Works one parent after the other with an algorithm, against a venue that fills a share of what it holds."""

    def __init__(self, algorithm: Algorithm) -> None:
        self.algorithm = algorithm
        self.instrument = Instrument(pair=PAIRS[0])
        self.work: Work | None = None
        self.made = 0

    def update(self, item: tuple[int, float, float]) -> list[Any]:
        """Take ``(step, price, share filled)`` and return what the algorithm did."""
        step, price, share = item
        mark = self.instrument.price(price)
        if step % 25 == 0:
            side = 1 if step % 50 == 0 else -1
            self.work = Work(f"i-{step}", PAIRS[0], side, Decimal("1.23457"), mark, 4, 5.0, step)
            self.work.schedule, self.work.children = [], []
            self.algorithm.start(self.work, self.instrument)
        work = self.work
        assert work is not None
        for child in work.children:
            part = floor_to(child.life.leaves * Decimal(repr(share)), self.instrument.lot)
            if part > 0:
                self.made += 1
                child.life.fill(part, f"f{self.made}")
                work.filled += part
            if child.canceling and not child.life.is_final:
                child.life.finish(OrderState.CANCELED)
        work.children = [c for c in work.children if not c.life.is_final]
        out: list[Any] = []
        free = work.unplaced
        for action in self.algorithm.act(work, step, mark, self.instrument):
            if isinstance(action, Place):
                free -= action.quantity
                assert action.quantity > 0
                assert free >= 0, "more placed than is free"
                life = OrderLife(
                    client_order_id=f"{work.intent_id}-{work.children_made}", quantity=action.quantity
                )
                life.submit()
                life.accept()
                work.children_made += 1
                kind = "market" if action.limit_price is None else "limit"
                work.children.append(Child(life, kind, step))
                out.append(("place", str(action.quantity), str(action.limit_price)))
            else:
                action.child.life.request_cancel()
                action.child.canceling = True
                out.append(("withdraw", action.child.life.client_order_id, action.reason))
        return [*out, str(work.unplaced)]


def desk_items(frame: BarFrame) -> list[tuple[int, float, float]]:
    """Prices, and shares of the resting orders that the venue fills."""
    return [(k, b.close, (0.0, 0.4, 1.0, 0.0, 0.25)[k % 5]) for k, b in enumerate(bars(frame))]


def fee_cases(frame: BarFrame) -> list[tuple[Any, ...]]:
    """Executions of both sides, resting and taking, each with its day."""
    instrument = Instrument(pair=PAIRS[0])
    return [
        (k, instrument, 1 if k % 2 else -1, instrument.quantity(0.001 + (k % 13) * 0.2), instrument.price(b.close),
         "maker" if k % 3 else "taker")
        for k, b in enumerate(bars(frame))
    ]  # fmt: skip


def charge(model: Any, item: tuple[Any, ...]) -> tuple[Decimal, str]:
    """Charge an execution a day after the one before, then let the model learn it."""
    day, *execution = item
    model.at(day * 86_400_000_000_000)
    fee: tuple[Decimal, str] = model.fee(*execution)
    model.observe(execution[2] * execution[3])
    return fee


def slippage_cases(frame: BarFrame) -> list[tuple[str, float, BarClosed]]:
    """Taking orders of all sizes in two pairs."""
    return [(PAIRS[k // 3 % 2], 0.001 * 4.0 ** (k % 9), b) for k, b in enumerate(bars(frame))]


def take(model: Any, item: tuple[str, float, BarClosed]) -> float:
    """Execute in a bar, then let the model learn it."""
    cost: float = model.cost_frac(*item)
    model.observe(item[0], item[2])
    return cost


def cross(model: Any, item: tuple[str, float, BarClosed]) -> float:
    """Cross the spread in a bar, then let the model learn it."""
    half: float = model.half_frac(item[0], item[2])
    model.observe(item[0], item[2])
    return half


def headlines(frame: BarFrame) -> list[list[str | None]]:
    """Texts that tell each bar, now and then one that says nothing."""
    out: list[list[str | None]] = []
    for k, b in enumerate(bars(frame)):
        moved = "soars" if b.close > b.open else "slips"
        out.append([f"Bitcoin {moved} to ${b.close:.4f}, analysts {'fear' if k % 3 else 'hail'} what comes"])
        out[-1] += [None] if k % 7 == 3 else ["🚀" * (k % 4)]
    return out


@dataclass(frozen=True)
class Family:
    """How the components of one package are built and fed."""

    package: str
    inputs: Callable[[BarFrame], Sequence[Any]]
    feed: Callable[[Any, Any], Any]
    context: Callable[[], Mapping[str, Any]] = dict
    wrap: Callable[[Any], Any] = lambda made: made

    def make(self, kind: str, quick: bool = True) -> Any:
        """Build a component; `quick` shortens what would outlast a test."""
        fields = registry.params_of(registry.load(self.package, kind)).model_fields
        short = quick and self.package.removeprefix("actors.domain.") in FITTED
        params = {k: v for k, v in QUICK.items() if k in fields} if short else {}
        return self.wrap(registry.build(self.package, kind, params, **self.context()))


def _domain(name: str, *args: Any, **more: Any) -> tuple[str, Family]:
    return name, Family(f"actors.domain.{name}", *args, **more)


def _update(thing: Any, x: Any) -> Any:
    return thing.update(x)


FAMILIES: dict[str, Family] = dict(
    [
        _domain("indicators", bars, _update),
        _domain("sentiment.scorers", headlines, lambda scorer, texts: scorer.score(texts)),
        _domain("regime", observations, _update, lambda: {"fits": InlineFits(), "name": "x", "seed": 5}),
        _domain("learning", samples, _update,
                lambda: {"fits": InlineFits(), "name": "x", "seed": 5, "names": ("a", "b", "c", "d")}),
        _domain("strategies", markets, _update),
        _domain("risk.rules", rule_cases, ask_rule, lambda: {"pairs": PAIRS}),
        _domain("risk.sizing", sizing_cases, size, lambda: {"periods_per_year": 8760.0}),
        _domain("risk.measurement", joint_steps, lambda m, x: m.update(*x), lambda: {"pairs": PAIRS}),
        _domain("execution.algos", desk_items, _update, wrap=Desk),
        _domain("simulation.fees", fee_cases, charge),
        _domain("simulation.spread", slippage_cases, cross),
        _domain("simulation.slippage", slippage_cases, take),
        _domain("simulation.latency", lambda f: [f"o-{b.close:.9f}" for b in bars(f)],
                lambda m, x: (m.submit_steps(x), m.cancel_steps(x), m.submit_ns(x), m.cancel_ns(x))),
    ]
)  # fmt: skip
