"""The report's figures, built in Python with plotly and drawn in the browser by plotly's own JavaScript."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from actors.domain.evaluation.report_model import ReportModel, WeightSeries
from actors.ops.report import returns
from actors.ops.report.costs import cost_figure
from actors.ops.report.exposure import exposure_figure
from actors.ops.report.intervals import interval_figure
from actors.ops.report.price import pair_figure
from actors.ops.report.style import (
    BLUE,
    GREEN,
    MARKS,
    ORANGE,
    PALETTE,
    PURPLE,
    RED,
    finish,
    level_axis,
    line_trace,
    ms,
)
from actors.ops.report.thinning import evenly


def equity_figure(model: ReportModel) -> go.Figure:
    """Equity after costs against buy-and-hold, and both drawdowns, drawn downwards; marked windows by number."""
    account, quote = model.account, model.info.quote_currency
    ts = ms(account.ts_ns)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.65, 0.35], vertical_spacing=0.05)
    equity, benchmark = np.array(account.equity), np.array(account.benchmark)
    figure.add_trace(line_trace(ts, equity, "this run", BLUE), 1, 1)
    figure.add_trace(line_trace(ts, benchmark, "buy and hold", ORANGE, line={"dash": "dot"}), 1, 1)
    start = account.initial_equity
    for values, name, colour, dash in (
        (equity, "this run", BLUE, "solid"),
        (benchmark, "buy and hold", ORANGE, "dot"),
    ):
        peak = np.maximum(np.maximum.accumulate(values), start)
        figure.add_trace(
            line_trace(
                ts, -100.0 * (1.0 - values / peak), f"drawdown, {name}", colour, line={"dash": dash},
                showlegend=False,
            ),
            2, 1,
        )  # fmt: skip
    for number, window in enumerate(model.windows, start=1):
        # names would lie on each other: the table has them
        figure.add_vrect(
            x0=window.start_ns / 1e6, x1=window.end_ns / 1e6, fillcolor=PURPLE, opacity=0.2, line_width=0,
            layer="below", annotation_text=str(number), annotation_position="top", annotation_font_size=11,
            row=1, col=1,
        )  # fmt: skip
    figure.update_yaxes(**level_axis(equity, benchmark, title=f"equity, {quote}"), row=1, col=1)
    figure.update_yaxes(title_text="drawdown, %", row=2, col=1)
    return finish(figure, 460, ts)


def weights_figure(series: WeightSeries, span: Sequence[int] = ()) -> go.Figure:
    """Weights of the agents over time, stacked to 100 %; `span` holds the run's first and last close."""
    figure = go.Figure()
    ts, table = ms(series.ts_ns), 100.0 * np.array(series.weights)
    at = evenly(len(ts))
    for k, member in enumerate(series.members):
        figure.add_trace(
            go.Scatter(
                x=ts[at], y=table[at, k], name=member, mode="lines", stackgroup="one",
                line={"width": 0.8, "color": PALETTE[k % len(PALETTE)], "shape": "hv"},
            )
        )  # fmt: skip
    figure.update_yaxes(title_text="weight, %", range=[0, 100])
    return finish(figure, 320, ms(span) if len(span) > 1 else ts)


def risk_figure(model: ReportModel) -> go.Figure:
    """Gross exposure with its limit, the bound of the book's expected shortfall if it was measured, breakers."""
    account = model.account
    ts = ms(account.ts_ns)
    measured = any(account.es_bound_frac)
    figure = make_subplots(rows=1 + measured, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    gross = 100.0 * np.array([sum(map(abs, row)) for row in account.exposures], dtype=float)
    figure.add_trace(line_trace(ts, gross, "gross exposure", BLUE), 1, 1)
    limit = model.limits.get("max_gross_exposure.limit_frac")
    if limit is not None and len(ts):
        figure.add_trace(
            go.Scatter(
                x=ts[[0, -1]], y=[100 * limit] * 2, name="limit", mode="lines",
                line={"color": RED, "dash": "dash", "width": 1.4},
            ),
            1, 1,
        )  # fmt: skip
    for name, symbol, colour in (
        ("breaker tripped", "x", RED),
        ("breaker reset", "circle-open", GREEN),
        ("limit broken by the market", "diamond-open", PURPLE),
    ):
        events = [e for e in model.risk_events if e.what == name]
        shown = [events[i] for i in evenly(len(events), MARKS)]
        if events:
            figure.add_trace(
                go.Scatter(
                    x=ms([e.ts_ns for e in shown]), y=[0.0] * len(shown), mode="markers", name=name,
                    text=[e.name for e in shown], hovertemplate="%{text}",
                    marker={"symbol": symbol, "size": 10, "color": colour}, cliponaxis=False,
                ),
                1, 1,
            )  # fmt: skip
    figure.update_yaxes(title_text="gross, % of equity", rangemode="tozero", row=1, col=1)
    if measured:
        es = 100.0 * np.array([np.nan if v is None else v for v in account.es_bound_frac], dtype=float)
        confidence = f"{100 * account.es_confidence:g} %"
        figure.add_trace(line_trace(ts, es, f"expected shortfall, {confidence}, at most", ORANGE), 2, 1)
        figure.update_yaxes(title_text="1-bar loss, %", rangemode="tozero", row=2, col=1)
    return finish(figure, 400 if measured else 260, ts)


def figures(model: ReportModel) -> dict[str, str]:
    """Return all figures of a report as plotly JSON by element id.

    Raises
    ------
    ValueError
        If the model's series contradict each other in length.
    """
    account = model.account
    span = account.ts_ns[:1] + account.ts_ns[-1:]
    out = {
        "equity": equity_figure(model), "underwater": returns.underwater_figure(model),
        "rolling": returns.rolling_figure(model), "distribution": returns.distribution_figure(model),
        "exposure": exposure_figure(model), "risk": risk_figure(model), "costs": cost_figure(model),
        "excursions": returns.excursion_figure(model),
    }  # fmt: skip
    if model.intervals:
        out["intervals"] = interval_figure(model)
    for k, series in enumerate(model.pairs):
        trades = [t for t in model.trades if t["pair"] == series.pair]
        out[f"pair-{k}"] = pair_figure(series, model.info.quote_currency, trades, span)
    for k, weights in enumerate(model.weights):
        out[f"weights-{k}"] = weights_figure(weights, span)
    return {name: str(figure.to_json()) for name, figure in out.items()}
