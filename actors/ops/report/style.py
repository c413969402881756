"""Colours, lines and layout that the report's figures share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from actors.ops.report.thinning import keep_extremes

# Okabe-Ito: told apart by the colour-blind, readable on white and on black
BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#888888"
SKY = "#56b4e9"
PALETTE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY, "#f0e442")
MARKS = 500
WIDE = 5.0
"""Highest over lowest value from which on an axis is logarithmic: equal steps are then equal percentages."""


def ms(ts_ns: Sequence[int]) -> NDArray[np.float64]:
    """Return times in milliseconds, as plotly's date axis counts."""
    # doubles hold them exactly
    return np.asarray(ts_ns, dtype=np.int64) / 1e6


def line_trace(
    ts: NDArray[np.float64], values: NDArray[np.float64], name: str, colour: str, **extra: Any
) -> go.Scatter:
    """Return a line, thinned so that its extremes stay."""
    at = keep_extremes(values)
    line = {"color": colour, "width": 1.6, **extra.pop("line", {})}
    return go.Scatter(x=ts[at], y=values[at], name=name, mode="lines", line=line, **extra)


def finish(figure: go.Figure, height: int, ts: NDArray[np.float64]) -> go.Figure:
    """Return the figure in the common layout over the time axis `ts`."""
    # a range of its own: plotly pads for markers, and the charts of one page should line up
    figure.update_xaxes(type="date", range=[float(ts[0]), float(ts[-1])] if len(ts) > 1 else None)
    figure.update_layout(
        height=height,
        margin={"l": 62, "r": 12, "t": 30, "b": 36},
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "font": {"size": 11}},
        template="none",
        font={"size": 12},
    )
    return figure


def plain(figure: go.Figure, height: int) -> go.Figure:
    """Return the figure in the common layout without an axis of time."""
    return figure.update_layout(
        height=height, margin={"l": 62, "r": 12, "t": 30, "b": 44}, template="none", font={"size": 12}, bargap=0,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "font": {"size": 11}},
    )  # fmt: skip


def level_axis(*columns: Sequence[float] | NDArray[np.float64], title: str) -> dict[str, Any]:
    """Return an axis for prices or capital: logarithmic, and said to be, where the values span a wide range.

    Examples
    --------
    >>> level_axis([90.0, 110.0], title="equity, USDT")
    {'title_text': 'equity, USDT'}
    >>> axis = level_axis([9e4, 2.4e6], title="equity, USDT")
    >>> axis["title_text"], axis["ticktext"]
    ('equity, USDT (log)', ['100k', '200k', '500k', '1M', '2M'])
    """
    values = np.concatenate([np.asarray(c, dtype=np.float64) for c in columns])
    values = values[~np.isnan(values)]
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if not low > 0.0 or high / low < WIDE:
        return {"title_text": title}
    steps = [m * 10.0**e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
             for m in (1, 2, 5)]  # fmt: skip
    ticks = [t for t in steps if low <= t <= high]
    if len(ticks) > 8:
        ticks = [t for t in ticks if round(math.log10(t), 9).is_integer()]
    return {
        "type": "log", "title_text": f"{title} (log)", "tickvals": ticks, "ticktext": [short(t) for t in ticks],
        "range": [math.log10(low) - 0.03, math.log10(high) + 0.06],
    }  # fmt: skip


def short(value: float) -> str:
    """Return a round number for an axis.

    Examples
    --------
    >>> short(200000.0), short(0.05), short(3e9)
    ('200k', '0.05', '3G')
    """
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:g}{letter}"
    return f"{value:g}"
