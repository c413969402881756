"""Twin of the sweeps: every combination on its own, by the twin of the single backtest; shares only indicators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import inf, nan, sqrt
from struct import pack

import numpy as np
from numpy.typing import NDArray

from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins.backtest import signal_backtest
from actors.domain.kernels.twins.bollinger import bollinger
from actors.domain.kernels.twins.donchian import donchian
from actors.domain.kernels.twins.ema import ema
from actors.domain.kernels.twins.rsi import rsi
from actors.domain.kernels.twins.sma import sma

Terms = tuple[float, float, float, float, bool]
Words = NDArray[np.uint64]
Flags = NDArray[np.bool_]
Ints = Sequence[int]
Floats = Sequence[float]
MIDDLE = 50.0


def sweep_ma_cross(
    open_: FloatArray,
    close: FloatArray,
    fast: Ints,
    slow: Ints,
    bands: Floats,
    terms: Terms,
    threads: int,
    out: Words,
    /,
) -> None:
    """Write the records of every crossover into `out`."""
    lines = {w: _line(sma, close, w) for w in sorted({*fast, *slow})}

    def signals() -> Iterator[FloatArray]:
        for f in fast:
            for s in (s for s in slow if s > f):
                gap = (lines[f] - lines[s]) / lines[s]
                for band in bands:
                    up, down = (gap > band) & (gap < inf), (gap < -band) & (gap > -inf)
                    yield up.astype(np.float64) - down

    _keep(open_, close, signals(), terms, out)


def sweep_rsi(
    open_: FloatArray,
    close: FloatArray,
    windows: Ints,
    oversold: Floats,
    overbought: Floats,
    terms: Terms,
    threads: int,
    out: Words,
    /,
) -> None:
    """Write the records of every reversal of the relative strength index into `out`."""

    def signals() -> Iterator[FloatArray]:
        for w in windows:
            x = _line(rsi, close, w)
            for low in oversold:
                for high in overbought:
                    yield _held(x < low, x >= MIDDLE, x > high, x <= MIDDLE, ~np.isnan(x))

    _keep(open_, close, signals(), terms, out)


def sweep_bollinger(
    open_: FloatArray,
    close: FloatArray,
    windows: Ints,
    widths: Floats,
    reversal: bool,
    terms: Terms,
    threads: int,
    out: Words,
    /,
) -> None:
    """Write the records of every pair of bands into `out`."""

    def signals() -> Iterator[FloatArray]:
        for w in windows:
            for k in widths:
                upper, middle, lower = (np.empty(close.shape[0]) for _ in range(3))
                bollinger(close, w, k, upper, middle, lower)
                side = _held(
                    close > upper, close <= middle, close < lower, close >= middle, upper - middle > 0.0
                )
                yield -side if reversal else side

    _keep(open_, close, signals(), terms, out)


def sweep_donchian(
    open_: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    entry: Ints,
    leave: Ints,
    terms: Terms,
    threads: int,
    out: Words,
    /,
) -> None:
    """Write the records of every pair of channels into `out`."""

    def before(window: int) -> tuple[FloatArray, FloatArray]:
        upper, lower, middle = (np.empty(close.shape[0]) for _ in range(3))
        donchian(high, low, window, upper, lower, middle)
        return _shifted(upper, 1), _shifted(lower, 1)

    channels = {w: before(w) for w in sorted({*entry, *leave})}

    def signals() -> Iterator[FloatArray]:
        for e in entry:
            upper, lower = channels[e]
            for x in (x for x in leave if x <= e):
                out_upper, out_lower = channels[x]
                yield _held(
                    close > upper, close < out_lower, close < lower, close > out_upper, upper - lower > 0.0
                )

    _keep(open_, close, signals(), terms, out)


def sweep_momentum(
    open_: FloatArray,
    close: FloatArray,
    spans: tuple[Ints, Ints, Ints, Ints],
    terms: Terms,
    threads: int,
    out: Words,
    /,
) -> None:
    """Write the records of every vote of three past returns into `out`."""
    bars = close.shape[0]
    votes = {s: np.sign(close - _shifted(close, s)) for axis in spans[:3] for s in axis}
    moves = close[1:] / close[:-1] - 1.0

    def calm(span: int) -> Flags:
        variance = np.full(bars, nan)
        if bars > 2:
            variance[2:] = _line(ema, moves * moves, span)[:-1]
        return variance > 0.0

    def signals() -> Iterator[FloatArray]:
        short, middle, long, volatility = spans
        for s in short:
            for m in (m for m in middle if m > s):
                for x in (x for x in long if x > m):
                    total = np.nan_to_num(votes[s]) + np.nan_to_num(votes[m]) + np.nan_to_num(votes[x])
                    for v in volatility:
                        yield np.where(calm(v) & ~np.isnan(votes[x]), total, 0.0)

    _keep(open_, close, signals(), terms, out)


def _line(kernel: object, x: FloatArray, window: int) -> FloatArray:
    out = np.empty(x.shape[0])
    kernel(x, window, out)  # type: ignore[operator]
    return out


def _shifted(x: FloatArray, bars: int) -> FloatArray:
    out = np.full(x.shape[0], nan)
    out[bars:] = x[: max(x.shape[0] - bars, 0)]
    return out


def _held(
    enter_long: Flags, leave_long: Flags, enter_short: Flags, leave_short: Flags, live: Flags
) -> FloatArray:
    """Return the side held, bar by bar."""
    out = np.zeros(live.shape[0])
    side = 0.0
    rows = zip(*(x.tolist() for x in (enter_long, leave_long, enter_short, leave_short, live)), strict=True)
    for i, (long_in, long_out, short_in, short_out, speaks) in enumerate(rows):
        if long_in:
            side = 1.0
        elif short_in:
            side = -1.0
        elif (side > 0.0 and long_out) or (side < 0.0 and short_out):
            side = 0.0
        out[i] = side if speaks else 0.0
    return out


def _keep(
    open_: FloatArray, close: FloatArray, signals: Iterable[FloatArray], terms: Terms, out: Words
) -> None:
    equity = np.empty(close.shape[0])
    for k, signal in enumerate(signals):
        totals, trades = signal_backtest(open_, close, signal, *terms, equity)
        out[9 * k : 9 * (k + 1)] = np.frombuffer(_record(totals, trades, equity), dtype=np.uint64)


def _record(totals: tuple[float, float, float, float, int, int], trades: Words, equity: FloatArray) -> bytes:
    final, worst, fees, _, exposed, ruined = totals
    rows = trades.reshape(-1, 10)
    closed = rows[rows[:, 1].view(np.int64) >= 0]
    results = closed[:, 8].copy().view(np.float64).tolist()
    gain = sum((r for r in results if r > 0.0), start=0.0)
    loss = sum((-r for r in results if r < 0.0), start=0.0)
    wins = sum(r > 0.0 for r in results)
    sharpe, sortino = _ratios(equity) if ruined < 0 else (nan, nan)
    counts = (len(results), wins, exposed, ruined)
    return pack("<7d3Ii", final, sharpe, sortino, worst, fees, gain, loss, *counts)


def _ratios(equity: FloatArray) -> tuple[float, float]:
    returns = equity[1:] / equity[:-1] - 1.0
    n = returns.shape[0]
    if not n:
        return nan, nan
    mean = float(returns.mean())
    deviation = sqrt(float(((returns - mean) ** 2).sum()) / (n - 1)) if n > 1 else 0.0
    downside = sqrt(float((np.minimum(returns, 0.0) ** 2).sum()) / n)
    return mean / deviation if deviation else nan, mean / downside if downside else nan
