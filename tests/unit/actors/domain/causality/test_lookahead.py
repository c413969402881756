"""Planted leaks are convicted at their first leaking bar; their honest twins are not."""

from __future__ import annotations

import cheats
import leaks
import numpy as np
import pytest

from actors.domain.causality import subjects
from actors.domain.causality.lookahead import analyse, cut_points
from actors.domain.causality.market import View
from actors.domain.errors import InsufficientDataError, InvalidParamsError
from actors.domain.model.bars import BarFrame
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams


@pytest.fixture(scope="module")
def view() -> View:
    return View(next(iter(generate(SyntheticParams(n_bars=400), 7).frames.values())))


def of(cls: type) -> subjects.Subject:
    family = subjects.family_of(cls)
    assert family is not None
    return subjects.of_class(family, cls.__name__, cls, cls.Params())


@pytest.mark.parametrize(
    ("function", "bar", "output"),
    [
        (leaks.centred, 2, "value"),  # the first bar with two on either side
        (leaks.scaled, 0, "value"),
        (leaks.unfinished, 0, "value"),  # hour 0 shows the close of hour 3
        (leaks.decoded, 0, "regime"),
    ],
)
def test_a_function_that_sees_the_future(function: object, bar: int, output: str, view: View) -> None:
    verdict = analyse(subjects.of_function("f", function), view, cuts=3)
    leak = verdict.first_leak
    assert verdict.causal is False
    assert leak is not None
    assert (leak.bar, leak.output, leak.form) == (bar, output, "batch")
    assert leak.time_ns == int(view.frame.open_ns[bar])
    assert leak.before != leak.after
    assert leak.cut > leak.bar


@pytest.mark.parametrize("function", [leaks.trailing, leaks.scaled_by_past, leaks.finished, leaks.filtered])
def test_its_honest_twin_does_not(function: object, view: View) -> None:
    verdict = analyse(subjects.of_function("f", function), view, cuts=3)
    assert (verdict.causal, verdict.first_leak, verdict.note) == (True, None, "")
    assert verdict.probes > 10


def test_values_before_and_after_are_those_of_the_bar(view: View) -> None:
    leak = analyse(subjects.of_function("f", leaks.unfinished), view).first_leak
    assert leak is not None
    assert leak.before == float(view.frame.close[3])
    assert leak.after == float(view.frame.close[0])
    assert (leak.probe, leak.cut) == ("truncation", 1)


def test_a_shift_of_the_wrong_sign_in_a_batch_form(view: View) -> None:
    found = analyse(of(leaks.Shifted), view)
    assert found.causal is False
    assert found.first_leak is not None
    assert (found.first_leak.bar, found.first_leak.form, found.first_leak.output) == (0, "batch", "direction")
    honest = analyse(of(leaks.ShiftedBack), view)
    assert (honest.causal, honest.parting) == (True, None)


@pytest.mark.parametrize(
    ("cls", "bar"), [(cheats.PeekingStrategy, 0), (cheats.CentredWindow, 0), (cheats.WholeSample, 0)]
)
def test_the_cheats_of_the_contract_suite_are_caught_here_too(cls: type, bar: int, view: View) -> None:
    found = analyse(of(cls), view)
    assert found.causal is False
    assert found.first_leak is not None
    assert found.first_leak.form == "batch"
    assert found.first_leak.bar == pytest.approx(
        bar, abs=3
    )  # a sign may be right by chance on the first bars


def test_memory_between_runs_in_a_streaming_form(view: View) -> None:
    leaks.RemembersRuns.table.clear()
    found = analyse(of(leaks.RemembersRuns), view)
    assert found.first_leak is not None
    assert (found.first_leak.bar, found.first_leak.form, found.first_leak.output) == (0, "stream", "next")


def test_a_fit_on_memory_that_lives_on(view: View) -> None:
    found = analyse(of(leaks.LiveMemory), view)
    assert found.first_leak is not None
    assert (found.first_leak.form, found.first_leak.probe) == ("fit", "live memory")
    assert found.first_leak.output == "LiveMemory@49"
    honest = analyse(of(leaks.PastMemory), view)
    assert honest.causal is True
    assert honest.fits == 8


