"""Charts of one pair's regimes: price in bands, probabilities, confidence, detectors, transitions, reliability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from actors.domain.evaluation.metrics.proportion import wilson
from actors.domain.evaluation.regime_reliability import Reliability
from actors.domain.evaluation.regime_statistics import RegimeStatistics
from actors.domain.evaluation.regime_trace import FACTORS, RegimeView
from actors.domain.evaluation.report_model import PairSeries
from actors.domain.events.regime import REGIMES
from actors.ops.report.price import REGIME_COLOURS
from actors.ops.report.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    finish,
    level_axis,
    line_trace,
    ms,
    plain,
)
from actors.ops.report.thinning import POINTS, majority

INK = "ink"
"""Mark of a line that is drawn in the colour of the text, light or dark (see `drawing.js.j2`)."""
FACTOR_COLOURS = dict(zip(FACTORS, (ORANGE, GREEN, PURPLE, RED), strict=True))
_STEPS = [[(i + e) / len(REGIMES), REGIME_COLOURS[r]] for i, r in enumerate(REGIMES) for e in (0, 1)]
_CODES = {label: i for i, label in enumerate(REGIMES)}


def bands_figure(series: PairSeries, view: RegimeView, quote: str, span: Sequence[int] = ()) -> go.Figure:
    """Price over bands of the regime in force; below it the probabilities, stacked to 100 %.

    Parameters
    ----------
    series : PairSeries
    view : RegimeView
    quote : str
    span : (first, last) close of the run in ns, optional
    """
    ts, close = ms(series.ts_ns), np.array(series.close)
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.05, row_heights=[0.6, 0.4],
        specs=[[{"secondary_y": True}], [{}]],
    )  # fmt: skip
    starts, labels = majority(series.detected, POINTS // 2)
    # bands first: the axis that lies over the other one holds the price
    figure.add_trace(
        _strips(_edges(ts, starts), ["in force"], [labels], opacity=0.45), 1, 1, secondary_y=False
    )
    # in the colour of the page's text: bands would swallow any other
    figure.add_trace(line_trace(ts, close, "close", GREY, showlegend=False, meta=INK), 1, 1, secondary_y=True)
    at, table = ms(view.ts_ns), 100.0 * np.array(view.probabilities)
    for k, label in enumerate(REGIMES):
        figure.add_trace(
            go.Scatter(
                x=at, y=table[:, k], name=label.replace("_", " "), mode="lines", stackgroup="one",
                line={"width": 0, "color": REGIME_COLOURS[label]}, fillcolor=REGIME_COLOURS[label],
                hovertemplate="%{y:.1f} %", showlegend=False,
            ),
            2, 1,
        )  # fmt: skip
    figure.update_yaxes(visible=False, fixedrange=True, row=1, col=1, secondary_y=False)
    axis = level_axis(close, title=f"price, {quote}")
    # an axis over another one would take over its ticks
    axis["tickmode"] = "array" if "tickvals" in axis else "auto"
    figure.update_yaxes(**axis, side="left", row=1, col=1, secondary_y=True)
    # a second axis would have room on the right; the charts of one page line up
    figure.update_xaxes(domain=[0.0, 1.0])
    figure.update_yaxes(title_text="probability, %", range=[0, 100], row=2, col=1)
    return finish(figure, 480, ms(span) if len(span) > 1 else ts)


def confidence_figure(series: PairSeries, view: RegimeView, span: Sequence[int] = ()) -> go.Figure:
    """Confidence with the factors there are; each detector's regime; how many of them agree with the one in force."""
    ts, at = ms(series.ts_ns), ms(view.ts_ns)
    strips = 0.05 * (1 + len(view.members))
    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.05, row_heights=[0.45, 0.2 + strips, 0.25]
    )
    for name, colour in FACTOR_COLOURS.items():
        if view.known_bars[name]:
            figure.add_trace(_measure(at, view, name, colour, 1.1), 1, 1)
    figure.add_trace(_measure(at, view, "score", BLUE, 2.0), 1, 1)
    names = ["in force", *(short_name(m.name) for m in view.members)]
    figure.add_trace(
        _strips(
            _point_edges(ts, at, view.bars_per_point), names, [in_force(series, view), *view.member_labels]
        ),
        2,
        1,
    )
    figure.add_trace(_measure(at, view, "agreeing", BLUE, 1.4), 3, 1)
    if view.known_bars["frames"]:
        figure.add_trace(_measure(at, view, "frames", SKY, 1.4), 3, 1)
    figure.update_yaxes(title_text="confidence, %", range=[0, 102], row=1, col=1)
    # names are as long as their detectors': the plot gives way to them, and every one is told
    figure.update_yaxes(
        autorange="reversed", fixedrange=True, automargin=True, tickmode="array", tickvals=names,
        tickfont={"size": 10}, row=2, col=1,
    )  # fmt: skip
    figure.update_yaxes(title_text="agreeing, %", range=[0, 102], row=3, col=1)
    return finish(figure, 460 + 16 * len(view.members), ms(span) if len(span) > 1 else ts)


