"""Who earned it: the run's PnL split over pairs, strategies and regimes, so that the parts sum to the whole.

A position belongs to the strategies that wanted its side, in proportion to their share of the wish that opened
or enlarged it; a bar's PnL belongs to the regime that was known when the bar began. Every part is a share of
marked-to-market PnL after fees, so pairs sum to the run's PnL, and so do strategies: to the last digit, as what
floating point loses goes to the largest part. A rest that is more than rounding is a part of its own,
``unattributed``. Source of the additive decomposition: Brinson, Hood & Beebower (1986), "Determinants of
portfolio performance", in its simplest form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain.evaluation.exact_parts import STEP, exact_parts
from actors.domain.evaluation.metrics.drawdown import max_drawdown
from actors.domain.evaluation.metrics.growth import total_return
from actors.domain.evaluation.metrics.ratios import sharpe
from actors.domain.evaluation.metrics.summary import ratios_of
from actors.domain.evaluation.metrics.trades import trade_statistics
from actors.domain.evaluation.ownership import CHARGES, Booked, Floats, split
from actors.domain.evaluation.report_model import AccountSeries, GroupRow, PairSeries
from actors.domain.evaluation.run_metrics import BAR_FIGURES, METRICS
from actors.domain.events.base import Event
from actors.domain.events.execution import OrderFilled
from actors.domain.events.portfolio import AccountCharged, TradeClosed
from actors.domain.events.risk import OrderIntentApproved
from actors.domain.events.signal import SignalsAggregated
from actors.domain.kernels import return_statistics
from actors.domain.model.money import normal_str, to_decimal

UNKNOWN = "unknown"
UNATTRIBUTED = "unattributed"


@dataclass
class _Part:
    """PnL and gross position per step, number of bars, fees, what else was spent, the steps of a regime."""

    pnl: Floats
    gross: Floats
    bars: int
    fees: float
    spent: dict[str, float]
    here: Any = None


class Attribution:
    """Collects what attribution needs of a run, step by step, and splits the PnL at its end.

    Parameters
    ----------
    pairs : sequence of str
    members : sequence of str
        Strategies as they call themselves.

    Notes
    -----
    State: one row per fill and one per approved intent. Cost: O(events of the order path) per step.
    """

    def __init__(self, pairs: Sequence[str], members: Sequence[str]) -> None:
        self.members = tuple(members)
        self._fills: dict[str, list[Booked]] = {p: [] for p in pairs}
        self._trades: list[TradeClosed] = []
        self._leaders: list[str] = []
        self._owners: dict[str, tuple[float, ...]] = {}
        self._nobody = (1.0 / len(self.members),) * len(self.members)
        self._held: dict[str, Decimal] = dict.fromkeys(pairs, Decimal(0))
        self._leader: dict[str, str] = {}
        self._moved = Decimal(0)

    def add(self, outputs: Iterable[tuple[str, Sequence[Event]]]) -> None:
        """Take the outputs of one step in the order of the graph."""
        views: dict[str | None, SignalsAggregated] = {}
        for _, events in outputs:
            for event in events:
                kind = type(event)
                if kind is SignalsAggregated:
                    views[event.instrument_id] = event  # type: ignore[assignment]
                elif kind is OrderIntentApproved:
                    self._owners[event.intent_id] = self._wanted(  # type: ignore[attr-defined]
                        views.get(event.instrument_id), event.target_frac  # type: ignore[attr-defined]
                    )  # fmt: skip
                elif kind is OrderFilled:
                    self._fill(event)  # type: ignore[arg-type]
                elif kind is AccountCharged:
                    self._charge(event)  # type: ignore[arg-type]
                elif kind is TradeClosed:
                    self._trades.append(event)  # type: ignore[arg-type]
                    self._leaders.append(self._leader.get(event.instrument_id or "", ""))

    def _wanted(self, view: SignalsAggregated | None, target: float) -> tuple[float, ...]:
        """Return each member's share of a wish: of those on its side, by weight in the pool times direction."""
        if len(self.members) == 1:
            return (1.0,)
        if view is None:
            return self._nobody
        sign = -1.0 if target < 0.0 else 1.0
        raw = [max(0.0, sign * w * d) for w, d in zip(view.weights, view.directions, strict=True)]
        total = sum(raw)
        return tuple(x / total for x in raw) if total > 0.0 else self._nobody

    def _fill(self, fill: OrderFilled) -> None:
        pair = fill.instrument_id or ""
        owners = self._owners.get(fill.intent_id, self._nobody)
        price = float(fill.price)
        in_quote = pair.endswith("/" + fill.fee_currency)
        fee = float(fill.fee) * (1.0 if in_quote else price)
        if self._held[pair] == 0 and self.members:
            self._leader[pair] = self.members[owners.index(max(owners))]
        change = fill.side * fill.quantity - (0 if in_quote else fill.fee)
        self._held[pair] += change
        self._moved += fill.quantity * fill.price
        self._fills[pair].append(
            Booked(
                fill.ts_event_ns, float(change), price, fee, owners,
                value=float(fill.quantity) * price, slippage=float(fill.slippage_quote),
            )
        )  # fmt: skip

    def _charge(self, charge: AccountCharged) -> None:
        # what is charged to the account as a whole is nobody's: it stays unattributed, and visible
        if charge.instrument_id is not None:
            booked = Booked(
                charge.ts_event_ns, 0.0, None, 0.0, self._nobody, float(charge.amount), charge.kind
            )
            self._fills[charge.instrument_id].append(booked)

    @property
    def leaders(self) -> list[str]:
        """Per closed trade, the strategy with the largest share in the wish that opened it."""
        return list(self._leaders)

    def groups(
        self,
        series: Mapping[str, PairSeries],
        account: AccountSeries,
        timeframe_ns: int,
        *,
        total_pnl_quote: Decimal,
        fees_quote: Decimal,
    ) -> list[GroupRow]:
        """Return the parts: regimes, strategies, pairs; the PnL and the fees of each kind sum to the run's, exactly.

        Parameters
        ----------
        series : mapping pair → PairSeries
            Bars and regimes of the decision range.
        account : AccountSeries
        timeframe_ns : int
        total_pnl_quote, fees_quote : Decimal
            Of the run, from its ledger.
        """
        periods = 365 * 86_400_000_000_000 / timeframe_ns
        steps = np.array(account.ts_ns, dtype=np.int64)
        before = np.array([account.initial_equity, *account.equity[:-1]] if account.equity else [])
        size = len(self.members)
        by_member, held_by = np.zeros((size, steps.size)), np.zeros((size, steps.size))
        spent_by = [dict[str, float]() for _ in self.members]
        owned = np.zeros(size, dtype=np.int64)
        fees_member = np.zeros(size)
        members, pairs = dict[str, _Part](), dict[str, _Part]()
        regimes: dict[str, _Part] = {}
        for pair, one in series.items():
            at = np.searchsorted(steps, np.array(one.ts_ns, dtype=np.int64))
            shares = split(one, self._fills[pair], size)
            owned += shares.bars
            by_member[:, at] += shares.pnl
            held_by[:, at] += shares.gross
            fees_member += shares.fees.sum(axis=1)
            for i, spent in enumerate(spent_by):
                _add(spent, {name: x[i] for name, x in shares.spent.items()})
            total, paid, gross = (x.sum(axis=0) for x in (shares.pnl, shares.fees, shares.gross))
            paid_for = {name: x.sum(axis=0) for name, x in shares.spent.items()}
            whole = _Part(np.zeros(steps.size), np.zeros(steps.size), len(one.ts_ns), float(paid.sum()), {})
            whole.pnl[at], whole.gross[at] = total, gross
            _add(whole.spent, paid_for)
            pairs[pair] = whole
            for label, mask in regimes_before(one.detected).items():
                part = regimes.setdefault(
                    label,
                    _Part(np.zeros(steps.size), np.zeros(steps.size), 0, 0.0, {}, np.zeros(steps.size, bool)),
                )
                part.pnl[at[mask]] += total[mask]
                part.gross[at[mask]] += gross[mask]
                _add(part.spent, {name: x[mask] for name, x in paid_for.items()})
                part.fees += float(paid[mask].sum())
                part.bars += int(mask.sum())
                part.here[at[mask]] = True
        for i, name in enumerate(self.members):
            members[name] = _Part(by_member[i], held_by[i], int(owned[i]), float(fees_member[i]), spent_by[i])
        equity = np.array(account.equity, dtype=np.float64)
        moved = to_decimal(account.initial_equity) + self._moved
        out = []
        for kind, found in (
            ("regime", dict(sorted(regimes.items()))),
            ("strategy", members),
            ("pair", pairs),
        ):
            if not found:
                continue
            trades = self._by(kind, series)
            pnl, rest = exact_parts([float(p.pnl.sum()) for p in found.values()], total_pnl_quote, moved)
            fees, unpaid = exact_parts([p.fees for p in found.values()], fees_quote, moved)
            for (name, p), earned, fee in zip(found.items(), pnl, fees, strict=True):
                here = slice(None) if p.here is None else p.here
                out.append(
                    _row(kind, name, p.bars, earned, _over(p.pnl[here], before[here]), trades.get(name, []), periods,
                         fee, _money(p, equity[here], p.gross[here], periods), compounded=kind == "regime")
                )  # fmt: skip
            if rest or unpaid:
                out.append(_row(kind, UNATTRIBUTED, None, rest, np.zeros(0), (), periods, unpaid, {}))
        return out

    def _by(self, kind: str, series: Mapping[str, PairSeries]) -> dict[str, list[TradeClosed]]:
        out: dict[str, list[TradeClosed]] = {}
        for trade, leader in zip(self._trades, self._leaders, strict=True):
            pair = trade.instrument_id or ""
            name = leader if kind == "strategy" else pair
            if kind == "regime":
                name = _label_at(series[pair], trade.opened_ns)
            out.setdefault(name, []).append(trade)
        return out


