"""Public market data of an exchange through ccxt: one polite, typed, redirectable client."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit, urlunsplit

from actors.domain.errors import (
    AuthenticationError,
    ConfigError,
    RateLimitedError,
    TradingError,
    VenueError,
    VenueUnavailableError,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class VenueTraits:
    """How an exchange hands out candles.

    Attributes
    ----------
    page_limit : int
        Candles per request.
    windowed : bool
        True if a request covers a fixed window of time, however few candles it holds; False if the
        exchange itself skips to the next candle it has.
    history_bars : int or None
        Number of most recent finished candles beyond which the exchange serves nothing.
    options : mapping
        ccxt options that keep requests to what candles need.
    """

    page_limit: int
    windowed: bool
    history_bars: int | None
    options: Mapping[str, Any]


_SPOT: Final = {"defaultType": "spot", "fetchCurrencies": False, "fetchMargins": False}
VENUES: Final[dict[str, VenueTraits]] = {
    "binance": VenueTraits(1000, False, None, {**_SPOT, "fetchMarkets": {"types": ["spot"]}}),
    "bybit": VenueTraits(1000, True, None, {**_SPOT, "fetchMarkets": {"types": ["spot"]}}),
    # history-candles hands out 100 at a time
    "okx": VenueTraits(100, True, None, {**_SPOT, "fetchMarkets": {"types": ["spot"]}}),
    "coinbase": VenueTraits(300, True, None, {"fetchCurrencies": False}),
    # the last 720 candles, of which one is still running
    "kraken": VenueTraits(720, False, 719, {}),
}
CLOSED: Final[dict[str, str]] = {
    "ftx": "FTX stopped withdrawals on 2022-11-08 and filed for bankruptcy on 2022-11-11",
    "ftxus": "FTX US filed for bankruptcy together with FTX on 2022-11-11",
    "bittrex": "Bittrex Global closed on 2023-12-04",
}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Patience with network errors: waits double from ``base_s`` to ``max_wait_s``.

    A wait that the venue asks for (Retry-After) is kept to the second; one beyond ``max_wait_s`` is
    handed to the caller as RateLimitedError instead of sleeping through it.
    """

    attempts: int = 6
    base_s: float = 0.5
    max_wait_s: float = 120.0

    def wait_s(self, failures: int) -> float:
        """Return the wait after a number of failures in a row.

        Examples
        --------
        >>> [RetryPolicy().wait_s(k) for k in (1, 2, 3, 20)]
        [0.5, 1.0, 2.0, 120.0]
        """
        return float(min(self.base_s * 2.0 ** min(failures - 1, 32), self.max_wait_s))


def create_exchange(name: str, *, urls: str | None = None, rate_limit_ms: float | None = None) -> Any:
    """Return a ccxt exchange for public data.

    Parameters
    ----------
    name : str
        One of `VENUES`.
    urls : str, optional
        Base address (scheme, host, port) that replaces the host of **every** address of the exchange,
        for loopback venues and gateways.
    rate_limit_ms : float, optional
        Milliseconds between requests of weight 1; by default what ccxt knows of the exchange.

    Raises
    ------
    ConfigError
        If the exchange is closed or not supported, or the base address is none.
    """
    known = name.strip().lower()
    others = ", ".join(sorted(VENUES))
    if known in CLOSED:
        raise ConfigError(
            "EXCHANGE_CLOSED",
            f"exchange: expected an exchange that trades, found {name!r}: {CLOSED[known]}; use {others}",
            exchange=known,
        )
    if known not in VENUES:
        close = difflib.get_close_matches(known, VENUES, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ConfigError(
            "EXCHANGE_UNKNOWN", f"exchange: expected one of {others}, found {name!r}{hint}", exchange=known
        )
    import ccxt

    exchange = getattr(ccxt, known)({"enableRateLimit": True, "options": dict(VENUES[known].options)})
    if rate_limit_ms is not None:
        exchange.rateLimit = rate_limit_ms
        exchange.init_throttler()
    if urls is not None:
        redirect(exchange, urls)
    return exchange


def redirect(exchange: Any, base: str) -> None:
    """Send every request of a ccxt exchange to another host and prove that none is left behind.

    Raises
    ------
    ConfigError
        If the base is no address, or an address of the exchange still names another host.
    """
    target = urlsplit(base)
    if target.scheme not in ("http", "https") or not target.netloc or target.query or target.fragment:
        raise ConfigError(
            "BASE_URL_INVALID", f"urls: expected an address such as http://127.0.0.1:8080, found {base!r}"
        )
    prefix = target.path.rstrip("/")

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(item) for key, item in value.items()}
        if not isinstance(value, str):
            return value
        path = prefix + urlsplit(value).path
        return urlunsplit((target.scheme, target.netloc, path, "", ""))

    exchange.urls["api"] = moved(exchange.urls["api"])
    foreign = [a for a in _addresses(exchange.urls["api"]) if urlsplit(a).netloc != target.netloc]
    if foreign:
        raise ConfigError("FOREIGN_HOST", f"urls: expected every address at {target.netloc}, found {foreign}")


