"""Stocks: does the risky regime tell volatility, and what comes of staying out of it; see `regime_value`.

Daily bars of stock exchanges are 252 a year. The NASDAQ-100 file holds closes only: each bar here reaches from the
close before to its own, so that range estimators see the move between closes and nothing inside the day.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain import kernels
from actors.domain.errors import DataError
from actors.domain.evaluation.metrics.summary import ratios_of
from actors.domain.evaluation.regime_value import (
    held_outside,
    realised_ahead,
    separation,
    switches_per_year,
)
from actors.domain.validation.paired import paired_difference
from cluster.bench.regime_labels import (
    RISKY,
    SEED,
    Bars,
    BoolArray,
    FloatArray,
    bars_text,
    highest_fifth,
    labels_of,
    mean_over,
)

NDX = "benchmarks/ndx_daily_1985_2024.csv.gz"
SPY = "benchmarks/spy_vix_cnn_feargreed_2011_2023.csv.gz"
BARS_PER_YEAR = 252.0
AHEAD, MEAN_DAYS, VIX_LINE, LEAST = 21, 200, 25.0, 252
COST_FRAC = 0.0005
"""Of each entry and exit: 5 basis points."""


def run(shared: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return the figures of both series."""
    tell("stocks: NASDAQ-100")
    table, days = columns(shared / NDX, ("close",)), days_of(shared / NDX, "date")
    close = table["close"]
    before = np.concatenate([close[:1], close[:-1]])
    nothing = np.full(len(close), np.nan)
    out = {
        "ndx": over(
            Bars(np.maximum(close, before), np.minimum(close, before), close, days, nothing), "NDX/USD"
        )
    }
    tell("stocks: SPY")
    t = columns(
        shared / SPY, ("High_SPY", "Low_SPY", "Close_SPY", "Adj Close_SPY", "Volume_SPY", "Close_VIX")
    )
    bars = Bars(t["High_SPY"], t["Low_SPY"], t["Close_SPY"], days_of(shared / SPY, "Date"), t["Volume_SPY"])
    out["spy"] = over(bars, "SPY/USD", vix=t["Close_VIX"], earned=t["Adj Close_SPY"])
    return out


