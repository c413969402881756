"""Longer frames: bars built as the resampler builds them and seen at their close only; how frames that differ go on."""

from __future__ import annotations

from itertools import pairwise
from math import isnan, log, sqrt

import numpy as np
import pytest

from actors.domain.errors import ConfigError, InvalidParamsError
from actors.domain.events.regime import REGIMES
from actors.domain.fitting import InlineFits
from actors.domain.model.bars import BarFrame
from actors.domain.model.resample import resample
from actors.domain.regime.base import UNIFORM, Assessment, Detector
from actors.domain.regime.multi_timeframe import (
    FrameDetector,
    checked_frames,
    frame_agreement,
    frame_pools,
    frame_weight,
    member_weights,
    without_vetoed,
)
from actors.domain.registry import build
from actors.domain.state import dumps, loads

HOUR = 3_600 * 10**9
START = 1_577_836_800 * 10**9  # a midnight


class Watcher(Detector):
    """Keeps what it was shown, says how many bars it saw."""

    STATE = ("seen",)

    def __init__(self):
        self.seen = []

    def update(self, obs):
        self.seen.append(obs)
        return Assessment("bull", UNIFORM, 0.5, f"bar {len(self.seen)}", len(self.seen))


def bars(n=40, start=START, missing=(), seed=5):
    rng = np.random.default_rng(seed)
    keep = np.array([k for k in range(n) if k not in missing])
    close = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal(n)))
    opened = np.r_[100.0, close[:-1]]
    high, low = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    times = start + HOUR * np.arange(n)
    return BarFrame(
        "A/B", HOUR, times[keep], opened[keep], high[keep], low[keep], close[keep], np.ones(len(keep))
    )


def feed(detector, frame, quality=1.0):
    """Return the view at each bar."""
    rows = zip(*(getattr(frame, c).tolist() for c in ("open_ns", "high", "low", "close")), strict=True)
    return [detector.update(k, *row, quality) for k, row in enumerate(rows)]


def watched(frame, hours=4):
    inside = Watcher()
    views = feed(FrameDetector(inside, base_ns=HOUR, frame_ns=hours * HOUR), frame)
    return inside.seen, views


