"""What is measured of a stress test: response, lost orders, reverse stress, extreme events."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.errors import InvalidParamsError
from actors.domain.stress.extremes import ExtremeEvents, ExtremeParams, detect, judge
from actors.domain.stress.response import Account, OrderAudit, exact_loss, respond
from actors.domain.stress.reverse import horizon_covariance, most_likely_shock, smallest_break
from actors.domain.stress.transition import transition


def account(equity: list[float], gross: list[float], missing: tuple[int, ...] = ()) -> Account:
    keep = [k for k in range(len(equity)) if k not in missing]
    ts = np.arange(1, len(equity) + 1) * 10
    return Account(ts[keep], np.array(equity)[keep], np.array(gross)[keep])


def test_response_counts_bars_by_the_clock_also_where_none_was_seen() -> None:
    run = account([100, 100, 80, 70, 90, 101], [0.5, 0.5, 0.5, 0.2, 0.2, 0.0], missing=(2,))
    twin = account([100.0] * 6, [0.5] * 6)
    r = respond(run, twin, 20, 10)
    assert r is not None
    assert (r.bars_to_half, r.bars_to_flat, r.recovery_bars) == (2, 4, 2)
    assert r.worst_frac == pytest.approx(0.3)
    assert r.drawdown_frac == pytest.approx(0.3)
    assert r.shortfall_frac == pytest.approx(0.3)
    assert r.undisturbed_drawdown_frac == 0.0


def test_nothing_at_stake_and_nothing_regained_have_no_bars() -> None:
    r = respond(account([100, 90, 95], [0.0, 0.0, 0.0]), account([100] * 3, [0.0] * 3), 10, 10)
    assert r is not None
    assert (r.bars_to_half, r.bars_to_flat, r.recovery_bars) == (None, None, None)
    assert respond(account([100], [0.0]), account([100], [0.0]), 10, 10) is None


def test_an_order_that_nobody_accounts_for_is_lost() -> None:
    audit = OrderAudit()
    for cid in ("filled", "silent", "fresh", "open"):
        audit.submitted(cid, 95 if cid == "fresh" else 10)
    audit.answered("filled", ended=True)
    audit.answered("open", ended=False)
    assert (audit.lost(96), audit.open) == (1, 1)
    audit.unanswered = 1  # the connection knows of it
    assert audit.lost(96) == 0
    audit.submitted("filled", 20)
    assert audit.doubled == 1


def test_the_smallest_break_is_bracketed_by_the_same_sizes_however_they_are_tried() -> None:
    seen: list[float] = []

    def breaks(sizes: list[float]) -> list[bool]:
        seen.extend(sizes)
        return [s * s >= 0.1 for s in sizes]

    b = smallest_break(breaks)  # type: ignore[arg-type]
    assert b.breaks_frac is not None
    assert b.holds_frac < 0.1**0.5 <= b.breaks_frac
    assert b.breaks_frac - b.holds_frac == pytest.approx(0.95 / 4**4)
    assert b.tried == len(seen) == 13
    assert smallest_break(lambda sizes: [False] * len(sizes)).breaks_frac is None


def test_the_most_likely_shock_costs_exactly_the_loss_and_none_is_nearer() -> None:
    rng = np.random.default_rng(5)
    root = rng.normal(size=(3, 3))
    covariance, weights, loss = root @ root.T, np.array([0.4, 0.1, -0.2]), 0.15
    found = most_likely_shock(weights, covariance, loss)
    assert found is not None
    assert weights @ found.moves == pytest.approx(-loss)
    inverse = np.linalg.inv(covariance)
    assert found.moves @ inverse @ found.moves == pytest.approx(found.distance**2)
    for other in rng.normal(size=(2000, 3)):
        scaled = other * (-loss / (weights @ other))
        assert scaled @ inverse @ scaled >= found.distance**2 * (1 - 1e-9)
    assert exact_loss(dict(zip("abc", weights, strict=True)), dict(zip("abc", found.moves, strict=True))) == (
        pytest.approx(-loss)
    )


def test_a_book_without_risk_has_no_shock_and_a_wrong_covariance_is_refused() -> None:
    assert most_likely_shock(np.zeros(2), np.eye(2), 0.1) is None
    with pytest.raises(InvalidParamsError, match="symmetric 2 x 2"):
        most_likely_shock(np.ones(2), np.array([[1.0, 0.5], [0.0, 1.0]]), 0.1)


def test_covariance_over_a_horizon_grows_with_it() -> None:
    returns = np.random.default_rng(2).normal(0.0, 0.01, (20_000, 2))
    found = horizon_covariance(returns, 24)
    assert found[0, 0] == pytest.approx(24 * 1e-4, rel=0.1)
    assert abs(found[0, 1]) < 0.1 * found[0, 0]


def prices(seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    steps = rng.normal(0.0, 0.005, 2000)
    steps[1200] = -0.2
    return 100.0 * np.exp(np.cumsum(steps))


def test_a_planted_crash_is_found_at_its_bar_and_not_before() -> None:
    found = detect(prices(), ExtremeParams())
    assert found[0] == 1200
    assert detect(prices()[:1200], ExtremeParams()) == []


def test_the_future_does_not_change_a_score_and_a_restored_detector_goes_on() -> None:
    closes = prices().tolist()
    one, other = ExtremeEvents(ExtremeParams()), ExtremeEvents(ExtremeParams())
    whole = [one.update(c) for c in closes]
    part = [other.update(c) for c in closes[:1300]]
    np.testing.assert_array_equal(whole[:1300], part)
    again = ExtremeEvents(ExtremeParams())
    again.load_state(other.state())
    np.testing.assert_array_equal([again.update(c) for c in closes[1300:]], whole[1300:])


def test_hits_and_false_alarms() -> None:
    d = judge([5, 150, 155], [(100, 200)], 10, covered_ns=1000)
    assert (d.hits, d.false_alarms, d.delays_bars) == (1, 1, (5,))


def test_regime_transition() -> None:
    t = transition(["bear"] * 3 + ["crash"], [-1, 0, 1, 2])
    assert t is not None
    assert (t.before, t.bars_to_change, t.bars_to_stress) == ("bear", 2, 0)
    assert transition(["bull"], [1]) is None
    late = transition(["bull", "sideways"], [0, 13])
    assert late is not None
    assert (late.bars_to_change, late.bars_to_stress) == (13, None)
