"""Figures about the run's returns: how deep, how steady, how distributed, how the trades went."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from actors.domain.evaluation.report_model import AccountSeries, ReportModel
from actors.ops.report.style import (
    BLUE,
    GREEN,
    GREY,
    MARKS,
    ORANGE,
    PURPLE,
    RED,
    finish,
    line_trace,
    ms,
    plain,
)
from actors.ops.report.thinning import evenly

YEAR_NS = 365 * 86_400_000_000_000
ROLLING_NS = 30 * 86_400_000_000_000
_MIN_ROLLING = 20
_SHADED = 5


def bar_returns(account: AccountSeries) -> NDArray[np.float64]:
    """Return the simple return of each bar, shape (bars,); the first is measured from the initial capital."""
    curve = np.array([account.initial_equity, *account.equity], dtype=np.float64)
    return np.asarray(curve[1:] / curve[:-1] - 1.0, dtype=np.float64)


def bar_length_ns(account: AccountSeries) -> int | None:
    """Return the usual distance of two bars, None where there are fewer than two."""
    if len(account.ts_ns) < 2:
        return None
    return int(np.median(np.diff(np.asarray(account.ts_ns, dtype=np.int64))))


def underwater_figure(model: ReportModel) -> go.Figure:
    """Loss from the last peak, drawn downwards, the five deepest spells shaded."""
    account = model.account
    ts = ms(account.ts_ns)
    equity = np.array(account.equity, dtype=np.float64)
    peak = np.maximum(np.maximum.accumulate(equity), account.initial_equity) if len(equity) else equity
    under = -100.0 * (1.0 - equity / peak)
    figure = go.Figure()
    figure.add_trace(line_trace(ts, under, "below the last peak", BLUE, fill="tozeroy"))
    for spell in model.drawdowns[:_SHADED]:
        end = spell.recovered_ns if spell.recovered_ns is not None else account.ts_ns[-1]
        figure.add_vrect(
            x0=spell.peak_ns / 1e6, x1=end / 1e6, fillcolor=RED, opacity=0.12, line_width=0, layer="below"
        )
    figure.update_yaxes(title_text="under water, %", range=None if np.any(under) else [-1.0, 0.0])
    return finish(figure, 260, ts)


def rolling_figure(model: ReportModel) -> go.Figure:
    """Annual Sharpe ratio and volatility of the last 30 days (or as many bars as make 20), bar by bar."""
    account = model.account
    ts, returns = ms(account.ts_ns), bar_returns(account)
    length = bar_length_ns(account)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.62, 0.38], vertical_spacing=0.06)
    window = 0 if length is None else max(_MIN_ROLLING, ROLLING_NS // length)
    if length is not None and len(returns) > window:
        periods = YEAR_NS / length
        mean, deviation = _rolling(returns, window)
        with np.errstate(divide="ignore", invalid="ignore"):
            # a window in which nothing was held has no ratio
            ratio = np.where(deviation > 0, mean / deviation * math.sqrt(periods), np.nan)
        at = ts[window - 1 :]
        figure.add_trace(line_trace(at, ratio, f"Sharpe, last {window} bars", BLUE), 1, 1)
        volatility = 100.0 * deviation * math.sqrt(periods)
        figure.add_trace(line_trace(at, volatility, "volatility, % a year", ORANGE), 2, 1)
        figure.add_hline(y=0.0, line={"color": GREY, "width": 1}, row=1, col=1)
    else:
        figure.add_annotation(
            text=f"needs more than {window or _MIN_ROLLING} bars", showarrow=False, x=0.5, y=0.5,
            xref="paper", yref="paper",
        )  # fmt: skip
    figure.update_yaxes(title_text="Sharpe, annual", row=1, col=1)
    figure.update_yaxes(title_text="volatility, %", rangemode="tozero", row=2, col=1)
    return finish(figure, 380, ts)


def _rolling(values: NDArray[np.float64], window: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation (ddof 1) of each full window; centred first, so that sums of squares keep their digits."""
    shifted = values - values.mean()
    one = np.concatenate(([0.0], np.cumsum(shifted)))
    two = np.concatenate(([0.0], np.cumsum(shifted * shifted)))
    total, squares = one[window:] - one[:-window], two[window:] - two[:-window]
    variance = (squares - total * total / window) / (window - 1)
    # what cancellation leaves of a window of equal returns is no variance
    variance[variance <= 1e-12 * max(float(two[-1]) / len(values), 1e-300)] = 0.0
    return total / window + values.mean(), np.sqrt(variance)


