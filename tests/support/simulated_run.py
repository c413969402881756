"""A small seeded run through the real risk stage on the synthetic market, for tests of what follows a run.

Prices, regimes, wishes, fills and a ledger are made here in the simplest honest way: fills at the next open,
10 bps fee, 2 bps slippage.
"""

from decimal import Decimal

import numpy as np

from actors.agents.risk import RiskAgent
from actors.coordinators.risk import RiskCoordinator
from actors.domain.evaluation.report_model import AgentRow, DataSource, RunInfo
from actors.domain.evaluation.run_record import RunRecord
from actors.domain.events.evaluation import AgentScored, WeightsRevised
from actors.domain.events.execution import OrderFilled, SubmitOrder
from actors.domain.events.market import BarClosed, DataQualityAssessed
from actors.domain.events.portfolio import AccountUpdated, TradeClosed
from actors.domain.events.regime import REGIMES, RegimeAssessed, RegimeChanged, RegimeConfidence
from actors.domain.events.risk import OrderIntentApproved
from actors.domain.events.signal import TargetExposureSet
from actors.domain.fitting import InlineFits
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams

HOUR = 3_600_000_000_000
CAPITAL = Decimal(10_000)
CONFIG = {
    "risk": {
        "sizing": {"kind": "volatility_target", "params": {"target_volatility_ann_frac": 0.6}},
        "rules": [
            {"kind": "min_data_quality", "params": {}},
            {"kind": "max_position_frac", "params": {"limit_frac": 0.5}},
            {"kind": "max_gross_exposure", "params": {"limit_frac": 0.8}},
            {"kind": "var_es_limit", "params": {"var_limit_frac": 0.02, "es_limit_frac": 0.03}},
            {"kind": "max_trades_per_window", "params": {"max_trades": 6}},
            {"kind": "min_notional", "params": {}},
        ],
        "breakers": {"drawdown": {"limit_frac": 0.08}, "daily_loss": {"limit_frac": 0.04}},
    }
}
MEMBERS = ("strategy-ma_crossover", "strategy-rsi", "strategy-macd", "strategy-regime_aware")


class Book:
    """Cash and positions; knows when a round trip ends."""

    def __init__(self, pairs):
        self.pairs, self.cash = pairs, CAPITAL
        self.quantity = dict.fromkeys(pairs, Decimal(0))
        self.fees = self.slippage = Decimal(0)
        self.peak = CAPITAL
        self.opened = {}

    def fill(self, intent, price, step, ts):
        pair, side = intent.instrument_id, 1 if intent.quantity > 0 else -1
        worse = price * (1 + Decimal("0.0002") * side)
        notional = abs(intent.quantity) * worse
        fee, slip = notional * Decimal("0.001"), abs(intent.quantity) * abs(worse - price)
        self.cash -= intent.quantity * worse + fee
        self.fees, self.slippage = self.fees + fee, self.slippage + slip
        before = self.quantity[pair]
        self.quantity[pair] = before + intent.quantity
        out = [
            OrderFilled(
                ts_event_ns=ts, source="venue", instrument_id=pair, client_order_id=intent.intent_id,
                intent_id=intent.intent_id, fill_id=f"f{step}{pair}", ts_fill_ns=ts, side=side,
                quantity=abs(intent.quantity), price=worse, fee=fee, fee_currency="USDT",
                liquidity="taker", leaves_quantity=Decimal(0), slippage_quote=slip,
            )
        ]  # fmt: skip
        if before == 0:
            self.opened[pair] = [step, ts, Decimal(0), Decimal(0), Decimal(0)]
        trade = self.opened[pair]
        trade[2] -= intent.quantity * worse + fee
        trade[3], trade[4] = trade[3] + fee, trade[4] + slip
        if self.quantity[pair] == 0:
            pnl = trade[2]
            out.append(
                TradeClosed(
                    ts_event_ns=ts, source="ledger", instrument_id=pair, side="long", opened_ns=trade[1],
                    closed_ns=ts, quantity=abs(intent.quantity), entry_price=worse, exit_price=worse,
                    fees_quote=trade[3], slippage_quote=trade[4], pnl_quote=pnl,
                    return_frac=float(pnl / (abs(intent.quantity) * worse)), duration_bars=step - trade[0],
                    exit_reason=intent.reason,
                )
            )  # fmt: skip
        return out

    def account(self, marks, ts):
        worth = {p: self.quantity[p] * Decimal(repr(marks[p])) for p in self.pairs}
        equity = self.cash + sum(worth.values())
        self.peak = max(self.peak, equity)
        return AccountUpdated(
            ts_event_ns=ts, source="ledger", equity=equity, cash=self.cash,
            positions=tuple(self.quantity.values()),
            exposures_frac=tuple(float(worth[p] / equity) for p in self.pairs),
            drawdown_frac=float(1 - equity / self.peak), fees_quote=self.fees, slippage_quote=self.slippage,
            realised_pnl_quote=Decimal(0),
        )  # fmt: skip


