"""Several runs side by side: one self-contained HTML page that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from actors.domain.errors import ConfigError
from actors.domain.evaluation.report_model import ReportModel
from actors.ops.report.html import LOUD, page, script_safe, write_whole
from actors.ops.report.intervals import label
from actors.ops.report.returns import bar_returns
from actors.ops.report.style import PALETTE, finish, level_axis, line_trace, ms
from actors.ops.report.tables import METRICS, Table, clock, number

_HASH = 64


def letters(count: int) -> list[str]:
    """Return the names of the compared runs: ``a``, ``b``, …

    Raises
    ------
    ConfigError
        If there are fewer than two, or more than there are letters.
    """
    if not 2 <= count <= len(ascii_lowercase):
        raise ConfigError(
            "REPORT_ARGUMENTS", f"report: expected 2 to {len(ascii_lowercase)} runs to compare, found {count}"
        )
    return list(ascii_lowercase[:count])


def rows_of(*metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return ``metric a b … difference`` of each metric; the difference of undefined values is None.

    ``difference`` is ``b - a``; with more than two runs ``differences`` holds those of each to ``a``.

    Examples
    --------
    >>> rows_of({"bars": 3, "fees_quote": "1.50"}, {"bars": 5, "fees_quote": "2"})[1]
    {'metric': 'fees_quote', 'a': '1.50', 'b': '2', 'difference': 0.5}
    >>> rows_of({"bars": 3}, {"bars": 5}, {"bars": 4})[0]["differences"]
    {'b': 2, 'c': 1}
    """
    names = letters(len(metrics))
    out = []
    for key in dict.fromkeys(k for m in metrics for k in m):
        values = [m.get(key) for m in metrics]
        row = {"metric": key, **dict(zip(names, values, strict=True))}
        row["difference"] = difference(values[0], values[1])
        if len(metrics) > 2:
            row["differences"] = {
                n: difference(values[0], v) for n, v in zip(names[1:], values[1:], strict=True)
            }
        out.append(row)
    return out


def difference(a: Any, b: Any) -> Any:
    """Return ``b - a`` of two numbers or two decimal texts as a number to read, else None.

    Examples
    --------
    >>> difference("1.10", "1.3"), difference(None, 1.0), difference(2, 5)
    (0.2, None, 3)
    """
    if isinstance(a, bool) or isinstance(b, bool):
        return None
    if isinstance(a, int | float) and isinstance(b, int | float):
        return b - a
    if isinstance(a, str) and isinstance(b, str):
        try:
            return float(Decimal(b) - Decimal(a))
        except InvalidOperation:
            return None
    return None


def build_comparison(
    runs: Sequence[tuple[str, ReportModel]],
    about: Sequence[Mapping[str, Any]],
    notes: Sequence[str],
    path: Path,
) -> Path:
    """Write the page of several runs, whole or not at all; return its absolute path.

    Parameters
    ----------
    runs : sequence of (run id, model)
    about : sequence of mappings ``name a b …``
        Identity of the runs: hashes, seeds, hosts.
    notes : sequence of str
        What a reader must know before comparing.

    Raises
    ------
    TradingError
        If it cannot be written.
    """
    return write_whole(path, render(runs, about, notes))


def render(
    runs: Sequence[tuple[str, ReportModel]], about: Sequence[Mapping[str, Any]], notes: Sequence[str]
) -> str:
    """Return the page."""
    names = letters(len(runs))
    models = [m for _, m in runs]
    return page(
        "report_compare.html.j2",
        title=" against ".join(i for i, _ in runs),
        warnings=[*doubts(runs, names), *notes],
        runs=[
            (n, i, m.info.title, ", ".join(m.info.pairs), _span(m))
            for n, (i, m) in zip(names, runs, strict=True)
        ],
        figures=[("curves", script_safe(str(curves(runs, names).to_json())))],
        tables=[
            metric_table(models, names),
            sure_table(models, names),
            setting_table(models, names),
            _table("Identity", ("name", *names), about),
        ],
    )


def doubts(runs: Sequence[tuple[str, ReportModel]], names: Sequence[str]) -> list[str]:
    """Return what keeps the runs from being compared like with like, or from being believed at all."""
    out = []
    for name, (_, model) in zip(names, runs, strict=True):
        if model.info.synthetic:
            out.append(f"{name}: SYNTHETIC market, not traded anywhere")
        out += [f"{name}: {note}" for note in model.notes if note.startswith(LOUD)]
    for what, of in (
        ("pairs", lambda m: m.info.pairs), ("bar lengths", lambda m: m.info.timeframe),
        ("ranges of time", _span), ("account currencies", lambda m: m.info.quote_currency),
    ):  # fmt: skip
        if len({of(m) for _, m in runs}) > 1:
            out.append(f"the runs have different {what}")
    return out


