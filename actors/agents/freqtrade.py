"""A strategy class of freqtrade's style as an agent: bars, fills and the account in, orders out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from actors.adapters.freqtrade import shim
from actors.adapters.freqtrade.loader import load_strategy, settings
from actors.adapters.freqtrade.manager import Limits, Manager, Signals
from actors.adapters.freqtrade.provider import DataProvider, Wallets
from actors.domain.events.base import Event
from actors.domain.events.execution import OrderCanceled, OrderExpired, OrderFilled, OrderRejected
from actors.domain.events.market import BarClosed
from actors.domain.events.portfolio import AccountUpdated
from actors.domain.model.money import to_decimal
from actors.domain.model.timeframe import format_timeframe
from actors.domain.processor import Agent, AgentContext, Step

_REPORTS = (OrderFilled, OrderCanceled, OrderExpired, OrderRejected)


class FreqtradeAgent(Agent):
    """Hosts a `Manager`; its signal columns were computed, and checked for look-ahead, before the run.

    Parameters
    ----------
    ctx : AgentContext
    path, class_name : str
        The strategy file and the class in it.
    params : mapping
        Values of its parameters.
    signals : mapping pair → {"enter": {"long": [[open_ns, tag], …], "short": […]}, "leave": …, "first_ns": int}
    frames : mapping pair → {"bars": BarFrame, "analysed": DataFrame}
        What callbacks may look at through ``dp``, up to the present bar; empty if they never do.
    max_open_trades : int
    stake_quote : str or None
        Stake of a trade; None gives each an equal share.
    balance_frac, fee_frac : float
        Share of the account that may be used, and the taker's fee that profits take off.
    cash_quote : str
        What the account starts with.
    account_mode : str
    leverage : float or None
        The most that the account allows; None on a spot account.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed, AccountUpdated, *_REPORTS)

    def __init__(
        self,
        ctx: AgentContext,
        *,
        path: str,
        class_name: str,
        signals: Mapping[str, Mapping[str, Any]],
        params: Mapping[str, Any] | None = None,
        frames: Mapping[str, Mapping[str, Any]] | None = None,
        max_open_trades: int = 3,
        stake_quote: str | None = None,
        balance_frac: float = 0.99,
        fee_frac: float = 0.001,
        cash_quote: str = "10000",
        account_mode: str = "spot",
        leverage: float | None = None,
    ) -> None:
        super().__init__(ctx)
        quote = next(iter(ctx.instruments.values())).quote
        timeframe = format_timeframe(ctx.timeframe_ns)
        stake = None if stake_quote is None else to_decimal(stake_quote)
        config = settings(
            pairs=ctx.pairs, quote=quote, timeframe=timeframe, max_open_trades=max_open_trades,
            stake=None if stake is None else float(stake), cash=float(cash_quote), mode=account_mode,
        )  # fmt: skip
        strategy = load_strategy(path, class_name, config=config, params=params, timeframe=timeframe)
        strategy.dp = DataProvider({pair: f["bars"] for pair, f in (frames or {}).items()})
        for pair, f in (frames or {}).items():
            strategy.dp.keep(pair, f["analysed"], f["bars"].close_ns)
        strategy.wallets = Wallets(quote, float(cash_quote), balance_frac)
        limits = Limits(
            max_open_trades=max_open_trades, stake=stake, balance_frac=balance_frac, fee_frac=fee_frac,
            leverage=leverage,
        )  # fmt: skip
        columns = {pair: Signals(_by_time(s["enter"]), _by_time(s["leave"]), int(s["first_ns"]))
                   for pair, s in signals.items()}  # fmt: skip
        self.manager = Manager(
            ctx.name, strategy, columns, ctx.instruments, limits, ctx.timeframe_ns, ctx.seed
        )
        with shim.installed():
            strategy.bot_start()

    def process(self, step: Step) -> Sequence[Event]:
        """Follow the open trades and open new ones."""
        bars: dict[str, BarClosed] = {}
        reports: list[Event] = []
        account: AccountUpdated | None = None
        for event in step.inbox:
            if isinstance(event, BarClosed):
                bars[event.instrument_id or ""] = event
            elif isinstance(event, AccountUpdated):
                account = event
            elif isinstance(event, _REPORTS):
                reports.append(event)
        if account is None:
            return ()
        # callbacks may import what their file imports
        with shim.installed():
            return self.manager.step(
                step.ts_event_ns, bars, reports, account.cash, account.equity, warmup=step.warmup
            )

    def state(self) -> dict[str, Any]:
        """Return the manager's state."""
        return {"manager": self.manager.state()}

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self.manager.load_state(tree["manager"])


def _by_time(sides: Mapping[str, Sequence[Sequence[Any]]]) -> dict[str, dict[int, str | None]]:
    return {side: {int(t): tag for t, tag in rows} for side, rows in sides.items()}
