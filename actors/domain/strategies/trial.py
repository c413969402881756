"""Trial of a strategy: what it must keep to be believed, tried on bars; for tests of a user's own strategies.

``faults(lambda: MyStrategy(MyStrategy.Params()))`` is empty, or names the first bar of each fault.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain import state
from actors.domain.errors import SnapshotError
from actors.domain.strategies.base import Columns, FloatArray, Market, MarketColumns, Strategy
from actors.domain.strategies.rows import market_rows, streamed

Make = Callable[[], Strategy]
_PLAIN = (bool, int, float, str, tuple, list, dict, type(None))


def sample_bars(bars: int = 600, seed: int = 7) -> MarketColumns:
    """Return a made-up market with trends, a flat stretch and a crash; regime and predictions included.

    Parameters
    ----------
    bars : int
    seed : int
        The same bars for the same seed.

    Examples
    --------
    >>> len(sample_bars(50).close), bool((sample_bars(50).low > 0.0).all())
    (50, True)
    """
    rng = np.random.default_rng(seed)
    moves = 0.01 * rng.standard_t(4, size=bars) + 0.004 * np.sin(np.arange(bars) / 30.0)
    moves[bars // 3 : bars // 3 + bars // 20] = 0.0
    moves[2 * bars // 3 : 2 * bars // 3 + 3] = -0.08
    close = 100.0 * np.exp(np.cumsum(np.clip(moves, -0.2, 0.2)))
    first = np.concatenate((close[:1], close[:-1]))
    reach = np.abs(0.004 * rng.standard_normal(bars)) * close
    return MarketColumns(
        first, np.maximum(first, close) + reach, np.maximum(np.minimum(first, close) - reach, 0.5 * close), close,
        rng.gamma(2.0, 50.0, size=bars), (np.arange(bars) // 40 % 6).astype(np.int8), rng.uniform(0.2, 1.0, bars),
        {"forest": np.where(np.arange(bars) < 30, np.nan, rng.uniform(0.3, 0.7, bars))},
    )  # fmt: skip


def opinions(strategy: Strategy, columns: Columns) -> tuple[list[float], list[float]]:
    """Return directions and confidences of a strategy, bar by bar.

    Parameters
    ----------
    strategy : Strategy
        As built: its memory is changed.
    columns : Columns
        A `BarFrame`, or `columns_of`.
    """
    direction, confidence = streamed(strategy, columns)
    return direction.tolist(), confidence.tolist()


def columns_of(
    close: Sequence[float],
    high: Sequence[float] | None = None,
    low: Sequence[float] | None = None,
    open: Sequence[float] | None = None,  # noqa: A002 - the column's name
    volume: Sequence[float] | None = None,
) -> MarketColumns:
    """Return a few bars written by hand; what is not given is the close, and a volume of 1."""
    c = np.asarray(close, dtype=np.float64)
    o, h, low_, v = (
        x if given is None else np.asarray(given, dtype=np.float64)
        for given, x in ((open, c), (high, c), (low, c), (volume, np.ones(len(c))))
    )
    return MarketColumns(o, h, low_, c, v)


def faults(make: Make, columns: Columns | None = None) -> list[str]:
    """Return what a strategy breaks of its contract on these bars; [] if nothing.

    Parameters
    ----------
    make : callable
        Builds a fresh instance.
    columns : Columns, optional
        Default: `sample_bars`. At least 20 bars more than the warm-up.

    Notes
    -----
    Tried are: numbers within their bounds; flat during the declared warm-up; the same again from a second
    instance; the same past before another future; the same future after a restore, with nothing left out of the
    state; and a batch form that equals the streaming one to the bit and needs no future either.
    """
    known = MarketColumns.of(sample_bars() if columns is None else columns)
    rows = list(market_rows(known))
    said = _run(make(), rows)
    cut = len(rows) // 2
    other = _with_future(known, cut)
    out = [*_bounds(said, make().warmup_bars)]
    if not said.any():
        out.append(f"it says nothing in {len(rows)} bars, so nothing was tried: give bars on which it speaks")
    out += _parted("a second instance", said, _run(make(), rows))
    out += _parted("another future", said[:, :cut], _run(make(), list(market_rows(other)))[:, :cut])
    out += _restored(make, rows, cut, said)
    if make().has_batch:
        batch = np.array(make().batch(known))
        if batch.shape != said.shape:
            return [*out, f"batch: expected two columns of {len(rows)} rows, found shape {batch.shape}"]
        out += _parted("the batch form", said, batch)
        out += _parted(
            "the batch form over another future", batch[:, :cut], np.array(make().batch(other))[:, :cut]
        )
    return out


def _run(strategy: Strategy, rows: Sequence[Market]) -> FloatArray:
    said = [strategy.update(m) for m in rows]
    return np.array([[o.direction for o in said], [o.confidence for o in said]], dtype=np.float64)


def _bounds(said: FloatArray, warmup: int) -> list[str]:
    bad = ~((np.abs(said[0]) <= 1.0) & (said[1] >= 0.0) & (said[1] <= 1.0))
    early = (said[:, :warmup] != 0.0).any(axis=0)
    return [
        *_first(bad, "direction or confidence is out of bounds or undefined"),
        *_first(early, f"it speaks, though {warmup} bars of warm-up are declared"),
    ]


def _parted(what: str, one: FloatArray, two: FloatArray) -> list[str]:
    same = (one.view(np.int64) == two.view(np.int64)) | (one == two) & (np.signbit(one) == np.signbit(two))
    return _first(~same.all(axis=0), f"{what} says something else")


def _first(wrong: NDArray[np.bool_], what: str) -> list[str]:
    return [f"bar {int(np.argmax(wrong))}: {what}"] if wrong.any() else []


def _restored(make: Make, rows: Sequence[Market], cut: int, said: FloatArray) -> list[str]:
    one, two = make(), make()
    _run(one, rows[:cut])
    try:
        two.load_state(state.loads(state.dumps(one.state()), allow_opaque=True))
    except SnapshotError as e:
        return [f"bar {cut}: its state cannot be kept: {e.message}"]
    lost = [
        name for name, value in vars(one).items()
        if isinstance(value, _PLAIN) and repr(value) != repr(vars(two).get(name)) and not _holds_parts(value)
    ]  # fmt: skip
    out = [
        f"bar {cut}: attribute {name} is not restored: name it in STATE, or declare it as Memory"
        for name in lost
    ]
    after = _run(two, rows[cut:])
    faults = _parted("after a restore it", said[:, cut:], after)
    return out + [f"{x} (counted from bar {cut})" for x in faults]


def _holds_parts(value: Any) -> bool:
    """Tell a container of objects, which restore themselves, from plain values."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return any(not isinstance(x, _PLAIN) for x in items)


def _with_future(known: MarketColumns, cut: int) -> MarketColumns:
    """Return the same bars up to `cut`, then the rest backwards and three times as dear."""

    def turned(x: Any, factor: float = 1.0) -> Any:
        return np.concatenate((x[:cut], (x[cut:][::-1] * factor).astype(x.dtype)))

    o, h, low, c = (turned(x, 3.0) for x in (known.open, known.high, known.low, known.close))
    return MarketColumns(
        o, h, low, c, turned(known.volume, 0.5), turned(known.regime), turned(known.regime_confidence),
        {name: turned(x) for name, x in known.predictions.items()},
    )  # fmt: skip
