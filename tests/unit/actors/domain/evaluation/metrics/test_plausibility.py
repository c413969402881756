"""Too good to be true: each bound on its own, and what thin records are spared."""

import pytest

from actors.domain.evaluation.metrics.plausibility import implausible

HOUR, DAY = 3_600_000_000_000, 86_400_000_000_000
GOOD = {
    "bars": 10_000, "sharpe_ann": 2.5, "cagr_frac": 1.5, "calmar": 6.0, "trade_count": 400, "win_rate_frac": 0.62,
    "profit_factor": 2.2,
}  # fmt: skip


def test_a_very_good_year_is_believed():
    assert implausible(GOOD, timeframe_ns=HOUR) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sharpe_ann": 10.5}, "annual Sharpe ratio of 10.5 over 10000 bars"),
        ({"cagr_frac": 1e27}, "growth of 1e+29 % a year over 417 days"),
        ({"calmar": 250.0}, "250 times the deepest drawdown"),
        ({"win_rate_frac": 1.0, "profit_factor": None}, "100.0% of 400 round trips won"),
        ({"profit_factor": 60.0}, "60 times the losses over 400 round trips"),
    ],
)
def test_each_bound(change, said):
    (found,) = implausible(GOOD | change, timeframe_ns=HOUR)
    assert said in found


@pytest.mark.parametrize(
    "change",
    [
        {"bars": 300, "sharpe_ann": 16.5, "cagr_frac": 40.0, "calmar": 900.0},  # twelve days of luck
        {"trade_count": 4, "win_rate_frac": 1.0, "profit_factor": 90.0},
        {"sharpe_ann": None, "cagr_frac": None, "calmar": None, "trade_count": 0, "win_rate_frac": None,
         "profit_factor": None},
        {"bars": 0, "sharpe_ann": None},
    ],
)  # fmt: skip
def test_thin_records_are_others_business(change):
    assert implausible(GOOD | change, timeframe_ns=HOUR) == []


def test_time_counts_not_bars():
    assert implausible(GOOD | {"bars": 300, "sharpe_ann": 16.5}, timeframe_ns=DAY) != []
