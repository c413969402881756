"""The README is true: every command runs, every piece of code works, every figure and picture is current."""

from __future__ import annotations

import doctest
import importlib.util
import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import readme
from readme import Checkout

from actors.domain import state as codec
from actors.domain.events.market import BarClosed
from actors.domain.fitting import InlineFits
from actors.domain.learning.base import Sample
from actors.domain.regime.base import Observation
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from actors.domain.strategies.base import Market
from cluster.cli import common
from cluster.cli import main as cli
from cluster.cli.demo import export_bars
from cluster.docs.fleet_picture import default_graph, picture
from cluster.jobs import paper
from cluster.local import PORTS, free_port
from config.load import resolve
from config.schema import Config

EXPORT = "tradewind demo --host local --bars 700 --export-bars bars"
UP, DOWN, STATUS = "tradewind up", "tradewind down", "tradewind status"
STUDY = (
    (
        "tradewind hyperopt -s ma_crossover --data bars -p BTC/USDT -i 1h -e 30 -j 1 --study ma --constraint "
        "'trade_count>=5' --write-preset ma"
    ),
    "tradewind backtesting -c user_data/presets/ma.yaml --data bars -p BTC/USDT -i 1h",
    "tradewind hyperopt --resume --study ma -e 40 -j 1",
)
"""Each needs what the one before left."""
SERVED = [c for c in readme.commands() if c.split()[0] in ("serve", "curl")]
ELSEWHERE = {
    **dict.fromkeys(SERVED, "tests/integration/serve/test_serve.py"),
    **dict.fromkeys(STUDY, "test_a_study_hands_over_its_choice_and_goes_on"),
    "make demo": "calls tradewind demo",
    "make test": "this run",
    "make build": "tests/e2e/test_makefile.py",
    "source .venv/bin/activate": "what make build made",
    EXPORT: "the fixture `checkout`",
}
"""Commands that are covered by something else than a run of their own."""
_BARS = "-p BTC/USDT -i 1h"
_REPLAY = "tradewind trade --replay --host"
_ON_RAY = (
    f"{_REPLAY} ray --data bars -p BTC/USDT ETH/USDT -i 1h --timerange 20240129- --set data.max_warmup_bars=120 "
    "--address auto"
)
_WALK = (
    "ray job submit --working-dir . -- python -m cluster.jobs.walk_forward --data $PWD/bars -s ma_crossover "
    "-p BTC/USDT -i 1h"
)
SHORT = {
    f"{_REPLAY} ray --data bars -p BTC/USDT ETH/USDT -i 1h --timerange 20240124-": _ON_RAY,
    f"{_REPLAY} ray --address auto --data bars {_BARS} --timerange 20240124-": _ON_RAY,
    f"tradewind parity --data bars {_BARS} --timerange 20240124-": f"tradewind parity --data bars {_BARS} "
    "--timerange 20240128- --set data.max_warmup_bars=120 --address auto",
    f"tradewind hyperopt -s rsi --data bars {_BARS} --address auto": f"tradewind hyperopt -s rsi --data bars {_BARS} "
    "-e 10 --address auto",
    "ray job submit --working-dir . -- python -m cluster.jobs.hyperopt -s rsi --data $PWD/bars -p BTC/USDT -i 1h -e "
    "200": "ray job submit --working-dir . -- python -m cluster.jobs.hyperopt -s rsi --data $PWD/bars -p BTC/USDT -i "
    "1h -e 10 --userdir $PWD/user_data",
    "tradewind stress --data bars -p BTC/USDT ETH/USDT -i 1h --timerange 20240115-": "tradewind stress --data bars "
    "-p BTC/USDT ETH/USDT -i 1h --timerange 20240115- -j 1 --only gap dies --no-strategies --no-reverse --set "
    "data.max_warmup_bars=120",
    f"tradewind chaos --kills 20 --seed 1 --data bars {_BARS} --timerange 20240118-": "tradewind chaos --kills 6 "
    f"--seed 1 --data bars {_BARS} --timerange 20240127- --set data.max_warmup_bars=120 --address auto",
    "ray job submit --working-dir . -- python -m cluster.jobs.paper --data $PWD/bars -p BTC/USDT -i 1h --timerange "
    "20240124-": "ray job submit --working-dir . -- python -m cluster.jobs.paper --data $PWD/bars -p BTC/USDT -i 1h "
    "--timerange 20240129- --set data.max_warmup_bars=120 --userdir $PWD/user_data",
    f"{_WALK} -e 20 --folds 4": f"{_WALK} -e 3 --folds 2 --userdir $PWD/user_data",
    "tradewind validate --noise-study 20 --edges 0.2 -j 1": "tradewind validate --noise-study 4 --edges 0.2 -j 1 -e 40",
}
"""Long commands and what stands in for them: the same verb, at least the same flags, less to do.

Those on the Ray host share one cluster: they get ``--address auto`` where the README lets each start its own.
What stands in for two is run once.
"""


