"""The report's tables as text: every figure with its unit and the number of observations behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from actors.domain.evaluation.report_model import PairSeries, ReportModel
from actors.domain.events.regime import REGIMES
from actors.ops.report.risk_use import risk_use

_DASH = "–"


class Table(msgspec.Struct, kw_only=True):
    """A caption, headers and rows of text; `numeric` tells which columns are aligned to the right."""

    caption: str
    headers: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    numeric: tuple[bool, ...] = ()
    note: str = ""


# key of run_metrics → (label, unit, scale to show, decimals, sample)
METRICS: tuple[tuple[str, str, str, float, int, str], ...] = (
    ("total_pnl_quote", "total PnL, net", "quote", 1, 2, "bars"),
    ("total_return_frac", "total return", "%", 100, 2, "bars"),
    ("cagr_frac", "CAGR (years of 365 days)", "% a year", 100, 2, "bars"),
    ("volatility_ann_frac", "volatility (ddof 1)", "% a year", 100, 2, "bars"),
    ("sharpe_ann", "Sharpe, annual, rate 0", "", 1, 2, "bars"),
    ("sortino_ann", "Sortino, annual, target 0", "", 1, 2, "bars"),
    ("calmar", "Calmar (CAGR / max drawdown)", "", 1, 2, "bars"),
    ("omega", "omega, threshold 0", "", 1, 3, "bars"),
    ("max_drawdown_frac", "maximum drawdown", "%", 100, 2, "bars"),
    ("max_drawdown_bars", "longest time under water", "bars", 1, 0, "bars"),
    ("var_95_frac", "VaR 95 %, one bar, historical", "%", 100, 3, "bars"),
    ("es_95_frac", "ES 95 %, one bar, historical", "%", 100, 3, "bars"),
    ("skew", "skewness of bar returns", "", 1, 2, "bars"),
    ("kurtosis", "kurtosis (normal = 3)", "", 1, 2, "bars"),
    ("psr", "probability that true Sharpe > 0", "%", 100, 1, "bars"),
    ("min_track_record_bars", "bars needed for 95 % confidence", "bars", 1, 0, "bars"),
    ("exposure_frac", "mean gross exposure", "% of equity", 100, 1, "bars"),
    ("turnover_ann", "turnover (both sides)", "× equity a year", 1, 1, "fills"),
    ("trade_count", "round trips", "", 1, 0, "trades"),
    ("win_rate_frac", "winning trades", "%", 100, 1, "trades"),
    ("profit_factor", "profit factor of trades", "", 1, 2, "trades"),
    ("expectancy_quote", "mean net PnL of a trade", "quote", 1, 2, "trades"),
    ("avg_trade_duration_bars", "mean duration of a trade", "bars", 1, 1, "trades"),
    ("max_consecutive_losses", "longest losing run", "trades", 1, 0, "trades"),
    ("fees_quote", "fees paid", "quote", 1, 2, "fills"),
    ("slippage_quote", "slippage paid", "quote", 1, 2, "fills"),
    ("funding_quote", "funding paid", "quote", 1, 2, "bars"),
    ("borrow_quote", "interest paid", "quote", 1, 2, "bars"),
    ("liquidation_quote", "liquidation fees", "quote", 1, 2, "fills"),
)
_BENCHMARK_LACKS = ("trades", "fills")


def metrics_table(model: ReportModel) -> Table:
    """Metrics of the run beside buy-and-hold, each with its sample."""
    samples = {
        "bars": f"{model.metrics['bars']:,} bars",
        "trades": f"{model.metrics['trade_count']:,} trades",
        "fills": f"{model.counts.get('fills', 0):,} fills",
    }
    rows = []
    for key, label, unit, scale, decimals, sample in METRICS:
        shown = model.info.quote_currency if unit == "quote" else unit
        other = (
            _DASH
            if sample in _BENCHMARK_LACKS and key != "fees_quote"
            else number(model.benchmark_metrics.get(key), decimals, scale)
        )
        if key == "exposure_frac":
            other = "100.0"
        rows.append((label, number(model.metrics.get(key), decimals, scale), other, shown, samples[sample]))
    return Table(
        caption="Metrics (all costs included)",
        headers=("metric", "this run", "buy and hold", "unit", "rests on"),
        rows=rows,
        numeric=(False, True, True, False, False),
        note=f"Benchmark: {model.benchmark_label}. {_DASH} means undefined, never zero.",
    )


def identity_table(model: ReportModel) -> Table:
    """What ran: mode, host, kernels, seed, hashes."""
    info = model.info
    backend = {
        "native": "native (compiled)",
        "python": "Python twins (slower; the compiled ones are missing)",
    }
    rows = [
        ("mode", info.mode), ("account", _account(model)), ("host", info.host), ("pairs", ", ".join(info.pairs)),
        ("bar length", info.timeframe),
        ("first and last close", f"{clock(_first(model))} to {clock(_last(model))}"),
        ("bars (warm-up apart)", f"{model.metrics['bars']} ({info.warmup_bars} warm-up)"),
        ("numeric kernels", backend.get(info.kernel_backend, info.kernel_backend)
         + (f": {info.kernel_reason}" if info.kernel_reason else "")),
        ("orders, fills", f"{model.counts.get('orders', 0)}, {model.counts.get('fills', 0)}"),
        ("decisions logged", _DASH if info.decisions is None else str(info.decisions)),
        ("seed", str(info.seed)), ("version", info.version or _DASH), ("run", info.run_id or _DASH),
        ("started, took", f"{info.started_at or _DASH}, "
         + (_DASH if info.duration_s is None else f"{info.duration_s:.1f} s")),
        ("configuration hash", info.config_hash or _DASH), ("data hash", info.data_hash or _DASH),
        ("decision hash", info.decision_hash or _DASH),
    ]  # fmt: skip
    return Table(caption="The run", headers=("what", "value"), rows=rows)


def _account(model: ReportModel) -> str:
    """Return mode and leverage of the account; a spot one in runs stored before there were others."""
    account = model.config.get("account", {})
    mode = account.get("mode", "spot")
    return mode if mode == "spot" else f"{mode}, up to {account['leverage']} times the equity"


def source_table(model: ReportModel) -> Table:
    """Where the bars came from, with their defects."""
    rows = [
        (
            s.pair, s.source + (" (synthetic)" if s.synthetic else ""), f"{s.rows}",
            f"{clock(s.first_ns)} to {clock(s.last_ns)}", str(s.gaps), number(s.missing_frac, 3, 100),
            "; ".join(s.defects) or "none found",
        )
        for s in model.sources
    ]  # fmt: skip
    return Table(
        caption="Data source and its defects",
        headers=("pair", "source", "rows", "range (UTC)", "gaps", "missing, %", "defects of the whole file"),
        rows=rows,
        numeric=(False, False, True, False, True, True, False),
        note="Rows, gaps and what is missing are those of this run, warm-up included; tradewind check-data lists every "
        "defect of a file.",
    )


def risk_use_table(model: ReportModel) -> Table:
    """Each configured limit with how much of it was used."""
    measured = risk_use(model)
    rows = []
    for name, limit in model.limits.items():
        use = measured.get(name)
        if use is None:
            rows.append((name, bound(limit), _DASH, _DASH, _DASH, _DASH))
        else:
            peak = float(use.max())
            share = number(100 * peak / limit, 0) if limit else _DASH
            rows.append(
                (name, bound(limit), number(float(use.mean()), 4), number(peak, 4), share, f"{use.size:,}")
            )
    missing = any(row[2] == _DASH for row in rows)
    return Table(
        caption="Risk limits and their use",
        headers=("limit", "value", "mean use", "highest use", "% of limit", "n"),
        rows=rows,
        numeric=(False, True, True, True, True, True),
        note="Measured at bar closes of what was held, n times; a market move may carry it above a limit that no order "
        "broke. VaR and ES of the book are those of this run's bars, without its warm-up."
        + (" – : not measured; a rule of your own, or concentration of a single pair." if missing else ""),
    )


def denial_table(model: ReportModel) -> Table:
    """Denied and resized intents by rule."""
    rows = [
        (
            d.pair, d.action, d.rule, d.code or _DASH, str(d.count), bound(d.limit),
            bound(d.observed), clock(d.first_ns), clock(d.last_ns),
        )
        for d in model.denials
    ]  # fmt: skip
    c = model.counts
    return Table(
        caption="Denied and resized intents",
        headers=("pair", "action", "rule", "code", "count", "last limit", "last observed", "first", "last"),
        rows=rows,
        numeric=(False, False, False, False, True, True, True, False, False),
        note=f"{c.get('approved', 0)} intents approved ({c.get('resized', 0)} of them resized), "
        f"{c.get('denied', 0)} denials said; an unchanged denial is not repeated at every bar.",
    )


def risk_event_table(model: ReportModel) -> Table:
    """Breakers and limits broken by the market; the last 100."""
    rows = [
        (clock(e.ts_ns), e.what, e.name, bound(e.limit), bound(e.observed)) for e in model.risk_events[-100:]
    ]
    hidden = len(model.risk_events) - len(rows)
    return Table(
        caption="Breakers and broken limits",
        headers=("time (UTC)", "event", "breaker or rule", "limit", "observed"),
        rows=rows,
        numeric=(False, False, False, True, True),
        note=f"{hidden} earlier events are not listed." if hidden else "",
    )


def switch_table(model: ReportModel) -> Table | None:
    """Switches of adaptive strategies' parameters, the last 100; None of a run without."""
    if not model.switches:
        return None
    rows = [
        (
            clock(s.ts_ns),
            s.pair,
            s.strategy,
            s.previous,
            s.chosen,
            number(s.confidence, 2),
            s.reason,
            s.parameters,
        )
        for s in model.switches[-100:]
    ]
    hidden = len(model.switches) - len(rows)
    return Table(
        caption=f"Parameters that followed the regime: {len(model.switches)} switches",
        headers=("time (UTC)", "pair", "strategy", "from", "to", "confidence", "why", "parameters now"),
        rows=rows,
        numeric=(False, False, False, False, False, True, False, False),
        note=f"{hidden} earlier switches are not listed." if hidden else "",
    )