def distribution_figure(model: ReportModel) -> go.Figure:
    """Histogram of bar returns beside a normal law of the same mean and deviation, with VaR and ES."""
    returns = 100.0 * bar_returns(model.account)
    held = returns[returns != 0.0]
    figure = go.Figure()
    if held.size > 1:
        low, high = np.quantile(held, [0.001, 0.999])
        edges = np.linspace(low, high, 81) if high > low else np.linspace(low - 1e-6, low + 1e-6, 3)
        counts, edges = np.histogram(np.clip(held, edges[0], edges[-1]), bins=edges)
        middle, width = (edges[1:] + edges[:-1]) / 2, float(edges[1] - edges[0])
        figure.add_trace(
            go.Bar(x=middle, y=counts, width=width, name="bars with a return", marker={"color": BLUE})
        )
        # the normal law's far tail would stretch a logarithmic axis down to nothing
        figure.update_yaxes(range=[-0.3, math.log10(float(counts.max())) + 0.2])
        mean, deviation = float(held.mean()), float(held.std(ddof=1))
        if deviation > 0:
            normal = np.exp(-0.5 * ((middle - mean) / deviation) ** 2) / (deviation * math.sqrt(2 * math.pi))
            figure.add_trace(
                go.Scatter(
                    x=middle, y=normal * width * held.size, name="normal law", mode="lines",
                    line={"color": ORANGE, "dash": "dot"},
                )
            )  # fmt: skip
        for key, name, colour in (("var_95_frac", "VaR 95 %", PURPLE), ("es_95_frac", "ES 95 %", RED)):
            value = model.metrics.get(key)
            if value is not None:
                figure.add_trace(
                    go.Scatter(
                        x=[-100.0 * value] * 2, y=[0.5, float(counts.max())],
                        name=f"{name}: loss of {100.0 * value:.3f} %", mode="lines",
                        line={"color": colour, "dash": "dash", "width": 1.6}, hoverinfo="name",
                    )
                )  # fmt: skip
        figure.update_yaxes(title_text="bars (log)", type="log", dtick=1)
    else:
        figure.add_annotation(
            text="fewer than two bars with a return",
            showarrow=False,
            x=0.5,
            y=0.5,
            xref="paper",
            yref="paper",
        )
    figure.update_xaxes(title_text="return of a bar, % (outermost: all beyond)")
    return plain(figure, 340)


def excursion_figure(model: ReportModel) -> go.Figure:
    """Net return of each round trip against how far it had gone against and for its holder."""
    figure = go.Figure()
    known = [t for t in model.trades if t.get("mae_frac") is not None]
    shown = [known[i] for i in evenly(len(known), 4 * MARKS)]
    for key, name, colour, symbol in (
        ("mae_frac", "worst mark (MAE)", RED, "triangle-down"),
        ("mfe_frac", "best mark (MFE)", GREEN, "triangle-up"),
    ):
        figure.add_trace(
            go.Scatter(
                x=[100.0 * t[key] for t in shown], y=[100.0 * t["return_frac"] for t in shown],
                mode="markers", name=name, marker={"color": colour, "symbol": symbol, "size": 7, "opacity": 0.7},
                text=[f"{t['pair']} {t['side']} {t['opened_at'][:16]}" for t in shown],
                hovertemplate="%{text}<br>mark %{x:.2f} %, net %{y:.2f} %",
            )
        )  # fmt: skip
    figure.add_hline(y=0.0, line={"color": GREY, "width": 1})
    figure.update_xaxes(title_text="farthest mark from entry while held, %", rangemode="tozero")
    figure.update_yaxes(title_text="net return of the trip, %")
    return plain(figure, 340)
