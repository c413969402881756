"""Sweeps say what is wrong with their arguments, and number combinations as a product of their axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from actors.domain import kernels
from actors.domain.errors import KernelError

CLOSE = 100.0 + 10.0 * np.sin(np.arange(400) / 7.0)


def ma_cross(**changes: Any) -> np.ndarray:
    arguments: dict[str, Any] = {
        "open_": CLOSE, "close": CLOSE, "fast_windows_bars": [2, 5], "slow_windows_bars": [5, 9],
    }  # fmt: skip
    return kernels.sweep_ma_cross(**(arguments | changes))


def test_combinations_are_numbered_like_a_product() -> None:
    got = ma_cross(
        fast_windows_bars=range(2, 12, 3), slow_windows_bars=np.array([5, 9]), bands_frac=[0.0, 0.01]
    )
    pairs = [(2, 5), (2, 9), (5, 9), (8, 9)]
    assert len(got) == 2 * len(pairs)
    for k, (fast, slow) in enumerate(pairs):
        for b, band in enumerate((0.0, 0.01)):
            run = kernels.ma_cross_backtest(CLOSE, CLOSE, fast, slow, band_frac=band)
            assert got[2 * k + b]["final_equity"] == run.final_equity


def test_a_record_is_72_bytes() -> None:
    assert ma_cross().itemsize == 72


def test_a_read_only_and_a_strided_column_will_do() -> None:
    frozen = CLOSE.copy()
    frozen.setflags(write=False)
    wide = np.repeat(CLOSE, 2)[::2]
    assert ma_cross(open_=frozen, close=wide).tobytes() == ma_cross().tobytes()


def test_undefined_is_nan() -> None:
    """A flat market has no trades and no ratios."""
    flat = np.full(100, 5.0)
    record = ma_cross(open_=flat, close=flat)[0]
    assert record["trades"] == 0
    assert np.isnan(record["sharpe"])
    assert np.isnan(record["sortino"])
    assert record["final_equity"] == 10_000.0


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"fast_windows_bars": []}, "KERNEL_AXIS", "fast_windows_bars"),
        ({"fast_windows_bars": [5, 2]}, "KERNEL_AXIS", "increasing"),
        ({"slow_windows_bars": [5, 5]}, "KERNEL_AXIS", "increasing"),
        ({"slow_windows_bars": {5, 9}}, "KERNEL_AXIS", "sequence"),
        ({"slow_windows_bars": 5}, "KERNEL_AXIS", "sequence"),
        ({"slow_windows_bars": [1, 9]}, "KERNEL_WINDOW_RANGE", "from 2"),
        ({"fast_windows_bars": [2.5]}, "KERNEL_WINDOW_RANGE", "2.5"),
        ({"bands_frac": [-0.1]}, "KERNEL_PARAM_RANGE", "bands_frac"),
        ({"fast_windows_bars": [9], "slow_windows_bars": [5]}, "SWEEP_COMBINATIONS", "order of windows"),
        ({"threads": 0}, "KERNEL_PARAM_RANGE", "threads"),
        ({"threads": True}, "KERNEL_PARAM_RANGE", "threads"),
        ({"fee_frac": 0.7}, "KERNEL_PARAM_RANGE", "fee_frac"),
        ({"cash_quote": 0.0}, "KERNEL_PARAM_RANGE", "cash_quote"),
        ({"open_": CLOSE[:-1]}, "KERNEL_LENGTHS_DIFFER", "400 bars"),
        ({"open_": CLOSE[:0], "close": CLOSE[:0]}, "KERNEL_NO_BARS", "at least one"),
        ({"close": CLOSE.astype(np.float32)}, "KERNEL_INPUT_TYPE", "float64"),
        ({"close": np.where(np.arange(400) == 7, -1.0, CLOSE)}, "BACKTEST_ROW_INVALID", "row 7: close"),
        ({"open_": np.where(np.arange(400) == 9, np.nan, CLOSE)}, "BACKTEST_ROW_INVALID", "row 9: open"),
    ],
)
def test_unfit_arguments_are_told(changes: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(KernelError, match=words) as e:
        ma_cross(**changes)
    assert e.value.code == code


def test_other_families_check_their_axes() -> None:
    with pytest.raises(KernelError, match="oversold: expected a number from 0 to 50"):
        kernels.sweep_rsi(CLOSE, CLOSE, [5], [60.0])
    with pytest.raises(KernelError, match="widths: expected a number"):
        kernels.sweep_bollinger(CLOSE, CLOSE, [5], [0.0])
    with pytest.raises(KernelError, match="found 0"):
        kernels.sweep_donchian(CLOSE, CLOSE, CLOSE, CLOSE, [5], [6])
    with pytest.raises(KernelError, match="found 0"):
        kernels.sweep_momentum(CLOSE, CLOSE, [5], [5], [9])
