"""Several opinions into one: the precision-weighted mean Σ(wμ/σ²)/Σ(w/σ²) of their directions.

An opinion of confidence c in direction d counts as a measurement d of variance (1−c)/c, hence precision
c/(1−c): confidence 0 abstains, 1/2 weighs 1, and certainty is capped so that nobody outvotes everybody.
The pooling is commutative, and pooling equal opinions returns that opinion.

References
----------
Cochran (1937), "Problems arising in the analysis of a series of similar experiments"; Clemen & Winkler
(1999), "Combining probability distributions from experts in risk analysis".
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

MAX_CONFIDENCE = 0.95
NOTHING = 1e-200  # below it the quotient of two sums has lost its digits: nobody speaks


class Pooled(msgspec.Struct, frozen=True, gc=False):
    """Outcome of pooling.

    Attributes
    ----------
    shares : tuple of float
        Share of each member in the mean; sum 1, or all 0 if everybody abstains.
    direction : float
        In [-1, 1]; 0 if everybody abstains.
    confidence : float
        Mean confidence over the members that were allowed to speak, abstentions counted as 0: the size
        of a view that one member in four holds is a quarter of its confidence.
    """

    shares: tuple[float, ...]
    direction: float
    confidence: float


def pool(directions: Sequence[float], confidences: Sequence[float], weights: Sequence[float]) -> Pooled:
    """Return the precision-weighted mean of opinions.

    Parameters
    ----------
    directions, confidences : sequence of float, shape (n_members,)
        In [-1, 1] and [0, 1].
    weights : sequence of float, shape (n_members,)
        Non-negative prior weights; they need not sum to 1. A weight of 0 silences a member.

    Examples
    --------
    >>> pool([1.0, -1.0], [0.5, 0.5], [0.5, 0.5])
    Pooled(shares=(0.5, 0.5), direction=0.0, confidence=0.5)
    >>> pool([1.0, 0.0], [0.5, 0.0], [0.5, 0.5])
    Pooled(shares=(1.0, 0.0), direction=1.0, confidence=0.25)
    """
    total = spoken = mean = allowed = 0.0
    raw = []
    for i, w in enumerate(weights):  # by index: a strict zip of four costs more than the sums
        d, c = directions[i], confidences[i]
        held = c if c < MAX_CONFIDENCE else MAX_CONFIDENCE
        x = w * held / (1.0 - held)
        raw.append(x)
        total += x
        mean += x * d
        spoken += w * c
        allowed += w
    if total < NOTHING:
        return Pooled((0.0,) * len(raw), 0.0, 0.0)
    return Pooled(tuple([x / total for x in raw]), mean / total, spoken / allowed)
