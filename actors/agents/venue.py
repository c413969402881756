"""The simulated venue as an agent: commands of the step before and bars of this one in, reports out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal

from actors.domain import registry
from actors.domain.events.base import Event
from actors.domain.events.execution import CancelOrder, SubmitOrder
from actors.domain.events.market import (
    BarClosed,
    BarDetailed,
    BarUnseen,
    FundingRateUpdated,
    MarkPriceUpdated,
    TradingEnded,
    VenueDisturbed,
)
from actors.domain.model.account import account_terms
from actors.domain.model.money import to_decimal
from actors.domain.processor import Agent, AgentContext, Step
from actors.domain.simulation.link import DOWN, VenueLink
from actors.domain.simulation.venue import SimulatedVenue, VenueParams

# costs are on by default; who wants none names the kind `none`
DEFAULT_FEES: Final[Mapping[str, Any]] = MappingProxyType({"kind": "maker_taker"})
DEFAULT_SPREAD: Final[Mapping[str, Any]] = MappingProxyType({"kind": "fixed_bps"})
DEFAULT_SLIPPAGE: Final[Mapping[str, Any]] = MappingProxyType({"kind": "square_root"})
DEFAULT_LATENCY: Final[Mapping[str, Any]] = MappingProxyType({"kind": "fixed"})
_PACKAGE = "actors.domain.simulation"


def build_model(family: str, spec: Mapping[str, Any]) -> Any:
    """Return a venue model from ``{"kind": …, "params": {…}}``; `family` is fees, spread, slippage or latency."""
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
    fees, spread, slippage, latency : {"kind", "params"}
    fill_at, max_volume_share, through_ticks, queue_ahead_frac
        See `VenueParams`.
    account : mapping, optional
        Mode and terms of a leveraged account; see `account_terms`.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (
        SubmitOrder, CancelOrder, BarClosed, BarDetailed, TradingEnded, FundingRateUpdated, MarkPriceUpdated,
        BarUnseen, VenueDisturbed,
    )  # fmt: skip
    can_take_back: ClassVar[bool] = True
    STATE: ClassVar[tuple[str, ...]] = ("venue", "link")

    def __init__(
        self,
        ctx: AgentContext,
        *,
        initial_cash: str | int | float = "10000",
        quote: str | None = None,
        fees: Mapping[str, Any] = DEFAULT_FEES,
        spread: Mapping[str, Any] = DEFAULT_SPREAD,
        slippage: Mapping[str, Any] = DEFAULT_SLIPPAGE,
        latency: Mapping[str, Any] = DEFAULT_LATENCY,
        fill_at: Literal["next_open", "intrabar"] = "next_open",
        max_volume_share: float | None = 0.1,
        through_ticks: int = 1,
        queue_ahead_frac: float | None = None,
        account: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(ctx)
        self.link = VenueLink(ctx.name)
        currency = quote or next(iter(ctx.instruments.values())).quote
        self.venue = SimulatedVenue(
            ctx.name,
            ctx.instruments,
            {currency: to_decimal(initial_cash)},
            build_model("fees", fees),
            build_model("slippage", slippage),
            build_model("latency", latency),
            VenueParams(
                fill_at=fill_at,
                max_volume_share=max_volume_share,
                through_ticks=through_ticks,
                queue_ahead_frac=queue_ahead_frac,
            ),
            build_model("spread", spread),
            account_terms(account, ctx.timeframe_ns),
        )

    def process(self, step: Step) -> Sequence[Event]:
        """Match and report."""
        bars: dict[str, BarClosed] = {}
        submits: list[SubmitOrder] = []
        cancels: list[CancelOrder] = []
        ended: list[BarClosed] = []
        details: dict[str, BarDetailed] = {}
        funding: list[FundingRateUpdated] = []
        marks: dict[str, MarkPriceUpdated] = {}
        out: list[Event] = []
        for event in step.inbox:
            kind = type(event)
            if kind is BarClosed:
                bars[event.instrument_id] = event  # type: ignore[index,assignment]
            elif kind is SubmitOrder:
                submits.append(event)  # type: ignore[arg-type]
            elif kind is CancelOrder:
                cancels.append(event)  # type: ignore[arg-type]
            elif kind is BarDetailed:
                details[event.instrument_id] = event  # type: ignore[index,assignment]
            elif kind is TradingEnded and event.instrument_id in bars:
                ended.append(bars[event.instrument_id])
            elif kind is FundingRateUpdated:
                funding.append(event)  # type: ignore[arg-type]
            elif kind is MarkPriceUpdated:
                marks[event.instrument_id] = event  # type: ignore[index,assignment]
            elif kind is BarUnseen:
                bars[event.instrument_id] = _as_traded(event)  # type: ignore[index,arg-type]
            elif kind is VenueDisturbed:
                self.link.disturb(event, step.ts_event_ns, out)  # type: ignore[arg-type]
        reach, withdrawn = self.link.carry(submits, cancels, step.ts_event_ns, out)
        if self.link.mode == DOWN:
            return out  # it neither trades nor answers; what is there is frozen
        self.venue.spread_factor = self.link.spread_factor
        out += self.venue.advance(
            step.number, step.ts_event_ns, reach, withdrawn, bars, funding, marks, details=details
        )
        for bar in ended:
            out += self.venue.end_trading(step.ts_event_ns, bar)
        return out


def _as_traded(bar: BarUnseen) -> BarClosed:
    return BarClosed(
        ts_event_ns=bar.ts_event_ns, source=bar.source, instrument_id=bar.instrument_id, open_ns=bar.open_ns,
        close_ns=bar.close_ns, open=bar.open, high=bar.high, low=bar.low, close=bar.close, volume=bar.volume,
    )  # fmt: skip
