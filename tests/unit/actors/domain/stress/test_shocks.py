"""Shocks to a market: sane bars, nothing before the shock changes, sizes are those asked for."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.errors import InvalidParamsError
from actors.domain.model.bars import BarFrame
from actors.domain.stress import shocks
from actors.domain.stress.crisis import Crisis, calm_twin, covered, worst_fall
from actors.domain.stress.scenario import DEFAULT_SHOCKS, Shock

PAIRS = ("A/Q", "B/Q")
N, AT = 400, 250


def market(seed: int = 1) -> dict[str, BarFrame]:
    rng = np.random.default_rng(seed)
    out = {}
    for pair in PAIRS:
        close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, N)))
        opened = np.concatenate([[100.0], close[:-1]])
        wick = np.abs(rng.normal(0.0, 0.004, N))
        out[pair] = BarFrame(
            pair, 10, np.arange(N) * 10, opened, np.maximum(opened, close) * (1 + wick),
            np.minimum(opened, close) * (1 - wick), close, rng.uniform(1.0, 9.0, N),
        )  # fmt: skip
    return out


@pytest.mark.parametrize("shock", DEFAULT_SHOCKS, ids=lambda s: s.kind)
def test_no_shock_changes_a_bar_before_it(shock: Shock) -> None:
    before = market()
    after = shock.market(before, AT * 10)
    changed = False
    for pair in PAIRS:
        for name in ("open_ns", "open", "high", "low", "close", "volume"):
            old, new = getattr(before[pair], name), getattr(after[pair], name)
            np.testing.assert_array_equal(old[:AT], new[:AT])
            changed |= name != "open_ns" and not np.array_equal(old, new)
    assert changed


def test_a_lasting_fall_is_as_deep_as_asked_and_later_returns_are_the_markets_own() -> None:
    before = market()
    for made in (
        shocks.gap(before, AT * 10, size_frac=dict.fromkeys(PAIRS, 0.2)),
        shocks.slide(before, AT * 10, size_frac=0.2, bars=24),
    ):
        for pair in PAIRS:
            ratio = made[pair].close / before[pair].close
            np.testing.assert_allclose(ratio[AT + 24 :], 0.8, rtol=1e-12)


def test_a_flash_crash_is_made_good() -> None:
    before, made = market(), None
    made = shocks.flash_crash(before, AT * 10, size_frac=0.4, recovery_bars=4)
    for pair in PAIRS:
        assert made[pair].low[AT] == pytest.approx(0.6 * made[pair].open[AT])
        np.testing.assert_array_equal(made[pair].close[AT + 4 :], before[pair].close[AT + 4 :])


def test_together_makes_the_pairs_move_in_step() -> None:
    before = market()
    made = shocks.together(before, AT * 10, size_frac=0.3, bars=50)
    own, one = ([np.diff(np.log(m[p].close))[AT - 1 : AT + 49] for p in PAIRS] for m in (before, made))
    assert abs(np.corrcoef(*own)[0, 1]) < 0.5
    assert np.corrcoef(*one)[0, 1] == pytest.approx(1.0)


def test_sizes_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidParamsError, match="expected a size in"):
        shocks.slide(market(), 0, size_frac=1.0, bars=3)
    with pytest.raises(InvalidParamsError, match="below 1"):
        shocks.gap(market(), 0, size_frac=dict.fromkeys(PAIRS, 1.0))


def test_the_calm_twin_repeats_the_market_before_and_is_the_same_up_to_the_crisis() -> None:
    frame = market()["A/Q"]
    calm = calm_twin(frame, 200 * 10, 230 * 10)
    np.testing.assert_array_equal(calm.close[:200], frame.close[:200])
    np.testing.assert_allclose(
        np.diff(np.log(calm.close))[199:229], np.diff(np.log(frame.close))[169:199], atol=1e-12
    )
    np.testing.assert_allclose(
        np.diff(np.log(calm.close))[230:], np.diff(np.log(frame.close))[230:], atol=1e-12
    )
    # what happens inside or after the crisis leaves no trace in the twin's span
    other = shocks.gap({"A/Q": frame}, 205 * 10, size_frac={"A/Q": 0.5})["A/Q"]
    np.testing.assert_array_equal(calm_twin(other, 2000, 2300).close[:230], calm.close[:230])


def test_falls_are_those_of_equal_shares() -> None:
    made = shocks.gap(market(), AT * 10, size_frac={"A/Q": 0.5, "B/Q": 0.0})
    alone = worst_fall({"A/Q": made["A/Q"]}, (AT - 1) * 10, (AT + 1) * 10)
    both = worst_fall(made, (AT - 1) * 10, (AT + 1) * 10)
    assert alone is not None
    assert both is not None
    assert both == pytest.approx(alone / 2, abs=0.03)
    assert worst_fall(made, 10**6, 2 * 10**6) is None


def test_crises_that_the_bars_do_not_hold_are_known() -> None:
    crises = [Crisis(start, end, "x") for start, end in ((100, 200), (2000, 2100), (3900, 4100))]
    assert covered(crises, market(), 50) == [False, True, False]
