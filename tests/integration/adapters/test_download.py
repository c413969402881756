"""The downloader against a real HTTP server on loopback that speaks Binance's public REST."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from actors.adapters.feeds.ccxt_client import VENUES, RetryPolicy, create_exchange, redirect
from actors.adapters.feeds.download import DownloadProgress, download
from actors.adapters.feeds.files import load_bars
from actors.adapters.storage.bar_store import BarStore, Span
from actors.domain.errors import (
    ConfigError,
    DataError,
    InvalidBarError,
    RateLimitedError,
    VenueError,
    VenueUnavailableError,
)
from actors.domain.model.bars import BarFrame
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams

ROOT = Path(__file__).resolve().parents[3]
HOUR_NS = 3_600_000_000_000
PAIR = "BTC/USDT"


def _support() -> ModuleType:
    path = ROOT / "tests" / "support" / "binance_rest.py"
    spec = importlib.util.spec_from_file_location("binance_rest", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["binance_rest"] = module
    spec.loader.exec_module(module)
    return module


rest = _support()


@pytest.fixture(scope="module")
def frame() -> BarFrame:
    """950 hourly bars with an outage of 12 hours in the middle."""
    bars = generate(SyntheticParams(n_bars=962), seed=3).frames[PAIR]
    keep = np.r_[0:500, 512:962]
    names = ("open_ns", "open", "high", "low", "close", "volume")
    return BarFrame.from_columns(PAIR, HOUR_NS, {n: getattr(bars, n)[keep] for n in names})


@pytest.fixture
def venue(frame: BarFrame) -> Iterator[Any]:
    """A venue whose clock stands at the end of the last bar, with small pages."""
    with rest.BinanceRest({"BTCUSDT": frame}, frame.end_ns // 10**6, page_limit=100) as server:
        yield server


def _get(venue: Any, store: BarStore, frame: BarFrame, **changes: Any) -> list[Path]:
    settings: dict[str, Any] = {
        "exchange": "binance", "pairs": [PAIR], "timeframe": "1h", "since_ns": frame.start_ns,
        "until_ns": None, "store": store, "urls": venue.url, "rate_limit_ms": 0.01, "sleep": venue.advance,
    }  # fmt: skip
    return download(**{**settings, **changes})


@pytest.mark.shared_data
def test_the_whole_history_equals_the_source(tmp_path: Path, shared_data: Path) -> None:
    source = load_bars(shared_data / "ohlcv" / "binance_spot" / "BTCUSDT_1h.parquet", PAIR)
    source = source.slice_time(None, 1_527_811_200_000_000_000)  # to June 2018, 3 outages
    assert [g.missing for g in source.gaps()] == [6, 1, 33]
    with rest.BinanceRest({"BTCUSDT": source}, source.end_ns // 10**6) as venue:
        store, seen = BarStore(tmp_path), []
        # asked from a year before the listing on
        since = source.start_ns - 365 * 24 * HOUR_NS
        files = _get(venue, store, source, since_ns=since, progress=seen.append)
        assert files == [store.path(PAIR, HOUR_NS)]
        assert store.read(PAIR, HOUR_NS).equals(source)
        assert len(venue.klines_served()) == -(-len(source) // 1000) == len(seen)
        assert [p.bars for p in seen][-1] == len(source)
        assert [p.done_frac for p in seen] == sorted(p.done_frac for p in seen)
        assert seen[-1].done_frac == 1.0


def test_a_second_run_fetches_no_candle(venue: Any, frame: BarFrame, tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    _get(venue, store, frame)
    before = len(venue.klines_served())
    _get(venue, store, frame)
    assert len(venue.klines_served()) == before
    assert store.read(PAIR, HOUR_NS).equals(frame)


def test_the_unfinished_candle_is_left_out(venue: Any, frame: BarFrame, tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    venue.now_ms -= 1  # one millisecond before the last bar closes: the venue serves it all the same
    _get(venue, store, frame)
    assert store.read(PAIR, HOUR_NS).equals(frame.slice_rows(0, -1))
    assert any(int(r.query["startTime"]) <= frame.open_ns[-1] // 10**6 for r in venue.klines_served())
    venue.now_ms += 1
    _get(venue, store, frame)
    assert store.read(PAIR, HOUR_NS).equals(frame)


def test_the_span_holds_its_start_and_leaves_out_its_end(venue: Any, frame: BarFrame, tmp_path: Path) -> None:
    store = BarStore(tmp_path)
    start, end = int(frame.open_ns[120]), int(frame.open_ns[333])
    _get(venue, store, frame, since_ns=start - 1, until_ns=end)
    assert store.read(PAIR, HOUR_NS).equals(frame.slice_rows(120, 333))
    _get(venue, store, frame, since_ns=int(frame.open_ns[700]), until_ns=int(frame.open_ns[800]))
    _get(venue, store, frame)  # what lies before, between and after
    assert store.read(PAIR, HOUR_NS).equals(frame)
    assert store.covered(PAIR, HOUR_NS) == [Span(frame.start_ns, frame.end_ns)]


def test_a_killed_download_goes_on_without_gap_or_duplicate(frame: BarFrame, tmp_path: Path) -> None:
    child = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from actors.adapters.feeds.download import download
        from actors.adapters.storage.bar_store import BarStore
        url, folder, since = sys.argv[1:]
        settings = {"urls": url, "rate_limit_ms": 0.01, "flush_pages": 2}
        download("binance", ["BTC/USDT"], "1h", int(since), None, BarStore(Path(folder)), **settings)
        """
    )
    now_ms = frame.end_ns // 10**6
    with rest.BinanceRest({"BTCUSDT": frame}, now_ms, page_limit=100, hold_klines_after=5) as venue:
        command = [sys.executable, "-c", child, venue.url, str(tmp_path), str(frame.start_ns)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, env=environment, cwd=ROOT) as process:
            assert venue.held.wait(120)
            process.send_signal(signal.SIGKILL)
            assert process.wait(30) == -signal.SIGKILL
        store = BarStore(tmp_path)
        # two writes of two pages each; the fifth page was fetched and lost with the process
        assert store.read(PAIR, HOUR_NS).equals(frame.slice_rows(0, 400))
        served = len(venue.klines_served())
        venue.release()
        _get(venue, store, frame)
        assert store.read(PAIR, HOUR_NS).equals(frame)
        first = venue.klines_served()[served:]
        starts = [
            int(r.query["startTime"])
            for r in first
            if int(r.query["startTime"]) != frame.open_ns[500] // 10**6
        ]
        assert min(starts) == frame.open_ns[400] // 10**6


