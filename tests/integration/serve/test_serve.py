"""Real Serve, two replicas of each deployment, started as the README says: one session for all of these tests."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
import readme
import served as parts

from cluster.bench import serve as bench
from cluster.bench.serve_load import load
from cluster.bench.serve_process import IMPORT_PATH, PORT, Served, serving
from cluster.cli.demo import export_bars
from serve.models.store import ModelStore
from serve.question import main as question

pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]
REGIME, MODELS = "/api/v1/regime", "/api/v1/models"
TRAINED = 180
HASH = "c" * 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three versions: one that learns from what is asked, and two alike that have learned before."""
    made = tmp_path_factory.mktemp("serve")
    store = ModelStore(made / "ud")
    store.publish("default", parts.SETTINGS, HASH)
    for _ in range(2):
        store.publish("default", parts.SETTINGS, HASH, parts.bars(TRAINED))
    store.activate("default", 1, by="test")
    return made


@pytest.fixture(scope="module")
def running(folder: Path, repo_root: Path) -> Iterator[Served]:
    with serving(repo_root, folder, deadline_s=600.0) as found:
        yield found


@pytest.fixture
def server(running: Served) -> Served:
    """The service with version 1 in use, whichever a test before this one has left."""
    body = b'{"version": 1}'
    headers = {**running.headers(admin=True), "Content-Type": "application/json"}
    status, _, answer = ask(running, f"{MODELS}/default/activate", body, headers)
    assert status == 200, answer
    return running


def ask(
    server: Served, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None, method: str = ""
) -> tuple[int, Mapping[str, str], bytes]:  # fmt: skip
    """One request on a connection of its own."""
    sent = {**server.headers(), "Content-Type": "application/json"} if headers is None else dict(headers)
    request = urllib.request.Request(server.url + path, body, sent, method=method or None)
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


def regime(server: Served, **body: Any) -> dict[str, Any]:
    status, _, answer = ask(server, REGIME, json.dumps(body).encode())
    assert status == 200, answer
    out: dict[str, Any] = json.loads(answer)
    return out


def test_replicas_answer_bit_for_bit_what_the_detectors_say_here(server: Served) -> None:
    assert [len(server.replicas(d)) for d in ("Gateway", "RegimeInference")] == [2, 2]
    frame, rest = parts.bars(300), parts.bars(120, TRAINED)
    said = parts.in_process(frame)
    named = {"detectors": parts.named(parts.PARTS), "ensemble": {"min_dwell_bars": 2}, "seed": 11}
    for _ in range(3):  # whichever replica it is
        for who in (named, {"model": {"version": 1}}):
            (found,) = regime(server, series=[parts.series(frame)], bars="all", **who)["series"]
            parts.assert_same(found["views"], said)
        batch = regime(
            server, series=[parts.series(rest)] * 4, bars="all", model={"version": 2, "require_fitted": True}
        )
        for found in batch["series"]:
            parts.assert_same(found["views"], {k: v[TRAINED:] for k, v in said.items()})


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "JSON_INVALID"),
        (b"{}", 422, "REQUEST_INVALID"),
        (b" " * (9 << 20), 413, "BODY_TOO_LARGE"),
        ({"close": float("nan")}, 422, "REQUEST_INVALID"),
        ({"volume": -1.0}, 422, "REQUEST_INVALID"),
        ({"low": 1e9}, 422, "BAR_INSANE"),
        ({"detectors": [{"kind": "wavelet"}]}, 422, "DETECTOR_UNKNOWN"),
        ({"model": {"version": 77}}, 404, "MODEL_VERSION_UNKNOWN"),
        ({"model": {"version": 1, "require_fitted": True}}, 409, "MODEL_NOT_FITTED"),
        ({"count": 30}, 422, "BARS_TOO_FEW"),
    ],
    ids=lambda v: str(v)[:24] if isinstance(v, dict) else None,
)
def test_a_malformed_request_is_a_problem(server: Served, body: Any, status: int, code: str) -> None:
    if isinstance(body, dict):
        body = dict(body)
        series = parts.series(parts.bars(body.pop("count", 150)))
        for name in [n for n in body if n in series]:
            series[name][7] = body.pop(name)
        body = json.dumps({"series": [series], **body}).encode()
    found, headers, answer = ask(server, REGIME, body)
    problem = json.loads(answer)
    assert (found, problem["code"], problem["status"]) == (status, code, status)
    assert headers["content-type"] == "application/problem+json"
    assert headers.get_all("x-request-id") == [problem["request_id"]]  # type: ignore[attr-defined]


