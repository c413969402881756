"""CUSUM and BOCPD as alarms: the recursion, what theory says of it, and where a change is placed."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.errors import InvalidParamsError
from actors.domain.regime.changes.alarms import bocpd_run_length, cusum_run_length
from actors.domain.regime.changes.cusum import Cusum, average_run_length
from actors.domain.regime.changes.online import Prior, bocpd_changes, run_lengths


def test_cusum_is_its_recursion() -> None:
    z = np.random.default_rng(4).standard_normal(1500)
    z[700:] += 1.0
    c, up, down = Cusum(0.5, 4.0), 0.0, 0.0
    alarms = 0
    for v in z.tolist():
        found = c.update(v)
        up, down = max(0.0, up + v - 0.5), max(0.0, down - v - 0.5)
        expected = 1 if up > 4.0 else -1 if down > 4.0 else 0
        assert found == expected
        if found:
            alarms += 1
            up = down = 0.0
        assert (c.up, c.down) == (up, down)
    assert alarms > 50


def test_cusum_places_the_beginning_of_a_shift() -> None:
    off = []
    for seed in range(15):
        z = np.random.default_rng(seed).standard_normal(200)
        z[100:] += 1.5
        c = Cusum(0.75, 6.0)
        at = next(t for t, v in enumerate(z.tolist()) if c.update(v) == 1)
        off.append(abs(at - c.since_up + 1 - 100))
    assert np.median(off) <= 2


def test_cusum_goes_on_from_its_state() -> None:
    z = np.random.default_rng(5).standard_normal(400).tolist()
    one = Cusum(0.3, 3.0)
    for v in z[:200]:
        one.update(v)
    two = Cusum(0.3, 3.0)
    two.load_state(one.state())
    assert [one.update(v) for v in z[200:]] == [two.update(v) for v in z[200:]]


@pytest.mark.parametrize(
    ("h", "shift", "arl"),
    # Montgomery, Introduction to Statistical Quality Control, k = 0.5
    [
        (4.0, 0.0, 168),
        (4.0, 1.0, 8.38),
        (5.0, 0.0, 465),
        (5.0, 0.5, 38.0),
        (5.0, 1.0, 10.4),
        (5.0, 2.0, 4.01),
    ],
)
def test_run_lengths_by_theory_are_the_printed_ones(h: float, shift: float, arl: float) -> None:
    assert average_run_length(0.5, h, shift) == pytest.approx(arl, rel=4e-3)
    assert average_run_length(0.5, h, -shift) == pytest.approx(average_run_length(0.5, h, shift), rel=1e-9)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_simulated_run_lengths_agree_with_theory(shift: float) -> None:
    found = cusum_run_length(0.5, 4.0, shift, paths=1500, seed=11)
    assert found.open_frac == 0.0
    assert abs(found.mean - average_run_length(0.5, 4.0, shift)) < 3.5 * found.standard_error
    cut = cusum_run_length(0.5, 4.0, 0.0, paths=200, seed=11, longest=20)
    assert cut.open_frac > 0.5


def test_bocpd_alarms_late_without_a_change_and_soon_after_one() -> None:
    prior = Prior(200.0, 20.0, 3.0, 3.0)
    calm = bocpd_run_length(prior, 0.0, paths=20, seed=2, longest=300)
    moved = bocpd_run_length(prior, 2.0, paths=20, seed=2, longest=300)
    wild = bocpd_run_length(prior, 0.0, scale=3.0, paths=20, seed=2, longest=300)
    assert calm.mean > 150.0
    assert moved.mean < 15.0
    assert wild.mean < 15.0
    assert min(calm.paths, moved.paths) > 12
    with pytest.raises(InvalidParamsError, match="settle_bars"):
        bocpd_run_length(prior, 0.0, paths=4, seed=2, settle_bars=20)


def test_bocpd_places_changes_of_mean_and_of_variance() -> None:
    rng = np.random.default_rng(8)
    x = np.concatenate([rng.normal(0, 0.3, 60), rng.normal(2, 0.3, 60), rng.normal(2, 2.0, 60)])
    found = bocpd_changes(x)
    assert any(abs(f - 60) <= 1 for f in found)
    assert any(abs(f - 120) <= 6 for f in found)
    assert bocpd_changes(rng.normal(0, 1, 150)) == []


def test_bocpd_rows_do_not_know_the_future() -> None:
    x = np.random.default_rng(9).standard_normal(120)
    np.testing.assert_array_equal(run_lengths(x, max_run=200)[:80], run_lengths(x[:80], max_run=200))


@pytest.mark.parametrize(("k", "h"), [(-0.1, 1.0), (0.5, 0.0), (float("nan"), 1.0), (0.5, float("inf"))])
def test_cusum_refuses_what_is_no_chart(k: float, h: float) -> None:
    with pytest.raises(InvalidParamsError, match="allowance"):
        Cusum(k, h)
    with pytest.raises(InvalidParamsError, match="allowance"):
        average_run_length(k, h)
