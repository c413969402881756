"""Fitting a hidden Markov model: Baum and Welch's algorithm with a prior, from several starts at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import KernelError
from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import impl
from actors.domain.kernels._matrix import matrix

Cube = NDArray[np.float64]


class HmmModels(NamedTuple):
    """Parameters of S models of K states and D features.

    Attributes
    ----------
    start : array, shape (S, K)
    transitions : array, shape (S, K, K)
    means : array, shape (S, K, D)
    covariances : array, shape (S, K, D) or (S, K, D, D)
        Variances, or full covariances; of t emissions the squared scales.
    dof : array, shape (S, K), or None
        Degrees of freedom of multivariate t emissions; None for Gaussian ones.
    """

    start: FloatArray
    transitions: Cube
    means: Cube
    covariances: Cube
    dof: FloatArray | None = None


class HmmPrior(NamedTuple):
    """Conjugate prior in pseudo-observations; what is None or 0 pulls nothing.

    Attributes
    ----------
    start : array, shape (K,), or None
        Counts of the first state.
    moves : array, shape (K, K), or None
        Counts of transitions; a large diagonal makes states sticky.
    means : array, shape (K, D), or None
        Prior means, worth `mean_weight` bars each.
    mean_weight : float
    scatter : array, shape of one model's covariances, or None
        A prior covariance times `weight`, worth `weight` bars.
    weight : float
    """

    start: FloatArray | None = None
    moves: FloatArray | None = None
    means: FloatArray | None = None
    mean_weight: float = 0.0
    scatter: Cube | None = None
    weight: float = 0.0


class HmmFits(NamedTuple):
    """What became of each start.

    Attributes
    ----------
    models : HmmModels
    log_likelihood, objective : array, shape (S,)
        Of the fitted parameters; `objective` adds the prior's log density (up to a constant). NaN for a start whose
        likelihood could not be worked out.
    iterations : array of int, shape (S,)
    converged : array of bool, shape (S,)
    """

    models: HmmModels
    log_likelihood: FloatArray
    objective: FloatArray
    iterations: NDArray[np.int64]
    converged: NDArray[np.bool_]

    @property
    def best(self) -> int | None:
        """Index of the start with the best objective, the lower one of equals; None if all were lost."""
        if np.isnan(self.objective).all():
            return None
        return int(np.nanargmax(self.objective))


def hmm_fit(
    x: FloatArray,
    starts: HmmModels,
    *,
    prior: HmmPrior | None = None,
    max_iterations: int = 100,
    tolerance: float = 1e-2,
    fit_start: bool = True,
    fit_dof: bool = False,
    min_variance: float = 1e-12,
    threads: int = 1,
) -> HmmFits:
    """Fit every start to `x` by expectation maximisation; offline, it sees the whole series.

    With a prior the fit maximises the posterior. An update that gains less than `tolerance` in the objective ends a
    start. t emissions (Peel and McLachlan 2000): a bar's weight ``(v + D) / (v + z²)`` multiplies its responsibility
    in means and scales. The result does not depend on `threads`.

    Parameters
    ----------
    x : array, shape (n_bars, n_features), finite
    starts : HmmModels
        1 to 8 states; not changed.
    prior : HmmPrior, optional
    max_iterations : int
    tolerance : float
        In units of log-likelihood; minus infinity makes all updates.
    fit_start : bool
        Whether the distribution of the first state is fitted.
    fit_dof : bool
        Whether the degrees of freedom are fitted, one value for all states, between 2.1 and 200.
    min_variance : float
        Floor of variances.
    threads : int
        Starts fitted side by side.

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[-2.1], [-1.9], [-2.0], [2.2], [1.8], [2.0]])
    >>> starts = HmmModels(
    ...     np.full((1, 2), 0.5), np.full((1, 2, 2), 0.5), np.array([[[-1.0], [1.0]]]), np.ones((1, 2, 1)))
    >>> fits = hmm_fit(x, starts)
    >>> fits.models.means[fits.best].round(6).tolist()
    [[-2.0], [2.0]]

    References
    ----------
    Rabiner (1989), "A tutorial on hidden Markov models"; Peel and McLachlan (2000), "Robust mixture modelling using
    the t distribution".
    """
    x = matrix("x", x)
    held, full = _copied(starts, x.shape[1])
    count, k = held.start.shape
    counts = _prior_parts(prior or HmmPrior(), k, held.covariances.shape[1:])
    rounds = check.window("max_iterations", max_iterations, 0)
    workers = check.window("threads", threads)
    out = np.empty((count, 4))
    dof = np.empty((count, 0)) if held.dof is None else held.dof
    flat = [a.reshape(count, -1) for a in (held.transitions, held.means, held.covariances)]
    try:
        impl().hmm_fit(
            x, held.start, *flat, dof, *counts, full, rounds, float(tolerance), bool(fit_start), bool(fit_dof),
            check.positive("min_variance", min_variance), workers, out,
        )  # fmt: skip
    except ValueError as e:
        raise KernelError("KERNEL_HMM_FIT", f"hmm_fit: {e}") from e
    iterations = np.nan_to_num(out[:, 2]).astype(np.int64)
    return HmmFits(held, out[:, 0].copy(), out[:, 1].copy(), iterations, out[:, 3] == 1.0)


def _copied(starts: HmmModels, features: int) -> tuple[HmmModels, bool]:
    """Return contiguous copies of the starts, their shapes checked, and whether covariances are full."""
    start = np.asarray(starts.start)
    if start.ndim != 2 or not start.size:
        raise KernelError(
            "KERNEL_SHAPE", f"starts.start: expected shape (starts, states), found {start.shape}"
        )
    count, k = start.shape
    full = np.ndim(starts.covariances) == 4
    wanted: dict[str, tuple[int, ...]] = {
        "start": (count, k),
        "transitions": (count, k, k),
        "means": (count, k, features),
        "covariances": (count, k, features, features) if full else (count, k, features),
    }
    if starts.dof is not None:
        wanted["dof"] = (count, k)
    parts: dict[str, FloatArray] = {}
    for name, shape in wanted.items():
        found = getattr(starts, name)
        if not isinstance(found, np.ndarray) or found.dtype != np.float64 or found.shape != shape:
            raise KernelError(
                "KERNEL_SHAPE",
                f"starts.{name}: expected float64 of shape {shape}, found {getattr(found, 'dtype', type(found))} of "
                f"shape {np.shape(found)}",
                argument=name,
            )
        parts[name] = np.array(found, order="C", copy=True)
    return HmmModels(**parts), full


def _prior_parts(prior: HmmPrior, k: int, spread: tuple[int, ...]) -> list[Any]:
    """Return the prior as flat arrays and numbers, zeros for what it leaves open."""
    features = spread[1]
    out: list[Any] = []
    wanted = {"start": (k,), "moves": (k, k), "means": (k, features), "scatter": spread}
    for name, shape in wanted.items():
        found = getattr(prior, name)
        array = np.zeros(shape) if found is None else np.asarray(found, dtype=np.float64)
        if array.shape != shape:
            raise KernelError(
                "KERNEL_SHAPE", f"prior.{name}: expected shape {shape}, found {array.shape}", argument=name
            )
        out.append(np.ascontiguousarray(array).ravel())
    return [*out, float(prior.mean_weight), float(prior.weight)]
