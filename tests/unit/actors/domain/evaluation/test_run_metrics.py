"""Run metrics: a run worked by hand, what is undefined, the keys of the command line."""

import math
from decimal import Decimal

import numpy as np
import pytest

from actors.domain.errors import InvalidParamsError
from actors.domain.evaluation.run_metrics import Costs, run_metrics, trade_row
from actors.domain.events.portfolio import TradeClosed

DAY = 86_400_000_000_000
KEYS = [
    "bars", "trade_count", "total_pnl_quote", "total_return_frac", "cagr_frac", "volatility_ann_frac",
    "sharpe_ann", "sortino_ann", "calmar", "omega", "max_drawdown_frac", "max_drawdown_bars",
    "win_rate_frac", "profit_factor", "expectancy_quote", "avg_trade_duration_bars",
    "max_consecutive_losses", "exposure_frac", "turnover_ann", "fees_quote", "slippage_quote",
    "funding_quote", "borrow_quote", "liquidation_quote", "var_95_frac", "es_95_frac", "skew", "kurtosis", "psr",
    "min_track_record_bars",
]  # fmt: skip


def trade(pnl, bars=5):
    return TradeClosed(
        ts_event_ns=DAY, source="ledger", instrument_id="BTC/USDT", side="long", opened_ns=0, closed_ns=DAY,
        quantity=Decimal("0.50000"), entry_price=Decimal("100.10"), exit_price=Decimal("110.00"),
        fees_quote=Decimal("0.10"), slippage_quote=Decimal("0.02"), pnl_quote=Decimal(pnl),
        return_frac=0.05, duration_bars=bars, exit_reason="exit", carry_quote=Decimal("-0.50"),
    )  # fmt: skip


def test_keys_are_those_of_the_command_line_in_order():
    assert list(run_metrics(np.array([1.0, 1.1]), timeframe_ns=DAY)) == KEYS


def test_hand_worked_run():
    equity = np.array([1000.0, 1100.0, 1045.0, 1045.0, 1149.5])  # +10 %, −5 %, 0, +10 %
    trades = [trade("30"), trade("-10"), trade("-5"), trade("0"), trade("-1", bars=10)]
    m = run_metrics(
        equity,
        timeframe_ns=DAY,
        trades=trades,
        costs=Costs(fees_quote=Decimal("1.50"), slippage_quote=Decimal(2), traded_quote=Decimal(2168)),
        gross_exposure=np.array([0.5, 0.5, 0.0, 1.0]),
        total_pnl_quote=Decimal("149.50"),
    )
    r = np.array([0.1, -0.05, 0.0, 0.1])
    sd = math.sqrt(sum((x - 0.0375) ** 2 for x in r) / 3)
    assert (m["bars"], m["trade_count"], m["total_pnl_quote"]) == (4, 5, "149.5")
    assert m["total_return_frac"] == pytest.approx(0.1495)
    assert m["cagr_frac"] == pytest.approx(1.1495 ** (365 / 4) - 1)
    assert m["volatility_ann_frac"] == pytest.approx(sd * math.sqrt(365))
    assert m["sharpe_ann"] == pytest.approx(0.0375 / sd * math.sqrt(365))
    assert m["sortino_ann"] == pytest.approx(0.0375 / math.sqrt(0.0025 / 4) * math.sqrt(365))
    assert m["omega"] == pytest.approx(4.0)
    assert (m["max_drawdown_frac"], m["max_drawdown_bars"]) == (pytest.approx(0.05), 2)
    assert m["calmar"] == pytest.approx((1.1495 ** (365 / 4) - 1) / 0.05)
    assert (m["win_rate_frac"], m["profit_factor"]) == (0.2, 30 / 16)
    assert (m["expectancy_quote"], m["avg_trade_duration_bars"]) == ("2.8", 6.0)
    assert m["max_consecutive_losses"] == 2  # the zero ends the run of two
    assert m["exposure_frac"] == 0.5
    assert m["turnover_ann"] == pytest.approx(2168 / 1084.875 * 365 / 4)
    assert (m["fees_quote"], m["slippage_quote"], m["funding_quote"]) == ("1.5", "2", "0")
    assert m["var_95_frac"] == pytest.approx(0.05 - 0.15 * 0.05)  # type 7: position 0.15 between −5 % and 0
    assert m["es_95_frac"] == pytest.approx(0.05)


