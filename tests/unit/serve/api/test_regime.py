"""The question for regimes without Ray: the in-process answer bit for bit, and a clear refusal of everything else."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import asgi
import numpy as np
import pytest
import served
from fastapi import FastAPI

from actors.domain.errors import AgentUnavailableError, ModelError
from actors.domain.events.regime import REGIMES
from actors.domain.regime.base import Assessment
from serve.inference import detection
from serve.inference.job import Job
from serve.models.store import ModelStore
from serve.models.version import ModelSettings
from serve.schemas import Problem, RegimeAnswer

REGIME = "/api/v1/regime"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return served.made(tmp_path_factory.mktemp("serve"), budget_s=60.0)[0]


def ask(app: FastAPI, **body: Any) -> asgi.Answer:
    return asgi.call(app, "POST", REGIME, body=body, headers=served.ASK)


def refused(answer: asgi.Answer, status: int, code: str) -> dict[str, Any]:
    """Check a problem's form and return it."""
    assert (answer.status, answer.json["code"]) == (status, code), answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    told = Problem.model_validate(answer.json, strict=True)
    assert told.status == status
    assert told.request_id == answer.headers["x-request-id"]
    assert "expected" in told.detail or "should be" in told.detail
    assert "found" in told.detail
    assert "Traceback" not in answer.body.decode()
    return answer.json


# --- answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["model", "version", "detectors"])
def test_every_bar_s_answer_is_the_in_process_one(app: FastAPI, who: str) -> None:
    frame = served.bars(300)
    body: dict[str, Any] = {"series": [served.series(frame)], "bars": "all"}
    if who == "version":
        body["model"] = {"name": "default", "version": 1}
    if who == "detectors":
        body |= {"detectors": served.named(served.PARTS), "ensemble": {"min_dwell_bars": 2}, "seed": 11}
    answer = ask(app, **body)
    assert answer.status == 200, answer.body
    RegimeAnswer.model_validate(answer.json)
    (found,) = answer.json["series"]
    served.assert_same(found["views"], served.in_process(frame))
    assert found["open_ns"] == frame.open_ns.tolist()
    assert found["data_hash"] == frame.data_hash
    assert answer.json["vocabulary"] == list(REGIMES)
    assert answer.json["model"]["settings_hash"] == served.SETTINGS.hash
    assert answer.json["model"]["name"] == (None if who == "detectors" else "default")


@pytest.mark.parametrize("timeframes", [[], ["4h"]])
def test_an_enhanced_ensemble_s_confidence_context_and_weights_are_the_in_process_ones(
    app: FastAPI, timeframes: list[str]
) -> None:
    frame, ensemble = served.bars(300), {"kind": "enhanced"}
    settings = ModelSettings(served.PARTS, ensemble, 11, tuple(timeframes))
    body = {
        "detectors": served.named(served.PARTS),
        "ensemble": ensemble,
        "seed": 11,
        "timeframes": timeframes,
    }
    answer = ask(app, series=[served.series(frame)], bars="all", **body)
    assert answer.status == 200, answer.body
    RegimeAnswer.model_validate(answer.json)
    (found,) = answer.json["series"]
    served.assert_same(found["views"], served.in_process(frame, settings))
    assert len(found["views"]) == 3 * (1 + len(timeframes)) + 1
    assert found["views"]["ensemble"]["context"][-1]
    assert found["views"]["ensemble"]["detail"][-1]["level"] in ("HIGH", "MEDIUM", "LOW")
    assert math.fsum(found["views"]["ensemble"]["weights"][-1]) == pytest.approx(1.0)
    for name, states in found["states"].items():
        assert len(found["views"][name]["own_probabilities"][-1]) in (0, len(states))
        assert len(found["views"][name]["features"][-1]) in (0, len(found["measures"][name]))


def test_a_longer_frame_that_does_not_fit_is_refused(app: FastAPI) -> None:
    body = {"series": [served.series(served.bars(200))], "detectors": [{"kind": "trend"}]}
    refused(ask(app, **body, timeframes=["90m"]), 422, "TIMEFRAME_NOT_MULTIPLE")
    refused(ask(app, **body, timeframes=["1h"]), 422, "REGIME_TIMEFRAMES")


def test_the_last_bar_s_answer_is_the_last_of_all(app: FastAPI) -> None:
    body = {"series": [served.series(served.bars(300))]}
    last, every = ask(app, **body).json, ask(app, **body, bars="all").json
    for name, column in last["series"][0]["views"].items():
        whole = every["series"][0]["views"][name]
        assert column == {k: None if v is None else v[-1:] for k, v in whole.items()}
    assert last["series"][0]["open_ns"] == every["series"][0]["open_ns"][-1:]


