"""Bars on the tick from unrounded paths: extremes inside the bar, volume and spread that answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from actors.domain.simulation.synthetic.params import AssetParams, SyntheticParams

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AssetBars:
    """Prices on the tick, volume on the lot, spread in bps; all of shape (n_bars,)."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    spread_bps: FloatArray


def make_bars(
    params: SyntheticParams,
    asset: AssetParams,
    truth: npt.NDArray[np.int8],
    log_price: FloatArray,
    scale: FloatArray,
    rngs: tuple[np.random.Generator, np.random.Generator, np.random.Generator],
) -> AssetBars:
    """Return the bars of one asset.

    The highest and lowest price inside a bar are drawn from the law of the maximum and the minimum of
    a Brownian bridge between open and close, so the range fits the bar's volatility.

    Parameters
    ----------
    log_price, scale : float64 arrays, shape (n_bars,)
    rngs : three generators
        For extremes, volume and spread.
    """
    extremes, volume_rng, spread_rng = rngs
    n = params.n_bars
    power = 10.0**asset.price_decimals
    start = np.log(asset.start_price)
    before = np.concatenate([[start], log_price[:-1]])
    uniform = extremes.random((n, 2))
    # 1 - u lies in (0, 1]: the logarithm stays finite
    reach = np.sqrt((log_price - before) ** 2 - 2 * scale[:, None].T ** 2 * np.log1p(-uniform).T)
    top, bottom = (before + log_price + reach[0]) / 2, (before + log_price - reach[1]) / 2
    close_ticks = np.maximum(np.rint(np.exp(log_price) * power), 1.0)
    open_ticks = np.concatenate([[max(np.rint(asset.start_price * power), 1.0)], close_ticks[:-1]])
    high_ticks = np.maximum(np.ceil(np.exp(top) * power), np.maximum(open_ticks, close_ticks))
    low_ticks = np.minimum(np.floor(np.exp(bottom) * power), np.minimum(open_ticks, close_ticks))
    low_ticks = np.maximum(low_ticks, 1.0)

    surprise = np.abs(log_price - before) / scale
    noise = _remembering(volume_rng.standard_normal(n), params.volume_memory) * params.volume_noise
    factor = np.array([r.volume_factor for r in params.regimes])[truth]
    lots = 10.0**asset.volume_decimals
    # a move of six deviations is the largest the volume still answers to: no overflow by one bar
    reaction = params.volume_reaction * np.minimum(surprise, 6.0)
    volume = np.maximum(np.rint(asset.base_volume * factor * np.exp(reaction + noise) * lots), 1.0) / lots

    quiet = np.array([r.volatility_bars for r in params.regimes])[truth] * asset.beta
    wide = np.array([r.spread_factor for r in params.regimes])[truth] * (0.5 + 0.5 * scale / quiet)
    spread = asset.spread_bps * wide * np.exp(params.spread_noise * spread_rng.standard_normal(n))
    return AssetBars(
        open_ticks / power, high_ticks / power, low_ticks / power, close_ticks / power, volume, spread
    )


def _remembering(shocks: FloatArray, memory: float) -> FloatArray:
    """Return an AR(1) series of unit variance."""
    out = np.empty_like(shocks)
    level, weight = float(shocks[0]), float(np.sqrt(1 - memory * memory))
    out[0] = level
    for t, shock in enumerate(shocks[1:].tolist(), start=1):
        level = memory * level + weight * shock
        out[t] = level
    return out
