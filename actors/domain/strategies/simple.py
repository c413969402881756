"""The short way to write a strategy: typed parameters, indicators by name, and one decision per bar.

    class Breakaway(SimpleStrategy):
        '''Long above a rising average, short below it.'''

        fast_bars = Param(20, ge=2, low=5, high=50)
        slow_bars = Param(100, ge=2, low=50, high=300)

        def indicators(self):
            return {"fast": indicator("ema", window_bars=self.fast_bars),
                    "slow": indicator("ema", window_bars=self.slow_bars)}

        def decide(self, bar, fast, slow):
            return 0.8 if fast > slow else -0.8

The rest follows: parameters that configuration, command line and a search can read, warm-up, snapshots, and a
batch form that equals the streaming one, since both hand the same numbers to the same `decide`.
"""

from __future__ import annotations

import copy
import inspect
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, cast

import numpy as np
import pydantic
from numpy.typing import NDArray
from pydantic.fields import FieldInfo

from actors.domain import registry
from actors.domain.errors import InvalidParamsError, TradingError
from actors.domain.indicators.base import Indicator
from actors.domain.params import Param, search_space
from actors.domain.strategies.base import (
    FLAT,
    PREDICTIONS,
    Columns,
    FloatArray,
    Market,
    Opinion,
    Strategy,
)
from actors.domain.strategies.rows import market_rows

INDICATORS = "actors.domain.indicators"
_PART = 8192
"""Bars decided at a time: their objects are dead before the next ones need room."""
_TYPES = {"int": int, "float": float, "bool": bool, "str": str}


class Line(NamedTuple):
    """An indicator by name, with its parameters."""

    kind: str
    params: Mapping[str, Any]


def indicator(kind: str, **params: Any) -> Line:
    """Name an indicator: a kind of ``list-indicators``, or ``module:Class``."""
    return Line(kind, params)


class Memory:
    """What a strategy remembers from bar to bar: ``entry = Memory(0.0)`` in the class, ``self.entry`` in `decide`.

    Parameters
    ----------
    first : plain value
        What it holds before the first bar.
    """

    def __init__(self, first: Any) -> None:
        self.first = first


class _Sealed(type):
    """Lets a strategy set what it likes while it is built; afterwards only what is remembered may change."""

    def __call__(cls, *args: Any, **more: Any) -> Any:
        made = super().__call__(*args, **more)
        vars(made)["_sealed"] = frozenset(made._fields())
        return made


