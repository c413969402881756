"""How many different things were tried: trials grouped by the correlation of their returns.

López de Prado & Lewis (2019), "Detection of false investment strategies using unsupervised learning methods", for
counting clusters instead of trials; theirs are chosen by silhouettes, which cannot say "all one" or "all different".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InvalidParamsError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
ALIKE = 0.5
"""Mean correlation from which two groups of trials count as one thing."""


@dataclass(frozen=True)
class TrialGroups:
    """Trials grouped by likeness.

    Attributes
    ----------
    count : int
        Groups: the effective number of trials.
    labels : array, shape (n_trials,)
        Group of each trial, numbered in the order in which they first occur.
    mean_correlation : float or None
        Over all pairs of trials that vary; None for fewer than two of them.
    """

    count: int
    labels: IntArray
    mean_correlation: float | None


def group_trials(returns: FloatArray, *, alike: float = ALIKE) -> TrialGroups:
    """Group trials by average linkage on √(½(1 − ρ)), cut where the mean distance is that of correlation `alike`.

    Parameters
    ----------
    returns : array, shape (n_bars, n_trials)
    alike : float in (0, 1)

    Returns
    -------
    TrialGroups
        Independent trials make as many groups, copies of one make one; trials that never varied share a group.

    Raises
    ------
    InvalidParamsError
        If the matrix is not finite, has no trial or fewer than two bars.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> a, b = rng.standard_normal((2, 500, 1))
    >>> group_trials(np.hstack([a, a, b, a * 2.0, 0.0 * a])).labels.tolist()
    [0, 0, 1, 0, 2]
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    table = np.asarray(returns, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] < 1 or not np.isfinite(table).all():
        raise InvalidParamsError(
            "TRIALS_MATRIX",
            f"returns: expected finite values of shape (bars ≥ 2, trials ≥ 1), found shape {table.shape}",
        )
    deviation = table - table.mean(axis=0)
    norm = np.sqrt((deviation * deviation).sum(axis=0))
    moving = np.flatnonzero(norm > 1e-14 * np.abs(table).max(axis=0) * np.sqrt(len(table)))
    labels = np.full(table.shape[1], -1, dtype=np.int64)
    mean = None
    if len(moving) == 1:
        labels[moving] = 0
    elif len(moving) > 1:
        unit = deviation[:, moving] / norm[moving]
        upper = np.triu_indices(len(moving), 1)
        correlation = np.clip((unit.T @ unit)[upper], -1.0, 1.0)
        mean = float(correlation.mean())
        # rounded: the last digits of a product of matrices differ between machines, and a group must not
        distance = np.round(np.sqrt(0.5 * (1.0 - correlation)), 9)
        tree = linkage(distance, method="average")
        labels[moving] = fcluster(tree, np.sqrt(0.5 * (1.0 - alike)), criterion="distance")
    _, first = np.unique(labels, return_index=True)
    order = {int(labels[k]): n for n, k in enumerate(sorted(first.tolist()))}
    named = np.array([order[int(label)] for label in labels], dtype=np.int64)
    return TrialGroups(len(order), named, mean)
