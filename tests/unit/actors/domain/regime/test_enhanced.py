"""The enhanced ensemble: whom it believes where, what it says when nobody speaks, steadiness, restores."""

from __future__ import annotations

from itertools import pairwise
from math import nan

import numpy as np
import pytest

from actors.domain.errors import InvalidParamsError
from actors.domain.events.regime import REGIMES
from actors.domain.regime.base import UNIFORM, Assessment, Observation
from actors.domain.regime.enhanced import EnhancedEnsemble, build_ensemble
from actors.domain.regime.ensemble import EnsembleParams, RegimeEnsemble
from actors.domain.state import dumps, loads

HOUR = 3_600_000_000_000
SILENT = Assessment("sideways", UNIFORM, 0.0)


def view(label: str, p: float = 0.9, confidence: float = 0.8) -> Assessment:
    rest = (1.0 - p) / (len(REGIMES) - 1)
    return Assessment(label, tuple(p if r == label else rest for r in REGIMES), confidence)


def make(members: int = 3, **params) -> EnhancedEnsemble:
    made = build_ensemble(
        EnsembleParams.parse({"kind": "enhanced", **params}),
        members=members,
        names=[f"m{i}" for i in range(members)],
    )
    assert isinstance(made, EnhancedEnsemble)
    return made


