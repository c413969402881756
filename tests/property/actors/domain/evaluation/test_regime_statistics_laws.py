"""Laws of regime statistics, whatever the labels."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.evaluation.regime_statistics import regime_statistics

VOCABULARY = ("bull", "bear", "crash")
LABELS = st.lists(st.sampled_from((*VOCABULARY, "")), min_size=0, max_size=60)


def statistics(labels):
    closes = [100.0 * (1.0 + 0.01 * ((7 * k) % 5)) for k in range(len(labels))]
    return regime_statistics(labels, closes, VOCABULARY, periods_per_year=365.0, seed=1, paths=20)


@settings(max_examples=60, deadline=None)
@given(LABELS)
def test_shares_rows_and_counts_add_up(labels):
    s = statistics(labels)
    assert sum(r.bars for r in s.rows) + s.unlabelled_bars == s.bars == len(labels)
    if s.rows:
        assert sum(r.share_frac for r in s.rows) == pytest.approx(1.0)
    for row in s.transitions:
        if row[0].value is not None:
            assert sum(e.value for e in row) == pytest.approx(1.0)
            assert all(0.0 <= e.low <= e.value <= e.high <= 1.0 for e in row)
        else:
            assert all(e.value is e.low is e.high is None for e in row)
    assert sum(map(sum, s.counts)) == sum(bool(a and b) for a, b in pairwise(labels))
    assert s.switches == sum(bool(a and b and a != b) for a, b in pairwise(labels))
    assert sum(r.exits for r in s.rows) == s.switches
    assert sum(r.return_bars for r in s.rows) == sum(bool(a) for a in labels[:-1])


@settings(max_examples=60, deadline=None)
@given(LABELS)
def test_durations_are_those_of_whole_spells(labels):
    s = statistics(labels)
    for row in s.rows:
        assert (row.mean_bars is None) == (row.median_bars is None) == (row.spells == 0)
        if row.mean_bars is not None:
            assert 1.0 <= row.mean_bars <= row.longest_bars
        e = row.expected_bars
        if e.value is not None:
            assert e.low <= e.value
            assert e.high is None or e.value <= e.high


@settings(max_examples=30, deadline=None)
@given(LABELS)
def test_other_names_give_the_same_figures(labels):
    new = {"bull": "bear", "bear": "crash", "crash": "bull", "": ""}
    one, two = statistics(labels), statistics([new[x] for x in labels])
    figures = {
        r.label: (r.bars, r.spells, r.mean_bars, r.expected_bars, r.volatility_ann.value) for r in two.rows
    }
    for r in one.rows:
        assert figures[new[r.label]] == (
            r.bars,
            r.spells,
            r.mean_bars,
            r.expected_bars,
            r.volatility_ann.value,
        )
