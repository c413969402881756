"""Two network namespaces with a cable between them: the honest two machines of a machine of one's own.

Needs root and Debian's iproute2. Each host has its own loopback, address and Ray folder; nothing else of the network
is seen from inside. Used as a context manager; leaving ends the processes it started, and the namespaces.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from actors.runtime.environment import RAY_ENV

HEAD, OTHER = "10.77.41.1", "10.77.41.2"
PORT = 6399


def why_not() -> str:
    """Return what keeps this machine from having two hosts, nothing if it can."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    if shutil.which("ip") is None:
        return "needs iproute2 (apt-get install iproute2)"
    made = subprocess.run(["ip", "netns", "add", f"twtry{os.getpid()}"], capture_output=True, text=True)
    if made.returncode != 0:
        return f"needs network namespaces: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", f"twtry{os.getpid()}"], check=True)
    return ""


class TwoHosts:
    """A head with one CPU and another node with one, over a cable.

    Parameters
    ----------
    folder : Path
        For logs and the token.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tag = secrets.token_hex(2)
        self.spaces = (f"tw{tag}a", f"tw{tag}b")
        self.cable = (f"v{tag}a", f"v{tag}b")
        self.address = f"{HEAD}:{PORT}"
        self._started: list[subprocess.Popen[bytes]] = []
        self._temp: list[str] = []
        token = folder / "token"
        token.write_text(secrets.token_hex(32), encoding="utf-8")
        token.chmod(0o600)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
        self.env = {**kept, **RAY_ENV, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}

    def __enter__(self) -> TwoHosts:
        try:
            self._wire()
            self._ray(
                0, ["--head", f"--port={PORT}", f"--node-ip-address={HEAD}", "--include-dashboard=false"]
            )
            self._ray(1, [f"--address={self.address}", f"--node-ip-address={OTHER}"])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        family: dict[int, psutil.Process] = {}
        for process in self._started:
            with contextlib.suppress(psutil.NoSuchProcess):
                root = psutil.Process(process.pid)
                family |= {p.pid: p for p in (root, *root.children(recursive=True))}
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        _, alive = psutil.wait_procs(list(family.values()), timeout=20)
        for left in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                left.kill()
        for process in self._started:
            process.wait()
        for space in self.spaces:
            # what lost its parent is still inside
            told = subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True)
            for pid in told.stdout.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", space], capture_output=True)
        for folder in self._temp:
            shutil.rmtree(folder, ignore_errors=True)

    def run(
        self,
        words: Sequence[str],
        *,
        host: int = 0,
        timeout_s: float = 400.0,
        more: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program inside a host, as a person logged in there would."""
        return subprocess.run(
            ["ip", "netns", "exec", self.spaces[host], *words], env={**self.env, **(more or {})}, capture_output=True,
            text=True, timeout=timeout_s,
        )  # fmt: skip

    def _wire(self) -> None:
        (a, b), (va, vb) = self.spaces, self.cable
        for line in (
            f"netns add {a}", f"netns add {b}", f"link add {va} netns {a} type veth peer name {vb} netns {b}",
            f"-n {a} addr add {HEAD}/24 dev {va}", f"-n {b} addr add {OTHER}/24 dev {vb}",
            f"-n {a} link set {va} up", f"-n {b} link set {vb} up", f"-n {a} link set lo up", f"-n {b} link set lo up",
        ):  # fmt: skip
            subprocess.run(["ip", *line.split()], check=True, capture_output=True)

    def _ray(self, host: int, words: Sequence[str]) -> None:
        # short: Ray puts sockets there
        temp = tempfile.mkdtemp(prefix=f"tw{host}")
        self._temp.append(temp)
        log = self.folder / f"host{host}.log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.spaces[host], sys.executable, "-m", "ray.scripts.scripts", "start",
                 "--block", "--num-cpus=1", f"--object-store-memory={100 << 20}", f"--temp-dir={temp}",
                 "--disable-usage-stats", *words],
                env=self.env, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._started.append(process)
        end = time.monotonic() + 150.0
        while b"Ray runtime started" not in log.read_bytes():
            assert process.poll() is None, f"host {host} ended:\n{log.read_text(errors='replace')[-2000:]}"
            assert time.monotonic() < end, f"host {host} is late:\n{log.read_text(errors='replace')[-2000:]}"
            time.sleep(0.2)
