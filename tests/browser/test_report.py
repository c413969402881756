"""The report in Debian's chromium: no request leaves it, a phone can read it, tables need no JavaScript."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from actors.ops.report.html import build_report

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory, repo_root):
    path = repo_root / "tests" / "support" / "simulated_run.py"
    spec = importlib.util.spec_from_file_location("simulated_run", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulated_run"] = module
    spec.loader.exec_module(module)
    model = module.simulated_report(bars=700, warmup=150)
    return build_report(model, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def visit(browser, report: Path, **context):
    """Open the report; return page, requested addresses, and what the console said."""
    page = browser.new_context(**context).new_page()
    page.set_default_timeout(120_000)
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(report.as_uri())
    return page, asked, said


@pytest.mark.timeout(300)
def test_charts_are_drawn_without_a_request_or_an_error(browser, report):
    page, asked, said = visit(browser, report, viewport={"width": 1280, "height": 900})
    page.locator("#plot-costs .main-svg").first.wait_for()
    boxes = page.locator(".plot")
    assert boxes.count() == 6  # equity, two pairs, weights, risk, costs
    assert page.locator(".plot .main-svg").count() >= boxes.count()
    assert page.locator("#plot-equity .scatterlayer .trace").count() == 4
    assert asked == [report.as_uri()]
    assert said == []
    page.context.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_needs_no_sideways_scrolling(browser, report, scheme):
    page, asked, said = visit(
        browser, report, viewport={"width": 390, "height": 844}, color_scheme=scheme, is_mobile=True
    )
    page.locator("#plot-costs .main-svg").first.wait_for()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    # tables that are wider scroll in a box of their own
    assert page.evaluate("[...document.querySelectorAll('.scroll')].some(e => e.scrollWidth > e.clientWidth)")
    assert (len(asked), said) == (1, [])
    page.context.close()


@pytest.mark.timeout(300)
def test_tables_and_banner_stay_without_javascript(browser, report):
    page, asked, _ = visit(browser, report, java_script_enabled=False)
    text = page.locator("main").inner_text()
    assert "SYNTHETIC MARKET" in page.locator(".synthetic").inner_text()
    for caption in (
        "Metrics (fees and slippage included)", "Denied and resized intents", "Risk limits and their use",
        "Data source and its defects", "The run", "Round trips", "detected regimes against planted truth",
    ):  # fmt: skip
        assert caption in text, caption
    assert page.locator("table tbody tr").count() > 60
    assert page.locator(".no-script").count() == 6
    assert page.locator(".no-script").first.is_visible()
    assert len(asked) == 1
    page.context.close()
