"""Balanced accuracies printed by others, beside which a study puts its own.

Two states: a 2025 thesis's replication, 1000 trials a cell, of Nystrup, Lindström and Madsen (2020). Three states: the
notebooks of the continuous jump model's authors, 1024 trials; see `actors.domain.regime.study.three_states`.
"""

from __future__ import annotations

from collections.abc import Mapping

LENGTHS = (250, 500, 1000, 2000)
TRIALS: Mapping[str, int] = {"two_states": 1000, "three_states": 1024}
_TWO: Mapping[tuple[str, str], tuple[float, ...]] = {
    ("gaussian", "true_path"): (0.695, 0.780, 0.877, 0.929),
    ("t5", "true_path"): (0.668, 0.751, 0.847, 0.893),
    ("gaussian", "jump"): (0.655, 0.765, 0.878, 0.930),
    ("t5", "jump"): (0.637, 0.739, 0.846, 0.903),
    # the better of the two printed rows, fixed start and k-means start
    ("gaussian", "hmm"): (0.531, 0.648, 0.747, 0.867),
    ("t5", "hmm"): (0.523, 0.582, 0.676, 0.725),
}
PRINTED_THREE: Mapping[int, Mapping[str, tuple[float, float]]] = {
    500: {
        "true_path": (0.8145, 0.9667), "hmm": (0.5403, 0.6626), "jump_backward": (0.7227, 0.7560),
        "jump_continuous": (0.7399, 0.7968), "jump_continuous_mode": (0.7427, 0.7909),
    },
    1000: {
        "true_path": (0.8432, 0.9828), "hmm": (0.5534, 0.6812), "jump_backward": (0.7368, 0.7932),
        "jump_continuous": (0.7521, 0.8303), "jump_continuous_mode": (0.7526, 0.8291),
    },
    2000: {
        "true_path": (0.8807, 0.9867), "hmm": (0.5756, 0.7150), "jump_backward": (0.7584, 0.8173),
        "jump_continuous": (0.7810, 0.8614), "jump_continuous_mode": (0.7800, 0.8603),
    },
}  # fmt: skip
"""Three states, by length and row: recall averaged by state, and area under the ROC curve."""


def published_bac(study: str, emission: str, bars: int, row: str) -> float | None:
    """Return what was printed for a cell of the two-state study, None if nothing was.

    Examples
    --------
    >>> published_bac("two_states", "t5", 1000, "jump"), published_bac("three_states", "gaussian", 1000, "jump")
    (0.846, None)
    """
    if bars not in LENGTHS or study != "two_states":
        return None
    found = _TWO.get((emission, row))
    return None if found is None else found[LENGTHS.index(bars)]
