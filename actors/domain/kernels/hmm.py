"""Hidden Markov models: forward filter (what a live bar may know), smoother and most likely path (offline)."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import KernelError
from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import Stream, impl
from actors.domain.kernels._matrix import matrix


class HmmStream(Stream, Protocol):
    """A streaming forward filter."""

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

    def run(self, x: FloatArray, alpha: FloatArray, /) -> None:
        """Take many bars, shape (n_bars, n_features); their probabilities go to `alpha`, (n_bars, n_states)."""


def _chain(pi: Any, transitions: Any) -> tuple[FloatArray, FloatArray]:
    pi = check.series("pi", pi)
    return pi, matrix("transitions", transitions, pi.shape[0], pi.shape[0])


def _series(log_b: Any, pi: Any, transitions: Any) -> tuple[FloatArray, FloatArray, FloatArray]:
    pi, transitions = _chain(pi, transitions)
    return matrix("log_b", log_b, columns=pi.shape[0]), pi, transitions


def _passed(name: str, log_b: FloatArray, pi: FloatArray, transitions: FloatArray, out: Any) -> float:
    try:
        total: float = getattr(impl(), name)(log_b, pi, transitions, out)
    except ValueError as e:
        raise KernelError("KERNEL_HMM_INPUT", f"{name}: {e}") from e
    return total


def _probabilities(name: str, log_b: Any, pi: Any, transitions: Any, out: Any) -> tuple[FloatArray, float]:
    inputs = _series(log_b, pi, transitions)
    found = check.buffer("out", out, (inputs[0].shape[0], inputs[0].shape[1]), *inputs)
    return found, _passed(name, *inputs, found)


def _stream(name: str, kind: str, *model: FloatArray) -> HmmStream:
    try:
        stream: HmmStream = getattr(impl(), kind)(*model)
    except ValueError as e:
        raise KernelError("KERNEL_HMM_MODEL", f"{name}: {e}") from e
    return stream


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
    return _probabilities("hmm_forward_filter", log_b, pi, transitions, out)


def hmm_smooth(
    log_b: FloatArray, pi: FloatArray, transitions: FloatArray, *, out: FloatArray | None = None
) -> tuple[FloatArray, float]:
    """Return the smoothed state probabilities of a series and its log-likelihood.

    **Not causal**: row t uses the whole series. For studies and fits only; live is `hmm_forward_filter`.

    Parameters
    ----------
    log_b, pi, transitions, out
        As `hmm_forward_filter`.

    Returns
    -------
    gamma : array, shape (n_bars, n_states)
    log_likelihood : float

    Raises
    ------
    KernelError
        If an argument is unfit, or a row can come from no reachable state.

    Examples
    --------
    >>> import numpy as np
    >>> log_b = np.log(np.array([[0.5, 0.25], [0.1, 0.4]]))
    >>> gamma, ll = hmm_smooth(log_b, np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    >>> gamma.round(6).tolist()
    [[0.433333, 0.566667], [0.333333, 0.666667]]
    """
    return _probabilities("hmm_smooth", log_b, pi, transitions, out)


def hmm_viterbi(
    log_b: FloatArray, pi: FloatArray, transitions: FloatArray
) -> tuple[NDArray[np.int64], float]:
    """Return the most likely states of a series and the log probability of that path with the series.

    **Not causal**: every state uses the whole series. Ties go to the lower state.

    Parameters
    ----------
    log_b, pi, transitions
        As `hmm_forward_filter`.

    Returns
    -------
    states : array of int, shape (n_bars,)
    log_probability : float

    Raises
    ------
    KernelError
        If an argument is unfit, or a row can come from no reachable state.

    Examples
    --------
    >>> import numpy as np
    >>> log_b = np.log(np.array([[0.5, 0.25], [0.1, 0.4]]))
    >>> states, lp = hmm_viterbi(log_b, np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    >>> states.tolist(), round(float(np.exp(lp)), 6)
    ([1, 1], 0.04)

    References
    ----------
    Viterbi (1967), "Error bounds for convolutional codes".
    """
    inputs = _series(log_b, pi, transitions)
    states = np.empty(inputs[0].shape[0], dtype=np.int64)
    return states, _passed("hmm_viterbi", *inputs, states)


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
    return _stream("hmm_filter_stream", "HmmFilter", pi, transitions, means, variances)


def hmm_student_stream(
    pi: FloatArray, transitions: FloatArray, means: FloatArray, scales: FloatArray, dof: FloatArray
) -> HmmStream:
    """Return a streaming forward filter with multivariate t emissions and diagonal scales.

    As `hmm_filter_stream`; a NaN feature leaves the marginal t density of the others.

    Parameters
    ----------
    pi : array, shape (n_states,)
    transitions : array, shape (n_states, n_states)
    means, scales : array, shape (n_states, n_features)
        `scales` are squared scales: a variance is ``scale · dof / (dof - 2)``.
    dof : array, shape (n_states,)
        Degrees of freedom, above 0.

    Raises
    ------
    KernelError
        If the model is none.

    Examples
    --------
    >>> import numpy as np
    >>> f = hmm_student_stream(
    ...     np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.0], [3.0]]), np.ones((2, 1)),
    ...     np.array([5.0, 5.0]))
    >>> f.update(np.array([0.1])).round(3).tolist()
    [0.95, 0.05]
    """
    pi, transitions = _chain(pi, transitions)
    means = matrix("means", means, pi.shape[0])
    scales = matrix("scales", scales, pi.shape[0], means.shape[1])
    dof = check.series("dof", dof)
    return _stream("hmm_student_stream", "HmmStudent", pi, transitions, means, scales, dof)
