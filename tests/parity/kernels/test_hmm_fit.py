"""Fit, smoother, most likely path and t filter: native against twin.

Both backends run the same steps; sums run in another order in the fit, so it agrees to 1e-9 after a dozen updates.
"""

from __future__ import annotations

import importlib.util
import pickle
from typing import Any

import numpy as np
import pytest

from actors.domain import kernels
from actors.domain.errors import KernelError
from actors.domain.kernels import HmmModels, HmmPrior, _dispatch, twins

BACKENDS: list[Any] = [twins]
if importlib.util.find_spec("_tradecore"):
    BACKENDS.append(importlib.import_module("_tradecore"))
both = pytest.mark.skipif(len(BACKENDS) < 2, reason="needs the native kernels")


def series(bars: int, features: int) -> np.ndarray:
    rng = np.random.default_rng(8)
    level = (np.arange(bars) // 60 % 3 - 1.0)[:, None] * np.linspace(1.0, 2.0, features)
    x = level + rng.standard_t(4, (bars, features)) * (0.3 + 0.2 * np.abs(level))
    x[bars // 2] += 40.0
    return x


def starts(count: int, states: int, features: int, *, full: bool, student: bool) -> HmmModels:
    rng = np.random.default_rng(states)
    moves = rng.random((count, states, states)) + 4.0 * np.eye(states)
    pi = rng.random((count, states)) + 0.1
    variances = rng.random((count, states, features)) + 0.5
    if full:
        root = 0.3 * rng.standard_normal((count, states, features, features))
        spread = root @ root.swapaxes(2, 3) + variances[..., None] * np.eye(features)
    else:
        spread = variances
    return HmmModels(
        pi / pi.sum(axis=1, keepdims=True), moves / moves.sum(axis=2, keepdims=True),
        rng.standard_normal((count, states, features)), spread,
        np.full((count, states), 6.0) if student else None,
    )  # fmt: skip


def on(backend: Any, *args: Any, **kwargs: Any) -> Any:
    before = _dispatch._active.impl
    _dispatch._active.impl = backend
    try:
        return kernels.hmm_fit(*args, **kwargs)
    finally:
        _dispatch._active.impl = before


@both
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("student", [False, True])
@pytest.mark.parametrize("with_prior", [False, True])
@pytest.mark.parametrize(("states", "features"), [(1, 1), (2, 1), (3, 2), (5, 3)])
def test_native_fit_equals_twin(
    full: bool, student: bool, with_prior: bool, states: int, features: int
) -> None:
    x = series(601, features)  # blocks of 256 and a rest
    if not with_prior:
        x[300] -= (
            40.0  # without a prior a state would collapse on the outlier, and no digit of it would be left
        )
    begin = starts(2, states, features, full=full, student=student)
    prior = None
    if with_prior:
        spread = np.eye(features) if full else np.ones(features)
        prior = HmmPrior(
            np.full(states, 2.0), 3.0 + 10.0 * np.eye(states), begin.means[0], 5.0,
            np.tile(7.0 * spread, (states,) + (1,) * spread.ndim), 7.0,
        )  # fmt: skip
    kept = [None if part is None else part.copy() for part in begin]
    found = [
        on(b, x, begin, prior=prior, max_iterations=12, tolerance=-np.inf, fit_dof=student, min_variance=1e-3)
        for b in BACKENDS
    ]
    for part, was in zip(begin, kept, strict=True):
        np.testing.assert_array_equal(part, was)  # the starts are the caller's
    a, b = found
    np.testing.assert_allclose(a.log_likelihood, b.log_likelihood, rtol=1e-9)
    np.testing.assert_allclose(a.objective, b.objective, rtol=1e-9)
    np.testing.assert_array_equal(a.iterations, b.iterations)
    for one, two in zip(a.models, b.models, strict=True):
        if one is not None:
            np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-9)


@both
@pytest.mark.parametrize("path", ["portable", "sse2", "avx2"])
def test_every_instruction_set_gives_the_same_bits(path: str) -> None:
    native = BACKENDS[1]
    x, begin = series(700, 2), starts(2, 3, 2, full=True, student=True)
    usual = native.instruction_set()
    expected = on(native, x, begin, max_iterations=5, fit_dof=True)
    try:
        try:
            native.force_instruction_set(path)
        except ValueError:
            pytest.skip(f"this machine has no {path}")
        found = on(native, x, begin, max_iterations=5, fit_dof=True)
    finally:
        native.force_instruction_set(usual)
    for one, two in zip(found.models, expected.models, strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(found.log_likelihood, expected.log_likelihood)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("student", [False, True])
def test_objective_never_falls(backend: Any, student: bool) -> None:
    x, begin = series(300, 2), starts(3, 3, 2, full=False, student=student)
    prior = HmmPrior(
        moves=5.0 * np.eye(3) + 1.0, means=np.zeros((3, 2)), mean_weight=4.0, scatter=np.full((3, 2), 2.0),
        weight=2.0,
    )  # fmt: skip
    before = np.full(3, -np.inf)
    for n in range(10):
        now = on(backend, x, begin, prior=prior, max_iterations=n, tolerance=-np.inf).objective
        assert (now >= before - 1e-8).all()
        before = now


def test_threads_and_company_do_not_matter() -> None:
    x, begin = series(500, 2), starts(5, 3, 2, full=False, student=False)
    one = kernels.hmm_fit(x, begin, max_iterations=8)
    many = kernels.hmm_fit(x, begin, max_iterations=8, threads=3)
    alone = kernels.hmm_fit(x, HmmModels(*(p[3:4] for p in begin[:4])), max_iterations=8)
    for a, b, c in zip(one.models[:4], many.models[:4], alone.models[:4], strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a[3:4], c)
    assert one.best == int(np.argmax(one.objective))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_start_that_is_lost_disturbs_no_other(backend: Any) -> None:
    x, begin = series(200, 2), starts(2, 2, 2, full=True, student=False)
    begin.covariances[0, 1] = [[1.0, 2.0], [2.0, 1.0]]  # not positive definite
    found = on(backend, x, begin, max_iterations=3)
    assert np.isnan(found.log_likelihood[0])
    assert np.isfinite(found.log_likelihood[1])
    assert found.best == 1
    begin.covariances[1] = begin.covariances[0]
    assert on(backend, x, begin, max_iterations=3).best is None


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_bar_that_only_an_unreachable_state_explains(backend: Any) -> None:
    x = np.full((30, 1), -1.0)
    x[9] = 60.0
    begin = HmmModels(
        np.array([[1.0, 0.0]]), np.eye(2)[None], np.array([[[-1.0], [60.0]]]), np.ones((1, 2, 1))
    )
    found = on(backend, x, begin, max_iterations=0)
    expected = -0.5 * (30 * np.log(2 * np.pi) + 61.0**2)
    assert found.log_likelihood[0] == pytest.approx(expected, rel=1e-12)
    fitted = on(backend, x, begin, max_iterations=2)
    np.testing.assert_allclose(fitted.models.means[0, :, 0], [x.mean(), 60.0], rtol=1e-12)


def test_refusals_name_the_argument() -> None:
    x, begin = series(100, 2), starts(1, 2, 2, full=False, student=True)
    bad = x.copy()
    bad[7, 1] = np.nan
    for call, match in (
        (lambda: kernels.hmm_fit(bad, begin), "row 7"),
        (lambda: kernels.hmm_fit(x[:0], begin), "row"),
        (lambda: kernels.hmm_fit(x, begin._replace(means=begin.means[:, :, :1])), r"starts\.means"),
        (lambda: kernels.hmm_fit(x, begin._replace(start=begin.start * 2)), "sum to 1"),
        (lambda: kernels.hmm_fit(x, begin._replace(covariances=-begin.covariances)), "positive"),
        (lambda: kernels.hmm_fit(x, begin._replace(dof=-begin.dof)), "degrees"),
        (lambda: kernels.hmm_fit(x, begin, prior=HmmPrior(moves=-np.eye(2))), "prior"),
        (lambda: kernels.hmm_fit(x, begin, prior=HmmPrior(means=np.zeros(2))), r"prior\.means"),
        (lambda: kernels.hmm_fit(x, starts(1, 9, 2, full=False, student=False)), "1 to 8 states"),
    ):
        for backend in BACKENDS:
            before, _dispatch._active.impl = _dispatch._active.impl, backend
            try:
                with pytest.raises(KernelError, match=match):
                    call()
            finally:
                _dispatch._active.impl = before


def log_densities(bars: int, states: int) -> np.ndarray:
    b = np.random.default_rng(5).normal(-3.0, 4.0, (bars, states))
    b[4] = np.nan
    return b


@pytest.mark.parametrize("states", [1, 2, 4])
def test_smoother_and_path_agree_to_the_last_digits(states: int) -> None:
    b = log_densities(200, states)
    begin = starts(1, states, 1, full=False, student=False)
    pi, moves = begin.start[0], begin.transitions[0]
    gammas, paths, totals = [], [], []
    for backend in BACKENDS:
        gamma, path = np.empty_like(b), np.empty(200, dtype=np.int64)
        totals.append((backend.hmm_smooth(b, pi, moves, gamma), backend.hmm_viterbi(b, pi, moves, path)))
        gammas.append(gamma)
        paths.append(path)
    for gamma, path, total in zip(gammas, paths, totals, strict=True):
        np.testing.assert_allclose(gamma, gammas[0], rtol=0, atol=1e-12)
        np.testing.assert_allclose(gamma.sum(axis=1), 1.0, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(path, paths[0])
        assert total == pytest.approx(totals[0], rel=1e-13)
    dead = b.copy()
    dead[6] = -np.inf
    for call in (kernels.hmm_smooth, kernels.hmm_viterbi):
        with pytest.raises(KernelError, match="row 6"):
            call(dead, pi, moves)


@pytest.mark.parametrize("at", [0, 1, 40])
def test_t_filter_streams_restores_and_runs_alike(at: int) -> None:
    begin = starts(1, 3, 2, full=False, student=True)
    model = (begin.start[0], begin.transitions[0], begin.means[0], begin.covariances[0], begin.dof[0])
    x = series(80, 2)
    x[5], x[7, 0] = np.nan, np.nan
    rows = {}
    for b in BACKENDS:
        f, whole = b.HmmStudent(*model), np.empty((80, 3))
        b.HmmStudent(*model).run(x, whole)
        for row in x[:at]:
            f.update(row)
        data = f.snapshot()
        copies = [pickle.loads(pickle.dumps(f)), *[o.HmmStudent.from_snapshot(data) for o in BACKENDS]]
        rest = np.array([f.update(row) for row in x[at:]])
        np.testing.assert_array_equal(rest, whole[at:])
        for copy in copies:
            assert copy.snapshot() == data
            np.testing.assert_allclose([copy.update(row) for row in x[at:]], rest, rtol=0, atol=1e-12)
        rows[b] = whole
        with pytest.raises(ValueError, match="features"):
            f.run(x[:, :1].copy(), whole)
        with pytest.raises(ValueError, match="not a snapshot"):
            b.HmmStudent.from_snapshot(data[:-1])
    for whole in rows.values():
        np.testing.assert_allclose(whole, rows[twins], rtol=0, atol=1e-12)
    stream = kernels.hmm_student_stream(*model)
    assert kernels.restore_stream(stream.snapshot()).snapshot() == stream.snapshot()
    with pytest.raises(KernelError, match="dof"):
        kernels.hmm_student_stream(*model[:4], -model[4])
