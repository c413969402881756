"""Splits: what is trained on never meets what is tested, whatever the numbers."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.errors import InsufficientDataError
from actors.domain.validation.splits import combinatorial_purged, group_bounds


@given(
    st.integers(20, 80), st.integers(2, 6), st.integers(0, 4), st.integers(0, 2),
    st.integers(1, 2), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_no_train_span_meets_a_test_span(
    bars: int, groups: int, longest: int, embargo: int, tested: int, seed: int
) -> None:
    if tested >= groups:
        return
    horizon = np.random.default_rng(seed).integers(0, longest + 1, size=bars)
    ends = np.minimum(np.arange(bars) + horizon, bars - 1)
    try:
        splits = combinatorial_purged(bars, groups, tested, label_ends=ends, embargo_bars=embargo)
    except InsufficientDataError:
        return
    assert len(splits) == math.comb(groups, tested)
    bounds = group_bounds(bars, groups)
    for split in splits:
        kept = set(split.train.tolist())
        assert split.test.tolist() == [i for g in split.groups for i in range(*bounds[g])]
        for i in range(bars):
            free = True
            for g in split.groups:
                a, b = bounds[g]
                last = int(ends[a:b].max())
                meets = i <= last and int(ends[i]) >= a
                free &= not meets and not last < i <= last + embargo
            assert (i in kept) == free
