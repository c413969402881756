"""Schmitt levels: no move inside a band, one step a bar unless x jumps, never more switches than crossings."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain import registry
from actors.domain.errors import InvalidParamsError
from actors.domain.fitting import InlineFits
from actors.domain.regime.base import Observation
from actors.domain.sentiment.levels import LEVELS, SchmittLevels

CUTS = (-1.2, -0.4, 0.4, 1.2)
PATHS = st.lists(st.floats(-3.0, 3.0), min_size=1, max_size=80)
BANDS = st.sampled_from([0.0, 0.05, 0.15, 0.39])


@settings(max_examples=300, deadline=None)
@given(path=PATHS, band=BANDS)
def test_laws(path: list[float], band: float) -> None:
    s = SchmittLevels(CUTS, band=band)
    before, last = -1, float("nan")
    for x in path:
        level = s.update(x)
        assert 0 <= level < len(LEVELS)
        if before < 0:
            assert level == s.bare(x)
        else:
            if (
                any(abs(x - c) <= band for c in CUTS[max(0, before - 1) : before + 1])
                and abs(x - last) <= 4 * band
            ):
                assert level == before, "inside a band of its own level nothing moves"
            if abs(x - last) <= 4 * band:
                assert abs(level - before) <= 1
            for k in range(before, level):
                assert x > CUTS[k] + band
            for k in range(level, before):
                assert x < CUTS[k] - band
            if (
                abs(x - last) > 4 * band
            ):  # a jump goes where x is: no band beyond the level is passed any more
                assert level == len(CUTS) or x <= CUTS[level] + band
                assert level == 0 or x >= CUTS[level - 1] - band
        assert s.switches <= s.crossings
        before, last = level, x


@settings(max_examples=100, deadline=None)
@given(path=PATHS)
def test_a_band_of_nothing_follows_the_bare_cut_points(path: list[float]) -> None:
    s = SchmittLevels(CUTS, band=0.0)
    assert [s.update(x) for x in path] == [s.bare(x) if x not in CUTS else s.level for x in path] or any(
        x in CUTS for x in path
    )


def test_the_bands_save_switches_and_cost_bars() -> None:
    rng = np.random.default_rng(3)
    path = 0.6 * np.sin(np.arange(3000) / 60.0) + 0.1 * rng.standard_normal(3000)
    bare, banded = SchmittLevels(CUTS, band=0.0), SchmittLevels(CUTS, band=0.15)
    for x in path.tolist():
        bare.update(x)
        banded.update(x)
    assert bare.crossings == banded.crossings > 500
    assert banded.switches < 0.4 * bare.switches
    assert bare.late_bars == 0 < banded.late_bars
    assert banded.late_bars / banded.switches < 12


@pytest.mark.parametrize(
    ("cuts", "band"), [([], 0.1), ([0.0, 0.1], 0.1), ([1.0, 0.0], 0.0), ([0.0, 1.0], -0.1)]
)
def test_cut_points_that_are_none_are_refused(cuts: list[float], band: float) -> None:
    with pytest.raises(InvalidParamsError, match="cut-points: expected"):
        SchmittLevels(cuts, band=band)


def detector(**params):
    return registry.build("actors.domain.regime", "sentiment", params, fits=InlineFits(), name="x", seed=1)


def bar(i: int, mood: float, known: float = 1.0) -> Observation:
    return Observation(
        step=i, high=101.0, low=99.0, close=100.0, log_return=0.0, sentiment=mood, sentiment_quality=known
    )


def test_levels_of_the_detector_are_those_of_its_score_and_switch_less_often_than_it_crosses() -> None:
    rng = np.random.default_rng(5)
    d = detector(scale="fixed", cuts=(-0.5, -0.1, 0.1, 0.5), band=0.04, span_bars=1, min_history_bars=2)
    moods = np.clip(np.cumsum(0.05 * rng.standard_normal(4000)) * 0.2, -1, 1)
    views = [d.update(bar(i, m)) for i, m in enumerate(moods.tolist())]
    assert d.levels.switches <= d.levels.crossings
    assert {v.native_label for v in views[2:]} <= set(LEVELS) == set(d.own_states)
    for v in views[2:]:
        assert sum(v.own_probabilities) == pytest.approx(1.0)
        assert sum(v.probabilities) == pytest.approx(1.0)
    fear, greed = (
        detector(scale="fixed", cuts=(-0.5, -0.1, 0.1, 0.5), band=0.04, min_history_bars=2),
        detector(scale="fixed", cuts=(-0.5, -0.1, 0.1, 0.5), band=0.04, min_history_bars=2),
    )
    for i in range(5):
        low, high = fear.update(bar(i, -0.9)), greed.update(bar(i, 0.9))
    assert (low.native_label, low.label) == ("Fearful", "bear")
    assert (high.native_label, high.label) == ("Euphoric", "bull")


def test_without_news_the_level_is_held_confidence_falls_and_the_view_says_why() -> None:
    d = detector(
        min_history_bars=5,
        patience_bars=10,
        span_bars=2,
        scale="fixed",
        cuts=(-0.5, -0.1, 0.1, 0.5),
        band=0.04,
    )
    for i in range(20):
        last = d.update(bar(i, 0.7, 0.8))
    silent = [d.update(bar(20 + k, float("nan"))) for k in range(30)]
    assert last.reason == ""
    assert {v.native_label for v in silent} == {last.native_label}
    assert all(v.reason.startswith("no news") for v in silent)
    assert silent[9].confidence == pytest.approx(0.5 * last.confidence)
    assert silent[29].confidence < 0.13 * last.confidence
    assert d.update(bar(50, 0.7, 0.8)).reason == ""
    never = detector(min_history_bars=5)
    views = [never.update(bar(i, float("nan"))) for i in range(50)]
    assert all(v.confidence == 0.0 and v.reason.startswith("no news") for v in views)


def test_little_behind_a_reading_lowers_confidence_only() -> None:
    one, two = detector(min_history_bars=5), detector(min_history_bars=5)
    for i in range(40):
        mood = 0.5 * np.sin(i / 5.0)
        a, b = one.update(bar(i, mood)), two.update(bar(i, mood, 0.25))
        assert a.probabilities == b.probabilities
        assert b.confidence == pytest.approx(0.25 * a.confidence)
    assert not isnan(a.confidence)


def test_cuts_closer_than_two_bands_are_refused() -> None:
    with pytest.raises(InvalidParamsError, match="cuts: expected rising ones"):
        detector(cuts=(-1.0, -0.9, 0.4, 1.2))
