"""Forward filter of a hidden Markov model: what a live bar may know about the state."""

from __future__ import annotations

from typing import Any, Protocol

from actors.domain.errors import KernelError
from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import Stream, impl
from actors.domain.kernels._matrix import matrix, matrix_buffer


class HmmStream(Stream, Protocol):
    """A streaming forward filter with diagonal Gaussian emissions."""

    @property
    def alpha(self) -> FloatArray | None:
        """Filtered probabilities after the last bar, None before the first."""

    @property
    def log_likelihood(self) -> float:
        """Log-likelihood of all bars so far."""

    @property
    def bars(self) -> int:
        """Bars taken."""

    def update(self, x: FloatArray, /) -> FloatArray:
        """Take one bar, shape (n_features,), return the filtered probabilities, shape (n_states,)."""


def _chain(pi: Any, transitions: Any) -> tuple[FloatArray, FloatArray]:
    pi = check.series("pi", pi)
    return pi, matrix("transitions", transitions, pi.shape[0], pi.shape[0])


def hmm_forward_filter(
    log_b: FloatArray, pi: FloatArray, transitions: FloatArray, *, out: FloatArray | None = None
) -> tuple[FloatArray, float]:
    """Return the filtered state probabilities of a series and its log-likelihood.

    Row t uses rows up to t only: it equals the last row of a smoother run on the prefix. It works with
    ``log_b`` minus its largest entry among the reachable states, so a far outlier does no harm.

    Parameters
    ----------
    log_b : array, shape (n_bars, n_states)
        Log density of each bar in each state; -inf where a state is impossible, a row of NaN where the
        bar is missing (density 1 in every state).
    pi : array, shape (n_states,)
        Distribution of the first state.
    transitions : array, shape (n_states, n_states)
        Row i is the distribution of the state that follows state i.
    out : array, shape (n_bars, n_states), optional
        Buffer for the probabilities.

    Returns
    -------
    alpha : array, shape (n_bars, n_states)
        Rows sum to 1. No warm-up.
    log_likelihood : float

    Raises
    ------
    KernelError
        If an argument is unfit, or a row can come from no reachable state.

    Examples
    --------
    >>> import numpy as np
    >>> log_b = np.log(np.array([[0.5, 0.25], [0.1, 0.4]]))
    >>> alpha, ll = hmm_forward_filter(log_b, np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    >>> alpha.round(6).tolist(), round(float(np.exp(ll)), 6)
    ([[0.666667, 0.333333], [0.333333, 0.666667]], 0.075)

    References
    ----------
    Rabiner (1989), "A tutorial on hidden Markov models".
    """
    pi, transitions = _chain(pi, transitions)
    log_b = matrix("log_b", log_b, columns=pi.shape[0])
    alpha = matrix_buffer("out", out, (log_b.shape[0], log_b.shape[1]), log_b, pi, transitions)
    try:
        total: float = impl().hmm_forward_filter(log_b, pi, transitions, alpha)
    except ValueError as e:
        raise KernelError("KERNEL_HMM_INPUT", f"hmm_forward_filter: {e}") from e
    return alpha, total


def hmm_filter_stream(
    pi: FloatArray, transitions: FloatArray, means: FloatArray, variances: FloatArray
) -> HmmStream:
    """Return a streaming forward filter with diagonal Gaussian emissions.

    O(K·D + K²) per bar and O(K) memory beside the model; the snapshot holds the model too. A NaN feature is
    integrated out, a bar of NaN has density 1 in every state. Equal to `hmm_forward_filter` to the bit.

    Parameters
    ----------
    pi : array, shape (n_states,)
    transitions : array, shape (n_states, n_states)
    means, variances : array, shape (n_states, n_features)

    Raises
    ------
    KernelError
        If the model is none. ``update`` itself raises a plain ValueError for an infinite feature, a wrong
        shape, or a bar so far out that every density is 0; the state stays as it was.

    Examples
    --------
    >>> import numpy as np
    >>> means = np.array([[0.0], [3.0]])
    >>> pi, transitions = np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.2, 0.8]])
    >>> f = hmm_filter_stream(pi, transitions, means, np.ones((2, 1)))
    >>> f.update(np.array([0.1])).round(3).tolist()
    [0.985, 0.015]
    """
    pi, transitions = _chain(pi, transitions)
    means = matrix("means", means, pi.shape[0])
    variances = matrix("variances", variances, pi.shape[0], means.shape[1])
    try:
        stream: HmmStream = impl().HmmFilter(pi, transitions, means, variances)
    except ValueError as e:
        raise KernelError("KERNEL_HMM_MODEL", f"hmm_filter_stream: {e}") from e
    return stream
