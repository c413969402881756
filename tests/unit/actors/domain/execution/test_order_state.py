"""The life of an order: legal edges only."""

from __future__ import annotations

from decimal import Decimal as D

import msgspec
import pytest

from actors.domain.errors import OrderStateError
from actors.domain.execution.order_state import EDGES, FINAL_STATES, OrderLife, OrderState, check_edge

S = OrderState


def submitted(qty: str = "2") -> OrderLife:
    life = OrderLife(client_order_id="a", quantity=D(qty))
    life.submit()
    return life


def test_every_state_is_reachable_and_final_ones_have_no_way_out() -> None:
    seen, todo = {S.INITIALIZED}, [S.INITIALIZED]
    while todo:
        for new in EDGES[todo.pop()]:
            if new not in seen:
                seen.add(new)
                todo.append(new)
    assert seen == set(S) == set(EDGES)
    assert all(EDGES[s] == () for s in FINAL_STATES)


def test_unknown_is_left_by_an_answer_never_by_sending_again() -> None:
    assert S.SUBMITTED not in EDGES[S.UNKNOWN]
    life = submitted()
    life.lose()
    with pytest.raises(OrderStateError):
        life.submit()
    life.accept()
    assert life.state is S.ACCEPTED


def test_a_lost_order_may_turn_out_filled_rejected_or_canceled() -> None:
    for end in (S.REJECTED, S.CANCELED, S.EXPIRED):
        life = submitted()
        life.lose()
        assert life.finish(end)
        assert life.leaves == 0
    life = submitted()
    life.lose()
    assert life.fill(D(2), "a-1")
    assert life.state is S.FILLED


def test_an_order_accepted_after_a_loss_keeps_its_fills() -> None:
    life = submitted()
    life.fill(D(1), "a-1")
    life.lose()
    life.accept()
    assert (life.state, life.leaves) == (S.PARTIALLY_FILLED, 1)


def test_fills_count_once_and_never_beyond_the_quantity() -> None:
    life = submitted()
    assert life.fill(D(1), "a-1")
    assert not life.fill(D(1), "a-1")
    with pytest.raises(OrderStateError, match="up to 2"):
        life.fill(D("1.5"), "a-2")
    assert life.fill(D(1), "a-3")
    assert life.is_final


def test_a_fill_after_the_end_is_an_error() -> None:
    life = submitted()
    life.finish(S.CANCELED)
    with pytest.raises(OrderStateError):
        life.fill(D(1), "a-1")


def test_fills_go_on_while_a_cancel_travels() -> None:
    life = submitted()
    life.accept()
    life.request_cancel()
    life.fill(D("0.5"), "a-1")
    assert life.state is S.CANCEL_PENDING
    assert life.finish(S.CANCELED)
    assert life.filled == D("0.5")


def test_late_answers_change_nothing_and_contradictions_raise() -> None:
    life = submitted()
    life.fill(D(1), "a-1")
    life.accept()
    assert life.state is S.PARTIALLY_FILLED
    with pytest.raises(OrderStateError, match="no rejection"):
        life.finish(S.REJECTED)
    life.finish(S.CANCELED)
    assert not life.finish(S.CANCELED)
    with pytest.raises(OrderStateError, match="expected nothing"):
        life.finish(S.EXPIRED)


def test_an_accepted_order_cannot_be_rejected() -> None:
    with pytest.raises(OrderStateError):
        check_edge(S.ACCEPTED, S.REJECTED)


def test_a_life_survives_encoding() -> None:
    life = submitted()
    life.fill(D("0.50"), "a-1")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(life), type=OrderLife) == life


def test_lives_do_not_share_their_fills() -> None:
    one, two = submitted(), submitted()
    one.fill(D(1), "x")
    assert two.fill_ids == []
