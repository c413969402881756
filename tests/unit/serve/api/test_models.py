"""Models, health, who gets in, and the document that describes it all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asgi
import pytest
import served
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from actors.domain.errors import AgentUnavailableError
from serve.api.access import OPEN_PATHS
from serve.models.store import ModelStore
from serve.schemas import ActivationAnswer, HealthAnswer, ModelAnswer, ModelsAnswer

ACTIVATE = "/api/v1/models/default/activate"


@pytest.fixture
def both(tmp_path: Path) -> tuple[FastAPI, ModelStore]:
    app, store = served.made(tmp_path)
    store.publish("default", served.OTHER, "d" * 64)
    return app, store


def get(app: FastAPI, path: str, headers: Any = served.ASK) -> asgi.Answer:
    return asgi.call(app, "GET", path, headers=headers)


def post(app: FastAPI, body: Any, path: str = ACTIVATE, **headers: str) -> asgi.Answer:
    return asgi.call(app, "POST", path, body=body, headers={**served.RULE, **headers})


def test_models_list_versions_with_what_they_are_made_of(both: tuple[FastAPI, ModelStore]) -> None:
    app, store = both
    store.publish("fitted", served.SETTINGS, "e" * 64, served.bars(180))
    found = get(app, "/api/v1/models").json
    ModelsAnswer.model_validate(found, strict=True)
    default, fitted = found["models"]
    assert (default["name"], default["active"]) == ("default", 1)
    assert [v["active"] for v in default["versions"]] == [True, False]
    assert [v["config_hash"][0] for v in default["versions"]] == ["c", "d"]
    assert default["versions"][0]["settings_hash"] == served.SETTINGS.hash
    assert default["versions"][0]["created"].startswith("20")
    assert (fitted["active"], fitted["versions"][0]["fitted"]) == (None, True)
    assert fitted["versions"][0]["data_hash"] == served.bars(180).data_hash
    assert fitted["versions"][0]["training"]["until_ns"] == served.bars(180).end_ns
    one = get(app, "/api/v1/models/default")
    ModelAnswer.model_validate(one.json, strict=True)
    assert one.json == default
    assert get(app, "/api/v1/models/nope").json["code"] == "MODEL_UNKNOWN"


def test_a_swap_changes_who_answers_next_on_every_replica(tmp_path: Path) -> None:
    app, store = served.made(tmp_path)
    twin, _ = served.made(tmp_path)
    store.publish("default", served.OTHER, "d" * 64)
    body = {"series": [served.series(served.bars(120))]}

    def answerer(of: FastAPI) -> tuple[int, list[str]]:
        model = asgi.call(of, "POST", "/api/v1/regime", body=body, headers=served.ASK).json["model"]
        return model["version"], model["detectors"]

    for version, kinds in ((2, ["volatility"]), (1, ["jump", "trend", "volatility"])):
        done = post(app, {"version": version})
        ActivationAnswer.model_validate(done.json, strict=True)
        assert (done.status, done.json["version"], done.json["changed"]) == (200, version, True)
        assert answerer(app) == answerer(twin) == (version, kinds)
    assert post(app, {"version": 1}).json["changed"] is False
    history = store.history("default")
    assert [a.version for a in history] == [1, 2, 1, 1]
    assert {a.by for a in history[1:]} == {"admin"}


def test_only_an_admin_may_swap(both: tuple[FastAPI, ModelStore]) -> None:
    app, store = both
    answer = asgi.call(app, "POST", ACTIVATE, body={"version": 2}, headers=served.ASK)
    assert (answer.status, answer.json["code"]) == (403, "ADMIN_REQUIRED")
    assert asgi.call(app, "POST", ACTIVATE, body={"version": 2}).status == 401
    assert store.active("default") == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"version": 9}, 404, "MODEL_VERSION_UNKNOWN"),
        ({"version": 2, "expected_active": 2}, 409, "ACTIVATION_CONFLICT"),
        ({"version": 0}, 422, "REQUEST_INVALID"),
        ({"version": "2"}, 422, "REQUEST_INVALID"),
        ({}, 422, "REQUEST_INVALID"),
        ({"version": 2, "force": True}, 422, "REQUEST_INVALID"),
        (b"{", 400, "JSON_INVALID"),
        (b" " * 5000, 413, "BODY_TOO_LARGE"),
    ],
)
def test_a_wrong_swap_changes_nothing(
    both: tuple[FastAPI, ModelStore], body: Any, status: int, code: str
) -> None:
    app, store = both
    answer = post(app, body)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert store.active("default") == 1
    assert len(store.history("default")) == 1


def test_a_repeated_swap_with_its_key_does_not_roll_back(both: tuple[FastAPI, ModelStore]) -> None:
    app, store = both
    first = post(app, {"version": 2}, **{"Idempotency-Key": "k1"})
    post(app, {"version": 1}, **{"Idempotency-Key": "k2"})
    again = post(app, {"version": 2}, **{"Idempotency-Key": "k1"})
    assert again.json == first.json
    assert store.active("default") == 1
    assert post(app, {"version": 1}, **{"Idempotency-Key": "k1"}).json["code"] == "IDEMPOTENCY_KEY_USED"
    assert post(app, {"version": 1}, **{"Idempotency-Key": "x" * 65}).json["code"] == "IDEMPOTENCY_KEY"


def test_a_damaged_version_never_becomes_active(tmp_path: Path) -> None:
    _, store = served.made(tmp_path)
    store.publish("default", served.OTHER, "d" * 64)
    file = tmp_path / "models" / "regime" / "default" / "2" / "regime.snap"
    file.write_bytes(file.read_bytes()[:-3])
    fresh, _ = served.made(tmp_path)
    answer = post(fresh, {"version": 2})
    assert (answer.status, answer.json["code"]) == (500, "SNAPSHOT_SIGNATURE")
    assert str(tmp_path) not in answer.body.decode()
    assert store.active("default") == 1
    listed = get(fresh, "/api/v1/models").json
    ModelsAnswer.model_validate(listed, strict=True)
    assert [v["fault"] for v in listed["models"][0]["versions"]] == [None, "SNAPSHOT_SIGNATURE"]


# --- health -------------------------------------------------------------------------------------------------


class Silent:
    async def detect(self, job: Any) -> bytes:
        raise AssertionError("not asked")

    async def ping(self) -> None:
        raise AgentUnavailableError("INFERENCE_UNAVAILABLE", "expected one, found none", retryable=True)


def test_health_needs_no_token_and_says_what_is_missing(tmp_path: Path) -> None:
    app, _ = served.made(tmp_path / "a")
    for path, status in (("/livez", "alive"), ("/readyz", "ready")):
        answer = get(app, path, {})
        HealthAnswer.model_validate(answer.json, strict=True)
        assert (answer.status, answer.json["status"]) == (200, status)
    app, _ = served.made(tmp_path / "b", Silent())
    answer = get(app, "/readyz", {})
    assert (answer.status, answer.json["status"]) == (503, "not ready")
    assert [(c["name"], c["ok"]) for c in answer.json["checks"]] == [("model", True), ("inference", False)]
    assert get(app, "/livez", {}).status == 200
    app, _ = served.made(tmp_path / "c")
    log = tmp_path / "c" / "models" / "regime" / "default" / "activations.jsonl"
    log.write_text(log.read_text().replace('"version":1', '"version":2'))
    answer = get(app, "/readyz", {})
    assert (answer.status, answer.json["checks"][0]["message"]) == (503, "ACTIVATIONS_SIGNATURE")
    assert str(tmp_path) not in answer.body.decode()


# --- who gets in, and how answers look ----------------------------------------------------------------------


def test_every_route_but_health_asks_for_a_token(both: tuple[FastAPI, ModelStore]) -> None:
    app, _ = both
    document = get(app, "/openapi.json").json
    walked = 0
    for path in [
        *document["paths"],
        "/openapi.json",
        "/docs",
        "/redoc",
        "/",
        "/nope",
        "/livez/",
        "/api/v1/models/",
    ]:
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
            for wrong in ({}, {"authorization": "Bearer " + "x" * 40}, {"authorization": "Basic YTph"}):
                answer = asgi.call(app, method, path.format(name="default"), headers=wrong)
                if path in OPEN_PATHS:
                    assert answer.status in (200, 405), (method, path)
                else:
                    assert answer.status == 401, (method, path)
                    assert answer.headers["www-authenticate"] == "Bearer"
                    walked += 1
    assert {"/api/v1/regime", "/api/v1/models", ACTIVATE.replace("default", "{name}")} <= set(
        document["paths"]
    )
    assert walked > 100
    assert {"/livez", "/readyz"} == OPEN_PATHS


@pytest.mark.parametrize(
    ("given", "kept"), [("abc-1.2_3", True), ("a b", False), ("x" * 65, False), ("", False)]
)
def test_a_request_keeps_its_id(both: tuple[FastAPI, ModelStore], given: str, kept: bool) -> None:
    app, _ = both
    for path, headers in (
        ("/livez", {}),
        ("/api/v1/models", served.ASK),
        ("/nope", {}),
        ("/nope", served.ASK),
    ):
        answer = get(app, path, {**headers, "x-request-id": given})
        assert (answer.headers["x-request-id"] == given) is kept
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        if answer.status >= 400:
            assert answer.json["request_id"] == answer.headers["x-request-id"]


def test_wrong_paths_and_methods_are_problems(both: tuple[FastAPI, ModelStore]) -> None:
    app, _ = both
    lost = get(app, "/nope")
    assert (lost.status, lost.json["code"]) == (404, "PATH_UNKNOWN")
    assert "/api/v1/regime" in lost.json["detail"]
    wrong = asgi.call(app, "DELETE", "/api/v1/models", headers=served.ASK)
    assert (wrong.status, wrong.json["code"], wrong.headers["allow"]) == (405, "METHOD_UNKNOWN", "GET")


def test_the_document_describes_what_is_answered(both: tuple[FastAPI, ModelStore]) -> None:
    app, _ = both
    document = get(app, "/openapi.json").json
    assert document["openapi"].startswith("3.1")
    text = str(document)
    assert "HTTPValidationError" not in text
    for reference in sorted({r.split("'")[0] for r in text.split("#/components/schemas/")[1:]}):
        assert reference in document["components"]["schemas"], reference
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert ("security" in operation) is (path not in OPEN_PATHS)
    resolver = {
        "components": document["components"],
        "$schema": "https://json-schema.org/draft/2020-12/schema",
    }

    def judge(name: str) -> Draft202012Validator:
        return Draft202012Validator({**resolver, "$ref": f"#/components/schemas/{name}"})

    body = {"series": [served.series(served.bars(120))], "bars": "all"}
    judge("RegimeRequest").validate(body)
    assert not judge("RegimeRequest").is_valid({**body, "bar": 1})
    assert not judge("RegimeRequest").is_valid({"series": []})
    answer = asgi.call(app, "POST", "/api/v1/regime", body=body, headers=served.ASK)
    judge("RegimeAnswer").validate(answer.json)
    judge("ModelsAnswer").validate(get(app, "/api/v1/models").json)
    judge("Problem").validate(get(app, "/nope").json)
    judge("ActivationAnswer").validate(post(app, {"version": 2}).json)
    post_regime = document["paths"]["/api/v1/regime"]["post"]
    assert post_regime["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith(
        "RegimeRequest"
    )
    assert "application/problem+json" in post_regime["responses"]["422"]["content"]
