"""The loop of a study: its law, going on with it, and what ends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from actors.domain.errors import ConfigError
from actors.domain.search.study.engine import LOOK_AHEAD, Law, run
from actors.domain.search.study.pruning import percentile
from actors.domain.search.study.trial import Ask, Trial, TrialResult, study_hash
from actors.runtime.fanout_serial import SerialFanOut


class Listening:
    """A sampler whose next values depend on all that it was told; it notes how much that was."""

    def __init__(self, end: int = 10**9) -> None:
        self.told: list[TrialResult] = []
        self.known: list[int] = []
        self._end = end

    def ask(self, number: int) -> Mapping[str, Any] | None:
        if number >= self._end:
            return None
        self.known.append(len(self.told))
        return {"x": number + sum(v for r in self.told for v in r.values)}

    def tell(self, number: int, result: TrialResult) -> None:
        assert number == len(self.told)
        self.told.append(result)


class Memory:
    """A store that may be cut where a crash would have cut it."""

    def __init__(self, rows: list[tuple[Mapping[str, Any], TrialResult | None]] | None = None) -> None:
        self.rows = list(rows or [])
        self.begun: list[int] = []

    def load(self) -> list[tuple[Mapping[str, Any], TrialResult | None]]:
        return list(self.rows)

    def begin(self, number: int, values: Mapping[str, Any]) -> None:
        assert number == len(self.rows)
        self.begun.append(number)
        self.rows.append((values, None))

    def end(self, number: int, result: TrialResult) -> None:
        values, before = self.rows[number]
        assert before is None
        self.rows[number] = (values, result)


def half(_shared: Any, ask: Ask, _rng: Any) -> TrialResult:
    if ask.number % 5 == 4:
        raise ValueError("a fifth fails")
    return TrialResult("complete", (float(ask.values["x"] % 7) / 2,))


LAW = Law(30, ("maximize",))


def test_a_trial_knows_exactly_the_trials_before_its_look_ahead() -> None:
    sampler = Listening()
    trials = run(sampler, LAW, SerialFanOut(), half)
    assert sampler.known == [max(0, n - LOOK_AHEAD + 1) for n in range(30)]
    assert [t.number for t in trials] == list(range(30))
    assert trials[4].result == TrialResult("fail", reason="ValueError: a fifth fails")


@pytest.mark.parametrize("finished", [0, 1, 7, 8, 9, 23, 29, 30])
def test_a_study_that_goes_on_ends_like_one_that_was_not_stopped(finished: int) -> None:
    whole = Memory()
    want = run(Listening(), LAW, SerialFanOut(), half, store=whole)
    running = min(LOOK_AHEAD, 30 - finished)
    cut = Memory(whole.rows[:finished] + [(v, None) for v, _ in whole.rows[finished : finished + running]])
    heard: list[Trial] = []
    got = run(Listening(), LAW, SerialFanOut(), half, store=cut, heard=heard.append)
    assert study_hash(got) == study_hash(want)
    assert got == want
    assert cut.rows == whole.rows
    assert cut.begun == list(range(finished + running, 30))  # none twice
    assert [t.number for t in heard] == list(range(finished, 30))  # and none lost


def test_more_epochs_go_on_where_fewer_ended() -> None:
    store = Memory()
    run(Listening(), Law(12, ("maximize",)), SerialFanOut(), half, store=store)
    assert run(Listening(), LAW, SerialFanOut(), half, store=store) == run(
        Listening(), LAW, SerialFanOut(), half
    )


def test_a_storage_of_another_study_is_refused() -> None:
    store = Memory()
    run(Listening(), LAW, SerialFanOut(), half, store=store)
    with pytest.raises(ConfigError, match="STUDY_SHORTER"):
        run(Listening(), Law(9, ("maximize",)), SerialFanOut(), half, store=Memory(store.rows))
    other = list(store.rows)
    other[3] = ({"x": -1}, other[3][1])
    with pytest.raises(ConfigError, match="trial 3"):
        run(Listening(), LAW, SerialFanOut(), half, store=Memory(other))
    holed = list(store.rows)
    holed[3] = (holed[3][0], None)
    with pytest.raises(ConfigError, match="STUDY_ORDER"):
        run(Listening(), LAW, SerialFanOut(), half, store=Memory(holed))


def test_it_stops_where_nothing_gets_better_and_where_nothing_is_left() -> None:
    def falling(_shared: Any, ask: Ask, _rng: Any) -> TrialResult:
        return TrialResult("complete", (float(-ask.number),))

    # trial 0 is best: four later ones are told before trial 12 would be asked
    assert len(run(Listening(), Law(30, ("maximize",), patience=4), SerialFanOut(), falling)) == 12
    assert len(run(Listening(), Law(30, ("minimize",), patience=4), SerialFanOut(), falling)) == 30
    assert len(run(Listening(5), LAW, SerialFanOut(), falling)) == 5
    for bad in (Law, lambda n, d: Law(3, d, patience=n), lambda n, d: Law(3, d, slices=n)):
        with pytest.raises(ConfigError, match="STUDY_NUMBERS"):
            bad(0, ("maximize",))


def test_limits_of_a_trial_come_from_the_trials_told_when_it_was_asked() -> None:
    seen: dict[int, tuple[float | None, ...]] = {}

    def slow(_shared: Any, ask: Ask, _rng: Any) -> TrialResult:
        seen[ask.number] = ask.cuts
        return TrialResult("complete", (0.0,), intermediate=(float(ask.number),))

    run(Listening(), Law(30, ("maximize",), percentile(50.0), slices=2), SerialFanOut(), slow)
    assert seen[11] == (None,)  # four complete ones are too few
    assert seen[12] == (2.0,)  # the median of 0 … 4
    assert seen[29] == (10.5,)


def test_a_node_that_cannot_do_trials_ends_the_study() -> None:
    def lacks(_shared: Any, _ask: Ask, _rng: Any) -> TrialResult:
        return TrialResult("refused", reason="node a: no module x")

    with pytest.raises(ConfigError, match="node a: no module x"):
        run(Listening(), LAW, SerialFanOut(), lacks)
