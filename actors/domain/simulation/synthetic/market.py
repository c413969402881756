"""The synthetic market: bars of several assets together with the truth they were made from.

What is planted: regimes from a semi-Markov chain (`chain.py`), a common factor that correlates the
assets, Student-t shocks with GARCH clustering (`returns.py`), extremes inside each bar, and volume and
spread that answer to regime and surprise (`ticks.py`). What is not: order flow, arbitrage between
pairs, time of day, news. Results on it show that the machinery works, never that a strategy earns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from actors.domain.model.bars import BarFrame
from actors.domain.simulation.synthetic.chain import draw_regimes
from actors.domain.simulation.synthetic.params import SyntheticParams
from actors.domain.simulation.synthetic.returns import draw_paths
from actors.domain.simulation.synthetic.ticks import make_bars


@dataclass(frozen=True)
class SyntheticMarket:
    """Bars and their truth.

    Attributes
    ----------
    frames : dict
        Pair to bars, all marked synthetic, all with the same times.
    truth : int8 array, shape (n_bars,)
        Planted regime of each bar: index into ``regime_names``. Read-only.
    regime_names : tuple of str
    spreads_bps : dict
        Pair to the spread between bid and ask of each bar, shape (n_bars,), in bps of the price.
    params, seed
        What made it.
    """

    frames: dict[str, BarFrame]
    truth: npt.NDArray[np.int8]
    regime_names: tuple[str, ...]
    spreads_bps: dict[str, npt.NDArray[np.float64]]
    params: SyntheticParams
    seed: int

    @property
    def planted_correlation(self) -> npt.NDArray[np.float64]:
        """Correlation of the assets' returns within a regime, shape (n_assets, n_assets)."""
        share = np.array([a.common_share for a in self.params.assets])
        matrix = np.sqrt(np.outer(share, share))
        np.fill_diagonal(matrix, 1.0)
        return matrix

    def regime_name(self, row: int) -> str:
        """Return the planted regime of a bar by name."""
        return self.regime_names[int(self.truth[row])]


def generate(params: SyntheticParams | None = None, seed: int = 7) -> SyntheticMarket:
    """Make a synthetic market.

    Parameters
    ----------
    params : SyntheticParams, optional
        Defaults to three correlated assets and six regimes in 4,000 hourly bars.
    seed : int
        Same seed, same market; more bars with the same seed begin with the same bars, and another
        asset at the end of the list leaves the regimes and the common factor alone.

    Examples
    --------
    >>> short, long = (generate(SyntheticParams(n_bars=n), seed=1) for n in (100, 300))
    >>> short.frames["BTC/USDT"].equals(long.frames["BTC/USDT"].slice_rows(0, 100))
    True
    >>> short.frames["BTC/USDT"].synthetic, short.regime_name(0)
    (True, 'sideways')
    """
    params = params if params is not None else SyntheticParams()
    truth = draw_regimes(params.regimes, params.first_regime, params.n_bars, _stream(seed, 0))
    truth.flags.writeable = False
    paths = draw_paths(params, truth, _stream(seed, 1), _stream(seed, 2))
    open_ns = params.start_ns + params.timeframe_ns * np.arange(params.n_bars, dtype=np.int64)
    frames, spreads = {}, {}
    for k, asset in enumerate(params.assets):
        rngs = (_stream(seed, 3, k), _stream(seed, 4, k), _stream(seed, 5, k))
        bars = make_bars(params, asset, truth, paths.log_price[:, k], paths.scale[:, k], rngs)
        frames[asset.pair] = BarFrame(
            asset.pair,
            params.timeframe_ns,
            open_ns,
            bars.open,
            bars.high,
            bars.low,
            bars.close,
            bars.volume,
            source=f"synthetic market, seed {seed}",
            synthetic=True,
        )
        spreads[asset.pair] = bars.spread_bps
    names = tuple(r.name for r in params.regimes)
    return SyntheticMarket(frames, truth, names, spreads, params, seed)


def _stream(seed: int, *key: int) -> np.random.Generator:
    # one generator per array: none can shift the draws of another
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