def test_nobody_gets_past_the_health_pages_without_a_token(server: Served) -> None:
    paths = json.loads(ask(server, "/openapi.json")[2])["paths"]
    assert {REGIME, MODELS, f"{MODELS}/{{name}}/activate"} <= set(paths)
    for path in [*paths, "/openapi.json", "/docs", "/nope"]:
        for method in ("GET", "POST", "PUT", "DELETE"):
            body = b"{}" if method in ("POST", "PUT") else None
            for headers in ({}, {"Authorization": "Bearer " + "x" * 43}):
                status = ask(server, path.format(name="default"), body, headers, method)[0]
                assert status in ((200, 405) if path in ("/livez", "/readyz") else (401,)), (method, path)
    assert ask(server, "/livez", headers={})[0] == ask(server, "/readyz", headers={})[0] == 200
    assert ask(server, f"{MODELS}/default/activate", b'{"version": 2}')[0] == 403


def test_swaps_under_load_fail_no_request(server: Served) -> None:
    body = bench.question(parts.bars(60, TRAINED))
    seen = bench.swaps(server, body, 4.0)
    assert seen["swaps"] >= 4
    assert seen["failed"] == 0, seen["first_failures"]
    assert seen["stale"] == 0
    assert min(seen["answers_by_version"].values()) > 0
    listed = json.loads(ask(server, f"{MODELS}/default")[2])
    assert [v["active"] for v in listed["versions"]].count(True) == 1


def test_replicas_killed_under_load_lose_no_request_that_is_repeated_once(server: Served) -> None:
    body = bench.question(parts.bars(60, TRAINED), 2)
    before = {d: server.replicas(d) for d in ("Gateway", "RegimeInference")}
    seen = bench.kills(server, [body], 6.0)
    assert seen["lost"] == 0, seen
    assert [k["deployment"] for k in seen["kills"]] == ["RegimeInference", "Gateway"]
    for kill in seen["kills"]:
        assert kill["pid"] in before[kill["deployment"]]
        assert not psutil.pid_exists(kill["pid"])
    after = load(server, [body], clients=2, seconds=1.0)
    assert not after.failures
    (found,) = regime(server, series=[parts.series(parts.bars(300))], model={"version": 1}, bars="all")[
        "series"
    ]
    parts.assert_same(found["views"], parts.in_process(parts.bars(300)))


def test_the_readme_s_question_is_answered(server: Served, folder: Path) -> None:
    lines = readme.commands()
    assert f"serve run {IMPORT_PATH}" in lines
    asking = [line for line in lines if line.startswith("curl ")]
    assert asking
    assert all(f"127.0.0.1:{PORT}/" in line for line in asking)
    export_bars([parts.bars(300)], folder / "bars")
    words = [
        "--data",
        str(folder / "bars"),
        "-p",
        "BTC/USDT",
        "-i",
        "1h",
        "-o",
        str(folder / "question.json"),
    ]
    assert question(words) == 0
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    for line in asking:
        here = line.replace(f"127.0.0.1:{PORT}", server.url.removeprefix("http://"))
        here = here.replace("user_data/keys", "ud/keys")
        assert shlex.split(here)
        done = subprocess.run(
            ["/bin/sh", "-c", here], cwd=folder, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        if REGIME in line:
            assert list(answer["series"][0]["views"])[-1] == "ensemble"
        else:
            assert answer["models"][0]["name"] == "default" if "models" in answer else answer["version"]


def test_no_log_holds_a_token(server: Served) -> None:
    ask(server, MODELS)
    ask(server, f"{MODELS}/default/activate", b'{"version": 1}', {
        **server.headers(admin=True), "Content-Type": "application/json",
    })  # fmt: skip
    session = _session(server)
    files = [
        server.log,
        *(f for f in session.rglob("*") if f.is_file() and f.suffix in (".log", ".out", ".err")),
    ]
    assert len(files) > 5
    text = b"".join(f.read_bytes() for f in files)
    assert b"/api/v1/models" in text, "the access log is among them"
    for token in (server.reader, server.admin):
        assert token.encode() not in text


def _session(server: Served) -> Path:
    """Ray's folder of this session, from the command line of its raylet."""
    for child in psutil.Process(server.process.pid).children(recursive=True):
        for word in child.cmdline():
            if word.startswith("--session_dir="):
                return Path(os.path.realpath(word.partition("=")[2])) / "logs"
            if word.startswith("--session-dir="):
                return Path(os.path.realpath(word.partition("=")[2])) / "logs"
    raise AssertionError("no raylet")
