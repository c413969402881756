"""Kernels of whole bars: native = twin, batch = streaming, snapshot = same future; tolerance 0."""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from actors.domain import kernels
from actors.domain.errors import KernelError
from actors.domain.kernels import twins

BACKENDS: list[Any] = [twins]
if importlib.util.find_spec("_tradecore"):
    BACKENDS.append(importlib.import_module("_tradecore"))


@dataclass(frozen=True)
class Case:
    batch: str
    stream: str
    columns: str  # letters of the bar fields it reads
    params: tuple[Any, ...]
    outputs: int
    first: int  # first bar on which every output is defined, on clean prices

    @property
    def id(self) -> str:
        return f"{self.batch}{self.params}"

    def run(self, backend: Any, bars: dict[str, np.ndarray]) -> np.ndarray:
        out = [np.full(len(bars["c"]), -7.0) for _ in range(self.outputs)]
        getattr(backend, self.batch)(*(bars[k] for k in self.columns), *self.params, *out)
        return np.array(out)

    def steps(self, stream: Any, bars: dict[str, np.ndarray]) -> np.ndarray:
        rows = zip(*(bars[k].tolist() for k in self.columns), strict=True)
        got = [stream.update(*row) for row in rows]
        return np.array([g if isinstance(g, tuple) else (g,) for g in got]).reshape(-1, self.outputs).T


CASES = [
    Case("cmf", "Cmf", "hlcv", (20,), 1, 19),
    Case("cmf", "Cmf", "hlcv", (1,), 1, 0),
    Case("cmf", "Cmf", "hlcv", (700,), 1, 699),
    Case("obv", "Obv", "cv", (), 1, 0),
    Case("donchian", "Donchian", "hl", (20,), 3, 19),
    Case("donchian", "Donchian", "hl", (1,), 3, 0),
    Case("heikin_ashi", "HeikinAshi", "ohlc", (), 4, 0),
    Case("keltner", "Keltner", "hlc", (20, 10, 2.0), 3, 19),
    Case("keltner", "Keltner", "hlc", (5, 30, 0.5), 3, 30),
    Case("squeeze", "Squeeze", "hlc", (20, 2.0, 1.5), 1, 20),
    Case("stoch_rsi", "StochRsi", "c", (14, 14, 3, 3), 2, 31),
    Case("stoch_rsi", "StochRsi", "c", (14, 5, 1, 3), 2, 20),
    Case("stoch_rsi", "StochRsi", "c", (3, 600, 9, 4), 2, 613),
]
every = pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)


def market(kind: str, bars: int = 1_300) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(11)
    c = 30_000.0 * np.exp(np.cumsum(rng.standard_t(5, bars) * 0.002))
    o = np.concatenate([c[:1], c[:-1]])
    h = np.maximum(o, c) * (1 + rng.random(bars) * 1e-3)
    low = np.minimum(o, c) * (1 - rng.random(bars) * 1e-3)
    v = rng.lognormal(2.0, 1.0, bars)
    if kind == "flat":
        for x in (o, h, low, c):
            x[400:500] = c[400]
        v[450:480] = 0.0
    if kind == "holes":
        h[200], low[333], c[600], o[700], v[800] = np.nan, np.nan, np.nan, np.nan, np.nan
        c[900], h[1000] = np.inf, np.inf
    return {"o": o, "h": h, "l": low, "c": c, "v": v}


@every
@pytest.mark.parametrize("kind", ["price", "flat", "holes"])
def test_batch_streaming_native_and_twin_agree_to_the_bit(case: Case, kind: str) -> None:
    bars = market(kind)
    results = []
    for b in BACKENDS:
        results += [case.run(b, bars), case.steps(getattr(b, case.stream)(*case.params), bars)]
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)
    if kind == "price":
        first = case.first
        assert np.isfinite(results[0][:, first:]).all()
        # a middle line or K may start earlier; the last output starts exactly there
        assert np.isnan(results[0][-1, :first]).all()


