"""The page of a stress test: one self-contained HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from actors.ops.report.html import page, script_safe, write_whole
from actors.ops.report.style import BLUE, GREY, ORANGE, plain
from actors.ops.report.tables import Table, number

_DASH = "–"
Row = Mapping[str, Any]


def build_page(result: Row, path: Path) -> Path:
    """Write the page of a result of ``stress``, whole or not at all; return its absolute path.

    Raises
    ------
    StorageError
        If it cannot be written.
    """
    return write_whole(path, render(result))


def render(result: Row) -> str:
    """Return the page."""
    fleet = [r for r in result["scenarios"] if r["subject"] == "fleet"]
    whole = [r for r in fleet if r["failure"] is None]
    return page(
        "report_stress.html.j2",
        title="Stress test",
        synthetic=result["synthetic"], pairs=", ".join(result["pairs"]), bars=f"{result['bars']:,}",
        timeframe=result["timeframe"], struck_at=result["struck_at"],
        book=", ".join(f"{p} {_percent(w)} %" for p, w in result["book_at_strike_frac"].items()),
        warnings=_warnings(result), headline=_headline(result, whole),
        figures=[("falls", script_safe(str(falls(whole).to_json())))] if whole else [],
        tables=[
            response_table(fleet), order_table(whole), regime_table(whole),
            robustness_table(result["robustness"], result["robustness_limit_frac"]),
            matrix(result["scenarios"]), reverse_table(result["reverse"]), likely_table(result["most_likely"]),
            move_table(result["crisis_moves"]), extreme_table(result["extreme_events"]),
        ],
        skipped=result["skipped"], notes=result["notes"], digest=result["result_hash"],
    )  # fmt: skip


def falls(rows: Sequence[Row]) -> go.Figure:
    """Return drawdowns beside the market's fall, one group of bars per scenario, the worst fall on top."""
    ordered = sorted(rows, key=lambda r: r["market_fall_frac"] or 0.0)
    names = [_short(r["scenario"], 44) for r in ordered]
    figure = go.Figure()
    for key, name, colour in (
        ("market_fall_frac", "market", GREY),
        ("undisturbed_drawdown_frac", "fleet, undisturbed", BLUE),
        ("drawdown_frac", "fleet, disturbed", ORANGE),
    ):
        values = [None if r[key] is None else 100.0 * r[key] for r in ordered]
        figure.add_bar(y=names, x=values, name=name, orientation="h", marker={"color": colour})
    figure = plain(figure, 120 + 52 * len(names))
    figure.update_layout(barmode="group", bargap=0.48, margin={"l": 12, "r": 12, "t": 40, "b": 44})
    largest = max((max(r["market_fall_frac"] or 0.0, r["drawdown_frac"]) for r in rows), default=0.0)
    figure.update_xaxes(
        title_text="deepest fall, % of the peak",
        range=[0.0, 105.0 * max(largest, 0.01)],
        dtick=20 if largest > 0.3 else 5,
    )
    # above its bars: beside them there is no room on a phone
    figure.update_yaxes(ticklabelposition="inside", ticklabelshift=-23, showgrid=False)
    return figure


def response_table(rows: Sequence[Row]) -> Table:
    """What each scenario did to the fleet."""
    out = []
    for r in rows:
        if r["failure"] is not None:
            out.append(
                (r["scenario"], _percent(r["market_fall_frac"]), *[_DASH] * 7, f"failed: {r['failure']}")
            )
            continue
        out.append(
            (
                r["scenario"], _percent(r["market_fall_frac"]), _percent(r["drawdown_frac"]),
                _percent(r["undisturbed_drawdown_frac"]), _percent(r["shortfall_frac"]),
                _percent(r["exposure_before_frac"]), _count(r["bars_to_half"]), _count(r["bars_to_flat"]),
                _count(r["recovery_bars"]), _trips(r),
            )
        )  # fmt: skip
    return Table(
        caption="The fleet in each scenario",
        headers=("scenario", "market fall, %", "drawdown, %", "undisturbed, %", "behind undisturbed, %",
                 "exposure before, %", "to half, bars", "to flat, bars", "recovery, bars", "breakers, after bars"),
        rows=out, numeric=(False, *[True] * 8, False),
        note="Drawdowns run from the last close before the shock. Exposure is gross, in % of equity; "
        "to half and to flat "
        "count bars from the shock, – where nothing was at stake or it did not come to pass within "
        "the run. Recovery is "
        "from the lowest equity back to that before the shock, – where the run ended first. A crisis "
        "is compared with the "
        "same bars in which the market before it goes on; a shock with the same run without it.",
    )  # fmt: skip


