"""A loopback server that speaks Binance's public spot REST: time, exchangeInfo, klines.

It keeps the rules that a downloader has to live with: at most 1,000 klines a request, `startTime` and
`endTime` inclusive, the running candle served as it stands, request weights per minute with 429 and
Retry-After beyond them and 418 for those who go on, errors in Binance's form. Faults are planted with
`fail_next`. Its clock stands still unless a test moves it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from actors.domain.model.bars import BarFrame
from actors.domain.model.timeframe import parse_timeframe

_WEIGHTS = {"/api/v3/time": 1, "/api/v3/exchangeInfo": 20, "/api/v3/klines": 2}
_MINUTE_MS = 60_000


@dataclass
class Fault:
    """An answer given instead of the right one, a number of times."""

    status: int
    times: int = 1
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass
class Request:
    """What the server saw."""

    path: str
    query: dict[str, str]
    status: int


class BinanceRest:
    """The server; use it as a context manager.

    Parameters
    ----------
    frames : dict of symbol (`BTCUSDT`) to bars
    now_ms : int
        The venue's clock.
    page_limit : int
        Largest number of klines an answer holds, 1,000 at Binance.
    weight_per_minute : int
    hold_klines_after : int, optional
        From this request for klines on the server answers nothing until `release` is called.
    """

    def __init__(
        self,
        frames: Mapping[str, BarFrame],
        now_ms: int,
        *,
        page_limit: int = 1000,
        weight_per_minute: int = 6000,
        hold_klines_after: int | None = None,
    ) -> None:
        self.frames = dict(frames)
        self.now_ms = now_ms
        self.page_limit = page_limit
        self.weight_per_minute = weight_per_minute
        self.hold_klines_after = hold_klines_after
        self.requests: list[Request] = []
        self.held = threading.Event()
        self.url = ""
        self._faults: dict[str, list[Fault]] = {}
        self._weights: dict[int, int] = {}
        self._refused_in_a_row = 0
        self._released: asyncio.Event
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="binance-rest", daemon=True)

    def __enter__(self) -> BinanceRest:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the port; the address stays known."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(30)

    def fail_next(self, path: str, fault: Fault) -> None:
        """Plant a fault in the next answers of a path."""
        self._faults.setdefault(path, []).append(fault)

    def release(self) -> None:
        """Let held requests go on."""
        self.hold_klines_after = None
        self._loop.call_soon_threadsafe(self._released.set)

    def advance(self, seconds: float) -> None:
        """Move the venue's clock: what a test's `sleep` does."""
        self.now_ms += round(seconds * 1000)

    def klines_served(self) -> list[Request]:
        """Requests for klines that were answered with klines."""
        return [r for r in self.requests if r.path == "/api/v3/klines" and r.status == 200]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()
        self._released.set()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    async def _start(self) -> web.AppRunner:
        self._released = asyncio.Event()
        app = web.Application(middlewares=[self._gate])
        app.router.add_get("/api/v3/time", self._time)
        app.router.add_get("/api/v3/exchangeInfo", self._exchange_info)
        app.router.add_get("/api/v3/klines", self._klines)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        return runner

    @web.middleware
    async def _gate(self, request: web.Request, handler: Any) -> web.StreamResponse:
        answer = self._refusal(request.path)
        if answer is None:
            answer = await handler(request)
        minute = self.now_ms // _MINUTE_MS
        answer.headers["X-MBX-USED-WEIGHT-1M"] = str(self._weights.get(minute, 0))
        self.requests.append(Request(request.path, dict(request.query), answer.status))
        return answer

    def _refusal(self, path: str) -> web.Response | None:
        faults = self._faults.get(path, [])
        while faults and faults[0].times <= 0:
            faults.pop(0)
        if faults:
            faults[0].times -= 1
            return web.Response(status=faults[0].status, headers=faults[0].headers, text=faults[0].body)
        minute = self.now_ms // _MINUTE_MS
        used = self._weights.get(minute, 0) + _WEIGHTS.get(path, 1)
        if used <= self.weight_per_minute:
            self._weights[minute] = used
            self._refused_in_a_row = 0
            return None
        self._refused_in_a_row += 1
        wait_s = -(-((minute + 1) * _MINUTE_MS - self.now_ms) // 1000)
        status = 418 if self._refused_in_a_row > 3 else 429
        limit = self.weight_per_minute
        text = f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE."
        return _error(status, -1003, text, {"Retry-After": str(wait_s)})

    async def _time(self, _: web.Request) -> web.Response:
        return web.json_response({"serverTime": self.now_ms})

    async def _exchange_info(self, _: web.Request) -> web.Response:
        symbols = [_symbol(s, self.frames[s].pair) for s in self.frames]
        return web.json_response(
            {"timezone": "UTC", "serverTime": self.now_ms, "rateLimits": [], "symbols": symbols}
        )

    async def _klines(self, request: web.Request) -> web.Response:
        query = request.query
        frame = self.frames.get(query.get("symbol", ""))
        if frame is None:
            return _error(400, -1121, "Invalid symbol.")
        if parse_timeframe(query["interval"]) != frame.timeframe_ns:
            return _error(400, -1120, "Invalid interval.")
        if self.hold_klines_after is not None and len(self.klines_served()) >= self.hold_klines_after:
            self.held.set()
            await self._released.wait()
        limit = min(int(query.get("limit", 500)), self.page_limit)
        start = int(query.get("startTime", 0)) * 1_000_000
        # inclusive at both ends, and nothing that has not begun
        end = min(int(query.get("endTime", self.now_ms)), self.now_ms) * 1_000_000 + 1
        part = frame.slice_time(start, max(end, start)).slice_rows(0, limit)
        return web.json_response([_kline(row, frame.timeframe_ns) for row in part.rows()])


def _kline(row: Any, timeframe_ns: int) -> list[Any]:
    open_ms = row.open_ns // 1_000_000
    prices = [f"{value:.8f}" for value in (row.open, row.high, row.low, row.close, row.volume)]
    return [open_ms, *prices, open_ms + timeframe_ns // 1_000_000 - 1, "0.0", 0, "0.0", "0.0", "0"]


def _symbol(symbol: str, pair: str) -> dict[str, Any]:
    base, quote = pair.split("/")
    return {
        "symbol": symbol,
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": quote,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
            {"filterType": "NOTIONAL", "minNotional": "5.0", "maxNotional": "9000000"},
        ],
    }


def _error(status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"code": code, "msg": message}, status=status, headers=headers)
