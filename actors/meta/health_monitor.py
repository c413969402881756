"""The health monitor's mind: how good each pair's data is (`actors.domain.data_quality`), alarms that do not flutter.

Response
times, errors and restarts are seen by the hosting runtime; nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pydantic

from actors.domain.agent_params import checked
from actors.domain.data_quality import PairQuality, QualityParams
from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed, BarOverdue, DataQualityAssessed
from actors.domain.events.system import AlertRaised
from actors.domain.processor import Agent, AgentContext, Step


class HealthMonitorParams(QualityParams):
    """Parameters of `HealthMonitor`: those of a pair's quality (a pair as silent as `stale_after_bars` raises an alert)
    and those of its alerts.

    Attributes
    ----------
    alert_below, clear_above : float
        Quality under which an alert is raised, and above which it is withdrawn.
    """

    alert_below: float = pydantic.Field(0.9, ge=0, le=1)
    clear_above: float = pydantic.Field(0.95, ge=0, le=1)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> HealthMonitorParams:
        if self.clear_above < self.alert_below:
            raise ValueError(
                f"clear_above: expected >= alert_below ({self.alert_below}), found {self.clear_above}"
            )
        return self


class PairHealth(PairQuality):
    """Rolling quality of one pair, and which alerts stand.

    Attributes
    ----------
    low, stale : bool
        Whether an alert of bad quality, or of silence, was raised and not withdrawn.
    """

    STATE: ClassVar[tuple[str, ...]] = (*PairQuality.STATE, "low", "stale")

    def __init__(self, params: HealthMonitorParams, timeframe_ns: int) -> None:
        super().__init__(params, timeframe_ns)
        self.low = self.stale = False


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
            h.bar(e.close_ns, e.high, e.low, e.close, e.flags, ts)
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
