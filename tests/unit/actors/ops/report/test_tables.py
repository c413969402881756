"""What the page says in tables and marks: costs add up, sums stand below parts, ends of pairs are drawn."""

import importlib.util
import sys
from decimal import Decimal as D

import numpy as np
import pytest

from actors.domain.evaluation.open_positions import OpenPosition
from actors.domain.evaluation.report_model import GroupRow, IntervalRow, Window
from actors.ops.report import compare
from actors.ops.report.costs import cost_table
from actors.ops.report.exposure import exposure_figure
from actors.ops.report.figures import equity_figure, risk_figure
from actors.ops.report.html import render
from actors.ops.report.intervals import interval_table, shows_nothing
from actors.ops.report.periods import group_tables, window_table
from actors.ops.report.price import pair_figure
from actors.ops.report.trades import open_table, trade_table

DAY = 86_400_000_000_000


@pytest.fixture(scope="module")
def simulated(repo_root):
    path = repo_root / "tests" / "support" / "simulated_run.py"
    spec = importlib.util.spec_from_file_location("simulated_run", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulated_run"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def model(simulated):
    return simulated.simulated_report(bars=500, warmup=150)


def cells(table, name):
    at = table.headers.index(name)
    return [row[at] for row in table.rows]


def test_costs_lead_from_one_pnl_to_the_other(model):
    model.groups = [
        GroupRow(kind="pair", name=s.pair, bars=9, trade_count=1, return_frac=None, pnl_quote="5")
        for s in model.pairs
    ]
    table = cost_table(model)
    names, money = cells(table, ""), [D(x.replace(",", "")) for x in cells(table, "USDT")]
    assert (names[0], names[-2]) == ("PnL before costs", "PnL after costs")
    kinds, total = money[1 : names.index("all costs")], money[names.index("all costs")]
    assert sum(kinds) == pytest.approx(total, abs=D("0.05"))
    assert money[0] - total == pytest.approx(money[-2], abs=D("0.02"))
    assert money[-2] == pytest.approx(D(model.metrics["total_pnl_quote"]), abs=D("0.01"))
    assert set(cells(table, f"{model.pairs[0].pair}, USDT")[-2:-1]) == {"5.00"}
    model.costs = {}
    assert cost_table(model) is None


def test_parts_have_their_sum_below_them(model):
    def part(kind, name, trades, pnl, fees):
        return GroupRow(
            kind=kind,
            name=name,
            bars=10,
            trade_count=trades,
            return_frac=None,
            pnl_quote=pnl,
            fees_quote=fees,
        )

    model.groups = [
        part("strategy", "one_way", 3, "10.25", "1"), part("strategy", "two", 2, "-0.5", "2"),
        part("pair", "A/USDT", 5, "9.75", "3"),
    ]  # fmt: skip
    strategies, pairs = group_tables(model)
    assert strategies.rows[-1][:4] == ("sum", "9.75", "3.00", "5")
    assert "return, %" not in strategies.headers
    assert len(pairs.rows) == 1


def test_ends_of_a_pair_are_marked_and_charts_line_up(model):
    series = model.pairs[0]
    span = (series.ts_ns[0] - 40 * DAY, series.ts_ns[-1] + 50 * DAY)
    figure = pair_figure(series, "USDT", model.trades, span)
    said = [a.text.split()[:2] for a in figure.layout.annotations]
    assert said == [["first", "bar"], ["last", "bar"]]
    assert list(figure.layout.xaxis.range) == [span[0] / 1e6, span[1] / 1e6]
    assert not pair_figure(series, "USDT", (), (series.ts_ns[0], series.ts_ns[-1])).layout.annotations


def test_round_trips_are_lines_from_entry_to_exit(model):
    series = model.pairs[0]
    trades = [t for t in model.trades if t["pair"] == series.pair]
    lines = {
        t.name: t for t in pair_figure(series, "USDT", trades).data if t.name and "round trips" in t.name
    }
    won = [t for t in trades if float(t["pnl_quote"]) > 0]
    assert set(lines) == {f"{len(won)} round trips won", f"{len(trades) - len(won)} round trips lost"}
    drawn = lines[f"{len(won)} round trips won"]
    assert len(drawn.x) == 3 * len(won)
    assert [drawn.y[0], drawn.y[1]] == [float(won[0]["entry_price"]), float(won[0]["exit_price"])]
    assert np.datetime64(int(drawn.x[0]), "ms") == np.datetime64(won[0]["opened_at"].removesuffix("Z"))


def test_intervals_that_hold_a_run_of_nothing_are_said_to(model):
    row = IntervalRow(metric="sharpe_ann", value=1.0, low=-0.2, high=2.2, confidence=0.95, paths=500)
    assert shows_nothing(row)
    assert not shows_nothing(
        IntervalRow(metric="omega", value=1.2, low=1.01, high=1.4, confidence=0.95, paths=500)
    )
    assert shows_nothing(
        IntervalRow(metric="omega", value=1.2, low=0.9, high=1.4, confidence=0.95, paths=500)
    )
    model.intervals = [
        row,
        IntervalRow(metric="max_drawdown_frac", value=0.1, low=0.05, high=0.2, confidence=0.95, paths=500),
    ]
    table = interval_table(model)
    assert cells(table, "metric") == ["Sharpe, annual, rate 0", "maximum drawdown"]
    assert cells(table, "low") == ["-0.20", "5.00"]
    assert cells(table, "unit") == ["", "%"]
    assert cells(table, "differs from nothing") == ["no", "–"]
    assert "95%: -0.20 to 2.20" in render(model)


def test_what_is_held_at_the_end_is_listed(model):
    assert open_table(model) is None
    model.open_positions = [
        OpenPosition(pair="A/USDT", side="short", opened_ns=DAY, quantity="2.5", entry_price="10", last_price="9",
                     unrealised_quote="2.5")
    ]  # fmt: skip
    assert open_table(model).rows == [("A/USDT", "short", "1970-01-02 00:00", "2.5", "10", "9", "2.50")]
    assert "Held at the end" in render(model)


def test_trade_list_begins_with_what_matters_most(model):
    table = trade_table(model).table
    assert table.headers[:7] == ("pair", "side", "opened", "closed", "bars", "net PnL", "return, %")
    assert len(table.numeric) == len(table.headers) == len(table.rows[0])
    assert len(table.rows) == len(model.trades)


def test_windows_are_numbered_on_chart_and_table(model):
    ts = model.account.ts_ns
    model.windows = [
        Window(name=f"w{k}", start_ns=ts[k], end_ns=ts[k + 5], return_frac=0.0) for k in (10, 12)
    ]
    assert [a.text for a in equity_figure(model).layout.annotations] == ["1", "2"]
    assert [row[:2] for row in window_table(model).rows] == [("1", "w10"), ("2", "w12")]


def test_capital_that_spans_a_wide_range_is_drawn_in_percent_steps(model):
    assert equity_figure(model).layout.yaxis.type is None
    model.account.benchmark = np.geomspace(10_000, 900_000, len(model.account.ts_ns)).tolist()
    axis = equity_figure(model).layout.yaxis
    assert (axis.type, axis.title.text) == ("log", "equity, USDT (log)")
    assert axis.ticktext[0] == "10k"


def test_what_was_not_measured_is_not_drawn(model):
    model.account.es_bound_frac = [None if any(row) else 0.0 for row in model.account.exposures]
    assert "yaxis2" not in risk_figure(model).to_plotly_json()["layout"]
    model.account.es_bound_frac[-1] = 0.02
    assert "yaxis2" in risk_figure(model).to_plotly_json()["layout"]


def test_exposures_of_many_pairs_are_a_map(model):
    figure = exposure_figure(model)
    (heat,) = [t for t in figure.data if t.type == "heatmap"]
    assert list(heat.y) == [s.pair.split("/")[0] for s in model.pairs]
    model.account.exposures = [(0.0,) * len(model.pairs) for _ in model.account.ts_ns]
    assert [t.type for t in exposure_figure(model).data] == ["scatter", "scatter"]


def test_a_comparison_tells_settings_ranges_and_doubts(simulated, model):
    other = simulated.simulated_report(bars=460, warmup=150)
    other.config = {
        **other.config,
        "risk": {**other.config["risk"], "breakers": {"drawdown": {"limit_frac": 0.2}}},
    }
    other.notes = ("INCOMPLETE: the run failed after 460 of 500 steps", "something else")
    page = compare.render(
        [("r1", model), ("r2", other)], [{"name": "decision_hash", "a": "f" * 64, "b": "9" * 64}], []
    )
    for text in (
        "b: INCOMPLETE: the run failed", "the runs have different ranges of time", "risk.breakers.drawdown.limit_frac",
        "correlation of bar returns with a", "95 % intervals", "999999999999…",
    ):  # fmt: skip
        assert text in page, text
    assert "b: something else" not in page
    assert compare.correlation(model, other) == pytest.approx(1.0)
