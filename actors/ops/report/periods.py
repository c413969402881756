"""Tables over time and over the parts of a run: months, drawdowns, regimes, strategies, pairs, windows."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from actors.domain.evaluation.report_model import GroupRow, ReportModel
from actors.ops.report.tables import Table, clock, number

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DEEPEST = 10
_KINDS = {
    "regime": (
        "By regime",
        (
            "A bar's PnL belongs to the regime that was known when the bar began, a round trip to the one in which it "
            "was opened; bars are counted per pair."
        ),
    ),
    "strategy": (
        "By strategy",
        (
            "Wishes are netted into one position per pair. Its PnL and fees are shared by those who wanted its side; a "
            "round trip is counted for the one with the largest share. Bars are those with a position, per pair."
        ),
    ),
    "pair": ("By pair", "Sharpe and drawdown are those of the pair's PnL over the whole account's equity."),
}


class Cell(msgspec.Struct):
    """A month's return as text and how strongly to colour it, -1 (worst shown) to 1; None is not coloured."""

    text: str
    heat: float | None


class MonthTable(msgspec.Struct):
    """Rows ``(year, twelve months, the year's return)``."""

    headers: tuple[str, ...]
    rows: list[tuple[str, list[Cell], Cell]]


def month_table(model: ReportModel) -> MonthTable:
    """Return the account's return by calendar month, UTC, compounded to years."""
    years: dict[int, dict[int, float]] = {}
    for row in model.monthly:
        years.setdefault(row.year, {})[row.month] = row.return_frac
    top = max((abs(m.return_frac) for m in model.monthly), default=0.0)
    rows = []
    for year, months in years.items():
        total = 1.0
        for value in months.values():
            total *= 1.0 + value
        cells = [_cell(months.get(m), top) for m in range(1, 13)]
        rows.append((str(year), cells, Cell(number(total - 1.0, 1, 100), None)))
    return MonthTable(("year", *_MONTHS, "year, %"), rows)


def _cell(value: float | None, top: float) -> Cell:
    if value is None:
        return Cell("", None)
    return Cell(number(value, 1, 100), value / top if top > 0 else None)


def drawdown_table(model: ReportModel) -> Table:
    """The deepest spells under water."""
    rows = [
        (
            number(d.depth_frac, 2, 100), clock(d.peak_ns), clock(d.trough_ns),
            "not yet" if d.recovered_ns is None else clock(d.recovered_ns), str(d.bars),
        )
        for d in model.drawdowns[:_DEEPEST]
    ]  # fmt: skip
    return Table(
        caption="Deepest drawdowns", headers=("depth, %", "peak", "trough", "recovered", "bars"), rows=rows,
        numeric=(True, False, False, False, True),
    )  # fmt: skip


def group_tables(model: ReportModel) -> list[Table]:
    """What each regime, strategy and pair brought."""
    out = []
    for kind, (caption, note) in _KINDS.items():
        rows = [g for g in model.groups if g.kind == kind]
        if rows:
            out.append(_groups(caption, kind, rows, model.info.quote_currency, note))
    return out


def _groups(caption: str, kind: str, rows: Sequence[GroupRow], quote: str, note: str) -> Table:
    compounded = any(g.return_frac is not None for g in rows)
    table = [
        (
            g.name.replace("_", " "), number(g.pnl_quote, 2), number(g.fees_quote, 2), str(g.trade_count),
            number(g.win_rate_frac, 1, 100), number(g.profit_factor, 2), number(g.sharpe_ann, 2),
            number(g.max_drawdown_frac, 2, 100), "–" if g.bars is None else f"{g.bars:,}",
            *([number(g.return_frac, 2, 100)] if compounded else []),
        )
        for g in rows
    ]  # fmt: skip
    pnl, fees = (sum((Decimal(x) for x in column), Decimal(0)) for column in (
        [g.pnl_quote for g in rows], [g.fees_quote for g in rows]))  # fmt: skip
    total = ("sum", number(str(pnl), 2), number(str(fees), 2), str(sum(g.trade_count for g in rows)))
    return Table(
        caption=caption,
        headers=(
            kind, f"net PnL, {quote}", f"fees, {quote}", "trades", "won, %", "profit factor", "Sharpe",
            "max drawdown, %", "bars", *(["return, %"] if compounded else []),
        ),
        rows=table if len(table) < 2 else [*table, total + ("",) * (5 + compounded)],
        numeric=(False, *[True] * (8 + compounded)),
        note=note,
    )  # fmt: skip


def window_table(model: ReportModel) -> Table | None:
    """Named spans of time, such as crises; None where none is marked."""
    if not model.windows:
        return None
    return Table(
        caption="Marked windows",
        headers=("no.", "window", "run, %", "buy and hold, %", "max drawdown, %", "from", "to"),
        rows=[
            (
                str(k), w.name, number(w.return_frac, 2, 100), number(w.benchmark_frac, 2, 100),
                number(w.max_drawdown_frac, 2, 100), clock(w.start_ns), clock(w.end_ns),
            )
            for k, w in enumerate(model.windows, start=1)
        ],
        numeric=(True, False, True, True, True, False, False),
        note="Shaded and numbered in the chart above. The maximum drawdown is that of the run inside the window.",
    )  # fmt: skip
