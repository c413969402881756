"""Statistics of returns and the stationary bootstrap in NumPy; order of operations as in the native kernels.

Sources: Pébay (2008) for merging moments, Politis & Romano (1994) for the bootstrap, Blackman & Vigna (2021) for the
generator and Steele, Lea & Flood (2014) for its seeding.
"""

from __future__ import annotations

import math
import sys
from typing import Final

import numpy as np

from actors.domain.kernels._checks import FloatArray

BLOCK: Final = 2048
PART: Final = 512
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S32 = (np.uint64(s) for s in (27, 30, 31, 32))
_ONE, _ZERO = np.uint64(1), np.uint64(0)
_REACH: Final = 2.0**256
SUMS: Final = 6
PATH_FIGURES: Final = SUMS + 4
_COUNTED: Final = 8_000_000
"""Counters of drawn returns that are kept at once."""


def return_statistics(
    x: FloatArray, curve: bool, low: float, high: float, mass: float, out: FloatArray, /
) -> None:
    """Write the 22 figures of a sample of returns, or of those of an equity curve."""
    with np.errstate(all="ignore"):
        _statistics(x, curve, low, high, mass, out)


def _statistics(x: FloatArray, curve: bool, low: float, high: float, mass: float, out: FloatArray) -> None:
    if out.shape[0] != 22:
        raise ValueError("expected room for 22 figures")
    n = x.shape[0] - 1 if curve else x.shape[0]
    if n < 1:
        raise ValueError("parameter out of range: statistics need at least one return")
    if not (0.0 <= low <= n - 1 and 0.0 <= high <= n - 1 and 0.0 < mass <= n):
        raise ValueError("parameter out of range: the tails must lie within the sample")
    _rows_ok(x, curve)
    r = x[1:] / x[:-1] - 1.0 if curve else x
    moments = (0.0, 0.0, 0.0, 0.0, 0.0)
    gains = lost = down = ulcer = deepest = exponent = 0.0
    value = peak = float(x[0]) if curve else 1.0
    start = value
    under = np.empty(n, dtype=bool)
    for at in range(0, n, BLOCK):
        b = r[at : at + BLOCK]
        m = b.shape[0]
        total = _fold(b)
        up, fall = np.maximum(b, 0.0), np.minimum(b, 0.0)
        gains += _fold(up)
        lost += _fold(fall)
        down += _fold(fall * fall)
        mean = total / m
        d = b - mean
        d2 = d * d
        moments = _merge(moments, (float(m), mean, _fold(d2), _fold(d2 * d), _fold(d2 * d2)))
        if curve:
            v = x[at + 1 : at + 1 + m]
        else:
            factor, more = _scale(value)
            value, exponent = value * factor, exponent + more
            peak = min(peak * factor, sys.float_info.max)
            v = _grown(value, b)
        p = np.maximum(np.maximum.accumulate(v), peak)
        value, peak = float(v[-1]), float(p[-1])
        under[at : at + m] = v < p
        fell = 1.0 - v / p
        deepest = max(deepest, float(np.fmax.reduce(fell)))
        ulcer += _fold(fell * fell)
    out[:18] = (
        n, *moments[1:], gains, -lost, down, r.max(), r.min(), np.count_nonzero(r > 0.0),
        np.count_nonzero(r < 0.0), _longest(r < 0.0), value / start if curve else value, exponent, deepest,
        _longest(under), ulcer,
    )  # fmt: skip
    _tails(r, low, high, mass, out)


def _grown(value: float, r: FloatArray) -> FloatArray:
    """Return the equity after each return of a block, part by part."""
    out = np.empty_like(r)
    for at in range(0, r.shape[0], PART):
        product = np.multiply.accumulate(1.0 + r[at : at + PART])
        out[at : at + PART] = product * value
        value = float(out[at : at + PART][-1])
    return out