def views(ts, pair, label, true, rng):
    """Return what two detectors and the ensemble say; the second sees longer bars and is silent now and then."""

    def over(name, sure):
        return tuple(sure if r == name else (1.0 - sure) / (len(REGIMES) - 1) for r in REGIMES)

    def said(source, seen, sure, **more):
        return RegimeAssessed(
            ts_event_ns=ts, source=source, instrument_id=pair, label=seen, probabilities=over(seen, sure),
            **({"detector": source, "confidence": sure} | more),
        )  # fmt: skip

    sure = float(rng.uniform(0.45, 0.98))
    other = REGIMES[int(rng.integers(len(REGIMES)))]
    detail = RegimeConfidence(
        score=sure, raw=sure, level="HIGH" if sure > 0.75 else "MEDIUM", agreement=0.6, data_quality=0.9,
        boundary=sure - 0.1, calibrated=sure > 0.5,
    )  # fmt: skip
    return [
        said("regime-hmm", true, 0.8),
        said("regime-trend-4h", other, 0.7, timeframe="4h", confidence=float(rng.integers(2)) * 0.7),
        said(
            "regime-ensemble",
            label or "sideways",
            sure,
            detector="ensemble",
            detail=detail,
            weights=(0.75, 0.25),
        ),
    ]


def simulate(bars=1500, warmup=200, seed=7):
    """Return ``(record, truth, frames)`` of a run with `bars` steps, the first `warmup` of them warm-up."""
    market = generate(SyntheticParams(n_bars=bars), seed)
    frames = dict(list(market.frames.items())[:2])
    pairs = tuple(frames)
    rng = np.random.default_rng(seed)

    def context(name):
        return AgentContext(name, {p: Instrument(pair=p) for p in pairs}, HOUR, seed, InlineFits())

    measures = [RiskAgent(context(f"risk-{k}"), k) for k in ("volatility", "tail", "correlation")]
    risk = RiskCoordinator(context("coordinator-risk"), **CONFIG["risk"])
    record, book, waiting = RunRecord(pairs, HOUR, CAPITAL), Book(pairs), []
    truth = {p: {} for p in pairs}
    label, weights = dict.fromkeys(pairs, ""), np.full(4, 0.25)
    # its own, so that regimes said change nothing else of the run
    voices = np.random.default_rng([seed, 1])
    for k in range(bars):
        early = k < warmup
        ts = int(frames[pairs[0]].open_ns[k]) + HOUR
        closed = [
            BarClosed(
                ts_event_ns=ts, source="market-data", instrument_id=p, open_ns=ts - HOUR, close_ns=ts,
                open=float(frames[p].open[k]), high=float(frames[p].high[k]), low=float(frames[p].low[k]),
                close=float(frames[p].close[k]), volume=float(frames[p].volume[k]), synthetic=True,
            )
            for p in pairs
        ]  # fmt: skip
        quality = [
            DataQualityAssessed(
                ts_event_ns=ts, source="health", instrument_id=p, score=0.5 if 900 < k < 930 else 1.0,
                completeness=1.0, freshness=1.0, outlier_free=1.0,
            )
            for p in pairs
        ]  # fmt: skip
        fills = []
        for intent in waiting:
            opening = Decimal(repr(float(frames[intent.instrument_id].open[k])))
            fills += book.fill(intent, opening, k, ts)
        account = book.account({e.instrument_id: e.close for e in closed}, ts)
        true = market.regime_name(k)
        changes, wishes = [], []
        for p in pairs:
            truth[p][ts] = true
            lagged = market.regime_name(max(0, k - 5))
            seen = lagged if rng.random() < 0.99 else REGIMES[int(rng.integers(len(REGIMES)))]
            if seen and seen != label[p]:
                changes.append(
                    RegimeChanged(
                        ts_event_ns=ts, source="regime-ensemble", instrument_id=p, label=seen,
                        previous=label[p], probabilities=(1 / 6,) * len(REGIMES), confidence=0.8,
                    )
                )  # fmt: skip
                label[p] = seen
            past = frames[p].close[max(0, k - 30) : k + 1]
            up = float(frames[p].close[k]) > float(past.mean())
            wishes.append(
                TargetExposureSet(
                    ts_event_ns=ts, source="coordinator-strategy", instrument_id=p,
                    target_frac=0.9 if up and label[p] not in ("crash", "bear") else 0.0, confidence=0.6,
                    regime=label[p],
                )
            )  # fmt: skip
        said = [(m.name, m.process(Step(k, ts, tuple(closed), early))) for m in measures]
        inbox = (account, *(e for _, events in said for e in events), *wishes, *closed, *quality)
        decided = risk.process(Step(k, ts, inbox, early))
        waiting = [e for e in decided if isinstance(e, OrderIntentApproved) and e.quantity]
        orders = [
            SubmitOrder(
                ts_event_ns=ts, source="execution-market", instrument_id=e.instrument_id,
                intent_id=e.intent_id, client_order_id=e.intent_id, order_type="market",
                side=1 if e.quantity > 0 else -1,
                quantity=abs(e.quantity),
            )
            for e in waiting
        ]  # fmt: skip
        marks = []
        if k % 24 == 0:
            weights = weights * np.exp(0.2 * rng.standard_normal(4))
            weights /= weights.sum()
            marks = [
                WeightsRevised(
                    ts_event_ns=ts, source="performance", effective_step=k + 1, members=MEMBERS,
                    weights=tuple(weights.tolist()),
                ),
                *(
                    AgentScored(
                        ts_event_ns=ts, source="performance", instrument_id=p, agent=m, observations=k,
                        score=float(rng.normal()), hit_rate_frac=0.5,
                    )
                    for m in MEMBERS
                    for p in pairs
                ),
            ]  # fmt: skip
        heard = [e for p in pairs for e in views(ts, p, label[p], true, voices)]
        record.add(
            [
                ("regimes", heard), ("market-data", closed), ("health", quality), ("regime-ensemble", changes), *said,
                ("coordinator-strategy", wishes), ("venue", fills), ("ledger", [account]),
                ("coordinator-risk", decided), ("execution-market", orders), ("performance", marks),
            ],
            warmup=early,
        )  # fmt: skip
    return record, truth, frames


