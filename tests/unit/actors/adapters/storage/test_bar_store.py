import os
import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from actors.adapters.feeds.files import load_bars
from actors.adapters.storage.bar_store import BarStore, Span
from actors.domain.errors import DataError, StorageError
from actors.domain.model.bars import BarFrame

HOUR_NS = 3_600_000_000_000
START_NS = 1_577_836_800_000_000_000


def _bars(n: int = 500, *, synthetic: bool = False, pair: str = "BTC/USDT") -> BarFrame:
    rng = np.random.default_rng(3)
    close = 100 * np.exp(rng.normal(0, 0.01, n).cumsum())
    high, low = close * 1.01, close * 0.99
    times = START_NS + HOUR_NS * np.arange(n)
    flags = rng.integers(0, 4, n)
    return BarFrame(
        pair, HOUR_NS, times, close, high, low, close, rng.random(n), flags, source="x", synthetic=synthetic
    )


def test_what_is_written_is_read_to_the_last_bit(tmp_path: Path) -> None:
    store, frame = BarStore(tmp_path / "data"), _bars(synthetic=True)
    path = store.write(frame)
    found = store.read("BTC/USDT", HOUR_NS)
    assert found.equals(frame)
    assert (found.source, found.synthetic) == ("x", True)
    assert path.name == "BTC_USDT-1h.parquet"


def test_the_data_argument_reads_what_the_store_wrote(tmp_path: Path) -> None:
    frame = _bars(synthetic=True)
    loaded = load_bars(BarStore(tmp_path).write(frame), "BTC/USDT", "1h")
    assert loaded.equals(frame)
    assert loaded.synthetic


@pytest.mark.parametrize(
    ("first", "last"), [(None, None), (10, None), (None, 20), (10, 20), (0, 0), (499, 600)]
)
@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_ranges_hold_the_start_and_leave_out_the_end(
    tmp_path: Path, first: int | None, last: int | None, shift: int
) -> None:
    store, frame = BarStore(tmp_path), _bars()
    store.write(frame)
    start, end = (None if k is None else START_NS + k * HOUR_NS + shift for k in (first, last))
    assert store.read("BTC/USDT", HOUR_NS, start, end).equals(frame.slice_time(start, end))


def test_appending_in_any_order_and_with_overlap_gives_the_same_series(tmp_path: Path) -> None:
    store, frame = BarStore(tmp_path), _bars()
    results = [
        store.append(frame.slice_rows(a, b))
        for a, b in ((100, 200), (0, 50), (150, 400), (30, 110), (400, 500))
    ]
    assert store.read("BTC/USDT", HOUR_NS).equals(frame)
    assert [(r.added, r.repeated) for r in results] == [(100, 0), (50, 0), (200, 50), (50, 30), (100, 0)]
    assert store.covered("BTC/USDT", HOUR_NS) == [Span(frame.start_ns, frame.end_ns)]


def test_a_bar_that_contradicts_the_stored_one_is_refused(tmp_path: Path) -> None:
    store, frame = BarStore(tmp_path), _bars()
    store.write(frame.slice_rows(0, 100))
    volume = frame.volume.copy()
    volume[99] += 1e-9
    changed = BarFrame(
        "BTC/USDT", HOUR_NS, frame.open_ns, frame.open, frame.high, frame.low, frame.close, volume
    )
    before = store.path("BTC/USDT", HOUR_NS).read_bytes()
    with pytest.raises(DataError) as caught:
        store.append(changed.slice_rows(90, 110))
    assert caught.value.code == "BARS_CONTRADICT"
    assert store.path("BTC/USDT", HOUR_NS).read_bytes() == before


