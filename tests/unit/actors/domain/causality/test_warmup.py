"""Warm-up sensitivity of filters whose memory is known."""

from __future__ import annotations

from math import ceil, log

import leaks
import numpy as np
import pytest

from actors.domain.causality import subjects
from actors.domain.causality.market import View
from actors.domain.causality.warmup import differences, measure
from actors.domain.errors import InsufficientDataError, InvalidParamsError
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams

STARTUPS = (50, 100, 200, 400)


@pytest.fixture(scope="module")
def view() -> View:
    return View(next(iter(generate(SyntheticParams(n_bars=1000), 7).frames.values())))


def of(cls: type) -> subjects.Subject:
    return subjects.of_class("indicators", cls.__name__, cls, cls.Params())


def test_a_window_forgets_at_once_and_exactly(view: View) -> None:
    found = measure(subjects.of_kind("indicators", "sma", {"window_bars": 30}), view, startups=STARTUPS)
    assert (found.stability, found.needed_bars, found.too_short) == ("exact", 29, False)


def test_a_recursion_settles_as_its_weight_says(view: View) -> None:
    found = measure(subjects.of_kind("indicators", "rsi", {"window_bars": 14}), view, startups=STARTUPS)
    assert found.stability == "settles"
    # Wilder's average keeps 13/14 per bar: to 1 % of a difference of order one in about 62 bars
    assert found.needed_bars == pytest.approx(ceil(log(0.01) / log(13 / 14)), abs=25)
    assert not found.too_short
    by = {r.startup_bars: r.difference_frac for r in found.readings}
    assert by[50] > by[100] > by[200]
    assert all(r.reference == found.readings[0].reference for r in found.readings), "the same later bar"


def test_a_declared_warm_up_that_is_too_short(view: View) -> None:
    slow = measure(of(leaks.SlowStart), view, startups=STARTUPS)
    assert slow.too_short
    late = measure(of(leaks.LateSpeaker), view, startups=STARTUPS)
    assert (late.too_short, late.silent_bars, late.needed_bars) == (True, 20, 20)


def test_what_never_forgets_is_unstable(view: View) -> None:
    found = measure(of(leaks.NeverForgets), view, startups=STARTUPS)
    assert (found.stability, found.needed_bars, found.too_short) == ("unstable", None, True)


def test_a_total_that_says_so_is_judged_by_its_changes(view: View) -> None:
    found = measure(subjects.of_kind("indicators", "obv"), view, startups=STARTUPS)
    assert (found.stability, found.too_short) == ("exact", False)


def test_patience_is_the_users(view: View) -> None:
    subject = subjects.of_kind("indicators", "rsi")
    assert not measure(subject, view, startups=STARTUPS, patience=10).too_short
    assert measure(subject, view, startups=STARTUPS, patience=1).too_short


def test_a_learner_is_not_blamed_for_its_training_data(view: View) -> None:
    found = measure(subjects.of_kind("learning", "online"), view, startups=STARTUPS)
    assert (found.stability, found.too_short) == ("learned", False)


def test_one_that_raises_is_reported(view: View) -> None:
    found = measure(subjects.of_function("f", lambda frame: frame.nothing), view, startups=STARTUPS)
    assert (found.stability, found.too_short) == ("unknown", True)
    assert "AttributeError" in found.note


def test_differences_of_undefined_values_and_labels() -> None:
    nan = np.nan
    gaps = differences(np.array([nan, nan, 1.0, 1.0]), np.array([nan, 1.0, nan, 1.0]))
    assert gaps[0] == gaps[3] == 0.0
    assert np.isnan(gaps[1])
    assert np.isnan(gaps[2])
    assert differences(np.array(["a", "b"]), np.array(["a", "c"])).tolist() == [0.0, 1.0]


def test_bad_questions_are_refused(view: View) -> None:
    subject = subjects.of_kind("indicators", "sma")
    with pytest.raises(InsufficientDataError, match="expected more bars than that, found 1000"):
        measure(subject, view, startups=(2000,))
    for bad in ({"startups": ()}, {"startups": (1,)}, {"tolerance_frac": 0.0}, {"patience": 0}):
        with pytest.raises(InvalidParamsError):
            measure(subject, view, **{"startups": STARTUPS, **bad})
