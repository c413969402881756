"""Paging on the venues that differ from Binance, each played by its rules over ccxt's own requests.

Known of the venues: order, limits and ends of the window as their documentation states them; the shape
of the answers as ccxt parses it. Every request that ccxt builds goes through `play`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from actors.adapters.feeds import download as download_module
from actors.adapters.feeds.ccxt_client import VENUES, create_exchange
from actors.adapters.feeds.download import download
from actors.adapters.storage.bar_store import BarStore
from actors.domain.errors import VenueError
from actors.domain.model.bars import BarFrame, BarRow
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams

HOUR_S = 3600
HOUR_NS = HOUR_S * 10**9
PAIR = "BTC/USDT"
Query = dict[str, str]


def _okx(bars: list[BarRow], query: Query) -> Any:
    # `before` and `after` are exclusive; the newest of what lies between comes first
    low, high = int(query["before"]) * 10**6, int(query["after"]) * 10**6
    found = [b for b in bars if low < b.open_ns < high][-min(int(query["limit"]), 100) :]
    rows = [[str(b.open_ns // 10**6), *map(str, b[1:6]), "0", "0", "1"] for b in reversed(found)]
    return {"code": "0", "msg": "", "data": rows}


def _coinbase(bars: list[BarRow], query: Query) -> Any:
    low, high = int(query["start"]) * 10**9, int(query["end"]) * 10**9
    assert (high - low) / HOUR_NS < 350, "number of candles requested should be less than 350"
    names = ("open", "high", "low", "close", "volume")
    rows = [
        {"start": str(b.open_ns // 10**9), **{n: str(getattr(b, n)) for n in names}}
        for b in bars
        if low <= b.open_ns <= high
    ]
    return {"candles": rows[::-1]}


def _bybit(bars: list[BarRow], query: Query) -> Any:
    low, high = int(query["start"]) * 10**6, int(query["end"]) * 10**6
    found = [b for b in bars if low <= b.open_ns <= high][-int(query["limit"]) :]
    rows = [[str(b.open_ns // 10**6), *map(str, b[1:6]), "0"] for b in reversed(found)]
    return {"retCode": 0, "result": {"category": "spot", "symbol": "BTCUSDT", "list": rows}}


def _kraken(bars: list[BarRow], query: Query) -> Any:
    since = int(query["since"])
    found = [b for b in bars[-720:] if b.open_ns // 10**9 > since]
    rows = [[b.open_ns // 10**9, *map(str, b[1:5]), "0", str(b.volume), 1] for b in found]
    return {"error": [], "result": {"BTCUSDT": rows, "last": since}}


PLAYS: dict[str, Callable[[list[BarRow], Query], Any]] = {
    "okx": _okx, "coinbase": _coinbase, "bybit": _bybit, "kraken": _kraken,
}  # fmt: skip


@pytest.fixture
def bars() -> BarFrame:
    return generate(SyntheticParams(n_bars=2500), seed=9).frames[PAIR]


def _venue(name: str, frame: BarFrame, now_ns: int, patch: pytest.MonkeyPatch) -> list[Query]:
    """Let `download` use a client of a venue that plays the bars; return the list of its requests."""
    client = create_exchange(name, rate_limit_ms=0.01)
    market = {
        "id": "BTCUSDT", "symbol": PAIR, "base": "BTC", "quote": "USDT", "type": "spot", "spot": True,
        "info": {},
    }  # fmt: skip
    client.set_markets([client.safe_market_structure(market)])
    shown = list(frame.slice_time(None, now_ns).rows())  # the running candle too
    requests: list[Query] = []

    def play(url: str, method: str = "GET", headers: object = None, body: object = None) -> Any:
        query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
        requests.append(query)
        return PLAYS[name](shown, query)

    client.fetch = play
    client.fetch_time = lambda: now_ns // 10**6
    client.has["fetchTime"] = True
    patch.setattr(download_module, "create_exchange", lambda *_, **__: client)
    return requests


def test_every_venue_but_binance_is_played() -> None:
    assert set(PLAYS) | {"binance"} == set(VENUES)


@pytest.mark.parametrize("outage", [0, 400])
@pytest.mark.parametrize("name", ["okx", "coinbase", "bybit"])
def test_windows_join_without_gap_or_duplicate(
    name: str, outage: int, bars: BarFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("open_ns", "open", "high", "low", "close", "volume")
    rows = [k for k in range(len(bars)) if not 1000 <= k < 1000 + outage]
    venue = BarFrame.from_columns(PAIR, HOUR_NS, {n: getattr(bars, n)[rows] for n in names})
    now_ns = venue.end_ns - 1
    requests = _venue(name, venue, now_ns, monkeypatch)
    store = BarStore(tmp_path)
    download(name, [PAIR], "1h", venue.start_ns - 50 * HOUR_NS, None, store)
    assert store.read(PAIR, HOUR_NS).equals(venue.slice_rows(0, -1))
    assert len(requests) == -(-(2499 + 50) // VENUES[name].page_limit)


def test_kraken_serves_its_last_candles_and_says_so_beyond(
    bars: BarFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ns = bars.end_ns - 1
    requests = _venue("kraken", bars, now_ns, monkeypatch)
    store = BarStore(tmp_path)
    with pytest.raises(VenueError, match="last 719 finished candles") as caught:
        download("kraken", [PAIR], "1h", int(bars.open_ns[-721]), None, store)
    assert caught.value.code == "VENUE_HISTORY_LIMIT"
    assert requests == []
    download("kraken", [PAIR], "1h", int(bars.open_ns[-720]), None, store)
    assert store.read(PAIR, HOUR_NS).equals(bars.slice_rows(-720, -1))
