"""The README as data: its blocks, its commands, and how tests shorten the long ones."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Contents of the fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Every shell command, in order, without comments."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [c for line in lines if (c := re.sub(r"\s+#.*$", "", line).strip())]


def inline_commands() -> list[str]:
    """Commands in running text that are meant to be typed."""
    prose = re.sub(r"^```.*?^```$", "", TEXT, flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"`((?:tradewind|make) [^`]+)`", prose)
    return [c for c in found if "VERB" not in c]


def files() -> dict[str, str]:
    """Files that the README asks for: blocks whose first line is a comment with their name."""
    out = {}
    for block in [*blocks("python"), *blocks("yaml")]:
        name = re.match(r"# (\S+)\n", block)
        assert name is not None, f"a block without a file name: {block[:60]}"
        assert name[1] not in out, f"two blocks for {name[1]}"
        out[name[1]] = block
    return out


def verb(command: str) -> list[str]:
    """Program and verb."""
    words = shlex.split(command)
    return words[:2] if words[0] in ("tradewind", "make") else words[:1]


def flags(command: str) -> set[str]:
    """Names of the flags of a command."""
    return {w.partition("=")[0] for w in shlex.split(command) if re.match(r"--?[a-zA-Z]", w)}


class Checkout:
    """A working copy in a temporary folder with the README's files in it; `run` is a shell there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("actors", "config", "serve", "cluster"):
            shutil.copytree(ROOT / name, folder / name)
        shutil.copy(ROOT / ".gitignore", folder)
        for name, text in files().items():
            (folder / name).write_text(text, encoding="utf-8")
        programs = folder / ".bin"
        programs.mkdir()
        # -P: the current folder is not on the path, as with the installed command
        self._program(programs / "tradewind", f'exec {sys.executable} -P -m cluster.cli "$@"')
        self._program(programs / "python", f'exec {sys.executable} "$@"')
        self._program(programs / "ray", f'exec {Path(sys.executable).with_name("ray")} "$@"')
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "TRADEWIND_"))}
        self.env = {
            **kept, "PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "PWD": str(folder),
            "RAY_USAGE_STATS_ENABLED": "0",
        }  # fmt: skip

    @staticmethod
    def _program(path: Path, line: str) -> None:
        path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        path.chmod(0o755)

    def start(self, command: str, more: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a command line in a shell; the shell is replaced, so signals reach the program."""
        before = signal.getsignal(signal.SIGINT)
        # tests in the background of a shell are deaf to Ctrl-C, and what they start would be as well
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"], cwd=self.folder, env={**self.env, **(more or {})}, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
        finally:
            signal.signal(signal.SIGINT, before)

    def run(
        self, command: str, *, codes: tuple[int, ...] = (0,), more: Mapping[str, str] | None = None
    ) -> str:
        """Run a command line; return what it wrote to stdout."""
        process = self.start(command, more)
        out, err = process.communicate(timeout=250)
        assert process.returncode in codes, (
            f"{command}\nexit {process.returncode}\n{out[-2000:]}\n{err[-2000:]}"
        )
        return out
