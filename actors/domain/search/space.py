"""What a search may vary: dimensions by configuration path, and what is refused.

A strategy's ranges stand beside its parameters (`Param`); ranges of exits, sizing, risk rules or detectors come from
their own `Param` where they have one, or from the person who searches. The path is the one that ``--set`` takes, so
values drawn from a space are overrides of a configuration: ``strategy.fast_bars``, ``risk.sizing.params.target_ann``,
``regime.detectors.hmm.params.n_states``.
"""

from __future__ import annotations

import itertools
import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pydantic

from actors.domain import registry
from actors.domain.errors import ConfigError, InvalidParamsError
from actors.domain.params import Range, search_space
from actors.domain.search.ranges import from_unit, grid, to_unit

Values = dict[str, Any]
_TRIES = 10_000
_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le, ">=": operator.ge, "!=": operator.ne, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_CONSTRAINT = re.compile(r"^\s*([\w.]+)\s*(<=|>=|!=|<|>)\s*([\w.+-]+)\s*$")


@dataclass(frozen=True)
class Dimension:
    """One thing to vary: the path of a value in the configuration, and where to look."""

    path: str
    range: Range


@dataclass(frozen=True)
class Owner:
    """A component whose parameters some dimensions are: it refuses what it could not be built from.

    Attributes
    ----------
    at : str
        Path of its parameters; dimension ``at.NAME`` is its parameter NAME.
    package, kind : str
        As `registry.load` takes them; the class is a component's or itself a model of parameters.
    params : mapping
        Its other parameters.
    inside : mapping path → name
        Where else parameters of it lie: dimension ``path.NAME`` is entry NAME of its parameter ``name``.

    Examples
    --------
    >>> own = {"kind": "ma_crossover", "by_regime": {}}
    >>> owner = Owner("s.adaptive", "actors.domain.strategies", "adaptive", own, {"s.params": "params"})
    >>> owner.problem({"s.params.slow_bars": 30, "s.adaptive.by_regime.bull.fast_bars": 40}) is None
    False
    """

    at: str
    package: str
    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)
    inside: Mapping[str, str] = field(default_factory=dict)

    def holds(self, path: str) -> bool:
        """Tell whether a dimension is one of its parameters."""
        return self._keys(path) is not None

    def problem(self, values: Mapping[str, Any]) -> str | None:
        """Return why the component refuses its parameters with these values, None if it does not."""
        params = dict(self.params)
        for path, value in values.items():
            keys = self._keys(path)
            if keys is not None:
                params = _with(params, keys, value)
        try:
            validated(self.package, self.kind, params)
        except InvalidParamsError as e:
            return e.message
        return None

    def _keys(self, path: str) -> list[str] | None:
        if path.startswith(f"{self.at}."):
            return path.removeprefix(f"{self.at}.").split(".")
        for place, name in self.inside.items():
            if path.startswith(f"{place}."):
                return [name, *path.removeprefix(f"{place}.").split(".")]
        return None


def model_of(package: str, kind: str) -> type[pydantic.BaseModel]:
    """Return the parameter model of a component, or the model itself where `kind` is ``module:Model``."""
    found = registry.load(package, kind)
    return found if issubclass(found, pydantic.BaseModel) else registry.params_of(found)


def validated(package: str, kind: str, params: Mapping[str, Any]) -> pydantic.BaseModel:
    """Return validated parameters of a component or model.

    Raises
    ------
    InvalidParamsError
        With every problem.
    """
    model = model_of(package, kind)
    try:
        return model(**dict(params))
    except pydantic.ValidationError as e:
        rows = "; ".join(f"{'.'.join(map(str, x['loc'])) or 'params'}: {x['msg']}" for x in e.errors())
        raise InvalidParamsError("PARAMS_INVALID", f"{kind}: {rows}", kind=kind) from e


def _with(tree: Mapping[str, Any], keys: list[str], value: Any) -> dict[str, Any]:
    key, rest = keys[0], keys[1:]
    if not rest:
        return {**tree, key: value}
    inner = tree.get(key)
    return {**tree, key: _with(inner if isinstance(inner, Mapping) else {}, rest, value)}


