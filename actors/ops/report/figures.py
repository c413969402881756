"""The report's figures, built in Python with plotly and drawn in the browser by plotly's own JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from actors.domain.evaluation.report_model import PairSeries, ReportModel, WeightSeries
from actors.domain.events.regime import REGIMES
from actors.ops.report.thinning import POINTS, evenly, keep_extremes, majority

# Okabe-Ito: told apart by the colour-blind, readable on white and on black
BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#888888"
SKY = "#56b4e9"
REGIME_COLOURS = dict(zip(REGIMES, (GREEN, ORANGE, GREY, RED, PURPLE, SKY), strict=True))
PALETTE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY, "#f0e442")
_MARKS = 500


def _ms(ts_ns: Sequence[int]) -> NDArray[np.float64]:
    # plotly's date axis counts milliseconds; doubles hold them exactly
    return np.asarray(ts_ns, dtype=np.int64) / 1e6


def _line(
    ts: NDArray[np.float64], values: NDArray[np.float64], name: str, colour: str, **extra: Any
) -> go.Scatter:
    at = keep_extremes(values)
    line = {"color": colour, "width": 1.6, **extra.pop("line", {})}
    return go.Scatter(x=ts[at], y=values[at], name=name, mode="lines", line=line, **extra)


def _finish(figure: go.Figure, height: int, ts: NDArray[np.float64]) -> go.Figure:
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


def equity_figure(model: ReportModel) -> go.Figure:
    """Equity after costs against buy-and-hold, and both drawdowns, drawn downwards."""
    account, quote = model.account, model.info.quote_currency
    ts = _ms(account.ts_ns)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.65, 0.35], vertical_spacing=0.05)
    equity, benchmark = np.array(account.equity), np.array(account.benchmark)
    figure.add_trace(_line(ts, equity, "fleet", BLUE), 1, 1)
    figure.add_trace(_line(ts, benchmark, "buy and hold", ORANGE, line={"dash": "dot"}), 1, 1)
    start = account.initial_equity
    for values, name, colour, dash in (
        (equity, "fleet", BLUE, "solid"),
        (benchmark, "buy and hold", ORANGE, "dot"),
    ):
        peak = np.maximum(np.maximum.accumulate(values), start)
        figure.add_trace(
            _line(
                ts, -100.0 * (1.0 - values / peak), f"drawdown, {name}", colour, line={"dash": dash},
                showlegend=False,
            ),
            2, 1,
        )  # fmt: skip
    figure.update_yaxes(title_text=f"equity, {quote}", row=1, col=1)
    figure.update_yaxes(title_text="drawdown, %", row=2, col=1)
    return _finish(figure, 460, ts)


def pair_figure(series: PairSeries, quote: str) -> go.Figure:
    """Close with fills and changes of the wished exposure; below it the regimes, detected and planted."""
    ts, close = _ms(series.ts_ns), np.array(series.close)
    rows = ["detected", *(["planted"] if series.truth else [])]
    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.04,
        row_heights=[0.62, 0.2, 0.09 * len(rows)],
    )  # fmt: skip
    figure.add_trace(_line(ts, close, "close", BLUE), 1, 1)
    for side, name, symbol, colour in ((1, "buy", "triangle-up", GREEN), (-1, "sell", "triangle-down", RED)):
        fills = [f for f in series.fills if f.side == side]
        at = evenly(len(fills), _MARKS)
        shown = [fills[i] for i in at]
        hidden = len(fills) - len(shown)
        figure.add_trace(
            go.Scatter(
                x=_ms([f.ts_ns for f in shown]),
                y=[f.price for f in shown],
                mode="markers",
                name=f"{name} fill" + (f" ({hidden} more hidden)" if hidden else ""),
                marker={
                    "symbol": symbol,
                    "size": 9,
                    "color": colour,
                    "line": {"width": 1, "color": "#ffffff"},
                },
                customdata=[[f.quantity, f.fee_quote, f.liquidity] for f in shown],
                hovertemplate="%{y} × %{customdata[0]}, fee %{customdata[1]}, %{customdata[2]}",
            ),
            1,
            1,
        )
    if series.targets:
        when, wish = zip(*series.targets, strict=True)
        # the last wish holds to the end of the range
        x = np.append(_ms(when), ts[-1] if len(ts) else _ms(when)[-1])
        y = 100.0 * np.append(np.array(wish), wish[-1])
        at = keep_extremes(y)
        figure.add_trace(
            go.Scatter(
                x=x[at], y=y[at], name="wish (signal)", mode="lines",
                line={"color": PURPLE, "width": 1.4, "shape": "hv"}, fill="tozeroy",
            ),
            2, 1,
        )  # fmt: skip
    codes = {label: i for i, label in enumerate(REGIMES)}
    steps = [[(i + e) / len(REGIMES), REGIME_COLOURS[r]] for i, r in enumerate(REGIMES) for e in (0, 1)]
    z, text = [], []
    starts: list[int] = []
    for labels in (series.detected, series.truth)[: len(rows)]:
        starts, thinned = majority(labels, POINTS // 2)
        z.append([codes.get(label) for label in thinned])
        text.append([label.replace("_", " ") or "none" for label in thinned])
    figure.add_trace(
        go.Heatmap(
            x=ts[starts] if len(ts) else [], y=rows, z=z, text=text, zmin=-0.5, zmax=len(REGIMES) - 0.5,
            colorscale=steps, showscale=False, ygap=2, hovertemplate="%{y}: %{text}<extra></extra>",
        ),
        3, 1,
    )  # fmt: skip
    figure.update_yaxes(title_text=f"price, {quote}", row=1, col=1)
    figure.update_yaxes(title_text="wish, %", row=2, col=1)
    figure.update_yaxes(autorange="reversed", fixedrange=True, tickfont={"size": 10}, row=3, col=1)
    return _finish(figure, 500, ts)


def regime_legend(series: PairSeries) -> list[tuple[str, str]]:
    """Return ``(label, colour)`` of the regimes that occur, for a legend that wraps on a phone."""
    seen = {label for labels in (series.detected, series.truth) for label in labels}
    return [(label.replace("_", " "), REGIME_COLOURS[label]) for label in REGIMES if label in seen]


def weights_figure(series: WeightSeries) -> go.Figure:
    """Weights of the agents over time, stacked to 100 %."""
    figure = go.Figure()
    ts, table = _ms(series.ts_ns), 100.0 * np.array(series.weights)
    at = evenly(len(ts))
    for k, member in enumerate(series.members):
        figure.add_trace(
            go.Scatter(
                x=ts[at], y=table[at, k], name=member, mode="lines", stackgroup="one",
                line={"width": 0.8, "color": PALETTE[k % len(PALETTE)], "shape": "hv"},
            )
        )  # fmt: skip
    figure.update_yaxes(title_text="weight, %", range=[0, 100])
    return _finish(figure, 320, ts)


def risk_figure(model: ReportModel) -> go.Figure:
    """Gross exposure with its limit, the bound of the book's expected shortfall, breaker events."""
    account = model.account
    ts = _ms(account.ts_ns)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    gross = 100.0 * np.array([sum(map(abs, row)) for row in account.exposures], dtype=float)
    figure.add_trace(_line(ts, gross, "gross exposure", BLUE), 1, 1)
    limit = model.limits.get("max_gross_exposure.limit_frac")
    if limit is not None and len(ts):
        figure.add_trace(
            go.Scatter(
                x=ts[[0, -1]], y=[100 * limit] * 2, name="limit", mode="lines",
                line={"color": RED, "dash": "dash", "width": 1.4},
            ),
            1, 1,
        )  # fmt: skip
    es = 100.0 * np.array([np.nan if v is None else v for v in account.es_bound_frac], dtype=float)
    confidence = f"{100 * account.es_confidence:g} %"
    figure.add_trace(_line(ts, es, f"expected shortfall, {confidence}, at most", ORANGE), 2, 1)
    for name, symbol, colour in (
        ("breaker tripped", "x", RED),
        ("breaker reset", "circle-open", GREEN),
        ("limit broken by the market", "diamond-open", PURPLE),
    ):
        events = [e for e in model.risk_events if e.what == name][:_MARKS]
        if events:
            figure.add_trace(
                go.Scatter(
                    x=_ms([e.ts_ns for e in events]), y=[0.0] * len(events), mode="markers", name=name,
                    text=[e.name for e in events], hovertemplate="%{text}",
                    marker={"symbol": symbol, "size": 10, "color": colour}, cliponaxis=False,
                ),
                1, 1,
            )  # fmt: skip
    figure.update_yaxes(title_text="gross, % of equity", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title_text="1-bar loss, %", rangemode="tozero", row=2, col=1)
    return _finish(figure, 400, ts)


def cost_figure(model: ReportModel) -> go.Figure:
    """Fees and slippage paid so far."""
    account, quote = model.account, model.info.quote_currency
    ts = _ms(account.ts_ns)
    figure = go.Figure()
    figure.add_trace(_line(ts, np.array(account.fees_quote), "fees", RED))
    figure.add_trace(
        _line(
            ts, np.array(account.slippage_quote), "slippage (positive = cost)", PURPLE, line={"dash": "dot"}
        )
    )
    figure.update_yaxes(title_text=f"paid so far, {quote}")
    return _finish(figure, 280, ts)


def figures(model: ReportModel) -> dict[str, str]:
    """Return all figures of a report as plotly JSON by element id.

    Raises
    ------
    ValueError
        If the model's series contradict each other in length.
    """
    out = {"equity": equity_figure(model), "risk": risk_figure(model), "costs": cost_figure(model)}
    for k, series in enumerate(model.pairs):
        out[f"pair-{k}"] = pair_figure(series, model.info.quote_currency)
    for k, weights in enumerate(model.weights):
        out[f"weights-{k}"] = weights_figure(weights)
    return {name: str(figure.to_json()) for name, figure in out.items()}
