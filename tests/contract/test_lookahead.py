"""No shipped component looks ahead, in any of its forms, nor do its fits; and warm-ups are long enough."""

from __future__ import annotations

from collections.abc import Callable

import component_inputs as given
import contract
import pytest

from actors.domain import registry
from actors.domain.causality import subjects
from actors.domain.causality.lookahead import analyse
from actors.domain.causality.market import View
from actors.domain.causality.warmup import measure
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams

ALL = [(f, k) for f in subjects.FAMILIES for k in registry.kinds(subjects.PREFIX + f)]
FITTED = ("regime", "learning")


@pytest.fixture(scope="module")
def view() -> View:
    """A pair that lacks a few bars."""
    return View(given.market(560)[1])


@pytest.fixture(scope="module")
def long_view() -> View:
    return View(next(iter(generate(SyntheticParams(n_bars=2000), 7).frames.values())))


def _subject(family: str, kind: str) -> subjects.Subject:
    fields = registry.params_of(registry.load(subjects.PREFIX + family, kind)).model_fields
    quick = {k: v for k, v in given.QUICK.items() if k in fields} if family in FITTED else {}
    return subjects.of_kind(family, kind, quick)


@pytest.mark.parametrize(("family", "kind"), ALL)
def test_no_component_looks_ahead(family: str, kind: str, view: View) -> None:
    subject = _subject(family, kind)
    verdict = analyse(subject, view, cuts=3)
    assert verdict.first_leak is None
    assert verdict.parting is None
    assert verdict.note == ""
    assert verdict.causal is True, "it must speak, or it is not tested"
    assert verdict.bit_exact
    assert verdict.probes >= 6
    assert "stream" in verdict.forms
    assert verdict.fits > 0 or not contract.has_refit(given.FAMILIES[family].make(kind))


def test_features_do_not_look_ahead(view: View) -> None:
    verdict = analyse(subjects.pipeline(), view, cuts=3)
    assert (verdict.causal, verdict.first_leak, verdict.note, verdict.bit_exact) == (True, None, "", True)


@pytest.mark.parametrize("pooled", [subjects.ensemble, subjects.enhanced_ensemble])
def test_pooled_regimes_do_not_look_ahead(pooled: Callable[..., subjects.Subject], view: View) -> None:
    quick = {}
    for kind in registry.kinds(f"{subjects.PREFIX}regime"):
        fields = registry.params_of(registry.load(f"{subjects.PREFIX}regime", kind)).model_fields
        quick[kind] = {k: v for k, v in given.QUICK.items() if k in fields}
    verdict = analyse(pooled(quick), view, cuts=3)
    assert (verdict.causal, verdict.first_leak, verdict.note, verdict.bit_exact) == (True, None, "", True)
    assert verdict.fits > 0


@pytest.mark.parametrize(("family", "kind"), [c for c in ALL if c[0] not in FITTED])
def test_declared_warm_ups_suffice(family: str, kind: str, long_view: View) -> None:
    subject = _subject(family, kind)
    # the longest start must outlast the memory that a component declares
    longest = max(900, (subject.settling_bars or 0) * 3 // 2)
    found = measure(subject, long_view, startups=(100, 300, longest))
    assert found.stability in ("exact", "settles")
    assert found.silent_bars <= (found.subject.warmup_bars or 0)
    # a strategy may remember events, such as the last swing, which come as they please
    assert family == "strategies" or not found.too_short
