"""Pooling and conflict resolution: commutative, idempotent, bounded, monotone under a veto."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.coordination.aggregation import MAX_CONFIDENCE, pool
from actors.domain.coordination.conflicts import resolve
from actors.domain.coordination.selection import DEFAULT_TABLE, RegimeSelection
from actors.domain.errors import InvalidParamsError
from actors.domain.events.regime import REGIMES

Row = tuple[float, float, float]
ROWS = st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=6)


def _columns(rows: list[Row]) -> tuple[list[float], list[float], list[float]]:
    return [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]


@settings(max_examples=150, deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_members_does_not_matter(rows: list[Row], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    a, b = pool(*_columns(rows)), pool(*_columns(shuffled))
    assert a.direction == pytest.approx(b.direction, abs=1e-9)
    assert a.confidence == pytest.approx(b.confidence, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(st.floats(-1, 1), st.floats(0.01, 1), st.integers(1, 6))
def test_equal_opinions_pool_to_themselves(direction: float, confidence: float, n: int) -> None:
    got = pool([direction] * n, [confidence] * n, [1.0 / n] * n)
    view = resolve(got.direction, got.shares, [direction] * n)
    assert got.direction == pytest.approx(direction, abs=1e-12)
    assert got.confidence == pytest.approx(confidence)
    assert view.direction == pytest.approx(direction, abs=1e-9)
    assert not view.conflict


@settings(max_examples=150, deadline=None)
@given(ROWS)
def test_shares_sum_to_one_or_nobody_speaks(rows: list[Row]) -> None:
    directions, confidences, weights = _columns(rows)
    got = pool(directions, confidences, weights)
    total = math.fsum(got.shares)
    assert total == pytest.approx(1.0) or (total == 0.0 and got.direction == 0.0 and got.confidence == 0.0)
    assert min(got.shares) >= 0.0
    low, high = min(directions), max(directions)
    assert total == 0.0 or low - 1e-9 <= got.direction <= high + 1e-9
    view = resolve(got.direction, got.shares, directions)
    assert abs(view.direction) <= abs(got.direction)
    assert math.isnan(view.agreement) or 0.0 <= view.agreement <= 1.0


def test_precision_weighting_is_that_of_the_formula() -> None:
    """Σ(wμ/σ²)/Σ(w/σ²) with σ² = (1−c)/c, worked by hand: precisions 3 and 1/3."""
    got = pool([1.0, -0.5], [0.75, 0.25], [1.0, 1.0])
    assert got.direction == pytest.approx((3.0 * 1.0 - 0.5 / 3.0) / (3.0 + 1.0 / 3.0))


def test_certainty_does_not_outvote_everybody() -> None:
    got = pool([1.0, -1.0], [1.0, MAX_CONFIDENCE], [1.0, 1.0])
    assert got.direction == pytest.approx(0.0)


def test_a_confident_flat_view_pulls_towards_zero() -> None:
    without = pool([1.0, 0.0], [0.5, 0.0], [0.5, 0.5])
    against = pool([1.0, 0.0], [0.5, 0.9], [0.5, 0.5])
    assert without.direction == 1.0
    assert against.direction < 0.2


def test_opposing_sides_are_flagged_and_shrunk() -> None:
    view = resolve(0.1, (0.55, 0.45), (1.0, -1.0))
    assert view.conflict
    assert view.agreement == pytest.approx(0.1)
    assert view.direction == pytest.approx(0.01)
    assert resolve(0.1, (0.55, 0.45), (1.0, -1.0), shrink_power=0.0).direction == 0.1


def test_agreement_without_sides_is_undefined() -> None:
    assert math.isnan(resolve(0.0, (0.5, 0.5), (0.0, 0.0)).agreement)


@pytest.mark.parametrize("regime", REGIMES)
def test_a_regime_counts_as_far_as_it_is_sure(regime: str) -> None:
    members = tuple(DEFAULT_TABLE)
    selection = RegimeSelection(members, DEFAULT_TABLE)
    none, half, full = (selection.multipliers(regime, q) for q in (0.0, 0.5, 1.0))
    assert none == (1.0,) * len(members)
    assert full == pytest.approx([DEFAULT_TABLE[m].get(regime, 1.0) for m in members])
    for a, b, c in zip(none, half, full, strict=True):
        assert b == pytest.approx((a + c) / 2)


def test_a_veto_is_monotone() -> None:
    """Raising the confidence of a regime that silences a member never raises that member's share."""
    selection = RegimeSelection(("rsi", "macd"), {"rsi": {"crash": 0.0}})
    shares = [
        pool([1.0, 1.0], [0.5, 0.5], selection.multipliers("crash", q / 10)).shares[0] for q in range(11)
    ]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == 0.0


@pytest.mark.parametrize(
    "table", [{"rsi": {"panic": 1.0}}, {"rsi": {"bull": -1.0}}, {"rsi": {"bull": math.nan}}]
)
def test_unfit_tables_are_refused(table: dict[str, dict[str, float]]) -> None:
    with pytest.raises(InvalidParamsError):
        RegimeSelection(("rsi",), table)
