"""Jump model, change points and GARCH: native against twin.

Labels and restored states are the same; sums over bars run in another order in the fit (1e-9), and exp, log and gamma
come from other libraries (1e-11).
"""

from __future__ import annotations

import importlib.util
import pickle
from typing import Any

import numpy as np
import pytest

from actors.domain import kernels
from actors.domain.errors import KernelError
from actors.domain.kernels import _dispatch, twins

BACKENDS: list[Any] = [twins]
if importlib.util.find_spec("_tradecore"):
    BACKENDS.append(importlib.import_module("_tradecore"))
both = pytest.mark.skipif(len(BACKENDS) < 2, reason="needs the native kernels")
each = pytest.mark.parametrize("backend", BACKENDS)


def on(backend: Any, call: Any, *args: Any, **kwargs: Any) -> Any:
    before, _dispatch._active.impl = _dispatch._active.impl, backend
    try:
        return call(*args, **kwargs)
    finally:
        _dispatch._active.impl = before


def series(bars: int, features: int, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    level = (np.arange(bars) // 50 % 3 - 1.0)[:, None] * np.linspace(1.0, 1.5, features)
    return level + 0.7 * rng.standard_t(5, (bars, features))


@both
@pytest.mark.parametrize("states", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("penalty", [0.0, 3.0, 1e5])
def test_native_jump_fit_equals_twin(states: int, penalty: float) -> None:
    x = series(601, 3)
    starts = np.random.default_rng(2).standard_normal((3, states, 3))
    kept = starts.copy()
    a, b = (on(k, kernels.jump_fit, x, starts, penalty) for k in BACKENDS)
    np.testing.assert_array_equal(starts, kept)
    np.testing.assert_allclose(a.objective, b.objective, rtol=1e-9)
    assert a.best == b.best
    np.testing.assert_array_equal(a.labels, b.labels)
    np.testing.assert_allclose(a.centres, b.centres, atol=1e-9)
    np.testing.assert_array_equal(a.iterations, b.iterations)


@both
@pytest.mark.parametrize(("states", "step"), [(2, 0.05), (3, 0.25)])
@pytest.mark.parametrize("mode_loss", [False, True])
def test_native_continuous_fit_equals_twin(states: int, step: float, mode_loss: bool) -> None:
    x = series(300, 2)
    starts = np.random.default_rng(2).standard_normal((2, states, 2))
    a, b = (on(k, kernels.jump_fit, x, starts, 8.0, grid_step=step, mode_loss=mode_loss) for k in BACKENDS)
    np.testing.assert_allclose(a.objective, b.objective, rtol=1e-9)
    np.testing.assert_allclose(a.probabilities, b.probabilities, atol=1e-9)
    np.testing.assert_allclose(a.probabilities.sum(axis=1), 1.0)
    assert ((a.probabilities > 0.0).sum(axis=1) > 1).any()  # it does use the inside of the simplex


def test_jump_threads_do_not_matter_and_switches_never_rise_with_the_penalty() -> None:
    x = series(500, 2)
    starts = np.random.default_rng(3).standard_normal((5, 3, 2))
    one, many = kernels.jump_fit(x, starts, 4.0), kernels.jump_fit(x, starts, 4.0, threads=3)
    np.testing.assert_array_equal(one.labels, many.labels)
    np.testing.assert_array_equal(one.objective, many.objective)
    centres = one.centres[None]
    switches = [
        int((np.diff(kernels.jump_fit(x, centres, p, max_iterations=0).labels) != 0).sum())
        for p in (0.0, 0.5, 1.0, 3.0, 10.0, 1e9)
    ]
    assert switches == sorted(switches, reverse=True)
    assert switches[0] > switches[3] > switches[-1] == 0


@each
def test_an_empty_state_keeps_its_centre(backend: Any) -> None:
    x = series(200, 1)
    found = on(backend, kernels.jump_fit, x, np.array([[[0.0], [500.0]]]), 1.0)
    assert found.centres[1, 0] == 500.0
    assert found.centres[0, 0] == pytest.approx(x.mean())


@pytest.mark.parametrize("at", [0, 1, 70])
def test_online_jump_labels_stream_restore_and_run_alike(at: int) -> None:
    x = series(120, 2)
    x[5], x[9, 1] = np.nan, np.nan
    centres = np.array([[-1.0, -1.2], [0.0, 0.1], [1.0, 1.4]])
    rows = []
    for b in BACKENDS:
        f, whole = b.JumpFilter(centres, 4.0), np.empty((120, 3))
        b.JumpFilter(centres, 4.0).run(x, whole)
        for row in x[:at]:
            f.update(row)
        data = f.snapshot()
        copies = [pickle.loads(pickle.dumps(f)), *[o.JumpFilter.from_snapshot(data) for o in BACKENDS]]
        rest = np.array([f.update(row) for row in x[at:]])
        np.testing.assert_array_equal(rest, whole[at:])
        for copy in copies:
            assert copy.snapshot() == data
            np.testing.assert_array_equal([copy.update(row) for row in x[at:]], rest)
        assert f.bars == 120
        kept = f.snapshot()
        for bad in (np.array([np.inf, 0.0]), np.zeros(3)):
            with pytest.raises(ValueError, match=r"expected|infinite"):
                f.update(bad)
        assert f.snapshot() == kept
        with pytest.raises(ValueError, match="not a snapshot"):
            b.JumpFilter.from_snapshot(data + b"\0")
        rows.append(whole)
    np.testing.assert_array_equal(rows[0], rows[-1])
    assert (rows[0].min(axis=1) == 0.0).all()


def test_jump_refusals() -> None:
    x = series(50, 2)
    good = np.zeros((1, 2, 2))
    bad = x.copy()
    bad[3, 0] = np.inf
    for call, match in (
        (lambda: kernels.jump_fit(bad, good, 1.0), "row 3"),
        (lambda: kernels.jump_fit(x[:0], good, 1.0), "row"),
        (lambda: kernels.jump_fit(x, good, -1.0), "penalty"),
        (lambda: kernels.jump_fit(x, good, -1.0, grid_step=0.5), "penalty"),
        (lambda: kernels.jump_fit(x, good, np.nan), "penalty"),
        (lambda: kernels.jump_fit(x, np.full((1, 2, 2), np.nan), 1.0), "centres"),
        (lambda: kernels.jump_fit(x, np.zeros((1, 17, 2)), 1.0), "16 states"),
        (lambda: kernels.jump_fit(x, good[0], 1.0), "starts"),
        (lambda: kernels.jump_fit(x, good, 1.0, grid_step=0.3), "grid_step"),
        (lambda: kernels.jump_fit(x, np.zeros((1, 8, 2)), 1.0, grid_step=0.05), "2000 points"),
        (lambda: kernels.jump_stream(good[0], -1.0), "penalty"),
    ):
        for backend in BACKENDS:
            with pytest.raises(KernelError, match=match):
                on(backend, call)


def bocpd(backend: Any, max_run: int = 40) -> Any:
    return backend.Bocpd(0.02, 0.1, 0.7, 1.5, 0.8, max_run, 5)


@pytest.mark.parametrize("at", [0, 1, 30, 90])
def test_change_points_stream_restore_and_agree(at: int) -> None:
    x = series(150, 1)[:, 0]
    x[20] = np.nan
    found = []
    for b in BACKENDS:
        d, whole = bocpd(b), np.empty((150, 4))
        bocpd(b).run(x, whole)
        for v in x[:at]:
            d.update(v)
        data = d.snapshot()
        copies = [pickle.loads(pickle.dumps(d)), *[o.Bocpd.from_snapshot(data) for o in BACKENDS]]
        rest = np.array([d.update(v) for v in x[at:]])
        np.testing.assert_array_equal(rest, whole[at:])
        for copy in copies:
            assert copy.snapshot() == data
            np.testing.assert_allclose([copy.update(v) for v in x[at:]], rest, rtol=1e-10, atol=1e-12)
        kept = d.snapshot()
        with pytest.raises(ValueError, match="infinite"):
            d.update(np.inf)
        assert d.snapshot() == kept
        with pytest.raises(ValueError, match="not a snapshot"):
            b.Bocpd.from_snapshot(data[:-8])
        found.append(whole)
    np.testing.assert_allclose(found[0], found[-1], rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(found[0][20], found[0][19])  # a missing bar is not counted


@each
def test_change_point_refusals(backend: Any) -> None:
    good = {"mean": 0.0, "kappa": 1.0, "alpha": 1.0, "beta": 1.0}
    for hazard, change in ((0.0, {}), (1.0, {}), (0.1, {"kappa": 0.0}), (0.1, {"beta": np.inf}),
                           (0.1, {"recent_bars": 500}), (0.1, {"max_run": 1})):  # fmt: skip
        with pytest.raises(KernelError):
            on(backend, kernels.bocpd_stream, hazard, **(good | change))


@both
@pytest.mark.parametrize("dof", [np.inf, 4.5])
def test_native_garch_equals_twin(dof: float) -> None:
    r = series(500, 1)[:, 0]
    r[100] = np.nan
    a, b = (
        on(k, kernels.garch_filter, r, omega=0.05, alpha=0.06, beta=0.85, gamma=0.1, dof=dof)
        for k in BACKENDS
    )
    np.testing.assert_array_equal(a[0], b[0])
    assert a[1] == pytest.approx(b[1], rel=1e-12)
    assert a[0].shape == (501,)


@each
def test_garch_is_causal_and_refuses_nonsense(backend: Any) -> None:
    r = series(100, 1)[:, 0]
    keep = {"omega": 0.05, "alpha": 0.06, "beta": 0.85, "first": 1.0}
    whole, _ = on(backend, kernels.garch_filter, r, **keep)
    part, _ = on(backend, kernels.garch_filter, r[:60], **keep)
    np.testing.assert_array_equal(whole[:61], part)
    for change in ({"omega": 0.0}, {"alpha": -0.1}, {"gamma": -0.1}, {"first": 0.0}, {"dof": 2.0}):
        with pytest.raises(KernelError, match="out of range"):
            on(backend, kernels.garch_filter, r, **(keep | change))
    with pytest.raises(KernelError, match="row 1"):
        on(backend, kernels.garch_filter, np.array([0.0, np.inf]), **keep)
