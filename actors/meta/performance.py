"""Performance evaluation: marks every strategy and predictor on outcomes, and revises the weights.

Each opinion is settled on the next bar's return net of a cost per turnover; per step the losses of the
strategies go to an expert-weights scheme. What it publishes depends on prices and opinions only, never on
latency, fills or load, so a replay gives the same weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import pydantic

from actors.domain.agent_params import checked
from actors.domain.errors import InvalidParamsError
from actors.domain.evaluation.scoring import OpinionRecord, ReturnScale, bounded_loss
from actors.domain.events.base import Event
from actors.domain.events.evaluation import AgentScored, WeightsRevised
from actors.domain.events.market import FLAG_FORWARD_FILLED, BarClosed
from actors.domain.events.prediction import PredictionMade
from actors.domain.events.signal import SignalEmitted
from actors.domain.experts import AdaHedge, ExpertWeights, FixedShare, Hedge
from actors.domain.processor import Agent, AgentContext, Step
from actors.domain.registry import Params
from actors.domain.state import Stateful


class PerformanceParams(Params):
    """Parameters of `PerformanceAgent`.

    Attributes
    ----------
    scheme : {"fixed_share", "adahedge", "hedge"}
    horizon_steps : int
        Rounds that η of hedge and fixed share is tuned for.
    share_frac : float
        Share that fixed share spreads evenly each round.
    cost_bps : float
        Cost of a turnover of 1, basis points.
    loss_width : float
        Outcome, in units of the pair's EWMA return scale, at which the loss saturates.
    revise_every_steps : int
    """

    scheme: Literal["fixed_share", "adahedge", "hedge"] = "fixed_share"
    horizon_steps: int = pydantic.Field(500, ge=1)
    share_frac: float = pydantic.Field(0.002, ge=0, lt=1)
    cost_bps: float = pydantic.Field(10.0, ge=0)
    loss_width: float = pydantic.Field(3.0, gt=0)
    revise_every_steps: int = pydantic.Field(24, ge=1)


class _Book(Stateful):
    """What is known about one pair: last close, return scale, one record per agent."""

    STATE: ClassVar[tuple[str, ...]] = ("last_close", "scale", "records")

    def __init__(self, n_agents: int) -> None:
        self.last_close = 0.0
        self.scale = ReturnScale()
        self.records = [OpinionRecord() for _ in range(n_agents)]


class PerformanceAgent(Agent):
    """Scores agents and revises weights.

    Parameters
    ----------
    ctx : AgentContext
    strategies : sequence of str
        Members that share the weights, as in `StrategyCoordinator`; agent names work too.
    predictors : sequence of str
        Models that are marked as well (position 2p − 1) but get no weight.
    weights_lag_steps : int
        `WeightsRevised.effective_step` is this many steps after the revision; at least 1.
    params : mapping, optional
        See `PerformanceParams`.

    Notes
    -----
    State: per pair and agent three numbers and two counts; the scheme's cumulative losses. An agent that
    says nothing about a pair in a step with a bar is flat there, with loss ½ plus what getting out costs.
    """

    Params = PerformanceParams
    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed, SignalEmitted, PredictionMade)
    STATE: ClassVar[tuple[str, ...]] = ("_books", "scheme")

    def __init__(
        self,
        ctx: AgentContext,
        strategies: Sequence[str],
        predictors: Sequence[str] = (),
        weights_lag_steps: int = 1,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(ctx)
        self.params = p = checked(PerformanceParams, params, ctx.name)
        if weights_lag_steps < 1:
            raise InvalidParamsError(
                "LAG_RANGE", f"weights_lag_steps: expected >= 1, found {weights_lag_steps}"
            )
        self._lag = weights_lag_steps
        self.members = tuple(m.removeprefix("strategy-") for m in strategies)
        self.predictors = tuple(m.removeprefix("predict-") for m in predictors)
        for names in (self.members, self.predictors):
            if len(dict.fromkeys(names)) != len(names):
                raise InvalidParamsError(
                    "MEMBERS_INVALID", f"{self.name}: expected distinct names, found {names}"
                )
        if not self.members:
            raise InvalidParamsError("MEMBERS_INVALID", "strategies: expected names, found none")
        self._agents = (
            *(f"strategy-{m}" for m in self.members),
            *(f"predict-{m}" for m in self.predictors),
        )
        self._strategy = {m: i for i, m in enumerate(self.members)}
        self._model = {m: i + len(self.members) for i, m in enumerate(self.predictors)}
        self._cost = p.cost_bps / 10_000.0
        self._books = {pair: _Book(len(self._agents)) for pair in ctx.pairs}
        self.scheme = _scheme(p, len(self.members))

    def process(self, step: Step) -> Sequence[Event]:
        """Settle this step's bars, take its opinions, and publish marks every `revise_every_steps`."""
        bars: list[BarClosed] = []
        opinions: list[tuple[str, int, float]] = []
        for e in step.inbox:
            if type(e) is BarClosed:
                bars.append(e)
            elif type(e) is SignalEmitted:
                i = self._strategy.get(e.strategy)
                if i is not None and e.instrument_id is not None:
                    opinions.append((e.instrument_id, i, e.direction * e.confidence))
            elif type(e) is PredictionMade:
                i = self._model.get(e.model)
                if i is not None and e.instrument_id is not None:
                    opinions.append((e.instrument_id, i, 2.0 * e.probability_up - 1.0))
        # the bar first: it belongs to the positions taken at the close before it
        self._settle(bars)
        for pair, i, position in opinions:
            self._books[pair].records[i].hold(position)
        if (step.number + 1) % self.params.revise_every_steps:
            return ()
        return self._publish(step)

    def _settle(self, bars: list[BarClosed]) -> None:
        n, width, cost = len(self.members), self.params.loss_width, self._cost
        losses, settled = [0.0] * n, 0
        for bar in bars:
            book = self._books[bar.instrument_id]  # type: ignore[index]  # bars always name their pair
            last, book.last_close = book.last_close, bar.close
            if not last or bar.flags & FLAG_FORWARD_FILLED:
                continue  # a repeated price is no outcome
            r = bar.close / last - 1.0
            scale = book.scale.value
            for i, record in enumerate(book.records):
                outcome = record.settle(r, cost_frac=cost)
                if i < n:
                    losses[i] += bounded_loss(outcome, scale, width)
            book.scale.update(r)
            settled += 1
        if settled:
            self.scheme.update([x / settled for x in losses])

    def _publish(self, step: Step) -> list[Event]:
        ts, source = step.ts_event_ns, self.name
        out: list[Event] = []
        for i, agent in enumerate(self._agents):
            records = [book.records[i] for book in self._books.values()]
            n = sum(r.observations for r in records)
            hits, earned = sum(r.hits for r in records), sum(r.earned_frac for r in records)
            out.append(
                AgentScored(
                    ts_event_ns=ts, source=source, agent=agent, observations=n,
                    score=earned / n * 10_000.0 if n else float("nan"),
                    hit_rate_frac=hits / n if n else float("nan"),
                )
            )  # fmt: skip
        out.append(
            WeightsRevised(
                ts_event_ns=ts, source=source, members=self.members, weights=self.scheme.weights,
                effective_step=step.number + self._lag,
            )
        )  # fmt: skip
        return out


def _scheme(p: PerformanceParams, n: int) -> ExpertWeights:
    if p.scheme == "hedge":
        return Hedge(n, p.horizon_steps)
    if p.scheme == "adahedge":
        return AdaHedge(n)
    return FixedShare(n, p.horizon_steps, p.share_frac)
