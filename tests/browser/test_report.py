"""The report in Debian's chromium: no request leaves it, a phone can read it, tables need no JavaScript."""

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from actors.ops.report.html import build_report

FIGURES = (
    "equity", "underwater", "intervals", "rolling", "distribution", "pair-0", "pair-1",
    *(f"regime-{k}-{part}" for k in (0, 1) for part in ("bands", "transitions", "confidence", "reliability")),
    "weights-0", "exposure", "risk", "costs", "excursions",
)  # fmt: skip
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium (apt-get install chromium)"),
]


def _simulated(repo_root):
    path = repo_root / "tests" / "support" / "simulated_run.py"
    spec = importlib.util.spec_from_file_location("simulated_run", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulated_run"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def report(tmp_path_factory, repo_root):
    model = _simulated(repo_root).simulated_report(bars=700, warmup=150)
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
    page.locator("#plot-excursions .main-svg").first.wait_for()
    drawn = page.eval_on_selector_all(
        ".plot", "boxes => boxes.map(b => [b.dataset.figure, b.querySelectorAll('.main-svg').length > 0])"
    )
    assert [name for name, _ in drawn] == [f"figure-{name}" for name in FIGURES]
    assert all(done for _, done in drawn)
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
    page.locator("#plot-excursions .main-svg").first.wait_for()
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
        "Metrics (all costs included)", "Denied and resized intents", "Risk limits and their use",
        "Data source and its defects", "The run", "Round trips", "detected regimes against planted truth",
        "By month, %", "How sure the ratios are", "What each cost took", "Deepest drawdowns",
        "Detected regimes, share of bars in %", "how long each regime lasted", "what the market did in each regime",
        "from bar to bar, % [interval] · count", "confidence and its factors", "the detectors, % of the bars",
        "confidence against outcome", "levels of confidence", "No data for: right in the past",
    ):  # fmt: skip
        assert caption in text, caption
    assert page.locator("table tbody tr").count() > 60
    assert page.locator(".no-script").count() == len(FIGURES)
    assert page.locator("#trade-filters").is_hidden()
    assert page.locator(".no-script").first.is_visible()
    assert len(asked) == 1
    page.context.close()


@pytest.mark.timeout(300)
def test_filters_of_the_trade_list_show_what_fits_and_its_sum(browser, report):
    page, _, said = visit(browser, report, viewport={"width": 1280, "height": 900})
    rows = page.locator("#trade-list tbody tr")
    listed = rows.count()
    assert f"{listed} of {listed} trips listed" in page.locator("#trade-count").inner_text()
    page.locator("#trade-filters select").first.select_option(index=1)
    pair = page.locator("#trade-filters select").first.input_value()
    shown = [r for r in rows.all() if r.is_visible()]
    assert 0 < len(shown) < listed
    assert {r.locator("td").first.inner_text() for r in shown} == {pair}
    headers = page.locator("#trade-list th").all_inner_texts()
    earned = sum(
        float(r.locator("td").nth(headers.index("net PnL")).inner_text().replace(",", "")) for r in shown
    )
    assert f"net PnL {earned:,.2f} USDT" in page.locator("#trade-count").inner_text()
    assert said == []
    page.context.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("warmup", [399, 400])
def test_a_run_in_which_nothing_happened_is_drawn_without_an_error(browser, tmp_path, repo_root, warmup):
    module = sys.modules.get("simulated_run") or _simulated(repo_root)
    path = build_report(module.simulated_report(bars=400, warmup=warmup), tmp_path / "report.html")
    page, _, said = visit(browser, path, viewport={"width": 390, "height": 844}, is_mobile=True)
    page.locator("#plot-excursions .main-svg").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert said == []
    page.context.close()
