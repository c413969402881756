"""Sweeps: native = twin (money and counts to the bit), on every instruction set and number of threads."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from actors.domain.kernels import SWEEP_DTYPE, twins

NATIVE: Any = importlib.import_module("_tradecore") if importlib.util.find_spec("_tradecore") else None
pytestmark = pytest.mark.skipif(NATIVE is None, reason="needs the compiled kernels")
LENGTHS = (1, 2, 3, 63, 64, 65, 255, 256, 257, 1_500)
TERMS = {
    "long, all in": (1e4, 0.001, 0.0005, 1.0, False),
    "free": (1e4, 0.0, 0.0, 1.0, False),
    "long and short": (1e4, 0.001, 0.0005, 1.0, True),
    "a part": (1e4, 0.001, 0.0005, 0.6, False),
}
BITS = (
    "final_equity",
    "max_drawdown",
    "fees",
    "gain",
    "loss",
    "trades",
    "wins",
    "exposed_bars",
    "ruined_bar",
)
Sweep = Callable[[Any, tuple[Any, ...], int, np.ndarray], None]


def market(bars: int, tick: float = 0.0, seed: int = 3) -> tuple[np.ndarray, ...]:
    """Return open, high, low, close; with a tick many prices are equal."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.standard_t(4, bars) * 0.01))
    open_ = np.concatenate([close[:1], close[:-1]]) * np.exp(rng.standard_normal(bars) * 0.002)
    if tick:
        close, open_ = (np.maximum(np.round(x / tick), 1.0) * tick for x in (close, open_))
    return open_, np.maximum(open_, close) * 1.001, np.minimum(open_, close) * 0.999, close


def families(bars: int, tick: float = 0.0) -> dict[str, tuple[int, Sweep]]:
    o, h, low, c = market(bars, tick)
    return {
        "ma_cross": (
            2 * 14,
            lambda k, terms, n, out: k.sweep_ma_cross(
                o, c, [1, 2, 7, 20], [2, 5, 20, 40, 300], [0.0, 0.004], terms, n, out
            ),
        ),
        "rsi": (
            3 * 2 * 2,
            lambda k, terms, n, out: k.sweep_rsi(o, c, [2, 9, 21], [25.0, 40.0], [60.0, 80.0], terms, n, out),
        ),
        "bollinger": (
            6,
            lambda k, terms, n, out: k.sweep_bollinger(o, c, [2, 12, 30], [0.8, 1.9], False, terms, n, out),
        ),
        "bollinger reversal": (
            6,
            lambda k, terms, n, out: k.sweep_bollinger(o, c, [2, 12, 30], [0.8, 1.9], True, terms, n, out),
        ),
        "donchian": (
            11,
            lambda k, terms, n, out: k.sweep_donchian(
                o, h, low, c, [5, 20, 270], [1, 3, 5, 20], terms, n, out
            ),
        ),
        "momentum": (
            2 * 4,
            lambda k, terms, n, out: k.sweep_momentum(
                o, c, ([1, 4], [3, 10], [5, 30], [2, 60]), terms, n, out
            ),
        ),
    }  # fmt: skip


def records(k: Any, sweep: Sweep, terms: tuple[Any, ...], threads: int, count: int) -> np.ndarray:
    words = np.full(count * 9, 7, dtype=np.uint64)
    sweep(k, terms, threads, words)
    return words.view(SWEEP_DTYPE)


@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize("tick", [0.0, 1.0])
def test_native_equals_the_twin(terms: str, tick: float) -> None:
    for bars in LENGTHS:
        for name, (count, sweep) in families(bars, tick).items():
            got, want = (records(k, sweep, TERMS[terms], 1, count) for k in (NATIVE, twins))
            where = f"{name}, {bars} bars"
            for column in BITS:
                np.testing.assert_array_equal(got[column], want[column], err_msg=f"{where}: {column}")
            for column in ("sharpe", "sortino"):
                np.testing.assert_allclose(
                    got[column], want[column], rtol=1e-9, atol=1e-13, err_msg=f"{where}: {column}"
                )
            if bars == 1_500:
                assert (got["trades"] > 3).mean() > 0.5, where


@pytest.fixture
def paths() -> Iterator[list[str]]:
    before = NATIVE.instruction_set()
    yield ["portable", "sse2", "avx128", "avx2"]
    NATIVE.force_instruction_set(before)


def test_threads_and_instruction_sets_change_no_bit(paths: list[str]) -> None:
    for name, (count, sweep) in families(1_500).items():
        for terms in TERMS.values():
            want = records(NATIVE, sweep, terms, 1, count)
            for path in paths:
                try:
                    NATIVE.force_instruction_set(path)
                except ValueError:
                    continue
                for threads in (1, 2, 5):
                    got = records(NATIVE, sweep, terms, threads, count)
                    assert got.tobytes() == want.tobytes(), f"{name}, {path}, {threads} threads"


def test_a_ruined_short_is_told_by_both() -> None:
    close = np.concatenate([np.linspace(100.0, 50.0, 200), np.full(200, 500.0), np.full(300, 100.0)])
    out = []
    for k in (NATIVE, twins):
        words = np.zeros(9 * 2, dtype=np.uint64)
        k.sweep_ma_cross(close, close, [3], [20, 30], [0.0], (1e4, 0.001, 0.0, 1.0, True), 1, words)
        out.append(words.view(SWEEP_DTYPE))
    assert out[0].tobytes() == out[1].tobytes()
    assert out[0]["ruined_bar"].tolist() == [200, 200]
    assert np.isnan(out[0]["sharpe"]).all()
    assert (out[0]["final_equity"] < 0.0).all()


def test_panels_beyond_the_first_are_filled() -> None:
    """More combinations than one panel holds: every one equals its own small sweep."""
    open_, _, _, close = market(300)
    fast, slow, terms = list(range(1, 131)), list(range(2, 133)), (1e4, 0.001, 0.0005, 1.0, False)
    count = sum(s > f for f in fast for s in slow)
    assert count > 8192
    words = np.zeros(9 * count, dtype=np.uint64)
    NATIVE.sweep_ma_cross(open_, close, fast, slow, [0.0], terms, 3, words)
    pairs = [(f, s) for f in fast for s in slow if s > f]
    one = np.zeros(9, dtype=np.uint64)
    for k in range(0, count, 211):
        NATIVE.sweep_ma_cross(open_, close, [pairs[k][0]], [pairs[k][1]], [0.0], terms, 1, one)
        np.testing.assert_array_equal(words[9 * k : 9 * k + 9], one, err_msg=str(pairs[k]))
