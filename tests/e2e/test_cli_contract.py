"""The command line keeps its contract: examples parse, documents have their keys, bad input its exit code."""

from __future__ import annotations

import importlib
import json
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from actors.domain import registry
from cluster import checks, local
from cluster.cli import main as cli

HEAD = {
    "tradewind", "verb", "seed", "config_hash", "data_hash", "kernel_backend", "started_at", "duration_s", "result"
}  # fmt: skip
RUN = {"warmup_bars", "decisions", "orders", "fills", "trade_count"}
METRICS = [
    "bars",
    "trade_count",
    "total_pnl_quote",
    "total_return_frac",
    "cagr_frac",
    "volatility_ann_frac",
    "sharpe_ann",
    "sortino_ann",
    "calmar",
    "omega",
    "max_drawdown_frac",
    "max_drawdown_bars",
    "win_rate_frac",
    "profit_factor",
    "expectancy_quote",
    "avg_trade_duration_bars",
    "max_consecutive_losses",
    "exposure_frac",
    "turnover_ann",
    "fees_quote",
    "slippage_quote",
    "funding_quote",
    "borrow_quote",
    "liquidation_quote",
    "var_95_frac",
    "es_95_frac",
    "skew",
    "kurtosis",
    "psr",
    "min_track_record_bars",
]
PER_FILE = [
    "rows",
    "gaps",
    "missing_frac",
    "duplicates",
    "out_of_order",
    "invalid",
    "zero_volume",
    "errors",
    "warnings",
]
PAIR = ["-p", "BTC/USDT", "-i", "1h"]