def days_of(path: Path, name: str) -> NDArray[np.int64]:
    """Return a gzipped table's column of days as ns UTC."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as f:
        days = np.array([row[name] for row in csv.DictReader(f)], dtype="datetime64[ns]")
    return days.astype(np.int64)


def columns(path: Path, names: tuple[str, ...]) -> dict[str, FloatArray]:
    """Return columns of a gzipped table.

    Raises
    ------
    DataError
        If one is missing or holds what is no number.
    """
    with gzip.open(path, "rt", encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    missing = [n for n in names if not rows or n not in rows[0]]
    if missing:
        raise DataError(
            "TABLE_COLUMNS",
            f"{path.name}: expected columns {', '.join(names)}, found no {', '.join(missing)}",
        )
    try:
        return {n: np.array([float(row[n]) for row in rows]) for n in names}
    except ValueError as e:
        raise DataError(
            "TABLE_NUMBER", f"{path.name}: expected numbers in {', '.join(names)}, found {e}"
        ) from e


def over(
    bars: Bars,
    pair: str,
    *,
    vix: FloatArray | None = None,
    earned: FloatArray | None = None,
    every: bool = True,
) -> dict[str, Any]:
    """Return the figures of every subject over one series; `earned` are closes with dividends, where they are known."""
    subjects, close = labels_of(bars, pair, every=every), bars.close
    paid = close if earned is None else earned
    returns = np.concatenate([[0.0], paid[1:] / paid[:-1] - 1.0])
    begin = max(LEAST, MEAN_DAYS, *(int(np.argmax(s.known)) for s in subjects))
    rules: dict[str, BoolArray] = {"200-day mean": close < mean_over(close, MEAN_DAYS)}
    past = np.full(len(close), np.nan)
    past[AHEAD:] = np.lib.stride_tricks.sliding_window_view(returns[1:], AHEAD).std(axis=1, ddof=1)
    rules["past volatility"] = highest_fifth(past, LEAST)
    if vix is not None:
        rules["VIX above 25"] = vix > VIX_LINE
        rules["VIX high for it"] = highest_fifth(vix, LEAST)
    risky = {s.name: s.among(RISKY) for s in subjects} | rules
    ahead = realised_ahead(returns, AHEAD, BARS_PER_YEAR)
    market = returns[begin:]
    rows = [
        _row(n, x[begin:], market, ahead[begin:], None if vix is None else vix[begin:])
        for n, x in risky.items()
    ]
    held = ratios_of(kernels.return_statistics(np.ascontiguousarray(market)), BARS_PER_YEAR)
    return {
        "bars": len(market), "bars_per_year": BARS_PER_YEAR, "cost_frac": COST_FRAC, "ahead_bars": AHEAD,
        "held": {k: held[k] for k in ("cagr_frac", "sharpe_ann", "max_drawdown_frac")}, "subjects": rows,
    }  # fmt: skip


def _row(
    name: str, risky: BoolArray, market: FloatArray, ahead: FloatArray, vix: FloatArray | None
) -> dict[str, Any]:
    out = held_outside(risky, market, cost_frac=COST_FRAC)
    ratios = ratios_of(kernels.return_statistics(np.ascontiguousarray(out)), BARS_PER_YEAR)
    difference = paired_difference(out, market, periods_per_year=BARS_PER_YEAR, seed=SEED, paths=1000)
    return {
        "name": name, "risky_frac": float(risky.mean()),
        "switches_per_year": switches_per_year(risky, BARS_PER_YEAR),
        "volatility_ahead": vars(separation(risky, ahead)),
        "vix": None if vix is None else vars(separation(risky, vix)),
        "outside": {k: ratios[k] for k in ("cagr_frac", "sharpe_ann", "max_drawdown_frac")},
        "against_holding": vars(difference),
    }  # fmt: skip


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return the tables as a person reads them."""
    out = []
    for name, part in found.items():
        held = part["held"]
        out.append(
            f"{name.upper()}: {part['bars']} bars, {part['bars_per_year']:.0f} a year; held throughout: "
            f"{held['cagr_frac']:+.1%} a year, Sharpe {held['sharpe_ann']:.2f}, max drawdown "
            f"{held['max_drawdown_frac']:.0%}; {part['cost_frac']:.2%} per entry and exit"
        )
        out.append(
            f"  {'':<18}{'risky':>7}{'turns/y':>9}{'vol in':>8}{'vol out':>9}{'AUC':>6}{'VIX in':>8}{'VIX out':>9}"
            f"{'AUC':>6}{'CAGR':>8}{'Sharpe':>8}{'max dd':>8}  Sharpe less holding (95 %)"
        )
        for r in part["subjects"]:
            v, x, o, d = r["volatility_ahead"], r["vix"] or {}, r["outside"], r["against_holding"]
            bounds = (
                "-" if d["sharpe_ann"] is None or d["sharpe_low"] is None
                else f"{d['sharpe_ann']:+.2f} ({d['sharpe_low']:+.2f} to {d['sharpe_high']:+.2f})"
            )  # fmt: skip
            out.append(
                f"  {r['name']:<18}{r['risky_frac']:>7.0%}{bars_text(r['switches_per_year'], 1):>9}"
                f"{_share(v['inside_mean']):>8}{_share(v['outside_mean']):>9}{bars_text(v['auc'], 2):>6}"
                f"{bars_text(x.get('inside_mean'), 1):>8}{bars_text(x.get('outside_mean'), 1):>9}"
                f"{bars_text(x.get('auc'), 2):>6}{_share(o['cagr_frac'], 1):>8}{bars_text(o['sharpe_ann'], 2):>8}"
                f"{_share(o['max_drawdown_frac']):>8}  {bounds}"
            )
    return out


def _share(x: float | None, digits: int = 0) -> str:
    return "-" if x is None else f"{x:.{digits}%}"
