"""What is kept of regimes: bounded points, exact figures, scores beside outcomes, and who spoke when."""

from __future__ import annotations

import pickle
from math import isnan

import numpy as np
import pytest

from actors.domain.evaluation.regime_book import RegimeBook
from actors.domain.evaluation.regime_reliability import LAG_BARS, SAMPLE_BARS, Hindsight, against_truth
from actors.domain.evaluation.regime_statistics import regime_statistics
from actors.domain.evaluation.regime_trace import POINTS, RegimeTrace
from actors.domain.evaluation.report_model import PairSeries
from actors.domain.events.regime import REGIMES, RegimeAssessed, RegimeConfidence
from actors.domain.regime.base import UNIFORM

HOUR = 3_600 * 10**9


def said(k, source, label, p, confidence=0.5, **more):
    detector = "ensemble" if source == "ensemble" else source
    return RegimeAssessed(
        ts_event_ns=(k + 1) * HOUR, source=source, instrument_id="A/B", detector=detector, label=label,
        probabilities=tuple(p), confidence=confidence, **more,
    )  # fmt: skip


def rows(n, seed=1):
    """Return views of n bars: an ensemble with details on the even ones, two members, the second from bar 100 on."""
    rng = np.random.default_rng(seed)
    out = []
    for k in range(n):
        p = rng.dirichlet(np.ones(6))
        label = REGIMES[int(p.argmax())]
        detail = None
        if k % 2 == 0:
            history = float(rng.random()) if k % 3 else None
            detail = RegimeConfidence(
                score=float(rng.random()), raw=0.5, level="LOW", agreement=0.25, history=history
            )
        views = [said(k, "regime-a", label, rng.dirichlet(np.ones(6)), float(rng.integers(2)))]
        if k >= 100:
            q = rng.dirichlet(np.ones(6))
            views.append(said(k, "regime-b-4h", REGIMES[int(q.argmax())], q, timeframe="4h"))
        weights = (0.7, 0.3) if k >= 100 else ()
        out.append((said(k, "ensemble", label, p, detail=detail, weights=weights), views))
    return out


def traced(data):
    trace = RegimeTrace()
    for k, (whole, views) in enumerate(data):
        trace.add(k, whole, views)
    return trace


def view_of(trace, n, truth=()):
    labels = [REGIMES[0]] * n
    found = regime_statistics(
        labels, [1.0] * n, REGIMES, periods_per_year=8760.0, seed=1, totals=trace.totals
    )
    return trace.view("A/B", found, labels, truth)