@every
@pytest.mark.parametrize("bars", [0, 1, 2, 19, 20, 21])
def test_short_series_are_whole(case: Case, bars: int) -> None:
    cut = {k: v[:bars] for k, v in market("price", 64).items()}
    for b in BACKENDS:
        np.testing.assert_array_equal(
            case.run(b, cut), case.steps(getattr(b, case.stream)(*case.params), cut)
        )


@every
@pytest.mark.parametrize("at", [0, 1, 19, 20, 333, 1_024])
def test_a_snapshot_continues_on_either_backend(case: Case, at: int) -> None:
    bars = market("price")
    past, future = ({k: v[s] for k, v in bars.items()} for s in (slice(at), slice(at, None)))
    expected = case.run(BACKENDS[-1], bars)[:, at:]
    for first in BACKENDS:
        s = getattr(first, case.stream)(*case.params)
        case.steps(s, past)
        data = s.snapshot()
        again = getattr(first, case.stream)(*case.params)
        again.restore(data)
        copies = [pickle.loads(pickle.dumps(s)), again]
        copies += [getattr(b, case.stream).from_snapshot(data) for b in BACKENDS]
        for copy in copies:
            assert copy.snapshot() == data
            np.testing.assert_array_equal(case.steps(copy, future), expected)


@every
def test_foreign_and_damaged_snapshots_are_refused(case: Case) -> None:
    for b in BACKENDS:
        cls = getattr(b, case.stream)
        data = cls(*case.params).snapshot()
        for bad in (b"", data[:-1], data + b"\0", data[:4] + b"Other".ljust(12, b"\0") + data[16:]):
            with pytest.raises(ValueError, match="not a snapshot"):
                cls.from_snapshot(bad)


PUBLIC: list[tuple[Callable[..., Any], str, int]] = [
    (kernels.cmf, "hlcv", 1),
    (kernels.obv, "cv", 1),
    (kernels.donchian, "hl", 3),
    (kernels.heikin_ashi, "ohlc", 4),
    (kernels.keltner, "hlc", 3),
    (kernels.squeeze, "hlc", 1),
    (kernels.stoch_rsi, "c", 2),
]


@pytest.mark.parametrize(("kernel", "columns", "count"), PUBLIC, ids=lambda x: getattr(x, "__name__", ""))
def test_read_only_strided_and_buffers(kernel: Callable[..., Any], columns: str, count: int) -> None:
    bars = market("price", 200)
    inputs = [bars[k] for k in columns]
    fresh = kernel(*inputs)
    for x in inputs:
        x.flags.writeable = False
    strided = [np.repeat(x, 2)[::2] for x in inputs]
    buffers = [np.empty(200) for _ in range(count)]
    out = buffers if count > 1 else buffers[0]
    given = kernel(*inputs, out=out)
    for a, b, c, own in zip(
        *((r if count > 1 else (r,)) for r in (fresh, given, kernel(*strided))), buffers, strict=True
    ):
        assert b is own
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)
    overlapping = [inputs[0].copy()] * count
    with pytest.raises(KernelError):
        kernel(overlapping[0], *inputs[1:], out=overlapping if count > 1 else overlapping[0])
    with pytest.raises(KernelError):
        kernel(inputs[0].astype(np.float32), *inputs[1:])
    if len(inputs) > 1:
        with pytest.raises(KernelError):
            kernel(inputs[0][1:], *inputs[1:])


def test_bad_parameters_are_refused() -> None:
    b = market("price", 60)
    for call in (
        lambda: kernels.cmf(b["h"], b["l"], b["c"], b["v"], 0),
        lambda: kernels.donchian(b["h"], b["l"], 1.5),  # type: ignore[arg-type]
        lambda: kernels.keltner(b["h"], b["l"], b["c"], width=0.0),
        lambda: kernels.keltner_stream(0),
        lambda: kernels.squeeze(b["h"], b["l"], b["c"], channel_width=float("nan")),
        lambda: kernels.stoch_rsi(b["c"], rsi_bars=1),
        lambda: kernels.stoch_rsi_stream(k_bars=0),
    ):
        with pytest.raises(KernelError):
            call()
