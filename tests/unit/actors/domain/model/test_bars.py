import pickle

import numpy as np
import pytest

from actors.domain.errors import DataError, InvalidBarError
from actors.domain.model.bars import FLAG_FORWARD_FILLED, BarFrame, Gap, concat_frames

MIN = 60_000_000_000


def _frame(n: int = 10, **changes: object) -> BarFrame:
    rng = np.random.default_rng(7)
    close = 100 + rng.normal(size=n).cumsum()
    opens = np.concatenate([[100.0], close[:-1]])
    columns: dict[str, object] = {
        "open_ns": np.arange(n) * MIN,
        "open": opens,
        "high": np.maximum(opens, close) + 1,
        "low": np.minimum(opens, close) - 1,
        "close": close,
        "volume": rng.random(n),
    }
    columns.update(changes)
    return BarFrame("BTC/USDT", MIN, **columns)  # type: ignore[arg-type]


def test_a_frame_does_not_follow_changes_of_the_arrays_it_was_made_of() -> None:
    close = np.full(3, 5.0)
    frame = BarFrame("A/B", MIN, np.arange(3) * MIN, close, close, close, close, close)
    close[1] = 9.0
    assert frame.close.tolist() == [5.0, 5.0, 5.0]
    with pytest.raises(ValueError, match="read-only"):
        frame.close[0] = 1.0


def test_slices_by_time_hold_the_start_and_leave_out_the_end() -> None:
    frame = _frame()
    part = frame.slice_time(2 * MIN, 5 * MIN)
    assert part.open_ns.tolist() == [2 * MIN, 3 * MIN, 4 * MIN]
    assert np.shares_memory(part.close, frame.close)
    assert len(frame.slice_time(None, None)) == len(frame)
    assert len(frame.slice_time(2 * MIN + 1, 3 * MIN)) == 0


def test_only_closed_bars_are_known() -> None:
    frame = _frame()
    assert len(frame.known_at(3 * MIN)) == 3
    assert len(frame.known_at(3 * MIN - 1)) == 2
    assert len(frame.known_at(0)) == 0


def test_the_hash_sees_every_part_but_the_source() -> None:
    frame = _frame()
    assert frame.data_hash == _frame(source="elsewhere").data_hash
    changed = frame.volume.copy()
    changed[-1] = np.nextafter(changed[-1], 2)
    others = [
        _frame(volume=changed),
        _frame(flags=np.full(10, FLAG_FORWARD_FILLED)),
        frame.slice_rows(0, 9),
        BarFrame(
            "ETH/USDT", MIN, frame.open_ns, frame.open, frame.high, frame.low, frame.close, frame.volume
        ),
        BarFrame(
            "BTC/USDT", MIN // 2, frame.open_ns, frame.open, frame.high, frame.low, frame.close, frame.volume
        ),
    ]
    hashes = {f.data_hash for f in [frame, *others]}
    assert len(hashes) == 6
    assert frame.data_hash == pickle.loads(pickle.dumps(frame)).data_hash


def test_gaps_name_the_first_missing_bar() -> None:
    frame = _frame()
    keep = [0, 1, 4, 5, 9]
    holed = BarFrame(
        "A/B", MIN, *(getattr(frame, c)[keep] for c in ("open_ns", "open", "high", "low", "close", "volume"))
    )
    assert holed.gaps() == (Gap(2 * MIN, 4 * MIN, 2), Gap(6 * MIN, 9 * MIN, 3))


@pytest.mark.parametrize("times", [[0, 0], [MIN, 0]])
def test_times_must_increase(times: list[int]) -> None:
    one = np.ones(2)
    with pytest.raises(DataError) as caught:
        BarFrame("A/B", MIN, np.array(times), one, one, one, one, one)
    assert caught.value.code == "BARS_UNSORTED"
    assert caught.value.context["row"] == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [("low", 200.0), ("high", 1.0), ("low", -1.0), ("close", np.nan), ("high", np.inf), ("volume", -1.0),
     ("volume", np.nan), ("low", 0.0), ("open", np.inf)],
)  # fmt: skip
def test_an_insane_bar_is_named(column: str, value: float) -> None:
    values = getattr(_frame(), column).copy()
    values[4] = value
    with pytest.raises(InvalidBarError) as caught:
        _frame(**{column: values})
    assert caught.value.context["row"] == 4


def test_columns_must_have_one_length() -> None:
    with pytest.raises(DataError) as caught:
        _frame(volume=np.ones(3))
    assert caught.value.code == "BARS_SHAPE"


def test_frames_that_follow_each_other_join() -> None:
    frame = _frame()
    assert concat_frames([frame.slice_rows(0, 3), frame.slice_rows(3, None)]).equals(frame)
    with pytest.raises(DataError, match="increasing"):
        concat_frames([frame.slice_rows(0, 5), frame.slice_rows(3, None)])


def test_an_empty_frame_has_no_span() -> None:
    with pytest.raises(DataError) as caught:
        _ = _frame().slice_rows(0, 0).start_ns
    assert caught.value.code == "NO_BARS"


def test_rows_are_plain_python_values() -> None:
    frame = _frame()
    rows = list(frame.rows())
    assert rows[3] == frame.row(3)
    assert type(rows[0].close) is float
    assert type(rows[0].open_ns) is int