def simulated_report(bars=1500, warmup=200, seed=7, *, synthetic=True):
    """Return a report model of such a run."""
    record, truth, frames = simulate(bars, warmup, seed)
    names = ["market-data", "health", "features", "regime-hmm", "regime-volatility", "regime-trend",
             "regime-ensemble", "predict-online", "predict-forest", *MEMBERS, "coordinator-strategy",
             "performance", "risk-volatility", "risk-tail", "risk-correlation", "risk-drawdown", "ledger",
             "venue", "coordinator-risk", "coordinator-execution", "execution-market", "execution-limit",
             "execution-twap"]  # fmt: skip
    return record.report(
        RunInfo(
            title="Tradewind: simulated run <of the test>", mode="demo", host="local",
            pairs=tuple(frames), timeframe="1h", seed=seed, kernel_backend="python",
            kernel_reason="forced by the test", synthetic=synthetic, version="0.1.0", run_id="test-run",
            config_hash="c" * 64, data_hash="d" * 64, decision_hash="e" * 64,
            started_at="2026-01-01T00:00:00Z", duration_s=12.3, warmup_bars=warmup, decisions=1234,
        ),
        sources=[
            DataSource(
                pair=p, source=f.source or "simulator", rows=len(f.open_ns), first_ns=int(f.open_ns[0]),
                last_ns=int(f.open_ns[-1]), synthetic=synthetic,
                defects=("3 bars without volume",) if i == 0 else (),
            )
            for i, (p, f) in enumerate(frames.items())
        ],
        agents=[AgentRow(name=n, kind=n.partition("-")[0], pid=1000 + i) for i, n in enumerate(names)],
        config=CONFIG,
        truth=truth if synthetic else None,
        notes=("A test made this run.",),
    )  # fmt: skip
