"""Crises of BTC: how soon a detector leaves 'bull', and how often it leaves in vain; see `regime_value`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from actors.domain.errors import DataError
from actors.domain.evaluation.regime_value import (
    Crisis,
    CrisisExit,
    crisis_exits,
    exits_in_vain,
    switches_per_year,
)
from actors.domain.model.bars import BarFrame
from actors.domain.model.timerange import parse_timerange
from cluster.bench.regime_labels import (
    RISKY,
    Bars,
    BoolArray,
    bars_text,
    drawdown_rule,
    frame_of,
    labels_of,
    mean_over,
)

WINDOWS = "benchmarks/btc_crisis_windows_2013_2023.csv"
DAILY = "ohlcv/coinbase_bitstamp/BTCUSD_1d_2011_2023.parquet"
HOURLY = "ohlcv/binance_spot/BTCUSDT_1h.parquet"
HORIZON_DAYS, FALL = 30, 0.1
"""An exit is in vain if no close of the next 30 days is 10 % below it and no crisis is on."""
YEAR_DAYS = 365.0


def run(shared: Path, tell: Callable[[str], None], *, hourly: bool = True) -> dict[str, Any]:
    """Return the figures over daily bars, and over hourly ones."""
    tell("crises: daily bars")
    out = {"daily": over(frame_of(shared / DAILY, "BTC/USD", "1d"), shared / WINDOWS, 1, since="20130101")}
    if hourly:
        tell("crises: hourly bars")
        out["hourly"] = over(frame_of(shared / HOURLY, "BTC/USDT", "1h"), shared / WINDOWS, 24, every=False)
    return out


def over(
    frame: BarFrame, windows: Path, bars_per_day: int, *, since: str | None = None, every: bool = True
) -> dict[str, Any]:
    """Return the figures of every subject over one series.

    Parameters
    ----------
    frame : BarFrame
    windows : Path
        Table with ``start`` and ``end`` (UTC days, both included) and ``event``.
    bars_per_day : int
    since : str, optional
        Day from which exits are counted (``20130101``); earlier bars warm up.
    every : bool
        Every detector, not the default ensemble and its members only.
    """
    close = frame.close
    subjects = labels_of(Bars.of(frame), frame.pair, every=every)
    begin = (
        0
        if since is None
        else int(np.searchsorted(frame.open_ns, parse_timerange(f"{since}-").start_ns or 0))
    )
    begin = max(begin, *(int(np.argmax(s.known)) for s in subjects), 200 * bars_per_day)
    crises = [c for c in read_crises(windows, frame) if c.first >= begin]
    rows = [
        _row(s.name, s.among(("bull",)), ~s.among(RISKY), close, crises, begin, bars_per_day)
        for s in subjects
    ]
    for name, out in rules(close, bars_per_day).items():
        rows.append(_row(name, ~out, ~out, close, crises, begin, bars_per_day))
    rest = np.ones(len(close), dtype=bool)
    rows.append(_row("always in", rest, rest, close, crises, begin, bars_per_day))
    return {
        "bars": len(close) - begin, "bars_per_day": bars_per_day, "crises": [c.name for c in crises],
        "horizon_days": HORIZON_DAYS, "fall_frac": FALL, "subjects": rows,
    }  # fmt: skip


def rules(close: Any, bars_per_day: int) -> dict[str, BoolArray]:
    """Return the simple rules by name: where each is out of the market."""
    return {
        "200-day mean": close < mean_over(close, 200 * bars_per_day),
        "drawdown 20/10 %": drawdown_rule(close, int(YEAR_DAYS) * bars_per_day, leave=0.2, back=0.1),
    }


def read_crises(path: Path, frame: BarFrame) -> list[Crisis]:
    """Return the windows of a table that the bars hold, by rows.

    Raises
    ------
    DataError
        If the table lacks a column.
    """
    with path.open(encoding="utf-8", newline="") as f:
        table = list(csv.DictReader(f))
    if not table or not {"start", "end", "event"} <= set(table[0]):
        raise DataError(
            "WINDOWS_COLUMNS",
            f"{path.name}: expected start, end and event, found {list(table[0]) if table else 'no row'}",
        )
    out = []
    for row in table:
        span = parse_timerange(f"{row['start'].replace('-', '')}-{row['end'].replace('-', '')}")
        day = 86_400 * 10**9
        first = int(np.searchsorted(frame.open_ns, span.start_ns or 0))
        last = int(np.searchsorted(frame.open_ns, (span.end_ns or 0) + day)) - 1
        if first <= last and frame.start_ns <= (span.start_ns or 0) and last < len(frame) - 1:
            out.append(Crisis(row["event"], first, last))
    return out


def _row(
    name: str,
    bull: BoolArray,
    calm: BoolArray,
    close: Any,
    crises: list[Crisis],
    begin: int,
    bars_per_day: int,
) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name}
    for key, inside in (("bull", bull), ("risky", calm)):
        exits = crisis_exits(inside, close, crises)
        own = inside.copy()
        own[:begin] = False
        left, vain = exits_in_vain(
            own[begin:], close[begin:], [Crisis(c.name, c.first - begin, c.last - begin) for c in crises],
            horizon_bars=HORIZON_DAYS * bars_per_day, fall_frac=FALL,
        )  # fmt: skip
        years = (len(close) - begin) / bars_per_day / YEAR_DAYS
        found[key] = summary(exits) | {
            "inside_frac": float(own[begin:].mean()),
            "exits_per_year": left / years,
            "in_vain_per_year": vain / years,
            "switches_per_year": switches_per_year(own[begin:], YEAR_DAYS * bars_per_day),
            "crises": [vars(e) for e in exits],
        }
    return found


def summary(exits: list[CrisisExit]) -> dict[str, Any]:
    """Return the figures over all crises: delay of those that were left, and the share that never was."""
    inside = [e for e in exits if e.inside_before]
    delays = [e.delay_bars for e in inside if e.delay_bars is not None]
    avoided = [e.avoided_frac for e in exits if e.avoided_frac is not None]
    return {
        "already_out": len(exits) - len(inside), "inside": len(inside), "missed": len(inside) - len(delays),
        "missed_frac": (len(inside) - len(delays)) / len(inside) if inside else None,
        "delay_median_bars": float(np.median(delays)) if delays else None,
        "delay_mean_bars": float(np.mean(delays)) if delays else None,
        "avoided_mean_frac": float(np.mean(avoided)) if avoided else None,
    }  # fmt: skip


def lines(found: Mapping[str, Any]) -> list[str]:
    """Return the tables as a person reads them."""
    out = []
    for name, part in found.items():
        out.append(
            f"BTC {name}: {part['bars']} bars, {len(part['crises'])} crises; an exit is in vain if no close of the "
            f"next {part['horizon_days']} days is {part['fall_frac']:.0%} lower and no crisis is on"
        )
        for key, title in (("bull", "leaving 'bull'"), ("risky", "entering bear, crash or high volatility")):
            out.append(f"  {title}")
            out.append(
                f"  {'':<18}{'in before':>10}{'out before':>11}{'missed':>8}{'median':>8}{'mean':>8}{'avoided':>9}"
                f"{'in state':>10}{'exits/y':>9}{'in vain/y':>11}"
            )
            for row in part["subjects"]:
                r = row[key]
                share = "-" if r["avoided_mean_frac"] is None else f"{r['avoided_mean_frac']:.0%}"
                out.append(
                    f"  {row['name']:<18}{r['inside']:>10}{r['already_out']:>11}{r['missed']:>8}"
                    f"{bars_text(r['delay_median_bars'], 1):>8}{bars_text(r['delay_mean_bars'], 1):>8}{share:>9}"
                    f"{r['inside_frac']:>10.0%}{r['exits_per_year']:>9.1f}{r['in_vain_per_year']:>11.1f}"
                )
    return out
