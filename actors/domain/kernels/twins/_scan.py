"""First-order recursion ``y = b*y + z`` as a block scan of four bars (see ``scan.rs``)."""

from __future__ import annotations

from itertools import accumulate

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray


class Scan:
    """One bar at a time; ``carry`` is the value before the present group of four."""

    __slots__ = ("_lane", "_u1", "_u2", "_z1", "b", "b2", "carry", "pw")

    def __init__(self, b: float) -> None:
        b2 = b * b
        self.b, self.b2, self.pw = b, b2, (b, b2, b2 * b, b2 * b2)
        self.carry = 0.0
        self.seed(0.0)

    def seed(self, y: float) -> None:
        """Start from a seed: the next bar is lane 0."""
        self.carry, self._lane = y, 0
        # b * -0 adds nothing to a group's first terms
        self._z1 = self._u1 = self._u2 = -0.0

    def step(self, z: float) -> float:
        """Add the next term, return the value after it."""
        u = z + self.b * self._z1
        v = u + self.b2 * self._u2
        y = v + self.pw[self._lane] * self.carry
        if self._lane == 3:
            self.seed(y)
        else:
            self._lane += 1
            self._z1, self._u2, self._u1 = z, self._u1, u
        return y

    def write(self, w: Writer) -> Writer:
        """Append the state to a snapshot."""
        return w.u64(self._lane).f64s((self.carry, self._z1, self._u1, self._u2))

    def read(self, r: Reader) -> None:
        """Take the state from a snapshot."""
        self._lane = r.u64() & 3
        self.carry, self._z1, self._u1, self._u2 = r.f64s(4)


def scan(z: FloatArray, b: float, seed: float) -> FloatArray:
    """Return the recursion over the terms `z` after `seed`, to the bit what `Scan` gives."""
    s = Scan(b)
    bars = z.shape[0]
    out = np.empty(bars)
    groups = bars // 4
    with np.errstate(invalid="ignore", over="ignore"):
        v = z[: 4 * groups].reshape(groups, 4).copy()
        v[:, 1:] += s.b * z[: 4 * groups].reshape(groups, 4)[:, :3]
        u = v[:, :2].copy()
        v[:, 2:] += s.b2 * u
        b4 = s.pw[3]
        carries = np.array(list(accumulate(v[:, 3].tolist(), lambda y, last: last + b4 * y, initial=seed)))
        out[: 4 * groups] = (v + np.array(s.pw) * carries[:-1, None]).ravel()
    s.seed(float(carries[-1]))
    out[4 * groups :] = [s.step(t) for t in z[4 * groups :].tolist()]
    return out
