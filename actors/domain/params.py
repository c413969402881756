"""Parameters that a search can read: a default, what is legal, and the range worth looking through.

``Param`` is a pydantic field, so a model of parameters stays plain, frozen and JSON-able; the range lies beside
the limits and never refuses a value: limits (``ge``, ``lt`` …) say what works, a range what is worth trying.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import pydantic

from actors.domain.errors import InvalidParamsError

_KEY = "range"


class Range(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a search looks for one parameter.

    Attributes
    ----------
    kind : str
        ``int``, ``float`` or ``choice``.
    low, high : float or int or None
        Both ends belong to it; None for a choice.
    step : float or int or None
        Distance of neighbours from `low` on; None: any float, for an int 1.
    log : bool
        Draw the logarithm evenly; excludes `step` for floats.
    choices : tuple
        The values of a choice, as they are written in configuration.
    """

    kind: str
    low: float | int | None = None
    high: float | int | None = None
    step: float | int | None = None
    log: bool = False
    choices: tuple[Any, ...] = ()

    def holds(self, value: Any) -> bool:
        """Tell whether a value is one that a search could draw.

        Examples
        --------
        >>> Range("int", 2, 10, 4).holds(6), Range("int", 2, 10, 4).holds(7), Range("float", 0.1, 1.0).holds(0.5)
        (True, False, True)
        """
        if self.kind == "choice":
            return any(value == c and type(value) is type(c) for c in self.choices)
        if self.low is None or self.high is None or not self.low <= value <= self.high:
            return False
        if self.kind == "int" and value != int(value):
            return False
        if self.step is None:
            return True
        steps = (value - self.low) / self.step
        return math.isclose(steps, round(steps), abs_tol=1e-9)

    def values(self) -> tuple[Any, ...] | None:
        """Return all values in order; None for floats without a step.

        Examples
        --------
        >>> Range("int", 2, 10, 4).values(), Range("float", 0.0, 0.3, 0.1).values()
        ((2, 6, 10), (0.0, 0.1, 0.2, 0.3))
        """
        if self.kind == "choice":
            return self.choices
        if self.low is None or self.high is None or (self.kind == "float" and self.step is None):
            return None
        step = 1 if self.step is None else self.step
        count = math.floor((self.high - self.low) / step + 1e-9) + 1
        if self.kind == "int":
            return tuple(int(self.low + k * step) for k in range(count))
        return tuple(round(self.low + k * step, 12) for k in range(count))

    def __str__(self) -> str:
        if self.kind == "choice":
            return " | ".join(map(str, self.choices))
        step = "" if self.step is None else f" step {self.step}"
        return f"{self.low}..{self.high}{step}{' log' if self.log else ''}"


def Param(  # noqa: N802 - reads as the type that it declares, like pydantic's Field
    default: Any,
    *,
    low: float | int | None = None,
    high: float | int | None = None,
    step: float | int | None = None,
    log: bool = False,
    choices: tuple[Any, ...] | None = None,
    about: str | None = None,
    **limits: Any,
) -> Any:
    """Declare one parameter.

    Parameters
    ----------
    default : bool, int, float or str
        Its type is the parameter's type where no annotation says otherwise.
    low, high, step, log : optional
        The range of a search over numbers; see `Range`.
    choices : tuple, optional
        The values of a search over names or switches; a bool has both by itself.
    about : str, optional
        One line for people.
    **limits
        What pydantic's Field knows: ``ge gt le lt multiple_of pattern min_length max_length``.

    Returns
    -------
    pydantic FieldInfo
        Typed Any, so that it can stand as the default of any annotation.

    Raises
    ------
    InvalidParamsError
        If the range contradicts itself or does not hold the default.

    Examples
    --------
    >>> from actors.domain.registry import Params
    >>> class P(Params):
    ...     fast_bars: int = Param(20, ge=1, low=5, high=50)
    ...     kind: str = Param("sma", choices=("sma", "ema"))
    >>> P(fast_bars=300).fast_bars
    300
    >>> {name: str(r) for name, r in search_space(P).items()}
    {'fast_bars': '5..50', 'kind': 'sma | ema'}
    """
    found = _range(default, low, high, step, log, choices)
    extra: dict[str, Any] | None = None if found is None else {_KEY: msgspec.to_builtins(found)}
    return pydantic.Field(default, description=about, json_schema_extra=extra, **limits)


def search_space(model: type[pydantic.BaseModel]) -> dict[str, Range]:
    """Return the range of each parameter that has one, in the order of declaration."""
    out = {}
    for name, field in model.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, Mapping) and _KEY in extra:
            out[name] = msgspec.convert(extra[_KEY], Range)
        elif type(field.default) is bool:
            out[name] = Range("choice", choices=(False, True))
    return out


def _range(
    default: Any,
    low: float | int | None,
    high: float | int | None,
    step: float | int | None,
    log: bool,
    choices: tuple[Any, ...] | None,
) -> Range | None:
    if choices is not None:
        found = Range("choice", choices=tuple(choices))
    elif low is None and high is None:
        return None
    else:
        kind = "int" if type(default) is int else "float"
        whole = kind == "float" or all(type(x) is int for x in (low, high, step) if x is not None)
        fits = (
            low is not None and high is not None and low < high and (step is None or 0 < step <= high - low)
        )
        positive = not log or (low is not None and low > 0 and (step is None or kind == "int"))
        if not (whole and fits and positive) or type(default) not in (int, float):
            raise InvalidParamsError(
                "RANGE_INVALID",
                f"range: expected low < high of the default's type, a step within them, and for log low > 0 "
                f"without a step, found low={low}, high={high}, step={step}, log={log} for {default!r}",
            )
        found = Range(kind, low, high, step, log)
    if not found.holds(default):
        raise InvalidParamsError(
            "RANGE_DEFAULT", f"range {found}: expected the default in it, found {default!r}"
        )
    return found
