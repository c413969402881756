"""The loop of a study: asks by the law, hands out, takes back in order, remembers; goes on where it was stopped.

A study that goes on asks its sampler everything again, telling it what the store remembers, and compares: the sampler
then stands where it stood, without any state of its own in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from actors.domain.errors import ConfigError
from actors.domain.search.objectives.base import Direction
from actors.domain.search.study.pruning import Pruner, none
from actors.domain.search.study.ranking import losses
from actors.domain.search.study.trial import Ask, Trial, TrialResult

LOOK_AHEAD = 8
"""Trials that may be under way: trial n knows the trials 0 … n − 8."""
Evaluate = Callable[[Any, Ask, np.random.Generator], TrialResult]


class Sampler(Protocol):
    """Where the next trial looks: a function of seed, number and what it was told."""

    def ask(self, number: int) -> Mapping[str, Any] | None:
        """Return the values of a trial, None where there is nothing left to try."""

    def tell(self, number: int, result: TrialResult) -> None:
        """Hear what came of a trial; in the order of their numbers."""


class Store(Protocol):
    """Where trials are remembered."""

    def load(self) -> list[tuple[Mapping[str, Any], TrialResult | None]]:
        """Return values and result of each trial by number; no result: it was under way."""

    def begin(self, number: int, values: Mapping[str, Any]) -> None:
        """Remember that a trial was asked."""

    def end(self, number: int, result: TrialResult) -> None:
        """Remember what came of it."""


class Outcome(Protocol):
    """What a pool says of an item; see `actors.runtime.fanout_items`."""

    @property
    def value(self) -> Any:
        """The result, None where it failed."""

    @property
    def failure(self) -> Any:
        """Why there is none."""


class Pool(Protocol):
    """Does items in order with a look-ahead: `actors.runtime` has one over Ray and its serial twin."""

    def ordered(
        self,
        fn: Callable[[Any, Any, np.random.Generator], Any],
        items: Iterable[Any],
        *,
        look_ahead: int | None = None,
    ) -> Iterator[Any]:
        """Yield outcomes in order; item n is drawn once the outcomes 0 … n − look_ahead have been taken."""

    def close(self) -> None:
        """Free what it holds."""


class Forgetful:
    """The store of a study that nobody goes on with."""

    def load(self) -> list[tuple[Mapping[str, Any], TrialResult | None]]:
        """Return nothing."""
        return []

    def begin(self, number: int, values: Mapping[str, Any]) -> None:
        """Forget it."""

    def end(self, number: int, result: TrialResult) -> None:
        """Forget it."""


@dataclass(frozen=True)
class Law:
    """What decides a study beside its sampler.

    Attributes
    ----------
    epochs : int
        Trials at most.
    directions : tuple of str
    pruner : callable
    slices : int
        Time slices of a trial; 1 where nothing prunes.
    patience : int or None
        Trials without improvement after which no more are asked; of several objectives, without a new point on the
        front. The first improvement is the first feasible trial.
    """

    epochs: int
    directions: tuple[Direction, ...]
    pruner: Pruner = none
    slices: int = 1
    patience: int | None = None

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.slices < 1 or (self.patience is not None and self.patience < 1):
            raise ConfigError(
                "STUDY_NUMBERS",
                f"study: expected at least 1 epoch, 1 slice and 1 trial of patience, found {self.epochs}, "
                f"{self.slices}, {self.patience}",
            )

    def cuts(self, told: Sequence[TrialResult]) -> tuple[float | None, ...]:
        """Return the limits of a trial that is asked now."""
        return self.pruner(told, self.slices, self.directions[0] == "maximize") if self.slices > 1 else ()


class _Patience:
    """Counts trials since the last improvement."""

    def __init__(self, law: Law) -> None:
        self._law, self._front, self._since = law, list[tuple[float, ...]](), 0

    def hear(self, result: TrialResult) -> None:
        self._since += 1
        if not result.feasible:
            return
        own = losses(result.values, self._law.directions)
        if any(all(x <= y for x, y in zip(f, own, strict=True)) for f in self._front):
            return
        self._front = [f for f in self._front if any(x < y for x, y in zip(f, own, strict=True))] + [own]
        self._since = 0

    @property
    def over(self) -> bool:
        patience = self._law.patience
        return patience is not None and self._since >= patience


def run(
    sampler: Sampler,
    law: Law,
    pool: Pool,
    evaluate: Evaluate,
    *,
    store: Store | None = None,
    heard: Callable[[Trial], None] | None = None,
) -> list[Trial]:
    """Run a study to its end; return all its trials by number.

    Parameters
    ----------
    sampler : Sampler
        A new one: what a store remembers is asked and told again.
    law : Law
    pool : Pool
    evaluate : callable
        ``evaluate(shared, ask, rng) -> TrialResult``; what it raises is a failed trial.
    store : Store, optional
    heard : callable, optional
        Hears each trial that was computed now, in order.

    Raises
    ------
    ConfigError
        If the store remembers what this study would not have asked, or a worker cannot do trials at all.
    """
    store = Forgetful() if store is None else store
    remembered = store.load()
    finished = next((n for n, (_, r) in enumerate(remembered) if r is None), len(remembered))
    late = [n for n, (_, r) in enumerate(remembered) if n >= finished and r is not None]
    if late:
        raise ConfigError(
            "STUDY_ORDER",
            f"study: expected trials told in order, found trial {finished} without a result before trial {late[0]}; "
            "the storage was changed by something else: start a new study",
        )
    results = [r for _, r in remembered[:finished] if r is not None]
    asked: list[Mapping[str, Any]] = []
    told, patience = [0], _Patience(law)

    def next_ask() -> Ask | None:
        number = len(asked)
        while told[0] < number - LOOK_AHEAD + 1:
            sampler.tell(told[0], results[told[0]])
            patience.hear(results[told[0]])
            told[0] += 1
        if number >= law.epochs or patience.over:
            return None
        values = sampler.ask(number)
        if values is None:
            return None
        if number < len(remembered):
            _compare(number, values, remembered[number][0])
        else:
            store.begin(number, values)
        asked.append(values)
        return Ask(number, values, law.cuts(results[: told[0]]))

    def asks() -> Iterator[Ask]:
        while (ask := next_ask()) is not None:
            yield ask

    while len(asked) < finished:
        if next_ask() is None:
            raise ConfigError(
                "STUDY_SHORTER",
                f"study: expected at most {len(asked)} trials, found {finished} in the storage; ask for more epochs or "
                "start a new study",
            )
    for outcome in pool.ordered(evaluate, asks(), look_ahead=LOOK_AHEAD):
        number = len(results)
        result = _result(outcome)
        if result.state == "refused":
            raise ConfigError("STUDY_NODE", f"study: {result.reason}")
        store.end(number, result)
        results.append(result)
        if heard is not None:
            heard(Trial(number, asked[number], result))
    return [Trial(n, v, r) for n, (v, r) in enumerate(zip(asked, results, strict=True))]


def _result(outcome: Outcome) -> TrialResult:
    if outcome.failure is None:
        found: TrialResult = outcome.value
        return found
    return TrialResult.failed(str(outcome.failure))


def _compare(number: int, asked: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    if dict(asked) != dict(stored):
        raise ConfigError(
            "STUDY_OTHER",
            f"study: expected trial {number} to be {dict(asked)}, found {dict(stored)} in the storage: it was made "
            "with another seed, space, sampler, objective or release; start a new study, under another --study",
        )