def test_an_interrupted_download_keeps_every_page(venue: Any, frame: BarFrame, tmp_path: Path) -> None:
    store = BarStore(tmp_path)

    def interrupt(progress: DownloadProgress) -> None:
        if progress.bars == 300:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _get(venue, store, frame, progress=interrupt)
    assert store.read(PAIR, HOUR_NS).equals(frame.slice_rows(0, 300))
    _get(venue, store, frame)
    assert store.read(PAIR, HOUR_NS).equals(frame)
    assert len(venue.klines_served()) == 10


def test_a_rate_limit_is_honoured_to_the_second(frame: BarFrame, tmp_path: Path) -> None:
    # 30 units a minute: the markets cost 20, the time 1, so the fifth page is refused
    now_ms = frame.end_ns // 10**6 + 18_000
    with rest.BinanceRest({"BTCUSDT": frame}, now_ms, page_limit=100, weight_per_minute=30) as venue:
        waits: list[float] = []

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            venue.advance(seconds)

        store = BarStore(tmp_path)
        _get(venue, store, frame, sleep=sleep)
        assert store.read(PAIR, HOUR_NS).equals(frame)
        assert waits == [42.0]
        assert [r.status for r in venue.requests].count(429) == 1
        assert 418 not in [r.status for r in venue.requests]


