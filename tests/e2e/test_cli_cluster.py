"""A local cluster as a person uses it: up, a job submitted to it, status, metrics, down; one Ray for all."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import small

from actors.domain.errors import VenueUnavailableError
from cluster import local, ray_state
from cluster.cli import main as cli

ROOT = Path(__file__).parents[2]
RAY = Path(sys.executable).with_name("ray")


def verb(words: list[str], folder: Path) -> tuple[int, dict[str, Any]]:
    """Run a verb in a process of its own; return exit code and result."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
    env["RAY_metrics_report_interval_ms"] = "1000"  # a short job would be over before the first report
    done = subprocess.run(
        [sys.executable, "-m", "cluster.cli", *words, "--userdir", str(folder), "--json", "-"], cwd=ROOT, env=env,
        capture_output=True, text=True, check=False, timeout=200,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)["result"] if done.stdout else {"error": done.stderr}


def submit(note: local.ClusterNote, *words: str, wait: bool = True) -> subprocess.Popen[str]:
    """Submit paper trading from the checkout, as `up` prints it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")} | local.client_environment(note)
    process = subprocess.Popen(
        [str(RAY), "job", "submit", "--working-dir", ".", "--", "python", "-m", "cluster.jobs.paper", *words],
        cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    if wait:
        process.wait(200)
    return process


def listening(session: int) -> set[str]:
    """Addresses on which the processes of a session listen."""
    out = set()
    for c in psutil.net_connections("tcp"):
        if c.status == psutil.CONN_LISTEN and c.pid is not None and os.getsid(c.pid) == session:
            out.add(c.laddr.ip)
    return out


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_a_job_trades_on_a_local_cluster(tmp_path: Path) -> None:
    folder = tmp_path / "ud"
    ports = {name: local.free_port() for name in local.PORTS}
    flags = [word for name, port in ports.items() for word in (f"--{name.replace('_', '-')}", str(port))]
    code, started = verb(["up", *flags], folder)
    try:
        assert code == 0, started
        note = local.read_note(folder)
        assert note is not None
        assert "RAY_AUTH_MODE=token" in started["submit"]
        assert f"RAY_AUTH_TOKEN_PATH={folder}/keys/ray_token" in started["submit"]
        assert listening(note.pid) <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{note.dashboard}/api/jobs/", timeout=30)  # without the token
        assert verb(["up", *flags], folder)[0] == 2  # one is running
        # a second folder cannot take the same ports
        assert verb(["up", *flags], tmp_path / "other")[0] == 4

        data = bars(tmp_path / "BTCUSDT_1h.parquet")
        job = submit(
            note, "--data", str(data), "-p", "BTC/USDT", "-i", "1h", "--userdir", str(folder), wait=False
        )
        seen, metrics = watch(note, job)
        said = job.communicate()[0]
        assert job.returncode == 0, said[-3000:]
        assert {
            "regime-hmm",
            "strategy-rsi",
            "coordinator-risk",
            "venue",
            "journal",
            "supervisor",
            "event-bus",
        } <= set(seen)
        assert {seen["strategy-rsi"]["kind"], seen["venue"]["kind"]} == {"strategy:rsi", "venue:mock"}
        assert len({a["pid"] for a in seen.values()}) == len(seen) >= 20
        for name in ("decisions_total", "step_latency_ms_bucket", "inbox_steps", "equity_quote"):
            assert f"ray_tradewind_{name}" in metrics
        assert {"strategy-rsi", "venue", "coordinator-risk"} <= set(re.findall(r'agent="([\w-]+)"', metrics))
        equity = re.search(r"^ray_tradewind_equity_quote\{[^}]*\} (\S+)$", metrics, re.MULTILINE)
        assert equity is not None
        assert 50_000.0 < float(equity[1]) < 200_000.0
        report = re.search(r"report:\s+(\S+)", said)
        assert report is not None
        assert Path(report[1]).is_file()
        assert Path(report[1]).is_relative_to(folder)

        missing = submit(note, "--data", "data/nothere.parquet", "-p", "BTC/USDT")
        said = missing.communicate()[0]
        assert missing.returncode != 0
        assert "code 3" in said
        assert "working_dir_files" in said
        assert "make the path absolute" in said
        for folder_of_ours in ("user_data", ".venv", "target"):
            assert not list(
                Path(note.temp_dir).glob(f"*/runtime_resources/working_dir_files/*/{folder_of_ours}")
            )
        assert verb(["status"], folder)[1]["agents"] == []
    finally:
        ended = verb(["down"], folder)
    assert ended == (0, {"stopped": True, "pid": note.pid, "address": note.address})
    assert not local.is_running(note)
    assert all(local.port_free(p) for p in ports.values())
    assert verb(["down"], folder)[1]["stopped"] is False


def bars(path: Path) -> Path:
    """A Parquet file of 340 synthetic hours."""
    frame = next(iter(small.frames(340).values()))
    table = pd.DataFrame({c: getattr(frame, c) for c in ("open", "high", "low", "close", "volume")})
    table.insert(0, "timestamp", frame.open_ns)
    table.to_parquet(path)
    return path


def watch(note: local.ClusterNote, job: subprocess.Popen[str]) -> tuple[dict[str, dict[str, Any]], str]:
    """Look at the cluster while a job runs; return its agents by name as last seen alive, and all metrics."""
    seen: dict[str, dict[str, Any]] = {}
    metrics: dict[str, str] = {}
    end = time.monotonic() + 300
    while job.poll() is None and time.monotonic() < end:
        try:
            agents, _ = ray_state.agents(note)
        except VenueUnavailableError:
            continue  # a starved dashboard; the job's own end is what counts
        seen |= {a["name"]: a for a in agents if a["health"] == ray_state.HEALTHY}
        with contextlib.suppress(OSError), urllib.request.urlopen(note.metrics, timeout=30) as page:
            lines = page.read().decode().splitlines()
            metrics |= {line.rpartition(" ")[0]: line for line in lines if line.startswith("ray_tradewind_")}
        time.sleep(0.5)
    return seen, "\n".join(metrics.values())


def test_a_damaged_note_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cluster.json").write_text("{", encoding="utf-8")
    assert cli.main(["status", "--userdir", str(tmp_path)]) == 2
    assert str(tmp_path / "cluster.json") in capsys.readouterr().err


def test_an_agent_that_is_dead_while_its_run_goes_on_is_ill(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def actor(name: str, state: str, run: str, restarts: int = 0) -> dict[str, Any]:
        return {"name": name, "class_name": "AgentShell", "repr_name": f"kind:{name}", "pid": 7, "state": state,
                "ray_namespace": run, "num_restarts": restarts, "node_id": "n"}  # fmt: skip

    rows = [
        actor("a", "ALIVE", "tradewind-1", 2), actor("b", "DEAD", "tradewind-1"),
        actor("c", "RESTARTING", "tradewind-1"),
        actor("d", "DEAD", "tradewind-1"), actor("d", "ALIVE", "tradewind-1"),  # a new actor took the name over
        actor("a", "DEAD", "tradewind-0"), actor("x", "ALIVE", "somebody-else"),
    ]  # fmt: skip
    monkeypatch.setattr(ray_state, "_rows", lambda *_: rows)
    note = local.ClusterNote(1, 0.0, "", "", "", "disabled", "", str(tmp_path), "")
    agents, ended = ray_state.agents(note)
    assert [(a["name"], a["health"]) for a in agents] == [
        ("a", "healthy"), ("b", "ill"), ("c", "ill"), ("d", "healthy")
    ]  # fmt: skip
    assert (agents[0]["kind"], agents[0]["restarts"], agents[0]["run_id"]) == ("kind:a", 2, "1")
    assert ended == 1
