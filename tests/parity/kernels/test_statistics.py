"""Statistics and bootstrap: native = twin to the bit, on every instruction set, around the blocks' edges."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from actors.domain.kernels import twins

NATIVE: Any = importlib.import_module("_tradecore") if importlib.util.find_spec("_tradecore") else None
pytestmark = pytest.mark.skipif(NATIVE is None, reason="needs the compiled kernels")
LENGTHS = (1, 2, 7, 8, 9, 2047, 2048, 2049, 4096, 4097, 9_001, 70_003)
PATHS = ("avx2", "avx128", "sse2", "portable")


@pytest.fixture(params=PATHS)
def instruction_set(request: pytest.FixtureRequest) -> Iterator[str]:
    before = NATIVE.instruction_set()
    try:
        NATIVE.force_instruction_set(request.param)
    except ValueError:
        pytest.skip("this machine does not have it")
    yield request.param
    NATIVE.force_instruction_set(before)


def samples(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(n)
    fat = rng.standard_t(3, n) * 0.004
    seldom = np.where(rng.random(n) < 0.04, fat, 0.0)
    return {
        "fat": np.maximum(fat, -0.9),
        "seldom in the market": np.maximum(seldom, -0.9),
        "few values": np.maximum(fat, -0.9).round(2),
        "flat": np.zeros(n),
        "constant": np.full(n, 0.1),
        "beyond a double": np.tile([0.9, 1.4, -0.1], n)[:n] if n % 2 else np.full(n, -0.6),
        "ruined": np.where(np.arange(n) == n // 2, -1.0, fat.clip(-0.5, 0.5)),
    }


def both(x: np.ndarray, curve: bool, tail: float) -> np.ndarray:
    n = x.shape[0] - curve
    found = []
    for backend in (NATIVE, twins):
        out = np.full(22, -7.0)
        backend.return_statistics(x, curve, (n - 1) * tail, (n - 1) * (1 - tail), round(tail * n, 9), out)
        found.append(out)
    np.testing.assert_array_equal(*found)
    return found[0]


@pytest.mark.parametrize("n", LENGTHS)
def test_statistics_are_the_same_bits(n: int, instruction_set: str) -> None:
    for name, x in samples(n).items():
        for tail in (0.05, 0.01, 0.5):
            out = both(x, False, tail)
            assert out[0] == n, name
        if name in ("fat", "seldom in the market"):
            both(100.0 * np.concatenate(([1.0], np.cumprod(1.0 + x))), True, 0.05)


@pytest.mark.parametrize("n", [4097, 30_011, 70_003])
@pytest.mark.parametrize("seen", [0.5, -0.5])
def test_a_sample_that_misleads_the_guess_changes_nothing(n: int, seen: float) -> None:
    # the native kernel guesses where the tails begin from returns at these places
    size = min(max(n // 16, 1024), 4096)
    x = np.random.default_rng(n).uniform(-0.4, 0.4, n)
    x[np.arange(size) * n // size] = seen
    for tail in (0.05, 0.1, 0.3):
        both(x, False, tail)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -1.5])
@pytest.mark.parametrize("row", [0, 5, 2048, 4999])
def test_both_refuse_the_same_row(bad: float, row: int) -> None:
    x = np.full(5000, 0.001)
    x[row] = bad
    x[4999] = np.nan
    curve = np.full(5000, 100.0)
    curve[row] = bad
    for backend in (NATIVE, twins):
        with pytest.raises(ValueError, match=f"row {row}: returns: expected a finite return"):
            backend.return_statistics(x, False, 1.0, 2.0, 1.0, np.empty(22))
        with pytest.raises(ValueError, match=f"row {row}: equity: expected a finite value above 0"):
            backend.return_statistics(curve, True, 1.0, 2.0, 1.0, np.empty(22))
        with pytest.raises(ValueError, match=f"row {row}: returns"):
            backend.bootstrap_paths(x, 2, 1, 1, 0.0, 0.0, 1.0, 1.0, np.empty(1), np.empty(1), np.empty(0))


@pytest.mark.parametrize(("steps", "paths"), [(1, 1), (63, 3), (64, 8), (65, 9), (300, 33)])
@pytest.mark.parametrize("restart", [1, 2**32 // 7, 2**32])
def test_paths_are_the_same_bits(steps: int, paths: int, restart: int, instruction_set: str) -> None:
    x = np.random.default_rng(5).standard_t(4, 97) * 0.01
    x[::7] = 0.0
    ranks = ((steps - 1) * 0.05, (steps - 1) * 0.95, round(steps * 0.05, 9))
    for sums in (0, paths * 10):
        found = []
        for backend in (NATIVE, twins):
            out = [np.full(paths, -7.0), np.full(paths, -7.0), np.full(sums, -7.0)]
            backend.bootstrap_paths(x, steps, restart, 2**64 - 3, 0.001, *ranks, *out)
            found.append(out)
        for a, b in zip(*found, strict=True):
            np.testing.assert_array_equal(a, b)
