"""Core kernels: native = twin, batch = streaming, all instruction sets, snapshot = same future; tolerance 0."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from actors.domain.kernels import twins

native = pytest.importorskip("_tradecore")
BACKENDS = {"native": native, "twin": twins}
PATHS = ["portable", "sse2", "avx128", "avx2"]
# batch name, class, parameters, takes whole bars, outputs
CASES = {
    "sma": ("sma", "Sma", (20,), False, 1),
    "sma_1": ("sma", "Sma", (1,), False, 1),
    "sma_long": ("sma", "Sma", (130,), False, 1),
    "ema": ("ema", "Ema", (20,), False, 1),
    "ema_1": ("ema", "Ema", (1,), False, 1),
    "rsi": ("rsi", "Rsi", (14,), False, 1),
    "macd": ("macd", "Macd", (12, 26, 9), False, 3),
    "macd_odd": ("macd", "Macd", (5, 11, 4), False, 3),
    "macd_least": ("macd", "Macd", (1, 2, 1), False, 3),
    "std": ("std", "Std", (20,), False, 1),
    "std_1": ("std", "Std", (1,), False, 1),
    "std_long": ("std", "Std", (130,), False, 1),
    "bollinger": ("bollinger", "Bollinger", (20, 2.0), False, 3),
    "atr": ("atr", "Atr", (14,), True, 1),
    "adx": ("adx", "Adx", (14,), True, 3),
}
KINDS = ["price", "crash", "holes", "flat", "returns", "calm_after_jump"]
WINDOWS = [20, 20, 14, 12, 26, 9, 14]


@pytest.fixture
def instruction_set() -> Iterator[Callable[[str], bool]]:
    before = native.instruction_set()

    def use(name: str) -> bool:
        try:
            native.force_instruction_set(name)
        except ValueError:
            return False
        return True

    yield use
    native.force_instruction_set(before)


def bars(kind: str, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    x = 30_000.0 * np.exp(np.cumsum(rng.standard_t(5, count) * 0.002))
    if kind == "crash":
        x[count // 2 :] *= 1e-4
    if kind == "flat":
        x[count // 4 : count // 2] = x[count // 4]
        x[: min(count, 30)] = x[0]
    if kind == "returns":
        x = np.diff(np.log(x), prepend=np.log(x[0]))
    if kind == "calm_after_jump":
        x[count // 3 :] = 1.3 * x[count // 3] * (1 + 1e-7 * rng.standard_normal(count - count // 3))
    reach = np.abs(x) * 0.001 * (kind != "flat")
    high, low = x + reach * rng.random(count), x - reach * rng.random(count)
    close = low + (high - low) * rng.random(count)
    if kind == "holes":
        close[count // 3], high[count // 2], low[count // 5], close[-3] = np.nan, np.inf, np.nan, -np.inf
    return high, low, close


def batch(backend: Any, case: str, high: np.ndarray, low: np.ndarray, close: np.ndarray) -> np.ndarray:
    name, _, params, whole, outputs = CASES[case]
    out = [np.full(len(close), 7.0) for _ in range(outputs)]
    getattr(backend, name)(*((high, low, close) if whole else (close,)), *params, *out)
    return np.array(out)


def streamed(stream: Any, case: str, high: np.ndarray, low: np.ndarray, close: np.ndarray) -> np.ndarray:
    inputs = (high, low, close) if CASES[case][3] else (close,)
    rows = [stream.update(*v) for v in zip(*[x.tolist() for x in inputs], strict=True)]
    return np.array(rows, dtype=float).reshape(len(close), CASES[case][4]).T


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", list(CASES))
def test_batch_streaming_native_and_twin_agree_to_the_bit(case: str, kind: str) -> None:
    data = bars(kind, 2_503)
    _, cls, params, _, _ = CASES[case]
    reference = batch(native, case, *data)
    np.testing.assert_array_equal(batch(twins, case, *data), reference)
    for backend in BACKENDS.values():
        np.testing.assert_array_equal(streamed(getattr(backend, cls)(*params), case, *data), reference)


@pytest.mark.parametrize("case", list(CASES))
def test_every_instruction_set_gives_the_same_bits(case: str, instruction_set: Callable[[str], bool]) -> None:
    data = bars("price", 5_003)
    reference = batch(twins, case, *data)
    used = [p for p in PATHS if instruction_set(p)]
    assert "portable" in used
    for path in used:
        instruction_set(path)
        np.testing.assert_array_equal(batch(native, case, *data), reference, err_msg=path)


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize("count", [0, 1, 2, 13, 14, 15, 19, 20, 27, 28, 33, 34, 35, 36, 37, 38, 60, 280])
def test_short_series_agree(case: str, count: int) -> None:
    high, low, close = (x[:count] for x in bars("price", 300))
    reference = batch(twins, case, high, low, close)
    np.testing.assert_array_equal(batch(native, case, high, low, close), reference)
    stream = getattr(native, CASES[case][1])(*CASES[case][2])
    np.testing.assert_array_equal(streamed(stream, case, high, low, close), reference)


@pytest.mark.parametrize("case", list(CASES))
def test_a_prefix_gives_a_prefix(case: str) -> None:
    data = bars("price", 1_200)
    whole = batch(native, case, *data)
    for count in (37, 276, 531, 700, 1_199):
        np.testing.assert_array_equal(batch(native, case, *(x[:count] for x in data)), whole[:, :count])


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize(("first", "second"), list(itertools.product(BACKENDS, BACKENDS)))
def test_a_snapshot_continues_on_either_backend(case: str, first: str, second: str) -> None:
    data = bars("price", 420)
    expected = batch(native, case, *data)
    _, cls, params, _, _ = CASES[case]
    for at in (0, 1, 9, 26, 33, 36, 278, 400):
        s = getattr(BACKENDS[first], cls)(*params)
        streamed(s, case, *(x[:at] for x in data))
        resumed = getattr(BACKENDS[second], cls).from_snapshot(s.snapshot())
        assert resumed.snapshot() == s.snapshot()
        tail = [x[at:] for x in data]
        np.testing.assert_array_equal(streamed(resumed, case, *tail), expected[:, at:])
        copy = pickle.loads(pickle.dumps(s))
        np.testing.assert_array_equal(streamed(copy, case, *tail), expected[:, at:])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [0, 5, 40, 2_503])
def test_fused_features_equal_the_single_kernels(kind: str, count: int) -> None:
    data = [x[:count] for x in bars(kind, 2_503)]
    single = {c: batch(native, c, *data) for c in ("sma", "ema", "rsi", "macd", "bollinger", "atr")}
    bands = single.pop("bollinger")
    expected = [
        single["sma"],
        single["ema"],
        single["rsi"],
        single["macd"],
        bands[:1],
        bands[2:],
        single["atr"],
    ]
    for backend in BACKENDS.values():
        out = [np.full(count, 7.0) for _ in range(9)]
        backend.fused(*data, WINDOWS, 2.0, out)
        np.testing.assert_array_equal(np.array(out), np.concatenate(expected))


@pytest.mark.parametrize("kind", KINDS)
def test_the_indicator_set_equals_the_single_kernels(kind: str) -> None:
    high, low, close = bars(kind, 700)
    volume = np.random.default_rng(3).lognormal(size=700)
    windows = [20, 20, 14, 12, 26, 9, 20, 14]
    parts = [
        batch(native, c, high, low, close)
        for c in ("sma", "ema", "rsi", "macd", "bollinger", "std", "atr", "adx")
    ]
    for name, backend in BACKENDS.items():
        s = backend.IndicatorSet(windows, 2.0)
        rows = []
        for i, bar in enumerate(zip(close, high, low, close, volume, strict=True)):
            if i == 350:
                s = pickle.loads(pickle.dumps(s))
            rows.append(s.update(*map(float, bar)).copy())
        table = np.array(rows).T
        np.testing.assert_array_equal(table[:-1], np.concatenate(parts), err_msg=name)
        if kind == "price":
            expected = volume[0] + np.cumsum(np.sign(np.diff(close)) * volume[1:])
            np.testing.assert_allclose(table[-1][1:], expected, rtol=1e-12, atol=1e-9)
    assert list(native.SET_COLUMNS) == twins.SET_COLUMNS


def test_both_backends_write_the_same_set_snapshot() -> None:
    high, low, close = bars("price", 77)
    sets = [b.IndicatorSet([20, 20, 14, 12, 26, 9, 20, 14], 2.0) for b in BACKENDS.values()]
    for bar in zip(close.tolist(), high.tolist(), low.tolist(), close.tolist(), close.tolist(), strict=True):
        for s in sets:
            s.update(*bar)
    assert sets[0].snapshot() == sets[1].snapshot()
    for b in BACKENDS.values():
        assert b.IndicatorSet.from_snapshot(sets[0].snapshot()).snapshot() == sets[0].snapshot()


@pytest.mark.parametrize("backend", list(BACKENDS.values()), ids=list(BACKENDS))
@pytest.mark.parametrize("case", list(CASES))
def test_foreign_and_damaged_snapshots_are_refused(backend: Any, case: str) -> None:
    cls = getattr(backend, CASES[case][1])
    good = cls(*CASES[case][2]).snapshot()
    for bad in (
        b"",
        b"TWK1",
        b"XXXX" + good[4:],
        good[:4] + b"Other\0\0\0\0\0\0\0" + good[16:],
        good[:-1],
        good + b"\0",
    ):
        with pytest.raises(ValueError, match="not a snapshot of this kernel"):
            cls.from_snapshot(bad)