class SimpleStrategy(Strategy, metaclass=_Sealed):
    """Base of strategies written the short way; see the first lines of the module.

    Attributes
    ----------
    ordered : tuple of str
        Parameters that must increase, such as ``("fast_bars", "slow_bars")``.
    reads : tuple of str
        `REGIME`, `PREDICTIONS`, where `decide` looks at ``bar.regime`` or ``bar.predictions``.

    Notes
    -----
    State: the indicators and every `Memory`; any other attribute cannot be set after ``__init__``.
    Warm-up: the longest of the indicators. While a line is undefined `decide` is not asked, and the opinion is
    flat.
    """

    STATE: ClassVar[tuple[str, ...]] = ("_lines",)
    has_batch: ClassVar[bool] = True
    ordered: ClassVar[tuple[str, ...]] = ()
    _memories: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        own = dict(vars(cls))
        fields = {name: value for name, value in own.items() if isinstance(value, FieldInfo)}
        memories = {name: value.first for name, value in own.items() if isinstance(value, Memory)}
        for name in (*fields, *memories):
            if any(hasattr(base, name) for base in cls.__mro__[1:]):
                raise InvalidParamsError(
                    "PARAM_NAME",
                    f"{cls.__name__}.{name}: expected a name of its own, found one of the base class",
                )
            delattr(cls, name)
        cls._memories = {**cls._memories, **memories}
        cls.STATE = (*own.get("STATE", ()), *memories)
        if "Params" not in own:
            cls.Params = _model(cls, fields)

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        for name in type(params).model_fields:
            setattr(self, name, getattr(params, name))
        for name, first in self._memories.items():
            setattr(self, name, copy.deepcopy(first))
        wanted = self._wanted()
        bar, *names = list(inspect.signature(self.decide).parameters) or [""]
        if not bar or bar in wanted:
            raise InvalidParamsError(
                "DECIDE_LINES",
                f"{type(self).__name__}.decide: expected (self, bar, …), found "
                f"({', '.join(inspect.signature(type(self).decide).parameters)})",
            )
        unknown = [n for n in names if n not in wanted]
        if unknown:
            raise InvalidParamsError(
                "DECIDE_LINES",
                f"{type(self).__name__}.decide: expected, after the bar, names that indicators() gives "
                f"({', '.join(wanted) or 'none'}), found {', '.join(unknown)}",
            )
        self._lines: dict[str, Indicator] = {name: self._line(name, wanted[name]) for name in names}
        self.warmup_bars = max([line.warmup_bars for line in self._lines.values()], default=0)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in vars(self).get("_sealed", (name,)):
            raise AttributeError(
                f"{type(self).__name__}.{name}: expected something that is remembered, found an attribute that "
                f"changes; write `{name} = Memory(…)` in the class"
            )
        super().__setattr__(name, value)

    @property
    def lines(self) -> tuple[Indicator, ...]:
        """The indicators that it reads."""
        return tuple(self._lines.values())

    def _wanted(self) -> Mapping[str, Line]:
        said: Any = self.indicators()
        if not isinstance(said, Mapping) or not all(isinstance(x, Line) for x in said.values()):
            raise InvalidParamsError(
                "INDICATORS",
                f"{type(self).__name__}.indicators: expected {{name: indicator(kind, …)}}, found {said!r}",
            )
        return said

    def _line(self, name: str, line: Line) -> Indicator:
        try:
            made: Indicator = registry.build(INDICATORS, line.kind, line.params)
        except TradingError as e:
            raise InvalidParamsError(
                "INDICATORS", f"{type(self).__name__}.indicators, {name}: {e.message}"
            ) from e
        return made

    def indicators(self) -> Mapping[str, Line]:
        """Return the indicators that `decide` asks for, by the name of its argument; parameters are on ``self``."""
        return {}

    def decide(self, *args: Any, **kwargs: Any) -> float | tuple[float, float] | None:
        """Return the opinion at the close of ``bar``: override as ``decide(self, bar, name, …)``.

        Parameters
        ----------
        bar : Market
        name : float, or tuple of float for an indicator of several lines
            The value of each indicator at this bar; never NaN.

        Returns
        -------
        float in [-1, 1], or ``(direction, confidence)``, or None
            A number is the side by its sign and the confidence by its size. None, like 0, is flat.
        """
        raise NotImplementedError

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        values: list[Any] = []
        ready = True
        for line in self._lines.values():
            row: Sequence[float] = line.update(market)  # type: ignore[arg-type]  # has what a bar has
            for x in row:
                if x != x:
                    ready = False
            values.append(row[0] if len(row) == 1 else tuple(row))
        return _opinion(self.decide(market, *values)) if ready else FLAT

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar: whole indicators, then `decide` bar by bar."""
        fresh = type(self)(self.params)
        rows = [_column(line, columns) for line in fresh._lines.values()]
        bars = len(columns.close)
        ready = np.ones(bars, dtype=bool)
        for row in rows:
            ready &= ~np.isnan(row).any(axis=0)
        at = np.flatnonzero(ready)
        direction, confidence = np.zeros(bars), np.zeros(bars)
        for part in np.split(at, range(_PART, len(at), _PART)):
            markets = market_rows(columns, part, predictions=PREDICTIONS in self.reads)
            opinions = [
                _opinion(x) for x in map(fresh.decide, markets, *[_values(row, part) for row in rows])
            ]
            direction[part] = [o.direction for o in opinions]
            confidence[part] = [o.confidence for o in opinions]
        return direction, confidence


def _opinion(said: Any) -> Opinion:
    if said is None:
        return FLAT
    try:
        if type(said) is tuple:
            direction, confidence = said
        else:
            confidence = said if said >= 0.0 else -said
            direction = 1.0 if said > 0.0 else -1.0 if said < 0.0 else 0.0
        sound = -1.0 <= direction <= 1.0 and 0.0 <= confidence <= 1.0 and type(said) is not bool
    except (TypeError, ValueError):
        sound = False
    if not sound:
        raise ValueError(
            "decide: expected a number in [-1, 1], or (direction, confidence) in [-1, 1] and [0, 1], or None, found "
            f"{said!r}"
        )
    return Opinion(float(direction), float(confidence))


def _values(row: FloatArray, at: NDArray[np.int64]) -> list[Any]:
    lines = [x[at].tolist() for x in row]
    return lines[0] if len(lines) == 1 else list(zip(*lines, strict=True))


def _column(line: Indicator, columns: Columns) -> FloatArray:
    """Return an indicator's lines, shape (n_lines, n_bars); bar by bar if it has no batch form."""
    if type(line).batch is not Indicator.batch:
        return line.batch(columns)  # type: ignore[arg-type]  # has what a frame has
    rows = [tuple(line.update(m)) for m in market_rows(columns, predictions=False)]  # type: ignore[arg-type]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(line.names)).T


def _model(cls: type[SimpleStrategy], fields: Mapping[str, FieldInfo]) -> type[registry.Params]:
    """Return the parameter model of a class, on top of its base's."""
    written = inspect.get_annotations(cls)
    declared = {name: (_type_of(written.get(name), field), field) for name, field in fields.items()}
    ordered = cls.ordered

    def increase(model: pydantic.BaseModel) -> pydantic.BaseModel:
        values = [getattr(model, name) for name in ordered]
        if any(not a < b for a, b in itertools.pairwise(values)):
            raise ValueError(f"{' < '.join(ordered)}: expected increasing values, found {values}")
        return model

    about = [f"{name} : {kind.__name__ if isinstance(kind, type) else kind}\n    {field.description or name}"
             for name, (kind, field) in declared.items()]  # fmt: skip
    text = f"Parameters of `{cls.__name__}`."
    model: Any = pydantic.create_model(
        "Params",
        __base__=cls.Params,  # the base's
        __module__=cls.__module__,
        __doc__=text + ("\n\nAttributes\n----------\n" + "\n".join(about) if about else ""),
        __validators__={"increase": pydantic.model_validator(mode="after")(increase)} if ordered else {},
        **declared,
    )  # type: ignore[call-overload]
    model.__qualname__ = f"{cls.__qualname__}.Params"  # where pickle finds it
    return cast("type[registry.Params]", model)


def _type_of(written: Any, field: FieldInfo) -> Any:
    found = _TYPES.get(written, written) if isinstance(written, str) else written
    if isinstance(found, type):
        return found
    extra = field.json_schema_extra
    if isinstance(extra, Mapping) and isinstance(field.default, str) and "range" in extra:
        choices: Any = extra["range"]
        return Literal[tuple(choices["choices"])]
    return type(field.default)


__all__: Sequence[str] = ["FLAT", "Memory", "Param", "SimpleStrategy", "indicator", "search_space"]
