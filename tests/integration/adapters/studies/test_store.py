"""Studies in SQLite and in Debian's PostgreSQL: remembered exactly, one driver at a time, locks told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actors.adapters.studies.samplers import make_sampler
from actors.adapters.studies.store import StudyStore
from actors.domain.errors import ConfigError, StorageError
from actors.domain.params import Range
from actors.domain.search.space import Dimension, Space
from actors.domain.search.study.engine import Law, run
from actors.domain.search.study.trial import Ask, TrialResult, study_hash
from actors.runtime.fanout_serial import SerialFanOut

SPACE = Space(
    (
        Dimension("a", Range("int", 5, 60, log=True)), Dimension("b", Range("float", 0.0, 1.0)),
        Dimension("c", Range("choice", choices=("x", True, None))),
    ),
)  # fmt: skip
LAW = Law(24, ("maximize",))
ABOUT = {"space": "x", "seed": "7"}


class Crash(BaseException):
    """The driver is gone."""


def hill(_shared: Any, ask: Ask, _rng: Any) -> TrialResult:
    if ask.number % 7 == 3:
        return TrialResult.failed("told so", intermediate=(None,))
    if ask.number % 7 == 5:
        return TrialResult("pruned", reason="late", intermediate=(0.1, None, 1.0 / 3.0))
    value = ask.values["b"] / 3.0 - abs(ask.values["a"] - 20) / 7.0
    metrics = {"sharpe_ann": value, "trade_count": ask.number, "calmar": None}
    return TrialResult(
        "complete", (value,), violations=(-1.5,), metrics=metrics, returns=np.array([0.1, value, -0.2])
    )


@pytest.fixture
def opened(database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    if database.password is not None:
        monkeypatch.setenv("TRADEWIND_STUDY_PASSWORD", database.password.get_secret_value())

    def store(
        *, resume: bool, name: str = "s", about: dict[str, str] | None = None, wait_s: float = 10.0
    ) -> StudyStore:
        return StudyStore(
            database.url, name, SPACE, ("maximize",), about or ABOUT, resume=resume, folder=tmp_path / "returns",
            wait_s=wait_s,
        )  # fmt: skip

    return store


def study(store: StudyStore | None, end_after: int | None = None) -> Any:
    heard = 0

    def hear(_trial: Any) -> None:
        nonlocal heard
        heard += 1
        if heard == end_after:
            raise Crash

    sampler = make_sampler("tpe", SPACE, LAW.directions, seed=3, epochs=24)
    return run(sampler, LAW, SerialFanOut(), hill, store=store, heard=hear)


def test_a_study_goes_on_as_if_it_had_not_been_stopped(opened: Any) -> None:
    want = study(None)
    with opened(resume=False) as store, pytest.raises(Crash):
        study(store, end_after=5)
    for ended in (9, 1):
        with opened(resume=True) as store, pytest.raises(Crash):
            study(store, end_after=ended)
    with opened(resume=True) as store:
        assert sum(r is not None for _, r in store.load()) == 15
        got = study(store)
        assert study_hash(got) == study_hash(want)
        assert got == want
        for a, b in zip(got, want, strict=True):
            assert (a.result.returns is None) == (b.result.returns is None)
            if a.result.returns is not None:
                assert a.result.returns.tolist() == b.result.returns.tolist()
    with opened(resume=True) as store:  # nothing left to do
        loaded = [r for _, r in store.load()]
        assert loaded == [t.result for t in want]
        assert study(store) == want


def test_several_studies_share_a_database(opened: Any) -> None:
    for name in ("one", "two"):
        with opened(resume=False, name=name) as store:
            study(store)
    with pytest.raises(ConfigError, match="STUDY_EXISTS"):
        opened(resume=False, name="one")
    with pytest.raises(ConfigError, match="expected one of one, two"):
        opened(resume=True, name="three")
    with pytest.raises(ConfigError, match="seed: it began with 7, found 8"):
        opened(resume=True, name="one", about=ABOUT | {"seed": "8"})
    opened(resume=True, name="one").close()


def test_one_driver_at_a_time(opened: Any) -> None:
    with opened(resume=False) as store:
        with pytest.raises(StorageError, match="only driver"):
            opened(resume=True, wait_s=0.2)
        with opened(resume=False, name="other"):
            pass
        study(store)
    opened(resume=True).close()


def test_a_finished_trial_is_not_told_twice(opened: Any) -> None:
    with opened(resume=False) as store:
        done = study(store)
        with pytest.raises(StorageError, match="STUDY_STORAGE"):
            store.end(0, done[0].result)


def test_a_server_that_is_gone_is_told(opened: Any, database: Any) -> None:
    if database.server is None:
        pytest.skip("a file is not gone")
    with opened(resume=False) as store:
        database.server.stop()
        try:
            with pytest.raises(StorageError, match="look at the address"):
                study(store)
        finally:
            database.server.start()
