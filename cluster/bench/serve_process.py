"""``serve run`` as a process of its own, on loopback, ended again with everything it started."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from actors.domain.errors import VenueError
from cluster.local import LOOPBACK, free_port, port_free

IMPORT_PATH = "serve.app:build"
PORT = 8000
"""Where ``serve run`` listens by itself; another port needs a file of settings."""


@dataclass(frozen=True)
class Served:
    """A running application.

    Attributes
    ----------
    url : str
    process : subprocess.Popen
        ``serve run``.
    log : Path
        What it wrote.
    reader, admin : str
        Tokens.
    """

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    reader: str
    admin: str

    def replicas(self, deployment: str) -> list[int]:
        """Return the process ids of a deployment's replicas."""
        out = []
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if f"ServeReplica:default:{deployment}" in " ".join(child.cmdline()):
                    out.append(child.pid)
        return sorted(out)

    def headers(self, *, admin: bool = False) -> dict[str, str]:
        """Return what a request carries."""
        return {"Authorization": f"Bearer {self.admin if admin else self.reader}"}


def ready(url: str) -> bool:
    """Tell whether a server says that it can answer."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:  # noqa: S310 - our own loopback address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextlib.contextmanager
def serving(
    checkout: Path, folder: Path, args: Mapping[str, str] | None = None, *, deadline_s: float = 240.0
) -> Iterator[Served]:
    """Run the application until the block ends.

    Parameters
    ----------
    checkout : Path
        Where ``serve`` lies.
    folder : Path
        Gets the log; its ``ud`` is the user's folder.
    args : mapping, optional
        Arguments of the application.
    deadline_s : float

    Raises
    ------
    VenueError
        If it does not get ready in time.
    """
    userdir = folder / "ud"
    userdir.mkdir(parents=True, exist_ok=True)
    given = {"userdir": str(userdir), **(args or {})}
    port = PORT if port_free(PORT) else free_port()
    words = _words(folder, given, port)
    log = folder / "serve.log"
    environment = {
        k: v for k, v in os.environ.items() if k not in ("RAY_ADDRESS", "RAY_JOB_CONFIG_JSON_ENV_VAR")
    }
    # a Ray of its own: without this it joins whichever was started on this machine before, dead or alive
    environment["RAY_ADDRESS"] = "local"
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(checkout), environment.get("PYTHONPATH", "")])
    )
    before = signal.getsignal(signal.SIGINT)
    # what runs in the background of a shell is deaf to Ctrl-C, and what it starts would be as well
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with log.open("wb") as stream:
            process = subprocess.Popen(  # noqa: S603 - our own command
                words, cwd=checkout, env=environment, stdin=subprocess.DEVNULL, stdout=stream,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)
    url = f"http://{LOOPBACK}:{port}"
    try:
        _wait(process, url, log, deadline_s)
        keys = userdir / "keys"
        yield Served(
            url, process, log, (keys / "serve_token").read_text(), (keys / "serve_admin_token").read_text()
        )  # fmt: skip
    finally:
        stop(process)


def _words(folder: Path, args: Mapping[str, str], port: int) -> list[str]:
    program = str(Path(sys.executable).with_name("serve"))
    if port == PORT:
        return [program, "run", IMPORT_PATH, *(f"{k}={v}" for k, v in args.items())]
    config = folder / "serve.yaml"
    settings = {
        "proxy_location": "HeadOnly", "http_options": {"host": LOOPBACK, "port": port},
        "applications": [{"name": "default", "route_prefix": "/", "import_path": IMPORT_PATH, "args": dict(args)}],
    }  # fmt: skip
    config.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    return [program, "run", str(config)]


def _wait(process: subprocess.Popen[bytes], url: str, log: Path, deadline_s: float) -> None:
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        if ready(url):
            return
        time.sleep(0.25)
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise VenueError(
        "SERVE_START",
        f"serve run: expected an answer of {url}/readyz within {deadline_s:g} s, found none: {tail}",
    )


def stop(process: subprocess.Popen[bytes], *, grace_s: float = 40.0) -> None:
    """End ``serve run`` as Ctrl-C does, then whatever of its own is left."""
    ours: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        ours = psutil.Process(process.pid).children(recursive=True)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace_s)
    if process.poll() is None:
        process.kill()
        process.wait(10)
    _, alive = psutil.wait_procs(ours, timeout=10)
    for child in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(alive, timeout=5)
