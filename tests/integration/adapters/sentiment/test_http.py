"""The HTTP collector against a real server on the loopback: sizes, times, redirects, breaks."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from actors.adapters.sentiment.collectors import HttpCollector
from actors.domain.errors import DataError

NEWS = b'{"items": [{"date_published": "2021-01-01T00:00:00Z", "title": "Bitcoin soars"}]}'

BOMB = gzip.compress(b" " * 20_000_000)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path
        if path == "/redirect":
            return self._answer(302, b"", {"Location": "/news"})
        if path == "/to-file":
            return self._answer(302, b"", {"Location": "file:///etc/passwd"})
        if path == "/loop":
            return self._answer(302, b"", {"Location": "/loop"})
        if path in ("/404", "/503"):
            return self._answer(int(path[1:]), b"no")
        if path == "/gzip":
            return self._answer(200, gzip.compress(NEWS))
        if path == "/bomb":
            return self._answer(200, BOMB)
        if path == "/large":
            return self._answer(200, b"x" * 2_000_000)
        if path == "/short":
            return self._answer(200, NEWS[:20], {"Content-Length": str(len(NEWS))})
        if path == "/silent":
            time.sleep(3.0)
            return None
        if path == "/drip":
            self.send_response(200)
            self.end_headers()
            for _ in range(40):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.1)
            return None
        return self._answer(200, NEWS)

    def _answer(self, status: int, body: bytes, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in ({"Content-Length": str(len(body))} | (more or {})).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def base() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients of ours hang up
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("path", ["/news", "/redirect", "/gzip"])
def test_it_fetches(base: str, path: str) -> None:
    found = HttpCollector(base + path).collect()
    assert [i.text for i in found.items] == ["Bitcoin soars"]


@pytest.mark.parametrize(
    ("path", "message", "retryable"),
    [
        ("/404", "expected status 200, found 404", False),
        ("/503", "expected status 200, found 503", True),
        ("/large", "expected at most 100000 bytes, found more", False),
        ("/bomb", "at most 100000 bytes", False),
        ("/short", r"expected 81 bytes, found 20|IncompleteRead", True),
        ("/to-file", "found 302", False),
        ("/loop", "found 302", False),
        ("/silent", "expected an answer within 0.5 s", True),
        ("/drip", "expected the whole answer within 1 s", True),
    ],
)
def test_it_refuses(base: str, path: str, message: str, retryable: bool) -> None:
    collector = HttpCollector(base + path, timeout_s=0.5, deadline_s=1.0, max_bytes=100_000)
    began = time.monotonic()
    with pytest.raises(DataError, match=message) as e:
        collector.collect()
    assert e.value.retryable == retryable
    assert time.monotonic() - began < 5.0


def test_nobody_there(base: str) -> None:
    with pytest.raises(DataError, match="refused") as e:
        HttpCollector("http://127.0.0.1:9/x", timeout_s=2.0).collect()
    assert e.value.retryable
