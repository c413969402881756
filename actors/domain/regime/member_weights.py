"""Whom to believe in which market: members' weights per context, learnt from labels that have since become known.

One table of expert weights for all bars and one per context, each by fixed share or AdaHedge (see
`actors.domain.experts` for their regret bounds). A context that was seen in n rounds speaks with
``n / (n + n0)``, the table of all bars with the rest: a context hardly seen says what the whole past says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from actors.domain.errors import InvalidParamsError
from actors.domain.experts import AdaHedge, ExpertWeights, FixedShare
from actors.domain.params import Param
from actors.domain.registry import Params
from actors.domain.state import Stateful

FloatArray = NDArray[np.float64]


class LearningParams(Params):
    """How weights are learnt. A round is one batch of bars whose labels have become known."""

    learner: Literal["fixed_share", "adahedge"] = "fixed_share"
    horizon_rounds: int = Param(128, ge=1, low=16, high=512, about="over which the learning rate is tuned")
    share_frac: float = Param(0.02, ge=0.0, lt=1.0, low=0.0, high=0.1, about="of weight that all share again")
    shrink_rounds: float = Param(20.0, ge=0.0, low=5.0, high=100.0, about="n0 of the shrinkage")
    lag_bars: int = Param(24, ge=1, low=6, high=72, about="bars after which a label counts as known")
    round_bars: int = Field(default=48, ge=1, description="bars of a round")
    memory_bars: int = Field(default=500, ge=1, description="bars over which hit rate and loss are averaged")


class MemberRecord(NamedTuple):
    """How one member did in one context (`context` ``""``: in all).

    Attributes
    ----------
    context : str
    member : int
    bars : int
        Bars on which it had a view and the label has become known.
    hit_rate, loss : float or None
        Exponentially weighted over the newest `memory_bars`; loss in [0, 1]. None without a bar.
    weight : float
        In force in that context, shrinkage included.
    """

    context: str
    member: int
    bars: int
    hit_rate: float | None
    loss: float | None
    weight: float


class _Tally(Stateful):
    """Bars, and running means of hits and losses, of one member in one context."""

    STATE: ClassVar[tuple[str, ...]] = ("bars", "hit_rate", "loss")

    def __init__(self) -> None:
        self.bars, self.hit_rate, self.loss = 0, 0.0, 0.0

    def add(self, bars: int, hits: float, losses: float, memory_bars: int) -> None:
        """Take the sums of some bars.

        Bar k moves a mean by ``max(1 / k, 1 / memory_bars)``: the plain mean while the memory is not full, so that the
        first bars weigh no more than the others. What is kept of the past is the product over these bars.
        """
        past, self.bars = self.bars, self.bars + bars
        filling = min(max(memory_bars - past, 0), bars)  # of these bars, those for which there is room
        keep = past / (past + filling) if filling else 1.0
        keep *= (1.0 - 1.0 / memory_bars) ** (bars - filling)
        self.hit_rate = keep * self.hit_rate + (1.0 - keep) * hits / bars
        self.loss = keep * self.loss + (1.0 - keep) * losses / bars


class MemberWeights(Stateful):
    """Weights of an ensemble's members in every context, and how each member has done.

    Parameters
    ----------
    params : LearningParams
    prior : sequence of float
        Weight of each member before anything is learnt, not all 0; what is learnt multiplies it.

    Raises
    ------
    InvalidParamsError
        If there is no member.
    """

    def __init__(self, params: LearningParams, prior: Sequence[float]) -> None:
        if not prior:
            raise InvalidParamsError("EXPERTS_NONE", "members: expected at least 1, found none")
        self._p = params
        self._prior = tuple(prior)
        self._members = len(self._prior)
        self._tables: dict[str, ExpertWeights] = {"": self._table()}
        self._rounds: dict[str, int] = {"": 0}
        self._tallies: dict[str, list[_Tally]] = {}
        self._cache: dict[str, tuple[float, ...]] = {}  # of the contexts asked for since the last round

    def _table(self) -> ExpertWeights:
        p = self._p
        if p.learner == "adahedge":
            return AdaHedge(self._members)
        return FixedShare(self._members, p.horizon_rounds, p.share_frac)

    @property
    def tables(self) -> Mapping[str, ExpertWeights]:
        """Table of each context seen so far, and that of all bars under ``""``."""
        return self._tables

    def weights(self, context: str) -> tuple[float, ...]:
        """Return the members' weights in a context; they sum to 1."""
        found = self._cache.get(context)
        if found is None:
            general = self._tables[""].weights
            own = self._tables.get(context)
            mixed = general
            if own is not None:
                n = self._rounds[context]
                share = n / (n + self._p.shrink_rounds) if n else 0.0
                mixed = tuple(
                    [share * a + (1.0 - share) * b for a, b in zip(own.weights, general, strict=True)]
                )
            raw = [m * p for m, p in zip(mixed, self._prior, strict=True)]
            total = sum(raw)
            self._cache[context] = found = tuple([x / total for x in raw])
        return found

    def learn(self, contexts: Sequence[str], losses: FloatArray, hits: FloatArray) -> None:
        """Take one round of bars.

        A member that was silent on all bars of a round is charged what its fellows lost by their weights, so that
        silence is neither praised nor blamed (sleeping experts: Freund, Schapire, Singer and Warmuth 1997).

        Parameters
        ----------
        contexts : sequence of str, length n
            Of each bar; ``""`` counts in the table of all bars only.
        losses : array, shape (n, members)
            In [0, 1]; NaN where a member was silent.
        hits : array, shape (n, members)
            1 where a member was right, else 0.

        Raises
        ------
        InvalidParamsError
            If a loss is out of range or the number of members is another.
        """
        if losses.shape != (len(contexts), self._members) or hits.shape != losses.shape:
            raise InvalidParamsError(
                "LOSSES_SHAPE",
                f"losses, hits: expected shape ({len(contexts)}, {self._members}), found {losses.shape}, {hits.shape}",
            )
        groups: dict[str, list[int]] = {}
        for i, context in enumerate(contexts):
            groups.setdefault(context, []).append(i)
        groups.pop("", None)
        spoke = losses == losses
        sums = (np.where(spoke, losses, 0.0), spoke, np.where(spoke, hits, 0.0))
        self._take("", [part.sum(axis=0).tolist() for part in sums])
        for context, rows in groups.items():
            self._take(context, [part[rows].sum(axis=0).tolist() for part in sums])
        self._cache.clear()

    def _take(self, context: str, sums: list[list[float]]) -> None:
        """Charge the members of one table, and count how they did."""
        lost, bars, hits = sums
        table = self._tables.get(context)
        if table is None:
            table = self._tables[context] = self._table()
            self._rounds[context] = 0
        tallies = self._tallies.get(context)
        if tallies is None:
            tallies = self._tallies[context] = [_Tally() for _ in range(self._members)]
        for tally, x, n, right in zip(tallies, lost, bars, hits, strict=True):
            if n:
                tally.add(int(n), right, x, self._p.memory_bars)
        means = [x / n if n else None for x, n in zip(lost, bars, strict=True)]
        awake = [(w, m) for w, m in zip(table.weights, means, strict=True) if m is not None]
        mass = sum([w for w, _ in awake])
        if mass > 0.0:
            charged = min(1.0, sum([w * m for w, m in awake]) / mass)
            table.update([charged if m is None else m for m in means])
            self._rounds[context] += 1

    def history(self) -> list[MemberRecord]:
        """Return how every member did in every context seen, all bars first; bounded by the number of contexts."""
        out = []
        for context, tallies in self._tallies.items():
            weights = self.weights(context)
            for i, (t, w) in enumerate(zip(tallies, weights, strict=True)):
                known = t.bars > 0
                out.append(
                    MemberRecord(
                        context, i, t.bars, t.hit_rate if known else None, t.loss if known else None, w
                    )
                )
        return out

    def state(self) -> dict[str, Any]:
        """Return tables and tallies by context."""
        return {
            "tables": {c: t.state() for c, t in self._tables.items()},
            "rounds": dict(self._rounds),
            "tallies": {c: [t.state() for t in row] for c, row in self._tallies.items()},
            "asked": list(self._cache),
        }

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore; contexts are made as they were met."""
        self._tables, self._tallies, self._cache = {}, {}, {}
        for context, state in tree["tables"].items():
            self._tables[context] = self._table()
            self._tables[context].load_state(state)
        self._rounds = {c: int(n) for c, n in tree["rounds"].items()}
        for context, row in tree["tallies"].items():
            self._tallies[context] = [_Tally() for _ in row]
            for tally, state in zip(self._tallies[context], row, strict=True):
                tally.load_state(state)
        for context in tree["asked"]:
            self.weights(context)
