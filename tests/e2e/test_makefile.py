"""The Makefile's kernel step: says clearly when it runs on the Python twins, and is idempotent."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = ("make", "bash", "rm", "touch", "find", "mkdir", "test")


@pytest.fixture
def sandbox(tmp_path: Path, repo_root: Path) -> Path:
    """A folder with our Makefile, a fake interpreter, and stamps that say everything else is built."""
    for name in ("Makefile", "Cargo.toml", "Cargo.lock", "pyproject.toml", "requirements.lock"):
        shutil.copy(repo_root / name, tmp_path / name)
    (tmp_path / "rust").mkdir()
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/bash\necho "python $*" >> calls\n', encoding="utf-8")
    python.chmod(0o755)
    (tmp_path / ".build").mkdir()
    for stamp in ("venv", "runtime"):
        (tmp_path / ".build" / stamp).touch()
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (tools / tool).symlink_to(found)
    return tmp_path


def make(folder: Path, *args: str) -> str:
    """Run make where no cargo can be found; return what it printed."""
    env = {**os.environ, "PATH": str(folder / "tools")}
    for name in ("MAKEFLAGS", "MAKEOVERRIDES", "NATIVE"):  # of the make that may be running these tests
        env.pop(name, None)
    done = subprocess.run(
        ["make", *args], cwd=folder, env=env, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout + done.stderr


def test_without_cargo_it_says_that_the_twins_run(sandbox: Path) -> None:
    said = make(sandbox, "build")
    assert "cargo was not found" in said
    assert "Python twins" in said
    assert not (sandbox / "calls").exists()


def test_native_0_removes_the_extension_and_says_so(sandbox: Path) -> None:
    said = make(sandbox, "build", "NATIVE=0")
    assert "NATIVE=0" in said
    assert "pip uninstall" in (sandbox / "calls").read_text(encoding="utf-8")


def test_a_second_build_does_nothing(sandbox: Path) -> None:
    make(sandbox, "build")
    assert "cargo" not in make(sandbox, "build")


def test_changed_rust_sources_are_built_again(sandbox: Path) -> None:
    make(sandbox, "build")
    stamp = (sandbox / ".build" / "kernels-1").stat().st_mtime
    source = sandbox / "rust" / "x.rs"
    source.touch()
    os.utime(source, (stamp + 10, stamp + 10))
    assert "cargo was not found" in make(sandbox, "build")
