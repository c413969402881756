"""The contract over ensembles of either kind, every pool and learner, over real views of the shipped detectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import component_inputs as given
import contract
import numpy as np
import pytest

from actors.domain import registry
from actors.domain.causality import subjects
from actors.domain.causality.market import View
from actors.domain.events.regime import REGIMES
from actors.domain.model.bars import BarFrame
from actors.domain.regime.base import Assessment, Observation
from actors.domain.regime.enhanced import EnhancedEnsemble, build_ensemble
from actors.domain.regime.ensemble import Ensemble, EnsembleParams

CUT = 420
MEMBERS = ("volatility", "trend", "hmm")
Inputs = list[tuple[list[Assessment | None], Observation]]
FAST = {"lag_bars": 8, "round_bars": 8, "horizon_rounds": 8}
SETTINGS: dict[str, dict[str, Any]] = {
    f"{kind}-{pooling}": {"kind": kind, "pooling": pooling}
    | ({"learning": FAST} if kind == "enhanced" else {})
    for kind in ("standard", "enhanced")
    for pooling in ("log", "linear", "vote")
}
SETTINGS["enhanced-adahedge"] = {"kind": "enhanced", "learning": {**FAST, "learner": "adahedge"}}
SETTINGS["enhanced-one-context"] = {"kind": "enhanced", "context": {"parts": []}, "learning": FAST}
every_setting = pytest.mark.parametrize("name", SETTINGS)


def _views(frame: BarFrame) -> Inputs:
    """Views of three detectors; one falls silent for a while, then all of them."""
    members = [given.FAMILIES["regime"].make(kind) for kind in MEMBERS]
    out: Inputs = []
    for i, obs in enumerate(View(frame).observations):
        said: list[Assessment | None] = [m.update(obs) for m in members]
        if i % 97 > 90:
            said[0] = None
        if i % 211 > 200:
            said = [None] * len(MEMBERS)
        out.append((said, obs))
    return out


@pytest.fixture(scope="module")
def inputs(frame: BarFrame) -> Inputs:
    return _views(frame)


@pytest.fixture(scope="module")
def changed(other: BarFrame) -> Inputs:
    return _views(other)


def _make(name: str) -> Callable[[], Ensemble]:
    params = EnsembleParams.parse(SETTINGS[name])
    return lambda: build_ensemble(params, members=len(MEMBERS), names=MEMBERS)


def _feed(ensemble: Ensemble, one: tuple[Sequence[Assessment | None], Observation]) -> Assessment:
    out = ensemble.update(*one)
    if isinstance(ensemble, EnhancedEnsemble):
        assert ensemble.facts is not None
        ensemble.facts = None  # of the last update, for whoever asks at once; nothing that is remembered
    return out


def test_the_shipped_subjects_hold_both_kinds() -> None:
    assert {"ensemble", "enhanced_ensemble"} <= {s.kind for s in subjects.discover(("regime",))}
    assert set(MEMBERS) <= set(registry.kinds(f"{subjects.PREFIX}regime"))


@every_setting
def test_deterministic_isolated_causal_and_fit_to_travel(name: str, inputs: Inputs, changed: Inputs) -> None:
    make = _make(name)
    assert contract.check_deterministic(make, _feed, inputs) == []
    assert contract.check_isolated(make, _feed, inputs, changed) == []
    assert contract.check_causal(make, _feed, inputs, changed, CUT) == []
    assert contract.check_pickled(make, _feed, inputs, 301) == []


@every_setting
@pytest.mark.parametrize("cut", [0, 37, 205, 301])
def test_a_restored_one_has_the_same_future(name: str, cut: int, inputs: Inputs) -> None:
    assert contract.check_snapshot(_make(name), _feed, inputs, cut) == []


@every_setting
def test_probabilities_and_weights_are_distributions_and_labels_do_not_flicker(
    name: str, inputs: Inputs
) -> None:
    ensemble, dwell = _make(name)(), EnsembleParams().min_dwell_bars
    labels = []
    for one in inputs:
        out = _feed(ensemble, one)
        assert sum(out.probabilities) == pytest.approx(1.0, abs=1e-12)
        assert min(out.probabilities) >= 0.0
        assert 0.0 <= out.confidence <= 1.0
        if isinstance(ensemble, EnhancedEnsemble):
            assert sum(out.weights) == pytest.approx(1.0, abs=1e-12)
        labels.append(out.label)
    switches = [i for i, (a, b) in enumerate(pairwise(labels), 1) if a != b]
    # a crash is let in at once; nothing else comes before its dwell
    assert all(b - a >= dwell for a, b in pairwise(switches) if labels[b] != "crash")
    assert len(set(labels)) > 1, "a label that never changes proves nothing"


def _permuted(views: Sequence[Assessment | None], order: Sequence[int]) -> list[Assessment | None]:
    return [
        None if v is None else Assessment(v.label, tuple(v.probabilities[k] for k in order), v.confidence)
        for v in views
    ]


# AdaHedge follows the leader at first: which of equals leads is decided by rounding, so by the order of sums
@pytest.mark.parametrize("name", [n for n in SETTINGS if n != "enhanced-adahedge"])
def test_the_order_of_the_regimes_changes_nothing(name: str, inputs: Inputs) -> None:
    order = np.random.default_rng(5).permutation(len(REGIMES)).tolist()
    assert order != sorted(order)
    names = [REGIMES[k] for k in order]
    params = EnsembleParams.parse(SETTINGS[name])
    kind = EnhancedEnsemble if params.kind == "enhanced" else type(_make(name)())
    other = kind(
        params,
        members=len(MEMBERS),
        states=names,
        initial=names.index("sideways"),
        urgent=(names.index("crash"),),
    )
    plain = _make(name)()
    for views, obs in inputs:
        one, two = plain.update(views, obs), other.update(_permuted(views, order), obs)
        assert one.label == two.label
        back = [two.probabilities[names.index(r)] for r in REGIMES]
        assert back == pytest.approx(one.probabilities, abs=1e-9)
