import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.model.bars import BarFrame
from actors.domain.model.resample import StreamingResampler, resample

MIN = 60_000_000_000


@st.composite
def frames(draw: st.DrawFn) -> BarFrame:
    steps = draw(st.lists(st.integers(1, 7), min_size=1, max_size=60))
    n = len(steps)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    opens, close = rng.uniform(1, 2, (2, n))
    high, low = np.maximum(opens, close) + rng.random(n), np.minimum(opens, close) * rng.uniform(0.5, 1, n)
    times = (draw(st.integers(0, 10_000)) + np.cumsum(steps)) * MIN
    return BarFrame(
        "A/B", MIN, times, opens, high, low, close, rng.exponential(size=n), rng.integers(0, 4, n)
    )


@given(frames(), st.integers(2, 12))
@settings(max_examples=60, deadline=None)
def test_the_stream_gives_the_batch_to_the_last_bit(base: BarFrame, factor: int) -> None:
    batch = resample(base, factor * MIN)
    stream = StreamingResampler("A/B", MIN, factor * MIN)
    rows, missing, known = [], [], []
    for k, bar in enumerate(base.rows()):
        for higher, lost in stream.update(bar):
            rows.append(higher)
            missing.append(lost)
            known.append(k)
    assert rows == list(batch.frame.rows())
    assert missing == batch.missing.tolist()
    assert known == batch.known_row.tolist()


@given(frames(), st.integers(2, 12), st.data())
@settings(max_examples=60, deadline=None)
def test_the_future_never_changes_a_higher_bar(base: BarFrame, factor: int, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(base)))
    whole, prefix = resample(base, factor * MIN), resample(base.slice_rows(0, cut), factor * MIN)
    n = len(prefix.frame)
    assert n == int((whole.known_row < cut).sum())
    assert prefix.frame.equals(whole.frame.slice_rows(0, n))


@given(frames(), st.integers(2, 12))
@settings(max_examples=60, deadline=None)
def test_volume_and_extremes_are_kept(base: BarFrame, factor: int) -> None:
    higher = resample(base, factor * MIN, now_ns=base.end_ns + factor * MIN).frame
    assert np.isclose(higher.volume.sum(), base.volume.sum(), rtol=1e-12)
    assert higher.high.max() == base.high.max()
    assert higher.low.min() == base.low.min()
    assert (higher.open[0], higher.close[-1]) == (base.open[0], base.close[-1])
