"""What was said in a run beside bars and money: weights, scores, orders, denials, breakers; and the limits meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from actors.domain import registry
from actors.domain.evaluation.report_model import AgentRow, DenialRow, RiskEvent, SwitchRow, WeightSeries
from actors.domain.events.base import Event
from actors.domain.events.evaluation import AgentScored, WeightsRevised
from actors.domain.events.execution import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    SubmitOrder,
)
from actors.domain.events.risk import (
    CircuitBreakerReset,
    CircuitBreakerTripped,
    OrderIntentApproved,
    OrderIntentDenied,
    RiskLimitBreached,
)
from actors.domain.events.signal import ParametersSwitched

_LIMIT_PARAMS = ("limit_frac", "var_limit_frac", "es_limit_frac", "max_trades")


class Sayings:
    """Tallies of one run.

    Attributes
    ----------
    weights : dict context and members → WeightSeries
    denials : dict → DenialRow
        By pair, action, rule and code.
    risk_events : list of RiskEvent
        In order.
    counts : dict
        ``orders fills rejected approved resized denied``.
    approved_ns : list of int
        When an intent was approved, in order.
    open_orders : dict client order id → pair
    switches : list of SwitchRow
        Of adaptive strategies' parameters, in order, the warm-up left out.
    """

    def __init__(self) -> None:
        self.weights: dict[str, WeightSeries] = {}
        self.denials: dict[tuple[str, str, str, str], DenialRow] = {}
        self.risk_events: list[RiskEvent] = []
        self.counts = {"orders": 0, "fills": 0, "rejected": 0, "approved": 0, "resized": 0, "denied": 0}
        self.approved_ns: list[int] = []
        self.open_orders: dict[str, str] = {}
        self.switches: list[SwitchRow] = []
        self._scores: dict[str, dict[str | None, AgentScored]] = {}

    def handlers(self) -> dict[type[Event], Callable[[Any, bool], None]]:
        """Return who takes which event, and whether it was during the warm-up."""
        return {
            WeightsRevised: self._revised, AgentScored: self._scored, OrderIntentDenied: self._denied,
            OrderIntentApproved: self._approved, CircuitBreakerTripped: self._tripped,
            CircuitBreakerReset: self._reset, RiskLimitBreached: self._breached,
            SubmitOrder: self._order, OrderRejected: self._rejected, OrderAccepted: self._accepted,
            OrderCanceled: self._ended, OrderExpired: self._ended,
            ParametersSwitched: self._switched,
        }  # fmt: skip

    def agent_rows(self, agents: Sequence[AgentRow], events: Mapping[str, int]) -> list[AgentRow]:
        """Fill in what is known of the agents: their events, last weights, scores."""
        last: dict[str, float] = {}
        for series in self.weights.values():
            if not last or series.context == "":
                last = dict(zip(series.members, series.weights[-1], strict=True))
        for row in agents:
            row.events = events.get(row.name, 0)
            # strategies are weighed under their kind, agents are named strategy-<kind>
            row.weight = last.get(row.name, last.get(row.name.removeprefix("strategy-")))
            marks = list(self._scores.get(row.name, {}).values())
            seen = sum(mark.observations for mark in marks)
            row.observations = seen if marks else None
            if seen:
                row.score_bps = sum(m.score * m.observations for m in marks) / seen
                row.hit_rate_frac = sum(m.hit_rate_frac * m.observations for m in marks) / seen
        return list(agents)

    def _revised(self, event: WeightsRevised, warmup: bool) -> None:
        series = self.weights.get(event.regime)
        if series is None or series.members != event.members:
            series = WeightSeries(context=event.regime, members=event.members, ts_ns=[], weights=[])
            self.weights[event.regime] = series
        series.ts_ns.append(event.ts_event_ns)
        series.weights.append(event.weights)

    def _scored(self, event: AgentScored, warmup: bool) -> None:
        self._scores.setdefault(event.agent, {})[event.instrument_id] = event

    def _denied(self, event: OrderIntentDenied, warmup: bool) -> None:
        self.counts["denied"] += 1
        self._tally(event, "denied", event.rule, event.code, event.limit, event.observed)

    def _approved(self, event: OrderIntentApproved, warmup: bool) -> None:
        self.counts["approved"] += 1
        self.approved_ns.append(event.ts_event_ns)
        if event.resized_by:
            self.counts["resized"] += 1
            self._tally(event, "resized", event.resized_by, "", None, None)

    def _tally(
        self, event: Event, action: str, rule: str, code: str, limit: float | None, observed: float | None
    ) -> None:
        pair, ts = event.instrument_id or "", event.ts_event_ns
        row = self.denials.get((pair, action, rule, code))
        if row is None:
            row = self.denials[pair, action, rule, code] = DenialRow(
                pair=pair, action=action, rule=rule, code=code, count=0, first_ns=ts, last_ns=ts, limit=None,
                observed=None,
            )  # fmt: skip
        row.count += 1
        row.last_ns, row.limit, row.observed = ts, _finite(limit), _finite(observed)

    def _tripped(self, event: CircuitBreakerTripped, warmup: bool) -> None:
        self.risk_event(event, "breaker tripped", event.breaker, event.limit, event.observed)

    def _reset(self, event: CircuitBreakerReset, warmup: bool) -> None:
        self.risk_event(event, "breaker reset", event.breaker, None, None)

    def _breached(self, event: RiskLimitBreached, warmup: bool) -> None:
        self.risk_event(event, "limit broken by the market", event.rule, event.limit, event.observed)

    def risk_event(
        self, event: Event, what: str, name: str, limit: float | None, observed: float | None
    ) -> None:
        """Take a breaker or limit, or what the venue did."""
        self.risk_events.append(
            RiskEvent(ts_ns=event.ts_event_ns, what=what, name=name, limit=limit, observed=observed)
        )

    def _order(self, event: SubmitOrder, warmup: bool) -> None:
        self.counts["orders"] += 1

    def _accepted(self, event: OrderAccepted, warmup: bool) -> None:
        self.open_orders[event.client_order_id] = event.instrument_id or ""

    def _ended(self, event: OrderCanceled | OrderExpired, warmup: bool) -> None:
        self.open_orders.pop(event.client_order_id, None)

    def _rejected(self, event: OrderRejected, warmup: bool) -> None:
        self.counts["rejected"] += 1

    def _switched(self, event: ParametersSwitched, warmup: bool) -> None:
        if not warmup:
            self.switches.append(
                SwitchRow(
                    ts_ns=event.ts_event_ns, pair=event.instrument_id or "", strategy=event.strategy,
                    previous=event.previous, chosen=event.chosen, regime=event.regime, confidence=event.confidence,
                    parameters=event.parameters, reason=event.reason,
                )
            )  # fmt: skip

    def fill(self, event: OrderFilled) -> None:
        """Take a fill."""
        self.counts["fills"] += 1
        if event.leaves_quantity == 0:
            self.open_orders.pop(event.client_order_id, None)


def limits_of(config: Mapping[str, Any]) -> dict[str, float]:
    """Return the limits of ``risk.rules`` in a configuration, ``rule.parameter`` → value, defaults included.

    A leveraged account adds its leverage.

    Examples
    --------
    >>> limits_of({"risk": {"rules": [{"kind": "max_position_frac", "params": {"limit_frac": 0.5}}]}})
    {'max_position_frac.limit_frac': 0.5}
    """
    out: dict[str, float] = {}
    account = config.get("account", {})
    if account.get("mode", "spot") != "spot":
        out["account.leverage"] = float(account["leverage"])
    for rule in config.get("risk", {}).get("rules", ()):
        params = registry.validate("actors.domain.risk.rules", rule["kind"], rule.get("params") or {})
        for name, value in params.model_dump().items():
            if name in _LIMIT_PARAMS:
                out[f"{rule['kind']}.{name}"] = float(value)
    return out


def _finite(value: float | None) -> float | None:
    return None if value is None or value != value else value
