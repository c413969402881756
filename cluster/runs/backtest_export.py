"""Tables out of a backtest and windows into it: trades and equity as CSV, JSON or Parquet; spans to mark from CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from actors.domain.errors import ConfigError, DataError
from actors.domain.evaluation.report_model import AccountSeries, Window
from actors.domain.model.timerange import format_ns

FORMATS = ("csv", "json", "parquet")
_DAY = timedelta(days=1)


def table_format(path: str) -> str:
    """Return the format that a file's name asks for.

    Raises
    ------
    ConfigError
        If it ends in none of the known ones.

    Examples
    --------
    >>> table_format("trades.csv")
    'csv'
    """
    suffix = Path(path).suffix.removeprefix(".").lower()
    if suffix not in FORMATS:
        raise ConfigError(
            "EXPORT_FORMAT", f"{path}: expected a name that ends in .csv, .json or .parquet, found {suffix!r}"
        )
    return suffix


def write_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], path: str) -> Path:
    """Write rows under the columns' names; money stays decimal text, undefined is empty or null.

    Raises
    ------
    ConfigError
        If the folder cannot be written to.
    """
    target = Path(path).expanduser().resolve()
    form = table_format(path)
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if form == "csv":
            with partial.open("w", newline="", encoding="utf-8") as out:
                writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        elif form == "json":
            text = json.dumps([{c: r.get(c) for c in columns} for r in rows], indent=1, allow_nan=False)
            partial.write_text(text + "\n", encoding="utf-8")
        else:
            import pyarrow as pa
            import pyarrow.parquet as pq

            pq.write_table(pa.table({c: [r.get(c) for r in rows] for c in columns}), partial)
        partial.replace(target)
    except OSError as e:
        raise ConfigError(
            "EXPORT_PATH", f"{path}: expected a file that can be written, found: {e.strerror or e}"
        ) from e
    return target


TRADE_COLUMNS = (
    "pair", "side", "opened_at", "closed_at", "quantity", "entry_price", "exit_price", "fees_quote",
    "slippage_quote", "carry_quote", "pnl_quote", "return_frac", "duration_bars", "exit_reason", "strategy",
    "mae_frac", "mfe_frac",
)  # fmt: skip


def export_trades(trades: Sequence[Mapping[str, Any]], path: str) -> Path:
    """Write the round trips of a result."""
    return write_table(trades, TRADE_COLUMNS, path)


def export_equity(account: AccountSeries, pairs: Sequence[str], path: str) -> Path:
    """Write the account after each bar: equity, benchmark, drawdown, costs so far, one exposure per pair."""
    names = [f"exposure_frac_{p.replace('/', '_')}" for p in pairs]
    columns = ["timestamp", "equity", "benchmark", "drawdown_frac", "fees_quote", "slippage_quote", *names]
    rows = [
        dict(zip(columns, (format_ns(ts), *values, *exposures), strict=True))
        for ts, *values, exposures in zip(
            account.ts_ns, account.equity, account.benchmark, account.drawdown, account.fees_quote,
            account.slippage_quote, account.exposures, strict=True,
        )
    ]  # fmt: skip
    return write_table(rows, columns, path)


Span = tuple[str, int, int]


def read_windows(path: str) -> list[Span]:
    """Return the named spans of a CSV as ``(event, start_ns, end_ns)``, half-open.

    Parameters
    ----------
    path : str
        Columns ``start``, ``end`` (UTC days, end included) and ``event``.

    Raises
    ------
    DataError
        If the file cannot be read, lacks a column, or a span ends before it starts.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as source:
            rows = list(csv.DictReader(source))
    except (OSError, UnicodeDecodeError) as e:
        raise DataError(
            "WINDOWS_FILE",
            f"--windows {path}: expected a CSV file, found: {getattr(e, 'strerror', None) or e}",
        ) from e
    missing = [c for c in ("start", "end", "event") if rows and c not in rows[0]]
    if missing or not rows:
        found = ", ".join(map(str, rows[0])) if rows else "no rows"
        raise DataError(
            "WINDOWS_COLUMNS", f"--windows {path}: expected columns start, end, event, found {found}"
        )
    out = []
    for number, row in enumerate(rows, start=2):
        try:
            start, end = _day_ns(row["start"]), _day_ns(row["end"], _DAY)
        except (ValueError, AttributeError):
            raise DataError(
                "WINDOWS_DAY",
                f"--windows {path} line {number}: expected days like 2020-03-12, found {row['start']!r} to "
                f"{row['end']!r}",
            ) from None
        if end <= start:
            raise DataError(
                "WINDOWS_DAY",
                f"--windows {path} line {number}: expected an end on or after the start, found {row['start']} to "
                f"{row['end']}",
            )
        out.append((row["event"], start, end))
    return out


def marked_windows(spans: Sequence[Span], account: AccountSeries, timeframe_ns: int) -> list[Window]:
    """Return the spans that touch the run, with what the account and buy-and-hold did in each."""
    found = (_measured(*span, account, timeframe_ns) for span in spans)
    return [window for window in found if window is not None]


def _day_ns(text: str, plus: timedelta = timedelta(0)) -> int:
    day = datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC) + plus
    return int(day.timestamp()) * 10**9


def _measured(name: str, start: int, end: int, account: AccountSeries, timeframe_ns: int) -> Window | None:
    """Return the window with its figures; None if no bar of the run lies in it."""
    inside = [i for i, ts in enumerate(account.ts_ns) if start < ts <= end]
    if not inside:
        return None
    first, last = inside[0], inside[-1]
    equity = [
        account.equity[first - 1] if first else account.initial_equity,
        *account.equity[first : last + 1],
    ]
    held = [
        account.benchmark[first - 1] if first else account.initial_equity,
        *account.benchmark[first : last + 1],
    ]
    peak, worst = equity[0], 0.0
    for value in equity:
        peak = max(peak, value)
        worst = max(worst, 1.0 - value / peak)
    return Window(
        name=name, start_ns=max(start, account.ts_ns[first] - timeframe_ns), end_ns=min(end, account.ts_ns[last]),
        return_frac=equity[-1] / equity[0] - 1.0, benchmark_frac=held[-1] / held[0] - 1.0,
        max_drawdown_frac=worst,
    )  # fmt: skip