@pytest.mark.parametrize("n", [3, POINTS - 1, POINTS, 2 * POINTS + 1, 5000])
def test_points_stay_bounded_and_figures_exact(n):
    data = rows(n)
    trace = traced(data)
    v = view_of(trace, n)
    assert len(v.ts_ns) == len(v.probabilities) == len(v.member_labels[0]) <= POINTS
    assert n < POINTS or len(v.ts_ns) >= POINTS // 2
    assert v.ts_ns == sorted(v.ts_ns)
    assert v.ts_ns[-1] == n * HOUR
    size = v.bars_per_point
    begin = 0
    p = np.array([e.probabilities for e, _ in data])
    for ts, mean in zip(v.ts_ns, v.probabilities, strict=True):
        end = ts // HOUR
        assert end - begin == size or ts == v.ts_ns[-1]
        np.testing.assert_allclose(mean, p[begin:end].mean(axis=0), rtol=1e-12)
        begin = end
    scores = [
        e.probabilities[REGIMES.index(e.label)] if e.detail is None else e.detail.score for e, _ in data
    ]
    history = [e.detail.history for e, _ in data if e.detail and e.detail.history is not None]
    assert v.means["score"] == pytest.approx(np.mean(scores), rel=1e-12)
    assert (v.known_bars["score"], v.known_bars["history"], v.known_bars["boundary"]) == (n, len(history), 0)
    assert v.means["history"] == (pytest.approx(np.mean(history), rel=1e-12) if history else None)
    assert v.means["boundary"] is None
    assert v.measures["boundary"] == [None] * len(v.ts_ns)
    assert (v.scored_by_detail, list(trace.scores)) == ((n + 1) // 2, scores)


def test_members_are_counted_bar_by_bar_also_one_that_came_later():
    n = 3000
    data = rows(n)
    v = view_of(traced(data), n)
    one, two = v.members
    assert (one.name, one.timeframe, two.name, two.timeframe) == ("regime-a", "", "regime-b-4h", "4h")
    heard = [(e, views[0]) for e, views in data if views[0].confidence > 0.0]
    assert (one.bars, one.silent_bars) == (len(heard), n - len(heard))
    assert one.agreeing_bars == one.bars  # it names the label in force by construction
    later = [(e, views[1]) for e, views in data[100:]]
    assert (two.bars, two.silent_bars) == (n - 100, 0)
    assert two.agreeing_bars == sum(e.label == w.label for e, w in later)
    assert two.label_bars == tuple(sum(w.label == r for _, w in later) for r in REGIMES)
    assert (one.mean_weight, two.mean_weight) == (pytest.approx(0.7), pytest.approx(0.3))
    assert v.known_bars["frames"] == sum(views[0].confidence > 0.0 for _, views in data[100:])
    assert 0.0 < v.means["frames"] < 1.0
    assert set(v.member_labels[1][: 100 // v.bars_per_point]) == {""}


def test_a_veto_of_a_longer_frame_is_counted():
    p = {r: tuple(0.9 if x == r else 0.02 for x in REGIMES) for r in ("bull", "crash")}
    trace = RegimeTrace()
    for k, (short, long) in enumerate(
        [("bull", "crash"), ("bull", "bull"), ("crash", "crash"), ("bull", "crash")]
    ):
        views = [said(k, "regime-a", short, p[short]), said(k, "regime-a-4h", long, p[long], timeframe="4h")]
        trace.add(k, said(k, "ensemble", "bull", p["bull"]), views)
    v = view_of(trace, 4)
    assert (v.vetoed_bars, v.mixed_bars, v.known_bars["frames"]) == (2, 2, 4)


def test_memory_does_not_grow_beside_the_scores():
    sizes = [len(pickle.dumps(traced(rows(n)))) - 9 * n for n in (4 * POINTS, 16 * POINTS)]
    assert sizes[1] < 1.2 * sizes[0]


def test_scores_against_truth_by_hand():
    scores, levels = [0.9, 0.8, 0.3, float("nan"), 0.9], [2, 2, 0, -1, 2]
    found = against_truth(
        scores, levels, ["bull", "bull", "bear", "bull", ""], ["bull", "bear", "bear", "bull", "bull"]
    )
    c = found.calibration
    assert (c.count, c.base_rate) == (3, pytest.approx(2 / 3))
    assert [(b.count, b.probability, b.rate) for b in c.bins] == [
        (1, 0.3, 1.0), (1, 0.8, 0.0), (1, 0.9, 1.0)
    ]  # fmt: skip
    assert [(x.name, x.bars, x.right.value) for x in found.levels] == [("LOW", 1, 1.0), ("HIGH", 2, 0.5)]
    assert against_truth([float("nan")], [-1], ["bull"], ["bull"]) is None


@pytest.mark.parametrize(("late", "least", "most"), [(0, 0, 2), (20, 5, 7), (80, 20, 22)])
def test_hindsight_asks_the_belief_of_later_bars(late, least, most):
    sure = {k: tuple(0.9 if i == k else 0.02 for i in range(6)) for k in (0, 1)}
    h = Hindsight(0.99)
    for k in range(400):
        # another regime from bar 200 on; its label comes late, and hindsight sees it up to two samples early
        h.add(0 if k < 200 + late else 1, sure[0 if k < 200 else 1], 0.75, 1)
        if k < LAG_BARS:
            assert h.result() is None
    found = h.result()
    asked = found.calibration.count
    assert (found.source, found.sample_bars, found.lag_bars) == ("later", SAMPLE_BARS, LAG_BARS)
    assert 400 / SAMPLE_BARS - 2 * LAG_BARS / SAMPLE_BARS <= asked <= 400 / SAMPLE_BARS
    assert least <= asked - round(found.calibration.base_rate * asked) <= most
    assert found.levels[0].name == "MEDIUM"


def test_a_book_keeps_to_the_bars_of_the_run():
    book = RegimeBook(["A/B"])
    p = (0.5, 0.1, 0.1, 0.1, 0.1, 0.1)
    book.take(said(0, "ensemble", "bull", p), warmup=True)
    assert book.step_ns is None
    for k, (q, at) in enumerate([(UNIFORM, 0), (p, 1), (p, None), (p, 4)]):
        book.take(said(k, "regime-a", "bull", q), warmup=False)
        book.take(said(k, "ensemble", "bull", q), warmup=False)
        assert book.step_ns == (k + 1) * HOUR
        book.close_step({} if at is None else {"A/B": at})
        assert book.step_ns is None
    trace = book.traces["A/B"]
    # nothing known yet, and a step without a bar of the pair: neither counts; scores stay beside their bars
    assert trace.bars == 2
    assert [isnan(x) for x in trace.scores] == [True, False, True, True, False]
    series = PairSeries(
        pair="A/B",
        ts_ns=[k * HOUR for k in range(6)],
        close=[1.0] * 6,
        detected=["bull"] * 6,
        truth=["bull"] * 6,
    )
    (view,) = book.views({"A/B": series}, timeframe_ns=HOUR, seed=1)
    assert view.reliability.calibration.count == 2
    assert view.statistics.rows[0].mean_probability == 0.5
    assert RegimeBook(["A/B"]).views({"A/B": series}, timeframe_ns=HOUR, seed=1) == []