def on_ray(command: str) -> bool:
    """Tell whether a command needs the cluster."""
    words = shlex.split(command)
    return (
        command in (UP, DOWN, STATUS)
        or words[0] in ("export", "ray")
        or words[1] in ("parity", "chaos")
        or "--host ray" in command
        or "--address" in command
    )


COMMANDS = readme.commands()
LOCAL = [c for c in COMMANDS if c not in ELSEWHERE and not on_ray(c)]
RAY = [c for c in COMMANDS if on_ray(c)]
ACCEPTED = {"tradewind doctor": (0, 1)}
"""Whether this machine is ready is the machine's affair."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A copy with the README's files and the bars that its first command exports."""
    made = Checkout(tmp_path_factory.mktemp("readme"))
    said = made.run(EXPORT)
    assert "SYNTHETIC" in said
    assert sorted(p.name for p in (made.folder / "bars").iterdir()) == [
        f"{asset}_USDT-1h-synthetic.parquet" for asset in ("BTC", "ETH", "SOL")
    ]
    return made


# --- commands ---------------------------------------------------------------------------------------------


def test_opens_with_the_two_commands(repo_root: Path) -> None:
    assert readme.commands()[:2] == ["make demo", "make test"]
    assert readme.TEXT.index("make demo") < 800
    make = (repo_root / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^demo: build\n\t@\$\(BIN\)/tradewind demo$", make, re.MULTILINE)
    assert re.search(r"^test: build.*\n\t@\$\(BIN\)/python -m pytest -n \$\(WORKERS\)", make, re.MULTILINE)
    for command in COMMANDS:
        if command.startswith("make "):
            assert re.search(rf"^{command.split()[1]}:", make, re.MULTILINE)


def test_what_stands_in_for_a_command_has_its_verb_and_flags() -> None:
    assert EXPORT in COMMANDS
    for long, short in SHORT.items():
        assert long in COMMANDS, f"no longer in the README: {long}"
        assert readme.verb(short) == readme.verb(long)
        assert readme.flags(short) >= readme.flags(long), long
    assert all(c in COMMANDS for c in (*ELSEWHERE, *ACCEPTED))


@pytest.mark.parametrize("command", [*COMMANDS, *readme.inline_commands()])
def test_a_command_parses_as_it_is_printed(command: str) -> None:
    words = shlex.split(command)
    if words[0] == "tradewind" and not words[1].startswith("-"):
        module = importlib.import_module(cli.verbs()[words[1]])
        cli.parser_of(words[1], module).parse_args(words[2:])
    else:
        assert words[0] in ("make", "source", "export", "ray", "tradewind", "python", "serve", "curl")


@pytest.mark.parametrize(
    "command",
    [
        # its simulations take many minutes on the twins
        pytest.param(c, marks=pytest.mark.native) if "regimes bench" in c else c
        for c in LOCAL
        if "download-data" not in c
    ],
)
def test_a_local_command_runs(command: str, checkout: Checkout) -> None:
    said = checkout.run(SHORT.get(command, command), codes=ACCEPTED.get(command, (0,)))
    assert said.strip()
    if readme.verb(command)[-1] in ("trade", "demo"):
        assert "SYNTHETIC" in said
        orders = re.search(r"(\d+) orders", said)
        assert orders is not None
        assert int(orders[1]) > 0
        page = re.search(r"report:\s+(\S+)", said)
        assert page is not None
        assert Path(page[1]).stat().st_size > 1_000_000


def test_a_study_hands_over_its_choice_and_goes_on(checkout: Checkout) -> None:
    study, backtest, more = (checkout.run(command) for command in STUDY)
    assert "30 trials by tpe" in study
    assert "after 30 trials" in backtest
    assert "40 trials by tpe" in more


def test_the_download_runs_against_a_loopback_venue(checkout: Checkout) -> None:
    (command,) = (c for c in COMMANDS if "download-data" in c)
    rest = _support("binance_rest")
    frame = next(iter(generate(SyntheticParams(n_bars=800), 5).frames.values()))
    with rest.BinanceRest({"BTCUSDT": frame}, frame.end_ns // 10**6) as venue:
        said = checkout.run(f"{command} --base-url {venue.url}")
    assert "744 bars" in said
    assert "user_data/data" in said


def test_an_interrupted_run_is_resumed(checkout: Checkout) -> None:
    assert "tradewind trade --resume" in readme.inline_commands()
    folder = checkout.folder / "interrupted"
    # Long enough that the run outlasts by far the wait for its first snapshot, however busy the machine.
    frames = generate(SyntheticParams(n_bars=2500), 5).frames.values()
    assert export_bars(frames, checkout.folder / "many")
    flags = "--userdir interrupted --set runtime.snapshot_every_steps=64"
    line = f"tradewind trade --replay --host local --data many -p BTC/USDT ETH/USDT -i 1h {flags}"
    process = checkout.start(line)
    end = time.monotonic() + 120
    while not list(folder.glob("journal/*/snapshots/*")) and time.monotonic() < end:
        time.sleep(0.01)
    assert process.poll() is None, "ended before its first snapshot was seen"
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == common.EXIT_INTERRUPT, said
    assert "--resume" in said
    resumed = checkout.run("tradewind trade --resume --userdir interrupted --json -")
    whole = checkout.run(line.replace("interrupted", "whole") + " --json -")
    hashes = [json.loads(text)["result"]["decision_hash"] for text in (resumed, whole)]
    assert hashes[0] == hashes[1]


@pytest.mark.ray
@pytest.mark.timeout(900)
def test_the_commands_on_ray_run_on_one_cluster(checkout: Checkout) -> None:
    assert [c for c in RAY if c in (UP, STATUS, DOWN)] == [UP, STATUS, DOWN]
    ports = {name: free_port() for name in PORTS}
    flags = " ".join(f"--{name.replace('_', '-')} {port}" for name, port in ports.items())
    started = checkout.run(f"{UP} {flags}")
    exports: dict[str, str] = {}
    done: list[str] = []
    try:
        assert "dashboard" in started
        for command in RAY:
            if command.startswith("export "):
                exports = _exports(command, checkout, ports["dashboard_port"])
            elif command not in (UP, DOWN) and SHORT.get(command, command) not in done:
                done.append(SHORT.get(command, command))
                said = checkout.run(done[-1], more=exports if "job submit" in command else None)
                _holds(command, said)
    finally:
        checkout.run(DOWN)
    assert set(exports) == {"RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH", "RAY_ADDRESS"}


def _exports(command: str, checkout: Checkout, dashboard: int) -> dict[str, str]:
    """Variables of an ``export`` line; the port is the one this test's cluster got."""
    assert command.endswith(f":{PORTS['dashboard_port']}")
    line = command.replace(f":{PORTS['dashboard_port']}", f":{dashboard}").replace(
        "$PWD", str(checkout.folder)
    )
    return dict(word.split("=", 1) for word in shlex.split(line)[1:])


def _holds(command: str, said: str) -> None:
    if "parity" in command:
        assert "equal: true" in said
    if "chaos" in command:
        assert "6 of 6 kills struck" in said
        assert "lost 0, duplicate 0; ledger balanced: true" in said
    if "hyperopt" in command:
        assert re.search(r"study:\s+\S+: 10 trials by tpe", said), said
    elif "jobs.walk_forward" in command:
        assert "VERDICT:" in said
    elif " trade " in command or "job submit" in command:
        assert re.search(r"fleet:\s+2\d agents on ray", said), said
    if command == STATUS:
        assert "ALIVE" in said


# --- code -------------------------------------------------------------------------------------------------


def test_all_own_parts_are_in_the_fleet(checkout: Checkout) -> None:
    rows = json.loads(checkout.run("tradewind list-agents -c mine.yaml --json -"))["result"]["agents"]
    names = {r["name"] for r in rows}
    assert {"strategy-breakout", "regime-drift", "predict-baserate", "execution-market"} <= names
    whole = resolve("paper", files=[str(checkout.folder / "mine.yaml")]).model.model_dump_json()
    parts = re.findall(r"class (\w+)\((?!registry|IStrategy)", "".join(readme.blocks("python")))
    assert len(parts) >= 9
    assert [p for p in parts if f":{p}" not in whole] == []


def _module(name: str, folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"readme_{name}", folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _support(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, readme.ROOT / "tests" / "support" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def _bars(n: int) -> list[BarClosed]:
    frame = next(iter(generate(SyntheticParams(n_bars=n), 11).frames.values()))
    return [
        BarClosed(
            ts_event_ns=int(frame.close_ns[i]), source="test", instrument_id=frame.pair,
            open=float(frame.open[i]), high=float(frame.high[i]), low=float(frame.low[i]),
            close=float(frame.close[i]), volume=float(frame.volume[i]), open_ns=int(frame.open_ns[i]),
            close_ns=int(frame.close_ns[i]),
        )
        for i in range(n)
    ]  # fmt: skip


def _indicator(folder: Path) -> Any:
    cls = _module("my_indicator", folder).Momentum
    return cls(cls.Params())


def _strategy(folder: Path) -> Any:
    cls = _module("my_strategy", folder).Breakout
    return cls(cls.Params(window_bars=24))


def _detector(folder: Path) -> Any:
    cls = _module("my_detector", folder).Drift
    return cls(cls.Params(), fits=InlineFits(), name="drift", seed=1)


def _predictor(folder: Path) -> Any:
    cls = _module("my_predictor", folder).BaseRate
    return cls(cls.Params(), names=("x",), fits=InlineFits(), name="rate", seed=1)


def _seen(bars: list[BarClosed]) -> dict[str, list[Any]]:
    returns = [float("nan"), *np.diff(np.log([b.close for b in bars])).tolist()]
    return {
        "indicator": bars,
        "strategy": [
            Market(i, b.open, b.high, b.low, b.close, b.volume, "bull", 0.5, {}) for i, b in enumerate(bars)
        ],
        "detector": [Observation(i, b.high, b.low, b.close, returns[i]) for i, b in enumerate(bars)],
        "predictor": [Sample(i, (0.0,), b.close, True) for i, b in enumerate(bars)],
    }


@pytest.mark.parametrize("family", ["indicator", "strategy", "detector", "predictor"])
def test_an_own_part_goes_on_after_a_restore_as_if_nothing_had_happened(
    family: str, checkout: Checkout
) -> None:
    make = {"indicator": _indicator, "strategy": _strategy, "detector": _detector, "predictor": _predictor}[
        family
    ]
    inputs = _seen(_bars(260))[family]
    one, two = make(checkout.folder), make(checkout.folder)
    for x in inputs[:160]:
        one.update(x)
    two.load_state(codec.loads(codec.dumps(one.state())))
    first, second = [one.update(x) for x in inputs[160:]], [two.update(x) for x in inputs[160:]]
    assert first == second
    assert len({repr(x) for x in first}) > 1


@pytest.mark.parametrize("name", ["ulcer", "rolling_sum", "gate"])
def test_a_piece_of_code_runs_with_its_examples(name: str, checkout: Checkout) -> None:
    venues = importlib.import_module("actors.adapters.feeds.ccxt_client").VENUES
    before = dict(venues)
    try:
        module = _module(name, checkout.folder)
    finally:
        venues.clear()
        venues.update(before)
    found = doctest.testmod(module)
    assert found.failed == 0
    assert found.attempted > 0 or name == "gate"


@pytest.mark.skipif(shutil.which("rustc") is None, reason="needs rustc")
def test_the_kernel_in_rust_does_what_its_twin_does(checkout: Checkout, tmp_path: Path) -> None:
    (code,) = readme.blocks("rust")
    x = [0.1, 2.5, -3.25, 1e9, 7.0, 0.3]
    main = (
        f"fn main() {{ let x = {x!r}f64_; let mut out = [0.0; {len(x)}]; rolling_sum(&x, 3, &mut out);"
        ' for v in out { println!("{}", v.to_bits()); } }'
    ).replace("f64_", "")
    (tmp_path / "kernel.rs").write_text(code + main.replace("1000000000.0", "1e9"), encoding="utf-8")
    subprocess.run(
        ["rustc", "--edition", "2021", "-o", str(tmp_path / "kernel"), str(tmp_path / "kernel.rs")],
        check=True,
    )
    said = subprocess.run([tmp_path / "kernel"], check=True, capture_output=True, text=True).stdout.split()
    out = [0.0] * len(x)
    _module("rolling_sum", checkout.folder).rolling_sum(x, 3, out)
    rust = np.array([int(v) for v in said], dtype=np.uint64).view(np.float64)
    np.testing.assert_array_equal(rust, np.array(out))


# --- pictures, tables, figures ----------------------------------------------------------------------------


def test_the_picture_of_the_fleet_is_that_of_the_graph(repo_root: Path) -> None:
    drawn = (repo_root / ".github" / "images" / "fleet.svg").read_text(encoding="utf-8")
    graph = default_graph()
    assert drawn == picture(graph), (
        "draw it again: python -m cluster.docs.fleet_picture > .github/images/fleet.svg"
    )
    assert all(f">{name}<" in drawn for name in graph.names)
    assert f"{len(graph.specs)} agents" in readme.TEXT


def test_every_picture_and_file_that_is_named_exists(repo_root: Path) -> None:
    images = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", readme.TEXT)
    assert len(images) == 3
    for image in images:
        path = repo_root / image
        assert path.stat().st_size <= 300_000
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    for name in re.findall(r"`((?:actors|cluster|config|rust|tests)/[\w./-]+)`", readme.TEXT):
        assert (repo_root / name).exists(), name
    assert (repo_root / "LICENSE").exists()


def test_the_table_of_configuration_has_every_section() -> None:
    table = readme.TEXT[readme.TEXT.index("| section |") :]
    rows = [r.split("|")[1:4] for r in table[: table.index("\n\n")].splitlines()[2:]]
    named = [
        word for row in rows for word in re.findall(r"[a-z]+", "".join(re.findall(r"`([^`]+)`", row[0])))
    ]
    cells = [word for row in rows for cell in re.findall(r"`([^`]+)`", row[0]) for word in cell.split()]
    assert sorted(cells) == sorted(Config.model_fields), named
    for row in rows:
        for key, value in re.findall(r"`(?:--set )?([a-z_.]+)(?:: |=)([\w.]+)`", row[2]):
            resolve("paper", sets=[f"{key}={value}"])


def test_the_table_of_exit_codes_is_the_one_of_the_code() -> None:
    table = readme.TEXT[readme.TEXT.index("| exit code |") :]
    codes = [int(c) for c in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)]
    names = ("DONE", "CHECK", "USAGE", "DATA", "VENUE", "BUG", "INTERRUPT")
    assert codes == [getattr(common, f"EXIT_{n}") for n in names]


@pytest.mark.native
def test_the_figures_of_the_demo_are_those_it_gives(checkout: Checkout) -> None:
    said = re.search(
        r"right one of six in (\d+) % of bars.*?frequent one gives (\d+) %", readme.TEXT, re.DOTALL
    )
    assert said is not None
    result = json.loads(checkout.run("tradewind demo --host local --json - --no-progress"))["result"][
        "regimes"
    ]
    assert round(100 * result["accuracy_frac"]) == int(said[1]), "measure again, then revise README"
    assert round(100 * result["majority_frac"]) == int(said[2])


@pytest.mark.native
@pytest.mark.shared_data
def test_the_figures_of_real_bars_are_those_they_give(checkout: Checkout, shared_data: Path) -> None:
    text = readme.TEXT[readme.TEXT.index("Real bars are another matter") :]
    said = re.search(
        r"([+−][\d.]+) % after costs with a deepest drawdown of ([\d.]+) %.*?made \+([\d.]+) % with one of\s+"
        r"([\d.]+) %.*?held (\d+) %", text, re.DOTALL,
    )  # fmt: skip
    assert said is not None
    folder = shared_data / "ohlcv" / "binance_spot"
    result = json.loads(
        checkout.run(
            f"{_REPLAY} local --data {folder}/BTCUSDT_1h.parquet --data {folder}/ETHUSDT_1h.parquet "
            "-p BTC/USDT ETH/USDT -i 1h --timerange 20200201-20200501 --json - --no-progress"
        )
    )["result"]
    stored = json.loads((Path(result["report"]).parent / "report.json").read_text(encoding="utf-8"))
    fleet, held = result["metrics"], stored["benchmark_metrics"]
    found = [
        f"{100 * fleet['total_return_frac']:+.1f}".replace("-", "−"), f"{100 * fleet['max_drawdown_frac']:.1f}",
        f"{100 * held['total_return_frac']:.1f}", f"{100 * held['max_drawdown_frac']:.1f}",
        f"{100 * fleet['exposure_frac']:.0f}",
    ]  # fmt: skip
    assert found == list(said.groups()), "measure again, then revise README"


# --- what goes wrong --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nothing"], 2),
        (["trade"], 2),
        (["trade", "--replay", "--host", "local", "--data", "nothere.parquet", "-p", "BTC/USDT"], 3),
        (
            ["trade", "--replay", "--host", "local", "--data", "nothere.parquet", "--set", "kernels.bogus=1"],
            2,
        ),
        (["demo", "--host", "local", "--bars", "100"], 2),
        (["demo", "--host", "local", "--bars", "700", "--export-bars", "/proc/nothere"], 2),
    ],
)
def test_bad_input_ends_with_its_exit_code(
    words: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*words, "--userdir", str(tmp_path)] if len(words) > 1 else words) == code
    assert "expected" in capsys.readouterr().err


def test_exported_bars_never_replace_real_ones_and_say_what_they_are(
    checkout: Checkout, tmp_path: Path
) -> None:
    real = tmp_path / "BTC_USDT-1h.parquet"
    real.write_bytes(b"real")
    out = tmp_path / "o.json"
    words = ["demo", "--host", "local", "--bars", "510", "--export-bars", str(tmp_path), "--json", str(out)]
    assert cli.main([*words, "--userdir", str(tmp_path / "ud"), "--no-progress"]) == 0
    assert real.read_bytes() == b"real"
    paths = json.loads(out.read_text(encoding="utf-8"))["result"]["exported_bars"]
    assert all("synthetic" in Path(p).name for p in paths)


def test_a_job_names_its_folder_when_a_relative_path_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert paper.main(["--data", "data/nothere.parquet", "-p", "BTC/USDT"]) == 3
    assert str(Path.cwd()) in capsys.readouterr().err
