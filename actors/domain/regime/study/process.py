"""Markets with known states: Markov chains with normal or t returns, as in published simulation studies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
States = NDArray[np.int64]


@dataclass(frozen=True)
class Process:
    """A chain of states with returns of its own in each.

    Attributes
    ----------
    name : str
    means, deviations : tuple of float
        Of a bar's return in each state.
    transitions : tuple of tuple of float
        Rows sum to 1.
    dof : float or None
        Degrees of freedom of t returns, scaled to `deviations`; None: normal.
    """

    name: str
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    transitions: tuple[tuple[float, ...], ...]
    dof: float | None = None

    @property
    def emission(self) -> str:
        """``gaussian`` or ``t5`` and the like."""
        return "gaussian" if self.dof is None else f"t{self.dof:g}"

    def matrix(self) -> FloatArray:
        """Transition probabilities, shape (K, K)."""
        return np.array(self.transitions)

    def stationary(self) -> FloatArray:
        """Long-run shares of the states, shape (K,)."""
        return stationary(self.matrix())

    def log_density(self, returns: FloatArray, *, normal: bool = False) -> FloatArray:
        """Log density of each return in each state, shape (n, K).

        Parameters
        ----------
        normal : bool
            Take returns for normal whatever they are.
        """
        from scipy import stats

        mean, deviation = np.array(self.means), np.array(self.deviations)
        if self.dof is None or normal:
            out: FloatArray = stats.norm.logpdf(returns[:, None], mean, deviation)
            return out
        scale = deviation * np.sqrt((self.dof - 2.0) / self.dof)
        heavy: FloatArray = stats.t.logpdf(returns[:, None], self.dof, mean, scale)
        return heavy


def stationary(matrix: FloatArray) -> FloatArray:
    """Return the distribution that a transition matrix leaves as it is.

    Examples
    --------
    >>> stationary(np.array([[0.9, 0.1], [0.3, 0.7]])).round(6).tolist()
    [0.75, 0.25]
    """
    k = matrix.shape[0]
    system = np.vstack([matrix.T - np.eye(k), np.ones(k)])
    out: FloatArray = np.linalg.lstsq(system, np.append(np.zeros(k), 1.0), rcond=None)[0]
    held: FloatArray = np.maximum(out, 0.0)
    shares: FloatArray = held / held.sum()
    return shares


def simulate(process: Process, bars: int, rng: np.random.Generator) -> tuple[States, FloatArray]:
    """Draw states and returns, the first state from the stationary law.

    Examples
    --------
    >>> states, returns = simulate(TWO_STATES, 100, np.random.default_rng(7))
    >>> states.shape, returns.shape
    ((100,), (100,))
    """
    edges = process.matrix().cumsum(axis=1)
    edges[:, -1] = 1.0
    state = int(np.searchsorted(process.stationary().cumsum(), rng.random()))
    state = min(state, len(process.means) - 1)
    draws, states = rng.random(bars), np.empty(bars, dtype=np.int64)
    for t in range(bars):
        if t:
            state = int(np.searchsorted(edges[state], draws[t], side="right"))
        states[t] = state
    if process.dof is None:
        noise = rng.standard_normal(bars)
    else:
        noise = rng.standard_t(process.dof, bars) * np.sqrt((process.dof - 2.0) / process.dof)
    return states, np.array(process.means)[states] + np.array(process.deviations)[states] * noise


_TWO = ((1.0 - 0.0024, 0.0024), (0.0232, 1.0 - 0.0232))
TWO_STATES = Process("two_states", (0.0006, -0.000881), (0.00757, 0.0163), _TWO)
"""Daily returns of Nystrup, Lindström and Madsen (2020): a long calm state and a short turbulent one."""
TWO_STATES_T = Process("two_states", (0.0006, -0.000881), (0.00757, 0.0163), _TWO, dof=5.0)
"""The same with t returns of five degrees of freedom and the same variances."""


def _daily(monthly: FloatArray) -> tuple[tuple[float, ...], ...]:
    """The twentieth root of a transition matrix; it keeps the stationary law."""
    values, vectors = np.linalg.eig(monthly)
    root = (vectors @ np.diag(values.astype(complex) ** 0.05) @ np.linalg.inv(vectors)).real
    root = np.maximum(root, 0.0)
    rows = root / root.sum(axis=1, keepdims=True)
    return tuple(tuple(float(p) for p in row) for row in rows)


THREE_STATES = Process(
    "three_states",
    tuple(m / 20.0 for m in (0.0123, 0.0, -0.0157)),
    tuple(float(s / np.sqrt(20.0)) for s in (0.0347, 0.05, 0.0778)),
    _daily(np.array([[0.9629, 0.0185, 0.0186], [0.0618, 0.8764, 0.0618], [0.1051, 0.1050, 0.7899]])),
)
"""Hardy's (2001) monthly model of bull, neutral and bear, at daily steps."""