def test_a_ban_longer_than_our_patience_is_an_error_and_keeps_what_was_fetched(
    venue: Any, frame: BarFrame, tmp_path: Path
) -> None:
    store = BarStore(tmp_path)
    waits: list[float] = []

    def ban(progress: DownloadProgress) -> None:
        if progress.bars == 200:
            venue.fail_next("/api/v3/klines", rest.Fault(418, 99, {"Retry-After": "3600"}, "{}"))

    with pytest.raises(RateLimitedError) as caught:
        _get(venue, store, frame, progress=ban, sleep=waits.append)
    assert caught.value.context["retry_after_s"] == 3600
    assert caught.value.retryable
    assert waits == []
    assert store.read(PAIR, HOUR_NS).equals(frame.slice_rows(0, 200))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_venue_is_asked_again_with_growing_patience(
    venue: Any, frame: BarFrame, tmp_path: Path, status: int
) -> None:
    store, waits = BarStore(tmp_path), []
    venue.fail_next("/api/v3/klines", rest.Fault(status, 3, body="upstream"))
    _get(venue, store, frame, sleep=waits.append)
    assert waits == [0.5, 1.0, 2.0]
    assert store.read(PAIR, HOUR_NS).equals(frame)


def test_patience_ends_and_says_so(venue: Any, frame: BarFrame, tmp_path: Path) -> None:
    waits: list[float] = []
    venue.fail_next("/api/v3/klines", rest.Fault(503, 99))
    with pytest.raises(VenueUnavailableError, match="after 3 attempts") as caught:
        _get(venue, BarStore(tmp_path), frame, sleep=waits.append, retry=RetryPolicy(attempts=3))
    assert caught.value.exit_code == 4
    assert len(waits) == 2
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_pair_is_refused_before_any_candle_is_fetched(
    venue: Any, frame: BarFrame, tmp_path: Path
) -> None:
    with pytest.raises(VenueError, match="similar: BTC/USDT") as caught:
        _get(venue, BarStore(tmp_path), frame, pairs=[PAIR, "BTC/USDX"])
    assert caught.value.code == "SYMBOL_UNKNOWN"
    assert venue.klines_served() == []


def test_a_pair_the_venue_dropped_is_not_asked_for_again(venue: Any, frame: BarFrame, tmp_path: Path) -> None:
    body = '{"code": -1121, "msg": "Invalid symbol."}'
    venue.fail_next("/api/v3/klines", rest.Fault(400, 9, {"Content-Type": "application/json"}, body))
    waits: list[float] = []
    with pytest.raises(VenueError) as caught:
        _get(venue, BarStore(tmp_path), frame, sleep=waits.append)
    assert caught.value.code == "SYMBOL_UNKNOWN"
    assert waits == []


