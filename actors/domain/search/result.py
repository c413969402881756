"""What a sweep found: metrics of every combination, and the best of them with their whole runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain import registry
from actors.domain.backtest.vector import YEAR_NS, VectorFigures, backtest_signal
from actors.domain.errors import KernelError
from actors.domain.evaluation.metrics.summary import ratios_of
from actors.domain.kernels import VectorRun, signal_backtest
from actors.domain.model.bars import BarFrame
from actors.domain.search.objectives import Objective, judge
from actors.domain.search.plan import STRATEGIES, SweepPlan
from actors.domain.search.terms import Terms
from actors.domain.strategies.base import Strategy

FloatArray = NDArray[np.float64]
RECORD_METRICS = (
    "total_return_frac", "cagr_frac", "sharpe_ann", "sortino_ann", "calmar", "max_drawdown_frac", "trade_count",
    "win_rate_frac", "profit_factor", "expectancy_quote", "exposure_frac", "fees_quote",
)  # fmt: skip
"""Metrics that a record of a sweep kernel holds."""
RUN_METRICS = (
    *RECORD_METRICS, "volatility_ann_frac", "omega", "ulcer", "var_95_frac", "es_95_frac", "skew", "kurtosis",
    "psr", "tail_ratio",
)  # fmt: skip
"""Metrics of a combination that was run on its own."""
_COUNTS = ("trade_count",)


@dataclass(frozen=True)
class Best:
    """One of the best combinations.

    Attributes
    ----------
    number : int
        Its number in the plan.
    params : dict
        Its varied parameters.
    value : float
        What the objective says.
    metrics : dict
        Undefined is None.
    run : VectorRun or None
        Equity and trades, where they were asked for.
    """

    number: int
    params: dict[str, Any]
    value: float
    metrics: dict[str, float | int | None]
    run: VectorRun | None = None


@dataclass(frozen=True)
class SweepResult:
    """Metrics of every combination of a plan over one pair.

    Attributes
    ----------
    plan : SweepPlan
    pair : str
    columns : mapping name → float64 array, shape (n_combinations,)
        `RECORD_METRICS` from a kernel, `RUN_METRICS` else; NaN where undefined.
    shared : bool
        True where a kernel shared the work.
    """

    plan: SweepPlan
    pair: str
    columns: Mapping[str, FloatArray]
    shared: bool

    def __len__(self) -> int:
        """Return the number of combinations."""
        return len(self.plan)

    def metrics(self, number: int) -> dict[str, float | int | None]:
        """Return the metrics of a combination; undefined is None."""
        found: dict[str, float | int | None] = {}
        for name, column in self.columns.items():
            value = float(column[number])
            found[name] = None if value != value else int(value) if name in _COUNTS else value
        return found

    def judged(self, objective: Objective) -> FloatArray:
        """Return the objective of every combination, shape (n_combinations,); NaN where there is none."""
        return np.array(
            [
                np.nan if (v := judge(objective, self.metrics(k)).value) is None else v
                for k in range(len(self))
            ]
        )

    def best(self, objective: Objective, count: int, frame: BarFrame | None = None) -> list[Best]:
        """Return the best combinations, the best one first; of equals the one with the lower number.

        Parameters
        ----------
        objective : Objective
        count : int
        frame : BarFrame, optional
            The bars of the sweep: then each one is run again and comes with its equity and trades.
        """
        values = self.judged(objective)
        known = np.flatnonzero(~np.isnan(values))
        key = -values[known] if objective.direction == "maximize" else values[known]
        ranked = known[np.argsort(key, kind="stable")][:count]
        return [
            Best(
                int(k), self.plan.params(int(k)), float(values[k]), self.metrics(int(k)),
                None if frame is None else self._run(int(k), frame),
            )
            for k in ranked
        ]  # fmt: skip

    def _run(self, number: int, frame: BarFrame) -> VectorRun:
        plan = self.plan
        return run_one(plan.kind, plan.all_params(number), plan.terms, frame)[0]


def run_one(
    kind: str, params: Mapping[str, Any], terms: Terms, frame: BarFrame
) -> tuple[VectorRun, VectorFigures | None]:
    """Backtest a strategy by its batch form; no figures where a short ruined the account."""
    strategy: Strategy = registry.build(STRATEGIES, kind, params)
    direction, _ = strategy.batch(frame)
    try:
        return backtest_signal(frame, direction, **terms.arguments())
    except KernelError:
        run = signal_backtest(frame.open, frame.close, direction, **terms.arguments())
        if run.ruined_bar < 0:
            raise
        return run, None


def run_row(kind: str, params: Mapping[str, Any], terms: Terms, frame: BarFrame) -> FloatArray:
    """Return the `RUN_METRICS` of a strategy, NaN where undefined."""
    run, f = run_one(kind, params, terms, frame)
    total = run.final_equity / terms.cash_quote - 1.0
    found: dict[str, float | int | None] = {
        "total_return_frac": total, "max_drawdown_frac": run.max_drawdown, "fees_quote": run.fees,
        "exposure_frac": run.exposed_bars / len(run.equity), "trade_count": len(_closed(run)),
    }  # fmt: skip
    if f is not None and f.bars is not None:
        found |= {
            k: v for k, v in ratios_of(f.bars, YEAR_NS / frame.timeframe_ns).items() if k in RUN_METRICS
        }
    if f is not None:
        found |= {
            "sharpe_ann": f.sharpe, "sortino_ann": f.sortino, "calmar": f.calmar, "cagr_frac": f.cagr,
            "max_drawdown_frac": run.max_drawdown, "total_return_frac": total,
        }  # fmt: skip
    pnl = _closed(run)["pnl"]
    if len(pnl):
        gain, loss = float(pnl[pnl > 0.0].sum()), float(-pnl[pnl < 0.0].sum())
        found |= {
            "win_rate_frac": float((pnl > 0.0).mean()), "expectancy_quote": float(pnl.mean()),
            "profit_factor": gain / loss if loss else None,
        }  # fmt: skip
    return np.array([np.nan if (v := found.get(name)) is None else float(v) for name in RUN_METRICS])


def record_columns(
    records: NDArray[np.void], bars: int, timeframe_ns: int, terms: Terms
) -> dict[str, FloatArray]:
    """Return the `RECORD_METRICS` of a kernel's records as columns, NaN where undefined.

    Examples
    --------
    >>> import numpy as np
    >>> from actors.domain.kernels import SWEEP_DTYPE
    >>> r = np.zeros(1, SWEEP_DTYPE); r["final_equity"], r["trades"], r["wins"], r["ruined_bar"] = 11_000.0, 4, 1, -1
    >>> c = record_columns(r, 8761, 3_600 * 10**9, Terms())
    >>> round(float(c["cagr_frac"][0]), 9), float(c["win_rate_frac"][0]), float(c["profit_factor"][0])
    (0.1, 0.25, nan)
    """
    per_year = YEAR_NS / timeframe_ns
    growth = records["final_equity"] / terms.cash_quote
    trades = records["trades"].astype(np.float64)
    pnl = records["gain"] - records["loss"]
    with np.errstate(all="ignore"):
        log_growth = np.log(np.where(growth > 0.0, growth, np.nan)) * (per_year / max(bars - 1, 1))
        cagr = np.where(log_growth < 700.0, np.expm1(log_growth), np.nan)
        columns = {
            "total_return_frac": growth - 1.0,
            "cagr_frac": cagr if bars > 1 else np.full(len(records), np.nan),
            "sharpe_ann": records["sharpe"] * np.sqrt(per_year),
            "sortino_ann": records["sortino"] * np.sqrt(per_year),
            "calmar": cagr / records["max_drawdown"],
            "max_drawdown_frac": records["max_drawdown"],
            "trade_count": trades,
            "win_rate_frac": records["wins"] / trades,
            "profit_factor": records["gain"] / records["loss"],
            "expectancy_quote": pnl / trades,
            "exposure_frac": records["exposed_bars"] / bars,
            "fees_quote": records["fees"],
        }
    ruined = records["ruined_bar"] >= 0
    out = {}
    for name in RECORD_METRICS:
        column = np.array(columns[name], dtype=np.float64)
        column[~np.isfinite(column)] = np.nan
        if name in ("cagr_frac", "calmar"):
            column[ruined] = np.nan
        out[name] = column
    return out


def _closed(run: VectorRun) -> NDArray[np.void]:
    return run.trades[run.trades["exit_bar"] >= 0]
