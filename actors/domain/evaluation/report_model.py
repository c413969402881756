"""What a report shows, as plain data: everything the page needs and nothing that draws.

Built by `run_record.RunRecord.report`; stored beside a run, so that a page can be built again later.
Times are ns UTC, fractions are of equity, `…_quote` are decimal strings, undefined is None.
"""

from __future__ import annotations

from typing import Any

import msgspec

from actors.domain.evaluation.metrics.regime_accuracy import RegimeAccuracy
from actors.domain.evaluation.open_positions import OpenPosition
from actors.domain.evaluation.regime_trace import RegimeView


class RunInfo(msgspec.Struct, kw_only=True):
    """Who, when, how: identity of the run.

    Attributes
    ----------
    mode : str
        ``backtest``, ``replay``, ``paper``, ``demo``, ``live``.
    host : str
        ``local`` or ``ray``.
    kernel_backend : str
        ``native`` or ``python``; `kernel_reason` says why.
    synthetic : bool
        True if any bar was made, not traded.
    """

    title: str
    mode: str
    host: str
    pairs: tuple[str, ...]
    timeframe: str
    seed: int
    kernel_backend: str
    kernel_reason: str = ""
    synthetic: bool = False
    version: str = ""
    run_id: str = ""
    config_hash: str = ""
    data_hash: str = ""
    decision_hash: str = ""
    started_at: str = ""
    duration_s: float | None = None
    warmup_bars: int = 0
    decisions: int | None = None
    quote_currency: str = "USDT"


class DataSource(msgspec.Struct, kw_only=True):
    """Where one pair's bars came from and what is wrong with them; `defects` are sentences."""

    pair: str
    source: str
    rows: int
    first_ns: int
    last_ns: int
    synthetic: bool = False
    gaps: int = 0
    missing_frac: float = 0.0
    defects: tuple[str, ...] = ()


class AgentRow(msgspec.Struct, kw_only=True):
    """One agent: what it is, what it said (None: not counted), how it scored, how often it was restarted."""

    name: str
    kind: str
    pid: int | None = None
    events: int | None = 0
    restarts: int = 0
    score_bps: float | None = None
    hit_rate_frac: float | None = None
    observations: int | None = None
    weight: float | None = None


class Fill(msgspec.Struct):
    """One execution; `side` is +1 or -1."""

    ts_ns: int
    side: int
    quantity: str
    price: float
    fee_quote: str
    liquidity: str


class Band(msgspec.Struct):
    """A regime from `start_ns` to `end_ns`."""

    start_ns: int
    end_ns: int
    label: str


class PairSeries(msgspec.Struct, kw_only=True):
    """One pair's bars (decision range only), its fills, changes of the wished exposure, regimes.

    `high` and `low` are empty in runs stored before they were kept.

    `detected` and `truth` hold one label per bar, "" where there is none; `truth` is empty on real data.
    """

    pair: str
    ts_ns: list[int]
    close: list[float]
    fills: list[Fill] = []
    targets: list[tuple[int, float]] = []
    high: list[float] = []
    low: list[float] = []
    detected: list[str] = []
    truth: list[str] = []
    accuracy: RegimeAccuracy | None = None


class AccountSeries(msgspec.Struct, kw_only=True):
    """The account after each bar; the capital before the first is in `initial_equity`.

    `es_bound_frac` is Σ|exposure|·ES of the pair: never below the book's ES, as ES is subadditive; None while
    a held pair's ES is unknown.
    """

    initial_equity: float
    ts_ns: list[int]
    equity: list[float]
    benchmark: list[float]
    drawdown: list[float]
    exposures: list[tuple[float, ...]]
    es_bound_frac: list[float | None]
    es_confidence: float
    fees_quote: list[float]
    slippage_quote: list[float]
    charged: list[tuple[int, str, float]] = []
    """Funding, interest and liquidation fees one by one: time, kind, quote currency (positive = cost)."""


class WeightSeries(msgspec.Struct, kw_only=True):
    """Revisions of the agents' weights; `context` names the regime they hold for ("" = all)."""

    context: str
    members: tuple[str, ...]
    ts_ns: list[int]
    weights: list[tuple[float, ...]]


class DenialRow(msgspec.Struct, kw_only=True):
    """Denials (or resizes) of one kind, with the last limit and observation."""

    pair: str
    action: str
    rule: str
    code: str
    count: int
    first_ns: int
    last_ns: int
    limit: float | None
    observed: float | None


class RiskEvent(msgspec.Struct, kw_only=True):
    """A breaker that tripped or was reset, or a limit that the market broke."""

    ts_ns: int
    what: str
    name: str
    limit: float | None = None
    observed: float | None = None


class SwitchRow(msgspec.Struct, kw_only=True):
    """An adaptive strategy's parameters changed: from which set to which, in what regime, how sure, and why.

    `parameters` are those in force from then on, as JSON.
    """

    ts_ns: int
    pair: str
    strategy: str
    previous: str
    chosen: str
    regime: str
    confidence: float
    parameters: str
    reason: str