def test_real_and_synthetic_bars_never_mix(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    store.write(_bars().slice_rows(0, 10))
    with pytest.raises(DataError) as caught:
        store.append(_bars(synthetic=True).slice_rows(10, 20))
    assert caught.value.code == "SYNTHETIC_MIXED"


def test_missing_spans_are_what_is_not_covered(tmp_path: Path) -> None:
    store, frame = BarStore(tmp_path), _bars()
    assert store.missing_spans("BTC/USDT", HOUR_NS, 0, 10) == [Span(0, 10)]
    t = frame.open_ns.tolist()
    store.append(frame.slice_rows(10, 20), covered=Span(t[8], t[20]))
    store.append(frame.slice_rows(40, 50), covered=Span(t[40], t[52]))
    assert store.missing_spans("BTC/USDT", HOUR_NS, t[0], t[100]) == [
        Span(t[0], t[8]), Span(t[20], t[40]), Span(t[52], t[100]),
    ]  # fmt: skip
    assert store.missing_spans("BTC/USDT", HOUR_NS, t[9], t[19]) == []
    assert store.missing_spans("BTC/USDT", HOUR_NS, t[15], t[45]) == [Span(t[20], t[40])]


def test_contents_lists_every_series_and_ignores_strangers(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    assert store.contents() == []
    store.write(_bars(10, pair="ETH/USDT"))
    store.write(_bars(20))
    (tmp_path / "notes.txt").write_text("x")
    found = store.contents()
    assert [(s.pair, s.timeframe, s.rows) for s in found] == [("BTC/USDT", "1h", 20), ("ETH/USDT", "1h", 10)]
    assert (found[0].first_ns, found[0].last_ns) == (START_NS, START_NS + 19 * HOUR_NS)


def test_the_store_answers_sql(tmp_path: Path) -> None:
    store, frame = BarStore(tmp_path), _bars()
    store.write(frame)
    store.write(_bars(10, pair="ETH/USDT"))
    found = store.sql("SELECT pair, count(*) AS n, max(close) AS top FROM bars GROUP BY pair ORDER BY pair")
    assert found["pair"].tolist() == ["BTC/USDT", "ETH/USDT"]
    assert found["n"].tolist() == [500, 10]
    assert found["top"][0] == frame.close.max()


def test_what_is_not_stored_or_damaged_is_a_data_error(tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    with pytest.raises(DataError) as caught:
        store.read("BTC/USDT", HOUR_NS)
    assert caught.value.code == "SERIES_MISSING"
    store.path("BTC/USDT", HOUR_NS).write_bytes(b"PAR1 torn")
    with pytest.raises(DataError) as caught:
        store.read("BTC/USDT", HOUR_NS)
    assert caught.value.code == "STORE_READ_FAILED"


@pytest.mark.parametrize("pair", ["../BTC", "BTC USDT/X", ""])
def test_a_pair_cannot_lead_out_of_the_folder(tmp_path: Path, pair: str) -> None:
    with pytest.raises(DataError):
        BarStore(tmp_path).path(pair, HOUR_NS)


def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path) -> None:
    # a real write that fails half-way: the kernel refuses more than the file size limit
    store = BarStore(tmp_path)
    store.write(_bars(100))
    before = store.path("BTC/USDT", HOUR_NS).read_bytes()
    child = textwrap.dedent(
        """
        import resource, sys
        from pathlib import Path
        import numpy as np
        from actors.adapters.storage.bar_store import BarStore
        from actors.domain.errors import StorageError
        from actors.domain.model.bars import BarFrame
        n, hour = 20_000, 3_600_000_000_000
        close = np.random.default_rng(1).random(n) + 1
        frame = BarFrame("BTC/USDT", hour, hour * np.arange(n), close, close, close, close, close)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        try:
            BarStore(Path(sys.argv[1])).write(frame)
        except StorageError as error:
            print(error.code)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", child, str(tmp_path)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[5], timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[5])},
    )  # fmt: skip
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 50_000
    assert done.stdout.strip() == "STORE_WRITE_FAILED"
    assert store.path("BTC/USDT", HOUR_NS).read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["BTC_USDT-1h.parquet"]


def test_a_failed_rename_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, frame = BarStore(tmp_path), _bars()
    store.write(frame.slice_rows(0, 100))

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises(StorageError, match="unchanged"):
            store.append(frame.slice_rows(100, 200))
    assert store.read("BTC/USDT", HOUR_NS).equals(frame.slice_rows(0, 100))
    assert len(list(tmp_path.iterdir())) == 1