def call(words: list[str], folder: Path) -> tuple[int, dict[str, Any]]:
    """Run a verb in this process; return exit code and document ({} if there is none)."""
    out = folder / "out.json"
    out.unlink(missing_ok=True)
    given = [] if "--userdir" in words else ["--userdir", str(folder / "ud")]
    code = cli.main([*words, *given, "--no-progress", "--json", str(out)])
    return code, json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good file: 300 synthetic hours."""
    return write_bars(tmp_path_factory.mktemp("bars") / "BTCUSDT_1h.csv")


def write_bars(path: Path, header: str = "timestamp,open,high,low,close,volume") -> Path:
    """Write a market that falls and recovers; its strategies have something to do."""
    rows, price = [header], 100.0
    for k in range(300):
        now = price * (1.0 + (0.01 if (k // 40) % 2 else -0.008) + (0.004 if k % 3 else -0.006))
        high, low = max(price, now) * 1.002, min(price, now) * 0.998
        rows.append(f"{1577836800 + 3600 * k},{price:.4f},{high:.4f},{low:.4f},{now:.4f},{50 + k % 7}")
        price = round(now, 4)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


# help


@pytest.mark.parametrize("verb", sorted(cli.verbs()))
def test_the_example_of_a_verb_parses(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(cli.verbs()[verb])
    words = shlex.split(module.EXAMPLE)
    assert words[:2] == ["tradewind", verb]
    args = cli.parser_of(verb, module).parse_args(words[2:])
    assert {"config", "set", "userdir", "seed", "json", "no_progress", "verbose", "log_format"} <= set(
        vars(args)
    )
    with pytest.raises(SystemExit) as ended:
        cli.main([verb, "--help"])
    assert ended.value.code == 0
    assert module.EXAMPLE in capsys.readouterr().out


def test_the_overview_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {verb}" in shown for verb in cli.verbs())
    promised = [
        "demo",
        "trade",
        "parity",
        "chaos",
        "check-data",
        "download-data",
        "list-agents",
        "list-strategies",
        "list-detectors",
        "list-indicators",
        "list-exchanges",
        "new-strategy",
        "up",
        "down",
        "status",
        "doctor",
        "report",
    ]
    assert set(promised) <= set(cli.verbs())


# documents


def test_a_trade_document_has_its_keys(bars: Path, tmp_path: Path) -> None:
    span = ["--timerange", "20200106-20200112"]
    code, doc = call(["trade", "--replay", "--host", "local", "--data", str(bars), *PAIR, *span], tmp_path)
    assert code == 0
    assert set(doc) == HEAD
    assert (doc["verb"], doc["seed"]) == ("trade", 7)
    assert doc["started_at"].endswith("Z")
    result = doc["result"]
    assert RUN | {"journal", "decision_hash", "metrics", "open_orders", "positions", "report"} <= set(result)
    assert set(METRICS) <= set(result["metrics"])
    money = [k for k in result["metrics"] if k.endswith("_quote")]
    assert all(result["metrics"][k] is None or isinstance(result["metrics"][k], str) for k in money)
    assert all(set(a) == {"name", "kind", "pid"} for a in result["agents"])
    assert Path(result["report"]).is_file()


def test_parity_of_a_host_with_itself_has_its_keys(bars: Path, tmp_path: Path) -> None:
    words = [
        "parity",
        "--hosts",
        "local,local",
        "--data",
        str(bars),
        *PAIR,
        "--timerange",
        "20200109-20200112",
    ]
    code, doc = call(words, tmp_path)
    assert code == 0
    assert RUN | {"hashes", "agents_by_host", "equal", "first_difference"} <= set(doc["result"])
    assert doc["result"]["equal"] is True
    assert doc["result"]["first_difference"] is None


def test_json_on_stdout_stands_alone(bars: Path, tmp_path: Path) -> None:
    done = run_process(["check-data", str(bars), "--json", "-", "--userdir", str(tmp_path)], {})
    assert done.returncode == 0
    doc = json.loads(done.stdout)
    assert set(doc) == HEAD
    assert set(PER_FILE) <= set(doc["result"]["files"][0])


def test_check_data_names_offenders_file_by_file(bars: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    lines = bars.read_text(encoding="utf-8").splitlines()
    (folder / "good.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "twice.csv").write_text("\n".join([*lines[:5], lines[4], *lines[5:]]) + "\n", encoding="utf-8")
    code, doc = call(["check-data", str(folder), "--data", f"BTC/USDT={bars}"], tmp_path)
    files = {Path(f["path"]).name: f for f in doc["result"]["files"]}
    assert code == 3
    assert set(files) == {"good.csv", "twice.csv", bars.name}
    assert [files[n]["ok"] for n in ("good.csv", "twice.csv", bars.name)] == [True, False, True]
    (error,) = files["twice.csv"]["errors"]
    assert (error["code"], error["count"], error["offenders"][0]["line"]) == ("DUPLICATES", 1, 6)


@pytest.mark.shared_data
def test_real_dirty_files_are_caught_and_good_ones_pass(shared_data: Path, tmp_path: Path) -> None:
    code, doc = call(["check-data", str(shared_data / "ohlcv" / "dirty")], tmp_path)
    assert code == 3
    assert all(f["errors"] and f["errors"][0]["message"] for f in doc["result"]["files"])
    good = shared_data / "ohlcv" / "binance_spot" / "BTCUSDT_1h.parquet"
    code, doc = call(["check-data", str(good)], tmp_path)
    assert (code, doc["result"]["files"][0]["gaps"] > 0) == (0, True)


def test_lists_tell_default_unit_limits_and_meaning(tmp_path: Path) -> None:
    for verb, package in (
        ("strategies", "strategies"),
        ("detectors", "regime"),
        ("indicators", "indicators"),
    ):
        code, doc = call([f"list-{verb}"], tmp_path)
        assert code == 0
        rows = {r["kind"]: r for r in doc["result"][verb]}
        assert sorted(rows) == registry.kinds(f"actors.domain.{package}")
        params = [p for r in rows.values() for p in r["params"].values()]
        assert all(set(p) == {"default", "type", "unit", "limits", "range", "about"} for p in params)
        assert any(p["unit"] == "bars" for p in params)
    _, doc = call(["list-strategies"], tmp_path)
    rsi = next(r for r in doc["result"]["strategies"] if r["kind"] == "rsi")["params"]
    assert rsi["window_bars"]["default"] == 14
    assert rsi["window_bars"]["limits"] == ["ge=2"]
    assert "RSI" in rsi["oversold"]["about"]


def test_exchanges_name_venues_parts_and_the_closed(tmp_path: Path) -> None:
    code, doc = call(["list-exchanges"], tmp_path)
    kinds = {e["kind"]: e for e in doc["result"]["exchanges"]}
    assert code == 0
    assert {"binance", "kraken", "mock"} <= set(kinds)
    assert kinds["mock"]["orders"] is True
    assert kinds["kraken"]["history_bars"] == 719
    assert "maker_taker" in [f["kind"] for f in doc["result"]["venue"]["fees"]]
    assert "ftx" in doc["result"]["closed"]


# exit codes: (what is wrong, words, exit code, what the message must name)

BAD = [
    ("no verb", [], 2, "usage"),
    ("unknown verb", ["trde"], 2, "expected a verb"),
    ("wrong file", ["trade", "--replay", "--host", "local", "--data", "nothere.parquet", *PAIR], 3, "nothere.parquet"),
    ("a file that is no table", ["trade", "--replay", "--host", "local", "--data", "{junk}", *PAIR], 3, "junk"),
    ("wrong column", ["trade", "--replay", "--host", "local", "--data", "{columns}", *PAIR], 3, "high"),
    ("no data", ["trade", "--replay", "--host", "local", *PAIR], 2, "--data"),
    ("no replay", ["trade", "--data", "{bars}"], 2, "--replay"),
    (
        "range without bars",
        ["trade", "--replay", "--host", "local", "--data", "{bars}", *PAIR, "--timerange", "20300101-"], 3,
        "expected bars",
    ),
    (
        "range that is none",
        ["trade", "--replay", "--host", "local", "--data", "{bars}", *PAIR, "--timerange", "20200202-20200101"], 2,
        "timerange",
    ),
    (
        "unknown kind",
        ["trade", "--replay", "--host", "local", "--data", "{bars}", *PAIR, "-s", "moon"], 2, "expected one of",
    ),
    (
        "missing package",
        ["trade", "--replay", "--host", "local", "--data", "{bars}", *PAIR, "-s", "no_such_package:Strategy"], 2,
        "no_such_package",
    ),
    (
        "contradictory parameters",
        ["list-agents", "-s", "ma_crossover", "--set", "strategy.fast_bars=50",
         "--set", "strategy.slow_bars=20"], 2, "fast",
    ),
    (
        "contradictory limits",
        ["list-agents", "--set", "runtime.block_steps=64", "--set", "runtime.snapshot_every_steps=32"], 2,
        "snapshot_every_steps",
    ),
    ("unknown key", ["list-agents", "--set", "riskk.x=1"], 2, "riskk"),
    ("a set without a value", ["list-agents", "--set", "seed"], 2, "seed"),
    ("missing configuration", ["list-agents", "-c", "nothere.yaml"], 2, "nothere.yaml"),
    ("strategy parameter without -s", ["list-agents", "--set", "strategy.window_bars=3"], 2, "-s"),
    ("unwritable userdir", ["up", "--userdir", "{junk}"], 2, "--userdir"),
    (
        "unwritable userdir of a run",
        ["trade", "--replay", "--host", "local", "--data", "{bars}", *PAIR, "--userdir", "{junk}/sub"], 2, "--userdir",
    ),
    ("unwritable userdir of a download", ["download-data", "--timerange", "20200101-", "--userdir", "/proc/nothere"], 2,
     "--userdir"),
    ("closed exchange", ["download-data", "--exchange", "ftx", "--timerange", "20200101-", *PAIR], 2, "FTX"),
    ("port in use", ["up", "--port", "{port}"], 4, "--port"),
    ("a port twice", ["up", "--port", "6001", "--metrics-port", "6001"], 2, "--port"),
    ("cluster never started", ["status"], 4, "tradewind up"),
    ("no such run", ["report", "20990101"], 2, "expected one run"),
    ("real money", ["trade", "--replay", "--host", "local", "--data", "{bars}", *PAIR, "--set", "mode=live"], 2,
     "simulated money only"),
    (
        "a pair that is none", ["trade", "--replay", "--data", "{bars}", "-p", "btcusdt"], 2,
        "pairs.0 (--set pairs): expected BASE/QUOTE",
    ),
    ("a timeframe that is none", ["trade", "--replay", "--data", "{bars}", "-i", "7x"], 2, "such as 1h, found '7x'"),
    (
        "a strategy file that is no Python",
        ["trade", "--replay", "--host", "local", "--data", "{bars}", *PAIR, "-s", "{broken}:X"], 2, "line 1",
    ),
    (
        "a strategy file that raises",
        ["trade", "--replay", "--host", "local", "--data", "{bars}", *PAIR, "-s", "{raising}:X"], 2, "line 2",
    ),
    ("a result into a folder", ["list-agents", "--json", "{folder}"], 2, "--json"),
    ("a result where nothing can be written", ["list-agents", "--json", "/proc/nothere/x.json"], 2, "--json"),
    (
        "a journal server that is not there",
        ["trade", "--replay", "--host", "local", "--data", "{bars}", *PAIR, "--timerange", "20200111-",
         "--set", "journal.url=postgresql+pg8000://u@127.0.0.1:1/x"], 4, "expected a connection",
    ),
    (
        "an address that is none",
        ["trade", "--replay", "--host", "ray", "--address", "nonsense", "--data", "{bars}", *PAIR,
         "--timerange", "20200111-"], 2, "host:port",
    ),
    (
        "a cluster that is not there",
        ["trade", "--replay", "--host", "ray", "--address", "127.0.0.1:{closed}", "--data", "{bars}", *PAIR,
         "--timerange", "20200111-"], 4, "tradewind up",
    ),
    ("few kills", ["chaos", "--kills", "2", "--data", "{bars}", *PAIR, "--timerange", "20200111-"], 2, "--kills"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "code", "named"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad_input_ends_with_its_code_and_says_what_to_do(
    words: list[str], code: int, named: str, bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    junk = tmp_path / "junk.csv"
    junk.write_bytes(b"\x00\x01 this is no table\n")
    columns = write_bars(tmp_path / "columns.csv", "timestamp,open,top,low,close,volume")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        known = {
            "bars": bars, "junk": junk, "columns": columns, "port": taken.getsockname()[1], "closed": closed_port(),
            "folder": tmp_path, "broken": own_module(tmp_path, "broken", "def f(:\n"),
            "raising": own_module(tmp_path, "raising", "x = 1\nx / 0\n"),
        }  # fmt: skip
        given = [w.format(**known) for w in words]
        if words and words[0] in cli.verbs() and "--userdir" not in words:
            given += ["--userdir", str(tmp_path / "ud")]
        assert cli.main(given) == code
    out = capsys.readouterr()
    message = out.err or out.out
    assert named in message
    assert "Traceback" not in message
    assert not list((tmp_path / "ud").glob("results/*"))


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def own_module(folder: Path, name: str, text: str) -> str:
    """A module of a user's own in ``strategies``; return its name, one of its own for each test."""
    made = f"{name}_{folder.name}".replace("-", "_")
    target = folder / "ud" / "strategies"
    target.mkdir(parents=True, exist_ok=True)
    (target / f"{made}.py").write_text(text, encoding="utf-8")
    return made