def test_a_fit_on_data_of_another_run(view: View) -> None:
    leaks.FitsOnEverything.seen.clear()
    found = analyse(of(leaks.FitsOnEverything), view)
    assert found.first_leak is not None
    assert (found.first_leak.form, found.first_leak.bar) == ("fit", 39)
    assert found.first_leak.output == "FitsOnEverything@39"


def test_forms_that_say_two_things_without_a_leak(view: View) -> None:
    class Doubled(leaks.ShiftedBack):
        def batch(self, columns: object) -> object:
            direction, confidence = super().batch(columns)
            return direction, np.where(np.arange(len(confidence)) >= 7, 2.0 * confidence, confidence)

    found = analyse(of(Doubled), view)
    assert found.causal is True
    assert not found.ok
    assert found.parting is not None
    assert found.parting.bar >= 7
    assert found.parting.output == "confidence"


def test_sums_in_another_order_are_rounding_and_no_leak(view: View) -> None:
    def by_fourier(frame: BarFrame) -> object:
        size = 2 ** int(np.ceil(np.log2(2 * len(frame))))
        kernel = np.fft.rfft(np.ones(8) / 8, size)
        return np.fft.irfft(np.fft.rfft(frame.close, size) * kernel, size)[: len(frame)]

    found = analyse(subjects.of_function("f", by_fourier), view)
    # another market, three times as high, moves the last digits of the past
    assert (found.causal, found.bit_exact) == (True, False)
    assert "last digits" in found.note


def test_what_says_nothing_or_raises_is_not_called_causal(view: View) -> None:
    silent = analyse(subjects.of_function("f", lambda frame: np.full(len(frame), np.nan)), view)
    assert silent.causal is None
    assert silent.note == "batch says nothing in 400 bars"

    def raises(frame: BarFrame) -> object:
        raise KeyError("volume_usd")

    broken = analyse(subjects.of_function("f", raises), view)
    assert broken.causal is None
    assert broken.note == "batch raises KeyError: 'volume_usd'"
    short = analyse(subjects.of_function("f", lambda frame: frame.close[1:]), view)
    assert short.causal is None
    assert "expected one value per bar (400)" in short.note


def test_a_signal_that_peeks_seldom(view: View) -> None:
    def before_jumps(frame: BarFrame) -> object:
        coming = np.append(frame.close[1:] / frame.close[:-1] - 1.0, 0.0)
        return {"enter_long": (coming > limit).astype(float)}

    jumps = view.frame.close[1:] / view.frame.close[:-1] - 1.0
    limit = float(np.sort(jumps)[-3])
    first, second = np.flatnonzero(jumps > limit).tolist()
    found = analyse(subjects.of_function("f", before_jumps), view, cuts=3)
    assert found.first_leak is not None
    assert found.first_leak.bar in (first, second)
    assert found.first_leak.output == "enter_long"


def test_cuts_lie_between_the_first_word_and_the_end() -> None:
    cuts = cut_points(100, 400, 6)
    assert cuts == sorted(cuts)
    assert 100 < cuts[0] < cuts[-1] < 400
    assert len(dict.fromkeys(c % 4 for c in cuts)) > 1, "a grid would miss what leaks off it"


def test_chance_is_not_mistaken_for_knowledge(view: View) -> None:
    def draws(frame: BarFrame) -> object:
        return np.random.default_rng().normal(size=len(frame))

    found = analyse(subjects.of_function("f", draws), view, cuts=1)
    assert not found.ok
    assert not found.deterministic
    assert "two runs on the same data differ too" in found.note
    assert analyse(subjects.of_function("f", leaks.centred), view, cuts=1).deterministic


def test_too_little_is_refused(view: View) -> None:
    subject = subjects.of_function("f", leaks.trailing)
    with pytest.raises(InsufficientDataError, match="expected at least 60 bars, found 50"):
        analyse(subject, view.prefix(50))
    with pytest.raises(InvalidParamsError, match="cuts"):
        analyse(subject, view, cuts=0)
