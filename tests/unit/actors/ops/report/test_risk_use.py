"""What the page says of a limit's use is what the rule itself finds on the same bars and exposures."""

import importlib.util
import sys

import numpy as np
import pytest

from actors.domain.risk.rules.base import Book
from actors.domain.risk.rules.max_concentration import MaxConcentration
from actors.domain.risk.rules.var_es_limit import VarEsLimit
from actors.ops.report.risk_use import joint_returns, risk_use
from actors.ops.report.tables import risk_use_table

RULES = [
    {"kind": "max_concentration", "params": {"limit_frac": 0.55, "gross_floor_frac": 0.3}},
    {"kind": "var_es_limit", "params": {"window_bars": 200, "min_observations": 60, "remeasure_steps": 5}},
    {"kind": "max_trades_per_window", "params": {"max_trades": 6, "window_steps": 12}},
]
LIMITS = {
    "max_concentration.limit_frac": 0.55, "var_es_limit.var_limit_frac": 0.04, "var_es_limit.es_limit_frac": 0.06,
    "max_trades_per_window.max_trades": 6.0, "max_gross_exposure.limit_frac": 0.8, "my_rule.limit_frac": 0.1,
}  # fmt: skip


@pytest.fixture
def model(repo_root):
    path = repo_root / "tests" / "support" / "simulated_run.py"
    spec = importlib.util.spec_from_file_location("simulated_run", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["simulated_run"] = module
    spec.loader.exec_module(module)
    made = module.simulated_report(bars=700, warmup=150)
    made.config = {"risk": {"rules": RULES}}
    made.limits = LIMITS
    return made


def found_by(rule, exposures, step=0):
    """What the rule says is held, when its limit is next to nothing."""
    book = Book(len(exposures))
    book.step = step
    book.held[:] = exposures
    seen = rule.breach(book)
    return 0.0 if seen is None else seen[1]


def test_concentration_is_the_rules(model):
    use = risk_use(model)["max_concentration.limit_frac"]
    params = MaxConcentration.Params(limit_frac=1e-12, gross_floor_frac=0.3)
    rule = MaxConcentration(params, tuple(s.pair for s in model.pairs))
    expected = [found_by(rule, row) for row in model.account.exposures]
    assert use == pytest.approx(expected, abs=1e-12)
    assert 0.1 < use.max() <= 1.0


def test_var_and_es_are_the_rules_over_the_bars_so_far(model):
    use = risk_use(model)
    params = VarEsLimit.Params(
        window_bars=200, min_observations=60, remeasure_steps=1, var_limit_frac=1e-12, es_limit_frac=1e-12
    )
    returns, expected = joint_returns(model), []
    rule = VarEsLimit(params, tuple(s.pair for s in model.pairs))
    for at, row in enumerate(returns):
        rule.observe(row)
        if at >= 60 and (at - 60) % 5 == 0:
            expected.append(found_by(rule, model.account.exposures[at], at))
    es = use["var_es_limit.es_limit_frac"]
    assert es == pytest.approx(expected, abs=1e-12)
    assert (es > 0).sum() > 20
    assert (use["var_es_limit.var_limit_frac"] <= es + 1e-15).all()


def test_trades_are_counted_in_the_rules_window(model):
    times = model.account.ts_ns
    use = risk_use(model)["max_trades_per_window.max_trades"]
    assert len(model.approved_ns) == model.counts["approved"] > 5
    for at in range(0, len(times), 7):
        window = set(times[max(0, at - 11) : at + 1])
        assert use[at] == sum(ts in window for ts in model.approved_ns)
    assert use.max() >= 1


def test_a_bar_without_the_one_before_has_no_return(model):
    first = model.pairs[0]
    del first.ts_ns[10], first.close[10]
    returns = joint_returns(model)
    assert np.isnan(returns[[0, 10, 11], 0]).all()
    assert np.isfinite(returns[[9, 12], 0]).all()
    assert np.isfinite(returns[1:, 1]).all()


def test_the_table_has_a_figure_for_each_limit_of_ours_and_says_what_it_did_not_measure(model):
    table = risk_use_table(model)
    figures = {row[0]: row[2:] for row in table.rows}
    assert {name for name, row in figures.items() if "–" in row} == {"my_rule.limit_frac"}
    assert "not measured" in table.note
    assert figures["max_trades_per_window.max_trades"][3] == f"{len(model.account.ts_ns):,}"
    del model.limits["my_rule.limit_frac"]
    assert "not measured" not in risk_use_table(model).note


def test_one_pair_has_no_concentration_and_no_bars_no_use(model):
    model.pairs = model.pairs[:1]
    model.account.exposures = [row[:1] for row in model.account.exposures]
    assert "max_concentration.limit_frac" not in risk_use(model)
    model.account.exposures, model.account.ts_ns = [], []
    assert risk_use(model) == {}