def _addresses(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [address for item in value.values() for address in _addresses(item)]
    return [value] if isinstance(value, str) else []


def call(
    exchange: Any,
    what: str,
    request: Callable[[], T],
    *,
    retry: RetryPolicy,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Make one read-only request, again after network errors, and translate what is left of errors.

    Reading changes nothing at the venue, so a repeat is safe; never use this to place orders.

    Raises
    ------
    VenueError
        VenueUnavailableError or RateLimitedError when patience runs out; others at once.
    """
    import ccxt

    failures = 0
    while True:
        exchange.last_response_headers = None  # a later Retry-After must not be read from an older answer
        try:
            return request()
        except ccxt.BaseError as error:
            failures += 1
            asked = _retry_after(exchange)
            typed = _typed(exchange, what, error, asked, failures)
            passing = isinstance(error, ccxt.NetworkError) or type(error) is ccxt.OperationFailed
            wait = asked if asked is not None else retry.wait_s(failures)
            if not passing or failures >= retry.attempts or wait > retry.max_wait_s:
                raise typed from error
            sleep(wait)


def _retry_after(exchange: Any) -> float | None:
    headers = exchange.last_response_headers or {}
    text = headers.get("Retry-After")
    if text is None:
        return None
    try:
        return max(float(text), 0.0)
    except ValueError:  # a date instead of seconds: our own back-off has to do
        return None


def _typed(exchange: Any, what: str, error: Exception, asked: float | None, failures: int) -> TradingError:
    import ccxt

    venue = exchange.id
    detail = f"{type(error).__name__}: {str(error)[:300]}{_reason(error)}"
    tried = f"after {failures} attempt{'s' if failures > 1 else ''}"
    context = {"exchange": venue, "request": what}
    if isinstance(error, ccxt.DDoSProtection | ccxt.RateLimitExceeded):
        wait = f"; it asks to wait {asked:g} s" if asked is not None else ""
        return RateLimitedError(
            "VENUE_RATE_LIMIT",
            f"{venue} {what}: expected an answer, found a rate limit {tried}{wait} ({detail}); "
            "run the command again later, it goes on where it stopped",
            retryable=True, retry_after_s=asked, **context,
        )  # fmt: skip
    if isinstance(error, ccxt.AuthenticationError):
        return AuthenticationError(
            "VENUE_AUTHENTICATION", f"{venue} {what}: expected public access, found {detail}", **context
        )
    if isinstance(error, ccxt.BadSymbol):
        return VenueError("SYMBOL_UNKNOWN", f"{venue} {what}: expected a market, found {detail}", **context)
    if isinstance(error, ccxt.NetworkError) or type(error) is ccxt.OperationFailed:
        return VenueUnavailableError(
            "VENUE_UNAVAILABLE",
            f"{venue} {what}: expected an answer, found none {tried} ({detail}); "
            "check the network and run the command again, it goes on where it stopped",
            retryable=True, **context,
        )  # fmt: skip
    return VenueError("VENUE_REFUSED", f"{venue} {what}: expected candles, found {detail}", **context)


def _reason(error: BaseException) -> str:
    """Return what the operating system said, which ccxt leaves out: refused, no route, unknown host.

    Examples
    --------
    >>> try:
    ...     raise ValueError("GET http://127.0.0.1:1") from ConnectionRefusedError(111, "Connection refused")
    ... except ValueError as e:
    ...     print(_reason(e))
    : Connection refused
    """
    seen: BaseException | None = error
    for _ in range(10):  # ccxt, requests, urllib3 and http.client wrap it in turn
        if seen is None:
            break
        if isinstance(seen, OSError) and seen.errno is not None and seen.strerror:
            return f": {seen.strerror}"
        seen = seen.__cause__ or seen.__context__
    return ""


def find_market(exchange: Any, pair: str) -> dict[str, Any]:
    """Return ccxt's market of a pair; the exchange's markets must be loaded.

    Raises
    ------
    VenueError
        If the exchange does not list the pair; the message names the nearest ones.
    """
    market = exchange.markets.get(pair)
    if market is None:
        close = difflib.get_close_matches(pair, sorted(exchange.markets), n=3, cutoff=0.5)
        hint = f"; similar: {', '.join(close)}" if close else ""
        raise VenueError(
            "SYMBOL_UNKNOWN",
            f"{exchange.id}: expected one of its {len(exchange.markets)} markets, found {pair!r}{hint}",
            exchange=exchange.id,
            pair=pair,
        )
    return dict(market)
