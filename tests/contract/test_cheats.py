"""The suite's own checks, run on planted cheats: each must be reported, by the check that is meant for it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import cheats
import component_inputs as given
import contract
import numpy as np
import pytest
import recorded_run as recorded
import small

from actors.domain.events.market import BarClosed
from actors.domain.fitting import InlineFits
from actors.domain.model.bars import BarFrame
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step

CUT = 420
NUMBERS = [float(k) for k in range(50)]


def update(thing: object, x: object) -> object:
    return thing.update(x)


@pytest.fixture(scope="module")
def whole() -> BarFrame:
    return given.market()[0]


@pytest.fixture(scope="module")
def changed(whole: BarFrame) -> BarFrame:
    return given.another_future(whole, int(whole.open_ns[CUT]))


def test_a_strategy_whose_batch_peeks_one_bar_ahead(whole: BarFrame, changed: BarFrame) -> None:
    def numbers(s: cheats.PeekingStrategy, x: object) -> tuple[float, float]:
        opinion = s.update(x)
        return opinion.direction, opinion.confidence

    make, markets = cheats.PeekingStrategy, given.markets(whole)
    found = contract.check_batch_causal(make().batch, whole, changed, CUT)
    assert found
    assert all("changes with" in x for x in found)
    assert contract.check_batch(make, numbers, markets, make().batch, whole)
    # bar by bar it is clean: nothing else may be reported
    assert contract.check_causal(make, update, markets, given.markets(changed), CUT) == []
    assert contract.check_snapshot(make, update, markets, 37) == []


def test_an_indicator_with_a_centred_window(whole: BarFrame, changed: BarFrame) -> None:
    found = contract.check_batch_causal(cheats.CentredWindow().batch, whole, changed, CUT)
    assert found[0] == f"batch: bar {CUT - 2} changes with another future after bar {CUT}"


def test_an_indicator_that_standardises_by_the_whole_sample(whole: BarFrame, changed: BarFrame) -> None:
    assert len(contract.check_batch_causal(cheats.WholeSample().batch, whole, changed, CUT)) > 2


def test_a_detector_that_shares_memory_between_instances(whole: BarFrame, changed: BarFrame) -> None:
    inputs, others = given.observations(whole), given.observations(changed)
    # one instance after the other hides it, side by side shows it
    assert contract.check_deterministic(cheats.SharedDetector, update, inputs) == []
    assert contract.check_isolated(cheats.SharedDetector, update, inputs, others)


def test_memory_in_a_module_global() -> None:
    assert contract.check_deterministic(cheats.GlobalMemory, update, NUMBERS)


def _agent() -> cheats.ForgetfulAgent:
    instruments = {p: Instrument(pair=p, tick=Decimal("0.01"), lot=Decimal("0.001")) for p in given.PAIRS}
    return cheats.ForgetfulAgent(AgentContext("forgetful", instruments, 1, 3, InlineFits()))


def test_an_agent_that_forgets_an_attribute(whole: BarFrame) -> None:
    steps = [Step(k, b.ts_event_ns, (b,)) for k, b in enumerate(given.bars(whole))]
    found = contract.check_snapshot(_agent, recorded.process, steps, 100, 300)
    assert found == [
        "after 100 inputs: attribute _rises is not restored",
        "restored after 100 inputs: output 0 differs",
    ]
    assert contract.check_isolated(_agent, recorded.process, steps, steps[5:]) == []


def test_an_attribute_whose_loss_shows_only_much_later(whole: BarFrame) -> None:
    found = contract.check_snapshot(cheats.LateForgetter, update, given.bars(whole), 100)
    assert found == ["after 100 inputs: attribute _bars is not restored"]


def test_a_fit_under_way_that_a_restore_drops(whole: BarFrame) -> None:
    def make() -> cheats.DropsItsFit:
        return cheats.DropsItsFit(fits=InlineFits())

    inputs = given.observations(whole)
    asked = contract.first_pending(make, update, inputs)
    assert asked == 50
    assert any("output" in x for x in contract.check_snapshot(make, update, inputs, asked))
    # without a pending fit it goes unnoticed, which is why the suite looks for one
    assert not any("output" in x for x in contract.check_snapshot(make, update, inputs, 30, 15))


def test_batch_and_streaming_that_agree_only_nearly(whole: BarFrame) -> None:
    make, bars = cheats.OtherArithmetic, given.bars(whole)
    np.testing.assert_allclose(
        [make().batch(whole)[0][-1]], [[update(t, b) for b in bars][-1][0] for t in (make(),)]
    )
    assert contract.check_batch(make, update, bars, make().batch, whole)


def test_a_warm_up_that_is_not_kept(whole: BarFrame) -> None:
    def silent(values: tuple[float]) -> bool:
        return values[0] != values[0]

    found = contract.check_warmup(cheats.EarlyTalker, update, given.bars(whole), silent, 20)
    assert found == ["warm-up: declared 20, first value at input 10"]
    assert contract.check_warmup(cheats.EarlyTalker, update, given.bars(whole), silent, 10) == []
    assert contract.check_warmup(cheats.EarlyTalker, update, given.bars(whole), silent, 5)


def test_a_feature_with_a_unit(whole: BarFrame) -> None:
    def features(indicator: cheats.PricedFeature, bar: BarClosed) -> tuple[float, ...]:
        return indicator.features(indicator.update(bar), bar, 0.01 * bar.close)

    one, two = given.bars(whole), given.bars(given.scaled(whole, 8.0))
    assert contract.check_scale(cheats.PricedFeature, features, one, two, lambda row: row)


def test_an_instance_that_cannot_travel() -> None:
    assert contract.check_pickled(cheats.StaysHere, update, NUMBERS, 3)


def test_a_scheme_that_remembers_though_it_must_not(whole: BarFrame) -> None:
    sizing = cheats.RemembersWishes(None, 8760.0)
    cases = given.sizing_cases(whole)
    assert contract.check_stateless(sizing, lambda s, x: s.size_from(x[0], x[1]), cases) == [
        "attribute last changed"
    ]


def test_parameters_and_docstrings_left_loose() -> None:
    assert contract.check_params(cheats.LooseParams) == [
        "Params: not frozen", "Params: unknown keys are accepted", "Params.window_bars: no default",
    ]  # fmt: skip
    assert contract.check_docstring(cheats.LooseParams) == [
        "docstring: missing", "Params: no docstring", "update: no docstring",
    ]  # fmt: skip
    assert contract.check_docstring(cheats.CentredWindow)[-1] == "docstring: the warm-up is not stated"


def test_a_fleet_with_an_oracle_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    market, at = small.frames(360), 300
    futures = {"another market": recorded.changed(market, at)}
    sets = ["strategies=[{kind: 'cheats:Oracle'}, {kind: rsi}]"]

    def table(frames: dict[str, BarFrame]) -> dict[tuple[str, int], float]:
        return {
            (repr(f.close.tolist()[i]), k): f.close.tolist()[i + 1]
            for f in frames.values()
            for i, k in enumerate(((f.open_ns - f.open_ns[0]) // f.timeframe_ns).tolist()[:-1])
        }

    # the same fleet without the table is causal
    assert recorded.check_fleet_causal(tmp_path / "honest", market, futures, at, sets) == []

    built = recorded.fleet_outputs

    def with_knowledge(plan: object, until: int | None = None) -> list[bytes]:
        # each run sees the table of its own market: it peeks one bar ahead and no further
        monkeypatch.setattr(cheats, "TOMORROW", table(plan.feed.frames))
        return built(plan, until)

    monkeypatch.setattr(recorded, "fleet_outputs", with_knowledge)
    found = recorded.check_fleet_causal(tmp_path / "cheat", market, futures, at, sets)
    assert found == [f"fleet, another market: output {at - 1} differs"]
