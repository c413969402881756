"""Shocks to a market: new frames that equal the old ones in every bar before the shock.

All are multiplicative: a bar's prices are scaled by a factor that runs from `f(open)` to `f(close)`, so that no bar
contradicts itself, and what follows a lasting shock keeps its own returns.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from actors.domain.errors import InvalidParamsError
from actors.domain.model.bars import BarFrame

FloatArray = npt.NDArray[np.float64]
_USUAL_BARS = 168


def flash_crash(
    frames: Mapping[str, BarFrame], at_ns: int, *, size_frac: float, recovery_bars: int
) -> dict[str, BarFrame]:
    """Return a market that falls by `size_frac` inside one bar, closes halfway back and is whole `recovery_bars` later.

    Parameters
    ----------
    frames : mapping pair → BarFrame
    at_ns : int
        Opening time of the bar that crashes (or of the first one after it).
    size_frac : float in [0, 1)
    recovery_bars : int

    Examples
    --------
    >>> f = BarFrame("A/B", 1, [0, 1, 2, 3], [10.0] * 4, [10.0] * 4, [10.0] * 4, [10.0] * 4, [1.0] * 4)
    >>> g = flash_crash({"A/B": f}, 1, size_frac=0.4, recovery_bars=2)["A/B"]
    >>> g.low.tolist(), g.close.tolist()
    ([10.0, 6.0, 8.0, 9.0], [10.0, 8.0, 9.0, 10.0])
    """
    _check(size_frac, recovery_bars)

    def one(frame: BarFrame, k: int) -> BarFrame:
        n = len(frame)
        closes = np.ones(n)
        rest = max(0, min(recovery_bars + 1, n - k))
        closes[k : k + rest] = 1.0 - 0.5 * size_frac * (1.0 - np.arange(rest) / recovery_bars)
        out = _scaled(frame, k, closes)
        low = out.low.copy()
        low[k] = min(low[k], out.open[k] * (1.0 - size_frac))
        return _with(out, low=low)

    return _each(frames, at_ns, one)


def gap(frames: Mapping[str, BarFrame], at_ns: int, *, size_frac: Mapping[str, float]) -> dict[str, BarFrame]:
    """Return a market that opens `size_frac` lower at `at_ns` and stays there; a fraction per pair, below 0 rises.

    Examples
    --------
    >>> f = BarFrame("A/B", 1, [0, 1], [10.0] * 2, [11.0] * 2, [9.0] * 2, [10.0] * 2, [1.0] * 2)
    >>> gap({"A/B": f}, 1, size_frac={"A/B": 0.5})["A/B"].high.tolist()
    [11.0, 5.5]
    """
    for size in size_frac.values():
        if not size < 1.0:
            raise InvalidParamsError("SHOCK_SIZE", f"gap: expected a fraction below 1, found {size}")

    def one(frame: BarFrame, k: int) -> BarFrame:
        factor = np.ones(len(frame))
        factor[k:] = 1.0 - size_frac[frame.pair]
        return _scaled(frame, k, factor, opens=factor)

    return _each(frames, at_ns, one)


def slide(frames: Mapping[str, BarFrame], at_ns: int, *, size_frac: float, bars: int) -> dict[str, BarFrame]:
    """Return a market whose prices lose `size_frac` evenly (in logs) over `bars` bars, beside what they do anyway.

    Examples
    --------
    >>> f = BarFrame("A/B", 1, [0, 1, 2], [10.0] * 3, [10.0] * 3, [10.0] * 3, [10.0] * 3, [1.0] * 3)
    >>> slide({"A/B": f}, 1, size_frac=0.19, bars=2)["A/B"].close.round(2).tolist()
    [10.0, 9.0, 8.1]
    """
    _check(size_frac, bars)

    def one(frame: BarFrame, k: int) -> BarFrame:
        done = np.clip((np.arange(len(frame)) - k + 1) / bars, 0.0, 1.0)
        return _scaled(frame, k, (1.0 - size_frac) ** done)

    return _each(frames, at_ns, one)


def dry(frames: Mapping[str, BarFrame], at_ns: int, *, share: float, bars: int) -> dict[str, BarFrame]:
    """Return a market whose volume is `share` of what it was for `bars` bars.

    Examples
    --------
    >>> f = BarFrame("A/B", 1, [0, 1, 2], [1.0] * 3, [1.0] * 3, [1.0] * 3, [1.0] * 3, [8.0] * 3)
    >>> dry({"A/B": f}, 1, share=0.25, bars=1)["A/B"].volume.tolist()
    [8.0, 2.0, 8.0]
    """
    if not 0.0 <= share <= 1.0 or bars < 1:
        raise InvalidParamsError(
            "SHOCK_SIZE", f"dry: expected a share in [0, 1] and bars >= 1, found {share} and {bars}"
        )

    def one(frame: BarFrame, k: int) -> BarFrame:
        volume = frame.volume.copy()
        volume[k : k + bars] *= share
        return _with(frame, volume=volume)

    return _each(frames, at_ns, one)


def together(
    frames: Mapping[str, BarFrame], at_ns: int, *, size_frac: float, bars: int
) -> dict[str, BarFrame]:
    """Return a market that loses `size_frac` over `bars` bars with all pairs in step: correlation one.

    Inside the shock the close-to-close log return of each pair is its own usual deviation (of the week before)
    times the mean standardised return of all pairs, plus the even fall; later bars keep their own returns. Bars
    that not all pairs have move by the fall alone.
    """
    _check(size_frac, bars)
    moves, usual = {}, {}
    for pair, frame in frames.items():
        k = _row(frame, at_ns)
        logs = np.diff(np.log(frame.close))
        before = logs[max(0, k - 1 - _USUAL_BARS) : max(0, k - 1)]
        usual[pair] = float(before.std()) if before.size > 1 else 0.0
        span = slice(k, k + bars)
        moves[pair] = dict(
            zip(frame.open_ns[span].tolist(), logs[max(0, k - 1) : k - 1 + bars].tolist(), strict=False)
        )
    common: dict[int, float] = {}
    for ts in next(iter(moves.values())):
        known = [(moves[p].get(ts), usual[p]) for p in frames]
        if all(m is not None and u > 0.0 for m, u in known):
            common[ts] = float(np.mean([m / u for m, u in known if m is not None]))
    fall = np.log1p(-size_frac) / bars

    def one(frame: BarFrame, k: int) -> BarFrame:
        # factor of a close: by how much the path so far differs from the frame's own
        extra = np.zeros(len(frame))
        for j in range(k, min(k + bars, len(frame))):
            ts = int(frame.open_ns[j])
            own = moves[frame.pair].get(ts, 0.0)
            wanted = usual[frame.pair] * common[ts] if ts in common else 0.0
            extra[j] = wanted + fall - own
        return _scaled(frame, k, np.exp(np.cumsum(extra)))

    return _each(frames, at_ns, one)


def _each(frames: Mapping[str, BarFrame], at_ns: int, one: object) -> dict[str, BarFrame]:
    out = {}
    for pair, frame in frames.items():
        k = _row(frame, at_ns)
        out[pair] = one(frame, k) if k < len(frame) else frame  # type: ignore[operator]
    return out


def _row(frame: BarFrame, at_ns: int) -> int:
    return int(np.searchsorted(frame.open_ns, at_ns, side="left"))


def _scaled(frame: BarFrame, k: int, closes: FloatArray, opens: FloatArray | None = None) -> BarFrame:
    """Scale prices from row `k` on; a bar begins with the factor at which the one before ended."""
    begin = np.concatenate([[1.0], closes[:-1]]) if opens is None else opens
    high, low = np.maximum(begin, closes), np.minimum(begin, closes)
    o, c = frame.open * begin, frame.close * closes
    top = np.maximum(frame.high * high, np.maximum(o, c))
    bottom = np.minimum(frame.low * low, np.minimum(o, c))
    new = {"open": o, "high": top, "low": bottom, "close": c}
    # bars before the shock are the very same numbers
    return _with(frame, **{n: np.concatenate([getattr(frame, n)[:k], v[k:]]) for n, v in new.items()})


def _with(frame: BarFrame, **columns: FloatArray) -> BarFrame:
    names = ("open_ns", "open", "high", "low", "close", "volume", "flags")
    arrays = {n: columns.get(n, getattr(frame, n)) for n in names}
    return BarFrame.from_columns(
        frame.pair, frame.timeframe_ns, arrays, source=frame.source, synthetic=frame.synthetic
    )


def _check(size_frac: float, bars: int) -> None:
    if not 0.0 <= size_frac < 1.0 or bars < 1:
        raise InvalidParamsError(
            "SHOCK_SIZE",
            f"shock: expected a size in [0, 1) of the price over at least 1 bar, found {size_frac} over {bars}",
        )