def metric_table(models: Sequence[ReportModel], names: Sequence[str]) -> Table:
    """Metrics of all runs with their units, and what each differs from the first."""
    rows = []
    for key, name, unit, scale, decimals, _ in METRICS:
        values = [m.metrics.get(key) for m in models]
        shown = models[0].info.quote_currency if unit == "quote" else unit
        changes = [number(difference(values[0], v), decimals, scale) for v in values[1:]]
        rows.append((name, *(number(v, decimals, scale) for v in values), *changes, shown))
    shared = [correlation(models[0], m) for m in models[1:]]
    if any(c is not None for c in shared):
        rows.append(
            (
                "correlation of bar returns with a",
                "",
                *(number(c, 2) for c in shared),
                *[""] * len(shared),
                "",
            )
        )
    return Table(
        caption="Metrics (after costs)",
        headers=("metric", *names, *(f"{n} – a" for n in names[1:]), "unit"), rows=rows,
        numeric=(False, *[True] * (2 * len(names) - 1), False),
        note="– means undefined, never zero. Correlation is over the bars that both runs have.",
    )  # fmt: skip


def sure_table(models: Sequence[ReportModel], names: Sequence[str]) -> Table:
    """Bootstrap intervals of all runs side by side: those that overlap do not tell the runs apart."""
    found = [{i.metric: i for i in m.intervals} for m in models]
    rows = []
    for key in dict.fromkeys(k for one in found for k in one):
        cells, unit = [], ""
        for one in found:
            row = one.get(key)
            if row is None or row.low is None or row.high is None:
                cells.append("–")
                continue
            _, unit, scale, decimals = label(row)
            cells.append(f"{number(row.low, decimals, scale)} to {number(row.high, decimals, scale)}")
        shown = next(label(one[key])[0] for one in found if key in one)
        rows.append((shown, *cells, unit))
    return Table(
        caption="95 % intervals", headers=("metric", *names, "unit"), rows=rows,
        numeric=(False, *[True] * len(names), False),
        note="Stationary bootstrap of each run's bar returns. Where intervals overlap widely, the record does not say "
        "which run is better.",
    )  # fmt: skip


def setting_table(models: Sequence[ReportModel], names: Sequence[str]) -> Table:
    """Settings of the resolved configurations in which the runs differ."""
    leaves = [dict(flat(m.config)) for m in models]
    rows = []
    for key in dict.fromkeys(k for one in leaves for k in one):
        cells = [one.get(key, "–") for one in leaves]
        if len(set(cells)) > 1:
            rows.append((key, *cells))
    return Table(caption="Settings that differ", headers=("setting", *names), rows=rows)


def flat(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Return the leaves of a configuration as ``(key path, text)``.

    Examples
    --------
    >>> flat({"a": {"b": 1}, "c": [{"kind": "rsi"}]})
    [('a.b', '1'), ('c.0.kind', 'rsi')]
    """
    if isinstance(value, Mapping) and value:
        return [leaf for k, v in value.items() for leaf in flat(v, f"{path}.{k}" if path else str(k))]
    if isinstance(value, list | tuple) and value and isinstance(value[0], Mapping | list):
        return [leaf for i, v in enumerate(value) for leaf in flat(v, f"{path}.{i}")]
    return [(path, str(value))]


def correlation(a: ReportModel, b: ReportModel) -> float | None:
    """Return the correlation of two runs' bar returns over the bars both have; None under 3 of them or constant."""
    x, y = (dict(zip(m.account.ts_ns, bar_returns(m.account).tolist(), strict=True)) for m in (a, b))
    both = [t for t in x if t in y]
    if len(both) < 3:
        return None
    one, two = np.array([x[t] for t in both]), np.array([y[t] for t in both])
    if one.std() == 0.0 or two.std() == 0.0:
        return None
    return float(np.corrcoef(one, two)[0, 1])


def _span(model: ReportModel) -> str:
    ts = model.account.ts_ns
    return f"{clock(ts[0])} to {clock(ts[-1])}" if ts else "no bars"


def curves(runs: Sequence[tuple[str, ReportModel]], names: Sequence[str]) -> go.Figure:
    """Growth of one unit of each run's capital, and below it the loss from each one's last peak."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.65, 0.35], vertical_spacing=0.05)
    spans = [m.account.ts_ns for _, m in runs if m.account.ts_ns]
    grown = []
    for k, (name, (run_id, model)) in enumerate(zip(names, runs, strict=True)):
        account, colour = model.account, PALETTE[k % len(PALETTE)]
        growth = np.array(account.equity, dtype=np.float64) / account.initial_equity
        grown.append(growth)
        ts = ms(account.ts_ns)
        figure.add_trace(line_trace(ts, growth, f"{name}: {run_id}", colour), 1, 1)
        peak = np.maximum(np.maximum.accumulate(growth), 1.0) if len(growth) else growth
        under = -100.0 * (1.0 - growth / peak)
        figure.add_trace(line_trace(ts, under, f"drawdown, {name}", colour, showlegend=False), 2, 1)
    ends = [min(s[0] for s in spans), max(s[-1] for s in spans)] if spans else []
    figure.update_yaxes(**level_axis(*grown, title="equity / initial capital"), row=1, col=1)
    figure.update_yaxes(title_text="drawdown, %", row=2, col=1)
    return finish(figure, 500, ms(ends))


def _table(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Table:
    return Table(
        caption=title, headers=tuple(columns), rows=[tuple(_text(r[c]) for c in columns) for r in rows],
        numeric=(False, *[True] * (len(columns) - 1)),
    )  # fmt: skip


def _text(value: Any) -> str:
    if value is None:
        return "–"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    # a whole hash in every column leaves no room on any screen; the JSON beside the page has it
    return text if len(text) != _HASH else f"{text[:12]}…"
