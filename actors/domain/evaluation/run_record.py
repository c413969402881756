"""Collects a run's events step by step, on any host, and makes metrics, trades and a report model of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from actors.domain.evaluation.cost_parts import CostBook
from actors.domain.evaluation.excursions import add_excursions
from actors.domain.evaluation.metrics.deflated import Trials
from actors.domain.evaluation.metrics.plausibility import implausible
from actors.domain.evaluation.metrics.regime_accuracy import RegimeAccuracy
from actors.domain.evaluation.open_positions import OpenPosition, OpenPositions
from actors.domain.evaluation.pair_book import Handler, PairBook
from actors.domain.evaluation.regime_book import RegimeBook
from actors.domain.evaluation.regime_trace import STAY
from actors.domain.evaluation.report_model import (
    AccountSeries,
    AgentRow,
    DataSource,
    PairSeries,
    ReportModel,
    RunInfo,
    SwitchRow,
)
from actors.domain.evaluation.run_metrics import Costs, run_metrics, trade_row
from actors.domain.evaluation.run_sayings import Sayings, limits_of
from actors.domain.evaluation.run_tables import run_tables
from actors.domain.events.base import Event
from actors.domain.events.execution import OrderFilled
from actors.domain.events.portfolio import AccountCharged, AccountUpdated, PositionChanged, TradeClosed
from actors.domain.events.regime import RegimeAssessed
from actors.domain.events.risk import RiskMeasured

LIQUIDATED = "venue:liquidation"


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
    stay_probability : float
        Of the regime ensemble's filter.

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
        stay_probability: float = STAY,
    ) -> None:
        self.pairs = tuple(pairs)
        self.regimes = RegimeBook(self.pairs, stay_probability)
        self.timeframe_ns = timeframe_ns
        self.initial_equity = initial_equity
        self.trades: list[TradeClosed] = []
        self.positions: dict[str, Decimal] = dict.fromkeys(self.pairs, Decimal(0))
        self.warmup_steps = 0
        self.benchmark_fee_frac = benchmark_fee_frac
        self._last_equity = initial_equity
        self._pairs = PairBook(self.pairs)
        self._account = AccountSeries(
            initial_equity=float(initial_equity), ts_ns=[], equity=[], benchmark=[], drawdown=[],
            exposures=[], es_bound_frac=[], es_confidence=0.95, fees_quote=[], slippage_quote=[],
        )  # fmt: skip
        self._costs = Costs()
        self.cost_book = CostBook()
        self._traded = Decimal(0)
        self._entry: dict[str, float] = {}
        self._es: dict[str, float] = {}
        self._sayings = Sayings()
        self._open = OpenPositions()
        self._events: dict[str, int] = {}
        self._handlers: dict[type[Event], Handler] = {
            OrderFilled: self._fill, RiskMeasured: self._measured, TradeClosed: self._trade,
            PositionChanged: self._position, AccountCharged: self._charged, RegimeAssessed: self.regimes.take,
            **self._pairs.handlers(), **self._sayings.handlers(),
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
            try:
                counts[agent] += len(events)
            except KeyError:
                counts[agent] = len(events)
            for event in events:
                handler = handlers.get(type(event))
                if handler is not None:
                    handler(event, warmup)
                elif type(event) is AccountUpdated:
                    account = event
        if account is not None:
            # last, so that the benchmark is marked at this step's closes
            self._take_account(account, warmup)
        now = self.regimes.step_ns
        if now is not None:
            self.regimes.close_step(self._pairs.newest(now))

    def adopt(
        self,
        pairs: Mapping[str, PairSeries],
        account: AccountSeries,
        *,
        equity: Decimal,
        positions: Mapping[str, Decimal],
        fees_quote: Decimal,
        slippage_quote: Decimal,
        warmup_steps: int,
    ) -> None:
        """Take over bars and account of a run that was computed in columns; fills stay as they were added.

        Parameters
        ----------
        pairs : mapping pair → PairSeries
            Bars, regimes and targets of the decision range.
        account : AccountSeries
        equity, positions, fees_quote, slippage_quote
            At the end, exact.
        """
        for pair, series in pairs.items():
            self._pairs.adopt(pair, series)
        account.charged = self._account.charged
        self._account, self._last_equity = account, equity
        self._costs = Costs(fees_quote=fees_quote, slippage_quote=slippage_quote)
        self.positions, self.warmup_steps = dict(positions), warmup_steps

    @property
    def synthetic(self) -> bool:
        """True if any bar was made up."""
        return self._pairs.synthetic

    @property
    def counts(self) -> dict[str, int]:
        """Orders, fills, rejections, approvals, resizes and denials so far."""
        return dict(self._sayings.counts)

    @property
    def switches(self) -> list[SwitchRow]:
        """Switches of adaptive strategies' parameters so far, the warm-up left out."""
        return list(self._sayings.switches)

    @property
    def open_orders(self) -> dict[str, str]:
        """Pair of each order at work, by its client order id."""
        return self._sayings.open_orders

    @property
    def traded_quote(self) -> Decimal:
        """Notional of all fills, both sides, quote currency."""
        return self._traded

    @property
    def curves(self) -> tuple[dict[str, PairSeries], AccountSeries]:
        """Series of the pairs and of the account so far; they grow with the run."""
        return self._pairs.series, self._account

    @property
    def total_pnl_quote(self) -> Decimal:
        """Equity after the last step less the capital, exact."""
        return self._last_equity - self.initial_equity

    @property
    def costs(self) -> Costs:
        """What trading cost so far."""
        return self._final_costs()

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
            total_pnl_quote=self.total_pnl_quote,
        )

    def trade_rows(self, *, strategy: str = "") -> list[dict[str, Any]]:
        """Return the round trips under the command line's names."""
        rows = [trade_row(trade, strategy=strategy) for trade in self.trades]
        add_excursions(rows, self.trades, self._pairs.series)
        return rows

    def open_positions(self) -> list[OpenPosition]:
        """Return what is held after the last step."""
        return self._open.rows({pair: s.close[-1] for pair, s in self._pairs.series.items() if s.close})

    def accuracy(self, truth: Mapping[str, Mapping[int, str]]) -> dict[str, RegimeAccuracy]:
        """Compare the detected regimes with planted ones.

        Parameters
        ----------
        truth : mapping pair → (close time in ns → label)
        """
        return self._pairs.accuracy(truth)

    def report(
        self,
        info: RunInfo,
        *,
        sources: Sequence[DataSource] = (),
        agents: Sequence[AgentRow] = (),
        config: Mapping[str, Any] | None = None,
        truth: Mapping[str, Mapping[int, str]] | None = None,
        notes: Sequence[str] = (),
        trials: Trials | None = None,
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
        trials : Trials, optional
            Of the study that chose this run's parameters, for its deflated Sharpe ratio.
        """
        self._pairs.plant(truth or {})
        account = self._account
        benchmark = run_metrics(
            np.array([account.initial_equity, *account.benchmark]),
            timeframe_ns=self.timeframe_ns,
            costs=Costs(fees_quote=Decimal(repr(round(account.initial_equity * self.benchmark_fee_frac, 8)))),
        )
        metrics = self.metrics()
        tables = run_tables(
            account, self.trades, metrics, timeframe_ns=self.timeframe_ns, seed=info.seed,
            trials=trials, traded=self._pairs.moved(),
        )  # fmt: skip
        return ReportModel(
            info=info, sources=list(sources), account=account, pairs=list(self._pairs.series.values()),
            weights=list(self._sayings.weights.values()), denials=list(self._sayings.denials.values()),
            risk_events=self._sayings.risk_events, agents=self._sayings.agent_rows(agents, self._events),
            trades=self.trade_rows(),
            metrics=metrics, benchmark_metrics=benchmark | tables.benchmark,
            benchmark_label=f"buy and hold, equal weights, one entry fee of {self.benchmark_fee_frac * 1e4:g} bps",
            limits=limits_of(config or {}), config=dict(config or {}), counts=self.counts,
            approved_ns=self._sayings.approved_ns,
            notes=(
                *(f"IMPLAUSIBLE: {text}" for text in implausible(metrics, timeframe_ns=self.timeframe_ns)),
                *notes, *(f"EVIDENCE: {text}" for text in tables.warnings),
            ),
            open_positions=self.open_positions(), monthly=tables.monthly, switches=self.switches,
            drawdowns=tables.drawdowns, intervals=tables.intervals, statistics=tables.statistics,
            warnings=tables.warnings, costs=self.cost_book.report(),
            regimes=self.regimes.views(self._pairs.series, timeframe_ns=self.timeframe_ns, seed=info.seed),
        )  # fmt: skip

    def _final_costs(self) -> Costs:
        carry = self.cost_book.whole
        return Costs(
            fees_quote=self._costs.fees_quote,
            slippage_quote=self._costs.slippage_quote,
            funding_quote=carry.funding_quote,
            borrow_quote=carry.borrow_quote,
            liquidation_quote=carry.liquidation_quote,
            traded_quote=self._traded,
        )

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
        costs = self._costs
        fees, slippage = event.fees_quote, event.slippage_quote
        if account.fees_quote and costs.fees_quote is fees and costs.slippage_quote is slippage:
            # the same objects as long as nothing is filled: no need to make floats of them again
            account.fees_quote.append(account.fees_quote[-1])
            account.slippage_quote.append(account.slippage_quote[-1])
        else:
            account.fees_quote.append(float(fees))
            account.slippage_quote.append(float(slippage))
            self._costs = Costs(fees_quote=fees, slippage_quote=slippage)
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
        kept = share * (1.0 - self.benchmark_fee_frac)
        total = 0.0
        for pair in self.pairs:
            close = self._pairs.close.get(pair)
            if close is None:
                total += share
                continue
            entry = self._entry.setdefault(pair, close)
            total += kept * close / entry
        return total

    def _fill(self, event: OrderFilled, warmup: bool) -> None:
        self._sayings.fill(event)
        self._traded += event.quantity * event.price
        self.cost_book.fill(event)
        if event.intent_id == LIQUIDATED and not warmup:
            self._sayings.risk_event(event, "liquidated by the venue", event.instrument_id or "", None, None)
        self._pairs.fill(event)

    def _charged(self, event: AccountCharged, warmup: bool) -> None:
        self.cost_book.charge(event)
        if not warmup:
            self._account.charged.append((event.ts_event_ns, event.kind, float(event.amount)))

    def _measured(self, event: RiskMeasured, warmup: bool) -> None:
        if event.measure == "es" and event.instrument_id is not None:
            self._es[event.instrument_id] = event.value
            self._account.es_confidence = event.confidence

    def _position(self, event: PositionChanged, warmup: bool) -> None:
        self._open.take(event)

    def _trade(self, event: TradeClosed, warmup: bool) -> None:
        self.trades.append(event)
