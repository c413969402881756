"""The page of a study as a person sees it: everything is drawn, nothing is fetched, and it fits a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, sync_playwright

from actors.domain.params import Range
from actors.domain.search.space import Dimension, Space
from actors.domain.search.study.trial import Trial, TrialResult
from actors.ops.report.study import build_study_report
from cluster.cli.common import plain
from cluster.runs.study import StudyResult, StudySpec
from cluster.runs.study_result import study_result

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SPACE = Space(
    (
        Dimension("strategies.ma_crossover.params.fast_bars", Range("int", 5, 60, log=True)),
        Dimension("strategies.ma_crossover.params.slow_bars", Range("int", 20, 400, log=True)),
        Dimension("risk.sizing.params.target_volatility_ann_frac", Range("float", 0.1, 1.0)),
        Dimension("risk.sizing.kind", Range("choice", choices=("fixed_fraction", "volatility_target"))),
    )
)
FACTS = {"pairs": "BTC/USDT", "timeframe": "1h", "range": "2020", "data_hash": "0" * 64}
CHROMIUM = "/usr/bin/chromium"


def trials() -> list[Trial]:
    """Some that keep the rules, some that do not, failed and pruned ones with hostile reasons."""
    rng, out = np.random.default_rng(4), []
    for k in range(60):
        params = SPACE.draw(rng)
        if k % 11 == 7:
            out.append(Trial(k, params, TrialResult.failed("ValueError: </script><b>not a tag</b>")))
            continue
        if k % 13 == 5:
            out.append(Trial(k, params, TrialResult("pruned", reason="slice 1 of 4", intermediate=(0.1,))))
            continue
        value = (
            2.0 - abs(np.log(params["strategies.ma_crossover.params.fast_bars"] / 20.0)) + rng.normal(0, 0.2)
        )
        metrics = {
            "sharpe_ann": float(value), "bars": 500, "skew": 0.0, "kurtosis": 3.0, "total_return_frac": 0.1,
            "max_drawdown_frac": 0.05, "trade_count": k,
        }  # fmt: skip
        out.append(
            Trial(
                k, params,
                TrialResult(
                    "complete", (float(value), float(rng.random())), violations=(float(5 - k),), metrics=metrics,
                    returns=rng.normal(0.0, 0.01, 500),
                ),
            )
        )  # fmt: skip
    return out


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = StudySpec(epochs=60, objectives=(("sharpe", {}), ("ulcer", {})), rules=("trade_count>=5",))
    found = StudyResult(trials(), spec.directions)
    result = study_result(found, SPACE, spec, 8760.0, engine="fleet") | {
        "study": "seen", "notes": ["a note"], "preset": None,
    }  # fmt: skip
    return build_study_report(plain(result), FACTS, tmp_path_factory.mktemp("study") / "report.html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("needs Debian's chromium")
    with sync_playwright() as play:
        made = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "light"), (390, "dark")])
def test_everything_is_drawn_and_fits(browser: Browser, report: Path, width: int, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page, said, fetched = context.new_page(), list[str](), list[str]()
    page.set_default_timeout(120_000)
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: said.append(str(e)))
    page.on("request", lambda r: fetched.append(r.url))
    page.goto(report.as_uri())
    page.wait_for_function(
        "[...document.querySelectorAll('.plot')].every(p => p.querySelector('svg.main-svg'))"
    )
    assert said == []
    assert [u for u in fetched if not u.startswith(("file:", "data:", "blob:"))] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # history, front, importance, four slices, three maps
    assert page.locator(".plot").count() == 10
    for heading in (
        "Best parameters",
        "Luck",
        "History",
        "Pareto front",
        "Sensitivity",
        "Trials",
        "Identity",
    ):
        assert page.get_by_role("heading", name=heading, exact=True, level=2).count() == 1
    assert page.locator("b", has_text="not a tag").count() == 0
    assert page.get_by_text("</script><b>not a tag</b>").count() >= 1
    clipped = page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,p')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
    )
    assert clipped == 0
    context.close()
