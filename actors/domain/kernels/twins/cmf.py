"""Twin of the Chaikin money flow (see ``cmf.rs``)."""

from __future__ import annotations

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._stream import StreamTwin
from actors.domain.kernels.twins._two_stack import Window, add, divide, rolling


class Cmf(StreamTwin):
    """Streaming money flow: window sums of signed and of plain volume."""

    __slots__ = ("_flow", "_volume", "_window")

    def __init__(self, window: int) -> None:
        if window < 1:
            raise ValueError("parameter out of range: a window must have at least 1 bar")
        self._window = window
        self._flow, self._volume = Window(window, add), Window(window, add)

    def update(self, high: float, low: float, close: float, volume: float, /) -> float:
        """Take one bar; its money flow."""
        span = high - low
        flow = ((close - low) - (high - close)) / span * volume if span != 0.0 else 0.0 * volume
        return divide(self._flow.push(flow), self._volume.push(float(volume)))

    def snapshot(self) -> bytes:
        return self._volume.write(self._flow.write(Writer("Cmf").u64(self._window))).done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "Cmf")
        window = r.u64()
        flow, volume = Window.read(r, window, add), Window.read(r, window, add)
        r.end()
        self._window, self._flow, self._volume = window, flow, volume


def cmf(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    volume: FloatArray,
    window: int,
    out: FloatArray,
    /,
) -> None:
    """Write the money flow of every bar."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        span = high - low
        flow = ((close - low) - (high - close)) / span * volume
        flow = np.where(span == 0.0, 0.0 * volume, flow)
        np.divide(rolling(np.add, flow, window), rolling(np.add, volume, window), out=out)
