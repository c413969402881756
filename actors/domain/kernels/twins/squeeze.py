"""Twin of the squeeze (see ``squeeze.rs``)."""

from __future__ import annotations

from math import nan

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._stream import StreamTwin
from actors.domain.kernels.twins.bollinger import Bollinger, bollinger
from actors.domain.kernels.twins.keltner import Keltner, keltner


class Squeeze(StreamTwin):
    """Streaming squeeze: bands and channel."""

    __slots__ = ("_bands", "_channel")

    def __init__(self, window: int, bands_k: float, channel_k: float) -> None:
        self._bands, self._channel = Bollinger(window, bands_k), Keltner(window, window, channel_k)

    def update(self, high: float, low: float, close: float, /) -> float:
        """Take one bar; 1 in a squeeze, 0 outside, NaN while warming up."""
        bu, _, bl = self._bands.update(close)
        cu, _, cl = self._channel.update(high, low, close)
        defined = (cu + cl) + (bu + bl)
        return nan if defined != defined else float(bu < cu and bl > cl)

    def snapshot(self) -> bytes:
        return Writer("Squeeze").nested(self._bands.snapshot()).nested(self._channel.snapshot()).done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "Squeeze")
        bands, channel = Bollinger.from_snapshot(r.nested()), Keltner.from_snapshot(r.nested())
        r.end()
        self._bands, self._channel = bands, channel


def squeeze(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    window: int,
    bands_k: float,
    channel_k: float,
    out: FloatArray,
    /,
) -> None:
    """Write 1 in a squeeze, 0 outside, NaN where a line is undefined."""
    bu, bl, cu, cl, middle = (np.empty_like(close) for _ in range(5))
    bollinger(close, window, bands_k, bu, middle, bl)
    keltner(high, low, close, window, window, channel_k, cu, middle, cl)
    with np.errstate(invalid="ignore", over="ignore"):
        undefined = np.isnan((cu + cl) + (bu + bl))
        out[:] = (bu < cu) & (bl > cl)
    out[undefined] = np.nan
