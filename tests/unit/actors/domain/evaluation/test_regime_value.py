"""What a state is worth, on series small enough to reckon by hand."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.errors import DataError
from actors.domain.evaluation.regime_value import (
    Crisis,
    crisis_exits,
    exits_in_vain,
    held_outside,
    realised_ahead,
    separation,
    switches_per_year,
)

CLOSE = np.array([100.0, 100.0, 80.0, 60.0, 50.0, 70.0, 90.0])


def _inside(text: str) -> np.ndarray:
    return np.array([c == "1" for c in text])


@pytest.mark.parametrize(
    ("inside", "before", "delay", "avoided"),
    [
        ("1100000", True, 1, 0.6),
        ("1000000", True, 0, 1.0),
        ("0000000", False, 0, 1.0),
        ("1111111", True, None, 0.0),
        ("1111100", True, None, 0.0),
        ("1111000", True, 3, 0.0),
        ("0110000", False, 2, 0.2),
    ],
)
def test_delay_and_what_was_avoided(inside: str, before: bool, delay: int | None, avoided: float) -> None:
    (found,) = crisis_exits(_inside(inside), CLOSE, [Crisis("x", 1, 4)])
    assert (found.inside_before, found.delay_bars) == (before, delay)
    assert found.avoided_frac == pytest.approx(avoided)


def test_a_crisis_without_a_fall_avoids_nothing_defined() -> None:
    (found,) = crisis_exits(_inside("1111111"), CLOSE, [Crisis("x", 4, 6)])
    assert found.avoided_frac is None
    with pytest.raises(DataError, match=r"x: expected rows within 1\.\.6, found 3\.\.7"):
        crisis_exits(_inside("1111111"), CLOSE, [Crisis("x", 3, 7)])
    with pytest.raises(DataError, match=r"found 0\.\.2"):  # nothing was before it
        crisis_exits(_inside("1111111"), CLOSE, [Crisis("x", 0, 2)])


def test_who_leaves_above_the_first_close_has_avoided_all_of_it_and_no_more() -> None:
    close = np.array([100.0, 100.0, 120.0, 99.0])
    (found,) = crisis_exits(_inside("1101"), close, [Crisis("x", 1, 3)])
    assert (found.delay_bars, found.avoided_frac) == (1, 1.0)


def test_exits_in_vain_need_a_fall_or_a_crisis_behind_them() -> None:
    close = np.array([100.0, 100.0, 95.0, 101.0, 100.0, 89.0, 100.0, 100.0, 100.0, 100.0])
    inside = _inside("1010101010")
    # exits at 1, 3, 5, 7 with two bars behind them; only from 3 on does a close 10 % lower follow
    assert exits_in_vain(inside, close, [], horizon_bars=2, fall_frac=0.1) == (4, 3)
    assert exits_in_vain(inside, close, [Crisis("x", 5, 6)], horizon_bars=2, fall_frac=0.1) == (4, 2)
    assert exits_in_vain(inside, close, [], horizon_bars=9, fall_frac=0.1) == (0, 0)
    assert exits_in_vain(_inside("0" * 10), close, [], horizon_bars=2, fall_frac=0.1) == (0, 0)


def test_switches_a_year_and_volatility_ahead() -> None:
    assert switches_per_year(_inside("0110"), 4.0) == 2.0
    assert switches_per_year(_inside("1"), 4.0) is None
    returns = np.array([9.0, 0.01, 0.03, -0.02])
    found = realised_ahead(returns, 2, 252.0)
    assert found[0] == pytest.approx(np.std([0.01, 0.03], ddof=1) * 252**0.5)
    assert found[1] == pytest.approx(np.std([0.03, -0.02], ddof=1) * 252**0.5)
    assert np.isnan(found[2:]).all()
    assert np.isnan(realised_ahead(returns, 4, 252.0)).all()


def test_separation_is_the_share_of_pairs_in_order() -> None:
    rng = np.random.default_rng(3)
    inside, figure = rng.random(60) < 0.4, np.round(rng.random(60), 1)
    figure[5] = np.nan
    known = ~np.isnan(figure)
    pairs = [(a > b) + 0.5 * (a == b) for a in figure[known & inside] for b in figure[known & ~inside]]
    found = separation(inside, figure)
    assert found.auc == pytest.approx(np.mean(pairs))
    assert found.inside_mean == pytest.approx(figure[known & inside].mean())
    empty = separation(np.zeros(60, dtype=bool), figure)
    assert (empty.inside_mean, empty.auc) == (None, None)


def test_held_outside_acts_on_the_bar_behind_and_pays_for_each_turn() -> None:
    returns = np.array([0.5, 0.1, -0.2, 0.3, 0.1])
    risky = _inside("01100")
    # held in bar 1 (not risky at 0), out in 2 and 3, held again in 4
    assert held_outside(risky, returns, cost_frac=0.01).tolist() == pytest.approx(
        [0.0, 0.09, -0.01, 0.0, 0.09]
    )
    changed = risky.copy()
    changed[-1] = True
    assert (
        held_outside(changed, returns, cost_frac=0.01).tolist()
        == held_outside(risky, returns, cost_frac=0.01).tolist()
    )