def test_series_of_a_batch_do_not_touch_each_other(app: FastAPI) -> None:
    frames = [served.bars(200), served.bars(260, 30), served.bars(200, seed=5)]
    together = ask(app, series=[served.series(f) for f in frames], bars="all").json["series"]
    for frame, found in zip(frames, together, strict=True):
        assert found == ask(app, series=[served.series(frame)], bars="all").json["series"][0]


def test_an_answer_knows_nothing_of_later_bars(app: FastAPI) -> None:
    frame = served.bars(300)
    every = ask(app, series=[served.series(frame)], bars="all").json["series"][0]["views"]
    for count in (150, 222):
        short = ask(app, series=[served.series(frame.slice_rows(0, count))]).json["series"][0]["views"]
        for name, column in short.items():
            assert column["probabilities"][0] == every[name]["probabilities"][count - 1]


def test_times_may_be_texts(app: FastAPI) -> None:
    frame = served.bars(200)
    texts = [str(np.datetime64(t, "ns"))[:19] + "Z" for t in frame.open_ns.tolist()]
    body = {**served.series(frame), "timestamp": texts}
    found = ask(app, series=[body]).json["series"][0]
    assert found["data_hash"] == frame.data_hash
    body["timestamp"] = [t.replace("Z", ".000000000+00:00") for t in texts]
    assert ask(app, series=[body]).json["series"][0] == found


def test_a_fitted_version_answers_for_what_came_after(tmp_path: Path) -> None:
    app, store = served.made(tmp_path)
    store.publish("default", served.SETTINGS, "c" * 64, served.bars(180))
    choice = {"version": 2, "require_fitted": True}
    whole = {k: v[180:] for k, v in served.in_process(served.bars(300)).items()}
    for _ in range(2):
        answer = ask(app, series=[served.series(served.bars(120, 180))], model=choice, bars="all")
        served.assert_same(answer.json["series"][0]["views"], whole)
        assert answer.json["model"]["fitted"] is True
        assert answer.json["model"]["data_hash"] == served.bars(180).data_hash
    # a single bar pair is enough for a model that has learned before
    assert ask(app, series=[served.series(served.bars(2, 180))], model=choice).status == 200
    gap = ask(app, series=[served.series(served.bars(50, 183))], model=choice).json["series"][0]["warnings"]
    assert [w["code"] for w in gap] == ["MODEL_GAP"]
    assert gap[0]["message"].startswith("3 bars")
    told = refused(
        ask(app, series=[served.series(served.bars(50, 179))], model=choice), 409, "MODEL_KNOWS_BARS"
    )
    assert "leave the earlier ones out" in told["detail"]
    other = {**served.series(served.bars(50, 180)), "pair": "ETH/USDT"}
    refused(ask(app, series=[other], model=choice), 409, "MODEL_OTHER_MARKET")


def test_what_an_ensemble_says_of_its_confidence_is_passed_on() -> None:
    from actors.domain.events.regime import RegimeConfidence

    uniform = tuple(1.0 / 6 for _ in REGIMES)
    detail = RegimeConfidence(score=0.7, raw=0.6, level="HIGH", agreement=0.9, conformal=("bull", "bear"))
    views = [
        Assessment("bull", uniform, 0.7, "up", 3, detail, "calm", (0.25, 0.75)),
        Assessment("bull", uniform, 0.0),
    ]
    found = json.loads(detection.msgspec.json.encode(detection._columns(views)))
    assert found["detail"][0]["score"] == 0.7
    assert found["detail"][0]["conformal"] == ["bull", "bear"]
    assert found["detail"][0]["history"] is None
    assert found["detail"][1] is None
    assert (found["context"], found["weights"]) == (["calm", ""], [[0.25, 0.75], []])
    plain = json.loads(detection.msgspec.json.encode(detection._columns(views[1:])))
    assert (plain["detail"], plain["context"], plain["weights"]) == (None, None, None)