def order_table(rows: Sequence[Row]) -> Table:
    """What became of orders."""
    return Table(
        caption="Orders and books",
        headers=("scenario", "orders", "fills", "lost", "doubled", "sent into the void", "no answer yet",
                 "denied by risk",
                 "rejected by the venue", "ledger"),
        rows=[
            (
                r["scenario"], str(r["orders"]), str(r["fills"]), str(r["orders_lost"]), str(r["orders_doubled"]),
                str(r["orders_into_void"]), str(r["orders_unanswered"]), _tally(r["denials"]), _tally(r["rejections"]),
                "balanced" if r["ledger_balanced"] else "NOT BALANCED",
            )
            for r in rows
        ],
        numeric=(False, *[True] * 6, False, False, False),
        note="Orders, fills, denials and rejections are counted from the shock on. Lost: sent, never answered and not "
        "known as unanswered. Into the void: sent although the venue was known not to answer. Where "
        "a venue dies, all that "
        "was there (100 % of equity: the fleet has one venue) is frozen, and the last orders stay without an answer.",
    )  # fmt: skip


def regime_table(rows: Sequence[Row]) -> Table:
    """How fast the regime label followed."""
    out = []
    for r in rows:
        for pair, t in r["regimes"].items():
            if t is not None:
                out.append((r["scenario"], pair, t["before"] or _DASH, t["first"] or _DASH, _count(t["bars_to_change"]),
                            _count(t["bars_to_stress"])))  # fmt: skip
    return Table(
        caption="Regime transition",
        headers=("scenario", "pair", "label before", "first other label", "to change, bars", "to stressed label, bars"),
        rows=out, numeric=(False, False, False, False, True, True),
        note="Stressed labels are bear, crash and high_volatility; 0 bars: it was stressed already.",
    )  # fmt: skip


def robustness_table(rows: Sequence[Row], limit_frac: float) -> Table:
    """One line per fleet or strategy."""
    return Table(
        caption="Robustness over all scenarios",
        headers=("subject", "scenarios", "exposed in", "worst drawdown, %", "mean drawdown, %", "added by stress, %",
                 "drawdown per market fall", "within limit, %", "halved, % of exposed", "median to half, bars",
                 "recovered, %", "breaker trips"),
        rows=[
            (
                r["subject"], str(r["scenarios"]), str(r["exposed"]), _percent(r["worst_drawdown_frac"]),
                _percent(r["mean_drawdown_frac"]), _percent(r["excess_drawdown_frac"]), number(r["fall_share"], 3),
                _percent(r["within_limit_share"]), _percent(r["halved_share"]), number(r["median_bars_to_half"], 1),
                _percent(r["recovered_share"]), str(r["breaker_trips"]),
            )
            for r in rows
        ],
        numeric=(False, *[True] * 11),
        note=f"Limit: a drawdown of {limit_frac:.0%}, the largest loss that a breaker allows. "
        "Drawdown per market fall is "
        "a least-squares line through the origin: 1 is buy and hold, 0 is cash. All through the same "
        "risk rules and sizes.",
    )  # fmt: skip


def matrix(rows: Sequence[Row]) -> Table:
    """Drawdowns of all subjects side by side."""
    subjects = list(dict.fromkeys(r["subject"] for r in rows))
    found = {(r["scenario"], r["subject"]): r.get("drawdown_frac") for r in rows}
    return Table(
        caption="Drawdown by subject, %",
        headers=("scenario", *subjects),
        rows=[
            (name, *(_percent(found.get((name, s))) for s in subjects))
            for name in dict.fromkeys(r["scenario"] for r in rows)
        ],
        numeric=(False, *[True] * len(subjects)),
    )


def reverse_table(rows: Sequence[Row]) -> Table:
    """Where the limits break."""
    return Table(
        caption="Reverse stress: the smallest shock that trips a breaker",
        headers=("shock", "breaker", "limit, % of equity", "does not trip, %", "trips, %", "sizes tried"),
        rows=[
            (
                "gap of all pairs" if r["kind"] == "gap" else "slide of all pairs over 24 bars", r["breaker"],
                _percent(r["limit_frac"]), _percent(r["holds_frac"]),
                "none up to 95" if r["breaks_frac"] is None else _percent(r["breaks_frac"]), str(r["tried"]),
            )
            for r in rows
        ],
        numeric=(False, False, True, True, True, True),
        note="Found by trying sizes on the fleet itself; the limit breaks somewhere between the two.",
    )  # fmt: skip