def transition_figure(found: RegimeStatistics) -> go.Figure:
    """Transition matrix with counts; intervals stand in the hover text and in the table."""
    names = [r.label.replace("_", " ") for r in found.rows]
    # long words would push the matrix off a phone
    ticks = [name.replace(" volatility", "<br>vol.") for name in names]
    z = [[e.value for e in row] for row in found.transitions]
    text = [
        [
            "" if e.value is None else f"{100 * e.value:.1f} %<br>{n:,}"
            for e, n in zip(row, counts, strict=True)
        ]
        for row, counts in zip(found.transitions, found.counts, strict=True)
    ]
    about = [[_interval(e.low, e.high) for e in row] for row in found.transitions]
    figure = go.Figure(
        go.Heatmap(
            x=ticks, y=ticks, z=z, text=text, customdata=about, texttemplate="%{text}", textfont={"size": 10},
            zmin=0.0, zmax=1.0, colorscale=[[0.0, "#dfe9f1"], [1.0, BLUE]],
            showscale=False, xgap=2, ygap=2,
            hovertemplate="%{y} to %{x}: %{text}, %{customdata}<extra></extra>",
        )
    )  # fmt: skip
    plain(figure, 90 + 52 * max(len(names), 2)).update_layout(margin={"l": 74, "r": 8, "t": 44, "b": 16})
    # every name is told, on a phone too
    every = {
        "tickmode": "array",
        "tickvals": ticks,
        "tickfont": {"size": 9},
        "fixedrange": True,
        "showgrid": False,
    }
    figure.update_xaxes(side="top", tickangle=0, **every)
    return figure.update_yaxes(autorange="reversed", **every)


def reliability_figure(found: Reliability) -> go.Figure:
    """How often the regime in force was right, by the confidence stated; the dashed line is as stated."""
    bins = found.calibration.bins
    whole = sum(b.count for b in bins)
    bounds = [wilson(round(b.rate * b.count), b.count) for b in bins]
    figure = go.Figure(
        go.Scatter(
            x=[0, 100], y=[0, 100], mode="lines", name="as stated", line={"dash": "dash", "color": GREY, "width": 1.4},
            hoverinfo="skip",
        )
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=[100 * b.probability for b in bins], y=[100 * b.rate for b in bins], mode="markers+lines", name="found",
            line={"color": BLUE, "width": 1.2},
            marker={"color": BLUE, "size": [6 + 22 * (b.count / whole) ** 0.5 for b in bins], "opacity": 0.85},
            error_y={
                "type": "data", "symmetric": False, "thickness": 1.2, "color": BLUE,
                "array": [100 * ((e.high or 0.0) - b.rate) for e, b in zip(bounds, bins, strict=True)],
                "arrayminus": [100 * (b.rate - (e.low or 0.0)) for e, b in zip(bounds, bins, strict=True)],
            },
            customdata=[b.count for b in bins],
            hovertemplate="stated %{x:.1f} %, right %{y:.1f} % of %{customdata:,} bars<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title_text="confidence stated, %", range=[0, 103])
    return plain(figure, 340).update_yaxes(title_text="right, % of bars", range=[0, 103])


def short_name(name: str) -> str:
    """Return a detector's name without what all of them share.

    Examples
    --------
    >>> short_name("regime-hmm-4h")
    'hmm-4h'
    """
    return name.removeprefix("regime-")


def in_force(series: PairSeries, view: RegimeView) -> list[str]:
    """Return the most frequent label in force of each point."""
    stops = np.searchsorted(np.array(series.ts_ns, dtype=np.int64), view.ts_ns, side="right").tolist()
    out, begin = [], 0
    for stop in stops:
        piece = series.detected[begin:stop]
        out.append(max(REGIMES, key=piece.count) if any(piece) else "")
        begin = stop
    return out


def _measure(at: NDArray[np.float64], view: RegimeView, name: str, colour: str, width: float) -> go.Scatter:
    values = [None if v is None else 100.0 * v for v in view.measures[name]]
    return go.Scatter(
        x=at, y=values, name=MEASURE_WORDS[name], mode="lines", line={"color": colour, "width": width},
        hovertemplate="%{y:.0f} %", showlegend=False,
    )  # fmt: skip


MEASURE_WORDS = {
    "score": "confidence", "agreement": "agreement of detectors", "history": "right in the past",
    "data_quality": "data quality", "boundary": "lead over the runner-up", "agreeing": "detectors that agree",
    "frames": "agreement of frames",
}  # fmt: skip


def _strips(
    edges: Sequence[float], names: Sequence[str], rows: Sequence[Sequence[str]], opacity: float = 1.0
) -> go.Heatmap:
    return go.Heatmap(
        x=list(edges), y=list(names), z=[[_CODES.get(label) for label in row] for row in rows],
        text=[[label.replace("_", " ") or "none" for label in row] for row in rows], zmin=-0.5, zmax=len(REGIMES) - 0.5,
        colorscale=_STEPS, showscale=False, ygap=2 if len(names) > 1 else 0, opacity=opacity,
        hovertemplate="%{y}: %{text}<extra></extra>",
    )  # fmt: skip


def _edges(ts: NDArray[np.float64], starts: Sequence[int]) -> list[float]:
    """Return where strips of bars begin, and where the last one ends; a bar lies before its close."""
    if not len(ts):
        return []
    width = float(np.median(np.diff(ts))) if len(ts) > 1 else 1.0
    return [*(float(ts[s]) - width for s in starts), float(ts[-1])]


def _point_edges(ts: NDArray[np.float64], at: NDArray[np.float64], bars: int) -> list[float]:
    """Return where points begin, and where the last one ends; a point lies before its last close."""
    if not len(at):
        return []
    first = int(np.searchsorted(ts, at[0])) - bars + 1
    return [_edges(ts, [max(first, 0)])[0], *map(float, at)]


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"95 %: {100 * low:.1f} to {100 * high:.1f} %"
