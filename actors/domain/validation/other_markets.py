"""Markets that might have been: candles with noise, and bars resampled in blocks, all pairs together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InsufficientDataError, InvalidParamsError
from actors.domain.model.bars import BarFrame
from actors.domain.validation.resampling import stationary_positions

FloatArray = NDArray[np.float64]
FEWEST = 50
"""Common bars below which a resampled market is none."""


def noisy_candles(frame: BarFrame, rng: np.random.Generator, *, share: float, tick: float) -> BarFrame:
    """Return the bars with each price moved by a normal step of `share` of its bar's range.

    Parameters
    ----------
    frame : BarFrame
    rng : Generator
    share : float ≥ 0
        Deviation of the steps in ranges (high − low); bars without a range stay as they are.
    tick : float > 0, quote currency
        The prices lie on it, and on one tick at least.

    Returns
    -------
    BarFrame
        With ``low ≤ open, close ≤ high``; times and volumes are the same.

    Raises
    ------
    InvalidParamsError
        If `share` is negative or `tick` is not above 0.

    Examples
    --------
    >>> f = BarFrame("A/B", 1, [0, 1], [10, 11], [12, 12], [9, 10], [11, 10], [1, 2])
    >>> g = noisy_candles(f, np.random.default_rng(0), share=0.1, tick=0.25)
    >>> g.close.tolist(), noisy_candles(f, np.random.default_rng(0), share=0.0, tick=0.25).equals(f)
    ([11.5, 10.25], True)
    """
    if not share >= 0.0 or not tick > 0.0:
        raise InvalidParamsError(
            "NOISE_SHARE", f"noise: expected a share from 0 and a tick above 0, found {share}, {tick}"
        )
    reach = share * (frame.high - frame.low)
    step = rng.standard_normal((4, len(frame)))
    moved = {
        name: getattr(frame, name) + reach * s
        for name, s in zip(("open", "high", "low", "close"), step, strict=True)
    }
    return _sane(
        frame, moved["open"], moved["high"], moved["low"], moved["close"], frame.volume, tick,
        f"{frame.source} with noise",
    )  # fmt: skip


def resampled_market(
    frames: Mapping[str, BarFrame], rng: np.random.Generator, *, mean_block: float, ticks: Mapping[str, float]
) -> dict[str, BarFrame]:
    """Return bars drawn in blocks from those of all pairs at once, so that what happened together stays together.

    Parameters
    ----------
    frames : mapping pair → BarFrame
    rng : Generator
    mean_block : float ≥ 1, bars
    ticks : mapping pair → float

    Returns
    -------
    dict pair → BarFrame
        At the times that all pairs share, beginning with their first common bar. Each bar keeps its gap to the close
        before, its range, its return and its volume; what is new is what comes after what.

    Raises
    ------
    InsufficientDataError
        If the pairs share fewer than 50 bars.

    Examples
    --------
    >>> c = 100.0 * np.exp(np.cumsum(np.random.default_rng(1).standard_normal(80)) * 0.01)
    >>> f = BarFrame("A/B", 1, np.arange(80), c, c, c, c, np.ones(80))
    >>> g = resampled_market({"A/B": f}, np.random.default_rng(0), mean_block=10.0, ticks={"A/B": 0.01})["A/B"]
    >>> len(g), g.synthetic, bool(g.close[0] == round(f.close[0], 2)), bool(g.close[-1] != f.close[-1])
    (80, True, True, True)
    """
    times = None
    for frame in frames.values():
        times = frame.open_ns if times is None else np.intersect1d(times, frame.open_ns, assume_unique=True)
    if times is None or len(times) < FEWEST:
        raise InsufficientDataError(
            "MARKET_TOO_SHORT",
            f"resampled market: expected at least {FEWEST} bars that all pairs share, found "
            f"{0 if times is None else len(times)}",
        )
    drawn = 1 + stationary_positions(rng, len(times) - 1, mean_block=mean_block)
    return {
        pair: _rebuilt(frame, np.searchsorted(frame.open_ns, times), drawn, ticks[pair])
        for pair, frame in frames.items()
    }


def _rebuilt(frame: BarFrame, rows: NDArray[np.int64], drawn: NDArray[np.int64], tick: float) -> BarFrame:
    o, h, low, c = (x[rows] for x in (frame.open, frame.high, frame.low, frame.close))
    gap = np.concatenate([[1.0], o[1:] / c[:-1]])
    order = np.concatenate([[0], drawn])
    move = np.cumsum(np.log(gap[drawn] * c[drawn] / o[drawn]))
    close = c[0] * np.exp(np.concatenate([[0.0], move]))
    open_ = np.concatenate([[o[0]], close[:-1] * gap[drawn]])
    high, bottom = open_ * (h / o)[order], open_ * (low / o)[order]
    at = frame.slice_rows(0, 0)
    made = BarFrame(
        at.pair, at.timeframe_ns, frame.open_ns[rows], open_, np.maximum(high, np.maximum(open_, close)),
        np.minimum(bottom, np.minimum(open_, close)), close, frame.volume[rows][order], synthetic=True,
    )  # fmt: skip
    return _sane(
        made, made.open, made.high, made.low, made.close, made.volume, tick, f"{frame.source} in other blocks"
    )


def _sane(
    frame: BarFrame, open_: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray,
    tick: float, source: str,
) -> BarFrame:  # fmt: skip
    """Return a frame with these prices on the tick, extremes around open and close."""
    o, h, bottom, c = (_on_tick(x, tick) for x in (open_, high, low, close))
    return BarFrame(
        frame.pair, frame.timeframe_ns, frame.open_ns, o, np.maximum(h, np.maximum(o, c)),
        np.minimum(bottom, np.minimum(o, c)), c, volume, frame.flags, source, frame.synthetic,
    )  # fmt: skip


def _on_tick(price: FloatArray, tick: float) -> FloatArray:
    whole: FloatArray = np.maximum(np.rint(price / tick), 1.0)
    # by the inverse where that is a whole number: 3 / 10 is the float nearest to 0.3, 3 * 0.1 is not
    inverse = round(1.0 / tick)
    return whole / inverse if inverse and abs(inverse * tick - 1.0) < 1e-12 else whole * tick
