"""The contract over every component that discovery finds."""

from __future__ import annotations

import ast
import importlib
import pkgutil

import component_inputs as given
import contract
import numpy as np
import pytest
from component_inputs import FAMILIES

from actors.domain import registry
from actors.domain.events.market import BarClosed
from actors.domain.events.regime import REGIMES
from actors.domain.features.pipeline import FeaturePipeline
from actors.domain.model.bars import BarFrame
from actors.domain.regime.base import UNIFORM
from actors.domain.strategies.base import MarketColumns

CUT = 420
ALL = [(name, kind) for name, family in FAMILIES.items() for kind in registry.kinds(family.package)]
every_component = pytest.mark.parametrize(("name", "kind"), ALL)
STATEFUL = ("indicators", "regime", "learning", "strategies", "risk.rules", "risk.sizing", "risk.measurement",
            "simulation.fees", "simulation.spread", "simulation.slippage", "simulation.latency")  # fmt: skip
KEEPS_NOTHING = ("execution.algos", "sentiment.scorers")
LEAST = {"indicators": 15, "sentiment.scorers": 1, "regime": 3, "learning": 2, "strategies": 15, "risk.rules": 9,
         "risk.sizing": 5, "risk.measurement": 5, "execution.algos": 3, "simulation.fees": 3, "simulation.spread": 3,
         "simulation.slippage": 4, "simulation.latency": 3}  # fmt: skip


def _class(name: str, kind: str) -> type:
    return registry.load(FAMILIES[name].package, kind)


@pytest.mark.parametrize("name", FAMILIES)
def test_discovery_misses_no_marked_class(name: str) -> None:
    package = FAMILIES[name].package
    found = registry.kinds(package)
    assert len(found) >= LEAST[name]
    marked = {}
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        source = importlib.util.find_spec(f"{package}.{info.name}").loader.get_source(
            f"{package}.{info.name}"
        )
        names = [
            node.name
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.ClassDef)
            and any("component" in ast.unparse(d) for d in node.decorator_list)
        ]
        if names:
            marked[info.name] = names
    assert sorted(marked) == found
    assert all(len(names) == 1 for names in marked.values()), "one component per file"


@every_component
def test_builds_from_defaults_and_says_what_it_is(name: str, kind: str) -> None:
    cls = _class(name, kind)
    assert contract.check_params(cls) == []
    assert contract.check_docstring(cls) == []
    assert FAMILIES[name].make(kind, quick=False) is not None


@every_component
def test_same_inputs_same_outputs_whatever_happens_beside_it(
    name: str, kind: str, frame: BarFrame, other: BarFrame
) -> None:
    family = FAMILIES[name]
    inputs, changed = family.inputs(frame), family.inputs(other)
    assert contract.check_isolated(lambda: family.make(kind), family.feed, inputs, changed) == []


@every_component
def test_the_past_does_not_know_the_future(name: str, kind: str, frame: BarFrame, other: BarFrame) -> None:
    family = FAMILIES[name]
    inputs, changed = family.inputs(frame), family.inputs(other)
    assert [contract.encoded(x) for x in inputs[:CUT]] == [contract.encoded(x) for x in changed[:CUT]]
    assert inputs != changed
    assert contract.check_causal(lambda: family.make(kind), family.feed, inputs, changed, CUT) == []


@every_component
def test_it_goes_on_in_another_process(name: str, kind: str, frame: BarFrame) -> None:
    family = FAMILIES[name]
    assert contract.check_pickled(lambda: family.make(kind), family.feed, family.inputs(frame), 301) == []


@pytest.mark.parametrize(("name", "kind"), [c for c in ALL if c[0] in STATEFUL])
def test_a_restored_one_has_the_same_future(name: str, kind: str, frame: BarFrame) -> None:
    family = FAMILIES[name]
    inputs = family.inputs(frame)

    def make() -> object:
        return family.make(kind)

    cuts = [0, 37, 301]
    if contract.has_refit(make()):
        asked = contract.first_pending(make, family.feed, inputs, start=140)
        assert asked is not None, "no refit is under way at any bar: the inputs are too short"
        cuts.append(asked)
    for cut in cuts:
        assert len(inputs) - cut >= 300
        assert contract.check_snapshot(make, family.feed, inputs, cut) == []