# --- bars that are none -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "row", "value", "code", "path"),
    [
        ("close", 7, "NaN", "REQUEST_INVALID", "series.0.close.7"),
        ("high", 0, "Infinity", "REQUEST_INVALID", "series.0.high.0"),
        ("low", 3, None, "REQUEST_INVALID", "series.0.low.3"),
        ("open", 2, "1.5", "REQUEST_INVALID", "series.0.open.2"),
        ("close", 7, 0.0, "REQUEST_INVALID", "series.0.close.7"),
        ("close", 7, -3.0, "REQUEST_INVALID", "series.0.close.7"),
        ("volume", 5, -1.0, "REQUEST_INVALID", "series.0.volume.5"),
        ("volume", 5, True, "REQUEST_INVALID", "series.0.volume.5"),
        ("low", 9, 1e9, "BAR_INSANE", "series.0"),
        ("timestamp", 4, 1_600_000_000, "TIMESTAMP_UNIT", "series.0"),
        ("timestamp", 4, 10**20, "TIMESTAMP_UNIT", "series.0"),
        ("timestamp", 4, "yesterday", "REQUEST_INVALID", "series.0.timestamp.4"),
        ("timestamp", 4, "2024-02-31T00:00:00Z", "TIMESTAMP", "series.0"),
        ("timestamp", 4, "2024-02-01T00:00:00+02:00", "REQUEST_INVALID", "series.0.timestamp.4"),
        ("timestamp", 0, 1_800_000_000 * 10**9, "BARS_UNSORTED", "series.0"),
    ],
)
def test_a_bar_that_is_none_is_named(
    app: FastAPI, column: str, row: int, value: Any, code: str, path: str
) -> None:
    body = served.series(served.bars(200))
    body[column][row] = math.nan if value == "NaN" else math.inf if value == "Infinity" else value
    told = refused(ask(app, series=[body]), 422, code)
    assert any(e["path"].startswith(path) for e in told["errors"]), told


def test_every_bad_series_of_a_batch_is_named(app: FastAPI) -> None:
    good, bad = served.series(served.bars(200)), served.series(served.bars(200))
    bad["low"][9] = 1e9
    told = refused(ask(app, series=[good, bad, good, bad]), 422, "BAR_INSANE")
    assert [e["path"] for e in told["errors"]] == ["series.1", "series.3"]


def test_constant_prices_are_answered_with_a_warning(app: FastAPI) -> None:
    frame = served.bars(300)
    body = served.series(frame)
    for name in ("open", "high", "low", "close"):
        body[name] = [100.0] * 300
    kinds = [
        "hmm",
        "student_hmm",
        "jump",
        "garch",
        "volatility",
        "trend",
        "momentum",
        "clustering",
        "change_point",
    ]
    history = {"min_history_bars": 80}
    parts = [{"kind": k, "params": {} if k in ("trend", "momentum") else history} for k in kinds]
    answer = ask(app, series=[body], detectors=parts, bars="all")
    assert answer.status == 200, answer.body
    assert "PRICES_CONSTANT" in [w["code"] for w in answer.json["series"][0]["warnings"]]
    for name, column in answer.json["series"][0]["views"].items():
        for row in column["probabilities"]:
            assert math.fsum(row) == pytest.approx(1.0, abs=1e-9), name


def test_too_few_bars_say_how_many_are_needed(app: FastAPI) -> None:
    told = refused(ask(app, series=[served.series(served.bars(40))]), 422, "BARS_TOO_FEW")
    assert "at least 60 bars, which volatility needs" in told["detail"]
    some = ask(app, series=[served.series(served.bars(90))]).json["series"][0]["warnings"]
    assert [w["code"] for w in some] == ["WARMING_UP"]
    assert some[0]["message"].startswith("trend says nothing yet: it needs 97 bars and has 90")


def test_gaps_are_told(app: FastAPI) -> None:
    body = served.series(served.bars(200))
    for column in body.values():
        if isinstance(column, list):
            del column[50:53]
    (warning,) = ask(app, series=[body]).json["series"][0]["warnings"]
    assert warning["code"] == "GAPS"
    assert warning["message"].startswith("3 bars")


# --- requests that are none ---------------------------------------------------------------------------------


def shape(**change: Any) -> dict[str, Any]:
    return {**served.series(served.bars(100)), **change}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "series"),
        ({"series": []}, "series"),
        ({"series": {}}, "series"),
        ({"series": [shape()] * 65}, "series"),
        ({"series": [shape(close=[1.0] * 99)]}, "series.0"),
        ({"series": [shape(pair="btc")]}, "series.0.pair"),
        ({"series": [shape(timeframe="1x")]}, "series.0.timeframe"),
        ({"series": [shape(extra=1)]}, "series.0.extra"),
        ({"series": [shape()], "bar": "all"}, "bar"),
        ({"series": [shape()], "bars": "first"}, "bars"),
        ({"series": [shape()], "detectors": []}, "detectors"),
        ({"series": [shape()], "detectors": [{"kind": "os:system"}]}, "detectors.0.kind"),
        ({"series": [shape()], "detectors": [{"kind": "trend"}], "model": {}}, ""),
        ({"series": [shape()], "seed": 3}, ""),
        ({"series": [shape()], "model": {"version": 0}}, "model.version"),
        ({"series": [shape()], "model": {"name": "../default"}}, "model.name"),
        ({"series": [shape()], "model": {"version": "1"}}, "model.version"),
        ([], ""),
        ("text", ""),
        (None, ""),
    ],
)
def test_a_malformed_request_is_told_where(app: FastAPI, body: Any, where: str) -> None:
    answer = asgi.call(app, "POST", REGIME, body=json.dumps(body).encode(), headers=served.ASK)
    told = refused(answer, 422, "REQUEST_INVALID")
    assert told["errors"][0]["path"] == where
    assert len(told["detail"]) < 1000


