"""The page of a stress test in Debian's chromium: drawn without a request or an error, readable on a phone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from actors.ops.report.stress import build_page

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium (apt-get install chromium)"),
]


def row(name: str, subject: str = "fleet", **more: Any) -> dict[str, Any]:
    return {
        "scenario": name, "kind": "gap", "subject": subject, "at": "2023-01-01T00:00:00Z", "market_fall_frac": 0.2,
        "failure": None, "drawdown_frac": 0.12, "undisturbed_drawdown_frac": 0.01, "shortfall_frac": 0.1,
        "exposure_before_frac": 0.6, "bars_to_half": 2, "bars_to_flat": None, "recovery_bars": None,
        "breaker_trips": [{"breaker": "daily_loss", "bars": 1, "observed": 0.1}], "orders": 5, "fills": 4,
        "orders_lost": 0, "orders_doubled": 0, "orders_into_void": 0, "orders_unanswered": 1,
        "denials": {"BREAKER_OPEN": 2}, "rejections": {}, "ledger_balanced": True,
        "regimes": {"BTC/USDT": {"before": "bull", "first": "crash", "bars_to_change": 2, "bars_to_stress": 2}}, **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = [f"scenario {k} with a name that is <b>rather</b> long" for k in range(6)]
    failed = {**row("failed"), "failure": "DataError: no bars"}
    checks = {"scenarios": 7, "failed": 1, "orders_lost": 0, "orders_doubled": 0, "orders_into_void": 0,
              "ledgers_unbalanced": 0, "ok": False}  # fmt: skip
    result = {
        "scenarios": [*(row(n) for n in names), *(row(n, "strategy rsi") for n in names), failed], "checks": checks,
        "robustness": [], "robustness_limit_frac": 0.15, "most_likely": [], "skipped": ["a crisis: no bars"],
        "reverse": [{"kind": "gap", "breaker": "drawdown", "limit_frac": 0.15, "holds_frac": 0.2, "breaks_frac": None,
                     "tried": 13}],
        "crisis_moves": [], "extreme_events": [], "struck_at": "2023-01-01T00:00:00Z", "notes": [], "bars": 9,
        "book_at_strike_frac": {"BTC/USDT": 0.6}, "synthetic": True, "pairs": ["BTC/USDT"], "timeframe": "1h",
        "result_hash": "0" * 64,
    }  # fmt: skip
    return build_page(result, tmp_path_factory.mktemp("stress") / "stress.html")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_drawn_and_fits(report: Path, width: int) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": width, "height": 900})
        page.set_default_timeout(120_000)
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(report.as_uri())
        page.locator("#plot-falls .main-svg").first.wait_for()
        assert page.locator("#plot-falls .barlayer .trace").count() == 3
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        text = page.inner_text("main")
        chromium.close()
    assert (asked, said) == ([report.as_uri()], [])
    for part in ("A CHECK FAILED", "failed: DataError: no bars", "none up to 95", "Left out", "daily_loss 1"):
        assert part in text
    assert "rather</b>" in text  # a name is text, never markup
