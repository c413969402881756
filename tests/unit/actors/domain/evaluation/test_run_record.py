"""The run record: what is counted, where the warm-up ends, benchmark, regimes, storage while running."""

import pickle
from decimal import Decimal

import pytest

from actors.domain.evaluation.run_record import RunRecord
from actors.domain.evaluation.run_sayings import limits_of
from actors.domain.events.execution import OrderFilled
from actors.domain.events.market import BarClosed
from actors.domain.events.portfolio import AccountUpdated
from actors.domain.events.regime import RegimeChanged
from actors.domain.events.risk import OrderIntentDenied, RiskMeasured

HOUR = 3_600_000_000_000
A, B = "BTC/USDT", "ETH/USDT"


def bar(k, pair, close):
    ts = (k + 1) * HOUR
    return BarClosed(
        ts_event_ns=ts, source="market-data", instrument_id=pair, open_ns=ts - HOUR, close_ns=ts, open=close,
        high=close, low=close, close=close, volume=1.0,
    )  # fmt: skip


def account(k, equity, exposures=(0.0, 0.0)):
    return AccountUpdated(
        ts_event_ns=(k + 1) * HOUR, source="ledger", equity=Decimal(equity), cash=Decimal(equity),
        positions=(Decimal(0), Decimal(0)), exposures_frac=exposures, drawdown_frac=0.0,
        fees_quote=Decimal("1.5"), slippage_quote=Decimal("0.5"), realised_pnl_quote=Decimal(0),
    )  # fmt: skip


def regime(k, pair, label):
    return RegimeChanged(
        ts_event_ns=(k + 1) * HOUR, source="regime-ensemble", instrument_id=pair, label=label, previous="",
        probabilities=(), confidence=1.0,
    )  # fmt: skip


def record():
    out = RunRecord((A, B), HOUR, Decimal(1000), benchmark_fee_frac=0.001)
    out.add(
        [("market-data", [bar(0, A, 50.0), bar(0, B, 10.0)]), ("regime-ensemble", [regime(0, A, "bull")]),
         ("ledger", [account(0, 1000)])],
        warmup=True,
    )  # fmt: skip
    # the ledger may be listed before the bars: the benchmark is marked at this step's closes all the same
    out.add([("ledger", [account(1, 1010)]), ("market-data", [bar(1, A, 100.0), bar(1, B, 20.0)])])
    out.add(
        [("market-data", [bar(2, A, 110.0)]), ("regime-ensemble", [regime(2, A, "bear")]),
         ("ledger", [account(2, 990, (0.5, -0.2))])]
    )  # fmt: skip
    return out


def test_warmup_is_left_out_but_its_regime_is_known():
    r = record()
    assert (r.bars, r.warmup_steps) == (2, 1)
    accuracy = r.accuracy({A: {2 * HOUR: "bull", 3 * HOUR: "bull"}})
    assert accuracy[A].confusion == ((1, 1), (0, 0))
    assert B not in accuracy


def test_metrics_start_with_the_capital_and_use_exact_money():
    m = record().metrics()
    assert (m["bars"], m["total_pnl_quote"]) == (2, "-10")
    assert m["max_drawdown_frac"] == pytest.approx(20 / 1010)
    assert m["exposure_frac"] == pytest.approx(0.35)
    assert (m["fees_quote"], m["slippage_quote"]) == ("1.5", "0.5")


def test_benchmark_buys_at_the_first_decision_close_and_pays_once():
    r = record()
    assert r._account.benchmark == pytest.approx([999.0, 999.0 * (1.1 + 1.0) / 2])


def test_expected_shortfall_bound_is_unknown_until_measured():
    r = record()
    assert r._account.es_bound_frac == [0.0, None]
    r.add(
        [("risk-tail", [
            RiskMeasured(ts_event_ns=4 * HOUR, source="risk-tail", instrument_id=p, measure="es", value=v,
                         confidence=0.975) for p, v in ((A, 0.02), (B, 0.05))]),
         ("ledger", [account(3, 1000, (0.5, -0.2))])]
    )  # fmt: skip
    assert r._account.es_bound_frac[-1] == pytest.approx(0.5 * 0.02 + 0.2 * 0.05)
    assert r._account.es_confidence == 0.975


def test_turnover_counts_every_fill_and_denials_are_tallied():
    r = record()
    fill = OrderFilled(
        ts_event_ns=4 * HOUR, source="venue", instrument_id=A, client_order_id="c", intent_id="i",
        fill_id="f", ts_fill_ns=4 * HOUR, side=1, quantity=Decimal(2), price=Decimal(100), fee=Decimal("0.2"),
        fee_currency="USDT", liquidity="taker", leaves_quantity=Decimal(0),
    )  # fmt: skip
    denial = OrderIntentDenied(
        ts_event_ns=4 * HOUR, source="coordinator-risk", instrument_id=A, intent_id="x", quantity=Decimal(1),
        code="POSITION_LIMIT", rule="max_position_frac", limit=0.5, observed=float("nan"),
    )  # fmt: skip
    r.add([("venue", [fill, fill]), ("coordinator-risk", [denial, denial]), ("ledger", [account(3, 1000)])])
    assert r.metrics()["turnover_ann"] == pytest.approx(400 / 1000 * 8760 / 3)
    assert (r.counts["fills"], r.counts["denied"]) == (2, 2)
    (row,) = r._sayings.denials.values()
    assert (row.count, row.limit, row.observed) == (2, 0.5, None)


def test_record_survives_a_process():
    again = pickle.loads(pickle.dumps(record()))
    again.add([("ledger", [account(3, 1200)])])
    assert again.metrics()["total_pnl_quote"] == "200"
    assert again.bars == 3


def test_limits_come_with_their_defaults():
    limits = limits_of({"risk": {"rules": [{"kind": "max_gross_exposure"}, {"kind": "var_es_limit"}]}})
    assert set(limits) == {
        "max_gross_exposure.limit_frac", "var_es_limit.var_limit_frac", "var_es_limit.es_limit_frac",
    }  # fmt: skip
