"""What ``serve run`` calls: arguments, what it leaves on disk, how the deployments are set up; and who imports whom."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from actors.domain.errors import ConfigError
from serve.app import ServeArgs, build
from serve.models.store import ModelStore


@pytest.mark.parametrize(
    ("args", "match"),
    [
        ({"num_replica": "3"}, "num_replica.*known are userdir, config, num_replicas"),
        ({"num_replicas": "none"}, "num_replicas"),
        ({"num_replicas": "0"}, "num_replicas"),
        ({"budget_s": "nan"}, "budget_s"),
        ({"max_body_mib": "65"}, "max_body_mib"),
    ],
)
def test_wrong_arguments_are_refused(args: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        build(args)


def test_arguments_arrive_as_texts() -> None:
    made = ServeArgs.parse({"num_replicas": "3", "max_body_mib": "1.5"})
    assert (made.num_replicas, made.inference_replicas, made.max_body_mib) == (3, 2, 1.5)


def test_a_configuration_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("regime: {detector: []}\n")
    with pytest.raises(ConfigError, match=r"regime\.detector"):
        build({"userdir": str(tmp_path), "config": str(tmp_path / "mine.yaml")})
    (tmp_path / "mine.yaml").write_text("regime: {detectors: []}\n")
    with pytest.raises(ConfigError, match="at least one"):
        build({"userdir": str(tmp_path), "config": str(tmp_path / "mine.yaml")})


def test_build_prepares_the_folder_and_two_deployments(tmp_path: Path) -> None:
    for _ in range(2):
        app = build({"userdir": str(tmp_path), "num_replicas": "3", "budget_s": "5"})
    assert ModelStore(tmp_path).active("default") == 1
    assert ModelStore(tmp_path).versions("default") == [1]
    assert {p.name for p in (tmp_path / "keys").iterdir()} == {
        "serve_token", "serve_admin_token", "snapshot.key",
    }  # fmt: skip
    gateway = app._bound_deployment
    assert (gateway.name, gateway.num_replicas) == ("Gateway", 3)
    inference, *plain = gateway.init_args
    assert plain == [str(tmp_path), 8 << 20, 5.0]
    assert (inference._bound_deployment.name, inference._bound_deployment.num_replicas) == (
        "RegimeInference",
        2,
    )
    tokens = [(tmp_path / "keys" / n).read_text() for n in ("serve_token", "serve_admin_token")]
    assert not any(t in str(plain) for t in tokens), "what Ray stores and shows holds no secret"
    for deployment in (gateway, inference._bound_deployment):
        config = deployment._deployment_config
        assert config.health_check_period_s == 1
        assert config.graceful_shutdown_timeout_s == 30
        assert config.max_ongoing_requests <= 64


def _imports(file: Path) -> set[str]:
    out = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            out |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            out |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
    return out


def test_agents_know_no_server_and_only_serve_knows_ray_s(repo_root: Path) -> None:
    faults = []
    for folder in ("actors", "config", "cluster", "serve"):
        for file in sorted((repo_root / folder).rglob("*.py")):
            names = _imports(file)
            if folder != "serve" and any(n.startswith("ray.serve") for n in names):
                faults.append(f"{file}: ray.serve")
            if folder in ("actors", "config") and any(n == "serve" or n.startswith("serve.") for n in names):
                faults.append(f"{file}: serve")
            if folder == "serve" and "ray.serve" in names:
                text = file.read_text(encoding="utf-8")
                assert "from ray import serve as ray_serve" in text, file
    assert faults == []