@pytest.mark.parametrize("hours", [2, 4, 24])
def test_the_bars_are_the_resamplers_and_come_when_it_knows_them(hours):
    frame = bars(100, missing=(11, 22, 23, 30, 31, 32, 33, 34, 95))
    seen, views = watched(frame, hours)
    expected = resample(frame, hours * HOUR)
    assert [o.step for o in seen] == expected.known_row.tolist()
    for name in ("high", "low", "close"):
        assert [getattr(o, name) for o in seen] == getattr(expected.frame, name).tolist()
    assert isnan(seen[0].log_return)
    # a longer bar is missing where all of its parts are; the return over it is brought to one bar's
    starts = expected.frame.open_ns.tolist()
    missing = [(b - a) // (hours * HOUR) - 1 for a, b in pairwise(starts)]
    assert [o.missing_bars for o in seen[1:]] == missing
    assert sum(missing) == {2: 3, 4: 0, 24: 0}[hours]
    assert [o.log_return for o in seen[1:]] == [
        log(b.close / a.close) / sqrt(n + 1) for (a, b), n in zip(pairwise(seen), missing, strict=True)
    ]  # fmt: skip
    assert [o.quality for o in seen] == pytest.approx(1.0 - expected.missing / hours)
    # before the first close there is no view, then the last one holds
    first = int(expected.known_row[0])
    assert all(v.confidence == 0.0 and v.probabilities == UNIFORM for v in views[:first])
    known = np.searchsorted(expected.known_row, np.arange(len(frame)), side="right")
    assert [v.bars_in_state for v in views[first:]] == known[first:].tolist()


def test_a_first_bar_that_began_before_the_data_is_dropped():
    seen, _ = watched(bars(12, start=START + HOUR))
    # the data begin at one o'clock: the first whole bar is that from four to eight
    assert [o.step for o in seen] == [6, 10]
    assert len(watched(bars(12))[0]) == 3


def test_the_bar_under_way_is_not_seen():
    frame = bars(40)
    for n in range(1, 40):
        part = BarFrame(
            "A/B",
            HOUR,
            *(getattr(frame, c)[:n] for c in ("open_ns", "open", "high", "low", "close", "volume")),
        )
        assert len(watched(part)[0]) == n // 4


def test_another_unfinished_bar_leaves_every_view_before_its_close_as_it_was():
    frame = bars(1200, seed=1)
    cut = 4 * 250 + 1  # one bar into a bar of four hours
    columns = {c: np.array(getattr(frame, c)) for c in ("open", "high", "low", "close")}
    for name in columns:
        columns[name][cut:] *= 1.3
    columns["low"][cut] *= 0.5
    other = BarFrame("A/B", HOUR, frame.open_ns, *columns.values(), frame.volume)
    for kind in ("trend", "volatility"):
        one, two = (
            feed(
                FrameDetector(
                    build("actors.domain.regime", kind, {}, fits=InlineFits(), name="x", seed=1),
                    base_ns=HOUR, frame_ns=4 * HOUR,
                ), f,
            )
            for f in (frame, other)
        )  # fmt: skip
        closes = 4 * 251 - 1
        assert one[:closes] == two[:closes]
        assert one[closes] != two[closes]


def test_restored_it_goes_on_as_it_would_have():
    frame = bars(300, missing=(50, 51, 133))

    def make():
        inside = build("actors.domain.regime", "hmm", {
            "min_history_bars": 50, "window_bars": 100, "refit_every_bars": 10, "lag_steps": 6}, fits=InlineFits(),
            name="x", seed=1)  # fmt: skip
        return FrameDetector(inside, base_ns=HOUR, frame_ns=2 * HOUR)

    def go(detector, begin, end):
        rows = zip(
            *(getattr(frame, c).tolist()[begin:end] for c in ("open_ns", "high", "low", "close")), strict=True
        )
        return [detector.update(begin + k, *row, 0.9) for k, row in enumerate(rows)]

    for cut in (1, 101, 102, 160, 231):
        first, second = make(), make()
        go(first, 0, cut)
        second.load_state(loads(dumps(first.state())))
        assert go(first, cut, 297) == go(second, cut, 297)
    assert go(make(), 0, 297)[-1].confidence > 0.0


def view(label, share=0.7, confidence=0.6):
    rest = (1.0 - share) / 5
    return Assessment(label, tuple(share if r == label else rest for r in REGIMES), confidence)


def test_pools_by_hand():
    one, two = view("bull", 0.7), view("bear", 0.6)
    pools = frame_pools([one, two, view("crash", 0.9, confidence=0.0), None], ["1h", "1h", "4h", "1d"])
    raw = [(a * b) ** 0.5 for a, b in zip(one.probabilities, two.probabilities, strict=True)]
    assert pools == {"1h": pytest.approx([r / sum(raw) for r in raw])}
    assert frame_pools([None], ["1h"]) == {}


def test_agreement_is_one_for_equals_and_falls_with_the_difference():
    p, q, r = (view(x).probabilities for x in ("bull", "bull", "bear"))
    assert frame_agreement({"1h": p}) is None
    assert frame_agreement({"1h": p, "4h": q}) == pytest.approx(1.0)
    near = frame_agreement({"1h": view("bull", 0.4).probabilities, "4h": view("bear", 0.4).probabilities})
    far = frame_agreement({"1h": p, "4h": r})
    assert 0.0 < far < near < 1.0
    # log 2 of log 3: two of three frames agree wholly
    certain = {"1h": (1.0, 0.0), "4h": (1.0, 0.0), "1d": (0.0, 1.0)}
    entropy = -(2 / 3 * log(2 / 3) + 1 / 3 * log(1 / 3))
    assert frame_agreement(certain) == pytest.approx(1.0 - entropy / log(3))


def test_a_crash_on_a_longer_frame_silences_bulls_of_shorter_ones_only():
    frames = ["1h", "1h", "1h", "4h", "1d"]
    seen = [view("bull"), view("bear"), view("low_volatility"), view("crash"), view("bull")]
    kept = without_vetoed(seen, frames, frame_pools(seen, frames))
    assert [v and v.label for v in kept] == [None, "bear", "low_volatility", "crash", "bull"]
    seen[3] = view("crash", 0.5)  # not above one half
    assert without_vetoed(seen, frames, frame_pools(seen, frames)) == seen
    # on the shortest frame a crash has nobody to silence; a silent member is not heard of either
    seen = [view("crash"), None, None, view("bull"), view("crash", confidence=0.0)]
    assert without_vetoed(seen, frames, frame_pools(seen, frames)) == seen


def test_frames_are_checked_and_sorted():
    assert checked_frames(HOUR, []) == ()
    assert checked_frames(HOUR, ["1d", "4h"]) == ("4h", "1d")
    for wrong in (["1h"], ["90m"], ["30m"], ["4h", "240m"], ["x"]):
        with pytest.raises(ConfigError, match="timeframe"):
            checked_frames(HOUR, wrong)


def test_every_closed_bar_counts_once():
    assert frame_weight(HOUR, 24 * HOUR) == pytest.approx(1 / 24)
    assert member_weights((2.0, 1.0), 2, HOUR, ["4h", "1d"]) == (2.0, 1.0, 0.5, 0.25, 2 / 24, 1 / 24)
    with pytest.raises(InvalidParamsError, match="one per detector"):
        member_weights((1.0,), 2, HOUR, ["4h"])
