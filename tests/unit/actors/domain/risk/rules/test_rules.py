"""Each pre-trade rule at, below and above its limit."""

import numpy as np
import pytest

from actors.domain import registry
from actors.domain.risk.measures import expected_shortfall, historical_var
from actors.domain.risk.rules.base import Book, Proposal

PACKAGE = "actors.domain.risk.rules"
PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


def rule(kind, pairs=PAIRS, **params):
    return registry.build(PACKAGE, kind, params, pairs=pairs)


def book(*exposures):
    out = Book(len(exposures))
    out.exposures = list(exposures)
    out.held = list(exposures)
    return out


def ask(proposed, current=0.0, index=0, step=0):
    return Proposal(index, PAIRS[index], step, current, proposed, 10_000.0, 100.0, 10.0)


@pytest.mark.parametrize("sign", [1, -1])
def test_position_limit(sign):
    r = rule("max_position_frac", limit_frac=0.5)
    assert r.check(ask(0.5 * sign), book(0, 0, 0)) is None
    verdict = r.check(ask(0.8 * sign), book(0, 0, 0))
    assert (verdict.code, verdict.observed, verdict.allowed_frac) == ("POSITION_LIMIT", 0.8, 0.5 * sign)
    assert r.breach(book(0.1, -0.6, 0)) == (0.5, 0.6)
    assert r.breach(book(0.1, -0.5, 0)) is None


def test_gross_exposure_leaves_the_room_that_is_left():
    r = rule("max_gross_exposure", limit_frac=1.0)
    assert r.check(ask(0.3), book(0.0, -0.4, 0.3)) is None
    assert r.check(ask(0.5), book(0.0, -0.4, 0.3)).allowed_frac == pytest.approx(0.3)
    assert r.check(ask(0.5), book(0.0, -0.7, 0.3)).allowed_frac is None
    # its own present exposure is replaced, not added
    assert r.check(ask(0.3, current=0.2), book(0.2, -0.4, 0.3)) is None


@pytest.mark.parametrize(("others", "wish"), [((0.0, 0.0), 0.9), ((0.2, 0.1), 0.9), ((0.5, 0.5), 3.0)])
def test_concentration_grants_exactly_the_limit(others, wish):
    r = rule("max_concentration", limit_frac=0.6, gross_floor_frac=0.5)
    verdict = r.check(ask(wish), book(0.0, *others))
    granted = verdict.allowed_frac
    assert granted / max(granted + sum(others), 0.5) == pytest.approx(0.6)
    assert r.check(ask(granted), book(0.0, *others)) is None
    assert r.check(ask(granted * 1.01), book(0.0, *others)).code == "CONCENTRATION_LIMIT"


def test_concentration_has_nothing_to_say_about_one_pair():
    assert rule("max_concentration", pairs=PAIRS[:1]).check(ask(1.0), book(0.0)) is None


def scenarios(n=300, seed=4):
    rng = np.random.default_rng(seed)
    return 0.02 * rng.standard_t(4, (n, 1)) + 0.01 * rng.standard_normal((n, 3))


def test_var_es_limit_grants_the_largest_step_that_fits():
    table = scenarios()
    r = rule(
        "var_es_limit", confidence=0.95, var_limit_frac=0.03, es_limit_frac=0.05, window_bars=200,
        min_observations=100,
    )  # fmt: skip
    for row in table.tolist():
        r.observe(row)
    window = table[-200:]
    state = book(0.0, 0.2, 0.0)

    def risk(w):
        pnl = window @ np.array([w, 0.2, 0.0])
        return historical_var(pnl), expected_shortfall(pnl)

    assert r.check(ask(0.1), state) is None
    verdict = r.check(ask(3.0), state)
    var, es = risk(3.0)
    assert (verdict.code, verdict.observed) == ("ES_LIMIT", pytest.approx(es))
    assert es >= var
    var, es = risk(verdict.allowed_frac)
    assert var <= 0.03
    assert es <= 0.05
    var, es = risk(verdict.allowed_frac + 0.01)
    assert var > 0.03 or es > 0.05


def test_hedges_are_seen_by_the_book_measure():
    r = rule("var_es_limit", confidence=0.95, var_limit_frac=0.01, es_limit_frac=0.012, min_observations=100)
    for row in scenarios():
        r.observe((row[0], row[0], 0.0))
    assert r.check(ask(-0.5), book(0.0, 0.5, 0.0)) is None
    assert r.check(ask(0.5), book(0.0, 0.5, 0.0)) is not None


def test_var_es_limit_without_history_denies():
    r = rule("var_es_limit", min_observations=50)
    for row in scenarios(60).tolist():
        r.observe([float("nan"), *row[1:]])
    verdict = r.check(ask(0.1), book(0.0, 0.0, 0.0))
    assert (verdict.code, verdict.limit, verdict.observed) == ("SCENARIOS_TOO_FEW", 50.0, 0.0)
    # the pair whose bars are missing does not spoil the scenarios of the others
    assert r.check(ask(0.1, index=1), book(0.0, 0.0, 0.0)) is None


