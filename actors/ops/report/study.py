"""Writes the report of a study: what was best, what is stable, what matters, and how much may be luck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from actors.ops.report.html import page, script_safe, write_whole
from actors.ops.report.study_figures import short, study_figures
from actors.ops.report.tables import Table

_TOP = 25
Result = Mapping[str, Any]


def build_study_report(result: Result, facts: Mapping[str, str], path: Path | str) -> Path:
    """Write the page, whole or not at all; return its absolute path.

    Parameters
    ----------
    result : mapping
        The ``result`` of the verb, as plain JSON.
    facts : mapping name → text
        Market, range, hashes.
    path : path

    Raises
    ------
    StorageError
        ``REPORT_UNWRITABLE`` if the file cannot be written.
    """
    return write_whole(path, render(result, facts))


def render(result: Result, facts: Mapping[str, str]) -> str:
    """Return the page as text."""
    figures = study_figures(result)
    return page(
        "study.html.j2",
        title=f"Study {result['study']}",
        lead=f"{facts['pairs']} {facts['timeframe']}, {facts['range']}",
        cards=_cards(result),
        warnings=_warnings(result),
        notes=result["notes"],
        chosen=chosen_table(result),
        luck=luck_table(result),
        importance=importance_table(result),
        top=top_table(result),
        front=front_table(result) if len(result["objectives"]) > 1 else None,
        failures=failure_table(result),
        identity=Table(
            caption="What this study is", headers=("what", "value"), rows=[(k, v) for k, v in facts.items()]
        ),
        plots=[(name, label) for name, label, _ in figures],
        groups={
            kind: [(name, label) for name, label, _ in figures if name.startswith(kind)]
            for kind in ("history", "front", "importance", "slice", "map")
        },
        figures=[(name, script_safe(text)) for name, _, text in figures],
        matters=result["sensitivity"]["method"],
    )


def chosen_table(result: Result) -> Table:
    """The best trial beside the one whose surroundings are best."""
    best, stable = result["best"], result["stable"]
    if best is None:
        return Table(caption="Best and most stable parameters", headers=("parameter",), rows=[])
    rows = [("trial", str(best["number"]), "–" if stable is None else str(stable["number"]))]
    for i, o in enumerate(result["objectives"]):
        rows.append(
            (o["name"], _text(best["values"][i]), "–" if stable is None else _text(stable["values"][i]))
        )
    if stable is not None:
        rows.append(("mean around it", _text(stable["best_smoothed"]), _text(stable["smoothed"])))
    rows += [
        (short(path), _text(value), "–" if stable is None else _text(stable["params"][path]))
        for path, value in best["params"].items()
    ]
    return Table(
        caption="Best and most stable parameters", headers=("", "best", "most stable"), rows=rows,
        numeric=(False, True, True),
        note="Most stable: the trial around which the objective is best on average (a Gaussian over a tenth of each "
        "range, a failed trial counts as the worst). A best trial far above its own surroundings is a spike: rather "
        "take the plateau.",
    )  # fmt: skip


def luck_table(result: Result) -> Table:
    """The evidence for and against luck."""
    o = result["overfitting"]
    why = o["why"]

    def row(label: str, key: str, reason: str) -> tuple[str, str, str]:
        return label, _text(o[key]), why.get(key) or reason

    rows = [
        ("trials", str(o["trials"]), "all that were asked; pruned and failed ones count"),
        row("different trials", "effective_trials", "groups whose returns correlate by less than a half"),
        row("Sharpe that luck explains", "luck_sharpe_ann", "expected of the best of as many worthless trials, a year"),
        row("deflated Sharpe ratio", "dsr", "probability that the best one's true Sharpe exceeds it; 0.95 is evidence"),
        row("the same by different trials", "dsr_effective", "as if only the different ones had been tried"),
        row("probability of overfitting", "pbo",
            f"share of {o['pbo_halves'] or 0:,} halves of the time whose best trial was a worse one in the other"),
        row("probability of loss", "pbo_loss_probability", "share of those halves whose best trial then lost"),
    ]  # fmt: skip
    return Table(
        caption="How much of it is luck", headers=("", "value", "meaning"), rows=rows, numeric=(False, True, False),
        note="All of it is in-sample: walk-forward and a hold-out say more.",
    )  # fmt: skip


def importance_table(result: Result) -> Table:
    """Share of the variance per parameter, with its range."""
    shares = result["sensitivity"]["importance"] or {}
    rows = [(short(path), result["space"][path], f"{100 * share:.1f}") for path, share in shares.items()]
    return Table(
        caption="Importance of parameters", headers=("parameter", "range", "share, %"), rows=rows,
        numeric=(False, False, True),
    )  # fmt: skip


def top_table(result: Result) -> Table:
    """The best trials by the first objective."""
    sign = 1 if result["objectives"][0]["direction"] == "minimize" else -1
    feasible = sorted(
        (t for t in result["trials"] if t["feasible"]), key=lambda t: (sign * t["values"][0], t["number"])
    )
    paths = list(result["space"])
    headers = (
        "trial", *(o["name"] for o in result["objectives"]), "return, %", "drawdown, %", "round trips",
        *map(short, paths),
    )  # fmt: skip
    rows = [
        (
            str(t["number"]), *map(_text, t["values"]), _percent(t["metrics"].get("total_return_frac")),
            _percent(t["metrics"].get("max_drawdown_frac")), _text(t["metrics"].get("trade_count")),
            *(_text(t["params"][p]) for p in paths),
        )
        for t in feasible[:_TOP]
    ]  # fmt: skip
    return Table(
        caption=f"The best {min(_TOP, len(feasible))} of {len(feasible)} trials that keep the constraints",
        headers=headers, rows=rows, numeric=(True,) * len(headers),
    )  # fmt: skip


def front_table(result: Result) -> Table:
    """The trials that no other beats in all objectives."""
    paths = list(result["space"])
    headers = (
        "trial",
        *(f"{o['name']} ({o['direction']})" for o in result["objectives"]),
        *map(short, paths),
    )
    rows = [
        (str(t["number"]), *map(_text, t["values"]), *(_text(t["params"][p]) for p in paths))
        for t in result["pareto"]
    ]
    return Table(
        caption="Pareto front: no other trial is better in one objective and as good in the others", headers=headers,
        rows=rows, numeric=(True,) * len(headers),
    )  # fmt: skip


def failure_table(result: Result) -> Table:
    """Why trials count for nothing."""
    counts = Counter(
        t["reason"] if t["state"] == "fail" else "pruned" if t["state"] == "pruned" else "breaks a constraint"
        for t in result["trials"]
        if not t["feasible"]
    )
    rows = [(str(n), why) for why, n in sorted(counts.items(), key=lambda row: (-row[1], row[0]))]
    return Table(
        caption="Trials that count for nothing", headers=("trials", "why"), rows=rows, numeric=(True, False)
    )


def _cards(result: Result) -> list[tuple[str, str, str]]:
    best, luck, states = result["best"], result["overfitting"], result["states"]
    first = result["objectives"][0]["name"]
    m = result["best_metrics"] or {}
    return [
        (f"best {first}", "–" if best is None else _text(best["values"][0]), "in-sample"),
        ("its return", _percent(m.get("total_return_frac")), "%"),
        ("its drawdown", _percent(m.get("max_drawdown_frac")), "%"),
        ("trials", str(len(result["trials"])), f"{states['fail']} failed, {states['pruned']} pruned"),
        ("deflated Sharpe", _text(luck["dsr"]), "0.95 is evidence"),
        ("overfitting", _text(luck["pbo"]), "probability"),
    ]


def _warnings(result: Result) -> list[str]:
    luck, out = result["overfitting"], []
    if result["best"] is None:
        out.append("No trial is complete and keeps the constraints: there is no best one.")
    if luck["dsr"] is not None and luck["dsr"] < 0.95:
        out.append(
            f"No evidence beyond luck: the deflated Sharpe ratio is {luck['dsr']:.2f} after {luck['trials']} trials."
        )
    if luck["pbo"] is not None and luck["pbo"] > 0.5:
        out.append(f"More often than not the best trial of one half of the time was below the middle in the other "
                   f"(probability of overfitting {luck['pbo']:.2f}).")  # fmt: skip
    return out


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return str(value) if isinstance(value, int) else f"{value:.4g}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f}"