@pytest.mark.parametrize(("name", "kind"), [c for c in ALL if c[0] in KEEPS_NOTHING])
def test_what_keeps_nothing_keeps_nothing(name: str, kind: str, frame: BarFrame) -> None:
    family = FAMILIES[name]
    made = family.make(kind)
    part = getattr(made, "algorithm", made)
    assert contract.check_stateless(part, lambda _, x: family.feed(made, x), family.inputs(frame)) == []


@pytest.mark.parametrize("kind", registry.kinds("actors.domain.indicators"))
def test_indicator_batch_warm_up_and_scale(kind: str, other: BarFrame) -> None:
    family = FAMILIES["indicators"]

    def make() -> object:
        return family.make(kind)

    whole = given.market()[0]
    inputs = given.bars(whole)
    changed = given.another_future(whole, int(whole.open_ns[CUT]))
    assert contract.check_batch(make, family.feed, inputs, make().batch, whole) == []
    assert contract.check_batch_causal(make().batch, whole, changed, CUT) == []
    declared = make().warmup_bars

    def incomplete(values: object) -> bool:
        return bool(np.isnan(np.asarray(values, dtype=np.float64)).any())

    assert contract.check_warmup(make, family.feed, inputs, incomplete, declared) == []

    def features(indicator: object, bar: BarClosed) -> object:
        # the unit is a price: it scales with the bar
        return indicator.features(indicator.update(bar), bar, 0.01 * bar.close)

    for price, volume in ((8.0, 1.0), (0.25, 16.0)):
        scaled = given.bars(given.scaled(whole, price, volume))
        assert contract.check_scale(make, features, inputs, scaled, lambda out: out) == []


@pytest.mark.parametrize("kind", registry.kinds("actors.domain.strategies"))
def test_strategy_warm_up_scale_and_batch(kind: str) -> None:
    family = FAMILIES["strategies"]

    def make() -> object:
        return family.make(kind)

    whole = given.market()[0]
    inputs = given.markets(whole)

    def numbers(opinion: object) -> tuple[float, float]:
        return opinion.direction, opinion.confidence

    def flat(opinion: object) -> bool:
        return numbers(opinion) == (0.0, 0.0)

    thing = make()
    said = [thing.update(x) for x in inputs]
    assert all(flat(o) for o in said[: thing.warmup_bars])
    assert not all(flat(o) for o in said)
    assert all(-1.0 <= o.direction <= 1.0 and 0.0 <= o.confidence <= 1.0 for o in said)
    scaled = given.markets(given.scaled(whole, 8.0, 4.0))
    assert contract.check_scale(make, family.feed, inputs, scaled, numbers) == []
    if thing.has_batch:
        changed = given.another_future(whole, int(whole.open_ns[CUT]))
        feed = lambda s, x: numbers(s.update(x))  # noqa: E731

        def batch(frame: BarFrame) -> object:
            columns = MarketColumns.from_markets(given.markets(frame)) if thing.reads else frame
            return make().batch(columns)

        assert contract.check_batch(make, feed, inputs, batch, whole) == []
        assert contract.check_batch_causal(batch, whole, changed, CUT) == []


@pytest.mark.parametrize("kind", registry.kinds("actors.domain.regime"))
def test_detector_warm_up_and_scale(kind: str) -> None:
    family = FAMILIES["regime"]

    def make() -> object:
        return family.make(kind)

    whole = given.market()[0]
    inputs = given.observations(whole)

    def silent(view: object) -> bool:
        assert len(view.probabilities) == len(REGIMES)
        return view.probabilities == UNIFORM and view.confidence == 0.0

    # a detector counts bars or returns: one apart
    assert contract.check_warmup(make, family.feed, inputs, silent, make().warmup_bars - 1, slack=2) == []
    scaled = given.observations(given.scaled(whole, 8.0))
    # logarithms of scaled prices differ in their last bits
    assert contract.check_scale(make, family.feed, inputs, scaled, lambda v: v.probabilities, 1e-6) == []


@pytest.mark.parametrize("kind", registry.kinds("actors.domain.learning"))
def test_predictor_is_silent_until_trained_and_keeps_1000_steps_after_a_restore(kind: str) -> None:
    family = FAMILIES["learning"]
    inputs = family.inputs(given.market(1420)[1])

    def make() -> object:
        return family.make(kind)

    thing = make()
    said = [family.feed(thing, x)[0] for x in inputs]
    trained = next(k for k, p in enumerate(said) if p == p)
    assert trained > 50
    assert all(0.0 < p < 1.0 for p in said[trained:] if p == p)
    cut = 400
    assert len(inputs) - cut >= 1000
    assert contract.check_snapshot(make, family.feed, inputs, cut, 1000) == []


