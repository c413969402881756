"""How sure the ratios are: each with its bootstrap interval, drawn and as a table."""

from __future__ import annotations

import plotly.graph_objects as go

from actors.domain.evaluation.report_model import IntervalRow, ReportModel
from actors.ops.report.statistics import OF_BARS
from actors.ops.report.style import BLUE, GREY, ORANGE, plain
from actors.ops.report.tables import METRICS, Table, number

_NOTHING = {
    "omega": 1.0, "profit_factor": 1.0, "profit_factor_bars": 1.0, "total_return_frac": 0.0, "cagr_frac": 0.0,
    "sharpe_ann": 0.0, "sortino_ann": 0.0, "calmar": 0.0,
}  # fmt: skip
"""What a metric is where nothing was earned; the others have no such value."""


def label(row: IntervalRow) -> tuple[str, str, float, int]:
    """Return name, unit, scale and decimals of an interval's metric."""
    for key, name, unit, scale, decimals in (*(m[:5] for m in METRICS), *OF_BARS):
        if key == row.metric:
            return name, unit, scale, decimals
    return row.metric, "", 1.0, 3


def shows_nothing(row: IntervalRow) -> bool:
    """True if the interval holds the value of a run that earned nothing."""
    zero = _NOTHING.get(row.metric)
    if zero is None or row.low is None or row.high is None:
        return False
    return row.low <= zero <= row.high


def interval_figure(model: ReportModel) -> go.Figure:
    """Each ratio with its interval, one row apiece; rows have scales of their own, zero is common to all."""
    rows = [i for i in model.intervals if i.low is not None and i.high is not None]
    figure = go.Figure()
    for k, row in enumerate(rows):
        low, high = float(row.low or 0.0), float(row.high or 0.0)
        middle = model.metrics.get(row.metric) if row.value is None else row.value
        reach = max(abs(low), abs(high), abs(middle or 0.0)) or 1.0
        name, unit, scale, decimals = label(row)
        text = (
            # a phone has no room for more than the name
            f"{name.partition(' (')[0]}: {number(middle, decimals, scale)}{' ' + unit if unit else ''}"
            f" ({number(low, decimals, scale)} to {number(high, decimals, scale)})"
        )
        colour = GREY if shows_nothing(row) else BLUE
        figure.add_trace(
            go.Scatter(
                x=[low / reach, high / reach], y=[k, k], mode="lines", line={"color": colour, "width": 6},
                showlegend=False, hoverinfo="skip",
            )
        )  # fmt: skip
        if middle is not None:
            figure.add_trace(
                go.Scatter(
                    x=[middle / reach], y=[k], mode="markers", marker={"color": ORANGE, "size": 10},
                    showlegend=False, text=[text], hovertemplate="%{text}<extra></extra>",
                )
            )  # fmt: skip
        figure.add_annotation(x=-1.05, y=k, text=text, showarrow=False, xanchor="left", yshift=13,
                              font={"size": 11})  # fmt: skip
    figure.add_vline(x=0.0, line={"color": GREY, "width": 1})
    figure.update_yaxes(showticklabels=False, autorange="reversed", showgrid=False, zeroline=False)
    figure.update_xaxes(range=[-1.08, 1.08], tickvals=[0.0], ticktext=["0"], showgrid=False, zeroline=False)
    return plain(figure, 60 + 44 * max(len(rows), 1))


def interval_table(model: ReportModel) -> Table:
    """Ratios with their bootstrap intervals."""
    rows = []
    for row in model.intervals:
        name, unit, scale, decimals = label(row)
        figures = [number(x, decimals, scale) for x in (row.value, row.low, row.high)]
        sign = "–" if row.metric not in _NOTHING or row.low is None else "no" if shows_nothing(row) else "yes"
        rows.append((name, *figures, unit, sign, number(row.confidence, 0, 100), f"{row.paths:,}"))
    return Table(
        caption="How sure the ratios are",
        headers=("metric", "value", "low", "high", "unit", "differs from nothing", "confidence, %", "paths"),
        rows=rows,
        numeric=(False, True, True, True, False, False, True, True),
        note="Stationary bootstrap of the bar returns (blocks keep their clustering). Where an interval holds the "
        "value of a run that earned nothing (0; for omega 1), drawn in grey, this record does not show the sign.",
    )
