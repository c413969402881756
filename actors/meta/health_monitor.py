"""The health monitor's mind: how good each pair's data is, and alarms that do not flutter.

Data quality = completeness × freshness × outlier-free share over a rolling window of bar slots. Response
times, errors and restarts are seen by the hosting runtime; nothing here reads a clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar

import pydantic

from actors.domain.agent_params import checked
from actors.domain.events.base import Event
from actors.domain.events.market import FLAG_FORWARD_FILLED, BarClosed, BarOverdue, DataQualityAssessed
from actors.domain.events.system import AlertRaised
from actors.domain.processor import Agent, AgentContext, Step
from actors.domain.registry import Params
from actors.domain.state import Stateful

_PRESENT, _FILLED, _OUTLIER = 1, 2, 4


class HealthMonitorParams(Params):
    """Parameters of `HealthMonitor`.

    Attributes
    ----------
    window_bars : int
        Slots that completeness and the outlier share look back on.
    stale_after_bars : int
        Age of the last genuine bar at which freshness is 0, and a silent pair raises an alert.
    outlier_scale : float
        A bar is an outlier when its absolute log-free return exceeds this many average absolute returns.
    scale_half_life_bars : float
        Half-life of that average.
    min_scale_bars : int
        Returns seen before a bar can be called an outlier.
    alert_below, clear_above : float
        Quality under which an alert is raised, and above which it is withdrawn.
    """

    window_bars: int = pydantic.Field(100, ge=2)
    stale_after_bars: int = pydantic.Field(5, ge=1)
    outlier_scale: float = pydantic.Field(12.0, gt=1)
    scale_half_life_bars: float = pydantic.Field(100.0, gt=0)
    min_scale_bars: int = pydantic.Field(30, ge=1)
    alert_below: float = pydantic.Field(0.9, ge=0, le=1)
    clear_above: float = pydantic.Field(0.95, ge=0, le=1)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> HealthMonitorParams:
        if self.clear_above < self.alert_below:
            raise ValueError(
                f"clear_above: expected >= alert_below ({self.alert_below}), found {self.clear_above}"
            )
        return self


class PairHealth(Stateful):
    """Rolling quality of one pair.

    Parameters
    ----------
    params : HealthMonitorParams
    timeframe_ns : int
        Length of a bar.

    Attributes
    ----------
    score, completeness, freshness, outlier_free : float
        After the last `bar`; fractions in [0, 1].
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "_slots", "_here", "_bad", "_last_ns", "_genuine_ns", "_close", "_scale", "_seen",
        "low", "stale", "completeness", "freshness", "outlier_free", "score",
    )  # fmt: skip

    def __init__(self, params: HealthMonitorParams, timeframe_ns: int) -> None:
        self._p, self._frame = params, timeframe_ns
        self._decay = 0.5 ** (1.0 / params.scale_half_life_bars)
        self._slots: deque[int] = deque()
        self._here = self._bad = self._seen = 0
        self._last_ns: int | None = None
        self._genuine_ns = 0
        self._close = self._scale = 0.0
        self.low = self.stale = False
        self.completeness = self.freshness = self.outlier_free = self.score = float("nan")

    def bar(self, bar: BarClosed, now_ns: int) -> None:
        """Take a bar and reckon the quality at `now_ns`, the step's time."""
        filled = bar.flags & FLAG_FORWARD_FILLED
        if self._last_ns is not None:
            missing = (bar.close_ns - self._last_ns) // self._frame - 1
            for _ in range(min(missing, self._p.window_bars)):
                self._push(0)
        self._last_ns = bar.close_ns
        if filled:
            self._push(_FILLED)
        else:
            self._genuine_ns = bar.close_ns
            self._push(_PRESENT | _OUTLIER if self._is_outlier(bar) else _PRESENT)
            self._close = bar.close
        here = self._here
        age = self.silent_bars(now_ns)
        self.completeness = here / len(self._slots)
        self.freshness = 1.0 - age / self._p.stale_after_bars if age < self._p.stale_after_bars else 0.0
        self.outlier_free = 1.0 - self._bad / here if here else 0.0
        self.score = self.completeness * self.freshness * self.outlier_free

    def silent_bars(self, now_ns: int) -> float:
        """Age of the last genuine bar in bars; infinite before the first."""
        if not self._genuine_ns:
            return float("inf")
        age = now_ns - self._genuine_ns
        return age / self._frame if age > 0 else 0.0

    def _is_outlier(self, bar: BarClosed) -> bool:
        """Judge by the scale before this bar, then let a clipped return into the scale."""
        last, p = self._close, self._p
        if not last:
            return False
        size = max(abs(bar.close - last), bar.high - last, last - bar.low) / last
        scale = self._scale
        found = self._seen >= p.min_scale_bars and size > p.outlier_scale * scale > 0.0
        r = min(size, p.outlier_scale * scale) if self._seen >= p.min_scale_bars and scale > 0.0 else size
        self._seen += 1
        # the plain mean while young, so that the first bar does not rule for a half-life
        gain = max(1.0 - self._decay, 1.0 / self._seen)
        self._scale = scale + gain * (r - scale)
        return found

    def _push(self, slot: int) -> None:
        slots = self._slots
        slots.append(slot)
        self._here += slot & _PRESENT
        if slot & _OUTLIER:
            self._bad += 1
        if len(slots) > self._p.window_bars:
            old = slots.popleft()
            self._here -= old & _PRESENT
            if old & _OUTLIER:
                self._bad -= 1


