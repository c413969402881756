"""What a cluster is started from, judged without one: image, launcher, KubeRay; and the judges see planted mistakes."""

from __future__ import annotations

import copy
import fnmatch
import gzip
import importlib
import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from actors.runtime.environment import RAY_ENV

DOCKERFILE = "cluster/docker/Dockerfile"
SERVICE = "cluster/k8s/ray-service.yaml"
KUBERAY = ("cluster/k8s/ray-cluster.yaml", "cluster/k8s/ray-job.yaml", SERVICE)
VOLUMES = {"data": "tradewind-data", "models": "tradewind-models"}
KUBERNETES = "1.30"
PORTS_OF_RAY = {"gcs", "dashboard", "metrics"}


@pytest.fixture(scope="module")
def schemas(repo_root: Path) -> dict[str, Any]:
    packed = (repo_root / "tests" / "data" / "kuberay.schema.json.gz").read_bytes()
    made: dict[str, Any] = json.loads(gzip.decompress(packed))
    return made


def load(repo_root: Path, name: str) -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load((repo_root / name).read_text(encoding="utf-8"))
    return made


def spec_of(manifest: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = manifest["spec"]
    return spec.get("rayClusterSpec", spec.get("rayClusterConfig", spec))


def groups(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    spec = spec_of(manifest)
    return [spec["headGroupSpec"], *spec["workerGroupSpecs"]]


def judge_pod(template: dict[str, Any]) -> None:
    import kubernetes_validate

    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, **copy.deepcopy(template)}
    kubernetes_validate.validate(pod, KUBERNETES, strict=True)


def program(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name} of the development packages")
    return found


# --- image ------------------------------------------------------------------------------------------------


def hadolint(text: str) -> list[dict[str, Any]]:
    said = subprocess.run(
        [program("hadolint"), "-f", "json", "-"], input=text, capture_output=True, text=True
    )
    found: list[dict[str, Any]] = json.loads(said.stdout)
    return found


def test_the_image_has_no_fault_that_hadolint_knows(repo_root: Path) -> None:
    text = (repo_root / DOCKERFILE).read_text(encoding="utf-8")
    assert hadolint(text) == []
    worse = text.replace("--no-install-recommends ", "").replace("USER 1000\n", "USER root\n")
    assert {f["code"] for f in hadolint(worse)} >= {"DL3015", "DL3002"}


def ignored(path: str, rules: list[str]) -> bool:
    """Docker's rule: the last line that matches a path, or a folder above it, decides."""
    out = False
    for rule in rules:
        take, pattern = rule.startswith("!"), rule.lstrip("!").rstrip("/")
        parts = [path, *map(str, Path(path).parents)]
        if any(
            fnmatch.fnmatch(p, pattern) or fnmatch.fnmatch(p, pattern.replace("**/", "")) for p in parts[:-1]
        ):
            out = not take
    return out


def test_what_the_image_copies_is_there_and_nothing_else_reaches_it(repo_root: Path) -> None:
    text = (repo_root / DOCKERFILE).read_text(encoding="utf-8")
    lines = (repo_root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [r for r in lines if r and not r.startswith("#")]
    copied = [w for m in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for w in m.split()[:-1]]
    assert {"actors", "config", "serve", "cluster", "rust", "requirements.lock", "pyproject.toml"} <= set(
        copied
    )
    for name in copied:
        assert (repo_root / name).exists(), name
        assert not ignored(name, rules), name
    for secret in (
        "user_data/keys/ray_token",
        ".git/config",
        "data/BTC.parquet",
        "tests/conftest.py",
        ".venv/x",
    ):
        assert ignored(secret, rules), secret


def test_the_image_sets_what_ray_reads_at_its_start_and_runs_as_nobody_special(repo_root: Path) -> None:
    text = (repo_root / DOCKERFILE).read_text(encoding="utf-8")
    last = text[text.rindex("\nFROM ") :]
    for name, value in RAY_ENV.items():
        assert f"{name}={value}" in last
    assert "RAY_AUTH_MODE=token" in last
    assert re.search(r"^USER 1000$", last, re.MULTILINE)
    assert "--require-hashes -r requirements.lock" in text


# --- launcher ---------------------------------------------------------------------------------------------


def judge_launcher(config: dict[str, Any]) -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(config))


def test_the_launchers_file_is_one_that_ray_takes(repo_root: Path) -> None:
    config = load(repo_root, "cluster/ray-cluster.yaml")
    judge_launcher(copy.deepcopy(config))
    with pytest.raises(Exception, match="worker_ports"):
        judge_launcher({**copy.deepcopy(config), "worker_ports": [1]})
    for key in ("head_start_ray_commands", "worker_start_ray_commands"):
        start = config[key][-1]
        exported = start[: start.index(";")].split()  # what stands behind it is set for the shell only
        for name, value in RAY_ENV.items():
            if name != "RAY_worker_maximum_startup_concurrency":
                assert f"{name}={value}" in exported, (key, name)
        assert "RAY_AUTH_MODE=token" in start
        assert "RAY_AUTH_TOKEN_PATH=" in start
        assert not (set(re.findall(r"--[a-z-]+", start)) - options_of_ray_start())


def options_of_ray_start() -> set[str]:
    from ray.scripts.scripts import start

    return {o for p in start.params for o in p.opts}


# --- KubeRay ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KUBERAY)
def test_kuberay_takes_the_manifest_and_refuses_an_unknown_key(
    repo_root: Path, schemas: dict[str, Any], name: str
) -> None:
    manifest = load(repo_root, name)
    judge = jsonschema.Draft202012Validator(schemas[manifest["kind"]])
    judge.validate(manifest)
    for path, key in (
        (manifest["spec"], "ttlSeconds"),
        (spec_of(manifest)["workerGroupSpecs"][0], "replica"),
    ):
        path[key] = 1
        with pytest.raises(jsonschema.ValidationError, match=key):
            judge.validate(manifest)
        del path[key]
    spec_of(manifest)["authOptions"]["mode"] = "open"
    with pytest.raises(jsonschema.ValidationError, match="open"):
        judge.validate(manifest)


@pytest.mark.parametrize("name", KUBERAY)
def test_pods_are_what_kubernetes_takes(repo_root: Path, name: str) -> None:
    pytest.importorskip("kubernetes_validate")
    for group in groups(load(repo_root, name)):
        judge_pod(group["template"])
    broken = copy.deepcopy(group["template"])
    broken["spec"]["containers"][0]["imagePolicy"] = "Always"
    with pytest.raises(Exception, match="imagePolicy"):
        judge_pod(broken)


@pytest.mark.parametrize(("file", "name"), VOLUMES.items())
def test_the_volume_is_what_kubernetes_takes(repo_root: Path, file: str, name: str) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    claim = load(repo_root, f"cluster/k8s/{file}.yaml")
    kubernetes_validate.validate(claim, KUBERNETES, strict=True)
    assert claim["metadata"]["name"] == name


def judge_serve_config(text: str) -> dict[str, Any]:
    """Ray's own schema passes over a misspelt key, so keys are compared as well."""
    from ray.serve.schema import (
        DeploymentSchema,
        HTTPOptionsSchema,
        ServeApplicationSchema,
        ServeDeploySchema,
    )

    tree: dict[str, Any] = yaml.safe_load(text)
    ServeDeploySchema.model_validate(tree)
    parts = [(tree, ServeDeploySchema), (tree["http_options"], HTTPOptionsSchema)]
    for application in tree["applications"]:
        parts.append((application, ServeApplicationSchema))
        parts += [(d, DeploymentSchema) for d in application.get("deployments", [])]
    for part, schema in parts:
        assert set(part) <= set(schema.model_fields), set(part) - set(schema.model_fields)
    return tree


def test_the_service_runs_what_the_checkout_serves(repo_root: Path, tmp_path: Path) -> None:
    from serve.app import ServeArgs, build

    text = load(repo_root, SERVICE)["spec"]["serveConfigV2"]
    (application,) = judge_serve_config(text)["applications"]
    assert application["import_path"] == "serve.app:build"
    args = ServeArgs.parse(application["args"])
    assert (args.num_replicas, args.inference_replicas) == (2, 2)
    gateway = build({**application["args"], "userdir": str(tmp_path)})._bound_deployment
    made = {gateway.name, gateway.init_args[0]._bound_deployment.name}
    assert {d["name"] for d in application["deployments"]} == made
    with pytest.raises(AssertionError, match="num_replica"):
        judge_serve_config(text.replace("- name: Gateway", "- name: Gateway\n        num_replica: 1"))
    for group in groups(load(repo_root, SERVICE)):
        mounts = {
            m["name"]: m["mountPath"] for m in group["template"]["spec"]["containers"][0]["volumeMounts"]
        }
        assert mounts["data"] == args.userdir, "every replica sees the same models and tokens"
        claims = {v["name"]: v.get("persistentVolumeClaim") for v in group["template"]["spec"]["volumes"]}
        assert claims["data"] == {"claimName": VOLUMES["models"]}


@pytest.mark.parametrize("name", KUBERAY)
def test_one_release_everywhere_with_a_token_and_without_root(repo_root: Path, name: str) -> None:
    manifest = load(repo_root, name)
    spec, known = spec_of(manifest), options_of_ray_start()
    assert spec["rayVersion"] == version("ray")
    assert spec["authOptions"] == {"mode": "token"}
    assert spec["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    images = set()
    for group in groups(manifest):
        assert {f"--{k}" for k in group["rayStartParams"]} <= known
        pod = group["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            images.add(container["image"])
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            given = {e["name"]: e["value"] for e in container["env"]}
            assert given.items() <= dict(RAY_ENV).items()
            assert {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"} <= given.keys()
    assert images == {"tradewind:0.1.0"}
    if manifest["kind"] == "RayJob":
        module = manifest["spec"]["entrypoint"].split()[2]
        assert (repo_root / (module.replace(".", "/") + ".py")).is_file()


def test_yaml_is_tidy(repo_root: Path) -> None:
    files = [
        str(repo_root / f)
        for f in (*KUBERAY, *(f"cluster/k8s/{v}.yaml" for v in VOLUMES), "cluster/ray-cluster.yaml")
    ]
    rules = "{extends: default, rules: {line-length: {max: 130}, document-start: disable}}"
    said = subprocess.run([program("yamllint"), "-s", "-d", rules, *files], capture_output=True, text=True)
    assert said.returncode == 0, said.stdout


def test_every_long_verb_has_a_job_and_all_jobs_are_alike(repo_root: Path) -> None:
    jobs = {p.stem: p.read_text(encoding="utf-8") for p in (repo_root / "cluster" / "jobs").glob("[a-z]*.py")}
    text = jobs.pop("submitted")
    assert "def run_submitted" in text
    assert {"hyperopt", "walk_forward", "validate", "stress", "paper"} <= jobs.keys()
    for name, text in jobs.items():
        assert "return run_submitted(" in text, name
        assert f"python -m cluster.jobs.{name}" in text, name
        assert len(text.splitlines()) < 40, name


@pytest.mark.parametrize("name", ["hyperopt", "walk_forward", "validate", "stress", "paper"])
def test_a_job_refuses_data_that_its_copy_does_not_hold(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    job = importlib.import_module(f"cluster.jobs.{name}")
    assert job.main(["--data", "data/nothere.parquet", "-p", "BTC/USDT"]) == 3
    said = capsys.readouterr().err
    assert said.startswith(
        f"cluster.jobs.{name}: --data data/nothere.parquet: expected a file in the job's folder"
    )
