"""The sentiment actor: scores what was published, and says at every bar what the mood is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any, ClassVar

from actors.domain import registry
from actors.domain.agent_params import checked as checked_params
from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.events.sentiment import HeadlinePublished, SentimentScored
from actors.domain.processor import Agent, AgentContext, Step
from actors.domain.sentiment.aggregate import Aggregate, AggregateParams, Item
from actors.domain.sentiment.scorers.base import Scorer, Verdict, checked

SCORERS = "actors.domain.sentiment.scorers"


class SentimentAgent(Agent):
    """One reading of the market's sentiment per step.

    Parameters
    ----------
    ctx : AgentContext
    scorer : mapping ``{"kind": …, "params": {…}}``
        Who reads the texts.
    aggregate : mapping, optional
        See `actors.domain.sentiment.aggregate.AggregateParams`.
    kinds : sequence of str
        Kinds of the configured sources.

    Raises
    ------
    DataError
        From `process`: an item of the future, or a scorer that says what is no score.
    """

    # bars only wake it: without news, too, there is a reading at every close
    consumes: ClassVar[tuple[type[Event], ...]] = (HeadlinePublished, BarClosed)
    STATE: ClassVar[tuple[str, ...]] = ("_aggregate",)

    def __init__(
        self,
        ctx: AgentContext,
        scorer: Mapping[str, Any],
        aggregate: Mapping[str, Any] | None = None,
        kinds: Sequence[str] = ("news",),
    ) -> None:
        super().__init__(ctx)
        self._kind = scorer["kind"]
        self._scorer: Scorer = registry.build(SCORERS, self._kind, scorer.get("params") or {})
        params: AggregateParams = checked_params(
            AggregateParams, dict(aggregate or {}), "sentiment.aggregate"
        )
        self._aggregate = Aggregate(params, kinds)

    def process(self, step: Step) -> Sequence[Event]:
        """Return the reading of this step."""
        heard = [e for e in step.inbox if type(e) is HeadlinePublished]
        unscored = [e.text for e in heard if e.score is None]
        verdicts: Sequence[Verdict] = ()
        if unscored:
            verdicts = checked(self._scorer.score(unscored), len(unscored), self._kind)
        said = iter(verdicts)
        items = [
            Item(e.published_ns, e.kind, next(said).score if e.score is None else e.score, e.weight, e.text)
            for e in heard
        ]
        reading = self._aggregate.update(step.ts_event_ns, items)
        known = [v.coverage for v in verdicts if v.coverage == v.coverage]
        news, social, index = reading.means
        return (
            SentimentScored(
                ts_event_ns=step.ts_event_ns,
                source=self.name,
                score=reading.score,
                quality=reading.quality,
                news=news,
                social=social,
                index=index,
                items=reading.items,
                duplicates=reading.duplicates,
                unread=reading.unread,
                coverage=sum(known) / len(known) if known else nan,
            ),
        )
