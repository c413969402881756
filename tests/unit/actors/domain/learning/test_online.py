"""The online predictor learns what has matured, notices drift and survives a snapshot."""

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
from actors.domain.errors import InvalidParamsError, SnapshotError
from actors.domain.fitting import InlineFits
from actors.domain.learning.base import Predictor, Sample

Stream = Callable[..., list[Sample]]
NAMES = ("a", "b", "c", "d")


def _build(**params: Any) -> Predictor:
    return registry.build(
        "actors.domain.learning", "online", {"min_samples": 50, **params},
        names=NAMES, fits=InlineFits(), name="predict-online/X", seed=1,
    )  # fmt: skip


def _text(outputs: list[Any]) -> str:
    return repr(outputs)


def test_it_is_silent_until_enough_outcomes_then_a_probability(stream: Stream) -> None:
    model = _build()
    got = [model.update(s)[0] for s in stream(200)]
    assert all(math.isnan(p) for p in got[:50])
    assert all(0.0 < p < 1.0 for p in got[50:])


def test_it_learns_a_planted_signal_and_is_blind_to_noise(stream: Stream) -> None:
    for strength, low, high in ((2.0, 0.75, 1.0), (0.0, 0.44, 0.56)):
        samples = stream(1500, strength=strength)
        model = _build()
        p = np.array([model.update(s)[0] for s in samples])
        up = np.array([b.close > a.close for a, b in itertools.pairwise(samples)])
        hit = np.mean((p[500:-1] > 0.5) == up[500:])
        assert low < hit < high


@pytest.mark.parametrize("horizon", [1, 3])
def test_no_outcome_is_used_before_it_is_known(stream: Stream, horizon: int) -> None:
    """Changing closes from bar k on changes no prediction before k, and features of bar k none before it."""
    k = 150
    samples = stream(300)
    other = [
        s if i < k else Sample(s.step, tuple(-v for v in s.features), 1000.0 - s.close, s.ready)
        for i, s in enumerate(samples)
    ]
    one, two = _build(horizon_bars=horizon), _build(horizon_bars=horizon)
    a, b = [one.update(s) for s in samples], [two.update(s) for s in other]
    assert _text(a[:k]) == _text(b[:k])
    assert _text(a[k:]) != _text(b[k:])


@pytest.mark.parametrize("horizon", [1, 3])
def test_a_label_is_the_move_over_the_horizon(stream: Stream, horizon: int) -> None:
    """What is learnt from bar t depends on the side of the close `horizon` bars later alone."""
    samples = stream(80)
    last = samples[-1]

    def final(close: float) -> float:
        model = _build(horizon_bars=horizon, min_samples=10)
        for s in samples[:-1]:
            model.update(s)
        return model.update(Sample(last.step, last.features, close, True))[0]

    base = samples[-1 - horizon].close
    assert final(base * 1.01) == final(base * 1.0001)
    assert final(base * 0.99) == final(base * 0.9999)
    assert final(base * 1.01) != final(base * 0.99)


def test_bars_that_are_not_ready_are_left_out_but_count_for_the_horizon(stream: Stream) -> None:
    model = _build()
    got = [model.update(s)[0] for s in stream(120, unready=(60, 90))]
    assert math.isnan(got[60])
    assert math.isnan(got[90])
    assert not math.isnan(got[91])


def test_planted_drift_is_found_soon_after_and_not_before(stream: Stream) -> None:
    flip = 1000
    model = _build()
    alarms = []
    hits = []
    samples = stream(2000, flip=flip)
    p_before = math.nan
    for i, s in enumerate(samples):
        p, notices = model.update(s)
        if i and not math.isnan(p_before):
            hits.append((i, (p_before > 0.5) == (s.close > samples[i - 1].close)))
        p_before = p
        alarms += [i for n in notices if n.kind == "drift"]
    assert alarms
    assert flip < alarms[0] < flip + 150
    assert model.version == 1 + len(alarms)
    late = [h for i, h in hits if i > flip + 400]
    assert np.mean(late) > 0.75


