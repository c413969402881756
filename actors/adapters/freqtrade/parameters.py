"""Parameters of a strategy class: where their values come from, and what a search may try.

In order, the later wins: the default, the dictionaries ``buy_params`` and its kin in the class, the JSON file beside
the strategy file that an optimiser wrote, and what the command line sets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from actors.domain.errors import ConfigError, InvalidParamsError
from actors.domain.params import Range

SPACES = ("buy", "sell", "protection")
_TRAILING = (
    "trailing_stop", "trailing_stop_positive", "trailing_stop_positive_offset",
    "trailing_only_offset_is_reached",
)  # fmt: skip


class BaseParameter:
    """A named knob.

    Attributes
    ----------
    value : object
        What the strategy reads.
    space : str or None
        ``buy``, ``sell``, ``protection`` …: who searches it.
    """

    def __init__(self, default: Any, space: str | None, optimize: bool, load: bool) -> None:
        self.value = self.default = default
        self.space, self.optimize, self.load = space, optimize, load
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def accepts(self, value: Any) -> str | None:
        """Return what was expected if a value is none of its own, else None."""
        return None

    def searched(self) -> Range | None:
        """Return the values that a search may try."""
        return None


class _Number(BaseParameter):
    whole = False
    step: float | None = None

    def __init__(
        self,
        low: Any,
        high: Any = None,
        *,
        default: Any,
        space: str | None = None,
        optimize: bool = True,
        load: bool = True,
        **_: Any,
    ) -> None:
        if high is None:
            if not isinstance(low, Sequence) or len(low) != 2:
                raise InvalidParamsError(
                    "PARAMETER_RANGE", f"parameter: expected low and high, found {low!r} alone"
                )
            low, high = low
        self.low, self.high = low, high
        found = self.accepts(default)
        if found is not None:
            raise InvalidParamsError("PARAMETER_RANGE", f"parameter: expected {found}, found {default!r}")
        super().__init__(default, space, optimize, load)

    def accepts(self, value: Any) -> str | None:
        """Return what was expected if a value is none of its own, else None."""
        number = isinstance(value, int if self.whole else int | float) and not isinstance(value, bool)
        if number and self.low <= value <= self.high:
            return None
        return f"a {'whole ' if self.whole else ''}number in [{self.low}, {self.high}]"

    def searched(self) -> Range | None:
        """Return the values that a search may try."""
        return Range("int" if self.whole else "float", self.low, self.high, self.step)


class IntParameter(_Number):
    """A whole number between two bounds, both included."""

    whole = True

    @property
    def range(self) -> range:
        """The values that a search tries; outside a search the one in force."""
        return range(self.value, self.value + 1)


class RealParameter(_Number):
    """A real number between two bounds."""


class DecimalParameter(_Number):
    """A real number between two bounds, rounded to `decimals`."""

    def __init__(self, low: Any, high: Any = None, *, default: float, decimals: int = 3, **more: Any) -> None:
        super().__init__(low, high, default=default, **more)
        self.decimals, self.step = decimals, 10.0**-decimals
        self.value = self.default = round(float(default), decimals)

    @property
    def range(self) -> list[float]:
        """The values that a search tries; outside a search the one in force."""
        return [self.value]


class CategoricalParameter(BaseParameter):
    """One of several values."""

    def __init__(
        self,
        categories: Sequence[Any],
        *,
        default: Any = None,
        space: str | None = None,
        optimize: bool = True,
        load: bool = True,
        **_: Any,
    ) -> None:
        if len(categories) < 2:
            raise InvalidParamsError(
                "PARAMETER_RANGE", f"parameter: expected two or more categories, found {list(categories)!r}"
            )
        self.categories = list(categories)
        chosen = categories[0] if default is None else default
        found = self.accepts(chosen)
        if found is not None:
            raise InvalidParamsError("PARAMETER_RANGE", f"parameter: expected {found}, found {chosen!r}")
        super().__init__(chosen, space, optimize, load)

    def accepts(self, value: Any) -> str | None:
        """Return what was expected if a value is none of its own, else None."""
        return None if value in self.categories else f"one of {', '.join(map(repr, self.categories))}"

    def searched(self) -> Range | None:
        """Return the values that a search may try."""
        return Range("choice", choices=tuple(self.categories))

    @property
    def range(self) -> list[Any]:
        """The values that a search tries; outside a search the one in force."""
        return [self.value]


class BooleanParameter(CategoricalParameter):
    """True or False."""

    def __init__(self, *, default: bool | None = None, **more: Any) -> None:
        super().__init__([True, False], default=default, **more)


def parameters_of(strategy: Any) -> dict[str, BaseParameter]:
    """Return the parameters of a strategy (an instance or a class) by name."""
    names = [n for n in dir(strategy) if not n.startswith("__")]
    found = {n: getattr(type(strategy), n, None) for n in names}
    return {n: p for n, p in found.items() if isinstance(p, BaseParameter)}


def space_of(strategy: Any) -> dict[str, Range]:
    """Return where a search looks for each parameter that may be searched.

    Examples
    --------
    >>> class Mine:
    ...     length, rate = IntParameter(5, 9, default=6), DecimalParameter(0.1, 0.5, default=0.2, decimals=2)
    >>> {name: str(r) for name, r in space_of(Mine()).items()}
    {'length': '5..9', 'rate': '0.1..0.5 step 0.01'}
    """
    return {
        n: r for n, p in parameters_of(strategy).items() if p.optimize and (r := p.searched()) is not None
    }


def fill(strategy: Any, file: Path, chosen: Mapping[str, Any]) -> None:
    """Give the parameters of a strategy, and its own settings, the values in force.

    Parameters
    ----------
    strategy : IStrategy
    file : path
        The strategy's; its JSON file has the same name.
    chosen : mapping
        What the command line sets: parameters, or attributes such as ``stoploss``.

    Raises
    ------
    ConfigError
        If the JSON file cannot be read, or a chosen name or value is none of the strategy's.
    """
    knobs = parameters_of(strategy)
    kept = stored(file.with_suffix(".json"), type(strategy).__name__)
    for space in SPACES:
        pasted = getattr(strategy, f"{space}_params", None)
        for values in (pasted if isinstance(pasted, Mapping) else {}, kept.get(space, {})):
            for name, value in values.items():
                if name in knobs and knobs[name].load:
                    knobs[name].value = value
    if "roi" in kept:
        strategy.minimal_roi = kept["roi"]
    if "stoploss" in kept.get("stoploss", {}):
        strategy.stoploss = kept["stoploss"]["stoploss"]
    for name in _TRAILING:
        if name in kept.get("trailing", {}):
            setattr(strategy, name, kept["trailing"][name])
    wrong = [text for name, value in chosen.items() if (text := _choose(strategy, knobs, name, value))]
    if wrong:
        raise ConfigError("STRATEGY_PARAMS", f"{type(strategy).__name__}: " + "; ".join(wrong))


SETTINGS = (
    "minimal_roi", "stoploss", "startup_candle_count", "use_exit_signal", "exit_profit_only",
    "exit_profit_offset", "ignore_roi_if_entry_signal", *_TRAILING,
)  # fmt: skip
"""Attributes that the command line may set beside a strategy's parameters."""


def _choose(strategy: Any, knobs: Mapping[str, BaseParameter], name: str, value: Any) -> str | None:
    if name in knobs:
        found = knobs[name].accepts(value)
        if found is not None:
            return f"strategy.{name}: expected {found}, found {value!r}"
        knobs[name].value = value
        return None
    if name in SETTINGS:
        setattr(strategy, name, value)
        return None
    return f"strategy.{name}: expected one of {', '.join([*knobs, *SETTINGS])}, found {name!r}"


def stored(file: Path, name: str) -> Mapping[str, Any]:
    """Return the parameters that an optimiser left for a class beside its file; empty if there are none.

    Raises
    ------
    ConfigError
        If the file says that it is for the class and cannot be read.
    """
    if not file.is_file():
        return {}
    try:
        tree = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as e:
        raise ConfigError("STRATEGY_JSON", f"{file}: expected JSON, found {e}") from e
    if not isinstance(tree, Mapping) or tree.get("strategy_name") != name:
        # some other file of this name, or for another class
        return {}
    params = tree.get("params")
    if not isinstance(params, Mapping):
        raise ConfigError("STRATEGY_JSON", f"{file}: expected params by space, found {params!r}")
    return {k: v for k, v in params.items() if isinstance(v, Mapping)}