def test_undefined_is_none_not_zero():
    flat = run_metrics(np.full(50, 1000.0), timeframe_ns=DAY)
    for key in (
        "sharpe_ann", "sortino_ann", "calmar", "omega", "win_rate_frac", "profit_factor", "expectancy_quote",
        "avg_trade_duration_bars", "exposure_frac", "skew", "kurtosis", "psr", "min_track_record_bars",
    ):  # fmt: skip
        assert flat[key] is None, key
    assert (flat["total_return_frac"], flat["max_drawdown_frac"], flat["max_consecutive_losses"]) == (
        0.0,
        0.0,
        0,
    )
    nothing = run_metrics(np.array([1000.0]), timeframe_ns=DAY)
    assert (nothing["bars"], nothing["cagr_frac"], nothing["var_95_frac"]) == (0, None, None)
    assert run_metrics(np.array([1.0, 0.9, 0.8]), timeframe_ns=DAY)["min_track_record_bars"] is None
    assert run_metrics(np.array([1.0, 2.0]), timeframe_ns=DAY, trades=[trade("5")])["profit_factor"] is None


def test_rounding_noise_is_not_variance():
    assert run_metrics(1000.0 * 1.001 ** np.arange(40), timeframe_ns=DAY)["omega"] is None
    assert run_metrics(np.array([1000.0, 1100.0, 1210.0]), timeframe_ns=DAY)["sharpe_ann"] is None


@pytest.mark.parametrize("curve", [[], [100.0, float("inf")], [100.0, float("nan")]])
def test_broken_curves_are_refused(curve):
    with pytest.raises(InvalidParamsError):
        run_metrics(np.array(curve), timeframe_ns=DAY)


def test_a_lost_account_ends_with_a_return_of_minus_one():
    m = run_metrics(
        np.array([100.0, 110.0, -40.0, -41.0]), timeframe_ns=DAY,
        costs=Costs(funding_quote=Decimal("1.50"), borrow_quote=Decimal(2), liquidation_quote=Decimal(3)),
    )  # fmt: skip
    until = run_metrics(np.array([100.0, 110.0]), timeframe_ns=DAY)
    assert (m["total_return_frac"], m["cagr_frac"], m["max_drawdown_frac"]) == (-1.0, -1.0, 1.0)
    assert (m["var_95_frac"], m["total_pnl_quote"], m["bars"]) == (
        pytest.approx(-0.1 + 0.95 * 1.1),
        "-141",
        3,
    )
    assert m["turnover_ann"] == pytest.approx(0.0)
    assert (m["funding_quote"], m["borrow_quote"], m["liquidation_quote"]) == ("1.5", "2", "3")
    assert until["total_return_frac"] == pytest.approx(0.1)
    # a month that begins with nothing has no returns
    after = run_metrics(np.array([-40.0, -41.0]), timeframe_ns=DAY)
    assert (after["total_return_frac"], after["sharpe_ann"], after["turnover_ann"]) == (None, None, None)


def test_drawdown_counts_from_the_capital_before_the_first_bar():
    m = run_metrics(np.array([100.0, 80.0, 90.0]), timeframe_ns=DAY)
    assert (m["max_drawdown_frac"], m["max_drawdown_bars"]) == (pytest.approx(0.2), 2)


def test_expected_shortfall_is_never_below_var():
    rng = np.random.default_rng(1)
    for n in (2, 5, 19, 20, 41, 100, 500):
        m = run_metrics(np.cumprod(1 + 0.02 * rng.standard_t(3, n).clip(-9, 9)), timeframe_ns=DAY)
        assert m["es_95_frac"] >= m["var_95_frac"]


def test_trade_row_has_the_names_of_the_command_line():
    assert trade_row(trade("4.9500"), strategy="macd") == {
        "pair": "BTC/USDT", "side": "long", "opened_at": "1970-01-01T00:00:00Z",
        "closed_at": "1970-01-02T00:00:00Z", "quantity": "0.5", "entry_price": "100.1", "exit_price": "110",
        "fees_quote": "0.1", "slippage_quote": "0.02", "carry_quote": "-0.5", "pnl_quote": "4.95", "return_frac": 0.05,
        "duration_bars": 5, "exit_reason": "exit", "strategy": "macd",
    }  # fmt: skip
