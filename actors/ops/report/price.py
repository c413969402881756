"""One pair's chart: price with fills and round trips, the wished exposure, regimes detected and planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from actors.domain.evaluation.report_model import PairSeries
from actors.domain.events.regime import REGIMES
from actors.ops.report.style import (
    BLUE,
    GREEN,
    GREY,
    MARKS,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    finish,
    level_axis,
    line_trace,
    ms,
)
from actors.ops.report.tables import clock
from actors.ops.report.thinning import POINTS, evenly, keep_extremes, majority

REGIME_COLOURS = dict(zip(REGIMES, (GREEN, ORANGE, GREY, RED, PURPLE, SKY), strict=True))
_NEAR = 2


def pair_figure(
    series: PairSeries, quote: str, trades: Sequence[Mapping[str, Any]] = (), span: Sequence[int] = ()
) -> go.Figure:
    """Close with fills, round trips and changes of the wished exposure; below it the regimes.

    Parameters
    ----------
    series : PairSeries
    quote : str
    trades : sequence of mappings
        The pair's round trips: a line from entry to exit, green where it won after costs, red where it lost.
    span : (first, last) close of the run in ns, optional
        Charts of one page line up; where the pair's bars begin later or end earlier a line says so.
    """
    ts, close = ms(series.ts_ns), np.array(series.close)
    rows = ["detected", *(["planted"] if series.truth else [])]
    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.04,
        row_heights=[0.62, 0.2, 0.09 * len(rows)],
    )  # fmt: skip
    figure.add_trace(line_trace(ts, close, "close", BLUE), 1, 1)
    for trace in (*_trips(trades), *_fills(series)):
        figure.add_trace(trace, 1, 1)
    if series.targets:
        figure.add_trace(_wishes(series), 2, 1)
    figure.add_trace(_regimes(series, rows), 3, 1)
    for when, name, side in _edges(series, span):
        figure.add_vline(
            x=when / 1e6, line={"color": GREY, "width": 1.2, "dash": "dash"}, annotation_text=name,
            annotation_position=side, annotation_font_size=10, row=1, col=1,
        )  # fmt: skip
    figure.update_yaxes(**level_axis(close, title=f"price, {quote}"), row=1, col=1)
    figure.update_yaxes(title_text="wish, %", row=2, col=1)
    figure.update_yaxes(autorange="reversed", fixedrange=True, tickfont={"size": 10}, row=3, col=1)
    return finish(figure, 500, ms(span) if len(span) > 1 else ts)


def regime_legend(series: PairSeries) -> list[tuple[str, str]]:
    """Return ``(label, colour)`` of the regimes that occur, for a legend that wraps on a phone."""
    seen = {label for labels in (series.detected, series.truth) for label in labels}
    return [(label.replace("_", " "), REGIME_COLOURS[label]) for label in REGIMES if label in seen]


def _fills(series: PairSeries) -> list[go.Scatter]:
    out = []
    for side, name, symbol, colour in ((1, "buy", "triangle-up", GREEN), (-1, "sell", "triangle-down", RED)):
        fills = [f for f in series.fills if f.side == side]
        shown = [fills[i] for i in evenly(len(fills), MARKS)]
        hidden = len(fills) - len(shown)
        out.append(
            go.Scatter(
                x=ms([f.ts_ns for f in shown]), y=[f.price for f in shown], mode="markers",
                name=f"{name} fill" + (f" ({hidden} more hidden)" if hidden else ""),
                marker={"symbol": symbol, "size": 8, "color": colour, "line": {"width": 1, "color": "#ffffff"}},
                customdata=[[f.quantity, f.fee_quote, f.liquidity] for f in shown],
                hovertemplate="%{y} × %{customdata[0]}, fee %{customdata[1]}, %{customdata[2]}",
            )
        )  # fmt: skip
    return out


def _trips(trades: Sequence[Mapping[str, Any]]) -> list[go.Scatter]:
    """Lines from entry to exit."""
    out = []
    for name, colour, won in (("won", GREEN, True), ("lost", RED, False)):
        these = [t for t in trades if (float(t["pnl_quote"]) > 0.0) is won]
        shown = [these[i] for i in evenly(len(these), MARKS)]
        if not shown:
            continue
        x: list[float | None] = []
        y: list[float | None] = []
        for t in shown:
            x += [_at(t["opened_at"]), _at(t["closed_at"]), None]
            y += [float(t["entry_price"]), float(t["exit_price"]), None]
        hidden = len(these) - len(shown)
        out.append(
            go.Scatter(
                x=x, y=y, mode="lines", line={"color": colour, "width": 2.2}, opacity=0.75, hoverinfo="skip",
                name=f"{len(these)} round trips {name}" + (f" ({hidden} hidden)" if hidden else ""),
            )
        )  # fmt: skip
    return out


def _at(text: str) -> float:
    """Milliseconds of an RFC 3339 time in UTC, without what lies below a microsecond.

    >>> _at("1970-01-01T00:00:01Z")
    1000.0
    """
    whole = text.removesuffix("Z")[:26]
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() * 1000.0


def _wishes(series: PairSeries) -> go.Scatter:
    when, wish = zip(*series.targets, strict=True)
    # the last wish holds to the end of the range
    x = np.append(ms(when), ms(series.ts_ns)[-1] if series.ts_ns else ms(when)[-1])
    y = 100.0 * np.append(np.array(wish), wish[-1])
    at = keep_extremes(y)
    return go.Scatter(
        x=x[at], y=y[at], name="wish (signal)", mode="lines",
        line={"color": PURPLE, "width": 1.4, "shape": "hv"}, fill="tozeroy",
    )  # fmt: skip


def _regimes(series: PairSeries, rows: Sequence[str]) -> go.Heatmap:
    ts = ms(series.ts_ns)
    codes = {label: i for i, label in enumerate(REGIMES)}
    steps = [[(i + e) / len(REGIMES), REGIME_COLOURS[r]] for i, r in enumerate(REGIMES) for e in (0, 1)]
    z, text = [], []
    starts: list[int] = []
    for labels in (series.detected, series.truth)[: len(rows)]:
        starts, thinned = majority(labels, POINTS // 2)
        z.append([codes.get(label) for label in thinned])
        text.append([label.replace("_", " ") or "none" for label in thinned])
    return go.Heatmap(
        x=ts[starts] if len(ts) else [], y=list(rows), z=z, text=text, zmin=-0.5, zmax=len(REGIMES) - 0.5,
        colorscale=steps, showscale=False, ygap=2, hovertemplate="%{y}: %{text}<extra></extra>",
    )  # fmt: skip


def _edges(series: PairSeries, span: Sequence[int]) -> list[tuple[int, str, str]]:
    """Return ``(time, text, where it stands)`` of a first or last bar that is not the run's."""
    if len(span) < 2 or len(series.ts_ns) < _NEAR:
        return []
    first, last = series.ts_ns[0], series.ts_ns[-1]
    near = _NEAR * (series.ts_ns[1] - first)
    out = []
    if first > span[0] + near:
        out.append((first, f"first bar {clock(first)[:10]}", "top right"))
    if last < span[1] - near:
        out.append((last, f"last bar {clock(last)[:10]}", "top left"))
    return out
