"""The list of round trips, with what a reader may filter it by."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from actors.domain.evaluation.report_model import ReportModel
from actors.ops.report.tables import Table, clock, number

MAX_TRADES = 2000
"""More rows make a page slow on a phone; all of them are in the exported files."""
FILTERS = ("pair", "side", "result", "strategy", "left because")


class TradeTable(msgspec.Struct, kw_only=True):
    """The table and, per filter, the values that occur."""

    table: Table
    choices: list[tuple[str, list[str]]]


def trade_table(model: ReportModel) -> TradeTable:
    """Return the newest round trips, newest first."""
    shown = model.trades[-MAX_TRADES:][::-1]
    rows = [_row(t) for t in shown]
    hidden = len(model.trades) - len(shown)
    headers = (
        "pair", "side", "opened", "closed", "bars", "net PnL", "return, %", "worst, %", "best, %", "result",
        "quantity", "entry", "exit", "fees", "slippage", "strategy", "left because",
    )  # fmt: skip
    note = (
        f"Money in {model.info.quote_currency}; worst and best are the farthest marks against and for the trip "
        "(MAE, MFE)."
    )
    if hidden:
        note += f" The first {hidden} are not listed."
    table = Table(
        caption=f"Round trips ({len(model.trades)})", headers=headers, rows=rows,
        numeric=(*[False] * 4, *[True] * 5, False, *[True] * 5, False, False), note=note,
    )  # fmt: skip
    return TradeTable(table=table, choices=_choices(headers, rows))


def _choices(headers: Sequence[str], rows: Sequence[tuple[str, ...]]) -> list[tuple[str, list[str]]]:
    out = []
    for name in FILTERS:
        seen = sorted({row[headers.index(name)] for row in rows})
        # a filter with one value filters nothing
        if len(seen) > 1:
            out.append((name, seen))
    return out


def _row(t: dict[str, Any]) -> tuple[str, ...]:
    pnl = Decimal(t["pnl_quote"])
    return (
        str(t["pair"]), str(t["side"]), _minute(t["opened_at"]), _minute(t["closed_at"]), str(t["duration_bars"]),
        number(t["pnl_quote"], 2), number(t["return_frac"], 2, 100), number(t.get("mae_frac"), 2, 100),
        number(t.get("mfe_frac"), 2, 100), "win" if pnl > 0 else "loss" if pnl < 0 else "even", str(t["quantity"]),
        _price(t["entry_price"]), _price(t["exit_price"]), number(t["fees_quote"], 2),
        number(t["slippage_quote"], 2), _words(t.get("strategy") or "fleet"), _words(t["exit_reason"]),
    )  # fmt: skip


def open_table(model: ReportModel) -> Table | None:
    """What is still held at the end; None where nothing is."""
    if not model.open_positions:
        return None
    rows = [
        (
            p.pair, p.side, clock(p.opened_ns), p.quantity, _price(p.entry_price), _price(p.last_price),
            number(p.unrealised_quote, 2),
        )
        for p in model.open_positions
    ]  # fmt: skip
    return Table(
        caption="Held at the end",
        headers=("pair", "side", "opened", "quantity", "entry, average", "last close", "open PnL"),
        rows=rows,
        numeric=(False, False, False, True, True, True, True),
        note=f"Money in {model.info.quote_currency}. No round trips yet: their open PnL is in the equity and in the "
        "parts by pair and strategy, before what leaving would cost.",
    )


def _words(text: Any) -> str:
    return str(text).replace("_", " ")


def _minute(text: str) -> str:
    # 2020-02-01T01:00:00Z
    return text[:16].replace("T", " ")


def _price(text: str) -> str:
    """Return a price with eight significant digits: an average of fills has more than anyone can use."""
    return f"{Decimal(text):.8g}"
