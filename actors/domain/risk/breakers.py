"""Circuit breakers: they stop the taking of new risk after losses, with cool-down and hysteresis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pydantic

from actors.domain import registry
from actors.domain.errors import InvalidParamsError
from actors.domain.model.timeframe import DAY_NS
from actors.domain.state import Stateful

# 1 - 90/100 is 0.09999999999999998 in floats, and still ten per cent
_NOISE = 1e-12
NEVER = 1 << 62
"""`until_step` of a breaker that only a person resets."""


class Breaker(Stateful):
    """Base: armed or tripped. `update` is called once per step and tells of changes.

    Attributes
    ----------
    tripped : bool
    limit, observed : float
        Of the last trip, positive fractions of equity.
    until_step : int
        First step at which a reset is possible.
    """

    STATE: ClassVar[tuple[str, ...]] = ("tripped", "limit", "observed", "until_step")

    def __init__(self, name: str) -> None:
        self.name = name
        self.tripped = False
        self.limit = 0.0
        self.observed = 0.0
        self.until_step = -1

    def update(self, step: int, ts_ns: int, equity: float, flat: bool) -> bool:
        """Take the account at a close; return True if the breaker tripped or was reset in this step."""
        raise NotImplementedError

    def trip(self, limit: float, observed: float, until_step: int) -> bool:
        """Trip now."""
        self.tripped, self.limit, self.observed, self.until_step = True, limit, observed, until_step
        return True


class DrawdownBreaker(Breaker):
    """Trips when equity falls `limit_frac` below the breaker's own peak.

    After a trip the book is flat and its drawdown cannot heal, so the reset (cool-down over and book flat)
    moves the peak to where the drawdown is ``reset_share × limit_frac``: the leash after a reset is shorter
    than at first by that much, which is the hysteresis. `halt_frac` below the all-time peak is final: a
    person must act.
    """

    class Params(registry.Params):
        """`cooldown_steps` without new risk; `_frac` of the peak; `halt_frac` None: no final stop."""

        limit_frac: float = pydantic.Field(0.15, gt=0, lt=1)
        cooldown_steps: int = pydantic.Field(48, ge=1)
        reset_share: float = pydantic.Field(0.25, ge=0, lt=1)
        halt_frac: float | None = pydantic.Field(None, gt=0, lt=1)

        @pydantic.model_validator(mode="after")
        def _ordered(self) -> DrawdownBreaker.Params:
            if self.halt_frac is not None and self.halt_frac < self.limit_frac:
                raise ValueError(
                    f"halt_frac: expected at least limit_frac = {self.limit_frac}, found {self.halt_frac}"
                )
            return self

    STATE: ClassVar[tuple[str, ...]] = ("_peak", "_all_time_peak")

    def __init__(self, params: Params) -> None:
        super().__init__("drawdown")
        self.params = params
        self._peak = 0.0
        self._all_time_peak = 0.0

    def update(self, step: int, ts_ns: int, equity: float, flat: bool) -> bool:
        """See `Breaker.update`."""
        p = self.params
        self._peak = max(self._peak, equity)
        self._all_time_peak = max(self._all_time_peak, equity)
        if not self.tripped:
            total = 1.0 - equity / self._all_time_peak
            if p.halt_frac is not None and total >= p.halt_frac - _NOISE:
                return self.trip(p.halt_frac, total, NEVER)
            depth = 1.0 - equity / self._peak
            if depth >= p.limit_frac - _NOISE:
                return self.trip(p.limit_frac, depth, step + p.cooldown_steps)
            return False
        if step < self.until_step or not flat:
            return False
        self.tripped = False
        self._peak = min(self._peak, equity / (1.0 - p.reset_share * p.limit_frac))
        return True


class DailyLossBreaker(Breaker):
    """Trips when the loss of the UTC day reaches the limit; resets on a later day, when flat."""

    class Params(registry.Params):
        """`limit_frac` of the equity at the start of the UTC day."""

        limit_frac: float = pydantic.Field(0.05, gt=0, lt=1)

    STATE: ClassVar[tuple[str, ...]] = ("_day", "_start", "_last", "_trip_day")

    def __init__(self, params: Params, timeframe_ns: int) -> None:
        super().__init__("daily_loss")
        self.params = params
        self._timeframe_ns = timeframe_ns
        self._day = -1
        self._start = 0.0
        self._last = 0.0
        self._trip_day = -1

    def update(self, step: int, ts_ns: int, equity: float, flat: bool) -> bool:
        """See `Breaker.update`. A bar that closes at midnight belongs to the day it ends."""
        day = (ts_ns - 1) // DAY_NS
        if day != self._day:
            # the day starts with the last equity of the day before, so that a gap over midnight counts
            self._start = self._last if self._day >= 0 else equity
            self._day = day
        self._last = equity
        if self.tripped:
            if day == self._trip_day or not flat:
                return False
            self.tripped = False
            self._start = equity
            return True
        loss = 1.0 - equity / self._start if self._start > 0.0 else 0.0
        if loss < self.params.limit_frac - _NOISE:
            return False
        self._trip_day = day
        rest_ns = (day + 1) * DAY_NS - ts_ns
        return self.trip(self.params.limit_frac, loss, step + rest_ns // self._timeframe_ns + 1)


class ManualBreaker(Breaker):
    """Tripped from outside (an agent was lost for good); a person resets it."""

    NAME: ClassVar[str] = "agent_lost"

    class Params(registry.Params):
        """None: it trips on the first agent that is given up."""

    def __init__(self, params: Params | None = None) -> None:
        super().__init__(self.NAME)

    def update(self, step: int, ts_ns: int, equity: float, flat: bool) -> bool:
        """Never changes by itself."""
        return False


class VenueLostBreaker(Breaker):
    """Tripped while orders do not get through to the venue: nothing is sent into the void, exits included.

    It resets when the venue has answered for `settle_steps` steps, so that what it says about orders and balances
    is booked first. A venue that was away for `halt_after_steps` is not trusted again: from then on only a person
    resets it, and what is held there is sold as soon as the venue answers.
    """

    NAME: ClassVar[str] = "venue_lost"

    class Params(registry.Params):
        """Steps; `halt_after_steps` None: no absence is too long."""

        settle_steps: int = pydantic.Field(2, ge=1)
        halt_after_steps: int | None = pydantic.Field(24, ge=1)

    STATE: ClassVar[tuple[str, ...]] = ("away", "halted", "_since", "_back")

    def __init__(self, params: Params) -> None:
        super().__init__(self.NAME)
        self.params = params
        self.away = self.halted = False
        self._since = self._back = -1

    def heard(self, step: int, state: str) -> bool:
        """Take the venue's state; return True if the breaker tripped."""
        if state == "open":
            if self.away:
                self.away, self._back = False, step
            return False
        fresh = not self.away
        self.away = True
        if fresh and not self.tripped:
            self._since = step
            return self.trip(0.0, 1.0, NEVER)
        return False

    def update(self, step: int, ts_ns: int, equity: float, flat: bool) -> bool:
        """See `Breaker.update`; also True when the absence has become too long."""
        if not self.tripped or self.halted:
            return False
        if not self.away:
            if step - self._back < self.params.settle_steps:
                return False
            self.tripped = False
            return True
        most = self.params.halt_after_steps
        if most is not None and step - self._since >= most:
            self.halted = True
            return self.trip(float(most), float(step - self._since), NEVER)
        return False