def _tails(r: FloatArray, low: float, high: float, mass: float, out: FloatArray) -> None:
    n = r.shape[0]
    first, last = math.floor(low), math.floor(high)
    edge = math.floor(mass) - (mass == math.floor(mass))
    wanted = (first, min(first + 1, n - 1), last, min(last + 1, n - 1), edge)
    order = np.partition(r, sorted(set(wanted)))
    a, b, c, d, boundary = (float(order[k]) for k in wanted)
    worse = r[r < boundary]
    total = _fold(worse) if worse.shape[0] else 0.0
    out[18] = a + (b - a) * (low - first)
    out[19] = c + (d - c) * (high - last)
    out[20] = -boundary
    out[21] = -(total + (mass - worse.shape[0]) * boundary) / mass


def _fold(x: FloatArray) -> float:
    """Sum in eight lanes, folded as the native kernel folds them."""
    m = x.shape[0]
    rows = np.zeros((-(-m // 8), 8))
    rows.reshape(-1)[:m] = x
    lanes = np.add.accumulate(rows, axis=0)[-1]
    a, b, c, d = (lanes[:4] + lanes[4:]).tolist()
    return float((a + b) + (c + d))


def _merge(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, float, float, float, float]:
    an, amean, am2, am3, am4 = a
    bn, bmean, bm2, bm3, bm4 = b
    if an == 0.0:
        return bn, bmean, bm2, bm3, bm4
    n, nab = an + bn, an * bn
    d = bmean - amean
    d2, f = d * d, d / n
    m2 = (am2 + bm2) + d2 * (nab / n)
    m3 = ((am3 + bm3) + d2 * f * (nab * (an - bn) / n)) + 3.0 * f * (an * bm2 - bn * am2)
    m4 = (
        ((am4 + bm4) + d2 * f * f * (nab * (an * an - nab + bn * bn) / n))
        + 6.0 * f * f * (an * an * bm2 + bn * bn * am2)
    ) + 4.0 * f * (an * bm3 - bn * am3)
    return n, amean + f * bn, m2, m3, m4


def _scale(value: float) -> tuple[float, float]:
    """Return the power of two that brings a value back within reach, and its exponent; 1 where it is."""
    if _REACH >= value >= 1.0 / _REACH or not value > 0.0 or math.isinf(value):
        return 1.0, 0.0
    exponent = math.frexp(value)[1] - 1
    return (math.ldexp(1.0, -exponent), float(exponent)) if -1022 <= exponent < 1023 else (1.0, 0.0)


def _longest(flags: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _rows_ok(x: FloatArray, curve: bool) -> None:
    bad = ~((x > 0.0) & (x < math.inf)) if curve else ~((x >= -1.0) & (x < math.inf))
    if bad.any():
        what = (
            "equity: expected a finite value above 0"
            if curve
            else "returns: expected a finite return of -1 or more"
        )
        raise ValueError(f"row {int(np.argmax(bad))}: {what}")


def bootstrap_paths(
    returns: FloatArray, steps: int, restart: int, seed: int, center: float, low: float, high: float, mass: float,
    growth: FloatArray, deepest: FloatArray, sums: FloatArray, /,
) -> None:  # fmt: skip
    """Resample paths from `returns` by the stationary bootstrap; all paths take a step together."""
    paths, n = growth.shape[0], returns.shape[0]
    if deepest.shape[0] != paths or sums.shape[0] not in (0, paths * PATH_FIGURES):
        raise ValueError("arrays of unequal length")
    if not 1 <= n < 1 << 32:
        raise ValueError("parameter out of range: a bootstrap needs from 1 to 2^32 - 1 returns")
    if steps < 1 or not 1 <= restart <= 1 << 32:
        raise ValueError(
            "parameter out of range: a path needs at least one step, and blocks a finite mean length of 1 or more"
        )
    if sums.shape[0] and not (0.0 <= low <= steps - 1 and 0.0 <= high <= steps - 1 and 0.0 < mass <= steps):
        raise ValueError("parameter out of range: the tails must lie within the sample")
    _rows_ok(returns, False)
    width = max(_COUNTED // n, 1) if sums.shape[0] else paths
    for first in range(0, paths, width):
        some = slice(first, min(first + width, paths))
        words = _generators(seed, some.start, some.stop)
        rows = sums.reshape(-1, PATH_FIGURES)[some] if sums.shape[0] else None
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            growth[some], deepest[some] = _paths(
                returns, steps, restart, words, center, (low, high, mass), rows
            )


def _paths(
    returns: FloatArray, steps: int, restart: int, words: list[np.ndarray], center: float,
    tails: tuple[float, float, float], rows: np.ndarray | None,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Return growth and deepest drawdown of paths, and write their figures where `rows` are given."""
    paths, n = words[0].shape[0], returns.shape[0]
    index = np.zeros(paths, dtype=np.uint64)
    value, peak, worst = np.ones(paths), np.ones(paths), np.ones(paths)
    totals, each = np.zeros((SUMS, paths)), np.arange(paths)
    counts = np.zeros((paths if rows is not None else 0, n), dtype=np.int64)
    size, threshold = np.uint64(n), np.uint64(restart)
    for t in range(steps):
        fresh = (_draw(words).astype(np.uint64) * size) >> _S32
        if t and restart < 1 << 32:
            following = index + _ONE
            following[following == size] = _ZERO
            index = np.where(_draw(words) < threshold, fresh, following)
        else:
            index = fresh
        at = index.astype(np.intp)
        r = returns[at]
        value = value * (r + 1.0)
        peak = np.where(value > peak, value, peak)
        kept = value / peak
        worst = np.where(kept < worst, kept, worst)
        if rows is not None:
            counts[each, at] += 1
            d, gain, loss, fell = r - center, np.maximum(r, 0.0), np.minimum(r, 0.0), 1.0 - kept
            totals += (d, d * d, loss * loss, gain, loss, fell * fell)
    if rows is not None:
        rows[:, :SUMS] = totals.T
        rows[:, SUMS] = counts[:, returns > 0.0].sum(axis=1)
        rows[:, SUMS + 1 :] = _path_tails(returns, counts, steps, *tails)
    return value, 1.0 - worst


def _path_tails(
    returns: FloatArray, counts: np.ndarray, steps: int, low: float, high: float, mass: float
) -> np.ndarray:
    """Return both quantiles and the expected shortfall of each path, from how often it drew each return."""
    order = np.argsort(returns, kind="stable")
    x, drawn = returns[order], counts[:, order]
    reached = np.cumsum(drawn, axis=1)
    first, last = math.floor(low), math.floor(high)
    edge = math.floor(mass) - (mass == math.floor(mass))

    def place(rank: int) -> np.ndarray:
        return np.asarray((reached > rank).argmax(axis=1))

    a, b, c, d = (x[place(k)] for k in (first, min(first + 1, steps - 1), last, min(last + 1, steps - 1)))
    at, each = place(edge), np.arange(drawn.shape[0])
    before = np.concatenate((np.zeros((each.shape[0], 1)), np.add.accumulate(x * drawn, axis=1)), axis=1)
    below = reached[each, at] - drawn[each, at]
    boundary = x[at]
    shortfall = -(before[each, at] + (mass - below) * boundary) / mass
    return np.stack((a + (b - a) * (low - first), c + (d - c) * (high - last), shortfall), axis=1)


def _generators(seed: int, first: int, end: int) -> list[np.ndarray]:
    """Return the four words of the generators of the paths `first` to `end`."""
    with np.errstate(over="ignore"):
        state = _mix(np.uint64(seed) + _GOLDEN * np.arange(first + 1, end + 1, dtype=np.uint64))
    halves = [_mix(state + _GOLDEN), _mix(state + (_GOLDEN << _ONE))]
    return [(z >> shift).astype(np.uint32) for z in halves for shift in (_ZERO, _S32)]


def _draw(words: list[np.ndarray]) -> np.ndarray:
    """Return the next 32 bits of every path, xoshiro128++."""
    a, b, c, d = words
    out = _rotated(a + d, 7) + a
    c, d = c ^ a, d ^ b
    words[:] = a ^ d, b ^ c, c ^ (b << np.uint32(9)), _rotated(d, 11)
    return np.asarray(out)


def _rotated(x: np.ndarray, by: int) -> np.ndarray:
    return np.asarray((x << np.uint32(by)) | (x >> np.uint32(32 - by)))


def _mix(z: np.ndarray) -> np.ndarray:
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return np.asarray(z ^ (z >> _S31))
