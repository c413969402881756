"""What the account held over time: net and gross, and pair by pair as a map that stays readable with many pairs."""

from __future__ import annotations

import itertools

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from actors.domain.evaluation.report_model import ReportModel
from actors.ops.report.style import BLUE, GREY, ORANGE, finish, line_trace, ms

BUCKETS = 700
_COLOURS = [[0.0, ORANGE], [0.499, "rgba(230,159,0,0.15)"], [0.501, "rgba(0,114,178,0.15)"], [1.0, BLUE]]


def exposure_figure(model: ReportModel) -> go.Figure:
    """Net and gross exposure; below them each pair's, the largest of each stretch of time, long blue, short orange."""
    account, pairs = model.account, model.pairs
    ts = ms(account.ts_ns)
    table = 100.0 * np.array(account.exposures, dtype=np.float64).reshape(len(ts), len(pairs))
    starts, largest = extremes(table, BUCKETS)
    reach = float(np.nanmax(np.abs(largest))) if largest.size else 0.0
    # a map of nothing cannot be drawn
    mapped = 26 * len(pairs) + 50 if reach > 0.0 else 0
    heights = [150.0, float(mapped)] if mapped else [1.0]
    figure = make_subplots(
        rows=len(heights), cols=1, shared_xaxes=True, vertical_spacing=0.05, row_heights=heights
    )
    figure.add_trace(line_trace(ts, np.abs(table).sum(axis=1), "gross", GREY, line={"dash": "dot"}), 1, 1)
    figure.add_trace(line_trace(ts, table.sum(axis=1), "net", BLUE), 1, 1)
    figure.update_yaxes(title_text="% of equity", row=1, col=1)
    if mapped:
        figure.add_trace(
            go.Heatmap(
                x=ts[starts], y=[s.pair.partition("/")[0] for s in pairs],
                z=np.where(largest == 0.0, np.nan, largest).T, zmin=-reach, zmax=reach, showscale=False, ygap=3,
                hoverongaps=False, colorscale=_COLOURS, hovertemplate="%{y}: %{z:.2f} %<extra></extra>",
            ),
            2, 1,
        )  # fmt: skip
        figure.update_yaxes(
            autorange="reversed", fixedrange=True, tickfont={"size": 10}, showgrid=False, row=2, col=1
        )
    return finish(figure, 220 + mapped, ts)


def extremes(table: NDArray[np.float64], buckets: int) -> tuple[list[int], NDArray[np.float64]]:
    """Return the first row of at most `buckets` stretches, and each column's value of largest size in each.

    Examples
    --------
    >>> extremes(np.array([[0.0], [-3.0], [2.0], [1.0]]), 2)
    ([0, 2], array([[-3.],
           [ 2.]]))
    """
    n = len(table)
    if n <= buckets:
        return list(range(n)), table
    edges = np.linspace(0, n, buckets + 1).astype(int).tolist()
    out = np.empty((buckets, table.shape[1]))
    for k, (a, b) in enumerate(itertools.pairwise(edges)):
        piece = table[a:b]
        out[k] = piece[np.abs(piece).argmax(axis=0), np.arange(table.shape[1])]
    return edges[:-1], out
