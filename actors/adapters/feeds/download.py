"""Candles from an exchange into a store: resumable, rate-limited, finished bars only."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from actors.adapters.feeds.ccxt_client import VENUES, RetryPolicy, call, create_exchange, find_market
from actors.domain.errors import ConfigError, DataError, VenueError
from actors.domain.model.bars import VALUE_COLUMNS, BarFrame
from actors.domain.model.timeframe import floor_to_bar, format_timeframe, parse_timeframe
from actors.domain.model.timerange import format_ns

_MS = 1_000_000
_FIRST_ATTEMPTS = 3


class BarSink(Protocol):
    """What the downloader needs of a store; `storage.bar_store.BarStore` has it."""

    def path(self, pair: str, timeframe_ns: int) -> Path:
        """Return where a series is or would be."""
        ...

    def append(self, frame: BarFrame, *, covered: tuple[int, int] | None = None) -> Any:
        """Add bars; ``covered`` is the span that is complete with them."""
        ...

    def missing_spans(
        self, pair: str, timeframe_ns: int, start_ns: int, end_ns: int
    ) -> Sequence[tuple[int, int]]:
        """Return the spans that are not yet complete, in order."""
        ...


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """How far the download of one pair is; ``done_frac`` is the share of the span asked for."""

    pair: str
    bars: int
    at_ns: int
    done_frac: float


def download(
    exchange: str,
    pairs: Sequence[str],
    timeframe: str,
    since_ns: int,
    until_ns: int | None,
    store: BarSink,
    *,
    resume: bool = True,
    progress: Callable[[DownloadProgress], None] | None = None,
    urls: str | None = None,
    rate_limit_ms: float | None = None,
    retry: RetryPolicy | None = None,
    flush_pages: int = 10,
    sleep: Callable[[float], None] = time.sleep,
    clock_ns: Callable[[], int] = time.time_ns,
) -> list[Path]:
    """Download candles of several pairs into a store.

    Parameters
    ----------
    exchange : str
        `binance`, `bybit`, `coinbase`, `kraken` or `okx`.
    pairs : sequence of str
        Such as ``BTC/USDT``; all are looked up before the first candle is fetched.
    timeframe : str
    since_ns, until_ns : int, int or None
        Half-open span of opening times; None means up to now. The bar that is not finished yet by the
        exchange's own clock is left out.
    store : BarSink
        Remembers with the bars which spans are complete, gaps of the exchange included.
    resume : bool
        Skip what is complete already. Without it everything is fetched again, and a bar that differs
        from the stored one is an error; nothing stored is deleted.
    progress : callable, optional
        Called after each page.
    urls : str, optional
        Base address instead of the exchange's hosts.
    rate_limit_ms, retry, sleep, clock_ns
        Politeness, patience and time.
    flush_pages : int
        Pages between two writes: what a killed process has to fetch again at most.

    Returns
    -------
    list of Path
        One file per pair.

    Raises
    ------
    ConfigError
        If the exchange is closed or unknown, does not have the timeframe, or the span is empty.
    VenueError
        Unknown pair, rate limit, exchange not available; what was fetched is stored before it is raised.
    DataError
        If candles contradict themselves or those stored, or there are none in the span.
    """
    timeframe_ns = parse_timeframe(timeframe)
    retry = retry if retry is not None else RetryPolicy()
    client = create_exchange(exchange, urls=urls, rate_limit_ms=rate_limit_ms)
    if format_timeframe(timeframe_ns) not in client.timeframes:
        raise ConfigError(
            "TIMEFRAME_NOT_SERVED",
            f"timeframe: expected one of {', '.join(client.timeframes)} at {client.id}, found {timeframe!r}",
        )
    # nothing is at stake yet, and a mistyped address is more likely than an outage
    first = replace(retry, attempts=min(retry.attempts, _FIRST_ATTEMPTS))
    call(client, "markets", client.load_markets, retry=first, sleep=sleep)
    for pair in pairs:
        find_market(client, pair)
    now_ns = _venue_time_ns(client, retry, sleep, clock_ns)
    start_ns = _ceil_to_bar(since_ns, timeframe_ns)
    finished_ns = floor_to_bar(now_ns, timeframe_ns)
    end_ns = finished_ns if until_ns is None else min(_ceil_to_bar(until_ns, timeframe_ns), finished_ns)
    if start_ns >= end_ns:
        raise ConfigError(
            "TIMERANGE_EMPTY",
            f"timerange: expected at least one finished bar, found {format_ns(since_ns)} to "
            f"{format_ns(until_ns if until_ns is not None else now_ns)} with "
            f"{client.id}'s clock at {format_ns(now_ns)}",
        )
    _check_history(client, timeframe_ns, start_ns, now_ns)
    fetch = _Fetch(client, timeframe_ns, now_ns, retry, sleep, f"{client.id}{f' at {urls}' if urls else ''}")
    files = []
    for pair in pairs:
        spans = store.missing_spans(pair, timeframe_ns, start_ns, end_ns) if resume else [(start_ns, end_ns)]
        left = sum(stop - start for start, stop in spans)
        done = end_ns - start_ns - left
        bars = 0
        for start, stop in spans:
            # closed at once, so that an interrupt from outside stores what was fetched
            with closing(_stored_pages(fetch, pair, start, stop, store, flush_pages)) as fetched:
                for page in fetched:
                    bars += page.rows
                    if progress is not None:
                        share = (done + page.next_ns - start) / (end_ns - start_ns)
                        progress(DownloadProgress(pair, bars, page.next_ns, share))
            done += stop - start
        path = store.path(pair, timeframe_ns)
        if not path.exists():
            raise DataError(
                "NO_BARS_AT_VENUE",
                f"{client.id} {pair} {timeframe}: expected candles between {format_ns(start_ns)} and "
                f"{format_ns(end_ns)}, found none; it may be listed later",
                pair=pair,
            )
        files.append(path)
    return files


@dataclass(frozen=True, slots=True)
class _Page:
    rows: int
    next_ns: int


@dataclass(frozen=True, slots=True)
class _Fetch:
    client: Any
    timeframe_ns: int
    now_ns: int
    retry: RetryPolicy
    sleep: Callable[[float], None]
    source: str

    def page(self, pair: str, at_ns: int, stop_ns: int) -> tuple[list[list[float]], int]:
        """Return the candles from a time on, and the time up to which nothing is missing."""
        traits = VENUES[self.client.id]
        window_end = min(at_ns + traits.page_limit * self.timeframe_ns, stop_ns)
        params = {"until": window_end // _MS - 1} if traits.windowed else {}
        text = format_timeframe(self.timeframe_ns)
        rows = call(
            self.client,
            f"{pair} {text} candles from {format_ns(at_ns)}",
            lambda: self.client.fetch_ohlcv(pair, text, at_ns // _MS, traits.page_limit, params),
            retry=self.retry,
            sleep=self.sleep,
        )
        end = window_end if traits.windowed else stop_ns
        kept = sorted((r for r in rows if at_ns <= int(r[0]) * _MS < end), key=lambda r: r[0])
        if kept and int(kept[-1][0]) * _MS + self.timeframe_ns > self.now_ns:
            # off our grid (weeks that do not begin on Monday) and still running
            raise VenueError(
                "VENUE_GRID",
                f"{self.client.id} {pair} {text}: expected candles on the usual grid, found one that opened "
                f"at {format_ns(int(kept[-1][0]) * _MS)} and is not finished; choose another timeframe",
            )
        if traits.windowed:
            return kept, window_end
        if not rows:
            return [], stop_ns  # the exchange skips to the next candle it has: there is none
        if not kept:
            newest = max(int(r[0]) for r in rows) * _MS
            if newest < at_ns:
                raise VenueError(
                    "VENUE_REPEATS",
                    f"{self.client.id} {pair}: expected candles from {format_ns(at_ns)} on, found only "
                    f"older ones up to {format_ns(newest)}",
                )
            return [], stop_ns
        beyond = any(int(r[0]) * _MS >= stop_ns for r in rows)
        return kept, stop_ns if beyond else int(kept[-1][0]) * _MS + self.timeframe_ns


def _stored_pages(
    fetch: _Fetch, pair: str, start_ns: int, stop_ns: int, store: BarSink, flush_pages: int
) -> Generator[_Page, None, None]:
    held: list[list[float]] = []
    begun, at, pages = start_ns, start_ns, 0
    try:
        while at < stop_ns:
            rows, following = fetch.page(pair, at, stop_ns)
            held += rows
            at = following
            pages += 1
            if pages % flush_pages == 0:
                _flush(fetch, pair, held, begun, at, store)
                held, begun = [], at
            yield _Page(len(rows), at)
    finally:
        # also on an error or an interrupt: what was fetched is kept, and the next run goes on from it
        if at > begun:
            _flush(fetch, pair, held, begun, at, store)


def _flush(
    fetch: _Fetch, pair: str, rows: list[list[float]], start_ns: int, stop_ns: int, store: BarSink
) -> None:
    if not rows and not store.path(pair, fetch.timeframe_ns).exists():
        return  # before the listing: there is nothing to keep yet
    store.append(_to_frame(fetch, pair, rows), covered=(start_ns, stop_ns))


def _to_frame(fetch: _Fetch, pair: str, rows: list[list[float]]) -> BarFrame:
    unique: dict[int, list[float]] = {}
    for row in rows:
        open_ns = int(row[0]) * _MS
        if unique.setdefault(open_ns, row) != row:
            raise DataError(
                "BARS_CONTRADICT",
                f"{fetch.source} {pair}: expected one candle for {format_ns(open_ns)}, "
                f"found {unique[open_ns]} and {row}",
            )
    # a value that the exchange leaves out becomes NaN, which the frame refuses by its row
    table = [[np.nan if v is None else float(v) for v in row[1:6]] for row in unique.values()]
    values = np.array(table, dtype=np.float64).reshape(len(table), 5).T
    columns = {
        "open_ns": np.array(list(unique), dtype=np.int64),
        **dict(zip(VALUE_COLUMNS, values, strict=True)),
    }
    return BarFrame.from_columns(pair, fetch.timeframe_ns, columns, source=fetch.source)


def _ceil_to_bar(time_ns: int, timeframe_ns: int) -> int:
    floor = floor_to_bar(time_ns, timeframe_ns)
    return floor if floor == time_ns else floor + timeframe_ns


def _venue_time_ns(
    client: Any, retry: RetryPolicy, sleep: Callable[[float], None], clock_ns: Callable[[], int]
) -> int:
    if client.has.get("fetchTime") is True:
        return int(call(client, "time", client.fetch_time, retry=retry, sleep=sleep)) * _MS
    return clock_ns()


def _check_history(client: Any, timeframe_ns: int, start_ns: int, now_ns: int) -> None:
    limit = VENUES[client.id].history_bars
    if limit is None:
        return
    earliest = floor_to_bar(now_ns, timeframe_ns) - limit * timeframe_ns
    if start_ns < earliest:
        raise VenueError(
            "VENUE_HISTORY_LIMIT",
            f"{client.id}: expected a start at or after {format_ns(earliest)}, since it serves only the last "
            f"{limit} finished candles, found {format_ns(start_ns)}; start later or choose another exchange",
            exchange=client.id,
        )