@dataclass(frozen=True)
class Constraint:
    """A comparison of two dimensions, or of one with a number.

    Examples
    --------
    >>> rule = Constraint.parse("strategy.fast_bars < strategy.slow_bars")
    >>> rule.problem({"strategy.fast_bars": 9, "strategy.slow_bars": 5})
    'strategy.fast_bars < strategy.slow_bars: found 9 and 5'
    """

    left: str
    sign: str
    right: str | float

    @classmethod
    def parse(cls, text: str) -> Constraint:
        """Return the constraint that a person wrote.

        Raises
        ------
        ConfigError
            If it is none.
        """
        found = _CONSTRAINT.match(text)
        if found is None:
            raise ConfigError(
                "CONSTRAINT_TEXT",
                f"constraint {text!r}: expected PATH, one of < <= > >= !=, and a path or a number",
            )
        left, sign, right = found.groups()
        try:
            return cls(left, sign, float(right))
        except ValueError:
            return cls(left, sign, right)

    @property
    def paths(self) -> tuple[str, ...]:
        """The dimensions it speaks of."""
        return (self.left, self.right) if isinstance(self.right, str) else (self.left,)

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right if isinstance(self.right, str) else f'{self.right:g}'}"

    def problem(self, values: Mapping[str, Any]) -> str | None:
        """Return how the values break it, None if they keep it."""
        left = values[self.left]
        right = values[self.right] if isinstance(self.right, str) else self.right
        if _TESTS[self.sign](left, right):
            return None
        return f"{self}: found {left} and {right}"


