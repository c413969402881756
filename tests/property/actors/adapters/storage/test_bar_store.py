from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.adapters.storage.bar_store import BarStore, Span, merge_spans
from actors.domain.model.bars import BarFrame

HOUR_NS = 3_600_000_000_000
spans = st.tuples(st.integers(0, 40), st.integers(1, 15)).map(lambda s: Span(s[0], s[0] + s[1]))


@given(st.lists(spans, max_size=8))
def test_merged_spans_hold_the_same_points_and_never_touch(given_spans: list[Span]) -> None:
    merged = merge_spans(given_spans)
    points = {p for s in given_spans for p in range(*s)}
    assert {p for s in merged for p in range(*s)} == points
    assert all(a.end_ns < b.start_ns for a, b in pairwise(merged))


@given(st.lists(spans, min_size=1, max_size=6), spans)
@settings(max_examples=25, deadline=None)
def test_any_order_of_downloads_ends_in_the_same_series(pieces: list[Span], wanted: Span) -> None:
    n = 60
    close = 100 + np.random.default_rng(1).normal(size=n).cumsum()
    frame = BarFrame("A/B", HOUR_NS, HOUR_NS * np.arange(n), close, close, close, close, close)
    with TemporaryDirectory() as folder:
        store = BarStore(Path(folder))
        for start, stop in pieces:
            covered = (start * HOUR_NS, stop * HOUR_NS)
            store.append(frame.slice_rows(start, stop), covered=covered)
        have = {p for s in pieces for p in range(*s)}
        assert store.read("A/B", HOUR_NS).open_ns.tolist() == [p * HOUR_NS for p in sorted(have)]
        missing = store.missing_spans("A/B", HOUR_NS, wanted.start_ns * HOUR_NS, wanted.end_ns * HOUR_NS)
        points = {t // HOUR_NS for s in missing for t in range(s.start_ns, s.end_ns, HOUR_NS)}
        assert points == set(range(*wanted)) - have
