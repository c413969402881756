"""Ulcer index: the root of the mean squared drawdown.

Martin & McCann (1989), "The investor's guide to Fidelity funds".
"""

from __future__ import annotations

from actors.domain.registry import component
from actors.domain.search.objectives.base import Direction, MetricObjective


@component
class Ulcer(MetricObjective):
    """The ulcer index, less is better; a run that never trades would win, so it is not judged.

    Examples
    --------
    >>> Ulcer(Ulcer.Params()).direction
    'minimize'
    """

    direction: Direction = "minimize"
    reads = ("ulcer",)
