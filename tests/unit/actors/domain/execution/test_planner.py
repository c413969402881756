"""Slices and splits: examples and edges (the sum law is in tests/property)."""

from __future__ import annotations

import math
from decimal import Decimal as D

import pytest

from actors.domain.errors import InvalidParamsError
from actors.domain.execution.ids import client_order_id
from actors.domain.execution.planner import equal_slices, minimum_quantity, slice_count, split_in_two
from actors.domain.model.instrument import Instrument


def test_residuals_are_carried_not_piled_up_at_the_end() -> None:
    assert equal_slices(D("1.0"), 4, D("0.1")) == (D("0.2"), D("0.3"), D("0.2"), D("0.3"))


def test_slots_below_the_minimum_are_skipped_and_the_rest_joins_the_last_one() -> None:
    assert equal_slices(D("1.0"), 4, D("0.1"), D("0.4")) == (0, D("0.5"), 0, D("0.5"))
    assert equal_slices(D("1.0"), 3, D("0.1"), D("0.6")) == (0, D("1.0"), 0)
    assert equal_slices(D("0.3"), 3, D("0.1"), D("0.6")) == (0, 0, D("0.3"))


def test_an_off_lot_rest_goes_to_the_last_slice() -> None:
    assert equal_slices(D("1.05"), 2, D("0.1")) == (D("0.5"), D("0.55"))


def test_slices_are_validated() -> None:
    with pytest.raises(InvalidParamsError, match="slices"):
        equal_slices(D(1), 0, D(1))
    assert equal_slices(D(0), 2, D(1)) == (0, 0)


def test_slice_count_without_volume_is_the_most() -> None:
    assert slice_count(math.inf, 0.01, 9) == 9


def test_minimum_quantity_passes_the_minimum_notional() -> None:
    instrument = Instrument(pair="BTC/USDT")
    quantity = minimum_quantity(instrument, D("61234.5"))
    assert quantity * D("61234.5") >= instrument.min_notional
    assert quantity % instrument.lot == 0
    assert minimum_quantity(instrument, D(0)) == instrument.lot


def test_a_split_too_small_for_two_is_not_split() -> None:
    assert split_in_two(D(1), 0.5, D("0.1"), D("0.6")) == (D(1), 0)


def test_ids_are_hex_and_depend_on_every_part() -> None:
    base = (7, "i", "a", 0)
    ids = [client_order_id(*base)] + [
        client_order_id(*(*base[:n], other, *base[n + 1 :]))  # type: ignore[arg-type]
        for n, other in enumerate((8, "j", "b", 1))
    ]
    assert len(dict.fromkeys(ids)) == 5
    assert all(len(i) == 32 and i == i.lower() and int(i, 16) >= 0 for i in ids)
    assert client_order_id(1, "ab", "c", 0) != client_order_id(1, "a", "bc", 0)
