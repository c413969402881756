"""Verbs in this process: their JSON, their files, their exit codes."""

from __future__ import annotations

import importlib.util
import json
import socket
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from actors.adapters.feeds.ccxt_client import VENUES
from actors.adapters.storage.bar_store import BarStore
from actors.domain import registry
from actors.domain.evaluation.report_model import decode, encode
from actors.domain.model.bars import BarFrame
from actors.domain.model.timerange import format_ns
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.cli import download_data
from cluster.cli import main as cli

HOUR_NS = 3_600_000_000_000
PAIR = "BTC/USDT"


def _support() -> ModuleType:
    path = Path(__file__).resolve().parents[1] / "support" / "binance_rest.py"
    spec = importlib.util.spec_from_file_location("binance_rest", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["binance_rest"] = module
    spec.loader.exec_module(module)
    return module


rest = _support()


def call(words: list[str], folder: Path) -> tuple[int, Any]:
    """Run a verb; return its exit code and its JSON document, None if it wrote none."""
    out = folder / "out.json"
    out.unlink(missing_ok=True)
    code = cli.main([*words, "--no-progress", "--userdir", str(folder / "ud"), "--json", str(out)])
    return code, json.loads(out.read_text(encoding="utf-8")) if out.exists() else None


@pytest.mark.parametrize(
    ("verb", "package"),
    [
        ("list-strategies", "actors.domain.strategies"),
        ("list-detectors", "actors.domain.regime"),
        ("list-indicators", "actors.domain.indicators"),
    ],
)
def test_a_list_names_every_kind_with_all_its_parameters(verb: str, package: str, tmp_path: Path) -> None:
    code, doc = call([verb], tmp_path)
    assert (code, doc["verb"]) == (0, verb)
    rows = {r["kind"]: r for r in doc["result"][verb.removeprefix("list-")]}
    assert sorted(rows) == registry.kinds(package)
    assert len(rows) >= 3
    for kind, row in rows.items():
        assert row["about"], kind
        assert set(row["params"]) == set(registry.params_of(registry.load(package, kind)).model_fields)


def test_the_fleet_is_listed_as_it_would_run(tmp_path: Path) -> None:
    code, doc = call(["list-agents"], tmp_path)
    assert code == 0
    assert doc["config_hash"]
    agents = {a["name"]: a for a in doc["result"]["agents"]}
    assert len(agents) == len(doc["result"]["agents"]) >= 20
    assert all({"kind", "parent", "group", "inputs"} <= set(a) for a in agents.values())
    heard = {i["source"] for a in agents.values() for i in a["inputs"]}
    assert heard <= {*agents, "feed"}
    assert {a["parent"] for a in agents.values() if a["parent"]} <= set(agents)
    code, doc = call(["list-agents", "-s", "rsi"], tmp_path)
    names = [a["name"] for a in doc["result"]["agents"] if a["kind"].startswith("strategy:")]
    assert (code, names) == (0, ["strategy-rsi"])
    assert call(["list-agents", "-s", "nosuch"], tmp_path) == (2, None)


def test_doctor_fails_only_with_a_remedy_and_sees_an_open_key(tmp_path: Path) -> None:
    key = tmp_path / "ud" / "keys" / "snapshot.key"
    key.parent.mkdir(parents=True)
    key.write_bytes(b"0" * 32)
    states = {}
    for mode in (0o600, 0o644):
        key.chmod(mode)
        code, doc = call(["doctor"], tmp_path)
        checks = {c["name"]: c for c in doc["result"]["checks"]}
        assert {"python", "ray", "cargo", "kernels", "disk", "userdir", "keys", "shared memory"} <= set(
            checks
        )
        assert all(c["state"] in ("ok", "warn", "fail") and c["found"] for c in checks.values())
        assert all(c["remedy"] for c in checks.values() if c["state"] == "fail")
        assert code == int(any(c["state"] == "fail" for c in checks.values()))
        states[mode] = checks["keys"]["state"]
    assert states == {0o600: "ok", 0o644: "fail"}


# report


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with one stored run, and the run's id."""
    folder = tmp_path_factory.mktemp("stored")
    code, doc = call(["demo", "--host", "local", "--bars", "600"], folder)
    assert code == 0
    return folder, doc["result"]["run_id"]


def test_the_newest_report_is_built_again(stored: tuple[Path, str]) -> None:
    folder, run_id = stored
    page = folder / "ud" / "results" / run_id / "report.html"
    before = page.read_bytes()
    page.unlink()
    code, doc = call(["report"], folder)
    assert (code, doc["result"]["run_id"], doc["result"]["report"]) == (0, run_id, str(page))
    assert page.read_bytes() == before
    run = json.loads((page.parent / "result.json").read_text(encoding="utf-8"))
    assert doc["result"]["metrics"]["trade_count"] == run["metrics"]["trade_count"]
    assert doc["data_hash"]


def test_two_runs_are_compared(stored: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    folder, run_id = stored
    results = folder / "ud" / "results"
    model = decode((results / run_id / "report.json").read_bytes())
    model.metrics["total_return_frac"] += 0.5
    model.metrics["sharpe_ann"] = None
    model.info.decision_hash = "other"
    other = results / "00000000-000000-0000"  # sorts before the real one, so that stays the newest
    other.mkdir()
    (other / "report.json").write_bytes(encode(model))
    code, doc = call(["report", "--compare", run_id, other.name], folder)
    assert code == 0
    assert doc["result"]["runs"] == {"a": run_id, "b": other.name}
    rows = {r["metric"]: r for r in doc["result"]["metrics"]}
    assert list(rows) == list(model.metrics)
    assert rows["total_return_frac"]["difference"] == pytest.approx(0.5)
    assert rows["fees_quote"]["difference"] == 0
    assert isinstance(rows["fees_quote"]["a"], str)
    assert (rows["sharpe_ann"]["b"], rows["sharpe_ann"]["difference"]) == (None, None)
    assert doc["result"]["same"]["data_hash"] is True
    assert doc["result"]["same"]["decision_hash"] is False
    printed = capsys.readouterr().out
    assert run_id in printed
    assert "decision_hash: different" in printed


def test_stored_runs_are_listed_with_what_they_came_to(
    stored: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, run_id = stored
    results = folder / "ud" / "results"
    model = decode((results / run_id / "report.json").read_bytes())
    (results / "00000000-0").mkdir(exist_ok=True)
    (results / "00000000-0" / "report.json").write_text("{", encoding="utf-8")
    code, doc = call(["report", "--list"], folder)
    (results / "00000000-0" / "report.json").unlink()
    assert code == 0
    damaged, *rows = doc["result"]["runs"]
    assert damaged["run_id"] == "00000000-0"
    assert "expected a stored report" in damaged["error"]
    (row,) = [r for r in rows if r["run_id"] == run_id]
    assert row["total_pnl_quote"] == model.metrics["total_pnl_quote"]
    assert (row["pairs"], row["decision_hash"]) == (list(model.info.pairs), model.info.decision_hash)
    assert row["from"].endswith("Z")
    assert run_id in capsys.readouterr().out
    assert call(["report", run_id, "--list"], folder) == (2, None)


def test_a_report_needs_a_run_and_an_undamaged_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["report"], tmp_path) == (2, None)
    assert call(["report", "nosuch"], tmp_path) == (2, None)
    assert "RUN_UNKNOWN" in capsys.readouterr().err
    folder = tmp_path / "ud" / "results" / "broken"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text("{", encoding="utf-8")
    assert call(["report", "broken"], tmp_path) == (3, None)
    assert call(["report", "broken", "--compare", "a", "b"], tmp_path) == (2, None)


# download-data


@pytest.fixture(scope="module")
def frame() -> BarFrame:
    """250 hourly bars with an outage of 12 hours in the middle."""
    bars = generate(SyntheticParams(n_bars=262), seed=3).frames[PAIR]
    keep = np.r_[0:120, 132:262]
    names = ("open_ns", "open", "high", "low", "close", "volume")
    return BarFrame.from_columns(PAIR, HOUR_NS, {n: getattr(bars, n)[keep] for n in names})


@pytest.fixture
def venue(frame: BarFrame) -> Iterator[Any]:
    """A venue on loopback whose clock stands at the end of the last bar."""
    with rest.BinanceRest({"BTCUSDT": frame}, frame.end_ns // 10**6, page_limit=100) as server:
        yield server


def words(venue: Any, frame: BarFrame, *more: str) -> list[str]:
    """A download of the whole frame from the loopback venue."""
    start = format_ns(frame.start_ns).replace("-", "").replace(":", "")[:15]
    base = ["download-data", "--exchange", "binance", "-i", "1h", "--timerange", f"{start}-"]
    return [*base, "--base-url", venue.url, *(more or ("-p", PAIR))]


def test_a_download_equals_the_source_and_resumes(venue: Any, frame: BarFrame, tmp_path: Path) -> None:
    code, doc = call(words(venue, frame), tmp_path)
    assert code == 0
    (file,) = doc["result"]["files"]
    store = BarStore(tmp_path / "ud" / "data" / "binance")
    assert file["path"] == str(store.path(PAIR, HOUR_NS))
    assert (file["pair"], file["timeframe"], file["rows"]) == (PAIR, "1h", len(frame))
    assert (file["first"], file["last"]) == (format_ns(frame.start_ns), format_ns(int(frame.open_ns[-1])))
    assert store.read(PAIR, HOUR_NS).equals(frame)
    served = len(venue.klines_served())
    assert served >= 3
    assert call(words(venue, frame), tmp_path)[0] == 0
    assert len(venue.klines_served()) == served
    assert call(words(venue, frame, "-p", PAIR, "--no-resume"), tmp_path)[0] == 0
    assert len(venue.klines_served()) == 2 * served
    assert store.read(PAIR, HOUR_NS).equals(frame)


def test_what_was_downloaded_is_data_for_the_other_verbs(venue: Any, frame: BarFrame, tmp_path: Path) -> None:
    _, doc = call(words(venue, frame), tmp_path)
    code, checked = call(
        ["check-data", doc["result"]["files"][0]["path"], "--set", "data.max_missing_frac=0.1"], tmp_path
    )
    assert code == 0
    assert checked["result"]["files"][0]["rows"] == len(frame)


def test_a_refused_download_says_which_kind_of_refusal(venue: Any, frame: BarFrame, tmp_path: Path) -> None:
    assert call(words(venue, frame, "-p", "XYZ/USDT"), tmp_path) == (4, None)
    assert call(words(venue, frame, "-p", PAIR, "--exchange", "nosuch"), tmp_path) == (2, None)
    assert call(words(venue, frame, "-p", PAIR, "--timerange", "-20200101"), tmp_path) == (2, None)
    assert call(words(venue, frame, "-p", PAIR, "--timerange", "20100101-20100201"), tmp_path) == (3, None)
    assert not list((tmp_path / "ud").rglob("*.parquet"))


@pytest.mark.parametrize("exchange", sorted(VENUES))
def test_a_dead_port_is_the_venues_exit_code_after_a_few_seconds(
    exchange: str, frame: BarFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    waits: list[float] = []
    monkeypatch.setattr(download_data, "download", partial(download_data.download, sleep=waits.append))
    line = [
        "download-data",
        "--exchange",
        exchange,
        "-p",
        PAIR,
        "-i",
        "1h",
        "--timerange",
        "20240101-20240201",
    ]
    assert call([*line, "--base-url", url], tmp_path) == (4, None)
    said = capsys.readouterr().err
    assert url in said
    assert "Connection refused" in said
    assert "Traceback" not in said
    assert sum(waits) < 10.0
    assert not list((tmp_path / "ud").rglob("*.parquet"))


# exit codes of all verbs


def _bars(folder: Path, frame: BarFrame) -> Path:
    path = folder / "BTCUSDT.csv"
    rows = zip(frame.open_ns, frame.open, frame.high, frame.low, frame.close, frame.volume, strict=True)
    lines = [",".join([format_ns(int(t)), *(repr(float(v)) for v in values)]) for t, *values in rows]
    path.write_text("\n".join(["timestamp,open,high,low,close,volume", *lines]) + "\n", encoding="utf-8")
    return path


def test_an_unknown_kind_is_usage_and_names_those_that_exist(
    frame: BarFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _bars(tmp_path, frame)
    line = ["parity", "--hosts", "local,local", "--data", str(data), "-p", PAIR, "-i", "1h"]
    more = ["--set", "data.max_missing_frac=0.1", "-s", "nosuch"]
    assert call([*line, *more], tmp_path) == (2, None)
    message = capsys.readouterr().err
    assert "nosuch" in message
    assert "ma_crossover" in message


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (["check-data", "x.csv", "--set", "nosuch.key=1"], 2),
        (["check-data", "x.csv", "--set", "seed"], 2),
        (["check-data", "x.csv", "-c", "missing.yaml"], 2),
        (["check-data"], 2),
        (["nosuch-verb"], 2),
        (["download-data", "--timerange", "nosuch"], 2),
        (["parity", "--data", "missing.csv", "-p", PAIR, "-i", "1h"], 3),
    ],
)
def test_wrong_usage_exits_with_its_code_and_writes_no_document(
    line: list[str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(line, tmp_path) == (expected, None)