class HealthMonitor(Agent):
    """Assesses data quality on each bar and raises alerts.

    Parameters
    ----------
    ctx : AgentContext
    **params
        See `HealthMonitorParams`.

    Notes
    -----
    State: per pair one flag per slot of the window and a few numbers. Alert codes: ``DATA_QUALITY_LOW``,
    ``DATA_QUALITY_RECOVERED``, ``DATA_STALE``, ``DATA_RESUMED``.
    """

    Params = HealthMonitorParams
    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed, BarOverdue)
    STATE: ClassVar[tuple[str, ...]] = ("_health",)

    def __init__(self, ctx: AgentContext, **params: Any) -> None:
        super().__init__(ctx)
        self.params = checked(HealthMonitorParams, params, ctx.name)
        self._health = {pair: PairHealth(self.params, ctx.timeframe_ns) for pair in ctx.pairs}

    def process(self, step: Step) -> Sequence[Event]:
        """Return `DataQualityAssessed` per pair with a bar, and alerts of any pair."""
        out: list[Event] = []
        ts = step.ts_event_ns
        for e in step.inbox:
            pair = e.instrument_id
            if type(e) is not BarClosed or pair is None:
                continue
            h = self._health[pair]
            h.bar(e, ts)
            out.append(
                DataQualityAssessed(
                    ts_event_ns=ts, source=self.name, instrument_id=pair, score=h.score,
                    completeness=h.completeness, freshness=h.freshness, outlier_free=h.outlier_free,
                )
            )  # fmt: skip
            if h.low != (h.score < (self.params.clear_above if h.low else self.params.alert_below)):
                h.low = not h.low
                out.append(self._quality_alert(pair, h, ts))
        for pair, h in self._health.items():
            if h.stale != (h.silent_bars(ts) >= self.params.stale_after_bars):
                h.stale = not h.stale
                out.append(self._stale_alert(pair, h, ts))
        return out

    def _quality_alert(self, pair: str, h: PairHealth, ts: int) -> AlertRaised:
        parts = (
            f"completeness {h.completeness:.3f}, freshness {h.freshness:.3f}, "
            f"outlier-free {h.outlier_free:.3f}"
        )
        if h.low:
            return self._alert(
                pair, ts, "warning", "DATA_QUALITY_LOW",
                f"{pair}: data quality expected >= {self.params.alert_below}, found {h.score:.3f} ({parts})",
            )  # fmt: skip
        return self._alert(
            pair, ts, "info", "DATA_QUALITY_RECOVERED",
            f"{pair}: data quality is back at {h.score:.3f} ({parts})",
        )  # fmt: skip

    def _stale_alert(self, pair: str, h: PairHealth, ts: int) -> AlertRaised:
        if h.stale:
            return self._alert(
                pair, ts, "warning", "DATA_STALE",
                f"{pair}: expected a bar within {self.params.stale_after_bars} bars, found none",
            )  # fmt: skip
        return self._alert(pair, ts, "info", "DATA_RESUMED", f"{pair}: bars arrive again")

    def _alert(self, pair: str, ts: int, severity: str, code: str, message: str) -> AlertRaised:
        return AlertRaised(
            ts_event_ns=ts, source=self.name, instrument_id=pair, severity=severity, code=code,
            message=message,
        )  # fmt: skip