UNCOUNTED = (
    "Computed in columns: what the agents would have said is counted where it was said only. Outcome: mean net "
    "return of a bar in the direction that the agent wished."
)


def agent_table(model: ReportModel) -> Table:
    """Every agent of the fleet."""
    rows = [
        (
            a.name, a.kind, _DASH if a.pid is None else str(a.pid),
            _DASH if a.events is None else f"{a.events:,}", str(a.restarts),
            number(a.weight, 1, 100), number(a.hit_rate_frac, 1, 100), number(a.score_bps, 2),
            _DASH if a.observations is None else f"{a.observations:,}",
        )
        for a in model.agents
    ]  # fmt: skip
    return Table(
        caption=f"The fleet: {len(model.agents)} agents",
        note=UNCOUNTED if any(a.events is None for a in model.agents) else "",
        headers=(
            "agent", "kind", "process", "events", "restarts", "weight, %", "hit rate, %", "outcome, bps",
            "outcomes",
        ),
        rows=rows,
        numeric=(False, False, True, True, True, True, True, True, True),
    )  # fmt: skip


def accuracy_table(series: PairSeries) -> Table | None:
    """Confusion of detected against planted regimes; None on real data."""
    a = series.accuracy
    if a is None:
        return None
    rows = [
        (label.replace("_", " "), *(str(n) for n in a.confusion[i]), number(a.recalls[i], 1, 100))
        for i, label in enumerate(a.labels)
    ]
    return Table(
        caption=f"{series.pair}: detected regimes against planted truth",
        headers=("truth ↓ · detected →", *(x.replace("_", " ") for x in a.labels), "recall, %"),
        rows=rows,
        numeric=(False, *[True] * (len(a.labels) + 1)),
        note=f"Accuracy {number(a.accuracy, 1, 100)} %, balanced {number(a.balanced_accuracy, 1, 100)} % "
        f"over {a.bars} bars ({a.unlabelled} bars without a label). Counts are bars; the detectors are "
        "causal and never saw the truth.",
    )


