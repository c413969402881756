"""The page of `regimes detect` in chromium: drawn without a request, readable on a phone and without JavaScript."""

from __future__ import annotations

import shutil

import pytest
import small

from actors.domain.evaluation.regime_trace import STAY
from actors.ops.report.regimes import regime_part, write_regime_page
from cluster.runs.regimes_detect import detect, series_of, traced
from config.schema import Component

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium (apt-get install chromium)"),
]
PAIR = "BTC/USDT"


@pytest.fixture(scope="module")
def regimes(tmp_path_factory):
    frame = small.frames(600)[PAIR]
    kinds = (Component(kind="trend"), Component(kind="volatility", params={"min_history_bars": 60}))
    found = detect(frame, PAIR, kinds, {}, 7, ("4h",))
    series = series_of(frame, PAIR, found)
    views = traced(frame, PAIR, found, STAY).views({PAIR: series}, timeframe_ns=frame.timeframe_ns, seed=7)
    parts = [regime_part(series, view, k, "USDT") for k, view in enumerate(views)]
    path = tmp_path_factory.mktemp("page") / "regimes.html"
    return write_regime_page(
        path, parts, title="Regimes of <a pair>", about="made by a test", synthetic=True, notes=["a <note>"]
    )


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def visit(browser, path, **context):
    page = browser.new_context(**context).new_page()
    page.set_default_timeout(120_000)
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    return page, asked, said


@pytest.mark.parametrize("width", [1280, 390])
def test_charts_are_drawn_and_fit_the_screen(browser, regimes, width):
    page, asked, said = visit(browser, regimes, viewport={"width": width, "height": 844}, color_scheme="dark")
    page.locator("#plot-regime-0-reliability .main-svg").first.wait_for()
    names = page.eval_on_selector_all(".plot", "boxes => boxes.map(b => b.dataset.figure)")
    assert names == [f"figure-regime-0-{n}" for n in ("bands", "transitions", "confidence", "reliability")]
    assert page.evaluate("[...document.querySelectorAll('.plot')].every(b => b.querySelector('.main-svg'))")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # six areas of probabilities; the price is drawn in the colour of the text
    assert page.locator("#plot-regime-0-bands .scatterlayer .trace").count() == 7
    ink = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--fg').trim()")
    assert page.evaluate("document.getElementById('plot-regime-0-bands').data[1].line.color") == ink
    assert page.evaluate("document.getElementById('plot-regime-0-confidence').data.length") >= 3
    assert (asked, said) == ([regimes.as_uri()], [])
    page.context.close()


def test_the_tables_say_it_without_javascript(browser, regimes):
    page, asked, _ = visit(browser, regimes, java_script_enabled=False)
    text = page.locator("main").inner_text()
    for words in (
        "Regimes of <a pair>", "a <note>", "how long each regime lasted", "what the market did in each regime",
        "from bar to bar, % [interval] · count", "confidence and its factors", "trend-4h",
        "agreement of frames", "confidence against outcome", "Nobody knows the true regimes of this market",
    ):  # fmt: skip
        assert words in text, words
    assert page.locator(".no-script").count() == 4
    assert "SYNTHETIC MARKET" in page.locator(".synthetic").inner_text()
    assert len(asked) == 1
    page.context.close()


@pytest.fixture(scope="module")
def long_names(tmp_path_factory):
    frame = small.frames(600)[PAIR]
    kinds = tuple(Component(kind=kind) for kind in ("change_point", "duration_hmm", "student_hmm"))
    found = detect(frame, PAIR, kinds, {}, 7, ("4h",))
    series = series_of(frame, PAIR, found)
    (view,) = traced(frame, PAIR, found, STAY).views({PAIR: series}, timeframe_ns=frame.timeframe_ns, seed=7)
    path = tmp_path_factory.mktemp("long") / "regimes.html"
    parts = [regime_part(series, view, 0, "USDT")]
    return write_regime_page(path, parts, title="Regimes", about="made by a test", synthetic=True, notes=[])


@pytest.mark.parametrize("width", [1280, 390])
def test_every_detectors_name_is_drawn_whole(browser, long_names, width):
    page, _, _ = visit(browser, long_names, viewport={"width": width, "height": 844})
    page.locator("#plot-regime-0-confidence .main-svg").first.wait_for()
    page.wait_for_timeout(300)
    drawn = page.evaluate(
        """() => {
            const plot = document.getElementById("plot-regime-0-confidence"), box = plot.getBoundingClientRect();
            return [...plot.querySelectorAll(".y2tick text")].map(t => {
                const at = t.getBoundingClientRect();
                return [t.textContent, at.left - box.left, box.right - at.right];
            });
        }"""
    )
    names = ["in force", "change_point", "duration_hmm", "student_hmm", "change_point-4h", "duration_hmm-4h",
             "student_hmm-4h"]  # fmt: skip
    assert sorted(name for name, _, _ in drawn) == sorted(names)
    assert min(left for _, left, _ in drawn) >= 0.0, drawn
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()
