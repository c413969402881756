"""Ticks that cannot be those of the bars: a price step much coarser than the prices would invent every fill."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from actors.domain.errors import ConfigError
from actors.domain.model.bars import BarFrame
from actors.domain.model.instrument import Instrument

COARSE, NOTED = 0.01, 0.001
"""Shares of the lowest price: a tick above the first is refused, above the second it is noted."""


def coarse_ticks(frames: Mapping[str, BarFrame], instruments: Mapping[str, Instrument]) -> list[str]:
    """Return a note for every pair whose tick rounds away a tenth of a percent or more of its lowest price.

    Only where the bars themselves have finer prices: a coin whose every price lies on a coarse tick is really so.

    Raises
    ------
    ConfigError
        If a tick is more than a hundredth of the pair's lowest price: fills at such prices would be inventions, a
        sale at a whole tick perhaps above everything that the bar had.
    """
    notes, refused = [], []
    for pair, frame in frames.items():
        tick, lowest = float(instruments[pair].tick), float(frame.low.min())
        if tick <= NOTED * lowest or _on_tick(frame, tick):
            continue
        found = f"{pair}: tick {instruments[pair].tick}, lowest price {lowest:.8g}, prices between the ticks"
        if tick > COARSE * lowest:
            refused.append(found)
        else:
            notes.append(
                f"TICK: {found}: fills are rounded to it, to the worse side; set instruments.overrides"
            )
    if refused:
        raise ConfigError(
            "TICK_COARSE",
            f"instruments: expected a tick of at most {COARSE:.0%} of a pair's price, found {'; '.join(refused)}; "
            "state the venue's with instruments.overrides (tick, lot, min_notional of the pair) in a file for -c, or "
            "with --set instruments.default.tick=…",
        )
    return notes


def _on_tick(frame: BarFrame, tick: float) -> bool:
    """Tell whether nearly all closes are whole ticks."""
    steps = frame.close / tick
    return bool(np.mean(np.abs(steps - np.round(steps)) < 1e-6 * np.maximum(steps, 1.0)) > 0.99)
