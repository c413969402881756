"""``advance`` and the attributes give what ``update`` gives, to the bit, on native and twin."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from actors.domain.kernels import twins

BACKENDS: list[Any] = [twins]
if importlib.util.find_spec("_tradecore"):
    BACKENDS.append(importlib.import_module("_tradecore"))


@dataclass(frozen=True)
class Case:
    cls: str
    params: tuple[Any, ...]
    columns: str
    lines: tuple[str, ...]

    def bars(self) -> list[tuple[float, ...]]:
        rng = np.random.default_rng(5)
        c = 30_000.0 * np.exp(np.cumsum(rng.standard_t(5, 400) * 0.002))
        c[150:190], c[330] = c[150], np.nan
        o = np.concatenate([c[:1], c[:-1]])
        columns = {"o": o, "h": np.maximum(o, c) * 1.0007, "l": np.minimum(o, c) * 0.9991, "c": c}
        return list(zip(*(columns[k].tolist() for k in self.columns), strict=True))


CASES = [
    Case("Macd", (5, 11, 4), "c", ("line", "signal", "histogram")),
    Case("Bollinger", (20, 2.0), "c", ("upper", "middle", "lower")),
    Case("Adx", (14,), "hlc", ("adx", "plus_di", "minus_di")),
    Case("Keltner", (20, 10, 2.0), "hlc", ("upper", "middle", "lower")),
    Case("StochRsi", (14, 14, 3, 3), "c", ("k", "d")),
    Case("Donchian", (20,), "hl", ("upper", "lower", "middle")),
    Case("HeikinAshi", (), "ohlc", ("open", "high", "low", "close")),
]
every = pytest.mark.parametrize("case", CASES, ids=lambda c: c.cls)
each = pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: b.__name__)


def lines(stream: Any, case: Case) -> tuple[float, ...]:
    return tuple(getattr(stream, name) for name in case.lines)


@every
def test_advance_and_attributes_equal_update_to_the_bit(case: Case) -> None:
    bars, reference = case.bars(), case_stream(twins, case)
    expected = np.array([reference.update(*bar) for bar in bars])
    assert np.isfinite(expected).all(axis=1).sum() > 200
    for backend in BACKENDS:
        advanced, updated = case_stream(backend, case), case_stream(backend, case)
        for i, bar in enumerate(bars):
            first, whole = advanced.advance(*bar), updated.update(*bar)
            np.testing.assert_array_equal((first, *lines(advanced, case)), (whole[0], *whole))
            np.testing.assert_array_equal(lines(updated, case), whole)
            np.testing.assert_array_equal(whole, expected[i])
            if i % 50 == 0:
                assert advanced.snapshot() == updated.snapshot()
                advanced.restore(advanced.snapshot())
                assert np.isnan(lines(advanced, case)).all()


@every
@each
def test_what_was_handed_out_never_changes(case: Case, backend: Any) -> None:
    """A tuple is used again only when nobody holds it: kept ones, and values taken out of dropped ones, stay."""
    bars = case.bars()
    expected = [case_values(case, n) for n in (60, 61, 120)]
    stream = case_stream(backend, case)
    for bar in bars[:59]:
        stream.update(*bar)
    kept = stream.update(*bars[59])
    also = stream.update(*bars[60])
    for bar in bars[61:119]:
        stream.update(*bar)
    every_float = list(stream.update(*bars[119]))
    for bar in bars[120:]:
        stream.update(*bar)
    assert (kept, also, tuple(every_float)) == tuple(expected)


@every
@each
def test_numbers_of_any_type_are_taken(case: Case, backend: Any) -> None:
    """Exact floats are read where they lie, everything else is asked for its float."""

    class Odd(float):
        pass

    class Asked:
        def __init__(self, x: float) -> None:
            self.x = x

        def __float__(self) -> float:
            return self.x

    makers: list[Callable[[float], Any]] = [int, np.float64, Odd]
    if backend is not twins:  # a twin computes with what it is given
        makers += [np.float32, Asked]
    for make in makers:
        plain, other = case_stream(backend, case), case_stream(backend, case)
        for bar in case.bars()[:80]:
            whole = [float(int(x)) for x in bar]
            np.testing.assert_array_equal(other.update(*map(make, whole)), plain.update(*whole))


@every
@each
def test_lines_are_nan_before_a_bar_and_in_a_copy_and_read_only(case: Case, backend: Any) -> None:
    stream = case_stream(backend, case)
    assert np.isnan(lines(stream, case)).all()
    for bar in case.bars()[:60]:
        stream.advance(*bar)
    assert np.isfinite(lines(stream, case)).all()
    assert np.isnan(lines(type(stream).from_snapshot(stream.snapshot()), case)).all()
    with pytest.raises(AttributeError):
        setattr(stream, case.lines[-1], 1.0)


@every
@each
def test_wrong_arguments_are_refused_and_leave_the_state_alone(case: Case, backend: Any) -> None:
    stream = case_stream(backend, case)
    bar = case.bars()[0]
    stream.update(*bar)
    before = stream.snapshot()
    for method in (stream.update, stream.advance):
        with pytest.raises(TypeError):
            method()
        with pytest.raises(TypeError):
            method(*bar, 1.0)
    if backend is not twins:  # a twin finds a number that is none somewhere inside the step
        for method in (stream.update, stream.advance):
            with pytest.raises(TypeError):
                method(*bar[:-1], "1")
    assert stream.snapshot() == before


def case_values(case: Case, bars: int) -> tuple[float, ...]:
    """What the twin says after so many bars."""
    stream = case_stream(twins, case)
    out = [stream.update(*bar) for bar in case.bars()[:bars]]
    return tuple(out[-1])


def case_stream(backend: Any, case: Case) -> Any:
    return getattr(backend, case.cls)(*case.params)
