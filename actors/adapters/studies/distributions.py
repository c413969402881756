"""Between our ranges and Optuna's distributions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from actors.domain.params import Range
from actors.domain.search.space import Space

_PLAIN = (type(None), bool, int, float, str)


def distribution(found: Range) -> BaseDistribution:
    """Return Optuna's distribution of a range; choices are drawn by their place.

    Examples
    --------
    >>> distribution(Range("int", 2, 9, 3)), distribution(Range("choice", choices=("a", "b")))
    (IntDistribution(high=8, log=False, low=2, step=3), CategoricalDistribution(choices=(0, 1)))
    """
    low, high = found.low, found.high
    if found.kind == "choice" or low is None or high is None:
        return CategoricalDistribution(tuple(range(len(found.choices))))
    if found.kind == "int":
        step = int(found.step or 1)
        if (
            found.log
        ):  # Optuna's logarithmic whole numbers know no step: `value_of` goes to the next one below
            return IntDistribution(int(low), int(high), log=True)
        return IntDistribution(int(low), int(low) + (int(high) - int(low)) // step * step, step=step)
    if found.step is None:
        return FloatDistribution(float(low), float(high), log=found.log)
    count = math.floor((high - low) / found.step + 1e-9)
    return FloatDistribution(float(low), float(low) + count * float(found.step), step=float(found.step))


def value_of(found: Range, drawn: Any) -> Any:
    """Return the value that a drawn one means, as `Range.values` writes it.

    Examples
    --------
    >>> value_of(Range("float", 0.0, 1.0, 0.1), 0.30000000000000004), value_of(Range("choice", choices=("a", "b")), 1)
    (0.3, 'b')
    """
    if found.kind == "choice" or found.low is None:
        return found.choices[int(drawn)]
    if found.step is None:
        return int(drawn) if found.kind == "int" else float(drawn)
    k = math.floor((drawn - found.low) / found.step + 1e-9)
    return (
        int(found.low + k * found.step)
        if found.kind == "int"
        else round(float(found.low + k * found.step), 12)
    )


def drawn_of(found: Range, value: Any) -> Any:
    """Return what Optuna must have drawn for a value: its place for a choice."""
    if found.kind == "choice":
        return next(i for i, c in enumerate(found.choices) if c == value and type(c) is type(value))
    return value


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Return the distributions of a space by path."""
    return {d.path: distribution(d.range) for d in space.dimensions}


def values_of(space: Space, drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a drawn point of the space means."""
    return {d.path: value_of(d.range, drawn[d.path]) for d in space.dimensions}
