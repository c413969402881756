"""HMM forward filter: native against twin within 1e-13, batch = streaming to the bit on each backend.

Both take exp and log from the platform's C library, so they differ only where two libraries do.
"""

from __future__ import annotations

import importlib.util
import pickle
from typing import Any

import numpy as np
import pytest

from actors.domain import kernels
from actors.domain.errors import KernelError
from actors.domain.kernels import twins

BACKENDS: list[Any] = [twins]
if importlib.util.find_spec("_tradecore"):
    BACKENDS.append(importlib.import_module("_tradecore"))

Model = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def model(states: int, features: int) -> Model:
    rng = np.random.default_rng(states)
    transitions = rng.random((states, states)) + 4 * np.eye(states)
    pi = rng.random(states)
    means, variances = rng.standard_normal((states, features)), rng.random((states, features)) + 0.2
    return pi / pi.sum(), transitions / transitions.sum(axis=1, keepdims=True), means, variances


def observations(bars: int, features: int) -> np.ndarray:
    x = np.random.default_rng(3).standard_normal((bars, features)) * 2
    x[5] = np.nan  # a missing bar
    x[7, 0] = np.nan  # a missing feature
    x[9] = 1e5  # far outside every state
    return x


def log_density(x: np.ndarray, means: np.ndarray, variances: np.ndarray) -> np.ndarray:
    d = x[:, None, :] - means
    return -0.5 * np.nansum(d * d / variances + np.log(2 * np.pi * variances) + 0 * d, axis=2)


@pytest.mark.parametrize(("states", "features"), [(1, 1), (2, 1), (3, 2), (5, 4)])
def test_native_equals_twin_and_both_equal_the_textbook(states: int, features: int) -> None:
    pi, transitions, means, variances = model(states, features)
    x = observations(400, features)
    log_b = log_density(x, means, variances)
    alphas, totals = [], []
    for b in BACKENDS:
        alpha = np.empty_like(log_b)
        totals.append(b.hmm_forward_filter(log_b, pi, transitions, alpha))
        alphas.append(alpha)
        f = b.HmmFilter(pi, transitions, means, variances)
        alphas.append(np.array([f.update(row) for row in x]))
        totals.append(f.log_likelihood)
        assert f.bars == 400
    for alpha, total in zip(alphas, totals, strict=True):
        # the stream works out its own densities: 1e-11 here; the bits are compared below
        np.testing.assert_allclose(alpha, alphas[0], rtol=0, atol=1e-11)
        assert total == pytest.approx(totals[0], rel=1e-12)
        np.testing.assert_allclose(alpha.sum(axis=1), 1.0, rtol=0, atol=1e-14)
    if len(BACKENDS) == 2:
        np.testing.assert_allclose(alphas[0], alphas[2], rtol=0, atol=1e-13)
        np.testing.assert_allclose(alphas[1], alphas[3], rtol=0, atol=1e-13)
    u = pi * np.exp(log_b[0] - log_b[0].max())
    np.testing.assert_allclose(alphas[0][0], u / u.sum(), rtol=1e-12)
    np.testing.assert_allclose(alphas[0][5], alphas[0][4] @ transitions, rtol=1e-12)


def test_streaming_equals_batch_to_the_bit() -> None:
    # with mean 0 and variance 1/(2 pi) the log density of x is -pi x^2 + 0: the same in both forms
    for b in BACKENDS:
        pi, transitions, _, _ = model(2, 1)
        means, variances = np.array([[0.0], [1.0]]), np.array([[0.5], [0.5]])
        x = np.random.default_rng(0).integers(-3, 4, (300, 1)).astype(float)
        half_ln = 0.5 * (1.8378770664093453 + np.log(0.5))
        log_b = 0.0 - (1.0 * (x - means.T) ** 2 + half_ln)
        alpha = np.empty_like(log_b)
        total = b.hmm_forward_filter(log_b, pi, transitions, alpha)
        f = b.HmmFilter(pi, transitions, means, variances)
        np.testing.assert_array_equal(np.array([f.update(row) for row in x]), alpha)
        assert f.log_likelihood == total


