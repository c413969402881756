"""The pages that end in a verdict, in Debian's chromium: drawn without a request, readable on a phone."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from actors.domain.validation.evidence import EvidenceSettings, record_evidence
from actors.domain.validation.record import TrialRecord
from actors.domain.validation.selection import trial_sharpes
from actors.domain.validation.verdict import verdict_of
from actors.ops.report.validation import build_validation_report
from actors.ops.report.walk_forward import build_walk_forward_report

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium (apt-get install chromium)"),
]
HOUR = 3_600 * 10**9


def checks(verdict):
    return [
        {n: getattr(c, n) for n in ("name", "asks", "value", "bound", "at_least", "met")}
        for c in verdict.checks
    ]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    rng = np.random.default_rng(0)
    table = rng.standard_normal((600, 20)) * 0.01
    record = TrialRecord(table, int(trial_sharpes(table).argmax()), table[:, 0], 8760.0, 1, 12, 4.0)
    evidence = record_evidence(record, EvidenceSettings(blocks=8, paths=100))
    rerun = {
        "runs": 3, "undefined": 1, "chosen_sharpe_ann": 1.0, "median_sharpe_ann": 0.5, "q05_sharpe_ann": 0.1,
        "q95_sharpe_ann": 0.9, "positive_frac": 0.6, "sharpes_ann": [0.1, None, 0.9], "returns_frac": [0.1, 0.0, 0.2],
    }  # fmt: skip
    again = dict.fromkeys(("neighbours", "noisy_candles", "costs", "resampled_markets"), rerun)
    verdict = verdict_of(evidence, again)
    common = {
        "run_id": "r", "pairs": ["BTC/USDT"], "timeframe": "1h", "strategies": ["ma_crossover"], "notes": ["a <b>"],
        "objective": "sharpe",
    }  # fmt: skip
    result = common | {
        "verdict": {
            "words": verdict.words, "checks": checks(verdict), "reasons": list(verdict.reasons),
            "would_change": list(verdict.would_change),
        },
        "evidence": evidence, "reruns": again, "trade_reshuffle": {"undefined": "too few"}, "sampler": "random",
        "best": {"params": {"strategies.ma_crossover.params.fast_bars": 5}},
    }  # fmt: skip
    one = build_validation_report(result, record, folder / "validation.html")
    figures = {"sharpe_ann": 1.0, "cagr_frac": 0.1, "max_drawdown_frac": 0.2, "total_return_frac": 0.1}
    fold = {
        "train_from": "2020-01-01T00", "train_to": "2020-06-01T00", "test_from": "2020-06-02T00",
        "test_to": "2020-09-01T00", "params": {"strategies.ma_crossover.params.fast_bars": 5},
        "train": {"metrics": figures}, "test": figures | {"trade_count": 3}, "efficiency": None,
        "exit_cost_frac": 0.001,
    }  # fmt: skip
    walked = common | {
        "verdict": {"words": "weak evidence", "checks": checks(verdict), "would_change": ["more bars"]},
        "metrics": figures | {"bars": 600, "trade_count": 6}, "benchmark": figures, "efficiency": None,
        "intervals": {"sharpe_ann": None}, "folds_won_frac": 0.5, "anchored": False, "embargo_bars": 24, "trials": 40,
        "folds": [fold | {"number": 0}, fold | {"number": 1, "params": None}],
    }  # fmt: skip
    times = np.arange(600, dtype=np.int64) * HOUR
    two = build_walk_forward_report(
        walked, [table[:300, 0], table[300:, 1]], times, table[:, 2], folder / "walk.html"
    )
    return {"validation": (one, verdict.words, 3), "walk-forward": (two, "weak evidence", 2)}


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.mark.parametrize("name", ["validation", "walk-forward"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_page_is_drawn_whole_and_fits_the_screen(browser, pages, name, width):
    path, words, plots = pages[name]
    page = browser.new_context(viewport={"width": width, "height": 844}).new_page()
    page.set_default_timeout(120_000)
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    page.locator(".plot .main-svg").last.wait_for()
    assert page.locator(".plot").count() == plots
    assert page.evaluate("[...document.querySelectorAll('.plot')].every(b => b.querySelector('.main-svg'))")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".verdict b").inner_text() == words
    text = page.locator("main").inner_text()
    assert "What was asked" in text
    assert "What would change the verdict" in text
    assert "a <b>" in text
    assert (asked, said) == ([path.as_uri()], [])
    page.context.close()
