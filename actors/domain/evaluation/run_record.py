"""Collects a run's events step by step, on any host, and makes metrics, trades and a report model of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from actors.domain import registry
from actors.domain.evaluation.metrics.regime_accuracy import RegimeAccuracy, regime_accuracy
from actors.domain.evaluation.report_model import (
    AccountSeries,
    AgentRow,
    DataSource,
    DenialRow,
    Fill,
    PairSeries,
    ReportModel,
    RiskEvent,
    RunInfo,
    WeightSeries,
)
from actors.domain.evaluation.run_metrics import Costs, run_metrics, trade_row
from actors.domain.events.base import Event
from actors.domain.events.evaluation import AgentScored, WeightsRevised
from actors.domain.events.execution import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    SubmitOrder,
)
from actors.domain.events.market import BarClosed
from actors.domain.events.portfolio import AccountUpdated, TradeClosed
from actors.domain.events.regime import REGIMES, RegimeChanged
from actors.domain.events.risk import (
    CircuitBreakerReset,
    CircuitBreakerTripped,
    OrderIntentApproved,
    OrderIntentDenied,
    RiskLimitBreached,
    RiskMeasured,
)
from actors.domain.events.signal import TargetExposureSet
from actors.domain.model.money import normal_str

Handler = Callable[[Any, bool], None]
_LIMIT_PARAMS = ("limit_frac", "var_limit_frac", "es_limit_frac", "max_trades", "min_score")


class RunRecord:
    """One run in memory.

    Parameters
    ----------
    pairs : sequence of str
        In the order of the ledger's positions.
    timeframe_ns : int
    initial_equity : Decimal
        Capital before the first decision, quote currency.
    benchmark_fee_frac : float
        Fee of the one purchase that buy-and-hold makes.

    Notes
    -----
    Bars and account of the warm-up are left out; regimes are followed through it, so that the first decision
    bar has its label. Memory: some 30 numbers per bar. Feed it in step order.
    """

    def __init__(
        self,
        pairs: Sequence[str],
        timeframe_ns: int,
        initial_equity: Decimal,
        *,
        benchmark_fee_frac: float = 0.001,
    ) -> None:
        self.pairs = tuple(pairs)
        self.timeframe_ns = timeframe_ns
        self.initial_equity = initial_equity
        self.trades: list[TradeClosed] = []
        self.positions: dict[str, Decimal] = dict.fromkeys(self.pairs, Decimal(0))
        self.open_orders: dict[str, str] = {}
        self.synthetic = False
        self.warmup_steps = 0
        self._fee = benchmark_fee_frac
        self._last_equity = initial_equity
        self._series = {p: PairSeries(pair=p, ts_ns=[], close=[]) for p in self.pairs}
        self._account = AccountSeries(
            initial_equity=float(initial_equity), ts_ns=[], equity=[], benchmark=[], drawdown=[],
            exposures=[], es_bound_frac=[], es_confidence=0.95, fees_quote=[], slippage_quote=[],
        )  # fmt: skip
        self._costs = Costs()
        self._traded = Decimal(0)
        self._regime = dict.fromkeys(self.pairs, "")
        self._close: dict[str, float] = {}
        self._entry: dict[str, float] = {}
        self._target: dict[str, float] = {}
        self._es: dict[str, float] = {}
        self._weights: dict[str, WeightSeries] = {}
        self._scores: dict[str, dict[str | None, AgentScored]] = {}
        self._denials: dict[tuple[str, str, str, str], DenialRow] = {}
        self._risk_events: list[RiskEvent] = []
        self._events: dict[str, int] = {}
        self._counts = {"orders": 0, "fills": 0, "rejected": 0, "approved": 0, "resized": 0, "denied": 0}
        self._handlers: dict[type[Event], Handler] = {
            BarClosed: self._bar, OrderFilled: self._fill,
            TargetExposureSet: self._wish, RegimeChanged: self._regime_changed, WeightsRevised: self._revised,
            AgentScored: self._scored, OrderIntentDenied: self._denied, OrderIntentApproved: self._approved,
            CircuitBreakerTripped: self._tripped, CircuitBreakerReset: self._reset,
            RiskLimitBreached: self._breached, RiskMeasured: self._measured, TradeClosed: self._trade,
            SubmitOrder: self._order, OrderRejected: self._rejected, OrderAccepted: self._accepted,
            OrderCanceled: self._ended, OrderExpired: self._ended,
        }  # fmt: skip

    def add(self, outputs: Iterable[tuple[str, Sequence[Event]]], *, warmup: bool = False) -> None:
        """Take the outputs of one step, ``(agent, events)`` each, in any order of agents.

        Parameters
        ----------
        outputs : iterable
            What a host's step returns.
        warmup : bool
            True if decisions were not allowed yet.
        """
        handlers, counts = self._handlers, self._events
        self.warmup_steps += warmup
        account: AccountUpdated | None = None
        for agent, events in outputs:
            if not events:
                continue
            counts[agent] = counts.get(agent, 0) + len(events)
            for event in events:
                kind = type(event)
                if kind is AccountUpdated:
                    account = event  # type: ignore[assignment]
                    continue
                handler = handlers.get(kind)
                if handler is not None:
                    handler(event, warmup)
        if account is not None:
            # last, so that the benchmark is marked at this step's closes
            self._take_account(account, warmup)

    @property
    def counts(self) -> dict[str, int]:
        """Orders, fills, rejections, approvals, resizes and denials so far."""
        return dict(self._counts)

    @property
    def bars(self) -> int:
        """Steps with an account after the warm-up."""
        return len(self._account.ts_ns)

    def metrics(self) -> dict[str, Any]:
        """Return `run_metrics` of the run, costs included."""
        account = self._account
        return run_metrics(
            np.array([account.initial_equity, *account.equity]),
            timeframe_ns=self.timeframe_ns,
            trades=self.trades,
            costs=self._final_costs(),
            gross_exposure=np.array([sum(map(abs, row)) for row in account.exposures]),
            total_pnl_quote=self._last_equity - self.initial_equity,
        )

    def trade_rows(self, *, strategy: str = "") -> list[dict[str, Any]]:
        """Return the round trips under the command line's names."""
        return [trade_row(trade, strategy=strategy) for trade in self.trades]

    def accuracy(self, truth: Mapping[str, Mapping[int, str]]) -> dict[str, RegimeAccuracy]:
        """Compare the detected regimes with planted ones.

        Parameters
        ----------
        truth : mapping pair → (close time in ns → label)
        """
        out = {}
        for pair, series in self._series.items():
            if pair in truth:
                planted = truth[pair]
                out[pair] = regime_accuracy(
                    series.detected, [planted.get(ts, "") for ts in series.ts_ns], REGIMES
                )
        return out

    def report(
        self,
        info: RunInfo,
        *,
        sources: Sequence[DataSource] = (),
        agents: Sequence[AgentRow] = (),
        config: Mapping[str, Any] | None = None,
        truth: Mapping[str, Mapping[int, str]] | None = None,
        notes: Sequence[str] = (),
    ) -> ReportModel:
        """Return everything a report shows.

        Parameters
        ----------
        info : RunInfo
        sources : sequence of DataSource
        agents : sequence of AgentRow
            Names, kinds and processes; counts, scores and weights are filled in here.
        config : mapping
            The resolved configuration; limits of ``risk.rules`` are read from it.
        truth : mapping pair → (close time in ns → label), optional
            Planted regimes of a synthetic market.
        notes : sequence of str
        """
        accuracy = self.accuracy(truth or {})
        for pair, series in self._series.items():
            if pair in accuracy:
                planted = (truth or {})[pair]
                series.truth = [planted.get(ts, "") for ts in series.ts_ns]
                series.accuracy = accuracy[pair]
        account = self._account
        benchmark = run_metrics(
            np.array([account.initial_equity, *account.benchmark]),
            timeframe_ns=self.timeframe_ns,
            costs=Costs(fees_quote=Decimal(repr(round(account.initial_equity * self._fee, 8)))),
        )
        return ReportModel(
            info=info, sources=list(sources), account=account, pairs=list(self._series.values()),
            weights=list(self._weights.values()), denials=list(self._denials.values()),
            risk_events=self._risk_events, agents=self._agent_rows(agents), trades=self.trade_rows(),
            metrics=self.metrics(), benchmark_metrics=benchmark,
            benchmark_label=f"buy and hold, equal weights, one entry fee of {self._fee * 1e4:g} bps",
            limits=limits_of(config or {}), config=dict(config or {}), counts=self.counts, notes=tuple(notes),
        )  # fmt: skip

    def _agent_rows(self, agents: Sequence[AgentRow]) -> list[AgentRow]:
        last: dict[str, float] = {}
        for series in self._weights.values():
            if not last or series.context == "":
                last = dict(zip(series.members, series.weights[-1], strict=True))
        for row in agents:
            row.events = self._events.get(row.name, 0)
            # strategies are weighed under their kind, agents are named strategy-<kind>
            row.weight = last.get(row.name, last.get(row.name.removeprefix("strategy-")))
            marks = list(self._scores.get(row.name, {}).values())
            seen = sum(mark.observations for mark in marks)
            row.observations = seen if marks else None
            if seen:
                row.score_bps = sum(m.score * m.observations for m in marks) / seen
                row.hit_rate_frac = sum(m.hit_rate_frac * m.observations for m in marks) / seen
        return list(agents)

    def _final_costs(self) -> Costs:
        return Costs(
            fees_quote=self._costs.fees_quote,
            slippage_quote=self._costs.slippage_quote,
            traded_quote=self._traded,
        )

    def _bar(self, event: BarClosed, warmup: bool) -> None:
        pair = event.instrument_id or ""
        self.synthetic = self.synthetic or event.synthetic
        self._close[pair] = event.close
        if warmup:
            return
        series = self._series[pair]
        if series.ts_ns and series.ts_ns[-1] >= event.close_ns:
            return
        series.ts_ns.append(event.close_ns)
        series.close.append(event.close)
        series.detected.append(self._regime[pair])

    def _take_account(self, event: AccountUpdated, warmup: bool) -> None:
        self.positions = dict(zip(self.pairs, event.positions, strict=True))
        if warmup:
            return
        account = self._account
        self._last_equity = event.equity
        account.ts_ns.append(event.ts_event_ns)
        account.equity.append(float(event.equity))
        account.drawdown.append(event.drawdown_frac)
        account.exposures.append(event.exposures_frac)
        account.fees_quote.append(float(event.fees_quote))
        account.slippage_quote.append(float(event.slippage_quote))
        costs = self._costs
        if costs.fees_quote != event.fees_quote or costs.slippage_quote != event.slippage_quote:
            self._costs = Costs(fees_quote=event.fees_quote, slippage_quote=event.slippage_quote)
        bound: float | None = 0.0
        for pair, exposure in zip(self.pairs, event.exposures_frac, strict=True):
            if exposure != 0.0 and bound is not None:
                es = self._es.get(pair)
                bound = None if es is None else bound + abs(exposure) * es
        account.es_bound_frac.append(bound)
        account.benchmark.append(self._hold())

    def _hold(self) -> float:
        """Value of equal shares, each bought at the close of its pair's first decision bar."""
        share = self._account.initial_equity / len(self.pairs)
        total = 0.0
        for pair in self.pairs:
            close = self._close.get(pair)
            if close is None:
                total += share
                continue
            entry = self._entry.setdefault(pair, close)
            total += share * (1.0 - self._fee) * close / entry
        return total

    def _fill(self, event: OrderFilled, warmup: bool) -> None:
        self._counts["fills"] += 1
        if event.leaves_quantity == 0:
            self.open_orders.pop(event.client_order_id, None)
        self._traded += event.quantity * event.price
        self._series[event.instrument_id or ""].fills.append(
            Fill(
                event.ts_event_ns,
                event.side,
                normal_str(event.quantity),
                float(event.price),
                f"{normal_str(event.fee)} {event.fee_currency}",
                event.liquidity,
            )
        )

    def _wish(self, event: TargetExposureSet, warmup: bool) -> None:
        pair = event.instrument_id or ""
        if not warmup and self._target.get(pair) != event.target_frac:
            self._target[pair] = event.target_frac
            self._series[pair].targets.append((event.ts_event_ns, event.target_frac))

    def _regime_changed(self, event: RegimeChanged, warmup: bool) -> None:
        pair = event.instrument_id or ""
        self._regime[pair] = event.label
        series = self._series[pair]
        # bars come before regimes in a step: the bar at this close carries the new label
        if not warmup and series.ts_ns and series.ts_ns[-1] == event.ts_event_ns:
            series.detected[-1] = event.label

    def _revised(self, event: WeightsRevised, warmup: bool) -> None:
        series = self._weights.get(event.regime)
        if series is None or series.members != event.members:
            series = WeightSeries(context=event.regime, members=event.members, ts_ns=[], weights=[])
            self._weights[event.regime] = series
        series.ts_ns.append(event.ts_event_ns)
        series.weights.append(event.weights)

    def _scored(self, event: AgentScored, warmup: bool) -> None:
        self._scores.setdefault(event.agent, {})[event.instrument_id] = event

    def _denied(self, event: OrderIntentDenied, warmup: bool) -> None:
        self._counts["denied"] += 1
        self._tally(event, "denied", event.rule, event.code, event.limit, event.observed)

    def _approved(self, event: OrderIntentApproved, warmup: bool) -> None:
        self._counts["approved"] += 1
        if event.resized_by:
            self._counts["resized"] += 1
            self._tally(event, "resized", event.resized_by, "", None, None)

    def _tally(
        self, event: Event, action: str, rule: str, code: str, limit: float | None, observed: float | None
    ) -> None:
        pair, ts = event.instrument_id or "", event.ts_event_ns
        row = self._denials.get((pair, action, rule, code))
        if row is None:
            row = self._denials[pair, action, rule, code] = DenialRow(
                pair=pair, action=action, rule=rule, code=code, count=0, first_ns=ts, last_ns=ts, limit=None,
                observed=None,
            )  # fmt: skip
        row.count += 1
        row.last_ns, row.limit, row.observed = ts, _finite(limit), _finite(observed)

    def _tripped(self, event: CircuitBreakerTripped, warmup: bool) -> None:
        self._risk_event(event, "breaker tripped", event.breaker, event.limit, event.observed)

    def _reset(self, event: CircuitBreakerReset, warmup: bool) -> None:
        self._risk_event(event, "breaker reset", event.breaker, None, None)

    def _breached(self, event: RiskLimitBreached, warmup: bool) -> None:
        self._risk_event(event, "limit broken by the market", event.rule, event.limit, event.observed)

    def _risk_event(
        self, event: Event, what: str, name: str, limit: float | None, observed: float | None
    ) -> None:
        self._risk_events.append(
            RiskEvent(ts_ns=event.ts_event_ns, what=what, name=name, limit=limit, observed=observed)
        )

    def _measured(self, event: RiskMeasured, warmup: bool) -> None:
        if event.measure == "es" and event.instrument_id is not None:
            self._es[event.instrument_id] = event.value
            self._account.es_confidence = event.confidence

    def _trade(self, event: TradeClosed, warmup: bool) -> None:
        self.trades.append(event)

    def _order(self, event: SubmitOrder, warmup: bool) -> None:
        self._counts["orders"] += 1

    def _accepted(self, event: OrderAccepted, warmup: bool) -> None:
        self.open_orders[event.client_order_id] = event.instrument_id or ""

    def _ended(self, event: OrderCanceled | OrderExpired, warmup: bool) -> None:
        self.open_orders.pop(event.client_order_id, None)

    def _rejected(self, event: OrderRejected, warmup: bool) -> None:
        self._counts["rejected"] += 1


def limits_of(config: Mapping[str, Any]) -> dict[str, float]:
    """Return the limits of ``risk.rules`` in a configuration, ``rule.parameter`` → value, defaults included.

    Examples
    --------
    >>> limits_of({"risk": {"rules": [{"kind": "max_position_frac", "params": {"limit_frac": 0.5}}]}})
    {'max_position_frac.limit_frac': 0.5}
    """
    out: dict[str, float] = {}
    for rule in config.get("risk", {}).get("rules", ()):
        params = registry.validate("actors.domain.risk.rules", rule["kind"], rule.get("params") or {})
        for name, value in params.model_dump().items():
            if name in _LIMIT_PARAMS:
                out[f"{rule['kind']}.{name}"] = float(value)
    return out


def _finite(value: float | None) -> float | None:
    return None if value is None or value != value else value
