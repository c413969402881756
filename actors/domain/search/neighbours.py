"""Parameter sets near a chosen one: is it on a plateau, or on a spike that nothing around it shares?"""

from __future__ import annotations

import numpy as np

from actors.domain.errors import ConfigError
from actors.domain.params import Range
from actors.domain.search.ranges import from_unit, to_unit
from actors.domain.search.space import Space, Values


def neighbours(
    space: Space, values: Values, rng: np.random.Generator, *, radius: float = 0.1, joint: int = 20
) -> list[Values]:
    """Return sets around `values`: each dimension moved alone to either side, then all together at random.

    Parameters
    ----------
    space : Space
    values : dict
        The chosen set, inside the space.
    rng : Generator
        Of the joint moves.
    radius : float in (0, 0.5]
        Largest move, as a share of a dimension's range; at least to the next value.
    joint : int
        How many joint moves are tried; those that the space refuses, that change nothing or that came up already
        are left out.

    Notes
    -----
    Choices have no order: they change in joint moves only.

    Examples
    --------
    >>> space = Space.of_component("actors.domain.strategies", "ma_crossover", at="strategy").only(
    ...     ["strategy.fast_bars", "strategy.slow_bars"])
    >>> near = neighbours(space, {"strategy.fast_bars": 10, "strategy.slow_bars": 50}, np.random.default_rng(0))
    >>> [tuple(v.values()) for v in near[:4]], 10 < len(near) <= 24
    ([(8, 50), (13, 50), (10, 37), (10, 68)], True)
    """
    if not 0.0 < radius <= 0.5:
        raise ConfigError("NEIGHBOURS_RADIUS", f"radius: expected a value in (0, 0.5], found {radius}")
    out: list[Values] = []
    ordered = [d for d in space.dimensions if d.range.kind != "choice"]

    def keep(found: Values) -> None:
        if found != values and found not in out and space.problem(found) is None:
            out.append(found)

    for d in ordered:
        for side in (-1.0, 1.0):
            keep({**values, d.path: _moved(d.range, values[d.path], side * radius)})
    for _ in range(joint):
        keep(space.nearby(values, radius, rng))
    return out


def _moved(found: Range, value: object, step: float) -> object:
    """Return the value a step away in the unit interval; where that is the same one, the next on that side."""
    unit = to_unit(found, value)
    moved = from_unit(found, unit + step)
    if moved == value and found.low is not None and found.high is not None:
        width = 1.0 / max(1, len(found.values() or ())) if found.values() else abs(step)
        moved = from_unit(found, unit + (width if step > 0 else -width))
    return moved
