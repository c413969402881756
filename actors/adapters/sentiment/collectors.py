"""The collectors: a file, or an address over HTTP."""

from __future__ import annotations

import hashlib
import time
import urllib.error
import urllib.request
import zlib
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from actors.adapters.sentiment.documents import items_of
from actors.adapters.sentiment.port import MAX_BYTES, Collected, Layout
from actors.domain.errors import DataError

_CHUNK = 1 << 16


def unpacked(data: bytes, *, limit: int, where: str) -> bytes:
    """Return gzipped data unpacked, but never more than `limit` bytes; other data as it is.

    Raises
    ------
    DataError
        If it is damaged or larger.
    """
    if data[:2] != b"\x1f\x8b":
        return data
    engine, out = zlib.decompressobj(wbits=31), []
    left = limit
    try:
        while data and left > 0:
            piece = engine.decompress(data, left)
            out.append(piece)
            left -= len(piece)
            data = engine.unconsumed_tail
            if engine.eof:
                break
    except zlib.error as e:
        raise DataError("SENTIMENT_GZIP", f"{where}: expected whole gzip data, found {e}") from e
    if not engine.eof:
        what = f"more than {limit} bytes" if left <= 0 else "an end too early"
        raise DataError(
            "SENTIMENT_SIZE", f"{where}: expected gzip data of at most {limit} bytes, found {what}"
        )
    return b"".join(out)


@dataclass(frozen=True)
class FileCollector:
    """Items of one file: CSV, JSON, JSON lines, RSS or Atom, perhaps gzipped."""

    path: Path
    kind: str = "news"
    layout: Layout = field(default_factory=Layout)
    max_bytes: int = MAX_BYTES

    def collect(self) -> Collected:
        """Read the file; see `actors.adapters.sentiment.port.Collector`."""
        where = str(self.path)
        try:
            size = self.path.stat().st_size
            if size > self.max_bytes:
                raise DataError(
                    "SENTIMENT_SIZE", f"{where}: expected at most {self.max_bytes} bytes, found {size}"
                )
            raw = self.path.read_bytes()
        except OSError as e:
            raise DataError("SENTIMENT_FILE", f"{where}: expected a file to read, found {e.strerror}") from e
        items, notes = items_of(
            unpacked(raw, limit=self.max_bytes, where=where), kind=self.kind, layout=self.layout, where=where
        )
        return Collected(items, hashlib.sha256(raw).hexdigest(), tuple(notes))


class _FewRedirects(urllib.request.HTTPRedirectHandler):
    """Follows few redirects, and only to where one may go by hand: never to files, never from https down to http."""

    max_redirections = 3

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        old, new = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if new not in ("http", "https") or (old == "https" and new == "http"):
            raise DataError(
                "SENTIMENT_URL", f"{req.full_url}: expected a redirect to https, found one to {new}"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass(frozen=True)
class HttpCollector:
    """Items at an address. Nothing in a run uses it: runs read files that were collected before.

    `timeout_s` bounds each wait for the other side, `deadline_s` the whole transfer, `max_bytes` its size.
    """

    url: str
    kind: str = "news"
    layout: Layout = field(default_factory=Layout)
    timeout_s: float = 10.0
    deadline_s: float = 60.0
    max_bytes: int = 8 * 1024 * 1024

    def collect(self) -> Collected:
        """Fetch and read the document; see `actors.adapters.sentiment.port.Collector`."""
        raw = self._fetch()
        items, notes = items_of(
            unpacked(raw, limit=self.max_bytes, where=self.url),
            kind=self.kind,
            layout=self.layout,
            where=self.url,
        )
        return Collected(items, hashlib.sha256(raw).hexdigest(), tuple(notes))

    def _fetch(self) -> bytes:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise DataError(
                "SENTIMENT_URL",
                f"url: expected http:// or https:// without a password in it, found {parts.scheme or 'no scheme'}"
                f"{' and a user' if parts.username else ''}",
            )
        opener = urllib.request.build_opener(_FewRedirects)
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
            self.url, headers={"User-Agent": "tradewind", "Accept-Encoding": "identity"}
        )
        ends = time.monotonic() + self.deadline_s
        try:
            with opener.open(request, timeout=self.timeout_s) as answer:
                return self._read(answer, ends)
        except urllib.error.HTTPError as e:
            raise DataError(
                "SENTIMENT_HTTP", f"{self.url}: expected status 200, found {e.code}",
                retryable=e.code == 429 or e.code >= 500,
            ) from e  # fmt: skip
        except (OSError, HTTPException) as e:
            raise DataError(
                "SENTIMENT_HTTP",
                f"{self.url}: expected an answer within {self.timeout_s:g} s, found {type(e).__name__}: {e}",
                retryable=True,
            ) from e

    def _read(self, answer: Any, ends: float) -> bytes:
        out, size = [], 0
        while piece := answer.read1(_CHUNK):
            size += len(piece)
            if size > self.max_bytes:
                raise DataError(
                    "SENTIMENT_SIZE", f"{self.url}: expected at most {self.max_bytes} bytes, found more"
                )
            if time.monotonic() > ends:
                raise DataError(
                    "SENTIMENT_HTTP", f"{self.url}: expected the whole answer within {self.deadline_s:g} s, found "
                    f"{size} bytes by then", retryable=True,
                )  # fmt: skip
            out.append(piece)
        declared = answer.headers.get("Content-Length")
        if declared is not None and declared.isdigit() and int(declared) != size:
            raise DataError(
                "SENTIMENT_HTTP", f"{self.url}: expected {declared} bytes, found {size}: the connection broke off",
                retryable=True,
            )  # fmt: skip
        return b"".join(out)
