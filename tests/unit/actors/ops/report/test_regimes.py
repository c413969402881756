"""The regimes' part of a report: what it draws is what its tables say, and what has no data is said to have none."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.evaluation.metrics.proportion import Estimate
from actors.domain.evaluation.regime_book import RegimeBook
from actors.domain.evaluation.report_model import PairSeries
from actors.domain.events.regime import REGIMES, RegimeAssessed, RegimeConfidence
from actors.ops.report.html import page
from actors.ops.report.regimes import CHARTED, estimate, regime_part

HOUR = 3_600 * 10**9


def said(k, source, label, **more):
    p = tuple(0.75 if r == label else 0.05 for r in REGIMES)
    settings = {"detector": source, "confidence": 0.7} | more
    return RegimeAssessed(
        ts_event_ns=(k + 1) * HOUR,
        source=source,
        instrument_id="A/B",
        label=label,
        probabilities=p,
        **settings,
    )


def made(n=200, *, detail=None, truth=True, observed=False, longer=False):
    """Return a pair that is a bull for 50 bars, a bear for 50, and so on; planted 5 bars earlier."""
    book = RegimeBook(["A/B"])
    book.observed = observed
    labels = [("bull", "bear")[k // 50 % 2] for k in range(n)]
    for k, label in enumerate(labels):
        book.take(said(k, "regime-hmm", label), warmup=False)
        if longer:
            book.take(said(k, "regime-hmm-4h", "crash", timeframe="4h"), warmup=False)
        book.take(said(k, "e", label, detector="ensemble", detail=detail), warmup=False)
        book.close_step({"A/B": k})
    close = (100 * np.exp(np.cumsum(0.01 * np.random.default_rng(1).standard_normal(n)))).tolist()
    series = PairSeries(
        pair="A/B", ts_ns=[(k + 1) * HOUR for k in range(n)], close=close, detected=labels,
        truth=[labels[min(k + 5, n - 1)] for k in range(n)] if truth else [],
    )  # fmt: skip
    (view,) = book.views({"A/B": series}, timeframe_ns=HOUR, seed=1)
    return series, view


def part(k=0, **more):
    return regime_part(*made(**more), k, "USDT")


def test_charts_show_what_the_tables_say():
    p = part()
    bands = p.figures["regime-0-bands"]
    heat, close = bands.data[:2]
    codes = {label: i for i, label in enumerate(REGIMES)}
    assert set(heat.z[0]) == {codes["bull"], codes["bear"]}
    assert len(heat.x) == len(heat.z[0]) + 1 == 201
    assert (close.yaxis, bands.layout.yaxis2.overlaying) == ("y2", "y")
    assert [t.name for t in bands.data[2:]] == [r.replace("_", " ") for r in REGIMES]
    np.testing.assert_allclose(np.sum([t.y for t in bands.data[2:]], axis=0), 100.0)
    matrix = p.figures["regime-0-transitions"].data[0]
    assert tuple(matrix.text[0]) == ("98.0 %<br>98", "2.0 %<br>2")
    assert [row[1].split(" · ")[1] for row in p.transitions.rows] == ["98", "1"]
    assert p.transitions.rows[0][1].startswith("98.00 [")
    strips = next(t for t in p.figures["regime-0-confidence"].data if t.type == "heatmap")
    assert list(strips.y) == ["in force", "hmm"]
    assert list(strips.z[0]) == list(strips.z[1]) == list(heat.z[0])
    assert p.detectors.rows[0][:5] == ("hmm", "the run's", "200", "0", "100.0")
    durations = {row[0]: row[1:7] for row in p.durations.rows}
    # one whole spell of each; the first bull and the last bear are cut
    same = ("100", "50.0", "1", "50.0", "50.0", "50")
    assert durations == {"bull": same, "bear": same}
    assert "begins inside a spell of bull of at least 50 bars and ends inside one of bear" in p.durations.note


def test_reliability_is_that_of_the_planted_truth():
    p = part()
    # three changes, each five bars late
    assert p.reliability.rows == [("70 to 80", "200", "75.0", "92.5", "17.5")]
    points = p.figures["regime-0-reliability"].data[1]
    assert (points.x, points.y) == ((75.0,), (92.5,))
    assert "synthetic" in p.reliability_note
    assert p.levels is None
    detail = RegimeConfidence(score=0.9, raw=0.9, level="HIGH", agreement=1.0)
    assert part(detail=detail).levels.rows[0][:2] == ("HIGH", "200")


def test_without_truth_hindsight_is_shown_as_what_it_is():
    p = part(truth=False)
    assert "Nobody knows the true regimes" in p.reliability_note
    assert p.reliability is not None
    short = part(n=30, truth=False)
    assert (short.reliability, "regime-0-reliability" in short.figures) == (None, False)
    assert "too short" in short.reliability_note


def test_what_has_no_data_is_said_to_have_none():
    p = part()
    assert "states no confidence with factors" in p.confidence_note
    rows = {row[0]: row[1:] for row in p.confidence.rows}
    assert rows["right in the past"] == ("–", "0")
    assert rows["confidence"] == ("75.0", "200")
    assert [name for name, _ in p.lines] == ["confidence"]
    q = part(detail=RegimeConfidence(score=0.9, raw=0.9, level="HIGH", agreement=0.5, history=0.8))
    assert "No data for: data quality, lead over the runner-up" in q.confidence_note
    assert [name for name, _ in q.lines] == ["confidence", "agreement of detectors", "right in the past"]
    whole = RegimeConfidence(
        score=0.9, raw=0.9, level="HIGH", agreement=0.5, history=0.8, data_quality=1.0, boundary=0.6
    )
    assert part(detail=whole).confidence_note == ""
    assert "observed" not in p.lead.lower()
    assert "no decision depends on them" in part(observed=True).lead


def test_longer_frames_are_told_with_their_agreement_and_vetoes():
    p = part(longer=True)
    rows = {row[0]: row[1:] for row in p.confidence.rows}
    assert rows["agreement of frames"][1] == "200"
    assert 0.0 < float(rows["agreement of frames"][0]) < 100.0
    assert "silenced bulls of shorter ones on 100 bars" in p.confidence.note
    assert [row[1] for row in p.detectors.rows] == ["the run's", "4h"]
    assert "agreement of frames" in [name for name, _ in p.lines]


def test_pairs_beyond_the_first_have_tables_only():
    last, beyond = part(CHARTED - 1), part(CHARTED)
    assert len(last.figures) == 4
    assert (beyond.figures, beyond.charted) == ({}, False)
    text = page(
        "regimes.html.j2", title="<t>", about="", synthetic=False, parts=[beyond], figures=[], notes=[]
    )
    assert "how long each regime lasted" in text
    assert 'class="plot"' not in text
    assert "&lt;t&gt;" in text


@pytest.mark.parametrize(
    ("e", "says"),
    [(Estimate(0.5, 0.25, 0.75), "50.0 [25.0, 75.0]"), (Estimate(0.5, None, 0.75), "50.0 [–, 75.0]")],
)
def test_an_open_end_of_an_interval_is_a_dash(e, says):
    assert estimate(e, 1, 100) == says