def market(bars: int, seed: int = 2) -> tuple[list[str], list[Observation], list[list[Assessment]]]:
    """Truth, bars and three members: one right in wild markets, one in calm ones, one that guesses."""
    rng = np.random.default_rng(seed)
    truth, out, views = [], [], []
    close, label = 100.0, "bull"
    for i in range(bars):
        if i % 60 == 0:
            label = str(rng.choice(["bull", "bear"]))
        wild = (i // 300) % 2 == 1
        r = float(rng.standard_normal() * (0.03 if wild else 0.005))
        close *= float(np.exp(r))
        truth.append(label)
        out.append(Observation(i, close, close, close, r if i else nan, volume=1.0, close_ns=(i + 1) * HOUR))
        other = "bear" if label == "bull" else "bull"
        views.append([
            view(label if rng.random() < (0.95 if wild else 0.55) else other, 0.7),
            view(label if rng.random() < (0.55 if wild else 0.95) else other, 0.7),
            view(str(rng.choice(["bull", "bear"])), 0.7),
        ])  # fmt: skip
    return truth, out, views


FAST = {
    "context": {"parts": ["volatility"]},
    "learning": {"horizon_rounds": 8, "round_bars": 12, "lag_bars": 12},
}


def test_it_believes_in_each_context_whom_it_should_and_the_guesser_nowhere():
    truth, bars, views = market(4800)
    ensemble, standard = make(**FAST), RegimeEnsemble(EnsembleParams(), members=3)
    right = [(ensemble.update(v, o).label == t, standard.update(v).label == t)
             for t, o, v in zip(truth, bars, views, strict=True)]  # fmt: skip
    wild, calm = (ensemble.member_weights.weights(c) for c in ("wild", "calm"))
    assert wild[0] > 1.3 * wild[1]
    assert wild[0] > wild[2]
    assert calm[1] > 1.3 * calm[0]
    assert calm[1] > calm[2]
    enhanced, plain = np.mean(right[1200:], axis=0)
    assert enhanced > plain + 0.01
    rows = {(r.context, r.member): r for r in ensemble.history()}
    assert rows["wild", 0].hit_rate > 0.8 > rows["wild", 1].hit_rate
    assert rows["", 2].hit_rate < 0.65
    assert all(0.0 <= r.loss <= 1.0 and r.bars > 0 for r in rows.values())
    assert len(rows) <= 3 * 4


def test_weights_in_the_assessment_are_those_of_its_context_and_sum_to_one():
    _, bars, views = market(900)
    ensemble = make(**FAST)
    for o, v in zip(bars, views, strict=True):
        out = ensemble.update(v, o)
        assert sum(out.weights) == pytest.approx(1.0, abs=1e-12)
        assert sum(out.probabilities) == pytest.approx(1.0, abs=1e-12)
        assert out.context in {"calm", "usual", "wild"}
        facts = ensemble.facts
        assert (facts.weights, facts.belief, facts.context) == (out.weights, out.probabilities, out.context)
        assert facts.views == tuple(v)
        assert facts.reason == ""
    assert 0.2 < facts.volatility_ratio < 5.0


@pytest.mark.parametrize("pooling", ["log", "linear", "vote"])
@pytest.mark.parametrize("kind", ["standard", "enhanced"])
def test_every_pool_follows_its_members(kind: str, pooling: str):
    ensemble = build_ensemble(EnsembleParams.parse({"kind": kind, "pooling": pooling}), members=3)
    for _ in range(60):
        out = ensemble.update([view("bull"), view("bull"), view("bear")])
    assert out.label == "bull"
    assert sum(out.probabilities) == pytest.approx(1.0, abs=1e-12)
    for _ in range(60):
        out = ensemble.update([view("bear"), None, SILENT])
    assert out.label == "bear"


def test_the_log_pool_lets_one_veto_where_the_vote_counts_heads():
    sure = Assessment("crash", tuple(1e-4 if r == "bull" else 0.19996 for r in REGIMES), 0.9)
    mild = view("bull", 0.4)
    said = [mild, mild, sure]
    label = {}
    for pooling in ("log", "vote"):
        ensemble = build_ensemble(EnsembleParams.parse({"pooling": pooling}), members=3)
        for _ in range(60):
            label[pooling] = ensemble.update(said).native_label
    assert label["vote"] == "bull"
    assert label["log"] != "bull"


def test_a_silent_member_is_named_and_nobody_speaking_keeps_the_regime():
    ensemble = make()
    for _ in range(60):
        ensemble.update([view("bull"), view("bull"), view("bull")])
    before = ensemble.update([view("bull"), None, view("bull")])
    assert ensemble.facts.reason == "without a view: m1 for 1 bars"
    assert ensemble.facts.heard_frac == pytest.approx(2 / 3)
    for _ in range(200):
        out = ensemble.update([None, SILENT, None])
    assert out.label == before.label == "bull"
    assert out.confidence < 0.3 < before.confidence
    assert ensemble.facts.reason == "no member has a view, the last 200 bars; the regime stays as it was"
    assert ensemble.facts.heard_frac == 0.0
    ensemble.update([view("bull"), view("bull"), view("bull")])
    assert ensemble.facts.reason == ""


def test_before_anybody_spoke_nothing_is_said():
    out = make().update([None, None, SILENT])
    assert (out.label, out.probabilities, out.confidence) == ("sideways", UNIFORM, 0.0)


def test_what_has_become_known_is_told_once_and_in_order():
    _, bars, views = market(400)
    ensemble = make(**FAST)
    seen = []
    for t, (o, v) in enumerate(zip(bars, views, strict=True)):
        ensemble.update(v, o)
        seen += [t - k.bars_ago for k in ensemble.facts.known]
    assert seen == list(range(len(seen)))
    assert len(seen) > 400 - 24


def test_hysteresis_bounds_the_flicker():
    rng = np.random.default_rng(4)
    said = [[view(str(rng.choice(["bull", "bear"])), 0.99) for _ in range(3)] for _ in range(600)]
    labels, bare = [], []
    held = make(min_dwell_bars=12, urgent_crash=False, evidence_exponent=1.0)
    loose = make(min_dwell_bars=0, margin_frac=0.0, evidence_exponent=1.0)
    for v in said:
        labels.append(held.update(v).label)
        bare.append(loose.update(v).label)
    stays = [i for i, (a, b) in enumerate(pairwise(labels)) if a != b]
    assert all(b - a >= 12 for a, b in pairwise(stays))
    assert len(stays) <= 600 / 12
    assert sum(a != b for a, b in pairwise(bare)) > 2 * len(stays)
    moves = held.transitions
    assert sum(map(sum, moves)) == len(stays)
    assert all(moves[k][k] == 0 for k in range(len(REGIMES)))


@pytest.mark.parametrize("cut", [0, 11, 30, 301])
@pytest.mark.parametrize("learner", ["fixed_share", "adahedge"])
def test_a_restored_one_goes_on_alike(cut: int, learner: str):
    _, bars, views = market(450)
    params = {**FAST, "learning": {**FAST["learning"], "learner": learner}}
    first, second, whole = make(**params), make(**params), make(**params)
    expected = [whole.update(v, o) for v, o in zip(views, bars, strict=True)]
    for v, o in zip(views[:cut], bars[:cut], strict=True):
        first.update(v, o)
    second.load_state(loads(dumps(first.state())))
    assert [second.update(v, o) for v, o in zip(views[cut:], bars[cut:], strict=True)] == expected[cut:]
    assert dumps(second.state()) == dumps(whole.state())


def test_muted_members_stay_muted_and_configured_weights_are_a_prior():
    _, bars, views = market(600)
    ensemble = make(**FAST, weights=(0.0, 2.0, 1.0))
    first = ensemble.update(views[0], bars[0]).weights
    assert first == pytest.approx((0.0, 2 / 3, 1 / 3))
    for v, o in zip(views[1:], bars[1:], strict=True):
        out = ensemble.update(v, o)
    assert out.weights[0] == 0.0


def test_every_problem_of_the_configuration_is_reported_with_its_path():
    with pytest.raises(InvalidParamsError) as e:
        EnsembleParams.parse({
            "kind": "enhanced", "pooling": "median", "context": {"memory_bars": 3}, "learning": {"learner": "luck"},
        })  # fmt: skip
    text = str(e.value)
    assert "regime.ensemble" in text
    assert all(path in text for path in ("pooling:", "context.memory_bars:", "learning.learner:"))
    with pytest.raises(InvalidParamsError, match="learning: expected only with kind: enhanced"):
        EnsembleParams.parse({"kind": "standard", "learning": {"lag_bars": 3}})
    with pytest.raises(InvalidParamsError, match="names: expected 2"):
        EnhancedEnsemble(EnsembleParams(kind="enhanced"), members=2, names=("a",))
