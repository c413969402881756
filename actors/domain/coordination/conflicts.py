"""What to do when members pull in opposite directions: measure it, say so, and want less.

Agreement is |Σ s·d| / Σ s·|d| over shares s and directions d: 1 when all that have a side have the same
one, 0 when the sides balance. The pooled direction is multiplied by agreement^power, so a contested view
is traded smaller, without a jump at any threshold; the flag `conflict` is for people and reports.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec


class Resolution(msgspec.Struct, frozen=True, gc=False):
    """Direction after the shrinkage, agreement in [0, 1] (NaN if nobody has a side) and the conflict flag."""

    direction: float
    agreement: float
    conflict: bool


def resolve(
    direction: float,
    shares: Sequence[float],
    directions: Sequence[float],
    *,
    shrink_power: float = 1.0,
    conflict_below: float = 0.5,
) -> Resolution:
    """Return the pooled `direction` shrunk by how contested it is.

    Parameters
    ----------
    direction : float
        Pooled direction, in [-1, 1].
    shares, directions : sequence of float, shape (n_members,)
        Share in the pool and direction of each member.
    shrink_power : float
        0 ignores conflict, 1 multiplies by agreement.
    conflict_below : float
        Agreement under which the flag is raised; 0.5: the weaker side holds over a quarter.

    Examples
    --------
    >>> resolve(0.5, [0.75, 0.25], [1.0, -1.0], conflict_below=0.6)
    Resolution(direction=0.25, agreement=0.5, conflict=True)
    >>> resolve(1.0, [1.0, 0.0], [1.0, -1.0])
    Resolution(direction=1.0, agreement=1.0, conflict=False)
    """
    up = down = 0.0
    for i, s in enumerate(shares):
        d = directions[i]
        if d > 0.0:
            up += s * d
        else:
            down -= s * d
    size = up + down
    if size <= 0.0:
        return Resolution(direction, math.nan, False)
    agreement = round(abs(up - down) / size, 12)
    if shrink_power:
        direction = direction * (agreement if shrink_power == 1.0 else agreement**shrink_power)
    return Resolution(direction, agreement, agreement < conflict_below)