def test_what_has_no_effect_is_said(bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "ETHUSDT_1h.csv"
    other.write_bytes(bars.read_bytes())
    span = ["--timerange", "20200112-", "-s", "rsi"]
    words = ["trade", "--replay", "--host", "local", "-i", "1h", *span]
    assert (
        call([*words, "-p", "BTC/USDT", "--data", f"BTC/USDT={bars}", "--data", str(other)], tmp_path)[0] == 0
    )
    assert "note: " in (said := capsys.readouterr().err)
    assert "ETHUSDT_1h.csv: ignored" in said
    assert call([*words, "-p", "SOL/USDT", "--data", str(other)], tmp_path)[0] == 0
    assert "taken as SOL/USDT" in capsys.readouterr().err


def test_a_disk_that_is_full_ends_the_run_and_a_resume_goes_on(bars: Path, tmp_path: Path) -> None:
    words = ["trade", "--host", "local", "--no-progress", "--userdir", str(tmp_path / "ud")]
    replay = ["--replay", "--data", str(bars), *PAIR, "--timerange", "20200111-", "-s", "rsi", "--set",
              "runtime.snapshot_every_steps=32"]  # fmt: skip
    # a file may not grow beyond this, which the journal does in the middle of the run
    limited = [
        "bash",
        "-c",
        'ulimit -f 100; exec "$@"',
        "-",
        sys.executable,
        "-m",
        "cluster.cli",
        *words,
        *replay,
    ]
    env = {**os.environ, "TRADEWIND__RUNTIME__BLOCK_STEPS": "32"}
    done = subprocess.run(
        limited,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[2],
        env=env,
    )
    assert done.returncode == 4, done.stderr
    assert "then resume" in done.stderr
    assert str(tmp_path / "ud" / "journal") in done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "ud").glob("journal/*/snapshots/*"))
    code, resumed = call(["trade", "--resume", "--userdir", str(tmp_path / "ud")], tmp_path)
    whole = call(["trade", "--host", "local", *replay], tmp_path)[1]
    assert code == 0
    assert resumed["result"]["orders"] > 0
    assert resumed["result"]["decision_hash"] == whole["result"]["decision_hash"]


