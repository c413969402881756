"""The contract over every component found by discovery, over the fleet, and over planted cheats."""

from __future__ import annotations

import ast
import pickle
from pathlib import Path

import cheats
import contract
import numpy as np
import pytest
import small

from actors.domain import errors, registry
from actors.domain.events.market import BarClosed
from actors.domain.fitting import InlineFits
from actors.domain.learning.base import Sample
from actors.domain.model.bars import BarFrame
from actors.domain.regime.base import Observation
from actors.domain.strategies.base import Market
from actors.runtime.local import LocalHost
from actors.runtime.wire import encode_block
from cluster.runs.execute import run_local

CUT = 420
BARS = 620


def kinds(package: str) -> list[str]:
    return registry.kinds(f"actors.domain.{package}")


@pytest.fixture(scope="module")
def frame() -> BarFrame:
    return next(iter(small.frames(BARS).values()))


@pytest.fixture(scope="module")
def other(frame: BarFrame) -> BarFrame:
    """The same bars before CUT, quite different ones after."""
    columns = {
        c: getattr(frame, c).copy() for c in ("open_ns", "open", "high", "low", "close", "volume", "flags")
    }
    for name in ("open", "high", "low", "close"):
        columns[name][CUT:] = columns[name][CUT:][::-1] * 3.0
    columns["volume"][CUT:] *= 0.1
    return BarFrame(frame.pair, frame.timeframe_ns, source="other", synthetic=True, **columns)


def bars(frame: BarFrame) -> list[BarClosed]:
    width = frame.timeframe_ns
    rows = zip(
        *(getattr(frame, c).tolist() for c in ("open_ns", "open", "high", "low", "close", "volume")),
        strict=True,
    )
    return [
        BarClosed(ts_event_ns=t + width, source="feed", instrument_id=frame.pair, open_ns=t, close_ns=t + width,
                  open=o, high=h, low=low, close=c, volume=v)
        for t, o, h, low, c, v in rows
    ]  # fmt: skip


def observations(frame: BarFrame) -> list[Observation]:
    r = np.diff(np.log(frame.close), prepend=np.nan).tolist()
    return [
        Observation(k, b.high, b.low, b.close, r[k]) for k, b in enumerate(bars(frame))
    ]  # fmt: skip