@pytest.mark.parametrize("raw", [b"", b"{", b'{"series": [', b"\xff\xfe", b"{'series': 1}", b"[" * 100_000])
def test_what_is_no_json_is_400(app: FastAPI, raw: bytes) -> None:
    refused(asgi.call(app, "POST", REGIME, body=raw, headers=served.ASK), 400, "JSON_INVALID")


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data", "application/xml"])
def test_another_media_type_is_415(app: FastAPI, kind: str) -> None:
    refused(
        asgi.call(app, "POST", REGIME, body=b"{}", headers={**served.ASK, "content-type": kind}), 415, "MEDIA_TYPE"
    )  # fmt: skip


def test_a_body_beyond_the_limit_is_413_whatever_its_header_says(tmp_path: Path) -> None:
    app, _ = served.made(tmp_path, max_body_bytes=10_000)
    refused(asgi.call(app, "POST", REGIME, body=b" " * 10_001, headers=served.ASK), 413, "BODY_TOO_LARGE")
    read = []

    def parts() -> Any:
        for _ in range(5):
            read.append(1)
            yield b" " * 4000

    answer = asgi.call(
        app, "POST", REGIME, parts=parts(), headers={**served.ASK, "content-length": "5"}
    )  # fmt: skip
    refused(answer, 413, "BODY_TOO_LARGE")
    assert len(read) == 5, "what is still on its way is taken in, so that the answer arrives"
    vast = {**served.ASK, "content-length": str(10**12)}
    refused(asgi.call(app, "POST", REGIME, parts=[b" "], headers=vast), 413, "BODY_TOO_LARGE")
    refused(asgi.call(app, "POST", REGIME, parts=[b" "] * 3, headers=served.ASK), 400, "JSON_INVALID")


@pytest.mark.parametrize(
    ("detectors", "code", "words"),
    [
        ([{"kind": "wavelet"}], "DETECTOR_UNKNOWN", "volatility"),
        ([{"kind": "trendd"}], "DETECTOR_UNKNOWN", "did you mean trend?"),
        ([{"kind": "base"}], "DETECTOR_UNKNOWN", "'base'"),
        ([{"kind": "trend"}, {"kind": "trend"}], "MODEL_DETECTORS", "each kind once"),
        ([{"kind": "trend", "params": {"windows": 3}}], "PARAMS_INVALID", "windows"),
        ([{"kind": "hmm", "params": {"window_bars": 10**9}}], "PARAMS_COSTLY", "at most 6000"),
        ([{"kind": "hmm", "params": {"starts": 9}}], "PARAMS_COSTLY", "at most 8"),
        ([{"kind": "volatility", "params": {"min_history_bars": 20_001}}], "PARAMS_COSTLY", "found 20001"),
        ([{"kind": "momentum", "params": {"horizons_bars": [5] * 17}}], "PARAMS_COSTLY", "16 values"),
        ([{"kind": "change_point", "params": {"max_run_bars": 10**8}}], "PARAMS_INVALID", "found 100000000"),
    ],
)
def test_detectors_that_are_none_or_cost_too_much(
    app: FastAPI, detectors: list[Any], code: str, words: str
) -> None:
    told = refused(ask(app, series=[served.series(served.bars(120))], detectors=detectors), 422, code)
    assert words in told["detail"]


