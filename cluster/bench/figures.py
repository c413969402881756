"""Figures of a bench run, each beside its goal; a goal that is not met is printed, not hidden, and fails nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Sense = Literal[">=", "<="]
MAX_ERROR = 1e-11
"""Largest error allowed, as a share of the largest input in the window."""

FASTER_THAN_TALIB: Mapping[str, float] = {
    "sma": 1.6, "ema": 2.0, "rsi": 1.3, "bollinger": 1.4, "keltner": 2.0, "cmf": 2.0, "stoch_rsi": 2.0,
    "rolling_std": 0.95, "macd": 0.95, "atr": 0.95, "fused 9, caller's buffers": 1.8,
}  # fmt: skip
"""Least speed against TA-Lib; "no slower within the noise" is 0.95."""


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes
    ----------
    section : str
        The part of the bench it belongs to: kernels, sweep, local …
    name, unit : str
    value : float or None
        None (or nan) where it could not be measured; then `note` says why.
    goal : float or None
    sense : str
        On which side of the goal the value must lie.
    note : str
    """

    section: str
    name: str
    value: float | None
    unit: str = ""
    goal: float | None = None
    sense: Sense = ">="
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal or without a value.

        Examples
        --------
        >>> Figure("local", "speed", 4000.0, "bars/s", 3000.0).met
        True
        >>> Figure("ray", "delay", 40.0, "ms", 30.0, "<=").met
        False
        """
        if self.goal is None or self.value is None or math.isnan(self.value):
            return None
        return self.value >= self.goal if self.sense == ">=" else self.value <= self.goal

    def row(self) -> dict[str, Any]:
        """Return the figure as the JSON document shows it."""
        return {
            "section": self.section, "name": self.name, "value": self.value, "unit": self.unit,
            "goal": None if self.goal is None else f"{self.sense} {self.goal:g}", "met": self.met,
            "note": self.note,
        }  # fmt: skip


def kernel_figures(rows: Iterable[Mapping[str, Any]]) -> list[Figure]:
    """Return the goals among the rows of `cluster.bench.kernels.run`."""
    out = []
    for row in rows:
        what = str(row["what"])
        if what.startswith("stream "):
            out += _stream(what, row)
            continue
        goal = FASTER_THAN_TALIB.get(what, FASTER_THAN_TALIB.get(what.split(" ")[0]))
        if what.startswith("fused") and what not in FASTER_THAN_TALIB:
            goal = None
        if goal is not None:
            out.append(
                Figure(
                    "kernels", f"{what} against TA-Lib", row.get("faster_than_talib"), "x", goal,
                    note="" if row.get("faster_than_talib") is not None else "TA-Lib is not installed",
                )
            )  # fmt: skip
        if row.get("max_error") is not None:
            out.append(Figure("kernels", f"{what} error", row["max_error"], "", MAX_ERROR, "<="))
    return out


def _stream(what: str, row: Mapping[str, Any]) -> list[Figure]:
    kind = what.removeprefix("stream ")
    ratio = row["x_empty_call"]
    if kind == "indicator_set":
        return [Figure("kernels", "ten indicators, one bar", row["ns_per_bar"], "ns", 250.0, "<=",
                       note=f"{ratio:.2f} empty calls of as many arguments")]  # fmt: skip
    goal = 1.2 if kind in ("sma", "ema") else 1.6
    note = "a tuple of several fresh floats; advance gives the first" if kind in _SEVERAL else ""
    return [Figure("kernels", f"{kind} update against an empty call", ratio, "x", goal, "<=", note=note)]


_SEVERAL = ("macd", "bollinger", "adx", "stoch_rsi", "donchian", "keltner", "heikin_ashi")


def tally(figures: Sequence[Figure]) -> tuple[int, int]:
    """Return how many goals were met, and how many there were to meet."""
    judged = [f.met for f in figures if f.met is not None]
    return sum(judged), len(judged)


def number(value: float | None) -> str:
    """Return a number at a readable precision.

    Examples
    --------
    >>> [number(x) for x in (None, 12345.6, 12.345, 0.1234, 3e-12)]
    ['-', '12,346', '12.35', '0.123', '3.0e-12']
    """
    if value is None or math.isnan(value):
        return "-"
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.2f}"
    return f"{value:.3f}" if size >= 0.001 or size == 0 else f"{value:.1e}"


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as lines of text: value, goal, met."""
    lines = []
    for f in figures:
        verdict = {True: "met", False: "NOT MET", None: ""}[f.met]
        goal = "" if f.goal is None else f"{f.sense} {f.goal:g}"
        lines.append((f.name, f"{number(f.value)} {f.unit}".rstrip(), goal, verdict, f.note))
    if not lines:
        return ""
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    return "\n".join(
        f"  {name:<{widths[0]}}  {value:>{widths[1]}}  {goal:<{widths[2]}}  {verdict:<{widths[3]}}  {note}".rstrip()
        for name, value, goal, verdict, note in lines
    )
