"""What a latency model is: how long a command travels, in bars beyond the next one, or in time."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.registry import Params
from actors.domain.state import Stateful


class LatencyModel(Stateful):
    """Base of latency models; a subclass takes ``(params)`` and is marked `@component`.

    A command given at step k−1 reaches the venue before bar k; the model adds whole bars to that, or time, or both.
    """

    Params: ClassVar[type[Params]] = Params

    def submit_steps(self, client_order_id: str) -> int:
        """Return the extra bars of a submission, at least 0."""
        raise NotImplementedError

    def cancel_steps(self, client_order_id: str) -> int:
        """Return the extra bars of a cancel, at least 0."""
        raise NotImplementedError

    def submit_ns(self, client_order_id: str) -> int:
        """Return how long a submission takes from the close at which it was decided, at least 0."""
        return 0

    def cancel_ns(self, client_order_id: str) -> int:
        """Return how long a cancel takes, at least 0."""
        return 0