def build_breakers(config: Mapping[str, Any], timeframe_ns: int) -> dict[str, Breaker]:
    """Return the configured breakers by name.

    Parameters
    ----------
    config : mapping
        ``{"drawdown": {…}, "daily_loss": {…}, "agent_lost": {}}``; a breaker that is not named does not exist.
    timeframe_ns : int

    Raises
    ------
    InvalidParamsError
        If a name is unknown or parameters do not validate.

    Examples
    --------
    >>> sorted(build_breakers({"drawdown": {"limit_frac": 0.1}}, 3_600_000_000_000))
    ['drawdown']
    """
    out: dict[str, Breaker] = {}
    for name, params in config.items():
        try:
            if name == "drawdown":
                out[name] = DrawdownBreaker(DrawdownBreaker.Params(**params))
            elif name == "daily_loss":
                out[name] = DailyLossBreaker(DailyLossBreaker.Params(**params), timeframe_ns)
            elif name == VenueLostBreaker.NAME:
                out[name] = VenueLostBreaker(VenueLostBreaker.Params(**params))
            elif name == ManualBreaker.NAME:
                out[name] = ManualBreaker(ManualBreaker.Params(**params))
            else:
                raise InvalidParamsError(
                    "BREAKER_UNKNOWN",
                    f"risk.breakers: expected drawdown, daily_loss, {VenueLostBreaker.NAME} or "
                    f"{ManualBreaker.NAME}, found {name!r}",
                )
        except pydantic.ValidationError as e:
            rows = "; ".join(registry.told(dict(err)) for err in e.errors())
            raise InvalidParamsError("PARAMS_INVALID", f"risk.breakers.{name}: {rows}") from e
    return out