class MonthRow(msgspec.Struct, kw_only=True):
    """One calendar month (UTC) of the account, or what of it the run covers; `metrics` as of a run."""

    year: int
    month: int
    bars: int
    return_frac: float
    max_drawdown_frac: float
    metrics: dict[str, Any] = {}


class DrawdownRow(msgspec.Struct, kw_only=True):
    """A spell under water, deepest first in a list; `recovered_ns` is None while it lasts.

    `bars` are those below the peak, as in `max_drawdown_bars`.
    """

    peak_ns: int
    trough_ns: int
    recovered_ns: int | None
    depth_frac: float
    bars: int


class IntervalRow(msgspec.Struct, kw_only=True):
    """A metric with its bootstrap interval; bounds are None where the metric is undefined on too many paths."""

    metric: str
    value: float | None
    low: float | None
    high: float | None
    confidence: float
    paths: int


class GroupRow(msgspec.Struct, kw_only=True):
    """What one part of the run brought: `kind` is ``regime``, ``strategy`` or ``pair``.

    Attributes
    ----------
    bars, trade_count : int
        Sample sizes; a trade belongs to the regime in which it was opened.
    return_frac : float or None
        Compounded return of the bars of that part (regimes), None where parts overlap in time.
    pnl_quote : str
        Net PnL of the part's trades, decimal.
    metrics : dict
        Every metric of bar returns and of round trips, of this part alone; empty in runs stored earlier.
    """

    kind: str
    name: str
    bars: int | None
    trade_count: int
    return_frac: float | None
    pnl_quote: str
    sharpe_ann: float | None = None
    max_drawdown_frac: float | None = None
    win_rate_frac: float | None = None
    profit_factor: float | None = None
    fees_quote: str = "0"
    metrics: dict[str, Any] = {}


class Window(msgspec.Struct, kw_only=True):
    """A span of time worth a mark on the charts, such as a crisis."""

    name: str
    start_ns: int
    end_ns: int
    return_frac: float | None = None
    benchmark_frac: float | None = None
    max_drawdown_frac: float | None = None


class ReportModel(msgspec.Struct, kw_only=True):
    """One run, ready to be shown.

    Attributes
    ----------
    metrics, benchmark_metrics : dict
        Under the names of `run_metrics`.
    limits : dict
        Configured limits by rule (``max_gross_exposure`` …), for the risk-use table.
    approved_ns : list of int
        When intents were approved, one entry each.
    config : dict
        The resolved configuration.
    notes : tuple of str
        What a reader must know to judge the figures.
    monthly, drawdowns, intervals, groups, windows : lists
        Empty in runs stored before these were measured; `windows` are named spans the user asked to mark.
    statistics : dict
        Figures of bars, deflated Sharpe ratio, block length (`run_tables.RunTables`).
    warnings : tuple of str
        Why the evidence may be too thin; `notes` repeat them.
    open_positions : list
        What is held after the last bar.
    regimes : list
        One per pair about whose regimes something was said; empty in runs stored earlier.
    costs : dict
        What each cost took (`cost_parts.CostBook.report`); empty in runs stored earlier.
    switches : list
        Of adaptive strategies' parameters, in order.
    """

    info: RunInfo
    sources: list[DataSource]
    account: AccountSeries
    pairs: list[PairSeries]
    weights: list[WeightSeries]
    denials: list[DenialRow]
    risk_events: list[RiskEvent]
    agents: list[AgentRow]
    trades: list[dict[str, Any]]
    metrics: dict[str, Any]
    benchmark_metrics: dict[str, Any]
    benchmark_label: str
    limits: dict[str, float]
    config: dict[str, Any]
    counts: dict[str, int]
    notes: tuple[str, ...] = ()
    monthly: list[MonthRow] = []
    drawdowns: list[DrawdownRow] = []
    intervals: list[IntervalRow] = []
    groups: list[GroupRow] = []
    windows: list[Window] = []
    statistics: dict[str, Any] = {}
    warnings: tuple[str, ...] = ()
    open_positions: list[OpenPosition] = []
    costs: dict[str, Any] = {}
    approved_ns: list[int] = []
    switches: list[SwitchRow] = []
    regimes: list[RegimeView] = []


def bands(ts_ns: list[int], labels: list[str], timeframe_ns: int) -> list[Band]:
    """Return runs of equal labels as half-open spans of time; bars without a label make none.

    Examples
    --------
    >>> bands([10, 20, 30], ["bull", "bull", "bear"], 10)
    [Band(start_ns=0, end_ns=20, label='bull'), Band(start_ns=20, end_ns=30, label='bear')]
    """
    out: list[Band] = []
    for ts, label in zip(ts_ns, labels, strict=True):
        start = ts - timeframe_ns
        if out and out[-1].label == label and out[-1].end_ns >= start:
            out[-1].end_ns = ts
        elif label:
            out.append(Band(start, ts, label))
    return out


def encode(model: ReportModel) -> bytes:
    """Return the model as JSON, to be stored beside its run."""
    return msgspec.json.encode(model)


def decode(data: bytes) -> ReportModel:
    """Return the model that `encode` wrote."""
    return msgspec.json.decode(data, type=ReportModel)
