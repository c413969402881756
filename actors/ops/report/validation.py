"""The page of a validation: one verdict, the evidence behind it, sample sizes, what would change it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go

from actors.domain.validation.record import TrialRecord
from actors.domain.validation.selection import trial_sharpes
from actors.ops.report.style import BLUE, GREEN, GREY, ORANGE, RED, plain
from actors.ops.report.tables import Table, number
from actors.ops.report.verdict_page import VerdictPage, write_page

Row = tuple[str, ...]
_CONDITIONS = {
    "neighbours": "parameters nearby", "noisy_candles": "noisy candles", "costs": "random costs and latency",
    "resampled_markets": "block-resampled markets",
}  # fmt: skip


def build_validation_report(result: Mapping[str, Any], record: TrialRecord, path: Path) -> Path:
    """Write the page of a validation; return its absolute path.

    Parameters
    ----------
    result : mapping
        The verb's JSON result.
    record : TrialRecord
        Of its trials.
    """
    e, v = result["evidence"], result["verdict"]
    sample, sharpe, dsr = e["sample"], e["sharpe"], e["deflated_sharpe"]
    figures = [
        ("trials", "Sharpe ratios of all trials", trial_figure(record, dsr),
         "Sorted. The dashed line is what the best of as many worthless trials is expected to show."),
    ]  # fmt: skip
    if "undefined" not in e["pbo"]:
        figures.append(
            ("pbo", "The best of one half of the time, in the other half", logit_figure(e["pbo"]),
             f"Rank out of sample, ln(ω/(1 − ω)), over {e['pbo']['halves']:,} halves; PBO is the share at 0 or below.")
        )  # fmt: skip
    if result["reruns"]:
        figures.append(
            ("reruns", "The chosen parameters under other conditions", rerun_figure(result["reruns"]),
             "Each point is a whole backtest; the dashed line is the record itself.")
        )  # fmt: skip
    page = VerdictPage(
        title=f"Validation: {', '.join(result['strategies'])}",
        about=(
            f"{', '.join(result['pairs'])}, {result['timeframe']}, {sample['trials']} trials by {result['objective']} "
            f"({result['sampler']}), run {result['run_id']}"
        ),
        words=v["words"],
        lead=(
            f"The best of {sample['trials']} trials over {sample['bars']:,} bars ({sample['years']:.1f} years). "
            + (f"Not met: {len(v['reasons'])} of {len(v['checks'])} checks." if v["reasons"] else "Every check is met.")
        ),
        checks=v["checks"], change=v["would_change"], notes=result["notes"],
        cards=[
            ("Sharpe of the best", number(sharpe.get("sharpe_ann"), 2),
             f"worthless: {number(dsr.get('expected_best_sharpe_ann'), 2)}"),
            ("deflated Sharpe", number(dsr.get("value"), 3), f"{sample['trials']} trials, 0.95 convinces"),
            ("PBO", number(e["pbo"].get("value"), 2), f"{sample['effective_trials']} different trials"),
            ("SPA, p", number(e["spa_benchmark"].get("consistent"), 3), "against the market"),
            ("walk-forward Sharpe", number(_first(e["walk_forward"]), 2), "chosen by the past"),
            ("bars missing", _count(dsr.get("bars_missing")), f"of {_count(dsr.get('bars_needed'))} needed"),
            ("round trips", str(sample["trade_count"]), f"{sample['bars']:,} bars"),
        ],
        figures=figures,
        tables=[
            luck_table(e), choice_table(e), path_table(e, result["trade_reshuffle"]),
            *([rerun_table(result["reruns"])] if result["reruns"] else []), best_table(result),
        ],
    )  # fmt: skip
    return write_page(page, path)


def trial_figure(record: TrialRecord, dsr: Mapping[str, Any]) -> go.Figure:
    """Sharpe ratios of all trials, sorted, with the bar that luck sets."""
    year = record.periods_per_year**0.5
    ratios = trial_sharpes(record.returns) * year
    order = np.argsort(ratios, kind="stable")
    colours = [RED if int(k) == record.chosen else BLUE for k in order]
    figure = go.Figure(
        go.Bar(
            x=list(range(1, len(order) + 1)), y=ratios[order].tolist(), marker_color=colours, name="trials"
        )
    )
    luck = dsr.get("expected_best_sharpe_ann")
    if luck is not None:
        figure.add_hline(y=luck, line={"color": ORANGE, "dash": "dash", "width": 2})
    plain(figure, 300).update_layout(bargap=0.1)
    figure.update_xaxes(title_text="trial, sorted (the chosen one is red)")
    return figure.update_yaxes(title_text="Sharpe, annual")


def logit_figure(pbo: Mapping[str, Any]) -> go.Figure:
    """Histogram of the logits of the out-of-sample rank."""
    x = [row[0] for row in pbo["logit_histogram"]]
    y = [row[1] for row in pbo["logit_histogram"]]
    figure = go.Figure(go.Bar(x=x, y=y, marker_color=[RED if v <= 0.0 else GREEN for v in x], name="halves"))
    figure.update_xaxes(title_text="logit of the rank out of sample")
    return plain(figure, 280).update_yaxes(title_text="halves")


def rerun_figure(rows: Mapping[str, Any]) -> go.Figure:
    """Sharpe ratios of every rerun, by condition."""
    figure = go.Figure()
    own = None
    for k, (name, row) in enumerate(rows.items()):
        own = row["chosen_sharpe_ann"]
        known = [x for x in row["sharpes_ann"] if x is not None]
        figure.add_trace(
            go.Box(y=known, name=_CONDITIONS[name], boxpoints="all", jitter=0.4, pointpos=0, marker={"size": 4},
                   line={"color": (BLUE, ORANGE, GREEN, RED)[k % 4]})
        )  # fmt: skip
    if own is not None:
        figure.add_hline(y=own, line={"color": GREY, "dash": "dash"})
    return plain(figure, 340).update_layout(showlegend=False).update_yaxes(title_text="Sharpe, annual")


def luck_table(e: Mapping[str, Any]) -> Table:
    """What the search itself explains."""
    s, dsr, pbo, sharpe = e["sample"], e["deflated_sharpe"], e["pbo"], e["sharpe"]
    rows: list[Row] = [
        ("Sharpe of the best, annual", number(sharpe.get("sharpe_ann"), 2),
         f"{s['periods']:,} periods of {_many(s['period_bars'], 'bar')}"),
        ("probability that it is above 0, were it the only trial", number(sharpe.get("psr"), 3),
         f"{s['periods']:,} periods"),
        ("expected best of as many worthless trials, annual", number(dsr.get("expected_best_sharpe_ann"), 2),
         f"{s['trials']} trials"),
        ("deflated Sharpe ratio, all trials", number(dsr.get("value"), 3), f"{s['trials']} trials"),
        ("deflated Sharpe ratio, different trials only", number(dsr.get("effective_value"), 3),
         _many(s["effective_trials"], "group")),
        ("PBO", number(pbo.get("value"), 3), f"{pbo.get('halves', 0):,} halves"),
        ("chosen in one half, loses in the other", number(pbo.get("loss_probability"), 3),
         f"{pbo.get('halves', 0):,} halves"),
    ]  # fmt: skip
    for key, label in (("spa_cash", "cash"), ("spa_benchmark", "the market at the same volatility")):
        row = e[key]
        rows.append(
            (f"SPA p against {label} (lower, consistent, upper)",
             " / ".join(number(row.get(n), 3) for n in ("lower", "consistent", "upper")),
             f"{row.get('paths', 0)} paths")
        )  # fmt: skip
        rows.append((f"trials that beat {label}, stepwise", str(row.get("superior", "–")), "family-wise 5 %"))
    rows.append(
        ("bars needed at this Sharpe ratio", _count(dsr.get("bars_needed")), f"{s['bars']:,} bars there")
    )
    return Table(
        caption="Luck of the search", headers=("figure", "value", "sample"), rows=rows, numeric=(False, True, False),
        note=_why(e, ("deflated_sharpe", "pbo", "spa_cash", "spa_benchmark")),
    )  # fmt: skip


def choice_table(e: Mapping[str, Any]) -> Table:
    """What choosing by one part of the time earned in another."""
    names = {
        "k_fold": "purged k-fold", "cpcv": "combinatorial purged", "walk_forward": "walk-forward (by the past)",
    }  # fmt: skip
    rows = []
    for key, label in names.items():
        row = e[key]
        if "undefined" in row:
            rows.append((label, "–", "–", "–", "–", "–"))
            continue
        paths = row["paths_sharpe_ann"]
        rows.append(
            (label, f"{len(row['choices'])} tests, {len(paths)} paths", number(row["train_sharpe_ann"], 2),
             number(row["test_sharpe_ann"], 2), " / ".join(number(p, 2) for p in paths),
             number(row["tests_won_frac"], 0, 100))
        )  # fmt: skip
    return Table(
        caption="Choosing by other times",
        headers=("split", "sample", "Sharpe, train", "Sharpe, test", "Sharpe of the paths", "tests won, %"),
        rows=rows, numeric=(False, False, True, True, False, True),
        note="Chosen among the same trials by their Sharpe ratio on the train; trains are purged of what reaches into "
        f"a test, and 1 % is left out after it. {_why(e, tuple(names))}",
    )  # fmt: skip


def path_table(e: Mapping[str, Any], reshuffle: Mapping[str, Any]) -> Table:
    """Laws of resampled records."""
    rows = []
    for label, law in (
        ("stationary bootstrap of returns", e["bootstrap"]), ("extra: round trips in another order", reshuffle),
    ):  # fmt: skip
        if "undefined" in law:
            rows.append((label, "–", "–", "–", "–", "–", law["undefined"]))
            continue
        d, g = law["drawdown"], law["growth"]
        rows.append(
            (label, number(d["q50"], 1, 100), number(d["q95"], 1, 100), number(100 * (g["q05"] - 1), 1),
             number(law["loss_probability"], 1, 100),
             f"{number(law['ruin_probability'], 2, 100)} ± {number(law['ruin_error'], 2, 100)}",
             f"{law['paths']:,} paths of {law['steps']:,}" + (
                 f", mean block {law['mean_block']:.3g}" if law["mean_block"] is not None else ""))
        )  # fmt: skip
    ruin = e["bootstrap"].get("ruin_frac", 0.5)
    return Table(
        caption="What else could have happened",
        headers=("resampling", "drawdown, median, %", "drawdown, 1 in 20, %", "return, 1 in 20, %", "loss, %",
                 f"drawdown of {ruin:.0%}, %", "sample"),
        rows=rows, numeric=(False, True, True, True, True, True, False),
        note="Round trips in another order keep the final return and lose what markets do in sequence: an extra only.",
    )  # fmt: skip


def rerun_table(rows: Mapping[str, Any]) -> Table:
    """Sharpe ratios under other conditions."""
    return Table(
        caption="Other conditions",
        headers=("condition", "runs", "Sharpe, 1 in 20 below", "median", "1 in 20 above", "above 0, %", "undefined"),
        rows=[
            (_CONDITIONS[name], str(r["runs"]), number(r["q05_sharpe_ann"], 2), number(r["median_sharpe_ann"], 2),
             number(r["q95_sharpe_ann"], 2), number(r["positive_frac"], 0, 100), str(r["undefined"]))
            for name, r in rows.items()
        ],
        numeric=(False, *[True] * 6),
        note="Each is a whole backtest. Undefined: the equity did not vary; such a run does not count as above 0.",
    )  # fmt: skip


def best_table(result: Mapping[str, Any]) -> Table:
    """The chosen parameters."""
    rows = [
        (
            k.replace(".params.", ".").removeprefix("strategies."),
            f"{x:.6g}" if isinstance(x, float) else str(x),
        )
        for k, x in result["best"]["params"].items()
    ]
    return Table(
        caption="Parameters of the best", headers=("parameter", "value"), rows=rows, numeric=(False, True)
    )


def _why(e: Mapping[str, Any], names: tuple[str, ...]) -> str:
    found = [f"{n}: {e[n]['undefined']}" for n in names if "undefined" in e[n]]
    return f"Undefined: {'; '.join(found)}." if found else ""


def _first(row: Mapping[str, Any]) -> float | None:
    return next(iter(row.get("paths_sharpe_ann", [])), None)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
