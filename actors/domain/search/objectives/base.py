"""What an objective is: the metrics of a run in, one number out, None where it is undefined.

Undefined is not bad: a run without trades has no Sharpe ratio, and 0 would rank it above every losing one. Such runs
are left out of a ranking, with the reason told.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, NamedTuple

from actors.domain import registry
from actors.domain.errors import ConfigError, UnknownComponentError
from actors.domain.params import Param

PACKAGE = "actors.domain.search.objectives"
Metrics = Mapping[str, float | int | None]
"""Metrics of a run under the names of the command line's ``metrics``; money as float."""
Direction = Literal["maximize", "minimize"]


class ObjectiveParams(registry.Params):
    """Parameters of every objective.

    Attributes
    ----------
    min_trades : int
        Closed trades below which a run is not judged: few say little.
    """

    min_trades: int = Param(1, ge=0)


class Objective:
    """Base of objectives.

    Attributes
    ----------
    direction : {"maximize", "minimize"}
        What is better.
    reads : tuple of str
        Metrics that must be defined.
    """

    Params: ClassVar[type[registry.Params]] = ObjectiveParams
    direction: Direction = "maximize"
    reads: tuple[str, ...] = ()

    def __init__(self, params: Any) -> None:
        self.params = params

    def value(self, metrics: Metrics) -> float | None:
        """Return the number to compare, None where it is undefined.

        Parameters
        ----------
        metrics : mapping
            At least `reads` and ``trade_count``.
        """
        raise NotImplementedError

    def better(self, a: float, b: float) -> bool:
        """Tell whether `a` is better than `b`."""
        return a > b if self.direction == "maximize" else a < b


class MetricObjective(Objective):
    """An objective that is one metric: `reads` names it."""

    def value(self, metrics: Metrics) -> float | None:
        """Return the metric."""
        found = metrics[self.reads[0]]
        return None if found is None else float(found)


class UserObjective(Objective):
    """A user's function of the metrics; its attribute ``direction``, if it has one, says what is better.

    ``reads``, if it has one, names the metrics it needs, so that a sweep can tell that its records suffice.

    Parameters
    ----------
    name : str
    function : callable
        ``function(metrics) -> float | None``.
    """

    def __init__(self, name: str, function: Callable[[Metrics], Any], params: Any) -> None:
        super().__init__(params)
        self.name, self._function = name, function
        self.direction = getattr(function, "direction", "maximize")
        self.reads = tuple(getattr(function, "reads", ()))
        self.reads_all = not hasattr(function, "reads")
        if self.direction not in ("maximize", "minimize"):
            raise ConfigError(
                "OBJECTIVE_DIRECTION",
                f"{name}.direction: expected maximize or minimize, found {self.direction!r}",
            )

    def value(self, metrics: Metrics) -> float | None:
        """Return what the function says."""
        said = self._function(metrics)
        if said is not None and (isinstance(said, bool) or not isinstance(said, int | float)):
            try:
                said = float(said)  # a NumPy scalar
            except (TypeError, ValueError):
                raise TypeError(f"{self.name}: expected a number or None, found {said!r}") from None
        return None if said is None else float(said)


class Judgement(NamedTuple):
    """What an objective makes of a run: a finite number, or None and why there is none."""

    value: float | None
    reason: str | None


def judge(objective: Objective, metrics: Metrics) -> Judgement:
    """Return an objective's number, or why there is none; nothing raises.

    Examples
    --------
    >>> sharpe = load("sharpe")
    >>> judge(sharpe, {"sharpe_ann": 1.5, "trade_count": 12})
    Judgement(value=1.5, reason=None)
    >>> judge(sharpe, {"sharpe_ann": None, "trade_count": 12}).reason
    'sharpe_ann is undefined'
    >>> judge(sharpe, {"sharpe_ann": 9.0, "trade_count": 0}).reason
    'expected at least 1 closed trades, found 0'
    """
    least, trades = getattr(objective.params, "min_trades", 0), metrics.get("trade_count") or 0
    if trades < least:
        return Judgement(None, f"expected at least {least} closed trades, found {trades}")
    for name in objective.reads:
        if metrics.get(name) is None:
            return Judgement(None, f"{name} is undefined")
    try:
        value = objective.value(metrics)
    except Exception as e:  # noqa: BLE001 - a user's function may raise anything: the run is failed, not the search
        return Judgement(None, f"{type(e).__name__}: {e}")
    if value is None:
        return Judgement(None, "the objective is undefined for this run")
    if not math.isfinite(value):
        return Judgement(None, f"expected a finite number, found {value}")
    return Judgement(value, None)


def load(name: str, params: Mapping[str, Any] | None = None) -> Objective:
    """Return an objective by its kind, or a user's function by ``module:function``.

    Raises
    ------
    ConfigError
        If there is none of that name, or its parameters are refused.

    Examples
    --------
    >>> load("ulcer").direction, load("math:sqrt").reads
    ('minimize', ())
    """
    if ":" not in name:
        built: Objective = registry.build(PACKAGE, name, params)
        return built
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as e:
        raise UnknownComponentError(
            "OBJECTIVE_UNKNOWN",
            f"objective {name!r}: expected module:function that can be imported, found {type(e).__name__}: {e}",
        ) from e
    if isinstance(found, type) and issubclass(found, Objective):
        made: Objective = registry.build(PACKAGE, name, params)
        return made
    if not callable(found):
        raise UnknownComponentError(
            "OBJECTIVE_UNKNOWN", f"objective {name!r}: expected a function of the metrics, found {found!r}"
        )
    return UserObjective(name, found, ObjectiveParams(**dict(params or {})))
