"""Planning of calls: every upstream block reaches an agent once, with the first call that needs it."""

from __future__ import annotations

from actors.runtime.call_book import CallBook
from actors.runtime.calls import Call
from actors.runtime.graph import FEED, AgentSpec, FleetGraph, Input


def spec(name: str, *inputs: Input, loop: bool = False) -> AgentSpec:
    return AgentSpec(name, name, "m:C", inputs=inputs, loop=loop)


GRAPH = FleetGraph([
    spec("bars", Input(FEED)), spec("model", Input("bars"), Input("weights", 4)), spec("weights", Input("model")),
    spec("risk", Input("model"), loop=True),
])  # fmt: skip


def submit(book: CallBook, agent: str, first: int, count: int) -> Call:
    call = book.plan(agent, first, count)
    book.add(call)
    return call


def fed(call: Call) -> list[tuple[int, str, int, int, int]]:
    """Slot, whose block, its first and last step, delay."""
    return [(slot, c.agent, c.first, c.last, delay) for slot, c, delay in call.feeds]


def block(book: CallBook, first: int, count: int) -> dict[str, Call]:
    book.add(Call(FEED, first, count))
    return {n: submit(book, n, first, count) for n in ("bars", "model", "weights")}


def test_a_block_is_handed_out_once_with_the_first_call_that_needs_it() -> None:
    book = CallBook(GRAPH)
    made = block(book, 0, 4)
    assert fed(made["bars"]) == [(0, FEED, 0, 3, 0)]
    slots = [e.source for e in GRAPH.specs[GRAPH.index["model"]].inputs]
    own, back = slots.index("bars"), slots.index("weights")
    assert fed(made["model"]) == [(own, "bars", 0, 3, 0)], "there are no weights of steps before the first"
    # step by step: the first of a block brings it, the others find it there
    assert [fed(submit(book, "risk", k, 1)) for k in range(4)] == [[(0, "model", 0, 3, 0)], [], [], []]
    later = block(book, 4, 4)
    assert sorted(fed(later["model"])) == sorted([(own, "bars", 4, 7, 0), (back, "weights", 0, 3, 4)])


def test_what_a_snapshot_makes_needless_is_forgotten_but_feedback_stays() -> None:
    book = CallBook(GRAPH)
    for first in (0, 4, 8):
        block(book, first, 4)
    saved = Call("bars", 7, 0)
    book.add(saved)
    assert len(book.window) == 13
    book.forget(7)
    assert {(c.agent, c.first) for c in book.window} == {(n, 8) for n in (FEED, "bars", "model", "weights")}
    assert [c.first for c in book.since("weights", 0)] == [4, 8], "four steps back are still to be heard"
    assert [c.first for c in book.since("weights", 8)] == [8]
    assert (book.end("model", 99), book.end("risk", 99)) == (12, 99)


def test_a_resumed_book_goes_on_as_one_that_never_stopped() -> None:
    whole = CallBook(GRAPH)
    for first in (0, 4):
        block(whole, first, 4)
    resumed = CallBook(GRAPH)
    resumed.resume(7, {"weights": [Call("weights", 4, 4)]})
    for book in (whole, resumed):
        made = block(book, 8, 4)
        assert {(s[1], s[2], s[3]) for s in fed(made["model"])} == {("bars", 8, 11), ("weights", 4, 7)}
        assert [s[1:4] for s in fed(submit(book, "risk", 8, 1))][-1] == ("model", 8, 11)
