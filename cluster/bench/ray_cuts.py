"""How a fleet's order path was cut into trials and plain steps, and the same cuts for another fleet.

An empty fleet never sends an order, so all its trials stand and it makes fewer calls than a fleet that trades.
What agents cost beside their calls shows where both make the same ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from actors.domain.events.base import Event
from actors.runtime.order_path import Feedback, OrderPath, Stride

Cut = tuple[int, bool, int]
"""Steps taken, on trial or not, and how many of them stand."""


class RecordedStride(Stride):
    """A stride that keeps what it said and heard.

    Examples
    --------
    >>> stride = RecordedStride(16)
    >>> stride.next(99), stride.report(3, 4), stride.next(1)
    ((4, True), None, (1, False))
    >>> stride.cuts
    [(4, True, 3), (1, False, 1)]
    """

    def __init__(self, longest: int) -> None:
        super().__init__(longest)
        self.cuts: list[Cut] = []

    def next(self, room: int) -> tuple[int, bool]:
        """Return how many steps to take, and whether on trial."""
        count, on_trial = super().next(room)
        self.cuts.append((count, on_trial, count))
        return count, on_trial

    def report(self, stood: int, tried: int) -> None:
        """Learn how a trial went."""
        self.cuts[-1] = (tried, True, stood)
        super().report(stood, tried)


class _Given(Stride):
    def __init__(self, cuts: Sequence[Cut]) -> None:
        super().__init__(1)
        self._cuts = deque(cuts)
        self.stood = 0

    def next(self, room: int) -> tuple[int, bool]:
        count, on_trial, self.stood = self._cuts.popleft()
        return count, on_trial

    def report(self, stood: int, tried: int) -> None:
        pass


class _Stands(Feedback):
    """The feedback of a path whose trials stand as far as `stride` says."""

    def __init__(self, known: Feedback, stride: _Given) -> None:
        self.__dict__.update(known.__dict__)
        self._stride = stride

    def stands(self, steps: int, said: Callable[[str], Sequence[Sequence[Event]]]) -> int:
        super().stands(steps, said)  # its cost is part of the calls
        return self._stride.stood


def cut_alike(path: OrderPath, cuts: Sequence[Cut]) -> Callable[[], None]:
    """Let a path take exactly these cuts next; return what gives it back its own."""
    stride, feedback = path.stride, path.feedback
    if feedback is not None:
        given = _Given(cuts)
        path.stride, path.feedback = given, _Stands(feedback, given)

    def undo() -> None:
        path.stride, path.feedback = stride, feedback

    return undo
