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

from actors.domain.errors import TradingError
from actors.domain.evaluation.report_model import ReportModel
from actors.ops.report import tables
from actors.ops.report.figures import figures, regime_legend

_HERE = Path(__file__).parent


def build_report(model: ReportModel, path: Path | str) -> Path:
    """Write the report, whole or not at all.

    Parameters
    ----------
    model : ReportModel
    path : path
        Target file; its folder is made if need be.

    Returns
    -------
    Path
        The absolute path of the file.

    Raises
    ------
    TradingError
        ``REPORT_UNWRITABLE`` if the file cannot be written (folder, rights, space); an older report stays.
    """
    target = Path(path).absolute()
    page = render(model)
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(page)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes private files; a report is to be shared as any other file of this person
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(target)
    except OSError as e:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise TradingError(
            "REPORT_UNWRITABLE",
            f"report: expected to write {target}, found {e.strerror or e}; free space or choose another path",
        ) from e
    return target


def render(model: ReportModel) -> str:
    """Return the page as text."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html.j2").render(
        info=model.info,
        headline=_headline(model),
        warnings=_warnings(model),
        css=(_HERE / "report.css").read_text(encoding="utf-8"),
        plotly=plotly_source(),
        figures=[(name, _script_safe(text)) for name, text in figures(model).items()],
        metrics=tables.metrics_table(model),
        identity=tables.identity_table(model),
        sources=tables.source_table(model),
        risk=[
            tables.risk_use_table(model),
            tables.denial_table(model),
            tables.risk_event_table(model),
        ],
        agents=tables.agent_table(model),
        trades=tables.trade_table(model),
        pairs=[
            (s.pair, regime_legend(s), tables.regime_table(s), tables.accuracy_table(s)) for s in model.pairs
        ],
        weights=[w.context for w in model.weights],
        config=yaml.safe_dump(json.loads(json.dumps(model.config, default=str)), sort_keys=False),
        notes=model.notes,
    )


@lru_cache(maxsize=1)
def plotly_source() -> str:
    """Return plotly's JavaScript out of the installed wheel."""
    import plotly

    source = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    text = source.read_text(encoding="utf-8")
    # inside <script> the text ends at the first closing tag, wherever it stands
    return text.replace("</script", "<\\/script")


def _script_safe(text: str) -> str:
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _headline(model: ReportModel) -> list[tuple[str, str, str]]:
    m, quote = model.metrics, model.info.quote_currency
    return [
        ("net PnL", tables.number(m["total_pnl_quote"], 2), quote),
        ("return", tables.number(m["total_return_frac"], 2, 100), "%"),
        ("buy and hold", tables.number(model.benchmark_metrics["total_return_frac"], 2, 100), "%"),
        ("max drawdown", tables.number(m["max_drawdown_frac"], 2, 100), "%"),
        ("Sharpe, annual", tables.number(m["sharpe_ann"], 2), f"{m['bars']} bars"),
        ("fees + slippage", tables.number(_costs(m), 2), quote),
        ("round trips", str(m["trade_count"]), "trades"),
    ]


def _costs(metrics: dict[str, Any]) -> float:
    return float(metrics["fees_quote"]) + float(metrics["slippage_quote"])


def _warnings(model: ReportModel) -> list[str]:
    m, out = model.metrics, []
    needed = m["min_track_record_bars"]
    if needed is not None and m["bars"] < needed:
        out.append(
            f"The record is too short: {needed:,.0f} bars are needed before a Sharpe ratio like this one "
            f"differs from zero at 95 % confidence; there are {m['bars']:,}."
        )
    if m["trade_count"] < 30:
        out.append(f"Only {m['trade_count']} round trips: figures per trade are anecdotes.")
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
