"""The figures of a study: history, Pareto front, importance, one slice per parameter, heat maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from actors.ops.report.style import BLUE, GREEN, GREY, ORANGE, RED, plain

_SLICES = 12
Trials = Sequence[Mapping[str, Any]]


def study_figures(result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return ``(element id, label, plotly JSON)`` of each figure that there is something to show in."""
    trials = result["trials"]
    complete = [t for t in trials if t["values"]]
    out: list[tuple[str, str, go.Figure]] = []
    if complete:
        out.append(("history", "objective by trial, and the best so far", _history(result, trials)))
    for k in range(1, len(result["objectives"])):
        if complete:
            names = [result["objectives"][i]["name"] for i in (0, k)]
            out.append(
                (f"front-{k}", f"{names[1]} against {names[0]}, with the Pareto front", _front(result, k))
            )
    shares = result["sensitivity"]["importance"]
    if shares:
        out.append(("importance", "importance of parameters", _importance(shares)))
    order = list(shares or result["space"])
    for i, path in enumerate(order[:_SLICES]):
        if complete:
            out.append((f"slice-{i}", f"objective along {short(path)}", _slice(result, path, complete)))
    for i, found in enumerate(result["sensitivity"]["heat_maps"]):
        out.append(
            (
                f"map-{i}",
                f"mean objective over {short(found['x'])} and {short(found['y'])}",
                _map(result, found),
            )
        )
    return [(name, label, str(figure.to_json())) for name, label, figure in out]


def short(path: str) -> str:
    """Return a path as it fits an axis.

    Examples
    --------
    >>> short("strategies.rsi.params.window_bars"), short("exits.stop.frac")
    ('rsi.window_bars', 'exits.stop.frac')
    """
    return path.removeprefix("strategies.").replace(".params.", ".")


def _history(result: Mapping[str, Any], trials: Trials) -> go.Figure:
    name, better = result["objectives"][0]["name"], _better(result)
    figure = go.Figure()
    groups = (
        ("keeps the constraints", BLUE, "circle", [t for t in trials if t["feasible"]]),
        (
            "breaks a constraint",
            ORANGE,
            "x-thin-open",
            [t for t in trials if t["values"] and not t["feasible"]],
        ),
    )
    for label, colour, symbol, own in groups:
        if own:
            figure.add_trace(
                _points([t["number"] for t in own], [t["values"][0] for t in own], own, label, colour, symbol)
            )
    best: list[tuple[int, float]] = []
    for t in groups[0][3]:
        if not best or better(t["values"][0], best[-1][1]):
            best.append((t["number"], t["values"][0]))
    if best:
        best.append((trials[-1]["number"], best[-1][1]))
        figure.add_trace(
            go.Scatter(
                x=[n for n, _ in best], y=[v for _, v in best], mode="lines", name="best so far",
                line={"color": GREEN, "shape": "hv", "width": 1.6},
            )
        )  # fmt: skip
    low = [t["values"][0] for t in trials if t["values"]]
    for label, colour in (("fail", RED), ("pruned", GREY)):
        own = [t for t in trials if t["state"] == label]
        if own and low:
            base = [min(low) if result["objectives"][0]["direction"] == "maximize" else max(low)] * len(own)
            figure.add_trace(
                _points(
                    [t["number"] for t in own],
                    base,
                    own,
                    "failed" if label == "fail" else label,
                    colour,
                    "line-ns-open",
                )
            )
    figure.update_xaxes(title_text="trial")
    figure.update_yaxes(title_text=name)
    return plain(figure, 340)