def test_no_alarm_on_stationary_noise(stream: Stream) -> None:
    model = _build()
    assert not [n for s in stream(3000, strength=0.0, seed=5) for n in model.update(s)[1]]


def test_a_boost_keeps_the_weights_and_speaks_on(stream: Stream) -> None:
    model = _build(on_drift="boost", boost_samples=50)
    alarmed = False
    for s in stream(1500, flip=800):
        p, notices = model.update(s)
        alarmed = alarmed or bool(notices)
        if alarmed:
            assert not math.isnan(p)
    assert alarmed


@pytest.mark.parametrize("cut", [20, 400, 1030])
def test_a_restored_model_has_the_same_future(stream: Stream, cut: int) -> None:
    """Cuts in warm-up, in normal running, and near the drift with its raised rate."""
    samples = stream(1500, flip=1000)
    model = _build(horizon_bars=2)
    for s in samples[:cut]:
        model.update(s)
    data = state.dumps(model.state())
    other = _build(horizon_bars=2)
    other.load_state(state.loads(data, allow_opaque=True))
    assert _text([model.update(s) for s in samples[cut:]]) == _text([other.update(s) for s in samples[cut:]])
    assert state.dumps(model.state()) == state.dumps(other.state())


def test_its_pickle_is_refused_outside_a_signed_snapshot(stream: Stream) -> None:
    with pytest.raises(SnapshotError):
        state.loads(state.dumps(_build().state()))


def test_a_selection_changes_the_columns_and_survives_a_snapshot(stream: Stream) -> None:
    samples = stream(400)
    model, blind = _build(), _build()
    for s in samples[:200]:
        model.update(s)
        blind.update(s)
    blind.select(("b", "c"))  # type: ignore[attr-defined]
    model.select(("a",))  # type: ignore[attr-defined]
    other = _build()
    other.load_state(state.loads(state.dumps(model.state()), allow_opaque=True))
    a = [model.update(s)[0] for s in samples[200:]]
    assert a == [other.update(s)[0] for s in samples[200:]]
    b = [blind.update(s)[0] for s in samples[200:]]
    assert np.std(a[:30]) > 3 * np.std(b[:30])


@pytest.mark.parametrize("names", [(), ("nope",)])
def test_an_unfit_selection_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidParamsError):
        _build().select(names)  # type: ignore[attr-defined]


def test_running_it_does_not_load_scikit_learn_or_pandas() -> None:
    code = (
        "import sys; from actors.domain.learning.online import *;"
        "from actors.domain.fitting import InlineFits;"
        "Online(OnlineParams(), names=('a',), fits=InlineFits(), name='x', seed=1);"
        "sys.exit('sklearn' in sys.modules or 'pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_importing_the_module_does_not_import_river() -> None:
    code = "import sys, actors.domain.learning.online as m; sys.exit('river' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.shared_data
def test_real_bars_give_probabilities_and_few_alarms(shared_data: Any) -> None:
    frame = pd.read_parquet(shared_data / "ohlcv/binance_spot/BTCUSDT_1h.parquet").iloc[:3000]
    close = frame["close"].to_numpy(float)
    r = np.diff(np.log(close), prepend=np.nan)
    vol = pd.Series(r).rolling(24).std().to_numpy()
    rows = np.column_stack([r, np.roll(r, 1), vol, frame["volume"].to_numpy(float)])
    model = _build(min_samples=200)
    out, alarms = [], 0
    for i, row in enumerate(rows):
        p, notices = model.update(Sample(i, tuple(row.tolist()), close[i], bool(np.isfinite(row).all())))
        out.append(p)
        alarms += len(notices)
    known = np.array(out[300:])
    assert np.isfinite(known).mean() > 0.9
    assert np.nanmin(known) > 0.0
    assert np.nanmax(known) < 1.0
    assert alarms <= 3