def likely_table(rows: Sequence[Row]) -> Table:
    """The most likely shocks that cost as much as a limit."""
    out = []
    for r in rows:
        if r.get("failure"):
            continue
        moves = r["moves"]
        out.append(
            (
                r["breaker"], _percent(r["limit_frac"]),
                "nothing held" if moves is None else ", ".join(f"{p} {100 * m:+.1f} %" for p, m in moves.items()),
                number(r["distance"], 1), _percent(r["fleet_loss_frac"]),
                _DASH if r["tripped"] is None else "yes" if r["tripped"] else "no",
            )
        )  # fmt: skip
    return Table(
        caption="The most likely shock that costs as much as a limit",
        headers=("breaker", "loss, % of equity", "move of each pair", "distance, deviations", "fleet's loss, %",
                 "tripped"),
        rows=out, numeric=(False, True, False, True, True, False),
        note="Smallest sᵀΣ⁻¹s among the moves that cost the book held at the strike that much; Σ of "
        "simple returns over 24 "
        "bars up to then. The fleet's loss is what it lost when that move came as a gap; – where a price would have to "
        "fall by more than itself.",
    )  # fmt: skip


def move_table(rows: Sequence[Row]) -> Table:
    """Worst moves of the crises and what they would cost the book of the strike."""
    pairs = list(dict.fromkeys(p for r in rows for p in r["moves"]))
    horizon = rows[0]["horizon_bars"] if rows else 0
    return Table(
        caption="Worst move in each crisis, and the book of the strike under it",
        headers=("crisis", *(f"{p}, %" for p in pairs), "Σ w·shock, % of equity"),
        rows=[
            (r["crisis"], *(_percent(r["moves"].get(p)) for p in pairs), _percent(r["book_pnl_frac"]))
            for r in rows
        ],
        numeric=(False, *[True] * (len(pairs) + 1)),
        note=f"Simple returns over {horizon} bars, from the bars; – where a pair did not trade yet. "
        "The book stands still.",
    )


def extreme_table(rows: Sequence[Row]) -> Table:
    """How the detector of extreme events did, at its threshold and at others."""
    out = []
    for r in rows:
        for other in r["by_threshold"]:
            own = " (used)" if other["threshold"] == r["threshold"] else ""
            out.append(
                (
                    r["pair"], f"{number(other['threshold'], 1)}{own}", f"{other['hits']} of {r['crises']}",
                    str(other["events"]), str(other["false_alarms"]),
                )
            )  # fmt: skip
    return Table(
        caption="Extreme events",
        headers=("pair", "threshold, deviations", "crises hit", "events", "outside crises"),
        rows=out,
        numeric=(False, *[True] * 4),
        note="A bar's return, or a day's, against the deviation of the bars before it, over the whole record. An event "
        "outside the listed crises counts as a false alarm, though the market may have had a reason.",
    )


def _headline(result: Row, rows: Sequence[Row]) -> list[tuple[str, str, str]]:
    checks = result["checks"]
    worst = max(rows, key=lambda r: r["drawdown_frac"], default=None)
    return [
        (
            "scenarios",
            str(len({r["scenario"] for r in result["scenarios"]})),
            f"{checks['scenarios']} runs with twins",
        ),
        ("worst drawdown", _DASH if worst is None else _percent(worst["drawdown_frac"]), "% of equity"),
        ("in", _DASH if worst is None else _short(worst["scenario"]), ""),
        ("orders lost", str(checks["orders_lost"]), "orders"),
        ("into the void", str(checks["orders_into_void"]), "orders"),
        ("ledgers", "balanced" if not checks["ledgers_unbalanced"] else "NOT BALANCED", ""),
    ]


def _warnings(result: Row) -> list[str]:
    out: list[str] = []
    c = result["checks"]
    if not c["ok"]:
        out.append(
            f"A CHECK FAILED: {c['failed']} scenarios failed, {c['orders_lost']} orders lost, "
            f"{c['orders_doubled']} doubled, "
            f"{c['orders_into_void']} sent into the void, {c['ledgers_unbalanced']} ledgers unbalanced."
        )
    return out


def _short(name: str, most: int = 24) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _trips(row: Row) -> str:
    return " · ".join(f"{t['breaker']} {t['bars']}" for t in row["breaker_trips"]) or "none"


def _tally(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{code} {n}" for code, n in counts.items()) or "none"


def _percent(value: float | None) -> str:
    return number(value, 1, 100)


def _count(value: int | None) -> str:
    return _DASH if value is None else str(value)
