"""Which column of a foreign table is which: synonyms and cases of OHLCV headers."""

from __future__ import annotations

import re
from typing import Final

# Order is preference: a machine clock is better than a date text beside it.
_TIME: Final = (
    "timestamp", "open_ns", "open_time", "opentime", "time", "unix", "unix_timestamp", "unix_time", "ts",
    "datetime", "date_time", "date", "time_open", "open_timestamp", "start", "t",
)  # fmt: skip
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "timestamp": _TIME,
    "open": ("open", "open_price", "price_open", "o"),
    "high": ("high", "high_price", "price_high", "h"),
    "low": ("low", "low_price", "price_low", "l"),
    "close": ("close", "close_price", "price_close", "c"),
    "volume": ("volume", "vol", "base_volume", "volume_base", "volumefrom", "volume_from", "v"),
}
CANONICAL: Final = tuple(_NAMES)
_QUOTES: Final = frozenset(
    "usd usdt usdc busd tusd fdusd dai eur gbp try brl jpy krw quote quote_asset to".split()  # noqa: SIM905
)


def normalise(name: str) -> str:
    """Return a header in lower case with single underscores.

    Examples
    --------
    >>> normalise(" Unix Timestamp "), normalise("Volume (BTC)")
    ('unix_timestamp', 'volume_btc')
    """
    return re.sub(r"[^0-9a-z]+", "_", name.strip().lower()).strip("_")


def match_columns(header: list[str]) -> tuple[dict[str, int], list[str]]:
    """Find the position of each needed column.

    Returns
    -------
    positions : dict
        Canonical name to position; a name that is missing is left out.
    doubled : list of str
        Canonical names which two columns claim with the same header.

    Examples
    --------
    >>> match_columns(["unix", "date", "Open", "High", "Low", "Close", "Volume BTC", "Volume USDT"])[0]
    {'timestamp': 0, 'open': 2, 'high': 3, 'low': 4, 'close': 5, 'volume': 6}
    """
    names = [normalise(name) for name in header]
    found: dict[str, int] = {}
    doubled = []
    for canonical, synonyms in _NAMES.items():
        chosen = next((s for s in synonyms if s in names), None)
        if chosen is None and canonical == "volume":
            # "Volume BTC" beside "Volume USDT": the base currency is the one that is no usual quote
            chosen = next((n for n in names if n[:7] == "volume_" and n[7:] not in _QUOTES), None)
        if chosen is None:
            continue
        if names.count(chosen) > 1:
            doubled.append(canonical)
        found[canonical] = names.index(chosen)
    return found, doubled


def looks_like_header(cells: list[str]) -> bool:
    """Tell whether a line names at least three of open, high, low, close.

    Examples
    --------
    >>> looks_like_header(["Date", "Open", "High", "Low", "Close"]), looks_like_header(["1", "2"])
    (True, False)
    """
    return sum(name in match_columns(cells)[0] for name in ("open", "high", "low", "close")) >= 3
