"""Simple moving average: native = twin, batch = streaming, snapshot = same future; tolerance 0."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from actors.domain.kernels import twins

native = pytest.importorskip("_tradecore")
BACKENDS = [native, twins]


def series(kind: str, bars: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    x = 30_000.0 * np.exp(np.cumsum(rng.standard_t(5, bars) * 0.002))
    if kind == "crash":
        x[bars // 2 :] *= 1e-4
    if kind == "holes":
        x[[7, bars // 3, bars // 2]] = [np.nan, np.inf, np.nan]
    if kind == "flat":
        x[bars // 4 :] = x[bars // 4]
    return x if kind != "returns" else np.diff(np.log(x), prepend=np.log(x[0]))


@pytest.mark.parametrize("kind", ["price", "crash", "holes", "flat", "returns"])
@pytest.mark.parametrize("window", [1, 2, 20, 130])
def test_batch_streaming_native_and_twin_agree_to_the_bit(kind: str, window: int) -> None:
    x = series(kind, 1_500)
    results = []
    for b in BACKENDS:
        out = np.empty_like(x)
        b.sma(x, window, out)
        stream = b.Sma(window)
        results += [out, np.array([stream.update(v) for v in x.tolist()])]
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)
    if kind == "price":
        assert np.isnan(results[0][: window - 1]).all()
        assert np.isfinite(results[0][window - 1 :]).all()


@pytest.mark.parametrize("at", [0, 5, 19, 20, 300, 600])
def test_a_snapshot_continues_on_either_backend(at: int) -> None:
    x = series("price", 900).tolist()
    whole = native.Sma(20)
    expected = [whole.update(v) for v in x][at:]
    for first in BACKENDS:
        s = first.Sma(20)
        for v in x[:at]:
            s.update(v)
        data = s.snapshot()
        copies = [pickle.loads(pickle.dumps(s)), *[b.Sma.from_snapshot(data) for b in BACKENDS]]
        for copy in copies:
            assert copy.snapshot() == data
            np.testing.assert_array_equal([copy.update(v) for v in x[at:]], expected)
