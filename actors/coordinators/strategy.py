"""The strategy coordinator's mind: many signals in, one target exposure per pair out.

Per pair and step: selection by regime (who may speak), precision-weighted pooling with weights learnt from
outcomes, shrinkage by disagreement, then a deadband with hysteresis so that noise does not trade.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import mul
from typing import Any, ClassVar, Literal

import pydantic

from actors.domain.agent_params import checked
from actors.domain.coordination.aggregation import pool
from actors.domain.coordination.conflicts import resolve
from actors.domain.coordination.selection import DEFAULT_TABLE, RegimeSelection
from actors.domain.errors import AgentError, InvalidParamsError
from actors.domain.events.base import Event
from actors.domain.events.evaluation import WeightsRevised
from actors.domain.events.regime import HIGH, LOW, MEDIUM, RegimeAssessed
from actors.domain.events.signal import SignalEmitted, SignalsAggregated, TargetExposureSet
from actors.domain.params import Param
from actors.domain.processor import Agent, AgentContext, Step
from actors.domain.registry import Params

ENSEMBLE = "ensemble"
_PREFIX = "strategy-"
_RANK = {LOW: 0, MEDIUM: 1, HIGH: 2}


class StrategyCoordinatorParams(Params):
    """Parameters of `StrategyCoordinator`.

    Attributes
    ----------
    regime_table : mapping member → regime → multiplier, or None
        None: the built-in table of `coordination.selection`.
    max_target_frac : float
        Exposure of a unanimous, certain view, fraction of equity per pair.
    min_change_frac : float
        Smallest change of a held target, fraction of equity.
    open_frac, close_frac : float
        A flat pair opens only at ``|target| >= open_frac`` and closes at ``|target| <= close_frac``.
    shrink_power, conflict_below : float
        See `coordination.conflicts.resolve`.
    select_at : str
        Level of confidence (`HIGH`, `MEDIUM`, `LOW`) from which on the regime decides who may speak; below it everybody
        may, for the regime is more likely wrong than right. A regime without a level is believed by its confidence.
    allow_short : bool
        False for spot: negative targets become 0.
    """

    regime_table: dict[str, dict[str, float]] | None = None
    max_target_frac: float = Param(0.5, gt=0, low=0.1, high=1.0)
    min_change_frac: float = Param(0.04, ge=0, low=0.0, high=0.2)
    open_frac: float = pydantic.Field(0.05, ge=0)
    close_frac: float = pydantic.Field(0.01, ge=0)
    shrink_power: float = pydantic.Field(1.0, ge=0)
    conflict_below: float = pydantic.Field(0.5, ge=0, le=1)
    select_at: Literal["HIGH", "MEDIUM", "LOW"] = "MEDIUM"
    allow_short: bool = False

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> StrategyCoordinatorParams:
        if self.close_frac > self.open_frac:
            raise ValueError(f"close_frac: expected <= open_frac ({self.open_frac}), found {self.close_frac}")
        return self


class StrategyCoordinator(Agent):
    """Aggregates signals into targets.

    Parameters
    ----------
    ctx : AgentContext
    members : sequence of str
        Strategies in order, as they call themselves (`SignalEmitted.strategy`); agent names work too.
    base_weights : mapping member → weight >= 0, optional
        Prior, multiplied with the learnt weights; absent members have 1.
    params : mapping, optional
        See `StrategyCoordinatorParams`.

    Notes
    -----
    State: per pair the held target; the weights; weights that are not in effect yet. A member without a
    signal for a pair abstains there. Cost per pair and step: O(members).
    """

    Params = StrategyCoordinatorParams
    consumes: ClassVar[tuple[type[Event], ...]] = (SignalEmitted, RegimeAssessed, WeightsRevised)
    STATE: ClassVar[tuple[str, ...]] = ("_held", "_weights", "_waiting")

    def __init__(
        self,
        ctx: AgentContext,
        members: Sequence[str],
        base_weights: Mapping[str, float] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(ctx)
        self.params = p = checked(StrategyCoordinatorParams, params, ctx.name)
        self.members = tuple(label(m) for m in members)
        if not self.members or len(dict.fromkeys(self.members)) != len(self.members):
            raise InvalidParamsError(
                "MEMBERS_INVALID", f"members: expected distinct strategy names, found {list(members)}"
            )
        self._index = {m: i for i, m in enumerate(self.members)}
        self._base = _base_weights(self.members, base_weights or {})
        self._selection = RegimeSelection(
            self.members, DEFAULT_TABLE if p.regime_table is None else p.regime_table
        )
        self._silent = [0.0] * len(self.members)
        self._held: dict[str, float] = dict.fromkeys(ctx.pairs, 0.0)
        self._weights: tuple[float, ...] = _normal(self._base)
        self._waiting: list[tuple[int, tuple[float, ...]]] = []

    def process(self, step: Step) -> Sequence[Event]:
        """Return `SignalsAggregated` and `TargetExposureSet` for each pair that has signals in this step."""
        index, silent = self._index, self._silent
        views: dict[str | None, tuple[list[float], list[float]]] = {}
        regimes: dict[str | None, RegimeAssessed] = {}
        for e in step.inbox:
            if type(e) is SignalEmitted:
                i = index.get(e.strategy)
                if i is None:
                    continue
                view = views.get(e.instrument_id)
                if view is None:
                    view = views[e.instrument_id] = (silent[:], silent[:])
                view[0][i] = e.direction
                view[1][i] = e.confidence
            elif type(e) is RegimeAssessed:
                if e.detector == ENSEMBLE:
                    regimes[e.instrument_id] = e
            elif type(e) is WeightsRevised:
                self._schedule(e)
        while self._waiting and self._waiting[0][0] <= step.number:
            self._weights = self._waiting.pop(0)[1]
        out: list[Event] = []
        for pair in self.ctx.pairs:
            view = views.get(pair)
            if view is not None:
                self._decide(pair, *view, regimes.get(pair), step.ts_event_ns, out)
        return out

    @property
    def weights(self) -> tuple[float, ...]:
        """Weights in effect, in the order of `members`; sum 1."""
        return self._weights

    def _decide(
        self,
        pair: str,
        directions: list[float],
        confidences: list[float],
        regime: RegimeAssessed | None,
        ts: int,
        out: list[Event],
    ) -> None:
        p = self.params
        name, sure = ("", 0.0) if regime is None else (regime.label, regime.confidence)
        detail = None if regime is None else regime.detail
        level = "" if detail is None else detail.level
        heeded = detail is None or _RANK[level] >= _RANK[p.select_at]
        factors = self._selection.multipliers(name, sure if heeded else 0.0)
        weights = list(map(mul, self._weights, factors))
        pooled = pool(directions, confidences, weights)
        view = resolve(
            pooled.direction,
            pooled.shares,
            directions,
            shrink_power=p.shrink_power,
            conflict_below=p.conflict_below,
        )
        wanted = view.direction * pooled.confidence * p.max_target_frac
        if wanted < 0.0 and not p.allow_short:
            wanted = 0.0
        target = self._hold(pair, wanted)
        source = self.name
        out.append(
            SignalsAggregated(
                ts_event_ns=ts, source=source, instrument_id=pair, members=self.members,
                weights=pooled.shares, directions=tuple(directions), direction=view.direction,
                agreement=view.agreement, conflict=view.conflict, regime=name, regime_confidence=sure,
                regime_level=level,
            )
        )  # fmt: skip
        out.append(
            TargetExposureSet(
                ts_event_ns=ts, source=source, instrument_id=pair, target_frac=target,
                confidence=pooled.confidence, regime=name,
            )
        )  # fmt: skip

    def _hold(self, pair: str, wanted: float) -> float:
        """Return the target to keep: moved only as far as hysteresis allows."""
        p, held = self.params, self._held[pair]
        size = abs(wanted)
        if held == 0.0 or held * wanted < 0.0:
            # from flat, or across zero: the new side must be worth opening, else (at most) get out
            target = wanted if size >= p.open_frac else 0.0
        elif size <= p.close_frac:
            target = 0.0
        else:
            target = wanted if abs(wanted - held) >= p.min_change_frac else held
        self._held[pair] = target
        return target

    def _schedule(self, e: WeightsRevised) -> None:
        found = {label(m): w for m, w in zip(e.members, e.weights, strict=True)}
        if set(found) != set(self.members):
            raise AgentError(
                "WEIGHTS_MEMBERS",
                f"{self.name}: expected weights for {list(self.members)}, found {list(e.members)}; "
                f"configure the same members for {e.source}",
            )
        learnt = [b * found[m] for m, b in zip(self.members, self._base, strict=True)]
        self._waiting.append((e.effective_step, _normal(learnt)))
        self._waiting.sort(key=lambda row: row[0])


def label(agent: str) -> str:
    """Return a strategy's own name from its agent's.

    Examples
    --------
    >>> label("strategy-rsi"), label("rsi")
    ('rsi', 'rsi')
    """
    return agent.removeprefix(_PREFIX)


def _base_weights(members: Sequence[str], given: Mapping[str, float]) -> tuple[float, ...]:
    known = {label(m): w for m, w in given.items()}
    unknown = [m for m in known if m not in members]
    if unknown:
        raise InvalidParamsError(
            "MEMBERS_INVALID", f"base_weights: expected names among {list(members)}, found {unknown}"
        )
    base = tuple(float(known.get(m, 1.0)) for m in members)
    if min(base) < 0.0 or not 0.0 < sum(base) < float("inf"):
        raise InvalidParamsError(
            "WEIGHTS_INVALID", f"base_weights: expected values >= 0 with a positive sum, found {base}"
        )
    return base


def _normal(weights: Sequence[float]) -> tuple[float, ...]:
    total = sum(weights)
    return tuple([w / total for w in weights])
