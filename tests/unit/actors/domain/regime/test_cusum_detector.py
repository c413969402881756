"""The CUSUM detector on planted shifts, and the continuous jump model's decode beside the fit that it freezes."""

from __future__ import annotations

from math import log, nan

import numpy as np
import pytest

from actors.domain import kernels, registry
from actors.domain.errors import InvalidParamsError, SnapshotError
from actors.domain.fitting import InlineFits
from actors.domain.regime.base import Observation
from actors.domain.regime.jump import fit_jump
from actors.domain.regime.mixtures import MixtureDecode

PACKAGE = "actors.domain.regime"


def make(kind: str, **params):
    return registry.build(PACKAGE, kind, params, fits=InlineFits(), name="x", seed=3)


def observe(returns: np.ndarray) -> list[Observation]:
    close = 100.0 * np.exp(np.cumsum(returns))
    rows = zip(close.tolist(), [nan, *close[:-1].tolist()], strict=True)
    return [Observation(i, c * 1.001, c * 0.999, c, log(c / p)) for i, (c, p) in enumerate(rows)]


def planted(seed: int) -> np.ndarray:
    r = 0.006 * np.random.default_rng(seed).standard_normal(2200)
    r[1000:1300] *= 3.0
    r[1700:1950] += 0.006
    return r


def test_it_rings_for_planted_shifts_of_volatility_and_of_drift_and_says_which() -> None:
    wild, up = [], []
    for seed in range(12):
        native = [make_view.native_label for make_view in map(make("cusum").update, observe(planted(seed)))]
        wild.append(next((i for i in range(1000, 1300) if native[i] == "wild"), 1300) - 1000)
        up.append(next((i for i in range(1700, 1950) if native[i] == "up"), 1950) - 1700)
    assert np.median(wild) < 30
    assert np.median(up) < 40


def test_the_view_reads_the_stretch_since_the_alarm() -> None:
    detector = make("cusum")
    views = [detector.update(o) for o in observe(planted(3))]
    assert views[1200].label in ("high_volatility", "crash")
    assert views[1900].label == "bull"
    drift = views[1900].features[detector.MEASURES.index("drift")]
    assert drift > 0.3
    alarms = [i for i, v in enumerate(views[200:1000], 200) if v.features[-1] == 0.0]
    assert len(alarms) <= 6  # about one in five hundred bars by chance


def test_thresholds_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidParamsError, match="threshold"):
        make("cusum", threshold=0.0)


def features(n: int = 600) -> np.ndarray:
    rng = np.random.default_rng(2)
    state = (np.arange(n) // 100) % 2
    return np.column_stack([rng.normal(2.0 * state[:, None], 1.0, (n, 3)), 0.01 * rng.standard_normal(n)])


def test_corners_alone_are_the_discrete_decode() -> None:
    x = np.ascontiguousarray(features()[:, :3])
    centres = np.array([[0.0, 0.0, 0.0], [2.0, 2.0, 2.0]])
    ours, peer = MixtureDecode(centres, 12.0, 1.0), kernels.jump_stream(centres, 12.0)
    for row in x[:200]:
        np.testing.assert_allclose(ours.update(row), peer.update(row), atol=1e-9)


def test_the_last_bar_of_the_decode_is_the_last_of_the_offline_path() -> None:
    """Both minimise the same objective, so the online values end where the offline programme ends."""
    x = np.ascontiguousarray(features(240)[:, :3])
    fit = kernels.jump_fit(x, np.array([[[0.0] * 3, [2.0] * 3]]), 20.0, grid_step=0.1)
    decode = MixtureDecode(fit.centres, 20.0, 0.1)
    for row in x:
        values = decode.update(row)
    np.testing.assert_allclose(
        kernels.simplex_grid(2, 0.1)[int(values.argmin())], fit.probabilities[-1], atol=1e-12
    )


def test_mixtures_move_in_steps_where_the_discrete_model_jumps() -> None:
    past = features()
    model = fit_jump(past, 2, (20.0,), 4, 7, 0.1)
    decode = MixtureDecode(model["centres"], 20.0, 0.1)
    z = np.clip((past - model["centre"]) / model["scale"], -8, 8)[:, :3]
    shares = np.array([decode.shares(row, 1.0) for row in z])
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-12)
    between = ((shares[:, 0] > 0.1) & (shares[:, 0] < 0.9)).mean()
    assert 0.02 < between < 0.9
    assert np.abs(np.diff(shares[:, 0])).max() < 0.9


def test_decode_goes_on_from_its_snapshot_and_refuses_another_grid() -> None:
    centres = np.array([[0.0], [1.0]])
    one, two = MixtureDecode(centres, 3.0, 0.25), MixtureDecode(centres, 3.0, 0.25)
    for v in (0.1, 0.9, 0.7):
        one.update(np.array([v]))
    two.restore(one.snapshot())
    np.testing.assert_array_equal(one.update(np.array([0.2])), two.update(np.array([0.2])))
    with pytest.raises(SnapshotError, match="expected 3 values"):
        MixtureDecode(centres, 3.0, 0.5).restore(one.snapshot())


@pytest.mark.parametrize("params", [{"grid_step": 0.3}, {"grid_step": 0.05, "states": 5}])
def test_grids_that_do_not_divide_or_are_too_fine_are_refused(params: dict) -> None:
    with pytest.raises(InvalidParamsError, match="grid_step"):
        make("jump", continuous=True, **params)
