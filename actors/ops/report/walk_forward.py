"""The page of a walk-forward: stitched equity, folds in sample and out, verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from actors.ops.report.style import BLUE, GREY, ORANGE, finish, level_axis, line_trace, ms, plain
from actors.ops.report.tables import Table, number
from actors.ops.report.verdict_page import VerdictPage, write_page

FloatArray = NDArray[np.float64]


def build_walk_forward_report(
    result: Mapping[str, Any],
    folds: Sequence[FloatArray],
    times: NDArray[np.int64],
    benchmark: FloatArray,
    path: Path,
) -> Path:
    """Write the page of a walk-forward; return its absolute path.

    Parameters
    ----------
    result : mapping
        The verb's JSON result.
    folds : sequence of arrays
        Returns per bar of each fold's test.
    times : int array, shape (bars of all folds,)
    benchmark : array, same shape
        Returns of holding the market.
    """
    m, b, v = result["metrics"], result["benchmark"], result["verdict"]
    interval = result["intervals"]["sharpe_ann"] or {}
    sure = f"95 %: {interval['low']:.2f} to {interval['high']:.2f}" if interval.get("low") is not None else ""
    page = VerdictPage(
        title=f"Walk-forward: {', '.join(result['strategies'])}",
        about=(
            f"{', '.join(result['pairs'])}, {result['timeframe']}, {len(folds)} folds "
            f"({'anchored' if result['anchored'] else 'rolling'}), embargo {result['embargo_bars']} bars, "
            f"{result['trials']} trials by {result['objective']}, run {result['run_id']}"
        ),
        words=v["words"],
        lead=(
            f"Out of sample, {m['bars']:,} bars that no choice had seen, costs on: "
            f"{number(m['total_return_frac'], 1, 100)} % in all; holding the market "
            f"{number(b['total_return_frac'], 1, 100)} %."
        ),
        checks=v["checks"], change=v["would_change"], notes=result["notes"],
        cards=[
            ("return", f"{number(m['total_return_frac'], 1, 100)} %", "out of sample"),
            ("a year", f"{number(m['cagr_frac'], 1, 100)} %", f"market {number(b['cagr_frac'], 1, 100)} %"),
            ("Sharpe, annual", number(m["sharpe_ann"], 2), sure),
            ("max drawdown", f"{number(m['max_drawdown_frac'], 1, 100)} %",
             f"market {number(b['max_drawdown_frac'], 1, 100)} %"),
            ("efficiency", number(result["efficiency"], 2), "growth out of / in sample"),
            ("folds won", f"{number(result['folds_won_frac'], 0, 100)} %", f"of {len(folds)}"),
            ("round trips", str(m["trade_count"]), f"{m['bars']:,} bars"),
        ],
        figures=[
            ("equity", "Stitched out-of-sample equity", equity_figure(folds, times, benchmark),
             "Growth of 1, costs on; dotted lines are fold borders, at which nothing is carried over."),
            ("folds", "Sharpe ratio in sample and out", fold_figure(result["folds"]),
             "A choice that carries over keeps the height of its bar."),
        ],
        tables=[fold_table(result["folds"]), param_table(result["folds"])],
    )  # fmt: skip
    return write_page(page, path)


def equity_figure(folds: Sequence[FloatArray], times: NDArray[np.int64], benchmark: FloatArray) -> go.Figure:
    """Growth of the stitched record and of the market, and the loss from the record's last peak."""
    growth = np.asarray(np.cumprod(1.0 + np.concatenate(folds)), dtype=np.float64)
    market = np.asarray(np.cumprod(1.0 + benchmark), dtype=np.float64)
    ts = ms(times.tolist())
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.68, 0.32], vertical_spacing=0.05)
    figure.add_trace(line_trace(ts, growth, "walk-forward", BLUE), 1, 1)
    figure.add_trace(line_trace(ts, market, "holding the market", GREY), 1, 1)
    peak = np.maximum(np.maximum.accumulate(growth), 1.0)
    under = -100.0 * (1.0 - growth / peak)
    figure.add_trace(line_trace(ts, under, "drawdown", BLUE, showlegend=False), 2, 1)
    at = 0
    for fold in folds[:-1]:
        at += len(fold)
        figure.add_vline(x=float(ts[at]), line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_yaxes(**level_axis(growth, market, title="growth of 1"), row=1, col=1)
    figure.update_yaxes(title_text="drawdown, %", row=2, col=1)
    return finish(figure, 480, ts)


def fold_figure(rows: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Sharpe ratios of every fold, where it was chosen and where it was tested."""
    names = [f"{r['number'] + 1}" for r in rows]
    inside = [r["train"]["metrics"].get("sharpe_ann") for r in rows]
    outside = [r["test"]["sharpe_ann"] for r in rows]
    figure = go.Figure(
        [
            go.Bar(x=names, y=inside, name="in sample (best of the trials)", marker_color=ORANGE),
            go.Bar(x=names, y=outside, name="out of sample", marker_color=BLUE),
        ]
    )
    plain(figure, 300).update_layout(bargap=0.25)
    figure.update_xaxes(title_text="fold", type="category")
    figure.update_yaxes(title_text="Sharpe, annual")
    return figure


def fold_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Every fold in one row."""
    return Table(
        caption="Folds",
        headers=("fold", "train", "test", "Sharpe in", "Sharpe out", "a year in, %", "a year out, %", "return out, %",
                 "max drawdown out, %", "efficiency", "trades", "way out, %"),
        rows=[
            (
                str(r["number"] + 1), f"{r['train_from'][:10]} – {r['train_to'][:10]}",
                f"{r['test_from'][:10]} – {r['test_to'][:10]}", number(r["train"]["metrics"].get("sharpe_ann"), 2),
                number(r["test"]["sharpe_ann"], 2), number(r["train"]["metrics"].get("cagr_frac"), 1, 100),
                number(r["test"]["cagr_frac"], 1, 100), number(r["test"]["total_return_frac"], 1, 100),
                number(r["test"]["max_drawdown_frac"], 1, 100), number(r["efficiency"], 2),
                str(r["test"]["trade_count"]), number(r["exit_cost_frac"], 3, 100),
            )
            for r in rows
        ],
        numeric=(False, False, False, *[True] * 9),
        note="In: the chosen parameters on the train, the best of its trials. Out: on the test. Efficiency is annual "
        "growth out over in, undefined (–) where there was none in sample. Way out: cost of leaving what was held.",
    )  # fmt: skip


def param_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """What every fold chose."""
    names = list(dict.fromkeys(n for r in rows for n in r["params"] or {}))
    return Table(
        caption="Parameters chosen",
        headers=("parameter", *(f"fold {r['number'] + 1}" for r in rows)),
        rows=[
            (n.replace(".params.", ".").removeprefix("strategies."),
             *(_text((r["params"] or {}).get(n)) for r in rows))
            for n in names
        ],
        numeric=(False, *[True] * len(rows)),
        note="Parameters that jump from fold to fold say that the trains do not agree.",
    )  # fmt: skip


def _text(value: Any) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
