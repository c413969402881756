"""Twin of the jump model's fit and online decode (see ``jump.rs``)."""

from __future__ import annotations

from math import inf, isinf

import numpy as np
from numpy.typing import NDArray

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._stream import StreamTwin

_MAX_STATES = 16
Labels = NDArray[np.int64]


def jump_fit(
    x: FloatArray, centres: FloatArray, points: FloatArray, costs: FloatArray, penalty: float, max_iterations: int,
    tolerance: float, threads: int, labels: Labels, out: FloatArray, /,
) -> int:  # fmt: skip
    """Fit every start in place; `labels` of the best one, whose index is returned."""
    states = centres.shape[1]
    _check(x, centres, points, costs, penalty)
    if not points.shape[0]:
        points = np.eye(states)
        costs = penalty * (1.0 - np.eye(states))
    found: list[tuple[float, Labels]] = []
    for s in range(centres.shape[0]):
        objective, done, converged, chosen = _descend(x, centres[s], points, costs, max_iterations, tolerance)
        out[s] = (objective, done, converged)
        found.append((objective, chosen))
    best = min(range(len(found)), key=lambda s: found[s][0])
    labels[:] = found[best][1]
    return best


def _check(x: FloatArray, centres: FloatArray, points: FloatArray, costs: FloatArray, penalty: float) -> None:
    states = centres.shape[1]
    if not x.shape[0]:
        raise ValueError("parameter out of range: x must be T x D with at least one row")
    if not 1 <= states <= _MAX_STATES:
        raise ValueError("parameter out of range: a jump model needs 1 to 16 states")
    bad = ~np.isfinite(x).all(axis=1)
    if bad.any():
        raise ValueError(f"row {int(np.argmax(bad))}: an observation is not finite")
    if not np.isfinite(centres).all():
        raise ValueError("parameter out of range: centres must be finite")
    n = points.shape[0]
    sound = costs.shape == (n, n) and bool(np.isfinite(points).all() and np.isfinite(costs).all())
    if not (sound if n else penalty >= 0.0):
        raise ValueError(
            "parameter out of range: the penalty must not be negative, a grid N x K and its costs N x N, all finite"
        )


def _descend(
    x: FloatArray, centres: FloatArray, points: FloatArray, costs: FloatArray, max_iterations: int,
    tolerance: float,
) -> tuple[float, float, float, Labels]:  # fmt: skip
    objective, chosen = _decode(x, centres, points, costs)
    done = 0
    while done < max_iterations:
        kept, before = centres.copy(), chosen
        shares = points[chosen]
        mass = shares.sum(axis=0)
        centres[mass > 0.0] = (shares.T @ x)[mass > 0.0] / mass[mass > 0.0, None]
        now, chosen = _decode(x, centres, points, costs)
        done += 1
        if now > objective:  # rounding only: the descent is over
            centres[:] = kept
            return objective, float(done), 1.0, before
        gain, objective = objective - now, now
        if gain <= tolerance or np.array_equal(before, chosen):
            return objective, float(done), 1.0, chosen
    return objective, float(done), 0.0, chosen


def _decode(
    x: FloatArray, centres: FloatArray, points: FloatArray, costs: FloatArray
) -> tuple[float, Labels]:
    away = x[:, None, :] - centres
    losses = 0.5 * (away * away).sum(axis=2) @ points.T
    bars, n = losses.shape
    everyone = np.arange(n)
    came = np.zeros((bars, n), dtype=np.int64)
    v = losses[0]
    for t in range(1, bars):
        reached = v[:, None] + costs
        stay = v + np.diagonal(costs)
        best = reached.argmin(axis=0)
        low = reached[best, everyone]
        came[t] = np.where(stay <= low, everyone, best)
        v = low + losses[t]
    at = int(v.argmin())
    objective = float(v[at])
    chosen = np.empty(bars, dtype=np.int64)
    for t in range(bars - 1, -1, -1):
        chosen[t] = at
        at = int(came[t, at])
    return objective, chosen


class JumpFilter(StreamTwin):
    """Online decode of a fitted jump model."""

    __slots__ = ("_bars", "_centres", "_penalty", "_values")

    def __init__(self, centres: FloatArray, penalty: float, /) -> None:
        self._build(centres.tolist(), penalty)

    def _build(self, centres: list[list[float]], penalty: float) -> None:
        if not centres or not centres[0]:
            raise ValueError("parameter out of range: centres must be K x D with at least one feature")
        if not np.isfinite(centres).all() or not penalty >= 0.0:
            raise ValueError("parameter out of range: centres must be finite and the penalty not negative")
        self._centres, self._penalty = centres, penalty
        self._values = [0.0] * len(centres)
        self._bars = 0

    def update(self, x: FloatArray, /) -> FloatArray:
        """Take one bar (a vector of features); the values of the states, 0 for the best."""
        return np.array(self._take(x.tolist()))

    def _take(self, features: list[float]) -> list[float]:
        if len(features) != len(self._centres[0]):
            raise ValueError(
                f"expected {len(self._centres[0])} bars in every array, found {len(features)}: "
                "pass arrays of equal length"
            )
        if any(isinf(v) for v in features):
            raise ValueError(f"row {self._bars}: an observation is infinite")
        values, floor = [], inf
        for before, centre in zip(self._values, self._centres, strict=True):
            loss = 0.0
            for v, c in zip(features, centre, strict=True):
                if v == v:
                    z = v - c
                    loss += z * z
            now = min(self._penalty, before) + 0.5 * loss
            values.append(now)
            floor = min(floor, now)
        self._values = [v - floor for v in values]
        self._bars += 1
        return self._values

    def run(self, x: FloatArray, values: FloatArray, /) -> None:
        """Take many bars; their values go to `values`."""
        if x.shape[1] != len(self._centres[0]):
            raise ValueError(f"expected {len(self._centres[0])} features")
        for t, row in enumerate(x.tolist()):
            values[t] = self._take(row)

    @property
    def bars(self) -> int:
        """Bars taken."""
        return self._bars

    def snapshot(self) -> bytes:
        w = Writer("JumpFilter").u64(len(self._centres), len(self._centres[0]), self._bars)
        w.f64s((self._penalty,))
        for centre in self._centres:
            w.f64s(centre)
        return w.f64s(self._values).done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "JumpFilter")
        k, d, bars = r.u64(), r.u64(), r.u64()
        if not k or not d:
            raise ValueError("not a snapshot of this kernel: truncated")
        penalty = r.f64s(1)[0]
        centres = [list(r.f64s(d)) for _ in range(k)]
        values = list(r.f64s(k))
        r.end()
        if not all(v >= 0.0 for v in values):
            raise ValueError("not a snapshot of this kernel: its values are none")
        self._build(centres, penalty)
        self._values, self._bars = values, bars