def regime_table(model: ReportModel) -> Table:
    """Share of each pair's bars per detected regime."""
    seen = {label for s in model.pairs for label in s.detected}
    labels = [label for label in (*REGIMES, "") if label in seen]
    rows = []
    for series in model.pairs:
        total = len(series.detected)
        shares = [
            number(series.detected.count(label) / total, 1, 100) if total else _DASH for label in labels
        ]
        switches = sum(a != b for a, b in zip(series.detected, series.detected[1:], strict=False))
        rows.append((series.pair, *shares, f"{switches:,}", f"{total:,}"))
    return Table(
        caption="Detected regimes, share of bars in %",
        headers=("pair", *((label or "none yet").replace("_", " ") for label in labels), "switches", "bars"),
        rows=rows if labels != [""] else [],
        numeric=(False, *[True] * (len(labels) + 2)),
    )


def bound(value: float | None) -> str:
    """Return a limit or what was observed against it: counts and fractions share these columns.

    Examples
    --------
    >>> bound(20.0), bound(0.95), bound(0.123456), bound(None)
    ('20', '0.95', '0.1235', '–')
    """
    text = number(value, 4)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def number(value: Any, decimals: int, scale: float = 1.0) -> str:
    """Return a figure for people; a dash where it is undefined.

    Examples
    --------
    >>> number(0.12345, 1, 100), number(None, 2), number("1234567.5", 2)
    ('12.3', '–', '1,234,567.50')
    """
    if value is None:
        return _DASH
    if isinstance(value, str):
        return f"{Decimal(value) * Decimal(repr(scale)):,.{decimals}f}"
    scaled = value * scale
    if scaled != scaled or scaled in (float("inf"), float("-inf")):
        return _DASH
    # a year's return extrapolated from a good week is not worth nine digits
    if abs(scaled) >= 1e9:
        return f"{scaled:.2e}"
    text = f"{scaled:,.{decimals}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text


def clock(ts_ns: int | None) -> str:
    """Return a time as text in UTC, to the minute.

    Examples
    --------
    >>> clock(0)
    '1970-01-01 00:00'
    """
    if ts_ns is None:
        return _DASH
    return datetime.fromtimestamp(ts_ns // 1_000_000_000, tz=UTC).strftime("%Y-%m-%d %H:%M")


def _first(model: ReportModel) -> int | None:
    return model.account.ts_ns[0] if model.account.ts_ns else None


def _last(model: ReportModel) -> int | None:
    return model.account.ts_ns[-1] if model.account.ts_ns else None
