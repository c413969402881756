"""Laws of slices and of the life of an order over generated inputs."""

from __future__ import annotations

from decimal import Decimal as D

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.errors import OrderStateError
from actors.domain.execution.order_state import EDGES, FINAL_STATES, OrderLife, OrderState
from actors.domain.execution.planner import equal_slices, split_in_two

lots = st.sampled_from([D("1"), D("0.1"), D("0.001"), D("0.00001"), D("0.5")])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**9), lots, st.integers(1, 40), st.integers(0, 10**6), st.decimals(0, "0.4", places=7)
)
def test_slices_sum_to_the_parent_exactly(units: int, lot: D, slices: int, least: int, rest: D) -> None:
    quantity = units * lot + rest * lot
    out = equal_slices(quantity, slices, lot, least * lot)
    assert len(out) == slices
    assert sum(out, D(0)) == quantity
    placed = [s for s in out if s]
    assert all(s > 0 for s in placed)
    assert all(s % lot == 0 for s in placed[:-1])
    assert len(placed) <= 1 or all(s >= least * lot for s in placed)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**9), lots, st.floats(0.01, 0.99), st.integers(0, 10**6))
def test_a_split_keeps_every_lot(units: int, lot: D, share: float, least: int) -> None:
    first, second = split_in_two(units * lot, share, lot, least * lot)
    assert first + second == units * lot
    assert first % lot == 0
    assert second == 0 or min(first, second) >= least * lot


moves = st.lists(
    st.one_of(
        st.sampled_from(["submit", "accept", "request_cancel", "lose", "canceled", "rejected", "expired"]),
        st.tuples(st.integers(1, 6), st.integers(0, 8)),
    ),
    max_size=14,
)


@settings(max_examples=150, deadline=None)
@given(moves)
def test_an_orders_life_only_moves_along_its_edges(sequence: list[str | tuple[int, int]]) -> None:
    life = OrderLife(client_order_id="a", quantity=D(10))
    for move in sequence:
        old, filled = life.state, life.filled
        try:
            if isinstance(move, tuple):
                life.fill(D(move[0]), f"a-{move[1]}")
            elif move in ("canceled", "rejected", "expired"):
                life.finish(OrderState(move))
            else:
                getattr(life, move)()
        except OrderStateError:
            assert (life.state, life.filled) == (old, filled), "a refused move changes nothing"
        assert life.state is old or life.state in EDGES[old]
        assert old not in FINAL_STATES or life.state is old
        assert filled <= life.filled <= 10
        assert (life.filled == 10) == (life.state is OrderState.FILLED)
        assert len(life.fill_ids) == len(dict.fromkeys(life.fill_ids))
