"""Arithmetic of a range: its points, the unit interval behind it, and how people write one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from actors.domain.errors import ConfigError
from actors.domain.params import Range

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_SPAN = re.compile(
    rf"^\s*(?P<low>{_NUMBER})\s*\.\.\s*(?P<high>{_NUMBER})(?:\s+step\s+(?P<step>{_NUMBER}))?(?P<log>\s+log)?\s*$"
)


def grid(found: Range, points: int) -> tuple[Any, ...]:
    """Return the values of a grid over a range: all, or about `points` of them spread evenly.

    Parameters
    ----------
    found : Range
    points : int
        At least 2. Choices are never thinned out.

    Examples
    --------
    >>> grid(Range("int", 2, 200, log=True), 5), grid(Range("float", 0.0, 1.0), 3)
    ((2, 5, 17, 59, 200), (0.0, 0.5, 1.0))
    """
    values = found.values()
    if values is not None and (found.kind == "choice" or len(values) <= points):
        return values
    drawn = (from_unit(found, float(u)) for u in np.linspace(0.0, 1.0, points))
    return tuple(dict.fromkeys(drawn))


def from_unit(found: Range, unit: float) -> Any:
    """Return the value at a place of the unit interval: choices and steps share it evenly.

    A whole number on a logarithmic scale owns the half on either side of it.

    Examples
    --------
    >>> [from_unit(Range("int", 2, 8, 3), u) for u in (0.0, 0.3, 0.4, 0.6, 0.7, 1.0)]
    [2, 2, 5, 5, 8, 8]
    >>> from_unit(Range("choice", choices=("a", "b")), 0.5)
    'b'
    """
    unit = min(max(unit, 0.0), 1.0)
    low, high = found.low, found.high
    if found.kind == "choice" or low is None or high is None:
        return found.choices[_share(unit, len(found.choices))]
    if found.kind == "float" and found.step is None:
        if unit in (0.0, 1.0):
            return float((low, high)[int(unit)])
        value = (
            math.exp(_between(math.log(low), math.log(high), unit))
            if found.log
            else _between(low, high, unit)
        )
        return min(max(value, float(low)), float(high))
    count = _steps(found)
    if not found.log:
        return _at(found, _share(unit, count))
    value = math.exp(_between(math.log(low - 0.5), math.log(high + 0.5), unit))
    return _at(found, min(max(round((value - low) / (found.step or 1)), 0), count - 1))


def to_unit(found: Range, value: Any) -> float:
    """Return the place of a value in the unit interval, the middle of those that `from_unit` takes to it.

    Examples
    --------
    >>> to_unit(Range("float", 0.0, 4.0), 1.0), to_unit(Range("choice", choices=("a", "b")), "b")
    (0.25, 0.75)
    """
    low, high = found.low, found.high
    if found.kind == "choice" or low is None or high is None:
        return (found.choices.index(value) + 0.5) / len(found.choices)
    if found.kind == "float" and found.step is None:
        if found.log:
            return float((math.log(value) - math.log(low)) / (math.log(high) - math.log(low)))
        return (float(value) - low) / (high - low)
    if found.log:
        first, last = math.log(low - 0.5), math.log(high + 0.5)
        return float((math.log(value) - first) / (last - first))
    return float((round((value - low) / (found.step or 1)) + 0.5) / _steps(found))


def _between(a: float, b: float, unit: float) -> float:
    return a + unit * (b - a)


def _share(unit: float, count: int) -> int:
    return min(int(unit * count), count - 1)


def _steps(found: Range) -> int:
    low, high = found.low or 0, found.high or 0
    return math.floor((high - low) / (found.step or 1) + 1e-9) + 1


def _at(found: Range, k: int) -> Any:
    value = (found.low or 0) + k * (found.step or 1)
    return int(value) if found.kind == "int" else round(value, 12)


def parse_range(text: str) -> Range:
    """Return the range that a person wrote: ``5..50``, ``0.1..0.4 step 0.1``, ``1..100 log``, ``sma | ema``.

    Whole ends are a range of whole numbers; choices are read as numbers or switches where they look like it.

    Raises
    ------
    ConfigError
        If it is none of these, or contradicts itself.

    Examples
    --------
    >>> parse_range("5..50 step 5"), parse_range("true | false").choices
    (Range(kind='int', low=5, high=50, step=5, log=False, choices=()), (True, False))
    """
    span = _SPAN.match(text)
    if span is None:
        choices = tuple(_plain(part) for part in text.split("|"))
        if len(choices) < 2 or "" in choices or len(set(map(repr, choices))) < len(choices):
            raise _unreadable(text)
        return Range("choice", choices=choices)
    low, high = _plain(span["low"]), _plain(span["high"])
    step = None if span["step"] is None else _plain(span["step"])
    log = span["log"] is not None
    whole = all(isinstance(v, int) for v in (low, high, step) if v is not None)
    bad_log = log and (low <= 0 or (step is not None and not whole))
    if low >= high or (step is not None and not 0 < step <= high - low) or bad_log:
        raise _unreadable(text)
    return Range("int" if whole else "float", low, high, step, log)


def parse_ranges(texts: Iterable[str]) -> dict[str, Range]:
    """Return the ranges that a person wrote as ``path=range``, by path.

    Raises
    ------
    ConfigError
        If one cannot be read.

    Examples
    --------
    >>> list(parse_ranges(["strategy.window_bars = 5..50", "risk.sizing.kind=fixed | volatility_target"]))
    ['strategy.window_bars', 'risk.sizing.kind']
    """
    out = {}
    for text in texts:
        path, sign, written = text.partition("=")
        if not sign or not path.strip():
            raise ConfigError("RANGE_TEXT", f"range {text!r}: expected PATH=RANGE, such as strategy.x=5..50")
        out[path.strip()] = parse_range(written)
    return out


def _plain(text: str) -> Any:
    text = text.strip()
    if text in ("true", "false"):
        return text == "true"
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _unreadable(text: str) -> ConfigError:
    return ConfigError(
        "RANGE_TEXT",
        f"range {text!r}: expected low..high with low < high, optionally `step S` within it and `log` above 0, or "
        "different choices between |",
    )
