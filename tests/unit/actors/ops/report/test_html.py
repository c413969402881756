"""The report file: self-contained, atomic, escaped, honest labels, thinned lines, model survives storage."""

import importlib.util
import json
import re
import sys

import numpy as np
import pytest

from actors.domain.errors import TradingError
from actors.domain.evaluation import report_model
from actors.ops.report.figures import equity_figure, figures
from actors.ops.report.html import build_report, render
from actors.ops.report.price import pair_figure
from actors.ops.report.thinning import evenly, keep_extremes, majority


@pytest.fixture(scope="module")
def simulated(repo_root):
    path = repo_root / "tests" / "support" / "simulated_run.py"
    spec = importlib.util.spec_from_file_location("simulated_run", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulated_run"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def model(simulated):
    return simulated.simulated_report(bars=500, warmup=150)


@pytest.fixture(scope="module")
def page(model):
    return render(model)


def without_plotly(page):
    return "".join(
        part for part in re.split(r"(<script>.*?</script>)", page, flags=re.S) if len(part) < 1_000_000
    )


def test_file_asks_for_nothing(page):
    own = without_plotly(page)
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", own)
    assert "url(" not in own
    assert "@import" not in own
    assert "default-src 'none'" in own
    assert page.count("</script>") == page.count("<script>") + page.count('<script type="application/json"')


def test_text_is_escaped_and_figures_are_json(page):
    assert "simulated run &lt;of the test&gt;" in page
    assert "<of the test>" not in without_plotly(page)
    blocks = re.findall(
        r'<script type="application/json" id="figure-([^"]+)">(.*?)</script>', page, flags=re.S
    )
    assert [name for name, _ in blocks] == [
        "equity", "underwater", "rolling", "distribution", "exposure", "risk", "costs", "excursions",
        "intervals", "pair-0", "pair-1", "weights-0",
        *(f"regime-{k}-{part}" for k in (0, 1) for part in ("bands", "confidence", "transitions", "reliability")),
    ]  # fmt: skip
    for _, text in blocks:
        assert {"data", "layout"} <= set(json.loads(text))


def test_labels_are_honest(page):
    own = without_plotly(page)
    for text in (
        "SYNTHETIC MARKET", "kernels: python", "350 bars", "all costs are included", "one entry fee of 10 bps",
        "3 bars without volume", "c" * 64, "d" * 64, "e" * 64, "Python twins", "(150 warm-up)",
        "The fleet: 26 agents",
    ):  # fmt: skip
        assert text in own, text


def test_real_data_has_no_banner_and_no_truth(simulated):
    own = without_plotly(render(simulated.simulated_report(bars=400, warmup=150, synthetic=False)))
    assert "SYNTHETIC MARKET" not in own
    assert "planted truth" not in own


def test_write_is_whole_or_not_at_all(model, tmp_path):
    path = build_report(model, tmp_path / "deep" / "report.html")
    first = path.read_bytes()
    assert build_report(model, path).read_bytes() == first
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]
    (tmp_path / "file").write_text("x")
    with pytest.raises(TradingError) as caught:
        build_report(model, tmp_path / "file" / "report.html")
    assert caught.value.code == "REPORT_UNWRITABLE"


def test_model_survives_storage(model, page):
    again = report_model.decode(report_model.encode(model))
    assert again == model
    assert render(again) == page


def test_long_runs_are_thinned_but_keep_their_extremes(simulated):
    model = simulated.simulated_report(bars=400, warmup=150)
    n = 20_000
    account, series = model.account, model.pairs[0]
    rng = np.random.default_rng(3)
    equity = 10_000 + np.cumsum(rng.standard_normal(n))
    equity[12_345] = 99_999.0
    account.ts_ns = [i * 3_600_000_000_000 for i in range(1, n + 1)]
    account.equity, account.benchmark = equity.tolist(), equity.tolist()
    series.ts_ns, series.close = account.ts_ns, equity.tolist()
    series.detected = series.truth = ["bull", "bear"] * (n // 2)
    for figure in (equity_figure(model), pair_figure(series, "USDT")):
        for trace in figure.data:
            assert len(trace.x) <= 2000
    assert max(equity_figure(model).data[0].y) == 99_999.0


@pytest.mark.parametrize("warmup", [399, 400])
def test_run_without_trades_or_even_without_bars(simulated, warmup):
    model = simulated.simulated_report(bars=400, warmup=warmup)
    assert (model.metrics["trade_count"], model.metrics["bars"]) == (0, 400 - warmup)
    assert set(figures(model)) >= {"equity", "risk", "costs"}
    assert "None in this run." in render(model)


def test_thinning_helpers():
    assert keep_extremes(np.arange(10.0), 100).tolist() == list(range(10))
    values = np.full(5000, np.nan)
    values[4000] = 1.0
    assert 4000 in keep_extremes(values, 50)
    assert len(evenly(10_000, 2000)) == 2000
    assert majority(["a", "b", "b", "b"], 1) == ([0], ["b"])