@pytest.mark.parametrize(
    ("ensemble", "where"),
    [
        ({"min_dwell_bars": 20_001}, "ensemble.min_dwell_bars"),
        ({"kind": "enhanced", "learning": {"lag_bars": 10**30}}, "ensemble.learning.lag_bars"),
        ({"confidence": {"conformal_window": 10**400}}, "ensemble.confidence.conformal_window"),
        ({"confidence": {"half_life": 1e308}}, "ensemble.confidence.half_life"),
        ({"weights": [1.0] * 17}, "ensemble.weights"),
    ],
)
def test_ensembles_that_cost_too_much(app: FastAPI, ensemble: dict[str, Any], where: str) -> None:
    bars, own = [served.series(served.bars(120))], [{"kind": "volatility"}]
    told = refused(ask(app, series=bars, detectors=own, ensemble=ensemble), 422, "PARAMS_COSTLY")
    assert told["detail"].startswith(f"{where}: expected numbers up to 20000 and at most 16")
    usual = {
        "kind": "enhanced",
        "learning": {"lag_bars": 24},
        "confidence": {"half_life": 1500.0},
        "weights": [1.0],
    }
    quick = [{"kind": "volatility", "params": {"min_history_bars": 60}}]
    assert ask(app, series=bars, detectors=quick, ensemble=usual).status == 200


def test_a_model_that_is_not_there_or_has_learned_nothing(app: FastAPI) -> None:
    bars = [served.series(served.bars(120))]
    refused(ask(app, series=bars, model={"name": "other"}), 404, "MODEL_UNKNOWN")
    refused(ask(app, series=bars, model={"version": 9}), 404, "MODEL_VERSION_UNKNOWN")
    told = refused(ask(app, series=bars, model={"require_fitted": True}), 409, "MODEL_NOT_FITTED")
    assert "serve.publish" in told["detail"]


# --- what may happen inside ---------------------------------------------------------------------------------


class Broken:
    """An inference that fails as told."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def detect(self, job: Job) -> bytes:
        raise self.error

    async def ping(self) -> None:
        raise self.error


def test_a_long_job_ends_and_says_so(tmp_path: Path) -> None:
    app, _ = served.made(tmp_path, budget_s=1e-9)
    answer = ask(app, series=[served.series(served.bars(300))])
    told = refused(answer, 503, "DETECTION_TIME")
    assert "send fewer bars" in told["detail"]
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ZeroDivisionError("secret /home/x"), 500, "INTERNAL"),
        (ModelError("VIEW_UNDEFINED", "secret /home/x"), 500, "VIEW_UNDEFINED"),
        (AgentUnavailableError("INFERENCE_UNAVAILABLE", "expected a, found b", retryable=True), 503,
         "INFERENCE_UNAVAILABLE"),
    ],
)  # fmt: skip
def test_a_fault_inside_is_a_problem_without_details(
    tmp_path: Path, error: Exception, status: int, code: str
) -> None:
    app, _ = served.made(tmp_path, Broken(error))
    answer = ask(app, series=[served.series(served.bars(120))])
    refused(answer, status, code)
    assert b"secret" not in answer.body


def test_views_that_are_no_probabilities_are_never_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _ = served.made(tmp_path)
    wrong = Assessment("bull", (math.nan,) * 6, 0.5)
    monkeypatch.setattr("actors.domain.regime.trend.Trend.update", lambda self, obs: wrong, raising=False)
    from actors.domain import registry

    monkeypatch.setattr(
        registry.load("actors.domain.regime", "trend"), "update", lambda self, obs: wrong, raising=True
    )
    refused(ask(app, series=[served.series(served.bars(120))]), 500, "VIEW_UNDEFINED")


def test_livez_answers_while_a_fit_runs(tmp_path: Path) -> None:
    app, _ = served.made(tmp_path, budget_s=200.0)
    parts = [
        {"kind": "student_hmm", "params": {"min_history_bars": 100, "refit_every_bars": 10, "lag_steps": 1}}
    ]
    body = {"series": [served.series(served.bars(400))], "detectors": parts}
    order: list[str] = []

    async def both() -> None:
        async def slow() -> None:
            answer = await asgi.ask(app, "POST", REGIME, body=body, headers=served.ASK)
            assert answer.status == 200
            order.append("regime")

        async def alive() -> None:
            await asyncio.sleep(0.01)
            while "regime" not in order:
                assert (await asgi.ask(app, "GET", "/livez")).status == 200
                order.append("alive")
                await asyncio.sleep(0.005)

        await asyncio.gather(slow(), alive())

    asyncio.run(both())
    assert order.count("alive") >= 3, order


def test_the_store_is_not_written_by_questions(tmp_path: Path) -> None:
    app, store = served.made(tmp_path)
    before = sorted(p for p in tmp_path.rglob("*"))
    ask(app, series=[served.series(served.bars(120))])
    assert sorted(p for p in tmp_path.rglob("*")) == before
    assert isinstance(store, ModelStore)