def regimes_before(labels: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Return, per label, the bars before which it was the last one known; empty if nobody assessed regimes.

    Examples
    --------
    >>> {k: v.tolist() for k, v in regimes_before(["bull", "bear", "bear"]).items()}
    {'bull': [True, True, False], 'bear': [False, False, True]}
    """
    if not any(labels):
        return {}
    known = np.array([labels[0], *labels[:-1]], dtype=object)
    known[known == ""] = UNKNOWN
    return {label: known == label for label in dict.fromkeys(known.tolist())}


def _label_at(series: PairSeries, ts_ns: int) -> str:
    """The last label known at a time: that of the last bar that had closed."""
    i = int(np.searchsorted(np.array(series.ts_ns, dtype=np.int64), ts_ns, side="right")) - 1
    if not any(series.detected):
        return ""
    return series.detected[max(i, 0)] or UNKNOWN


def _over(pnl: Floats, before: Floats) -> Floats:
    # of a lost account nothing earns or loses a share any more
    return np.divide(pnl, before, out=np.zeros_like(pnl), where=before > 0.0) if before.size else pnl


def _row(
    kind: str, name: str, bars: int | None, pnl: Decimal, returns: Floats, trades: Sequence[TradeClosed],
    periods: float, fees: Decimal, money: Mapping[str, Any], *, compounded: bool = False,
) -> GroupRow:  # fmt: skip
    statistics = trade_statistics(trades)
    return GroupRow(
        kind=kind, name=name, bars=bars, trade_count=statistics.trade_count,
        return_frac=total_return(returns) if compounded else None,
        pnl_quote=normal_str(pnl), sharpe_ann=sharpe(returns, periods),
        max_drawdown_frac=max_drawdown(returns), win_rate_frac=statistics.win_rate_frac,
        profit_factor=statistics.profit_factor, fees_quote=normal_str(fees),
        metrics=part_metrics(
            returns, trades, periods,
            {"total_pnl_quote": normal_str(pnl), "fees_quote": normal_str(fees), **money},
        ),
    )  # fmt: skip


def part_metrics(
    returns: Floats, trades: Sequence[TradeClosed], periods: float, money: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the metrics of a run, of one part; ratios of bars are None where one bar lost it all.

    Parameters
    ----------
    returns : array, shape (bars,)
        What the part earned in each bar, over the account's equity before it.
    trades : sequence of TradeClosed
    periods : float
        Bars of a year.
    money : mapping, optional
        Metrics that follow from neither: PnL, costs, exposure, turnover.

    Examples
    --------
    >>> found = part_metrics(np.array([0.01, 0.03, -0.01]), (), 365.0)
    >>> round(found["sharpe_ann"], 6), found["trade_count"], found["win_rate_frac"], found["fees_quote"]
    (9.552487, 0, None, None)
    """
    usable = returns.size > 0 and bool(np.all((returns >= -1.0) & (returns < np.inf)))
    ratios = ratios_of(return_statistics(np.ascontiguousarray(returns)), periods) if usable else {}
    t = trade_statistics(trades)
    expectancy = None if t.expectancy_quote is None else normal_str(t.expectancy_quote.quantize(STEP))
    known: dict[str, Any] = {
        **ratios, "bars": int(returns.size), "trade_count": t.trade_count, "win_rate_frac": t.win_rate_frac,
        "profit_factor": t.profit_factor, "expectancy_quote": expectancy,
        "avg_trade_duration_bars": t.avg_duration_bars, "max_consecutive_losses": t.max_consecutive_losses,
        **(money or {}),
    }  # fmt: skip
    return {name: known.get(name) for name in (*METRICS, *BAR_FIGURES)}


def _money(part: _Part, equity: Floats, gross: Floats, periods: float) -> dict[str, Any]:
    """Return exposure, turnover and costs of a part over the bars whose closing equity is given."""
    spent = {name: normal_str(to_decimal(value).quantize(STEP)) for name, value in part.spent.items()}
    mean = float(equity.mean()) if equity.size else 0.0
    usable = bool((equity > 0.0).all()) and mean > 0.0
    return {
        "exposure_frac": float((gross / equity).mean()) if usable else None,
        "turnover_ann": part.spent.get("traded", 0.0) / mean * periods / equity.size if usable else None,
        **{f"{name}_quote": spent.get(name, "0") for name in ("slippage", *CHARGES)},
    }


def _add(total: dict[str, float], more: Mapping[str, Floats]) -> None:
    for name, values in more.items():
        total[name] = total.get(name, 0.0) + float(values.sum())
