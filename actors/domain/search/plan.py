"""A grid over one strategy's parameters: what is varied, what is fixed, and the numbers of its combinations."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pydantic
from numpy.typing import NDArray

from actors.domain import registry
from actors.domain.errors import ConfigError, InvalidParamsError
from actors.domain.search.families import Family, family_of
from actors.domain.search.ranges import grid
from actors.domain.search.space import Space
from actors.domain.search.terms import Terms
from actors.domain.strategies.base import Strategy

STRATEGIES = "actors.domain.strategies"


@dataclass(frozen=True)
class SweepPlan:
    """Every combination of some parameters of a strategy.

    Parameters
    ----------
    kind : str
        A strategy with a batch form that reads nothing but bars.
    axes : mapping name → values
        Parameters to vary; numbers are brought in order. A family's axes take the order of its kernel.
    fixed : mapping
        Other parameters; defaults stand for the rest.
    terms : Terms

    Raises
    ------
    ConfigError
        If the strategy cannot be swept, an axis is empty or unknown, a value is refused, or no combination is left.

    Notes
    -----
    Combinations that the strategy refuses (such as a fast window that is the longer one) are left out; the others
    are numbered in the order of a product over the axes, the last one fastest.

    Examples
    --------
    >>> plan = SweepPlan("ma_crossover", {"fast_bars": [5, 20], "slow_bars": [10, 50]})
    >>> len(plan), plan.params(1)
    (3, {'fast_bars': 5, 'slow_bars': 50})
    """

    kind: str
    axes: Mapping[str, tuple[Any, ...]]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)

    def __post_init__(self) -> None:
        axes = {name: _ordered(name, values) for name, values in self.axes.items()}
        if not axes:
            raise ConfigError("SWEEP_EMPTY", "sweep: expected at least one parameter to vary, found none")
        family = family_of(self.kind, axes)
        if family is not None:
            axes = {name: axes[name] for name in family.axes if name in axes}
        object.__setattr__(self, "axes", axes)
        self._check_axes()
        if not len(self):
            raise ConfigError(
                "SWEEP_EMPTY",
                f"sweep of {self.kind}: expected combinations that it accepts, found none of {axes}",
            )
        made: Strategy = registry.build(STRATEGIES, self.kind, self.all_params(0))
        if not made.has_batch or made.reads:
            why = f"reads {', '.join(made.reads)}" if made.reads else "has no batch form"
            raise ConfigError(
                "SWEEP_STRATEGY",
                f"sweep of {self.kind}: expected a batch form that reads bars only, but it {why}",
            )

    @classmethod
    def of_space(
        cls, kind: str, space: Space, *, at: str, points: int = 10, fixed: Mapping[str, Any] | None = None,
        terms: Terms | None = None,
    ) -> SweepPlan:  # fmt: skip
        """Return the grid over a space whose dimensions are parameters of the strategy at path `at`.

        Raises
        ------
        ConfigError
            If the space varies anything else, or is constrained beyond what the strategy refuses.
        """
        dot = f"{at}."
        others = [p for p in space.paths if not p.startswith(dot)]
        if others or space.constraints:
            what = f"{', '.join(others)}" if others else f"the constraint {space.constraints[0]}"
            raise ConfigError("SWEEP_SPACE", f"sweep: expected parameters of {at} only, found {what}")
        axes = {d.path.removeprefix(dot): grid(d.range, points) for d in space.dimensions}
        return cls(kind, axes, fixed or {}, terms or Terms())

    def __len__(self) -> int:
        """Return how many combinations are accepted."""
        return len(self.positions)

    @property
    def family(self) -> Family | None:
        """The kernel that sweeps it, None where every combination needs a backtest of its own."""
        return family_of(self.kind, self.axes)

    @cached_property
    def positions(self) -> NDArray[np.int64]:
        """Place of each accepted combination in the whole product, increasing, shape (n_combinations,)."""
        shape = tuple(len(v) for v in self.axes.values())
        family = self.family
        if family is not None:
            return np.flatnonzero(family.accepted(self.family_axes(family)))
        legal = [self._problem(dict(zip(self.axes, v, strict=True))) is None for v in self._product()]
        return np.flatnonzero(np.array(legal, dtype=bool).reshape(shape))

    def family_axes(self, family: Family) -> dict[str, tuple[Any, ...]]:
        """Return all axes of a family, those that are not varied with their one value."""
        defaults = registry.params_of(registry.load(STRATEGIES, self.kind)).model_fields
        fixed = {n: self.fixed.get(n, defaults[n].default) for n in family.axes}
        return {n: self.axes.get(n, (fixed[n],)) for n in family.axes}

    def params(self, number: int) -> dict[str, Any]:
        """Return the varied parameters of a combination."""
        shape = tuple(len(v) for v in self.axes.values())
        place = np.unravel_index(int(self.positions[number]), shape)
        return {name: values[int(k)] for (name, values), k in zip(self.axes.items(), place, strict=True)}

    def all_params(self, number: int) -> dict[str, Any]:
        """Return the varied and the fixed parameters of a combination."""
        return {**self.fixed, **self.params(number)}

    def _product(self) -> Iterable[tuple[Any, ...]]:
        return itertools.product(*self.axes.values())

    def _problem(self, values: Mapping[str, Any]) -> str | None:
        try:
            registry.validate(STRATEGIES, self.kind, {**self.fixed, **values})
        except InvalidParamsError as e:
            return e.message
        return None

    def _check_axes(self) -> None:
        """Refuse unknown parameters, and values that no combination could make right."""
        model = registry.params_of(registry.load(STRATEGIES, self.kind))
        unknown = [n for n in (*self.axes, *self.fixed) if n not in model.model_fields]
        if unknown:
            known = ", ".join(model.model_fields)
            raise ConfigError(
                "SWEEP_AXIS", f"sweep of {self.kind}: expected some of {known}, found {unknown[0]}"
            )
        both = sorted(set(self.axes) & set(self.fixed))
        if both:
            raise ConfigError("SWEEP_AXIS", f"{both[0]}: expected it varied or fixed, found both")
        for name, values in self.axes.items():
            for value in values:
                try:
                    model(**{**self.fixed, name: value})
                except pydantic.ValidationError as e:
                    own = [x["msg"] for x in e.errors() if x["loc"][:1] == (name,)]
                    if own:
                        raise ConfigError("SWEEP_AXIS", f"{name}: {own[0]}, found {value!r}") from e


def _ordered(name: str, values: Any) -> tuple[Any, ...]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ConfigError("SWEEP_AXIS", f"{name}: expected a sequence of values, found {values!r}")
    found = tuple(values)
    number = all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in found)
    if number:
        found = tuple(sorted(v.item() if isinstance(v, np.number) else v for v in found))
    if not found or len(set(map(repr, found))) < len(found) or any(v != v for v in found):
        raise ConfigError("SWEEP_AXIS", f"{name}: expected different values, at least one, found {found[:8]}")
    return found
