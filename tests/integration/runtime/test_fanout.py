"""A real fan-out on Ray: the serial twin's results, while workers die, grow, are canceled and replaced."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fanout_work as work
import numpy as np
import psutil
import pytest

from actors.domain import kernels
from actors.domain.errors import ConfigError, KernelError
from actors.runtime.environment import prepare_environment
from actors.runtime.fanout_items import FanOutCanceled, FanOutError, Progress
from actors.runtime.fanout_serial import SerialFanOut

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]
SHARED = {"offset": 1000.0}


@pytest.fixture(scope="module")
def pools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The class `RayFanOut`, in a session."""
    prepare_environment(tmp_path_factory.mktemp("ray"))
    from actors.runtime.session import ray_session

    with ray_session(num_cpus=3, object_store_mb=200, code_paths=[str(Path(work.__file__).parent)]):
        from actors.runtime.fanout import RayFanOut

        yield RayFanOut


def serial(fn: Any, shared: dict[str, Any], count: int) -> list[Any]:
    return SerialFanOut(shared, seed=11).map(fn, range(count))


def test_results_are_those_of_the_serial_twin_for_any_number_of_workers(pools: Any) -> None:
    want = serial(work.draw, SHARED, 500)
    for workers in (1, 2):
        heard: list[Progress] = []
        with pools(SHARED, workers=workers, seed=11, progress=heard.append) as pool:
            assert pool.map(work.draw, range(500)) == want
            # the same pool again, and items whose number is not known beforehand
            assert pool.map(work.draw, iter(range(500))) == want
            assert pool.map(work.draw, []) == []
        done = [p.done for p in heard if p.total == 500]
        assert done == sorted(done)
        assert done[-1] == 500
        assert len(done) < 250  # short items travel together


def test_failed_items_are_outcomes_in_their_place(pools: Any) -> None:
    with pools(workers=1) as pool:
        outcomes = list(pool.ordered(work.fail_on_odd, range(40)))
        assert [o.number for o in outcomes] == list(range(40))
        assert [o.value for o in outcomes if o.failure is None] == list(range(0, 40, 2))
        assert str(outcomes[7].failure) == "ValueError: odd: 7"
        with pytest.raises(FanOutError, match="item 1: ValueError"):
            pool.map(work.fail_on_odd, range(40))


def test_killed_workers_lose_and_double_nothing(pools: Any, tmp_path: Path) -> None:
    shared = {**SHARED, "deadly": (5, 6, 90, 199), "folder": str(tmp_path)}
    want = serial(work.draw, shared, 200)
    heard: list[Progress] = []
    killed: list[int] = []

    def on_progress(p: Progress) -> None:
        heard.append(p)
        if p.done > 100 and not killed:
            killed.append(pool.pids()[0])
            os.kill(killed[0], signal.SIGKILL)

    with pools(shared, workers=2, seed=11, progress=on_progress) as pool:
        outcomes = list(pool.ordered(work.die_once, range(200)))
    assert [o.number for o in outcomes] == list(range(200))
    assert [o.value for o in outcomes] == want
    assert heard[-1].done == 200
    assert heard[-1].failed == 0
    assert heard[-1].retried >= 4
    assert sorted(int(p.name) for p in tmp_path.iterdir()) == [5, 6, 90, 199]
    assert killed


def test_an_item_that_kills_every_worker_fails_alone(pools: Any) -> None:
    shared = {**SHARED, "deadly": (13,)}
    want = serial(work.draw, SHARED, 30)
    with pools(shared, workers=2, seed=11, max_losses=1) as pool:
        outcomes = list(pool.ordered(work.die_always, range(30)))
    assert [o.number for o in outcomes if o.failure is not None] == [13]
    assert outcomes[13].failure is not None
    assert outcomes[13].failure.kind == "WorkerLost"
    assert [o.value for o in outcomes if o.number != 13] == [w for k, w in enumerate(want) if k != 13]