def _front(result: Mapping[str, Any], k: int) -> go.Figure:
    a, b = result["objectives"][0], result["objectives"][k]
    figure = go.Figure()
    others = [t for t in result["trials"] if t["values"]]
    for label, colour, own in (
        ("breaks a constraint", ORANGE, [t for t in others if not t["feasible"]]),
        ("keeps the constraints", BLUE, [t for t in others if t["feasible"]]),
    ):
        if own:
            figure.add_trace(
                _points([t["values"][0] for t in own], [t["values"][k] for t in own], own, label, colour)
            )
    front = sorted(result["pareto"], key=lambda t: t["values"][0])
    figure.add_trace(
        go.Scatter(
            x=[t["values"][0] for t in front], y=[t["values"][k] for t in front], mode="markers", name="Pareto front",
            marker={"color": RED, "size": 10, "symbol": "diamond-open", "line": {"width": 2}},
            text=[_hover(t) for t in front],
            hovertemplate="%{text}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title_text=f"{a['name']} ({a['direction']})")
    figure.update_yaxes(title_text=f"{b['name']} ({b['direction']})")
    return plain(figure, 380)


def _importance(shares: Mapping[str, float]) -> go.Figure:
    rows = list(shares.items())[::-1]
    # long names on the axis would leave no room for the bars on a phone
    figure = go.Figure(
        go.Bar(
            x=[100 * v for _, v in rows], y=[str(k) for k in range(len(rows))], orientation="h", marker={"color": BLUE},
            text=[f"{short(p)}  {100 * v:.0f} %" for p, v in rows], textposition="auto", insidetextanchor="start",
            hoverinfo="text", cliponaxis=False,
        )
    )  # fmt: skip
    figure.update_xaxes(title_text="share of the objective's variance, %", range=[0, 100])
    figure.update_yaxes(showticklabels=False)
    made = plain(figure, 90 + 34 * len(rows))
    return made.update_layout(bargap=0.25, margin={"l": 12, "r": 12, "t": 12, "b": 44})


def _slice(result: Mapping[str, Any], path: str, complete: Trials) -> go.Figure:
    figure = go.Figure()
    category = " | " in result["space"][path]
    for label, colour, own in (
        ("breaks a constraint", ORANGE, [t for t in complete if not t["feasible"]]),
        ("trials", BLUE, [t for t in complete if t["feasible"]]),
    ):
        if own:
            x = [str(t["params"][path]) if category else t["params"][path] for t in own]
            figure.add_trace(_points(x, [t["values"][0] for t in own], own, label, colour))
    rows = result["sensitivity"]["slices"][path]
    figure.add_trace(
        go.Scatter(
            x=[str(r["value"]) if category else r["value"] for r in rows], y=[r["mean"] for r in rows],
            mode="lines+markers" if not category else "markers", name="mean", line={"color": GREEN, "width": 1.6},
            marker={"size": 7, "color": GREEN},
        )
    )  # fmt: skip
    for key, label, colour, symbol in (
        ("best", "best", RED, "star"), ("stable", "most stable", "#cc79a7", "diamond"),
    ):  # fmt: skip
        t = result[key]
        if t is not None:
            at = str(t["params"][path]) if category else t["params"][path]
            figure.add_trace(
                go.Scatter(
                    x=[at], y=[t["values"][0]], mode="markers", name=label,
                    marker={"size": 12, "color": colour, "symbol": symbol},
                )
            )  # fmt: skip
    log = result["space"][path].endswith(" log")
    figure.update_xaxes(
        title_text=f"{short(path)}{' (log)' if log else ''}", **({"type": "log"} if log else {})
    )
    if category:
        figure.update_xaxes(type="category")
    figure.update_yaxes(title_text=result["objectives"][0]["name"])
    return plain(figure, 300)


def _map(result: Mapping[str, Any], found: Mapping[str, Any]) -> go.Figure:
    def axis(values: Sequence[Any]) -> list[str]:
        return [f"{v:.3g}" if isinstance(v, float) else str(v) for v in values]

    text = [[f"{n} trials" for n in row] for row in found["trials"]]
    figure = go.Figure(
        go.Heatmap(
            x=axis(found["x_values"]), y=axis(found["y_values"]), z=found["mean"], text=text, colorscale="Viridis",
            reversescale=result["objectives"][0]["direction"] == "minimize", hoverongaps=False, xgap=1, ygap=1,
            hovertemplate="%{x} · %{y}: %{z:.4g}, %{text}<extra></extra>", colorbar={"thickness": 10, "len": 0.9},
        )
    )  # fmt: skip
    figure.update_xaxes(title_text=short(found["x"]), type="category")
    figure.update_yaxes(title_text=short(found["y"]), title_standoff=8, type="category", automargin=True)
    return plain(figure, 380)


def _points(
    x: Sequence[Any], y: Sequence[float], trials: Trials, name: str, colour: str, symbol: str = "circle"
) -> go.Scatter:
    return go.Scatter(
        x=list(x), y=list(y), mode="markers", name=name, text=[_hover(t) for t in trials],
        marker={"color": colour, "size": 6, "opacity": 0.75, "symbol": symbol},
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip


def _hover(trial: Mapping[str, Any]) -> str:
    values = ", ".join(f"{v:.4g}" for v in trial["values"])
    params = "<br>".join(
        f"{short(k)} = {v:.4g}" if isinstance(v, float) else f"{short(k)} = {v}"
        for k, v in trial["params"].items()
    )
    why = f"<br>{trial['reason'][:80]}" if trial.get("reason") else ""
    return f"trial {trial['number']}: {values}<br>{params}{why}".replace("<script", "")


def _better(result: Mapping[str, Any]) -> Any:
    import operator

    return operator.gt if result["objectives"][0]["direction"] == "maximize" else operator.lt
