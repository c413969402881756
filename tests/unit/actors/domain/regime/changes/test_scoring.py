"""Scores of change points on cases counted by hand."""

from __future__ import annotations

import pytest

from actors.domain.regime.changes.scoring import covering, f1, matched


def test_each_found_point_serves_one_marked_point_and_the_margin_counts() -> None:
    assert matched([10, 11, 12], [11], 5) == 1
    assert matched([10], [15], 5) == 1
    assert matched([10], [16], 5) == 0
    assert matched([10, 14], [9, 12], 5) == 2


def test_f1_counts_precision_on_the_union_and_recall_per_annotator() -> None:
    marks = {"a": [20, 60], "b": [60], "c": []}
    # found 0, 61, 90: 0 and 61 lie on the union, so 2 of 3; recalls with index 0: 2/3, 2/2, 1/1
    precision, recall = 2 / 3, (2 / 3 + 1 + 1) / 3
    assert f1(marks, [61, 90]) == pytest.approx(2 * precision * recall / (precision + recall))
    assert f1({"a": [], "b": []}, []) == 1.0
    assert f1(marks, [61, 90], margin=0) < f1(marks, [61, 90])


def test_covering_takes_the_best_segment_for_each_marked_one() -> None:
    # marked 0-40-100, found 0-50-100: 40/50 of the first, 50/60 of the second
    assert covering({"a": [40]}, [50], 100) == pytest.approx(0.4 * 40 / 50 + 0.6 * 50 / 60)
    assert covering({"a": [40], "b": [50]}, [50], 100) == pytest.approx(
        0.5 * (0.4 * 40 / 50 + 0.6 * 50 / 60) + 0.5
    )
    assert covering({"a": [40]}, [0, 40, 40, 100], 100) == 1.0