def test_feature_pipeline_is_causal_restorable_and_without_units(frame: BarFrame, other: BarFrame) -> None:
    kinds = [{"kind": k} for k in registry.kinds("actors.domain.indicators")]

    def make() -> FeaturePipeline:
        return FeaturePipeline(kinds)

    def feed(pipeline: FeaturePipeline, bar: BarClosed) -> tuple[float, ...]:
        return pipeline.update(bar)

    inputs, changed = given.bars(frame), given.bars(other)
    assert contract.check_isolated(make, feed, inputs, changed) == []
    assert contract.check_causal(make, feed, inputs, changed, CUT) == []
    for cut in (11, 130, 301):
        assert contract.check_snapshot(make, feed, inputs, cut) == []
    scaled = given.bars(given.scaled(frame, 8.0, 2.0))
    # logarithms of scaled prices differ in their last bits
    assert contract.check_scale(make, feed, inputs, scaled, lambda row: row, 1e-9) == []
    row = [feed(p, b) for p in (make(),) for b in inputs][make().warmup_bars + 5]
    assert not any(x != x for x in row)


@pytest.mark.parametrize("kind", registry.kinds("actors.domain.risk.rules"))
def test_rule_allows_and_objects_within_the_wish(kind: str, frame: BarFrame) -> None:
    family = FAMILIES["risk.rules"]
    rule, allowed, objections = family.make(kind), 0, []
    for case in family.inputs(frame):
        for i, verdict in enumerate(given.ask_rule(rule, case)[1:]):
            if verdict is None:
                allowed += 1
                continue
            objections.append(verdict)
            low, high = sorted((case.exposures[i], case.wishes[i]))
            # a limit may lie on the near side of what is held: then the way leads down to it
            low, high = min(low, 0.0), max(high, 0.0)
            assert verdict.allowed_frac is None or low <= verdict.allowed_frac <= high
    assert allowed
    assert objections
    assert all(v.code == v.code.upper() and v.limit == v.limit for v in objections)


@pytest.mark.parametrize("kind", registry.kinds("actors.domain.risk.sizing"))
def test_sizing_never_turns_a_wish_round(kind: str, frame: BarFrame) -> None:
    family = FAMILIES["risk.sizing"]
    made = family.make(kind)
    for case in family.inputs(frame):
        size = family.feed(made, case)
        assert size != size or size * case[0] >= 0.0
        assert case[0] != 0.0 or size == 0.0


@pytest.mark.parametrize("kind", registry.kinds("actors.domain.simulation.fees"))
def test_fee_is_within_what_the_venue_holds(kind: str, frame: BarFrame) -> None:
    family = FAMILIES["simulation.fees"]
    model = family.make(kind)
    for case in family.inputs(frame):
        fee, currency = family.feed(model, case)
        _, instrument, side, quantity, price, _ = case
        assert fee >= 0
        assert currency in (instrument.base, instrument.quote)
        assert side < 0 or currency != instrument.quote or fee <= model.hold_rate * quantity * price


@pytest.mark.parametrize(
    ("name", "kind"), [c for c in ALL if c[0] in ("simulation.spread", "simulation.slippage")]
)
def test_spread_and_slippage_are_costs_in_any_unit(name: str, kind: str, frame: BarFrame) -> None:
    family = FAMILIES[name]
    inputs, scaled = family.inputs(frame), family.inputs(given.scaled(frame, 8.0))
    model = family.make(kind)
    assert all(0.0 <= family.feed(model, x) < 1.0 for x in inputs)
    assert contract.check_scale(
        lambda: family.make(kind), family.feed, inputs, scaled, lambda cost: [cost]
    ) == []  # fmt: skip


@pytest.mark.parametrize("kind", registry.kinds("actors.domain.simulation.latency"))
def test_latency_is_whole_bars_or_nanoseconds(kind: str, frame: BarFrame) -> None:
    family = FAMILIES["simulation.latency"]
    model = family.make(kind)
    for cid in family.inputs(frame)[:100]:
        assert all(isinstance(steps, int) and steps >= 0 for steps in family.feed(model, cid))
