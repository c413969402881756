"""The simulated venue as an agent: commands of the step before and bars of this one in, reports out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal

from actors.domain import registry
from actors.domain.events.base import Event
from actors.domain.events.execution import CancelOrder, SubmitOrder
from actors.domain.events.market import BarClosed
from actors.domain.model.money import to_decimal
from actors.domain.processor import Agent, AgentContext, Step
from actors.domain.simulation.venue import SimulatedVenue, VenueParams

# costs are on by default; who wants none names the kind `none`
DEFAULT_FEES: Final[Mapping[str, Any]] = MappingProxyType({"kind": "maker_taker"})
DEFAULT_SLIPPAGE: Final[Mapping[str, Any]] = MappingProxyType({"kind": "square_root"})
DEFAULT_LATENCY: Final[Mapping[str, Any]] = MappingProxyType({"kind": "fixed"})
_PACKAGE = "actors.domain.simulation"


def build_model(family: str, spec: Mapping[str, Any]) -> Any:
    """Return a venue model from ``{"kind": …, "params": {…}}``; `family` is fees, slippage or latency."""
    return registry.build(f"{_PACKAGE}.{family}", spec["kind"], spec.get("params") or {})


class VenueAgent(Agent):
    """Hosts a `SimulatedVenue` with one account.

    Parameters
    ----------
    ctx : AgentContext
    initial_cash : str, int, float or Decimal
        Deposit in `quote`.
    quote : str or None
        Currency of the deposit; None takes the quote of the first pair.
    fees, slippage, latency : {"kind", "params"}
    fill_at, max_volume_share, through_ticks
        See `VenueParams`.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (SubmitOrder, CancelOrder, BarClosed)
    STATE: ClassVar[tuple[str, ...]] = ("venue",)

    def __init__(
        self,
        ctx: AgentContext,
        *,
        initial_cash: str | int | float = "10000",
        quote: str | None = None,
        fees: Mapping[str, Any] = DEFAULT_FEES,
        slippage: Mapping[str, Any] = DEFAULT_SLIPPAGE,
        latency: Mapping[str, Any] = DEFAULT_LATENCY,
        fill_at: Literal["next_open", "intrabar"] = "next_open",
        max_volume_share: float | None = 0.1,
        through_ticks: int = 1,
    ) -> None:
        super().__init__(ctx)
        currency = quote or next(iter(ctx.instruments.values())).quote
        self.venue = SimulatedVenue(
            ctx.name,
            ctx.instruments,
            {currency: to_decimal(initial_cash)},
            build_model("fees", fees),
            build_model("slippage", slippage),
            build_model("latency", latency),
            VenueParams(fill_at=fill_at, max_volume_share=max_volume_share, through_ticks=through_ticks),
        )

    def process(self, step: Step) -> Sequence[Event]:
        """Match and report."""
        bars: dict[str, BarClosed] = {}
        submits: list[SubmitOrder] = []
        cancels: list[CancelOrder] = []
        for event in step.inbox:
            kind = type(event)
            if kind is BarClosed:
                bars[event.instrument_id] = event  # type: ignore[index,assignment]
            elif kind is SubmitOrder:
                submits.append(event)  # type: ignore[arg-type]
            elif kind is CancelOrder:
                cancels.append(event)  # type: ignore[arg-type]
        return self.venue.advance(step.number, step.ts_event_ns, submits, cancels, bars)
