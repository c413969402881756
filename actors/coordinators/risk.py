"""The risk coordinator: sizes wishes, asks the rules, watches the breakers; nothing trades without it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from actors.coordinators.breaker_watch import BreakerWatch
from actors.coordinators.rule_panel import RulePanel
from actors.coordinators.wishes import SizedWishes
from actors.domain import registry
from actors.domain.agent_params import checked
from actors.domain.events.base import Event
from actors.domain.events.execution import OrderFilled, VenueStatusChanged
from actors.domain.events.market import BarClosed, DataQualityAssessed, TradingEnded
from actors.domain.events.portfolio import AccountUpdated, PositionChanged, TradeClosed
from actors.domain.events.regime import RegimeAssessed
from actors.domain.events.risk import OrderIntentApproved, OrderIntentDenied, RiskLimitBreached, RiskMeasured
from actors.domain.events.signal import TargetExposureSet
from actors.domain.events.system import AgentGaveUp
from actors.domain.model.money import ZERO
from actors.domain.processor import AgentContext, Step
from actors.domain.risk.breakers import VenueLostBreaker
from actors.domain.risk.exits import ExitParams
from actors.domain.risk.policy import RiskPolicy
from actors.domain.risk.rules.base import Book, Proposal, Verdict
from actors.domain.risk.sizing.base import Sizing

SIZING = "actors.domain.risk.sizing"
_YEAR_NS = 365 * 86_400_000_000_000
_NAN = math.nan


class RiskCoordinator(SizedWishes):
    """Turns target exposures into approved or denied order intents.

    Parameters
    ----------
    ctx : AgentContext
    sizing : mapping
        ``{"kind": …, "params": {…}}`` from `actors/domain/risk/sizing`.
    rules : sequence of mapping
        From `actors/domain/risk/rules`; asked in this order. The first denial ends it, a resize goes on with
        the smaller wish. A rule that limits risk is not asked about reductions; a reversal that it denies is
        cut down to an exit.
    breakers : mapping
        See `build_breakers`.
    params : mapping
        See `RiskPolicy`.
    exits : mapping
        Protective exits of the run, see `ExitParams`; none by default.

    Notes
    -----
    Per pair: wish → size → dead band → rules → quantity on the lot → intent. Reductions are handled before
    increases. Positions are the ledger's; approved intents that still work count in the limits with the
    larger magnitude of held and granted. An approval of quantity 0 (reason ``hold``) withdraws the pair's
    intent at work. Where a protective exit has filled, a wish on the side it left counts as flat until the
    wish has been something else: the signal must turn anew. State: a few numbers per pair, the sizing's, the
    rules' and the breakers' state. Cost O(1) per pair and
    step, plus the rules' cost when a trade is asked for. During warm-up it measures and is silent.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (
        TargetExposureSet, AccountUpdated, RiskMeasured, BarClosed, DataQualityAssessed, TradingEnded,
        PositionChanged, TradeClosed, OrderFilled, AgentGaveUp, VenueStatusChanged, RegimeAssessed,
    )  # fmt: skip
    can_take_back: ClassVar[bool] = True
    STATE: ClassVar[tuple[str, ...]] = (
        "_panel", "_watch", "_target", "_confidence", "_volatility", "_correlation", "_quality",
        "_close", "_close_step", "_work_wish", "_work_frac", "_work_quantity", "_work_until",
        "_denied_code", "_denied_side", "_denied_step", "_sizing", "_range", "_entry",
        "_exited", "_regime",
    )  # fmt: skip

    def __init__(
        self,
        ctx: AgentContext,
        sizing: Mapping[str, Any] | None = None,
        rules: Sequence[Mapping[str, Any]] = (),
        breakers: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        exits: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(ctx)
        self._policy = checked(RiskPolicy, params, "risk.params")
        self._exits = checked(ExitParams, exits, "exits")
        self._needs_range = self._exits.needs_range
        chosen = sizing or {"kind": "volatility_target"}
        self._sizing: Sizing = registry.build(
            SIZING, chosen["kind"], chosen.get("params"), periods_per_year=_YEAR_NS / ctx.timeframe_ns
        )
        self._panel = RulePanel(rules, ctx.pairs)
        self._watch = BreakerWatch(ctx.name, breakers or {}, ctx.timeframe_ns)
        self._instruments = [ctx.instruments[pair] for pair in ctx.pairs]
        self._venue_minimum = [float(instrument.min_notional) for instrument in self._instruments]
        self._at = {pair: i for i, pair in enumerate(ctx.pairs)}
        n = len(ctx.pairs)
        self._target = [_NAN] * n
        self._confidence = [0.0] * n
        self._volatility = [_NAN] * n
        self._correlation = _NAN
        self._quality = [_NAN] * n
        self._close = [_NAN] * n
        self._close_step = [-2] * n
        self._work_wish = [0.0] * n
        self._work_frac = [0.0] * n
        self._work_quantity: list[Decimal] = [ZERO] * n
        self._work_until = [-1] * n
        self._denied_code = [""] * n
        self._denied_side = [0] * n
        self._denied_step = [-1] * n
        self._range = [_NAN] * n
        self._entry = [_NAN] * n
        self._exited = [0] * n
        self._book = Book(n)
        self._regime = [_NAN] * n
        self._book.quality, self._book.entry, self._book.confidence = self._quality, self._entry, self._regime
        self._intents = 0

    def process(self, step: Step) -> Sequence[Event]:
        """Return breaker events first, then exits, then the rest."""
        number = step.number
        account: AccountUpdated | None = None
        returns = [_NAN] * len(self._target)
        out: list[Event] = []
        self._intents = 0
        for event in step.inbox:
            kind = type(event)
            if kind is BarClosed:
                i = self._at[event.instrument_id]  # type: ignore[index]
                close: float = event.close  # type: ignore[attr-defined]
                if self._close_step[i] == number - 1:
                    returns[i] = close / self._close[i] - 1.0
                self._close[i] = close
                self._close_step[i] = number
            elif kind is RiskMeasured:
                self._take_measure(event)  # type: ignore[arg-type]
            elif kind is TargetExposureSet:
                i = self._at[event.instrument_id]  # type: ignore[index]
                self._target[i] = event.target_frac  # type: ignore[attr-defined]
                self._confidence[i] = event.confidence  # type: ignore[attr-defined]
            elif kind is AccountUpdated:
                account = event  # type: ignore[assignment]
            elif kind is DataQualityAssessed:
                self._quality[self._at[event.instrument_id]] = event.score  # type: ignore[index, attr-defined]
            elif kind is RegimeAssessed:
                if event.detail is not None:  # type: ignore[attr-defined]
                    self._regime[self._at[event.instrument_id]] = event.confidence  # type: ignore[index, attr-defined]
            elif kind is PositionChanged:
                i = self._at[event.instrument_id]  # type: ignore[index]
                self._entry[i] = float(event.average_price) if event.quantity else _NAN  # type: ignore[attr-defined]
            elif kind is TradeClosed:
                self._sizing.closed(event.return_frac)  # type: ignore[attr-defined]
            elif kind is OrderFilled:
                self._take_exit(event, number)  # type: ignore[arg-type]
            elif kind is TradingEnded:
                # nothing is wished of it any more; it must not count among the pairs that share the risk
                self._target[self._at[event.instrument_id]] = _NAN  # type: ignore[index]
            elif kind is AgentGaveUp:
                if self._watch.give_up(event, step, out):  # type: ignore[arg-type]
                    self._nothing_works()
            elif kind is VenueStatusChanged and self._watch.hear(event, step, out):  # type: ignore[arg-type]
                self._nothing_works()
        self._panel.observe(returns)
        self._forget_exits()
        if account is None:
            return out
        equity = float(account.equity)  # once: a Decimal becomes a float by way of its text
        self._look_at_book(number, account)
        stopped_by, tripped = self._watch.update(step, equity, self._flat(account, equity), out)
        if tripped:
            self._nothing_works()
        if step.warmup:
            return out
        self._report_breaches(step, out)
        if self._watch.venue_is_deaf:
            self._refuse_new(step, account, equity, out)
            return out
        if stopped_by:
            self._flatten(step, account, out)
        self._withdraw_stale(step, account, out)
        wishes = self._wishes(number, equity)
        held = self._book.held
        later = []
        for i, wish in enumerate(wishes):
            if wish is None:
                continue
            if abs(wish) < abs(held[i]) and wish * held[i] >= 0.0:
                self._decide(i, wish, step, account, equity, stopped_by, out)
            else:
                later.append((i, wish))
        for i, wish in later:
            self._decide(i, wish, step, account, equity, stopped_by, out)
        return out

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore; the book shares the quality scores, entry prices and confidences."""
        super().load_state(tree)
        self._book.quality, self._book.entry, self._book.confidence = self._quality, self._entry, self._regime

    def _look_at_book(self, number: int, account: AccountUpdated) -> None:
        """Read the ledger and forget intents that are done or have had their time."""
        book = self._book
        book.step = number
        for i, held in enumerate(account.exposures_frac):
            book.held[i] = held
            if self._work_until[i] >= 0 and (
                account.positions[i] == self._work_quantity[i] or number >= self._work_until[i]
            ):
                self._work_until[i] = -1
            working = self._work_frac[i] if self._work_until[i] >= 0 else 0.0
            book.exposures[i] = held if abs(held) >= abs(working) else working

    def _refuse_new(self, step: Step, account: AccountUpdated, equity: float, out: list[Event]) -> None:
        """Say no to new risk while the venue does not answer."""
        for i, wish in enumerate(self._wishes(step.number, equity)):
            if wish is not None:
                self._decide(i, wish, step, account, equity, VenueLostBreaker.NAME, out)

    def _withdraw_stale(self, step: Step, account: AccountUpdated, out: list[Event]) -> None:
        """Withdraw the intents at work of pairs whose feed has fallen silent."""
        for i, until in enumerate(self._work_until):
            if until < 0 or step.number - self._close_step[i] < self._policy.stale_steps:
                continue
            proposal = self._proposal(i, self._book.held[i], step.number, float(account.equity))
            position = account.positions[i]
            self._approve(proposal, ZERO, position, self._book.held[i], step, out, "stale", 0)

    def _flat(self, account: AccountUpdated, equity: float) -> bool:
        """Tell whether nothing is held that the venue would buy back (dust counts as flat)."""
        for frac, least in zip(account.exposures_frac, self._venue_minimum, strict=True):
            if not abs(frac) * equity < least:
                return False
        return True

    def _nothing_works(self) -> None:
        """A trip makes execution cancel everything, so nothing of ours is at work any more."""
        self._work_until = [-1] * len(self._work_until)

    def _report_breaches(self, step: Step, out: list[Event]) -> None:
        if not any(self._book.held):
            return
        found = self._panel.breaches(self._book, step.number, self._policy.repeat_denial_steps)
        out += [
            RiskLimitBreached(
                ts_event_ns=step.ts_event_ns, source=self.name, rule=rule, limit=limit, observed=observed
            )
            for rule, limit, observed in found
        ]

    def _flatten(self, step: Step, account: AccountUpdated, out: list[Event]) -> None:
        """Approve an exit for each position that has a price and no breaker exit at work."""
        equity = float(account.equity)
        for i, position in enumerate(account.positions):
            if position == 0 or self._close_step[i] != step.number:
                continue
            if self._work_until[i] >= 0 and self._work_frac[i] == 0.0:
                continue
            quantity = self._instruments[i].quantity(-position)
            if abs(self._book.held[i]) * equity < self._venue_minimum[i] or quantity == 0:
                continue
            proposal = self._proposal(i, 0.0, step.number, equity)
            self._approve(
                proposal, quantity, position + quantity, 0.0, step, out, "breaker_exit",
                self._policy.exit_retry_steps,
            )  # fmt: skip

    def _proposal(self, i: int, wish: float, number: int, equity: float) -> Proposal:
        return Proposal(
            i, self.ctx.pairs[i], number, self._book.held[i], wish, equity, self._close[i],
            self._venue_minimum[i],
        )  # fmt: skip

    def _decide(
        self, i: int, wish: float, step: Step, account: AccountUpdated, equity: float, stopped_by: str,
        out: list[Event],
    ) -> None:  # fmt: skip
        held, position = self._book.held[i], account.positions[i]
        working = self._work_until[i] >= 0
        band = self._policy.rebalance_band_frac if working else self._band(i, equity)
        if wish != wish:
            if position == 0 and not working:
                unknown = self._proposal(i, self._target[i], step.number, equity)
                self._deny(unknown, ZERO, Verdict("RISK_UNKNOWN", 0.0, _NAN), "sizing", step, out)
            return
        # an intent at work that asked for (nearly) this is left in peace; leaving for flat is always news
        settled = self._work_wish[i] if working else held
        if wish == 0.0:
            if settled == 0.0 and (working or position == 0):
                return
        elif abs(wish - settled) <= band:
            return
        if equity <= 0.0:
            return
        proposal = self._proposal(i, wish, step.number, equity)
        if proposal.notional < self._venue_minimum[i] and not working:
            return
        requested = self._to_trade(i, wish, equity, position)
        if stopped_by:
            # what is held is on its way out already (see _flatten); only new risk is worth a no
            if position == 0 and wish != 0.0:
                limit, observed = self._watch.figures(stopped_by)
                verdict = Verdict("BREAKER_OPEN", limit, observed)
                self._deny(proposal, requested, verdict, f"breaker:{stopped_by}", step, out)
            return
        objection = self._panel.ask(proposal, self._book, self._band(i, equity))
        granted = proposal.proposed_frac
        if objection is not None:
            name, verdict = objection
            if granted == held:
                self._deny(proposal, requested, verdict, name, step, out)
                return
        quantity = self._to_trade(i, granted, equity, position) if objection is not None else requested
        if quantity == 0 and not working:
            return
        # a quantity of zero withdraws the intent at work: the wish went back to what is held
        reason = "hold" if quantity == 0 else _reason(held, granted)
        self._approve(
            proposal, quantity, position + quantity, wish, step, out, reason, self._policy.working_steps,
            objection[0] if objection is not None else "", requested,
        )  # fmt: skip

    def _to_trade(self, i: int, frac: float, equity: float, position: Decimal) -> Decimal:
        """Return the signed quantity, on the lot, that leads from the position to an exposure."""
        instrument = self._instruments[i]
        if frac == 0.0:
            return instrument.quantity(-position)
        return instrument.quantity(instrument.quantity(frac * equity / self._close[i]) - position)

    def _approve(
        self, proposal: Proposal, quantity: Decimal, goal: Decimal, wish: float, step: Step, out: list[Event],
        reason: str, patience_steps: int, resized_by: str = "", requested: Decimal | None = None,
    ) -> None:  # fmt: skip
        i, granted = proposal.index, proposal.proposed_frac
        intent_id = self._next_intent(step.number)
        if reason == "breaker_exit":
            urgency = 1.0
        else:
            # leaving a position is never less urgent than a coin toss
            urgency = self._confidence[i] if not proposal.reduces else max(0.5, self._confidence[i])
        out.append(
            OrderIntentApproved(
                ts_event_ns=step.ts_event_ns, source=self.name, instrument_id=proposal.pair,
                correlation_id=intent_id, intent_id=intent_id, quantity=quantity,
                reference_price=self._instruments[i].price(proposal.price), target_frac=granted,
                urgency=urgency, reason=reason, requested_quantity=requested if resized_by else None,
                resized_by=resized_by,
            )
        )  # fmt: skip
        self._work_wish[i], self._work_frac[i], self._work_quantity[i] = wish, granted, goal
        self._work_until[i] = step.number + patience_steps if quantity != 0 else -1
        held = proposal.current_frac
        self._book.exposures[i] = held if abs(held) >= abs(granted) else granted
        self._denied_code[i], self._denied_step[i] = "", -1
        if quantity != 0:
            self._panel.approved(proposal)

    def _deny(
        self, proposal: Proposal, quantity: Decimal, verdict: Verdict, rule: str, step: Step, out: list[Event]
    ) -> None:
        """Say no, once: an unchanged no is repeated only after `repeat_denial_steps`."""
        i = proposal.index
        side = 1 if quantity > 0 else -1 if quantity < 0 else 0
        if (
            self._denied_code[i] == verdict.code
            and self._denied_side[i] == side
            and step.number - self._denied_step[i] < self._policy.repeat_denial_steps
        ):
            return
        self._denied_code[i], self._denied_side[i], self._denied_step[i] = verdict.code, side, step.number
        intent_id = self._next_intent(step.number)
        out.append(
            OrderIntentDenied(
                ts_event_ns=step.ts_event_ns, source=self.name, instrument_id=proposal.pair,
                correlation_id=intent_id, intent_id=intent_id, quantity=quantity, code=verdict.code,
                rule=rule, limit=verdict.limit, observed=verdict.observed,
            )
        )  # fmt: skip

    def _next_intent(self, number: int) -> str:
        intent_id = f"{self.name}:{number}:{self._intents}"
        self._intents += 1
        return intent_id


def _reason(held: float, granted: float) -> str:
    if granted == 0.0:
        return "exit"
    if held == 0.0:
        return "open"
    if held * granted < 0.0:
        return "reverse"
    return "reduce" if abs(granted) < abs(held) else "increase"