def run_process(words: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cluster.cli", *words], capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, **env}, cwd=Path(__file__).parents[2],
    )  # fmt: skip


def test_required_kernels_that_are_missing_end_the_run(bars: Path, tmp_path: Path) -> None:
    words = ["trade", "--replay", "--host", "local", "--data", str(bars), *PAIR, "--timerange", "20200111-",
             "--set", "kernels.require_native=true", "--userdir", str(tmp_path)]  # fmt: skip
    done = run_process(words, {"TRADEWIND_KERNEL_BACKEND": "python"})
    assert done.returncode == 2
    assert "native" in done.stderr
    assert not done.stdout


def test_a_gone_cluster_is_named_with_its_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    note = local.ClusterNote(
        pid=ended.pid, created_s=0.0, address="127.0.0.1:1", dashboard="http://127.0.0.1:1", metrics="",
        auth_mode="disabled", token_path="", temp_dir=str(tmp_path / "ray"), log="cluster.log",
    )  # fmt: skip
    (tmp_path / "cluster.json").write_text(json.dumps(vars(note)), encoding="utf-8")
    assert cli.main(["status", "--userdir", str(tmp_path)]) == 4
    assert "tradewind trade --resume" in capsys.readouterr().err
    assert cli.main(["down", "--userdir", str(tmp_path)]) == 0
    assert not (tmp_path / "cluster.json").exists()


def test_doctor_gives_a_remedy_for_all_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(checks.CHECKS, "packages", lambda _: iter([("fail", "missing: numpy", "make build")]))
    code, doc = call(["doctor"], tmp_path)
    found = {c["name"]: c for c in doc["result"]["checks"]}
    assert code == 1
    assert doc["result"]["failed"] == ["packages"]
    assert found["packages"]["remedy"] == "make build"
    assert all(c["state"] in ("ok", "warn", "fail") for c in found.values())
    assert all(c["remedy"] for c in found.values() if c["state"] != "ok")
    assert {"python", "cargo", "kernels", "ray", "ports", "clock", "disk", "userdir", "keys"} <= set(found)
    assert not (tmp_path / "ud").exists()


def test_doctor_misses_a_package_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(checks, "_ROOT", tmp_path)
    (tmp_path / "requirements.lock").write_text("no-such-package==1.0\nnumpy==0.0.1\n", encoding="utf-8")
    found = {state: text for state, text, _ in checks.packages(tmp_path)}
    assert "no-such-package" in found["fail"]
    assert "numpy" in found["warn"]