@pytest.mark.parametrize("at", [0, 1, 6, 50])
def test_a_snapshot_continues_on_either_backend(at: int) -> None:
    x = observations(80, 2)
    for first in BACKENDS:
        f = first.HmmFilter(*model(3, 2))
        for row in x[:at]:
            f.update(row)
        assert (f.alpha is None) == (at == 0)
        data = f.snapshot()
        copies = [pickle.loads(pickle.dumps(f)), *[b.HmmFilter.from_snapshot(data) for b in BACKENDS]]
        expected = np.array([f.update(row) for row in x[at:]])
        for copy in copies:
            assert copy.snapshot() == data
            got = np.array([copy.update(row) for row in x[at:]])
            np.testing.assert_allclose(got, expected, rtol=0, atol=0 if type(copy) is type(f) else 1e-13)
    for b in BACKENDS:
        for bad in (data[:-1], data + b"\0", b"TWK1nonsense"):
            with pytest.raises(ValueError, match="not a snapshot"):
                b.HmmFilter.from_snapshot(bad)


def test_missing_rows_impossible_rows_and_unreachable_states() -> None:
    pi, transitions = np.array([1.0, 0.0]), np.array([[1.0, 0.0], [0.0, 1.0]])
    log_b = np.array([[-800.0, 0.0], [np.nan, np.nan], [-np.inf, 0.0]])
    alpha, total = kernels.hmm_forward_filter(log_b[:2], pi, transitions)
    np.testing.assert_array_equal(alpha, [[1.0, 0.0], [1.0, 0.0]])
    assert total == -800.0
    with pytest.raises(KernelError, match="row 2: no state"):
        kernels.hmm_forward_filter(log_b, pi, transitions)
    for bad in (np.inf, np.nan):
        with pytest.raises(KernelError, match="row 0"):
            kernels.hmm_forward_filter(np.array([[0.0, bad]]), pi, transitions)


def test_read_only_inputs_buffers_and_refusals() -> None:
    pi, transitions, means, variances = model(3, 2)
    log_b = log_density(observations(50, 2), means, variances)
    fresh, total = kernels.hmm_forward_filter(log_b, pi, transitions)
    for a in (log_b, pi, transitions, means, variances):
        a.flags.writeable = False
    buffer = np.empty((50, 3))
    given, again = kernels.hmm_forward_filter(log_b, pi, transitions, out=buffer)
    assert given is buffer
    assert again == total
    np.testing.assert_array_equal(given, fresh)
    assert kernels.hmm_filter_stream(pi, transitions, means, variances).update(np.zeros(2)).shape == (3,)
    for call in (
        lambda: kernels.hmm_forward_filter(log_b[:, :2], pi, transitions),
        lambda: kernels.hmm_forward_filter(log_b, pi * 2, transitions),
        lambda: kernels.hmm_forward_filter(log_b, pi, transitions[:2]),
        lambda: kernels.hmm_forward_filter(log_b, pi, transitions, out=np.empty((50, 2))),
        lambda: kernels.hmm_filter_stream(pi, transitions, means, -variances),
        lambda: kernels.hmm_filter_stream(pi, transitions, means, variances[:, :1]),
        lambda: kernels.hmm_filter_stream(pi, -transitions, means, variances),
    ):
        with pytest.raises(KernelError):
            call()


def test_a_refused_bar_leaves_the_filter_as_it_was() -> None:
    for b in BACKENDS:
        f = b.HmmFilter(*model(3, 2))
        f.update(np.zeros(2))
        before = f.snapshot()
        for bad in (np.array([np.inf, 0.0]), np.zeros(3), np.array([1e200, 0.0])):
            with pytest.raises(ValueError, match=r"row 1|expected"):
                f.update(bad)
        assert f.snapshot() == before