@dataclass(frozen=True)
class Space:
    """Dimensions in order, with what refuses some of their combinations.

    Parameters
    ----------
    dimensions : tuple of Dimension
        At least one, each path once.
    owners : tuple of Owner
    constraints : tuple of Constraint

    Raises
    ------
    ConfigError
        If it is empty, names a path twice, or constrains one that it has not.

    Examples
    --------
    >>> space = Space.of_component("actors.domain.strategies", "ma_crossover", at="strategy").only(
    ...     ["strategy.fast_bars", "strategy.slow_bars"])
    >>> space.size(), space.problem({"strategy.fast_bars": 5, "strategy.slow_bars": 20})
    (21336, None)
    """

    dimensions: tuple[Dimension, ...]
    owners: tuple[Owner, ...] = ()
    constraints: tuple[Constraint, ...] = ()

    def __post_init__(self) -> None:
        if not self.dimensions:
            raise ConfigError("SPACE_EMPTY", "search space: expected at least one dimension, found none")
        paths = [d.path for d in self.dimensions]
        twice = sorted({p for p in paths if paths.count(p) > 1})
        if twice:
            raise ConfigError(
                "SPACE_TWICE", f"search space: expected each path once, found {', '.join(twice)} twice"
            )
        unknown = [str(c) for c in self.constraints if not set(c.paths) <= set(paths)]
        if unknown:
            raise ConfigError(
                "SPACE_CONSTRAINT",
                f"constraint {unknown[0]}: expected dimensions of the space ({', '.join(paths)})",
            )

    @classmethod
    def of_component(
        cls, package: str, kind: str, *, at: str, params: Mapping[str, Any] | None = None
    ) -> Space:
        """Return the space of a component's parameters that have a range and no value in `params`.

        Raises
        ------
        ConfigError
            If no parameter has a range, or the kind is unknown.
        """
        given = dict(params or {})
        ranges = search_space(model_of(package, kind))
        found = tuple(Dimension(f"{at}.{n}", r) for n, r in ranges.items() if n not in given)
        if not found:
            raise ConfigError(
                "SPACE_EMPTY", f"{kind}: expected a parameter with a range that is not fixed, found none"
            )
        return cls(found, (Owner(at, package, kind, given),))

    # -- what it is made of -----------------------------------------------------------------------------------

    @property
    def paths(self) -> tuple[str, ...]:
        """Paths of the dimensions, in order."""
        return tuple(d.path for d in self.dimensions)

    def __add__(self, other: Space) -> Space:
        """Return both spaces in one."""
        return Space(
            self.dimensions + other.dimensions, self.owners + other.owners, self.constraints + other.constraints
        )  # fmt: skip

    def only(self, paths: Iterable[str]) -> Space:
        """Return the dimensions with these paths, in the order of the space; constraints on others go.

        Raises
        ------
        ConfigError
            If a path is not in the space.
        """
        wanted = set(paths)
        unknown = sorted(wanted - set(self.paths))
        if unknown:
            raise ConfigError(
                "SPACE_PATH",
                f"search space: expected some of {', '.join(self.paths)}, found {', '.join(unknown)}",
            )
        kept = tuple(c for c in self.constraints if set(c.paths) <= wanted)
        return replace(
            self, dimensions=tuple(d for d in self.dimensions if d.path in wanted), constraints=kept
        )

    def with_ranges(self, ranges: Mapping[str, Range]) -> Space:
        """Return the space with these ranges in place of its own; new paths are added at the end."""
        own = tuple(Dimension(d.path, ranges.get(d.path, d.range)) for d in self.dimensions)
        new = tuple(Dimension(p, r) for p, r in ranges.items() if p not in self.paths)
        return replace(self, dimensions=own + new)

    def with_constraints(self, constraints: Iterable[Constraint]) -> Space:
        """Return the space with these constraints beside its own."""
        return replace(self, constraints=(*self.constraints, *constraints))

    def size(self) -> int | None:
        """Return how many combinations there are before any is refused; None where a dimension is continuous."""
        counts = [None if (v := d.range.values()) is None else len(v) for d in self.dimensions]
        known = [c for c in counts if c is not None]
        return math.prod(known) if len(known) == len(counts) else None

    # -- values -----------------------------------------------------------------------------------------------

    def problem(self, values: Mapping[str, Any]) -> str | None:
        """Return why these values are refused, None if they are not.

        Parameters
        ----------
        values : mapping path → value
            One for each dimension; they need not lie in the ranges, which say only where to look.
        """
        missing = [p for p in self.paths if p not in values]
        if missing:
            return f"expected a value for {', '.join(missing)}"
        rules: Iterator[str | None] = itertools.chain(
            (c.problem(values) for c in self.constraints), (o.problem(values) for o in self.owners)
        )
        return next((p for p in rules if p is not None), None)

    def draw(self, rng: np.random.Generator) -> Values:
        """Return values drawn evenly over the ranges, those refused drawn again.

        Raises
        ------
        ConfigError
            If nothing is left: the constraints contradict each other.
        """
        problem = None
        for _ in range(_TRIES):
            values = self.from_unit(rng.random(len(self.dimensions)))
            problem = self.problem(values)
            if problem is None:
                return values
        raise ConfigError(
            "SPACE_CONTRADICTION",
            f"search space: expected values that are not refused, found none in {_TRIES} draws; last: {problem}",
        )

    def points(self, per_dimension: int = 10) -> Iterator[Values]:
        """Iterate over the grid in the order of a product, the last dimension fastest, without what is refused.

        Parameters
        ----------
        per_dimension : int
            Points of a range that has more, or infinitely many; at least 2.
        """
        axes = [grid(d.range, per_dimension) for d in self.dimensions]
        for values in itertools.product(*axes):
            found = dict(zip(self.paths, values, strict=True))
            if self.problem(found) is None:
                yield found

    def from_unit(self, place: Iterable[float]) -> Values:
        """Return the values at a place of the unit cube, refused or not."""
        return {d.path: from_unit(d.range, float(u)) for d, u in zip(self.dimensions, place, strict=True)}

    def to_unit(self, values: Mapping[str, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the place of values in the unit cube, shape (n_dimensions,): for distances between them."""
        return np.array([to_unit(d.range, values[d.path]) for d in self.dimensions])

    def nearby(self, values: Mapping[str, Any], reach: float, rng: np.random.Generator) -> Values:
        """Return values close to the given ones: each dimension moved by at most `reach` of its range.

        Choices move to another one with probability `reach`. What is refused is drawn again.

        Raises
        ------
        ConfigError
            If all around is refused.
        """
        center = self.to_unit(values)
        for _ in range(_TRIES):
            move = rng.uniform(-reach, reach, len(center))
            jump = rng.random((2, len(center)))
            found: Values = {}
            for k, d in enumerate(self.dimensions):
                if d.range.kind == "choice":
                    others = [c for c in d.range.choices if c != values[d.path]]
                    moved = (
                        others[int(jump[1, k] * len(others))]
                        if others and jump[0, k] < reach
                        else values[d.path]
                    )
                else:
                    moved = from_unit(d.range, float(center[k] + move[k]))
                found[d.path] = moved
            if self.problem(found) is None:
                return found
        raise ConfigError(
            "SPACE_CONTRADICTION", f"search space: expected values around {dict(values)} that are not refused"
        )
