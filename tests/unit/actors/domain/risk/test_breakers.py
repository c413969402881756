"""Circuit breakers on their own: trip, cool-down, shorter leash, final halt, UTC days."""

import pytest

from actors.domain.risk.breakers import NEVER, DailyLossBreaker, DrawdownBreaker, VenueLostBreaker

HOUR = 3_600_000_000_000


def drawdown(**params):
    return DrawdownBreaker(DrawdownBreaker.Params(**params))


def test_reset_waits_for_the_cooldown_and_for_a_flat_book():
    b = drawdown(limit_frac=0.1, cooldown_steps=3)
    assert not b.update(0, 0, 100.0, True)
    assert b.update(1, 0, 90.0, False)
    assert (b.tripped, b.limit, b.observed, b.until_step) == (True, 0.1, pytest.approx(0.1), 4)
    assert not b.update(3, 0, 90.0, True)
    assert not b.update(4, 0, 90.0, False)
    assert b.update(5, 0, 90.0, True)
    assert not b.tripped


def test_leash_is_shorter_after_a_reset():
    b = drawdown(limit_frac=0.1, cooldown_steps=1, reset_share=0.5)
    for step, equity in enumerate((100.0, 90.0, 90.0)):
        b.update(step, 0, equity, True)
    assert not b.tripped
    # the peak now stands where 90 is 5 % below it: 10 % below that is 85.26
    assert not b.update(3, 0, 85.5, False)
    assert b.update(4, 0, 85.2, False)


def test_halt_is_final():
    b = drawdown(limit_frac=0.1, cooldown_steps=1, reset_share=0.0, halt_frac=0.15)
    for step, equity in enumerate((100.0, 90.0, 90.0)):
        b.update(step, 0, equity, True)
    assert b.update(3, 0, 84.0, False)
    assert (b.limit, b.until_step) == (0.15, NEVER)
    assert not any(b.update(step, 0, 100.0, True) for step in range(4, 500))


def test_day_starts_with_the_equity_of_the_day_before():
    b = DailyLossBreaker(DailyLossBreaker.Params(limit_frac=0.05), HOUR)
    assert not b.update(0, 24 * HOUR, 100.0, True)  # closes the first day
    # the first bar of the new day loses 6 %: that is this day's loss
    assert b.update(1, 25 * HOUR, 94.0, False)
    assert b.until_step == 1 + 23 + 1


def test_state_goes_round():
    b = drawdown(limit_frac=0.1)
    b.update(0, 0, 100.0, True)
    b.update(1, 0, 85.0, False)
    again = drawdown(limit_frac=0.1)
    again.load_state(b.state())
    assert again.state() == b.state()
    assert again.tripped


def test_a_lost_venue_is_trusted_again_once_it_has_answered_for_a_while():
    b = VenueLostBreaker(VenueLostBreaker.Params(settle_steps=2, halt_after_steps=10))
    assert b.heard(5, "down")
    assert not b.heard(6, "refusing")
    assert not b.update(9, 0, 1.0, True)
    assert not b.heard(10, "open")
    assert not b.update(11, 0, 1.0, False)
    assert b.update(12, 0, 1.0, False)
    assert not b.tripped


def test_a_venue_that_was_away_too_long_halts_for_good():
    b = VenueLostBreaker(VenueLostBreaker.Params(settle_steps=1, halt_after_steps=3))
    b.heard(0, "down")
    assert not b.update(2, 0, 1.0, True)
    assert b.update(3, 0, 1.0, True)
    assert (b.halted, b.until_step, b.limit, b.observed) == (True, NEVER, 3.0, 3.0)
    b.heard(4, "open")
    assert not b.update(9, 0, 1.0, True)
    assert b.tripped
    assert not b.away