def markets(frame: BarFrame) -> list[Market]:
    names = ("bull", "sideways", "bear")
    return [
        Market(
            k,
            b.open,
            b.high,
            b.low,
            b.close,
            b.volume,
            names[k // 50 % 3],
            0.7,
            {"online": 0.5 + 0.01 * (k % 7)},
        )
        for k, b in enumerate(bars(frame))
    ]


def samples(frame: BarFrame) -> list[Sample]:
    close = frame.close.tolist()
    return [
        Sample(k, tuple(close[k] / close[max(0, k - d)] - 1.0 for d in (1, 3, 9, 27)), close[k], k >= 27)
        for k in range(len(close))
    ]


def update(thing, x):
    return thing.update(x)


# fits early enough that several fall before CUT, so that fitted models are what is compared
SHORT = {
    "hmm": {"min_history_bars": 60, "refit_every_bars": 100, "lag_steps": 24, "burn_in_bars": 50},
    "forest": {"min_samples": 60, "refit_every_bars": 100, "refit_lag_steps": 24, "trees": 5},
}


def cases(package: str, kind: str):
    cls = f"actors.domain.{package}"
    if package == "indicators":
        return (lambda: registry.build(cls, kind)), bars
    if package == "strategies":
        return (lambda: registry.build(cls, kind)), markets
    extra = {"fits": InlineFits(), "name": "x", "seed": 5}
    if package == "learning":
        return (
            lambda: registry.build(
                cls, kind, SHORT.get(kind, {}), names=("a", "b", "c", "d"), **{**extra, "fits": InlineFits()}
            )
        ), samples
    return (
        lambda: registry.build(cls, kind, SHORT.get(kind, {}), **{**extra, "fits": InlineFits()})
    ), observations


ALL = [(p, k) for p in ("indicators", "regime", "learning", "strategies") for k in kinds(p)]


def test_discovery_finds_the_components() -> None:
    assert len(ALL) >= 15 + 3 + 2 + 4


@pytest.mark.parametrize(("package", "kind"), ALL)
def test_component(package: str, kind: str, frame: BarFrame, other: BarFrame) -> None:
    make, inputs_of = cases(package, kind)
    inputs, changed = inputs_of(frame), inputs_of(other)
    assert contract.check_deterministic(make, update, inputs) == []
    assert contract.check_causal(make, update, inputs, changed, CUT) == []
    for cut in (37, 301):
        assert contract.check_snapshot(make, update, inputs, cut) == []
    assert registry.load(f"actors.domain.{package}", kind).__doc__
    pickle.loads(pickle.dumps(make().params if hasattr(make(), "params") else make().state()))
    if package == "indicators":
        assert contract.check_batch(make, update, inputs, make().batch, frame) == []
        assert contract.check_batch_causal(make().batch, frame, other, CUT) == []


@pytest.mark.parametrize(("package", "kind"), [("regime", "hmm"), ("learning", "forest")])
def test_a_pending_fit_survives_a_restore(package: str, kind: str, frame: BarFrame) -> None:
    make, inputs_of = cases(package, kind)
    inputs, probe = inputs_of(frame), make()
    cut = 0
    while not probe._refit.pending:
        probe.update(inputs[cut])
        cut += 1
    assert 60 <= cut < CUT - 24
    assert contract.check_snapshot(make, update, inputs, cut) == []


@pytest.mark.parametrize(
    "kind", [k for k in kinds("strategies") if registry.load("actors.domain.strategies", k).has_batch]
)
def test_strategy_batch(kind: str, frame: BarFrame, other: BarFrame) -> None:
    make, inputs_of = cases("strategies", kind)

    def feed(thing, x):
        opinion = thing.update(x)
        return opinion.direction, opinion.confidence

    assert contract.check_batch(make, feed, inputs_of(frame), make().batch, frame) == []
    assert contract.check_batch_causal(make().batch, frame, other, CUT) == []


@pytest.mark.parametrize(
    "package",
    ["risk.rules", "risk.sizing", "risk.measurement", "execution.algos", "simulation.fees", "simulation.slippage",
     "simulation.latency"],
)  # fmt: skip
def test_parts_have_frozen_params_with_defaults(package: str) -> None:
    found = kinds(package)
    assert found
    for kind in found:
        params = registry.validate(f"actors.domain.{package}", kind, {})
        assert params.model_config.get("frozen") is True
        assert registry.load(f"actors.domain.{package}", kind).__doc__
        assert pickle.loads(pickle.dumps(params)) == params


def test_cheats_are_caught(frame: BarFrame, other: BarFrame) -> None:
    assert contract.check_batch_causal(cheats.PeeksOneBar().batch, frame, other, CUT)
    assert contract.check_batch_causal(cheats.CentredWindow().batch, frame, other, CUT)
    numbers = [float(k) for k in range(50)]
    assert contract.check_snapshot(cheats.Forgets, update, numbers, 20)
    assert contract.check_deterministic(cheats.SharesState, update, numbers)


def test_fleet_is_causal_deterministic_and_survives_a_restore(tmp_path: Path) -> None:
    market = small.frames(420)
    plan = small.plan(tmp_path / "a", market=market)
    first = run_local(plan).recorder
    assert run_local(small.plan(tmp_path / "b", market=market)).recorder.log.digest() == first.log.digest()
    assert first.record.counts["orders"] > 0
    changed = {}
    for pair, f in market.items():
        columns = {
            c: getattr(f, c).copy() for c in ("open_ns", "open", "high", "low", "close", "volume", "flags")
        }
        late = columns["open_ns"] >= next(iter(market.values())).open_ns[350]
        for name in ("open", "high", "low", "close"):
            columns[name][late] *= 2.0
        changed[pair] = BarFrame(pair, f.timeframe_ns, source="x", synthetic=True, **columns)
    second = run_local(small.plan(tmp_path / "c", market=changed)).recorder

    def before(lines: list[str]) -> list[str]:
        return [line for line in lines if int(line[1 : line.index(",")]) < 350]

    assert before(first.lines) == before(second.lines)
    assert first.lines != second.lines


def test_every_agent_restores_to_the_same_future(tmp_path: Path) -> None:
    plan = small.plan(tmp_path)
    host, blocks = LocalHost(plan.graph, plan.settings), plan.feed.block(0, 400)
    for item in blocks[:260]:
        host.step(item)
    fresh = LocalHost(plan.graph, plan.settings)
    fresh.restore(host.snapshot(), host.pending())
    for item in blocks[260:]:
        assert [(n, encode_block([e])) for n, e in fresh.step(item)] == [
            (n, encode_block([e])) for n, e in host.step(item)
        ]


def test_every_error_survives_pickling() -> None:
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.TradingError)]
    assert len(classes) > 25
    for cls in classes:
        found = pickle.loads(pickle.dumps(cls("CODE", "text", retryable=True, row=3)))
        assert (type(found), found.code, str(found), found.retryable, found.context) == (
            cls, "CODE", "text [CODE]", True, {"row": 3},
        )  # fmt: skip


FORBIDDEN = {
    ("time", "time"), ("time", "monotonic"), ("time", "perf_counter"), ("datetime", "now"), ("datetime", "utcnow"),
    ("uuid", "uuid4"), ("random", "random"), ("random", "seed"), ("random", "choice"),
}  # fmt: skip


def test_the_domain_reads_no_clock_file_or_global_randomness(repo_root: Path) -> None:
    faults = []
    for path in sorted((repo_root / "actors" / "domain").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            f = node.func
            if isinstance(f, ast.Name) and f.id in ("open", "hash"):
                faults.append(f"{path.name}:{node.lineno} {f.id}()")
            if (
                isinstance(f, ast.Attribute)
                and isinstance(f.value, ast.Name)
                and (f.value.id, f.attr) in FORBIDDEN
            ):
                faults.append(f"{path.name}:{node.lineno} {f.value.id}.{f.attr}()")
            if (
                isinstance(f, ast.Attribute) and isinstance(f.value, ast.Attribute) and f.value.attr == "random"
                and f.attr not in ("default_rng", "Generator", "SeedSequence", "PCG64")
            ):  # fmt: skip
                faults.append(f"{path.name}:{node.lineno} np.random.{f.attr}()")
    assert faults == []
