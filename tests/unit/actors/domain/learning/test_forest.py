"""The forest is refitted walk-forward, predicts what scikit-learn predicts and survives a snapshot."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from actors.domain import registry, state
from actors.domain.errors import InvalidParamsError
from actors.domain.fitting import InlineFits
from actors.domain.learning import forest as module
from actors.domain.learning.base import Notice, Predictor, Sample
from actors.domain.processor import derive_seed

Stream = Callable[..., list[Sample]]
NAMES = ("a", "b", "c", "d")
SMALL: dict[str, Any] = {
    "window_bars": 150, "min_samples": 60, "refit_every_bars": 70, "refit_lag_steps": 3,
    "trees": 5, "max_depth": 3, "min_leaf_samples": 5,
}  # fmt: skip


class Recorder(InlineFits):
    """Inline fits that keep what they were asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def submit(self, key: str, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Keep and compute."""
        self.asked.append((key, args))
        super().submit(key, fn, args)


def _build(fits: InlineFits | None = None, **params: Any) -> Predictor:
    return registry.build(
        "actors.domain.learning", "forest", {**SMALL, **params},
        names=NAMES, fits=fits or InlineFits(), name="predict-forest/X", seed=1,
    )  # fmt: skip


def _trained(outputs: list[tuple[float, Any]]) -> list[tuple[int, Notice]]:
    return [(i, n) for i, (_, notices) in enumerate(outputs) for n in notices]


def test_it_is_silent_until_its_first_fit_takes_effect(stream: Stream) -> None:
    got = list(map(_build().update, stream(120)))
    # asked at the 70th bar (index 69), in effect 3 steps later
    assert all(math.isnan(p) for p, _ in got[:72])
    assert all(0.0 < p < 1.0 for p, _ in got[72:])
    assert [i for i, _ in _trained(got)] == [72]


def test_notices_tell_the_request_and_the_score_of_the_version_before(stream: Stream) -> None:
    samples = stream(300)
    got = list(map(_build().update, samples))
    (i, first), (j, second), *_ = _trained(got)
    assert first.kind == "trained"
    assert (first.figures["version"], second.figures["version"]) == (1.0, 2.0)
    assert first.figures["requested_step"] == samples[i].step - 3
    assert first.figures["observations"] == 69.0  # 70 bars, the last one's outcome unknown
    assert math.isnan(first.figures["score"])
    # predictions of version 1 whose outcome was known before version 2 took over
    p = np.array([p for p, _ in got])
    close = np.array([s.close for s in samples])
    hits = (p[i:j] > 0.5) == (close[i + 1 : j + 1] > close[i:j])
    assert second.figures["score"] == pytest.approx(hits.mean())


@pytest.mark.parametrize("horizon", [1, 4])
def test_fits_see_matured_outcomes_of_the_window_only(stream: Stream, horizon: int) -> None:
    fits = Recorder()
    samples = stream(420, unready=(200, 201, 300))
    model = _build(fits, horizon_bars=horizon)
    close = [s.close for s in samples]
    asked = 0
    for n, s in enumerate(samples):
        model.update(s)
        if len(fits.asked) == asked:
            continue
        asked = len(fits.asked)
        rows, labels = fits.asked[-1][1][:2]
        last = n - horizon  # the latest bar whose outcome is known at bar n
        window = [t for t in range(max(0, last - 149), last + 1) if samples[t].ready]
        assert rows.tolist() == [list(samples[t].features) for t in window]
        assert labels.tolist() == [float(close[t + horizon] > close[t]) for t in window]
    assert asked >= 4


def test_the_future_does_not_change_the_past(stream: Stream) -> None:
    k = 200
    samples = stream(300)
    other = [
        s if i < k else Sample(s.step, tuple(-v for v in s.features), 1000.0 - s.close, s.ready)
        for i, s in enumerate(samples)
    ]
    a, b = [list(map(_build().update, x)) for x in (samples, other)]
    assert repr(a[:k]) == repr(b[:k])
    assert repr(a[k:]) != repr(b[k:])


@pytest.mark.parametrize("columns", [(0, 1, 2, 3), (1, 3), (2,)])
def test_predictions_are_those_of_scikit_learn(stream: Stream, columns: tuple[int, ...]) -> None:
    from sklearn.ensemble import RandomForestClassifier

    fits = Recorder()
    samples = stream(110)
    model = _build(fits)
    model.select(tuple(NAMES[c] for c in columns))  # type: ignore[attr-defined]
    got = [model.update(s)[0] for s in samples]
    rows, labels = fits.asked[0][1][:2]
    peer = RandomForestClassifier(
        n_estimators=5, max_depth=3, min_samples_leaf=5, max_features="sqrt", n_jobs=1,
        random_state=derive_seed(1, 1) % 2**32,
    ).fit(rows[:, list(columns)], labels)  # fmt: skip
    x = np.array([s.features for s in samples[72:]])[:, list(columns)]
    assert got[72:] == peer.predict_proba(x)[:, 1].clip(1e-6, 1 - 1e-6).tolist()


def test_a_selection_counts_from_the_next_fit_on(stream: Stream) -> None:
    samples = stream(200)
    model, other = _build(), _build()
    a, b = [], []
    for i, s in enumerate(samples):
        if i == 90:
            other.select(("b", "c"))  # type: ignore[attr-defined]
        a.append(model.update(s)[0])
        b.append(other.update(s)[0])
    second = 139 + 3
    assert repr(a[:second]) == repr(b[:second])
    assert a[second:] != b[second:]


@pytest.mark.parametrize("names", [(), ("nope",)])
def test_an_unfit_selection_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidParamsError):
        _build().select(names)  # type: ignore[attr-defined]


def test_it_finds_a_planted_signal_and_is_blind_to_noise(stream: Stream) -> None:
    for strength, low, high in ((2.0, 0.7, 1.0), (0.0, 0.4, 0.6)):
        samples = stream(700, strength=strength)
        model = _build(trees=15, min_leaf_samples=10)
        p = np.array([model.update(s)[0] for s in samples])
        up = np.array([b.close > a.close for a, b in itertools.pairwise(samples)])
        assert low < np.mean((p[72:-1] > 0.5) == up[72:]) < high


@pytest.mark.parametrize("cut", [30, 71, 100])
def test_a_restored_model_has_the_same_future(stream: Stream, cut: int) -> None:
    """Cuts before the first fit, while it is pending, and after it."""
    samples = stream(260)
    model = _build(horizon_bars=2)
    for s in samples[:cut]:
        model.update(s)
    data = state.dumps(model.state())
    other = _build(horizon_bars=2)
    other.load_state(state.loads(data))
    assert state.dumps(other.state()) == data
    a, b = [list(map(m.update, samples[cut:])) for m in (model, other)]
    assert repr(a) == repr(b)
    assert state.dumps(model.state()) == state.dumps(other.state())
    assert len(_trained(a)) >= 2


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_a_window_of_one_class_gives_that_class(label: float) -> None:
    rows = np.random.default_rng(0).normal(size=(50, 2))
    flat = module.fit_forest(rows, np.full(50, label), (1,), 3, 2, 5, 1)
    assert set(flat["value"][flat["left"] < 0, 0].tolist()) == {label}


def test_importing_the_module_does_not_import_scikit_learn() -> None:
    code = "import sys, actors.domain.learning.forest as m; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_window_too_small_for_its_minimum_is_refused() -> None:
    with pytest.raises(InvalidParamsError, match="min_samples"):
        _build(window_bars=50, min_samples=60)


@pytest.mark.shared_data
def test_real_bars_give_versions_and_honest_scores(shared_data: Any) -> None:
    frame = pd.read_parquet(shared_data / "ohlcv/binance_spot/ETHUSDT_1h.parquet").iloc[:900]
    close = frame["close"].to_numpy(float)
    r = np.diff(np.log(close), prepend=np.nan)
    rows = np.column_stack([r, np.roll(r, 1), np.roll(r, 2), frame["volume"].to_numpy(float)])
    model = _build(window_bars=400, min_samples=200, refit_every_bars=200)
    got = [
        model.update(Sample(i, tuple(x.tolist()), close[i], bool(np.isfinite(x).all())))
        for i, x in enumerate(rows)
    ]
    scores = [n.figures["score"] for _, n in _trained(got)]
    assert len(scores) >= 3
    assert all(0.3 < s < 0.7 for s in scores[1:])  # a next-hour forecast far from that range has leaked
