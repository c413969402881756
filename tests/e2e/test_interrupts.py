"""Ctrl-C, and two at once: what is said is true, and the run in progress is not harmed."""

from __future__ import annotations

import errno
import fcntl
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cluster.cli import main as cli
from cluster.runs import session


def _interrupt(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


def _bars(folder: Path) -> str:
    flags = ["--host", "local", "--bars", "520", "--export-bars", str(folder / "bars")]
    assert cli.main(["demo", *flags, "--userdir", str(folder / "first"), "--no-progress"]) == 0
    return str(folder / "bars")


def test_an_interrupt_names_only_a_way_on_that_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, user = _bars(tmp_path), ["--userdir", str(tmp_path / "user"), "--no-progress"]
    with monkeypatch.context() as now:
        now.setattr(session, "run_local", _interrupt)
        capsys.readouterr()
        assert cli.main(["demo", "--host", "local", *user]) == 130
        assert "--resume" not in capsys.readouterr().err
        replay = ["trade", "--replay", "--host", "local", "--data", data, "-p", "BTC/USDT", "-i", "1h"]
        assert cli.main([*replay, *user]) == 130
        assert "tradewind trade --resume" in capsys.readouterr().err
    # what the resumed run does not take from its flags is said
    given = ["--set", "risk.breakers.drawdown.limit_frac=0.5", "-p", "ETH/USDT"]
    assert cli.main(["trade", "--resume", *given, *user]) == 0
    told = capsys.readouterr().err
    assert "note: --set ['risk.breakers.drawdown.limit_frac=0.5']: ignored" in told
    assert "note: --pairs ['ETH/USDT']: ignored, the run goes on with ['BTC/USDT']" in told
    assert "--data" not in told


def test_a_full_disk_is_told_without_a_way_on_that_there_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "somewhere")

    monkeypatch.setattr(session, "run_local", full)
    assert cli.main(["demo", "--host", "local", "--userdir", str(tmp_path), "--no-progress"]) == 4
    told = capsys.readouterr().err
    assert "somewhere: expected the system to allow it" in told
    assert "--resume" not in told


@pytest.mark.parametrize(("stroke", "code"), [(KeyboardInterrupt(), 130), (OSError(errno.ENOSPC, "full"), 4)])
def test_a_run_whose_report_was_not_written_is_resumed(
    stroke: BaseException,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data, user = _bars(tmp_path), ["--userdir", str(tmp_path / "user"), "--no-progress"]

    def struck(*_: Any, **__: Any) -> None:
        raise stroke

    replay = ["trade", "--replay", "--host", "local", "--data", data, "-p", "BTC/USDT", "-i", "1h"]
    with monkeypatch.context() as now:
        now.setattr(session, "store", struck)
        assert cli.main([*replay, *user]) == code
    assert "tradewind trade --resume" in capsys.readouterr().err
    assert cli.main(["trade", "--resume", *user]) == 0
    (page,) = (tmp_path / "user" / "results").glob("*/report.html")
    assert page.stat().st_size
    assert cli.main(["trade", "--resume", *user]) == 2  # now there is nothing left to do


def test_a_run_that_another_process_computes_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, user = _bars(tmp_path), ["--userdir", str(tmp_path / "user"), "--no-progress"]
    replay = ["trade", "--replay", "--host", "local", "--data", data, "-p", "BTC/USDT", "-i", "1h"]
    with monkeypatch.context() as now:
        now.setattr(session, "run_local", _interrupt)
        assert cli.main([*replay, *user]) == 130
    (folder,) = (tmp_path / "user" / "journal").iterdir()
    (folder / "decisions.jsonl").write_text("of the other process\n", encoding="utf-8")
    with (folder / "run.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert cli.main(["trade", "--resume", *user]) == 4
    assert "RUN_BUSY" in capsys.readouterr().err
    assert (folder / "decisions.jsonl").read_text(encoding="utf-8") == "of the other process\n"
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["status"] == "interrupted"
    (folder / "run.json").write_text("{", encoding="utf-8")
    assert cli.main(["trade", "--resume", *user]) == 2
    assert "RUN_NOTE" in capsys.readouterr().err


def test_an_interrupt_while_modules_are_loaded_is_no_traceback() -> None:
    # deterministic: the first module that the command line imports sends the signal
    code = (
        "import importlib.abc, os, signal, sys\n"
        "class Strike(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'actors.adapters.feeds.files': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Strike())\n"
        "from cluster.cli.main import main\n"
        "sys.exit(main(['doctor']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
        timeout=120, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (130, "tradewind: interrupted before it began\n")


def test_a_resume_after_configuration_or_bars_changed_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data, user = Path(_bars(tmp_path)), ["--userdir", str(tmp_path / "user"), "--no-progress"]
    replay = ["trade", "--replay", "--host", "local", "--data", str(data), "-p", "BTC/USDT", "-i", "1h"]
    with monkeypatch.context() as now:
        now.setattr(session, "run_local", _interrupt)
        assert cli.main([*replay, *user]) == 130
    with monkeypatch.context() as now:
        now.setenv("TRADEWIND__RISK__BREAKERS__DRAWDOWN__LIMIT_FRAC", "0.05")
        assert cli.main(["trade", "--resume", *user]) == 2
    assert "found another config_hash; undo what changed" in capsys.readouterr().err
    file, other = data / "BTC_USDT-1h-synthetic.parquet", data / "ETH_USDT-1h-synthetic.parquet"
    kept = file.read_bytes()
    file.write_bytes(other.read_bytes())
    assert cli.main(["trade", "--resume", *user]) == 3
    assert "RESUME_DATA" in capsys.readouterr().err
    file.write_bytes(kept)
    assert cli.main(["trade", "--resume", *user]) == 0
