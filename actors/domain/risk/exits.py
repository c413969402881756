"""What ends a position beside the signal: stop, target, trailing stop and time, and how far each lies from the entry.

A distance is a fraction of the entry price, a multiple of the average true range known at the decision (Wilder,
1978, "New Concepts in Technical Trading Systems"), an amount of quote, or for targets a multiple R of the
distance to the stop (Tharp, 1998, "Trade Your Way to Financial Freedom").
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

import pydantic
from pydantic import Field

from actors.domain.params import Range
from actors.domain.registry import Params

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1)]
PREFIX = "exit:"
STOP, TARGET, TRAILING, TIME = "stop", "target", "trailing", "time"
RANGES: Mapping[str, Range] = {
    "stop.frac": Range("float", 0.005, 0.15, log=True), "stop.atr": Range("float", 0.5, 8.0, log=True),
    "target.frac": Range("float", 0.005, 0.3, log=True), "target.atr": Range("float", 0.5, 16.0, log=True),
    "target.r": Range("float", 0.5, 6.0), "trailing.frac": Range("float", 0.005, 0.2, log=True),
    "trailing.atr": Range("float", 0.5, 10.0, log=True), "time.bars": Range("int", 4, 500, log=True),
    "atr_window_bars": Range("int", 5, 50, log=True),
}  # fmt: skip
"""Where a search looks: they stand here, since no exit has a default beside which they could."""


class _Measured(Params):
    """A distance by exactly one of its measures."""

    @pydantic.model_validator(mode="after")
    def _one(self) -> _Measured:
        found = self.measures
        if len(found) != 1:
            known = ", ".join(type(self).model_fields)
            raise ValueError(f"expected exactly one of {known}, found {', '.join(found) or 'none'}")
        return self

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures that are given."""
        return tuple(n for n in type(self).model_fields if getattr(self, n) is not None)

    @property
    def measure(self) -> str:
        """Name of the measure."""
        return self.measures[0]

    @property
    def amount(self) -> float:
        """How much of it."""
        return float(getattr(self, self.measure))


class StopExit(_Measured):
    """Distance of the stop: `frac` of the entry price or `atr` average true ranges."""

    frac: Share | None = None
    atr: Positive | None = None


class TargetExit(_Measured):
    """Distance of the target beyond the entry: `frac` of its price, `atr` ranges, or `r` distances to the stop."""

    frac: Positive | None = None
    atr: Positive | None = None
    r: Positive | None = None


class TrailingExit(_Measured):
    """Distance of the trailing stop from the best price since the entry: `frac`, `atr` ranges or `quote` currency."""

    frac: Share | None = None
    atr: Positive | None = None
    quote: Positive | None = None


class TimeExit(Params):
    """The position is left at the open after so many bars with it."""

    bars: int = Field(ge=1)


class ExitParams(Params):
    """Protective exits of a run; what is not named does not exist.

    Attributes
    ----------
    stop, target, trailing, time : sections or None
    atr_window_bars : int
        Window of the average true range where a distance is measured in it.

    Examples
    --------
    >>> ExitParams(stop={"frac": 0.02}, target={"r": 2}).stop_frac(100.0, float("nan"))
    0.02
    >>> ExitParams(trailing={"atr": 3}).stop_frac(100.0, 1.5)
    0.045
    """

    stop: StopExit | None = None
    target: TargetExit | None = None
    trailing: TrailingExit | None = None
    time: TimeExit | None = None
    atr_window_bars: int = Field(14, ge=2)

    @pydantic.model_validator(mode="after")
    def _no_contradiction(self) -> ExitParams:
        problems = []
        given = self.model_fields_set
        if given and not any((self.stop, self.target, self.trailing, self.time)):
            problems.append("expected a stop, target, trailing or time exit, found none")
        elif "atr_window_bars" in given and not self.needs_range:
            problems.append("atr_window_bars: expected a distance in atr beside it, found none")
        if self.target is not None and self.target.r is not None and self.risk is None:
            problems.append(
                "target.r: expected a stop or trailing exit whose distance it multiplies, found none"
            )
        stop, trailing = self.stop, self.trailing
        if stop and trailing and stop.measure == trailing.measure and trailing.amount <= stop.amount:
            problems.append(
                f"trailing.{trailing.measure}: expected more than stop.{stop.measure} = {stop.amount:g} (the stop "
                f"would never be reached), found {trailing.amount:g}"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def active(self) -> bool:
        """Whether there is any exit."""
        return any((self.stop, self.target, self.trailing, self.time))

    @property
    def parts(self) -> tuple[StopExit | TargetExit | TrailingExit, ...]:
        """The exits that have a distance."""
        return tuple(p for p in (self.stop, self.target, self.trailing) if p is not None)

    @property
    def needs_range(self) -> bool:
        """Whether a distance is measured in average true ranges."""
        return any(p.measure == "atr" for p in self.parts)

    @property
    def risk(self) -> StopExit | TrailingExit | None:
        """The exit that limits a loss: the stop, else the trailing stop."""
        return self.stop or self.trailing

    def stop_frac(self, price: float, atr: float) -> float:
        """Return how far below (a short: above) its entry a position opened at `price` is left, a fraction of it.

        Parameters
        ----------
        price : float
        atr : float
            Average true range, NaN if unknown.

        Returns
        -------
        float
            The smaller distance of stop and trailing stop; NaN if unknown or if there is neither.
        """
        found = [_fraction(p, price, atr) for p in (self.stop, self.trailing) if p is not None]
        return math.nan if not found or any(f != f for f in found) else min(found)


def _fraction(part: StopExit | TrailingExit, price: float, atr: float) -> float:
    if part.measure == "frac":
        return part.amount
    distance = part.amount if part.measure == "quote" else part.amount * atr
    return distance / price if price > 0.0 else math.nan


def exit_reason(intent_id: str) -> str | None:
    """Return which protective exit an intent id belongs to, None if it is another's.

    Examples
    --------
    >>> exit_reason("exit:stop:execution-exits:12:0"), exit_reason("coordinator-risk:12:0")
    ('stop', None)
    """
    return intent_id.split(":")[1] if intent_id.startswith(PREFIX) else None