def test_trade_count_forgets_what_left_the_window():
    r = rule("max_trades_per_window", max_trades=2, window_steps=10)
    for step in (0, 5):
        assert r.check(ask(0.1, step=step), book(0, 0, 0)) is None
        r.approved(ask(0.1, step=step))
    verdict = r.check(ask(0.1, step=9), book(0, 0, 0))
    assert (verdict.code, verdict.limit, verdict.observed) == ("TRADE_COUNT_LIMIT", 2.0, 3.0)
    assert r.check(ask(0.1, step=10), book(0, 0, 0)) is None


def test_data_quality_unknown_is_not_good():
    r = rule("min_data_quality", min_score=0.8)
    state = book(0, 0, 0)
    assert r.check(ask(0.1), state).code == "DATA_QUALITY"
    state.quality[0] = 0.8
    assert r.check(ask(0.1), state) is None


def test_min_notional_lets_full_exits_go_at_the_venue_minimum():
    r = rule("min_notional", min_notional_quote=100.0)
    assert not r.limits_risk
    assert r.check(ask(0.01), book(0, 0, 0)) is None  # exactly 100
    assert r.check(ask(0.0099), book(0, 0, 0)).limit == 100.0
    assert r.check(ask(0.0, current=0.005), book(0.005, 0, 0)) is None
    assert r.check(ask(0.0, current=0.0005), book(0.0005, 0, 0)).limit == 10.0


def test_cooldown_counts_from_the_exit_of_the_same_pair():
    r = rule("cooldown", steps_after_exit=3)
    r.approved(ask(0.0, current=0.5, step=10))
    assert r.check(ask(0.5, step=12), book(0, 0, 0)).code == "COOLDOWN"
    assert r.check(ask(0.5, step=13), book(0, 0, 0)) is None
    assert r.check(ask(0.5, index=1, step=11), book(0, 0, 0)) is None
    assert r.check(ask(0.5, current=0.3, step=11), book(0.3, 0, 0)) is None


def test_cooldown_and_trade_count_hear_of_protective_exits():
    r = rule("cooldown", steps_after_exit=3)
    r.exited(0, 10)
    assert r.check(ask(0.5, step=12), book(0, 0, 0)).code == "COOLDOWN"
    assert r.check(ask(0.5, step=13), book(0, 0, 0)) is None
    r = rule("max_trades_per_window", max_trades=1, window_steps=10)
    r.exited(0, 3)
    assert r.check(ask(0.1, step=5), book(0, 0, 0)).code == "TRADE_COUNT_LIMIT"


def held(r, *entries, price=100.0):
    state = book(*[0.2] * 3)
    state.entry = [price] * 3
    for step, (current, wish) in entries:
        r.approved(ask(wish, current=current, step=step))
    return state


@pytest.mark.parametrize("side", [1, -1])
def test_pyramiding_counts_entries_of_a_position_and_starts_anew_with_the_next(side):
    r = rule("pyramiding", max_entries=2)
    state = held(r, (0, (0.0, 0.2 * side)), (4, (0.2 * side, 0.3 * side)))
    verdict = r.check(ask(0.4 * side, current=0.3 * side, step=9), state)
    assert (verdict.code, verdict.limit, verdict.observed) == ("PYRAMID_ENTRIES", 2.0, 3.0)
    assert r.check(ask(0.4 * side, current=0.3 * side, index=1, step=9), state) is None, "another pair"
    assert r.check(ask(0.4 * side, step=9), state) is None, "an opening"
    assert r.check(ask(-0.4 * side, current=0.3 * side, step=9), state) is None, "a reversal"
    r.approved(ask(-0.4 * side, current=0.3 * side, step=10))
    assert r.check(ask(-0.5 * side, current=-0.4 * side, step=12), state) is None


def test_pyramiding_does_not_count_reductions_and_takes_dust_for_flat():
    r = rule("pyramiding", max_entries=2)
    state = held(r, (0, (0.0, 0.2)), (1, (0.2, 0.1)), (2, (0.1, 0.0)))
    assert r.check(ask(0.3, current=0.2, step=3), state) is None
    r.approved(ask(0.3, current=0.0005, step=4))  # 5 of 10,000: below the venue's 10
    assert r.check(ask(0.4, current=0.3, step=5), state) is None


def test_pyramiding_waits_between_entries():
    r = rule("pyramiding", max_entries=9, min_steps_between=5)
    state = held(r, (10, (0.0, 0.2)))
    verdict = r.check(ask(0.3, current=0.2, step=14), state)
    assert (verdict.code, verdict.limit, verdict.observed) == ("PYRAMID_WAIT", 5.0, 4.0)
    assert r.check(ask(0.3, current=0.2, step=15), state) is None


@pytest.mark.parametrize(
    ("side", "entry", "gain"), [(1, 98.0, 1 / 49), (1, 99.5, 1 / 199), (-1, 98.0, -1 / 49)]
)
def test_pyramiding_adds_only_to_a_position_that_has_earned_it(side, entry, gain):
    r = rule("pyramiding", max_entries=9, min_gain_frac=0.01)
    state = held(r, (0, (0.0, 0.2 * side)), price=entry)
    verdict = r.check(ask(0.3 * side, current=0.2 * side, step=5), state)
    if gain >= 0.01:
        assert verdict is None
    else:
        assert verdict.code == "PYRAMID_GAIN"
        assert verdict.observed == pytest.approx(gain)
