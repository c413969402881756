"""Whose PnL it is: worked by hand, for blends of owners, flips, fees in either currency, fills outside of any bar."""

from decimal import Decimal as D

import numpy as np
import pytest

from actors.domain.evaluation.exact_parts import exact_parts
from actors.domain.evaluation.ownership import Booked, split
from actors.domain.evaluation.report_model import PairSeries

BARS = PairSeries(pair="A/USDT", ts_ns=[10, 20, 30, 40], close=[10.0, 12.0, 11.0, 15.0])


def test_who_enlarges_a_position_owns_its_share_of_the_whole():
    # 2 at 12 for the first, 2 more at 11 for the second: from then on each owns half
    fills = [Booked(20, 2.0, 12.0, 0.0, (1.0, 0.0)), Booked(30, 2.0, 11.0, 0.4, (0.0, 1.0))]
    found = split(BARS, fills, 2)
    # bar 30: 2·(11 − 12) is the first's; the fee of 0.4 is borne by halves; bar 40: 4·(15 − 11) by halves
    assert found.pnl.tolist() == [[0.0, 0.0, -2.2, 8.0], [0.0, 0.0, -0.2, 8.0]]
    assert found.fees.sum(axis=1).tolist() == [0.2, 0.2]
    assert found.bars.tolist() == [3, 2]


def test_a_smaller_position_keeps_its_owners_whoever_wanted_less():
    fills = [Booked(20, 2.0, 12.0, 0.0, (0.75, 0.25)), Booked(30, -1.0, 11.0, 0.8, (0.0, 1.0))]
    found = split(BARS, fills, 2)
    assert found.fees.sum(axis=1).tolist() == pytest.approx([0.6, 0.2])
    assert found.pnl[:, 3].tolist() == [3.0, 1.0]


def test_a_fill_through_zero_ends_the_old_owners_position_and_opens_the_new_ones():
    fills = [Booked(20, 1.0, 12.0, 0.0, (1.0, 0.0)), Booked(30, -2.0, 13.0, 0.0, (0.0, 1.0))]
    found = split(BARS, fills, 2)
    # long 12 → 13 for the first; short 1 from 13, marked at 11 and 15, for the second
    assert found.pnl.tolist() == [[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 2.0, -4.0]]
    assert found.bars.tolist() == [2, 2]


def test_a_fee_in_base_makes_the_position_smaller():
    # bought 2, of which 0.1 (worth 1.2 at the fill) went to the venue
    found = split(BARS, [Booked(20, 1.9, 12.0, 1.2, (1.0,))], 1)
    assert found.pnl[0].tolist() == pytest.approx([0.0, -1.2, -1.9, 7.6])
    # cash −24, and 1.9 at the last close of 15
    assert found.pnl.sum() == pytest.approx(-24.0 + 1.9 * 15.0)


def test_dust_of_floating_point_is_no_fill_through_zero():
    # 0.1 + 0.2 - 0.3 leaves 5.6e-17: the last fee is the owners', not theirs who wanted out
    fills = [
        Booked(20, 0.1, 12.0, 0.0, (1.0, 0.0)), Booked(20, 0.2, 12.0, 0.0, (1.0, 0.0)),
        Booked(30, -0.3, 11.0, 0.5, (0.0, 1.0)),
    ]  # fmt: skip
    found = split(BARS, fills, 2)
    assert found.fees.sum(axis=1).tolist() == [0.5, 0.0]
    assert (found.pnl[:, 3].tolist(), found.bars.tolist()) == ([0.0, 0.0], [2, 0])


def test_a_charge_is_borne_by_the_owners_of_the_position():
    fills = [Booked(20, 1.0, 12.0, 0.0, (0.75, 0.25)), Booked(30, 0.0, None, 0.0, (0.5, 0.5), 0.8)]
    found = split(BARS, fills, 2)
    assert found.pnl[:, 2].tolist() == pytest.approx([-0.75 - 0.6, -0.25 - 0.2])
    assert found.fees.sum() == 0.0
    assert found.pnl[:, 3].tolist() == [3.0, 1.0]


@pytest.mark.parametrize("ts", [15, 20])
def test_a_fill_between_bars_belongs_to_the_bar_that_closes_next(ts):
    assert split(BARS, [Booked(ts, 1.0, 11.0, 0.0, (1.0,))], 1).pnl[0].tolist() == [0.0, 1.0, -1.0, 4.0]


def test_a_fill_after_the_last_bar_is_not_lost():
    assert split(BARS, [Booked(99, 1.0, 14.0, 0.5, (1.0,))], 1).pnl[0].tolist() == [0.0, 0.0, 0.0, 0.5]


def test_rounding_goes_to_the_largest_part_and_more_than_rounding_stays_visible():
    rng = np.random.default_rng(5)
    parts = (rng.standard_normal(9) * 1e5).tolist()
    whole = sum((D(repr(p)) for p in parts), D(0)) + D("0.0000321")
    found, left = exact_parts(parts, whole, D(10) ** 6)
    assert left == 0
    assert sum(found) == whole
    found, left = exact_parts(parts, whole + 1, D(10) ** 6)
    assert sum(found) + left == whole + 1
    assert float(left) == pytest.approx(1.0, abs=1e-3)
    assert exact_parts([], D(3), D(10)) == ([], D(3))