def test_workers_that_grow_are_replaced(pools: Any) -> None:
    shared = {**SHARED, "leak_mib": 40}
    with pools({"column": np.zeros(8)}, workers=1) as pool:
        idle = _cards(pool)[0].private_mib
    with pools(shared, workers=1, seed=11, memory_budget_mib=idle + 150.0) as pool:
        found = pool.map(work.leak, range(16))
        assert pool.recycled >= 2
    assert [(item, value) for item, value, _ in found] == serial(work.draw, shared, 16)
    # the last one may have been replaced after the last item
    assert len({pid for _, _, pid in found}) in (pool.recycled, pool.recycled + 1)
    with (
        pools(shared, workers=1, memory_budget_mib=1.0) as pool,
        pytest.raises(ConfigError, match="idle worker"),
    ):
        pool.map(work.leak, range(2))


def test_what_is_shared_is_read_in_place(pools: Any) -> None:
    column = np.arange(8 << 20, dtype=np.float64)  # 64 MiB
    with pools({"column": column}, workers=2) as pool:
        idle = [h.private_mib for h in _cards(pool)]
        found = pool.map(work.read_all, range(6))
    assert {s for s, _, _ in found} == {float(column.sum())}
    assert not any(writeable for _, writeable, _ in found)
    assert max(mib for _, _, mib in found) - min(idle) < 32.0


def _cards(pool: Any) -> list[Any]:
    pool.map(work.read_all, range(2))
    return [h.card for h in pool._hands if h.card is not None]


def test_cancellation_frees_the_workers(pools: Any) -> None:
    heard: list[Progress] = []
    pool = pools(SHARED, workers=2, progress=heard.append, cancel=lambda: len(heard) >= 2)
    processes: list[psutil.Process] = []

    def items() -> Iterator[int]:
        for k in range(10_000):
            processes[:] = [psutil.Process(pid) for pid in pool.pids()]
            yield k

    with pytest.raises(FanOutCanceled, match="canceled after"):
        pool.map(work.draw, items())
    assert pool.pids() == []
    assert processes
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert alive == []


def test_an_asker_knows_what_it_may_know_and_can_stop_early(pools: Any) -> None:
    def study(pool: Any, count: int) -> tuple[list[list[int]], list[Any]]:
        told: list[Any] = []
        known: list[list[int]] = []

        def ask() -> Iterator[int]:
            for n in range(count):
                known.append([o.number for o in told])
                # what is asked depends on what was told
                yield n + len(told) + int(sum(o.value[1] for o in told) * 1e6) % 1000

        for outcome in pool.ordered(work.draw, ask(), look_ahead=4):
            told.append(outcome)
        return known, [o.value for o in told]

    want = study(SerialFanOut(SHARED, seed=3), 40)
    assert want[0][10] == list(range(7))
    for workers in (1, 2):
        with pools(SHARED, workers=workers, seed=3) as pool:
            assert study(pool, 40) == want
            for outcome in pool.ordered(work.draw, range(100_000)):
                if outcome.number == 3:
                    break
            assert study(pool, 40) == want


class Bars:
    """What is shared, with a hash that depends on the process: as if the bars had changed on their way."""

    def data_hash(self) -> str:
        """Return the process id."""
        return str(os.getpid())


def test_a_worker_that_got_other_bars_is_refused(pools: Any) -> None:
    with (
        pools(Bars(), workers=1) as pool,
        pytest.raises(KernelError, match=f"bars with hash {os.getpid()}, found"),
    ):
        pool.map(work.draw, range(2))


def test_work_that_no_worker_can_read_is_told(pools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types

    module = types.ModuleType("only_here")
    exec("def work(shared, item, rng): return item", module.__dict__)
    monkeypatch.setitem(sys.modules, "only_here", module)
    with pools(SHARED, workers=1) as pool, pytest.raises(FanOutError, match="only_here"):
        pool.map(module.work, range(2))
    with pytest.raises(ConfigError, match="at least 1 worker"):
        pools(SHARED, workers=0)


def test_the_bench_in_small_has_equal_results_and_reads_in_place(pools: Any) -> None:
    from cluster.bench import fanout
    from cluster.bench.sweep import SKIPPED

    found = fanout.run(4, 1_000)
    rows = {f.name: f for f in fanout.figures(found)}
    assert rows["own memory that reading 64 MiB of history adds"].met
    if kernels.backend().name != "native":
        assert rows["sweep of ten assets"].note == SKIPPED
        assert len(rows) == 5
        return
    assert found["assets_equal"]
    assert found["combinations"] == 4950
    assert rows["equal to one process"].met
    assert len(rows) == 7
