"""``python -m cluster.docs.fleet_picture > fleet.svg``: the default fleet, drawn from the graph that runs.

Two lanes. Above, stages that read no fills and may run ahead in blocks; below, the order path, which is
computed in the order of its steps. A solid arrow is heard in the same step, a dashed one so many steps later.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from actors.agents.fleet import default_fleet
from actors.domain.features.pipeline import feature_names
from actors.runtime import names
from actors.runtime.graph import FleetGraph
from cluster.docs.stages import Edge, Stage, stages
from config.load import resolve

WIDTH = 1214
_LEFT, _PITCH, _BOX, _CHIP, _PAD, _HEAD = 66, 192, 164, 23, 7, 25
_INK, _SOFT, _LINE, _LATER = "#1c2024", "#5b6570", "#8a949e", "#b34700"
_FILLS: Mapping[str, str] = {
    "market-data": "#e8edf2", "health": "#e8edf2", "features": "#e8edf2",
    "regime": "#d9ecf8", "predict": "#d8f0e8", "strategy": "#fdf0d0", "performance": "#f7e3ee",
    "risk": "#fbe0d2", "coordinator-strategy": "#fbd98a", "coordinator-risk": "#f4b493",
    "coordinator-execution": "#cdd6f4", "execution": "#e1e6fa", "venue": "#e8edf2", "portfolio": "#e8edf2",
    "journal": "#d5dbe1",
}  # fmt: skip


@dataclass(frozen=True)
class Box:
    """Where a stage stands."""

    x: float
    y: float
    height: float
    column: int

    @property
    def middle(self) -> float:
        """Height at which arrows meet its sides."""
        return self.y + self.height / 2


def default_graph() -> FleetGraph:
    """Return the graph of the configuration that runs when nothing is configured."""
    plain = resolve("paper").model.model_dump(mode="json")
    return FleetGraph(default_fleet(plain, feature_names(plain["features"]["indicators"])))


def picture(graph: FleetGraph) -> str:
    """Return an SVG of a fleet; the same graph gives the same text."""
    made, edges = stages(graph)
    upper = _lane([i for i, s in enumerate(made) if not s.loop], made, edges, 92)
    gap = max(b.y + b.height for b in upper.values()) + 26
    lower = _lane([i for i, s in enumerate(made) if s.loop], made, edges, gap + 88)
    end = max(b.y + b.height for b in lower.values())
    boxes = upper | lower
    height = end + 132
    title = f"The default fleet: {len(graph.specs)} agents, each a Ray actor of its own"
    legend = (
        "solid: heard in the same step · dashed: heard so many steps later · "
        "arrows that a longer way implies are left out"
    )
    right = _LEFT + 5 * _PITCH + _BOX
    parts = [
        _text(_LEFT, 34, title, 19, _INK, bold=True),
        _text(_LEFT, 58, legend, 13, _SOFT),
        _text(right, 82, "RUN AHEAD IN BLOCKS: read no fills", 11.5, _SOFT, bold=True, anchor="end"),
        _text(right, gap + 76, "ORDER PATH: step after step", 11.5, _SOFT, bold=True, anchor="end"),
    ]
    parts += _arrows(boxes, made, edges, gap, end)
    first = boxes[0]
    parts += [
        _text(12, first.middle + 4, "bars", 13, _INK, bold=True),
        _path(f"M44 {first.middle:g}H{first.x - 3:g}"),
    ]
    parts += [_box(boxes[i], s) for i, s in enumerate(made)]
    parts.append(_platform(end + 72))
    return "\n".join([_head(height, len(graph.specs)), *parts, "</svg>", ""])


def _lane(members: Sequence[int], made: Sequence[Stage], edges: Sequence[Edge], top: float) -> dict[int, Box]:
    """Place the stages of a lane: columns by the longest way within it, rows in order of computation."""
    inside = [e for e in edges if not e.delay and e.source in members and e.target in members]
    column = dict.fromkeys(members, 0)
    for _ in members:
        for e in inside:
            column[e.target] = max(column[e.target], column[e.source] + 1)
    crossing = {e.source for e in edges if not e.delay and e.target not in members}
    entered = {e.target for e in edges if not e.delay and e.source not in members}
    out: dict[int, Box] = {}
    bottom = dict.fromkeys(column.values(), top)
    # the lowest of the upper lane and the highest of the lower one are reached without crossing a box
    for i in sorted(members, key=lambda i: (i in crossing, i not in entered, i)):
        height = _HEAD + _PAD + (_CHIP * len(made[i].agents) if len(made[i].agents) > 1 else 8)
        out[i] = Box(_LEFT + _PITCH * column[i], bottom[column[i]], height, column[i])
        bottom[column[i]] += height + 34
    return out


def _arrows(
    boxes: Mapping[int, Box], made: Sequence[Stage], edges: Sequence[Edge], gap: float, end: float
) -> list[str]:
    out, track = [], gap
    used: dict[int, int] = {}
    # who comes from the left enters on the left: arrows into one box do not cross
    edges = sorted(edges, key=lambda e: (e.target, boxes[e.source].column, e.source, e.delay))
    for e in edges:
        a, b = boxes[e.source], boxes[e.target]
        same = made[e.source].loop == made[e.target].loop
        if e.delay:
            out += _feedback(a, b, e.delay, end + 22)
        elif same:
            x1, x2 = a.x + _BOX, b.x - 3
            bend = min(40.0, (x2 - x1) / 2) + (60 if b.column - a.column > 1 else 0)
            out.append(
                _path(
                    f"M{x1:g} {a.middle:g}C{x1 + bend:g} {a.middle:g} {x2 - bend:g} {b.middle:g} {x2:g} {b.middle:g}"
                )
            )
        else:
            k = used[e.target] = used.get(e.target, -1) + 1
            x1, x2 = a.x + _BOX / 2, b.x + _BOX / 2 + (22 * k - 11)
            if a.column == b.column:
                out.append(_path(f"M{x1:g} {a.y + a.height:g}V{b.y - 3:g}"))
            else:
                track += 16
                out.append(_path(f"M{x1:g} {a.y + a.height:g}V{track:g}H{x2:g}V{b.y - 3:g}"))
    return out


def _feedback(a: Box, b: Box, delay: int, below: float) -> list[str]:
    """Draw what is heard later: between neighbours directly, else around the lane."""
    label = "1 step later" if delay == 1 else f"{delay} steps later"
    if a.column == b.column:
        x = a.x + _BOX / 2
        up, down = (a, b) if a.y < b.y else (b, a)
        y1, y2 = (up.y + up.height, down.y - 3) if a.y < b.y else (down.y, up.y + up.height + 3)
        return [
            _path(f"M{x:g} {y1:g}V{y2:g}", later=True),
            _text(x + 8, (y1 + y2) / 2 + 5, label, 12, _LATER),
        ]
    if a.column - b.column == 1:
        x1, x2, y = a.x + 16, b.x + _BOX - 28, min(a.y, b.y) - 16
        return [
            _path(f"M{x1:g} {a.y:g}V{y:g}H{x2:g}V{b.y - 3:g}", later=True),
            _text(x2 - 8, y + 4, label, 12, _LATER, anchor="end"),
        ]
    x1, x2 = a.x + _BOX / 2, b.x + _BOX / 2
    return [
        _path(f"M{x1:g} {a.y + a.height:g}V{below:g}H{x2:g}V{b.y + b.height + 3:g}", later=True),
        _text((x1 + x2) / 2, below - 7, label, 12, _LATER, anchor="middle"),
    ]


def _box(box: Box, stage: Stage) -> str:
    fill = _FILLS.get(stage.title, _FILLS.get(stage.family, "#e8edf2"))
    rows = [_rect(box.x, box.y, _BOX, box.height, 8, f'fill="{fill}" stroke="{_LINE}"')]
    centre = box.x + _BOX / 2
    if len(stage.agents) == 1:
        rows.append(_text(centre, box.middle + 4.5, stage.title, 12.5, _INK, bold=True, anchor="middle"))
        return "".join(rows)
    rows.append(_text(centre, box.y + 18, stage.title, 12.5, _INK, bold=True, anchor="middle"))
    for n, name in enumerate(stage.agents):
        y = box.y + _HEAD + n * _CHIP
        rows.append(_rect(box.x + _PAD, y, _BOX - 2 * _PAD, _CHIP - 4, 4, 'fill="#ffffff"'))
        rows.append(_text(centre, y + 14, name, 11.5, _INK, anchor="middle"))
    return "".join(rows)


def _platform(y: float) -> str:
    width = _PITCH * 5 + _BOX
    owned = ", ".join(n.replace("-", " ") for n in names.PLATFORM)
    text = f"{names.SUPERVISOR}: creates, watches and restarts every actor · beside it: {owned}"
    style = f'fill="#f5f7f9" stroke="{_LINE}" stroke-dasharray="2 3"'
    return _rect(_LEFT, y, width, 38, 8, style) + _text(
        _LEFT + width / 2, y + 24, text, 13, _INK, anchor="middle"
    )


def _head(height: float, agents: int) -> str:
    markers = "".join(
        f'<marker id="{i}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
        for i, colour in (("now", _SOFT), ("later", _LATER))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">\n'
        f"<title>The default fleet of {agents} agents and who hears whom</title>\n<defs>{markers}</defs>\n"
        # its own ground: the picture is read on dark pages too
        f'<rect width="{WIDTH}" height="{height:g}" rx="10" fill="#ffffff"/>'
    )


def _path(d: str, *, later: bool = False) -> str:
    style = (
        f'stroke="{_LATER}" stroke-dasharray="6 4" marker-end="url(#later)"'
        if later
        else f'stroke="{_SOFT}" marker-end="url(#now)"'
    )
    return f'<path d="{d}" fill="none" stroke-width="1.5" stroke-linejoin="round" {style}/>'


def _rect(x: float, y: float, width: float, height: float, radius: int, style: str) -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius}" {style}/>'


def _text(
    x: float, y: float, text: str, size: float, colour: str, *, bold: bool = False, anchor: str = "start"
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{colour}"{weight} text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


if __name__ == "__main__":
    sys.stdout.write(picture(default_graph()))
