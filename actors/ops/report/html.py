"""Writes a run's report as ONE self-contained HTML file that needs no network."""

from __future__ import annotations

import json
import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
import yaml

from actors.domain.errors import StorageError
from actors.domain.evaluation.report_model import ReportModel
from actors.ops.report import periods, tables
from actors.ops.report.costs import cost_table
from actors.ops.report.figures import figures
from actors.ops.report.intervals import interval_table
from actors.ops.report.price import regime_legend
from actors.ops.report.regimes import RegimePart, regime_part
from actors.ops.report.returns import bar_returns
from actors.ops.report.statistics import bars_table, benchmark_table, choice_table
from actors.ops.report.thinning import POINTS
from actors.ops.report.trades import open_table, trade_table

_HERE = Path(__file__).parent


def build_report(model: ReportModel, path: Path | str) -> Path:
    """Write the report, whole or not at all; return its absolute path.

    Raises
    ------
    StorageError
        ``REPORT_UNWRITABLE`` if the file cannot be written (folder, rights, space); an older report stays.
    """
    return write_whole(path, render(model))


def write_whole(path: Path | str, text: str) -> Path:
    """Write a page, whole or not at all.

    Parameters
    ----------
    path : path
        Target file; its folder is made if need be.
    text : str

    Returns
    -------
    Path
        The absolute path of the file.

    Raises
    ------
    StorageError
        ``REPORT_UNWRITABLE`` if the file cannot be written (folder, rights, space); an older page stays.
    """
    target = Path(path).absolute()
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes private files; a report is to be shared as any other file of this person
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(target)
    except OSError as e:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise StorageError(
            "REPORT_UNWRITABLE",
            f"report: expected to write {target}, found {e.strerror or e}; free space or choose another path",
        ) from e
    return target


def page(template: str, **values: Any) -> str:
    """Return a page out of one of the templates, with style sheet and plotly's JavaScript at hand."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template(template).render(
        css=(_HERE / "report.css").read_text(encoding="utf-8"), plotly=plotly_source(), **values
    )


LOUD = ("IMPLAUSIBLE:", "LOOKAHEAD:", "COSTS:", "INCOMPLETE:", "NO ORDERS:", "NO FILLS:", "DETAIL:", "TICK:")
"""Beginnings of notes that change what every figure means."""


def render(model: ReportModel) -> str:
    """Return the page as text."""
    regime_parts = _regimes(model)
    drawn = figures(model) | {n: str(f.to_json()) for part in regime_parts for n, f in part.figures.items()}
    return page(
        "report.html.j2",
        info=model.info,
        headline=_headline(model),
        warnings=_warnings(model),
        figures=[(name, script_safe(text)) for name, text in drawn.items()],
        metrics=tables.metrics_table(model),
        statistics=[
            t for make in (choice_table, benchmark_table, bars_table) if (t := make(model)) is not None
        ],
        identity=tables.identity_table(model),
        sources=tables.source_table(model),
        risk=[
            tables.risk_use_table(model),
            tables.denial_table(model),
            tables.risk_event_table(model),
        ],
        agents=tables.agent_table(model),
        trades=trade_table(model),
        months=periods.month_table(model),
        drawdowns=periods.drawdown_table(model),
        intervals=interval_table(model) if model.intervals else None,
        costs=cost_table(model),
        open_positions=open_table(model),
        regimes=tables.regime_table(model),
        regime_parts=regime_parts,
        switches=tables.switch_table(model),
        idle=int((bar_returns(model.account) == 0.0).sum()),
        bars=model.metrics["bars"],
        points=POINTS if model.metrics["bars"] > POINTS else None,
        groups=periods.group_tables(model),
        windows=periods.window_table(model),
        pairs=[(s.pair, regime_legend(s), tables.accuracy_table(s)) for s in model.pairs],
        weights=[w.context for w in model.weights],
        config=yaml.safe_dump(json.loads(json.dumps(model.config, default=str)), sort_keys=False),
        notes=[note for note in model.notes if not note.startswith((*LOUD, "EVIDENCE:"))],
        costs_off=any(note.startswith("COSTS:") for note in model.notes),
    )


def _regimes(model: ReportModel) -> list[RegimePart]:
    series, account = {s.pair: s for s in model.pairs}, model.account
    span = account.ts_ns[:1] + account.ts_ns[-1:]
    return [
        regime_part(series[view.pair], view, k, model.info.quote_currency, span)
        for k, view in enumerate(model.regimes)
    ]


@lru_cache(maxsize=1)
def plotly_source() -> str:
    """Return plotly's JavaScript out of the installed wheel."""
    import plotly

    source = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    text = source.read_text(encoding="utf-8")
    # inside <script> the text ends at the first closing tag, wherever it stands
    return text.replace("</script", "<\\/script")


def script_safe(text: str) -> str:
    """Return JSON as it may stand inside a script element."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _headline(model: ReportModel) -> list[tuple[str, str, str]]:
    m, quote = model.metrics, model.info.quote_currency
    return [
        ("net PnL", tables.number(m["total_pnl_quote"], 2), quote),
        ("return", tables.number(m["total_return_frac"], 2, 100), "%"),
        ("buy and hold", tables.number(model.benchmark_metrics["total_return_frac"], 2, 100), "%"),
        ("max drawdown", tables.number(m["max_drawdown_frac"], 2, 100), "%"),
        ("Sharpe, annual", tables.number(m["sharpe_ann"], 2), _sure(model)),
        ("costs", tables.number(_costs(m), 2), quote),
        ("round trips", str(m["trade_count"]), "trades"),
    ]


def _sure(model: ReportModel) -> str:
    """The interval of the Sharpe ratio, or the bars it rests on where there is none."""
    for i in model.intervals:
        if i.metric == "sharpe_ann" and i.low is not None and i.high is not None:
            return f"{i.confidence:.0%}: {i.low:.2f} to {i.high:.2f}"
    return f"{model.metrics['bars']:,} bars"


def _costs(metrics: dict[str, Any]) -> float:
    # runs stored before accounts could be leveraged know of no interest and no liquidation fees
    names = ("fees_quote", "slippage_quote", "funding_quote", "borrow_quote", "liquidation_quote")
    return sum(float(metrics.get(name, 0)) for name in names)


def _warnings(model: ReportModel) -> list[str]:
    out = [note for note in model.notes if note.startswith(LOUD)]
    out += [f"{text[:1].upper()}{text[1:]}." for text in model.warnings]
    if model.info.kernel_backend != "native":
        out.append("This run used the Python twins of the numeric kernels, not the compiled ones.")
    defects = sum(len(s.defects) for s in model.sources)
    if defects:
        out.append(f"The data has {defects} known defect{'s' if defects > 1 else ''}: see below.")
    return out


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
