"""A side that is held from the event that begins it to the event that ends it, over whole columns.

Streaming strategies keep the side in one float; this is the same memory without a loop.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]


def last_event(event: BoolArray) -> NDArray[np.int64]:
    """Return per bar the index of the last event up to it, -1 before the first.

    Examples
    --------
    >>> last_event(np.array([False, True, False, True])).tolist()
    [-1, 1, 1, 3]
    """
    return np.maximum.accumulate(np.where(event, np.arange(len(event)), -1))


def held_side(
    enter_long: BoolArray, leave_long: BoolArray, enter_short: BoolArray, leave_short: BoolArray
) -> NDArray[np.float64]:
    """Return per bar 1.0 while long, -1.0 while short, 0.0 otherwise.

    Bar by bar, with a side that begins as 0: ``enter_long`` makes it 1; else ``enter_short`` makes it -1; else
    the leave event of the side that is held makes it 0.

    Parameters
    ----------
    enter_long, leave_long, enter_short, leave_short : bool array, shape (n_bars,)

    Returns
    -------
    float64 array, shape (n_bars,)

    Examples
    --------
    >>> up = np.array([True, False, False, False, False])
    >>> out = np.array([False, False, True, False, False])
    >>> down = np.array([False, False, False, True, False])
    >>> held_side(up, out, down, out).tolist()
    [1.0, 1.0, 0.0, -1.0, -1.0]
    """
    enter = enter_long | enter_short
    began = last_event(enter)
    # after the last entry there is no other one, so only leave events of its own side count; one on the
    # bar of the entry itself does not
    was_long = enter_long[began]  # began == -1 reads the last bar, and is masked below
    ended = np.where(was_long, last_event(leave_long), last_event(leave_short)) > began
    side = np.where(was_long, 1.0, -1.0)
    side[(began < 0) | ended] = 0.0
    return side
