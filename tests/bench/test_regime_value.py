"""Bench of what regimes are worth, on small slices of the real data: every figure is there, and nothing looks ahead."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from actors.domain.errors import DataError
from actors.domain.events.regime import REGIMES
from actors.domain.search.study.by_regime import LearnRule
from cluster.bench import regime_crises, regime_fleet, regime_labels, regime_stocks, regime_value

pytestmark = [pytest.mark.shared_data, pytest.mark.native]


def test_labels_at_a_close_do_not_depend_on_later_bars(shared_data: Path) -> None:
    frame = regime_labels.frame_of(shared_data / regime_crises.DAILY, "BTC/USD", "1d").slice_rows(0, 700)
    whole = regime_labels.labels_of(regime_labels.Bars.of(frame), "BTC/USD", every=False)
    part = frame.slice_rows(0, 600)
    cut = regime_labels.labels_of(regime_labels.Bars.of(part), "BTC/USD", every=False)
    assert [s.name for s in whole] == ["ensemble", "enhanced"]
    for one, two in zip(whole, cut, strict=True):
        assert np.array_equal(one.label[:600], two.label)
    known = whole[0].known
    assert 50 <= int(np.argmax(known)) <= 500
    assert known[int(np.argmax(known)) :].all()


def test_crises_of_two_years(shared_data: Path) -> None:
    frame = regime_labels.frame_of(shared_data / regime_crises.DAILY, "BTC/USD", "1d")
    begin, end = (
        int(np.searchsorted(frame.open_ns, np.datetime64(d, "ns").astype(int)))
        for d in ("2019-06-01", "2022-03-01")
    )
    found = regime_crises.over(
        frame.slice_rows(begin, end), shared_data / regime_crises.WINDOWS, 1, every=False
    )
    assert [name[:3] for name in found["crises"]] == ["COV", "May", "Nov"]
    rows = {r["name"]: r for r in found["subjects"]}
    assert list(rows) == ["ensemble", "enhanced", "200-day mean", "drawdown 20/10 %", "always in"]
    assert rows["always in"]["bull"]["missed"] == 3
    assert rows["always in"]["bull"]["avoided_mean_frac"] == 0.0
    mean = rows["200-day mean"]["bull"]
    assert mean["already_out"] + mean["inside"] == 3
    assert all(0.0 <= r["bull"]["in_vain_per_year"] <= r["bull"]["exits_per_year"] for r in rows.values())
    assert "BTC daily" in "\n".join(regime_crises.lines({"daily": found}))


def test_windows_are_whole_days_and_must_have_their_columns(shared_data: Path, tmp_path: Path) -> None:
    frame = regime_labels.frame_of(shared_data / regime_crises.DAILY, "BTC/USD", "1d")
    crises = regime_crises.read_crises(shared_data / regime_crises.WINDOWS, frame)
    assert len(crises) == 12
    covid = next(c for c in crises if "COVID" in c.name)
    days = (
        frame.open_ns[[covid.first, covid.last]].astype("datetime64[ns]").astype("datetime64[D]").astype(str)
    )
    assert days.tolist() == ["2020-03-11", "2020-03-14"]
    assert frame.close[covid.first] == pytest.approx(7938.05, rel=0.01)
    wrong = tmp_path / "w.csv"
    wrong.write_text("from,to\n1,2\n")
    with pytest.raises(DataError, match=r"expected start, end and event, found \['from', 'to'\]"):
        regime_crises.read_crises(wrong, frame)


def test_stocks_of_three_years(shared_data: Path) -> None:
    file = shared_data / regime_stocks.SPY
    names = ("High_SPY", "Low_SPY", "Close_SPY", "Volume_SPY", "Close_VIX")
    part = slice(2000, 2760)
    high, low, close, volume, vix = (x[part] for x in regime_stocks.columns(file, names).values())
    days = regime_stocks.days_of(file, "Date")[part]
    bars = regime_labels.Bars(high, low, close, days, volume)
    found = regime_stocks.over(bars, "SPY/USD", vix=vix, every=False)
    rows = {r["name"]: r for r in found["subjects"]}
    line = rows["VIX above 25"]
    assert line["vix"]["auc"] == 1.0
    assert line["vix"]["outside_mean"] < 25.0 < line["vix"]["inside_mean"]
    assert found["bars_per_year"] == 252.0
    assert set(rows) == {
        "ensemble",
        "enhanced",
        "200-day mean",
        "past volatility",
        "VIX above 25",
        "VIX high for it",
    }
    assert "VIX" in "\n".join(regime_stocks.lines({"spy": found}))
    with pytest.raises(DataError, match="found no Nothing"):
        regime_stocks.columns(shared_data / regime_stocks.SPY, ("Nothing",))


def test_a_fleet_over_one_year_of_one_pair(shared_data: Path, tmp_path: Path) -> None:
    terms = regime_fleet.Terms(
        ("BTC/USDT",), timerange="20190401-20200101", folds=1, trials=2, rule=LearnRule(60, 1)
    )
    found = regime_fleet.run(shared_data, terms, lambda _: None)
    (pair,) = found["pairs"]
    together = found["together"]
    assert list(pair["variants"]) == ["without", "with", "adaptive"]
    assert pair["trials_counted"] == 2 + pair["variants"]["adaptive"]["trials"] >= 4
    for name, row in pair["variants"].items():
        assert row == together["variants"][name], "one pair in equal shares is that pair"
        assert row["verdict"] in ("no evidence", "weak evidence", "evidence")
    d = pair["differences"]
    assert d["with less without"]["return_ann"] + d["adaptive less with"]["return_ann"] == pytest.approx(
        d["adaptive less without"]["return_ann"]
    )
    if not pair["variants"]["adaptive"]["maps_used"]:
        assert d["adaptive less with"]["return_ann"] == 0.0
    json.dumps(regime_value.plain(found), allow_nan=False)
    assert "all pairs" in regime_value.text({"fleet": found})
    with pytest.raises(DataError, match="found neither"):
        regime_fleet.bars_of(shared_data, "ABC/USDT", "4h")


def test_pairs_in_equal_shares_are_the_mean_over_those_that_are_tested_then() -> None:
    from actors.domain.validation.stitching import FoldFigures

    def record(pair: str, times: list[int], returns: list[float]) -> regime_fleet.PairRecord:
        made = {
            v: regime_fleet.Record([FoldFigures(np.array(returns), 0.1, 3)], [0.1, None], 2)
            for v in regime_fleet.VARIANTS
        }
        return regime_fleet.PairRecord(pair, made, np.array(times), np.array(returns), [])

    records, held = regime_fleet.together(
        [record("A", [1, 2, 3], [0.1, 0.2, 0.3]), record("B", [2, 4], [0.4, 0.5])]
    )
    assert held.tolist() == pytest.approx([0.1, 0.3, 0.3, 0.5])
    assert records["with"].returns.tolist() == pytest.approx(held.tolist())
    assert (records["with"].trials, len(records["with"].sharpes), records["with"].folds[0].trade_count) == (
        4,
        4,
        6,
    )


def test_the_simple_rules_know_the_past_only() -> None:
    rng = np.random.default_rng(4)
    close = 100.0 * np.exp(np.cumsum(0.03 * rng.standard_normal(800)))
    for rule in (
        lambda x: regime_labels.drawdown_rule(x, 365, leave=0.2, back=0.1),
        lambda x: regime_labels.highest_fifth(x, 100),
        lambda x: x < regime_labels.mean_over(x, 200),
    ):
        assert np.array_equal(rule(close)[:500], rule(close[:500]))
        assert rule(close).any()
    assert len(REGIMES) == 6
