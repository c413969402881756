"""Every strategy on drawn bars: flat stretches, bars without range or volume, jumps, few bars."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain import registry
from actors.domain.params import search_space
from actors.domain.strategies.base import MarketColumns
from actors.domain.strategies.rows import streamed

PACKAGE = "actors.domain.strategies"
KINDS = registry.kinds(PACKAGE)


@st.composite
def columns(draw: st.DrawFn) -> MarketColumns:
    """Up to 200 bars on a coarse grid of prices, so that ties and bars without range are common."""
    n = draw(st.integers(0, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.sampled_from([0.0, 0.4, 1.5, 6.0]))
    tick = draw(st.sampled_from([1.0, 0.25, 0.01]))
    path = np.maximum(100.0 + np.cumsum(rng.normal(0.0, size, n + 1)), 5.0)
    path = np.round(path / tick) * tick
    first, close = path[:-1], path[1:]
    up, down = np.round(rng.exponential(size, (2, n)) / tick) * tick
    return MarketColumns(
        first, np.maximum(first, close) + up, np.maximum(np.minimum(first, close) - down, tick), close,
        rng.integers(0, 4, n).astype(np.float64), rng.integers(-1, 6, n).astype(np.int8),
        np.round(rng.random(n), 1), {"a": np.where(rng.random(n) < 0.3, np.nan, rng.random(n)), "b": rng.random(n)},
    )  # fmt: skip


def _drawn_params(kind: str, data: st.DataObject) -> dict[str, object]:
    """Some parameters from the small end of their ranges, so that warm-ups are short; others stay as they are."""
    out: dict[str, object] = {}
    model = registry.params_of(registry.load(PACKAGE, kind))
    for name, found in search_space(model).items():
        if not data.draw(st.booleans(), label=f"{name}?"):
            continue
        if found.kind == "choice":
            value: object = data.draw(st.sampled_from(found.choices), label=name)
        elif found.kind == "int":
            value = data.draw(st.integers(int(found.low), int(found.high)), label=name)
        else:
            value = data.draw(st.floats(found.low, found.high), label=name)
        try:
            model(**out, **{name: value})
        except ValueError:
            continue  # would break the order of two parameters
        out[name] = value
    return out


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(bars=columns(), data=st.data())
def test_batch_is_update_to_the_bit_and_within_bounds(
    kind: str, bars: MarketColumns, data: st.DataObject
) -> None:
    params = _drawn_params(kind, data)
    made = registry.build(PACKAGE, kind, params)
    direction, confidence = streamed(registry.build(PACKAGE, kind, params), bars)
    batch = made.batch(bars)
    assert batch[0].tobytes() == direction.tobytes()
    assert batch[1].tobytes() == confidence.tobytes()
    assert (np.abs(direction) <= 1.0).all()
    assert ((confidence >= 0.0) & (confidence <= 1.0)).all()
    assert not direction[: made.warmup_bars].any()
    assert not confidence[: made.warmup_bars].any()
