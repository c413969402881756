"""The border: what a kernel takes, what it refuses, and where it writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from actors.domain import kernels
from actors.domain.errors import KernelError

X = np.linspace(1.0, 2.0, 60)
ONE = {
    "sma": lambda x, **k: kernels.sma(x, 5, **k),
    "ema": lambda x, **k: kernels.ema(x, 5, **k),
    "rsi": lambda x, **k: kernels.rsi(x, 5, **k),
    "rolling_std": lambda x, **k: kernels.rolling_std(x, 5, **k),
    "atr": lambda x, **k: kernels.atr(x, x, x, 5, **k),
}
MANY: dict[str, tuple[int, Callable[..., Any]]] = {
    "macd": (3, lambda x, **k: kernels.macd(x, 3, 5, 2, **k)),
    "bollinger": (3, lambda x, **k: kernels.bollinger(x, 5, **k)),
    "adx": (3, lambda x, **k: kernels.adx(x, x, x, 5, **k)),
    "fused": (9, lambda x, **k: kernels.fused_features(x, x, x, **k)),
}
ALL = list(ONE.values()) + [f for _, f in MANY.values()]


@pytest.mark.parametrize("call", ALL)
@pytest.mark.parametrize(
    "x", [X.astype(np.float32), X.astype(int), X.reshape(6, 10), X.tolist(), np.float64(3.0)]
)
def test_other_inputs_are_refused(call: Callable[..., Any], x: Any) -> None:
    with pytest.raises(KernelError) as e:
        call(x)
    assert e.value.code == "KERNEL_INPUT_TYPE"


@pytest.mark.parametrize("call", ALL)
def test_read_only_and_strided_inputs_are_taken(call: Callable[..., Any]) -> None:
    expected = np.array(call(X))
    locked = X.copy()
    locked.flags.writeable = False
    np.testing.assert_array_equal(np.array(call(locked)), expected)
    wide = np.repeat(X, 2)
    np.testing.assert_array_equal(np.array(call(wide[::2])), expected)
    np.testing.assert_array_equal(np.array(call(np.ascontiguousarray(X[::-1])[::-1])), expected)


@pytest.mark.parametrize("call", ONE.values(), ids=list(ONE))
def test_a_buffer_is_filled_and_returned(call: Callable[..., Any]) -> None:
    out = np.full(60, 7.0)
    assert call(X, out=out) is out
    np.testing.assert_array_equal(out, call(X))


@pytest.mark.parametrize("name", list(MANY))
def test_buffers_are_filled_and_returned(name: str) -> None:
    count, call = MANY[name]
    out = [np.full(60, 7.0) for _ in range(count)]
    lines = call(X, out=out)
    assert all(a is b for a, b in zip(lines, out, strict=True))
    np.testing.assert_array_equal(np.array(out), np.array(call(X)))
    np.testing.assert_array_equal(np.array(call(X, out=np.empty((count, 60)))), np.array(out))
    with pytest.raises(KernelError):
        call(X, out=out[:-1])
    with pytest.raises(KernelError) as e:
        call(X, out=[out[0]] * count)
    assert e.value.code == "KERNEL_BUFFER_OVERLAP"


@pytest.mark.parametrize("call", ONE.values(), ids=list(ONE))
@pytest.mark.parametrize(
    "out", [np.empty(59), np.empty(60, np.float32), np.empty(120)[::2], np.empty((60, 1)), [0.0] * 60]
)
def test_unfit_buffers_are_refused(call: Callable[..., Any], out: Any) -> None:
    with pytest.raises(KernelError) as e:
        call(X, out=out)
    assert e.value.code == "KERNEL_BUFFER"


@pytest.mark.parametrize("call", ONE.values(), ids=list(ONE))
def test_a_buffer_must_not_be_the_input_or_locked(call: Callable[..., Any]) -> None:
    x = X.copy()
    with pytest.raises(KernelError) as e:
        call(x, out=x)
    assert e.value.code == "KERNEL_BUFFER_OVERLAP"
    out = np.empty(60)
    out.flags.writeable = False
    with pytest.raises(KernelError):
        call(X, out=out)


@pytest.mark.parametrize("window", [0, -1, 2.0, True, None, "5", 2**40])
def test_bad_windows_are_refused(window: Any) -> None:
    for call in (kernels.sma, kernels.ema, kernels.rsi, kernels.rolling_std, kernels.bollinger):
        with pytest.raises(KernelError) as e:
            call(X, window)
        assert e.value.code == "KERNEL_WINDOW_RANGE"
    for stream in (
        kernels.sma_stream,
        kernels.ema_stream,
        kernels.rsi_stream,
        kernels.atr_stream,
        kernels.adx_stream,
    ):
        with pytest.raises(KernelError):
            stream(window)


@pytest.mark.parametrize("k", [0.0, -1.0, float("nan"), float("inf"), True, "2"])
def test_a_bad_band_width_is_refused(k: Any) -> None:
    with pytest.raises(KernelError) as e:
        kernels.bollinger(X, 5, k)
    assert e.value.code == "KERNEL_PARAM_RANGE"


def test_lengths_and_spans_must_fit() -> None:
    with pytest.raises(KernelError) as e:
        kernels.atr(X, X[:-1], X, 5)
    assert e.value.code == "KERNEL_LENGTHS_DIFFER"
    with pytest.raises(KernelError) as e:
        kernels.macd(X, 26, 12, 9)
    assert e.value.code == "KERNEL_WINDOW_ORDER"
    with pytest.raises(KernelError):
        kernels.fused_features(X, X, X, kernels.FusedWindows(macd_fast=30))
    with pytest.raises(KernelError):
        kernels.indicator_set(kernels.SetWindows(range=1))


def test_no_bars_give_no_values() -> None:
    empty = np.empty(0)
    assert all(np.size(np.array(call(empty))) == 0 for call in ALL)
    assert np.array(kernels.macd(empty, out=np.empty((3, 0)))).shape == (3, 0)


def test_the_set_reuses_its_row() -> None:
    s = kernels.indicator_set()
    first = s.update(1.0, 1.5, 0.5, 1.0, 7.0)
    assert s.update(1.0, 1.5, 0.5, 1.1, 7.0) is first
    assert len(first) == len(kernels.SET_COLUMNS)