def test_a_closed_port_is_an_unavailable_venue(frame: BarFrame, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    waits: list[float] = []
    with pytest.raises(VenueUnavailableError, match=r"after 3 attempts .*: Connection refused") as caught:
        download(
            "binance", [PAIR], "1h", frame.start_ns, None, BarStore(tmp_path), urls=url, rate_limit_ms=0.01,
            sleep=waits.append,
        )  # fmt: skip
    assert (caught.value.code, caught.value.exit_code) == ("VENUE_UNAVAILABLE", 4)
    assert waits == [0.5, 1.0]


def test_a_venue_that_goes_away_in_the_middle_loses_nothing(
    venue: Any, frame: BarFrame, tmp_path: Path
) -> None:
    store = BarStore(tmp_path)

    def leave(progress: DownloadProgress) -> None:
        if progress.bars == 400:
            venue.stop()

    with pytest.raises(VenueUnavailableError):
        _get(venue, store, frame, progress=leave, sleep=lambda _: None, retry=RetryPolicy(attempts=2))
    assert store.read(PAIR, HOUR_NS).equals(frame.slice_rows(0, 400))


def test_candles_that_contradict_themselves_or_the_store_are_refused(
    venue: Any, frame: BarFrame, tmp_path: Path
) -> None:
    open_ms = frame.start_ns // 10**6
    insane = f'[[{open_ms}, "1", "0.5", "1", "1", "1", {open_ms + 3599999}, "0", 0, "0", "0", "0"]]'
    venue.fail_next("/api/v3/klines", rest.Fault(200, 1, {"Content-Type": "application/json"}, insane))
    with pytest.raises(InvalidBarError):
        _get(venue, BarStore(tmp_path / "a"), frame, flush_pages=1)
    store = BarStore(tmp_path / "b")
    _get(venue, store, frame, until_ns=int(frame.open_ns[50]))
    values = {n: getattr(frame, n) for n in ("open_ns", "open", "high", "low", "close")}
    venue.frames["BTCUSDT"] = BarFrame.from_columns(PAIR, HOUR_NS, {**values, "volume": frame.volume + 1})
    with pytest.raises(DataError) as caught:
        _get(venue, store, frame, resume=False)
    assert caught.value.code == "BARS_CONTRADICT"
    assert store.read(PAIR, HOUR_NS).equals(frame.slice_rows(0, 50))


def test_a_span_without_any_candle_is_said(venue: Any, frame: BarFrame, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        _get(
            venue, BarStore(tmp_path), frame, since_ns=frame.start_ns - 50 * HOUR_NS, until_ns=frame.start_ns
        )
    assert caught.value.code == "NO_BARS_AT_VENUE"
    with pytest.raises(ConfigError, match="finished bar"):
        _get(venue, BarStore(tmp_path), frame, since_ns=frame.end_ns)
    with pytest.raises(ConfigError, match="1h"):
        _get(venue, BarStore(tmp_path), frame, timeframe="7h")


def test_several_pairs_come_in_one_run(frame: BarFrame, tmp_path: Path) -> None:
    other = generate(SyntheticParams(n_bars=300), seed=3).frames["ETH/USDT"]
    frames = {"BTCUSDT": frame, "ETHUSDT": other}
    with rest.BinanceRest(frames, frame.end_ns // 10**6) as venue:
        store = BarStore(tmp_path)
        files = _get(venue, store, frame, pairs=[PAIR, "ETH/USDT"])
        assert [f.name for f in files] == ["BTC_USDT-1h.parquet", "ETH_USDT-1h.parquet"]
        assert np.array_equal(store.read("ETH/USDT", HOUR_NS).close, other.close)
        assert not store.read(PAIR, HOUR_NS).synthetic


@pytest.mark.parametrize("name", sorted(VENUES))
def test_no_address_of_any_exchange_is_left_behind(name: str) -> None:
    def addresses(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [a for item in value.values() for a in addresses(item)]
        return [value] if isinstance(value, str) else []

    exchange = create_exchange(name)
    before = addresses(exchange.urls["api"])
    redirect(exchange, "http://127.0.0.1:9/prefix")
    after = addresses(exchange.urls["api"])
    assert len(after) == len(before) > 0
    assert all(a.startswith("http://127.0.0.1:9/prefix") for a in after)


def test_an_exchange_that_is_closed_or_unknown_is_named_with_the_others() -> None:
    with pytest.raises(ConfigError, match=r"2022-11-11.*binance, bybit, coinbase, kraken, okx") as caught:
        create_exchange("FTX")
    assert (caught.value.code, caught.value.exit_code) == ("EXCHANGE_CLOSED", 2)
    with pytest.raises(ConfigError, match="did you mean binance"):
        create_exchange("binanse")
    with pytest.raises(ConfigError, match=r"http://127\.0\.0\.1:8080"):
        create_exchange("binance", urls="localhost")
