"""What trading cost: over time, and each kind in quote, in bps of what was traded, against what was earned."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import plotly.graph_objects as go

from actors.domain.evaluation.report_model import ReportModel
from actors.ops.report.style import BLUE, PURPLE, RED, finish, line_trace, ms
from actors.ops.report.tables import Table, number

_ROWS = (
    ("maker_fees", "fees of resting orders"),
    ("taker_fees", "fees of taking orders"),
    ("spread", "half the spread, paid by takers"),
    ("impact", "impact of our own size, rounding to the tick"),
    ("funding", "funding of perpetuals (negative: received)"),
    ("borrow", "interest on what was borrowed"),
    ("liquidation", "liquidation fees"),
    ("total", "all costs"),
    ("delay", "beside them: what the market did between decision and fill"),
)


def cost_figure(model: ReportModel) -> go.Figure:
    """Fees, slippage and what holding cost, paid so far."""
    account, quote = model.account, model.info.quote_currency
    ts = ms(account.ts_ns)
    figure = go.Figure()
    figure.add_trace(line_trace(ts, np.array(account.fees_quote), "fees", RED))
    figure.add_trace(
        line_trace(
            ts, np.array(account.slippage_quote), "slippage (positive = cost)", PURPLE, line={"dash": "dot"}
        )
    )
    if account.charged:
        at = ms([t for t, _, _ in account.charged])
        paid = np.cumsum([amount for _, _, amount in account.charged])
        name = "funding, interest, liquidation fees (negative: received)"
        figure.add_trace(line_trace(at, paid, name, BLUE, line={"dash": "dash"}))
    figure.update_yaxes(title_text=f"paid so far, {quote}")
    return finish(figure, 280, ts)


def cost_table(model: ReportModel) -> Table | None:
    """Return PnL before costs, each cost, PnL after them; None for runs stored before costs were split.

    Columns: quote, bps of traded value, share of the PnL before costs, and each pair where there are several.
    """
    costs = model.costs
    if not costs:
        return None
    quote = model.info.quote_currency
    pairs = costs["per_pair"] if len(costs["per_pair"]) > 1 else {}
    earned = {g.name: Decimal(g.pnl_quote) for g in model.groups if g.kind == "pair"}
    net, total = Decimal(model.metrics["total_pnl_quote"]), Decimal(costs["total_quote"])
    gross = net + total

    def pnl(name: str, value: Decimal, *, before: bool) -> tuple[str, ...]:
        of_pairs = []
        for pair, row in pairs.items():
            added = Decimal(row["total_quote"]) if before else Decimal(0)
            of_pairs.append(number(str(earned[pair] + added), 2) if pair in earned else "–")
        return (
            name,
            number(str(value), 2),
            _bps(value, Decimal(costs["traded_quote"])),
            _share(value, gross),
            *of_pairs,
        )

    rows = [pnl("PnL before costs", gross, before=True)]
    for name, label in _ROWS:
        of_pairs = [number(row[f"{name}_quote"], 2) for row in pairs.values()]
        value = Decimal(costs[f"{name}_quote"])
        rows.append(
            (
                label,
                number(str(value), 2),
                number(costs["bps_of_traded"][name], 2),
                _share(value, gross),
                *of_pairs,
            )
        )
    # what lies beside the costs stands last
    rows.insert(len(rows) - 1, pnl("PnL after costs", net, before=False))
    return Table(
        caption="What each cost took", rows=rows,
        headers=("", quote, "bps of traded", "% of PnL before", *(f"{pair}, {quote}" for pair in pairs)),
        numeric=(False, *[True] * (3 + len(pairs))),
        note=f"Traded in all: {number(costs['traded_quote'], 2)} {quote}, both sides. A positive cost was paid. The "
        "slippage of the metrics is spread, impact, and what the market did between decision and fill.",
    )  # fmt: skip


def _bps(value: Decimal, traded: Decimal) -> str:
    return number(float(value / traded) * 1e4, 2) if traded else "–"


def _share(value: Decimal, gross: Decimal) -> str:
    return number(float(value / gross) * 100, 1) if gross > 0 else "–"
