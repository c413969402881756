"""Crises that happened: their spans, how deep they were in these bars, and the same market without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from actors.domain.model.bars import BarFrame


@dataclass(frozen=True)
class Crisis:
    """A span of days in which something happened.

    Attributes
    ----------
    start_ns, end_ns : int
        UTC, the end excluded.
    event, kind : str
    """

    start_ns: int
    end_ns: int
    event: str
    kind: str = ""


def worst_fall(frames: Mapping[str, BarFrame], start_ns: int, end_ns: int) -> float | None:
    """Return the deepest fall from a running high of closes in ``[start_ns, end_ns)``, of equal shares of the pairs.

    None where no pair has a bar.

    Examples
    --------
    >>> f = BarFrame("A/B", 1, [0, 1, 2], [10.0] * 3, [10.0] * 3, [6.0] * 3, [10.0, 6.0, 9.0], [1.0] * 3)
    >>> worst_fall({"A/B": f}, 0, 3)
    0.4
    """
    curves = []
    for frame in frames.values():
        inside = frame.slice_time(start_ns, end_ns)
        if len(inside):
            curves.append(
                dict(zip(inside.open_ns.tolist(), (inside.close / inside.close[0]).tolist(), strict=True))
            )
    if not curves:
        return None
    times = sorted({t for curve in curves for t in curve})
    last = [1.0] * len(curves)
    peak, worst = 0.0, 0.0
    for t in times:
        last = [curve.get(t, value) for curve, value in zip(curves, last, strict=True)]
        level = sum(last) / len(last)
        peak = max(peak, level)
        worst = max(worst, 1.0 - level / peak)
    return worst


def calm_twin(frame: BarFrame, start_ns: int, end_ns: int) -> BarFrame:
    """Return the frame with the bars of ``[start_ns, end_ns)`` replaced: the market before lives once more.

    The k-th bar inside gets the shape (open, high, low, close over the close before) and the volume of the k-th of
    the as many bars before the span, again from their beginning if there are too few; later bars keep their own
    returns from where that ends. Nothing before `start_ns` changes. A frame without two bars before is returned as
    it is.

    Examples
    --------
    >>> f = BarFrame("A/B", 1, [0, 1, 2, 3], [8.0, 8.0, 8.0, 4.0], [8.0, 8.0, 8.0, 4.0], [8.0, 8.0, 4.0, 4.0],
    ...              [8.0, 8.0, 4.0, 4.0], [1.0] * 4)
    >>> calm_twin(f, 2, 3).close.tolist()
    [8.0, 8.0, 8.0, 8.0]
    """
    first = int(np.searchsorted(frame.open_ns, start_ns))
    last = int(np.searchsorted(frame.open_ns, end_ns))
    count = last - first
    if count <= 0 or first < 2:
        return frame
    have = min(count, first - 1)
    source = np.arange(first - have, first)[np.arange(count) % have]
    names = ("open", "high", "low", "close")
    new = {n: np.array(getattr(frame, n)) for n in names}
    volume = np.array(frame.volume)
    volume[first:last] = frame.volume[source]
    level = float(frame.close[first - 1])
    for j, k in zip(range(first, last), source.tolist(), strict=True):
        before = float(frame.close[k - 1])
        for n in names:
            new[n][j] = float(getattr(frame, n)[k]) / before * level
        level = float(new["close"][j])
    scale = level / float(frame.close[last - 1])
    for n in names:
        new[n][last:] *= scale
    return BarFrame.from_columns(
        frame.pair, frame.timeframe_ns,
        {"open_ns": frame.open_ns, **new, "volume": volume, "flags": frame.flags},
        source=frame.source, synthetic=frame.synthetic,
    )  # fmt: skip


def covered(crises: Sequence[Crisis], frames: Mapping[str, BarFrame], least_before: int) -> list[bool]:
    """Return which crises the bars hold: every bar of the span in some pair, and enough bars before to learn from."""
    out = []
    for crisis in crises:
        fits = [
            len(f.slice_time(None, crisis.start_ns)) >= least_before and f.end_ns >= crisis.end_ns
            for f in frames.values()
        ]
        out.append(any(fits))
    return out
