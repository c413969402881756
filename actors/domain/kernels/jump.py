"""Statistical jump model: fit by coordinate descent from several starts, and the online decode."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import KernelError
from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import Stream, impl
from actors.domain.kernels._matrix import matrix


class JumpFit(NamedTuple):
    """A fitted jump model.

    Attributes
    ----------
    centres : array, shape (K, D)
        Of the best start.
    labels : array of int, shape (n_bars,)
        Its states; of a continuous model the most likely ones.
    probabilities : array, shape (n_bars, K), or None
        Of a continuous model.
    objective : array, shape (S,)
        Of every start.
    best : int
    iterations : array of int, shape (S,)
    converged : array of bool, shape (S,)
    """

    centres: FloatArray
    labels: NDArray[np.int64]
    probabilities: FloatArray | None
    objective: FloatArray
    best: int
    iterations: NDArray[np.int64]
    converged: NDArray[np.bool_]


class JumpStream(Stream, Protocol):
    """Online decode of a fitted jump model."""

    @property
    def bars(self) -> int:
        """Bars taken."""

    def update(self, x: FloatArray, /) -> FloatArray:
        """Take one bar, shape (D,), return the values of the states, shape (K,): 0 for the best."""

    def run(self, x: FloatArray, values: FloatArray, /) -> None:
        """Take many bars, shape (n_bars, D); their values go to `values`, (n_bars, K)."""


def jump_fit(
    x: FloatArray,
    starts: NDArray[np.float64],
    penalty: float,
    *,
    grid_step: float | None = None,
    mode_loss: bool = False,
    max_iterations: int = 1000,
    tolerance: float = 1e-8,
    threads: int = 1,
) -> JumpFit:
    """Minimise ``Σ ½‖x_t − θ_{s_t}‖² + λ Σ 1{s_t ≠ s_{t−1}}`` over centres and states; offline.

    Each start goes down by turns: states by dynamic programming, centres as means (an empty state keeps its own),
    until the objective falls by no more than `tolerance`. With `grid_step` the state is a probability vector on a grid
    of the simplex, the loss ``Σ_k p_k ½‖x − θ_k‖²`` and a move costs ``λ/4 ‖p_t − p_{t−1}‖₁²``.

    Parameters
    ----------
    x : array, shape (n_bars, D), finite
        Standardised features.
    starts : array, shape (S, K, D)
        Centres to start from, 1 to 16 states; not changed.
    penalty : float
        λ ≥ 0.
    grid_step : float, optional
        ``1 / N`` for a whole N; makes the model continuous.
    mode_loss : bool
        Level the penalties so that ``Σ exp(−penalty)`` is the same from every point (continuous only).
    max_iterations : int
    tolerance : float
    threads : int
        The result does not depend on it.

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0.0], [0.2], [2.0], [0.1], [2.1], [1.9], [2.0]])
    >>> found = jump_fit(x, np.array([[[0.0], [1.0]]]), 1.0)
    >>> found.labels.tolist(), found.centres.round(3).tolist()
    ([0, 0, 1, 1, 1, 1, 1], [[0.1], [1.62]])

    References
    ----------
    Bemporad, Breschi, Piga and Boyd (2018), "Fitting jump models"; Nystrup, Lindström and Madsen (2020), "Learning
    hidden Markov models with persistent states by penalizing jumps"; Aydınhan, Kolm, Mulvey and Shu (2024),
    "Identifying patterns in financial markets: extending the statistical jump model for regime identification".
    """
    x = matrix("x", x)
    if (
        not isinstance(starts, np.ndarray)
        or starts.ndim != 3
        or starts.dtype != np.float64
        or not starts.size
    ):
        raise KernelError(
            "KERNEL_SHAPE",
            f"starts: expected float64 of shape (S, K, D), found {getattr(starts, 'dtype', type(starts))} of shape "
            f"{np.shape(starts)}",
            argument="starts",
        )
    centres = np.array(starts, order="C", copy=True)
    states = centres.shape[1]
    cost = float(penalty)
    points, costs = np.empty((0, states)), np.empty((0, 0))
    if grid_step is not None:
        if not cost >= 0.0:
            raise KernelError("KERNEL_PARAM_RANGE", f"penalty: expected 0 or more, found {penalty!r}")
        points = simplex_grid(states, grid_step)
        costs = _move_costs(points, cost, mode_loss)
    labels, out = np.empty(x.shape[0], dtype=np.int64), np.empty((centres.shape[0], 3))
    rounds, workers = check.window("max_iterations", max_iterations, 0), check.window("threads", threads)
    try:
        best = int(
            impl().jump_fit(x, centres, points, costs, cost, rounds, float(tolerance), workers, labels, out)
        )
    except ValueError as e:
        raise KernelError("KERNEL_JUMP_FIT", f"jump_fit: {e}") from e
    shares = points[labels] if points.shape[0] else None
    states_of = labels if shares is None else shares.argmax(axis=1)
    return JumpFit(
        centres[best], states_of, shares, out[:, 0].copy(), best, out[:, 1].astype(np.int64), out[:, 2] == 1.0
    )


def simplex_grid(states: int, step: float) -> FloatArray:
    """Return all probability vectors whose entries are multiples of `step`, shape (N, K), corners of state 0 first.

    Raises
    ------
    KernelError
        If the step does not divide 1, or there would be more than 2000 points.

    Examples
    --------
    >>> simplex_grid(2, 0.5).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
    """
    parts = round(1.0 / step) if 0.0 < step <= 1.0 else 0
    if parts < 1 or abs(parts * step - 1.0) > 1e-9:
        raise KernelError("KERNEL_PARAM_RANGE", f"grid_step: expected 1 over a whole number, found {step!r}")
    rows: list[tuple[int, ...]] = [()]
    for left in range(states - 1, -1, -1):
        rows = [
            (*row, take)
            for row in rows
            for rest in (parts - sum(row),)
            for take in (range(rest, -1, -1) if left else (rest,))
        ]
        if len(rows) > 2000:
            raise KernelError(
                "KERNEL_PARAM_RANGE",
                f"grid_step: expected at most 2000 points, {step!r} gives more with {states} states",
            )
    return np.array(rows, dtype=np.float64) / parts


def _move_costs(points: FloatArray, penalty: float, mode_loss: bool) -> FloatArray:
    apart = np.abs(points[:, None, :] - points[None, :, :]).sum(axis=2)
    costs: FloatArray = 0.25 * penalty * apart * apart
    if mode_loss:
        level = np.log(np.exp(-costs).sum(axis=1, keepdims=True))
        costs = costs + (level - level[0])
    return np.ascontiguousarray(costs)


def jump_stream(centres: FloatArray, penalty: float) -> JumpStream:
    """Return the online decode of a fitted model: a label once given never changes.

    ``V_t(k) = ½‖x_t − θ_k‖² + min(V_{t−1}(k), min_j V_{t−1}(j) + λ)``, less its smallest entry; the label is the
    argmin, the lower one of equals. A NaN feature costs nothing in any state. O(K·D) per bar.

    Parameters
    ----------
    centres : array, shape (K, D)
    penalty : float

    Raises
    ------
    KernelError
        If the model is none.

    Examples
    --------
    >>> import numpy as np
    >>> f = jump_stream(np.array([[0.0], [2.0]]), 1.0)
    >>> [f.update(np.array([v])).round(2).tolist() for v in (0.0, 2.0, 2.0)]
    [[0.0, 2.0], [1.0, 0.0], [3.0, 0.0]]
    """
    centres = matrix("centres", centres)
    try:
        stream: JumpStream = impl().JumpFilter(centres, float(penalty))
    except ValueError as e:
        raise KernelError("KERNEL_JUMP_MODEL", f"jump_stream: {e}") from e
    return stream
