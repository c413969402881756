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

    def __init__(self) -> None:
        super().__init__("agent_lost")

    def update(self, step: int, ts_ns: int, equity: float, flat: bool) -> bool:
        """Never changes by itself."""
        return False


def build_breakers(config: Mapping[str, Any], timeframe_ns: int) -> dict[str, Breaker]:
    """Return the configured breakers by name.

    Parameters
    ----------
    config : mapping
        ``{"drawdown": {…}, "daily_loss": {…}}``; a breaker that is not named does not exist.
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
            else:
                raise InvalidParamsError(
                    "BREAKER_UNKNOWN", f"risk.breakers: expected drawdown or daily_loss, found {name!r}"
                )
        except pydantic.ValidationError as e:
            rows = "; ".join(
                f"{'.'.join(map(str, err['loc'])) or 'params'}: {err['msg']}, found {err.get('input')!r}"
                for err in e.errors()
            )
            raise InvalidParamsError("PARAMS_INVALID", f"risk.breakers.{name}: {rows}") from e
    return out
