"""How found change points are scored against those that people marked: F1 with a margin, and covering.

As van den Burg and Williams (2020) define them for the Turing Change Point Dataset. A change point is the index at
which a new segment begins; index 0 is one that everyone finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise


def matched(marked: Iterable[int], found: Iterable[int], margin: int) -> int:
    """Return how many marked points have a found one within `margin`, each found one used once, the nearest first.

    Examples
    --------
    >>> matched([10, 12], [11], 5), matched([10, 30], [12, 27], 5)
    (1, 2)
    """
    free = sorted(set(found))
    hits = 0
    for point in sorted(set(marked)):
        near = [(abs(point - f), f) for f in free if abs(point - f) <= margin]
        if near:
            free.remove(min(near)[1])
            hits += 1
    return hits


def f1(annotations: Mapping[str, Sequence[int]], found: Sequence[int], margin: int = 5) -> float:
    """Return F1: precision against the union of all annotators, recall as their mean.

    Examples
    --------
    >>> round(f1({"a": [50], "b": []}, [48]), 3)
    1.0
    >>> round(f1({"a": [50], "b": []}, []), 3)
    0.857
    """
    ours = {0, *found}
    marked = [{0, *points} for points in annotations.values()]
    precision = matched(set().union(*marked), ours, margin) / len(ours)
    recall = sum(matched(points, ours, margin) / len(points) for points in marked) / len(marked)
    return 2.0 * precision * recall / (precision + recall)


def covering(annotations: Mapping[str, Sequence[int]], found: Sequence[int], bars: int) -> float:
    """Return how well the best segments found cover those of each annotator, by Jaccard index, mean over annotators.

    Examples
    --------
    >>> covering({"a": [50]}, [50], 100), covering({"a": [50]}, [], 100)
    (1.0, 0.5)
    """
    ours = _segments(found, bars)
    total = 0.0
    for points in annotations.values():
        for start, end in _segments(points, bars):
            best = max(_jaccard(start, end, a, b) for a, b in ours)
            total += (end - start) / bars * best
    return total / len(annotations)


def _segments(points: Sequence[int], bars: int) -> list[tuple[int, int]]:
    edges = [0, *sorted(p for p in dict.fromkeys(points) if 0 < p < bars), bars]
    return list(pairwise(edges))


def _jaccard(a: int, b: int, c: int, d: int) -> float:
    both = min(b, d) - max(a, c)
    return both / (b - a + d - c - both) if both > 0 else 0.0
