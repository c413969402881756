"""A local Ray cluster of one node: started with our token on loopback, noted in the user's folder, ended again.

The head runs as ``ray start --head --block`` in a session of its own, so ending means ending exactly the
processes of that session and its children: other Ray processes on this machine are never touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from actors.domain.errors import ConfigError, VenueError, VenueUnavailableError
from actors.runtime.environment import prepare_environment
from cluster.note import ClusterNote
from cluster.ray_state import nodes

LOOPBACK = "127.0.0.1"
LOOPBACK_ENV: Mapping[str, str] = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Ray's switch for "this machine has no address but loopback".

Without it Ray replaces a loopback ``--node-ip-address`` by the machine's own address and listens on every interface.
Head, workers, jobs and drivers must agree on it.
"""
PORTS: Mapping[str, int] = {"port": 6379, "dashboard_port": 8265, "metrics_port": 9464}
"""Default ports of `up`, by flag."""
_SLOW_START = "timed out during startup"
"""Ray gives its own processes 30 s, which a busy machine may need for less; then one more try is worth it."""
_SOCKET_PATH_LIMIT = 43  # a Unix socket's path has 107 bytes, of which Ray needs the rest


def note_path(userdir: Path) -> Path:
    """Where a cluster is noted."""
    return userdir / "cluster.json"


def read_note(userdir: Path) -> ClusterNote | None:
    """Return the noted cluster, running or not; None if there is none.

    Raises
    ------
    ConfigError
        If the note is damaged.
    """
    path = note_path(userdir)
    try:
        return ClusterNote(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as e:
        raise ConfigError(
            "CLUSTER_NOTE", f"{path}: expected the note of `tradewind up`, found {e}; delete the file"
        ) from e


def is_running(note: ClusterNote) -> bool:
    """True if the noted process lives and is the one that was started."""
    try:
        process = psutil.Process(note.pid)
        return abs(process.create_time() - note.created_s) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def port_free(port: int) -> bool:
    """True if a server may listen on the loopback port."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port that is free now (Ray's client server cannot be switched off, only moved)."""
    with socket.socket() as s:
        s.bind((LOOPBACK, 0))
        return int(s.getsockname()[1])


def refuse_used_ports(ports: Mapping[str, int]) -> None:
    """Check that all ports are free and different.

    Raises
    ------
    ConfigError
        If one is given twice or out of range.
    VenueError
        If one is in use; the message names its flag.
    """
    for name, port in ports.items():
        flag = f"--{name.replace('_', '-')}"
        if not 1024 <= port <= 65535 or list(ports.values()).count(port) > 1:
            raise ConfigError(
                "PORT_INVALID", f"{flag}: expected a port of its own in 1024..65535, found {port}"
            )
    for name, port in ports.items():
        if not port_free(port):
            flag = f"--{name.replace('_', '-')}"
            raise VenueError(
                "PORT_IN_USE",
                f"{flag}: expected port {port} to be free on {LOOPBACK}, found another program listening there; "
                f"end it, or choose another port with {flag}",
                port=port,
            )


def temp_dir_of(userdir: Path) -> str:
    """Return the folder for Ray's session files: one per user's folder, short enough for sockets."""
    name = f"tradewind-{os.getuid()}-{hashlib.sha256(str(userdir).encode()).hexdigest()[:8]}"
    for root in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - Ray's own default; the folder is ours, 0700
        path = f"{root}/{name}"
        if len(path.encode()) <= _SOCKET_PATH_LIMIT:
            return path
    raise ConfigError(
        "TEMP_DIR", f"temporary folder: expected at most {_SOCKET_PATH_LIMIT} bytes, found {path}"
    )


def private_folder(path: Path) -> None:
    """Make a folder that only we can enter; its name is known beforehand and its parent is everybody's.

    Raises
    ------
    ConfigError
        If somebody else made it first, or put a link there.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ConfigError(
            "TEMP_DIR_FOREIGN",
            f"temporary folder {path}: expected a folder of ours, found a link or another user's; remove it, or set "
            "TMPDIR to a folder of yours",
        )
    path.chmod(0o700)


def head_command(ports: Mapping[str, int], num_cpus: int, store_mb: int, temp_dir: str) -> list[str]:
    """Return the command of the head; everything listens on loopback only."""
    return [
        sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--disable-usage-stats",
        f"--node-ip-address={LOOPBACK}", f"--port={ports['port']}", "--include-dashboard=true",
        f"--dashboard-host={LOOPBACK}", f"--dashboard-port={ports['dashboard_port']}",
        "--dashboard-agent-listen-port=0", f"--ray-client-server-port={free_port()}",
        f"--metrics-export-port={ports['metrics_port']}", f"--num-cpus={num_cpus}",
        f"--object-store-memory={store_mb << 20}", f"--temp-dir={temp_dir}",
    ]  # fmt: skip


def start(
    userdir: Path,
    ports: Mapping[str, int],
    *,
    num_cpus: int,
    object_store_mb: int = 200,
    deadline_s: float = 120.0,
) -> ClusterNote:
    """Start a cluster and wait until its dashboard and its state interface answer.

    Parameters
    ----------
    userdir : Path
        Holds the note, the log and the token.
    ports : mapping
        ``port dashboard_port metrics_port``.

    Raises
    ------
    ConfigError
        If one of this folder runs already.
    VenueError
        If a port is in use, or the cluster does not come up (nothing is left running then).
    """
    old = read_note(userdir)
    if old is not None and is_running(old):
        raise ConfigError(
            "CLUSTER_RUNS",
            f"up: expected no cluster of {userdir}, found one at {old.address}; `tradewind down` ends it",
        )
    refuse_used_ports(ports)
    prepare_environment(userdir)
    for last in (False, True):
        try:
            return _launch(userdir, ports, num_cpus, object_store_mb, deadline_s)
        except VenueError as e:
            if last or _SLOW_START not in e.message:
                raise
    raise AssertionError("the last attempt returns or raises")


def _launch(
    userdir: Path, ports: Mapping[str, int], num_cpus: int, object_store_mb: int, deadline_s: float
) -> ClusterNote:
    temp_dir = temp_dir_of(userdir)
    private_folder(Path(temp_dir))
    log = userdir / "logs" / "cluster.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ)
    environment.pop("RAY_ADDRESS", None)
    environment |= LOOPBACK_ENV
    # a job's `python` is looked up in the PATH that the head was started with
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own command
            head_command(ports, num_cpus, object_store_mb, temp_dir), stdin=subprocess.DEVNULL, stdout=stream,
            stderr=subprocess.STDOUT, env=environment, start_new_session=True,
        )  # fmt: skip
    note = ClusterNote(
        pid=process.pid,
        created_s=psutil.Process(process.pid).create_time(),
        address=f"{LOOPBACK}:{ports['port']}",
        dashboard=f"http://{LOOPBACK}:{ports['dashboard_port']}",
        metrics=f"http://{LOOPBACK}:{ports['metrics_port']}/metrics",
        auth_mode=environment["RAY_AUTH_MODE"],
        token_path=environment.get("RAY_AUTH_TOKEN_PATH", ""),
        temp_dir=temp_dir,
        log=str(log),
    )
    _write_note(userdir, note)
    try:
        _wait_until_up(note, process, deadline_s)
    except BaseException:
        stop(userdir)
        raise
    return note


def _write_note(userdir: Path, note: ClusterNote) -> None:
    partial = note_path(userdir).with_suffix(".partial")
    partial.write_text(json.dumps(asdict(note), indent=1), encoding="utf-8")
    partial.replace(note_path(userdir))


def _wait_until_up(note: ClusterNote, process: subprocess.Popen[bytes], deadline_s: float) -> None:
    end = time.monotonic() + deadline_s
    reason = "nothing yet"
    while time.monotonic() < end:
        if process.poll() is not None:
            raise VenueError(
                "CLUSTER_START",
                f"up: expected a running head, found that it ended with {process.returncode}: {_tail(note.log)}",
            )
        try:
            if any(n["state"] == "ALIVE" for n in nodes(note)):
                return
        except VenueUnavailableError as e:
            reason = e.message
        time.sleep(0.25)
    raise VenueError(
        "CLUSTER_LATE", f"up: expected a cluster within {deadline_s:g} s, found: {reason}; see {note.log}"
    )


def _tail(log: str) -> str:
    lines = [r for r in Path(log).read_text(encoding="utf-8", errors="replace").splitlines() if r.strip()]
    return " / ".join(lines[-3:]) or f"nothing in {log}"


def stop(userdir: Path, *, grace_s: float = 20.0) -> ClusterNote | None:
    """End what `start` started, nothing else; return its note, or None if nothing ran."""
    note = read_note(userdir)
    if note is None:
        return None
    running = is_running(note)
    ours = _processes(note) if running or _leftovers(note) else []
    if running:
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(note.pid).send_signal(signal.SIGTERM)  # `--block` ends its own processes on this
    _, alive = psutil.wait_procs(ours, timeout=grace_s)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5.0)
    note_path(userdir).unlink(missing_ok=True)
    shutil.rmtree(note.temp_dir, ignore_errors=True)
    return note if ours else None


def _leftovers(note: ClusterNote) -> bool:
    return bool(_session(note))


def _session(note: ClusterNote) -> list[psutil.Process]:
    """Processes of the head's session, also after the head itself was killed; by its own session files."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getsid(process.pid) == note.pid and process.uids().real == os.getuid():
                found.append(process)
    return [p for p in found if p.pid == note.pid or _belongs(p, note)]


def _belongs(process: psutil.Process, note: ClusterNote) -> bool:
    return process.create_time() >= note.created_s - 1.0


def _processes(note: ClusterNote) -> list[psutil.Process]:
    found: dict[int, psutil.Process] = {}
    for process in _session(note):
        found[process.pid] = process
        with contextlib.suppress(psutil.NoSuchProcess):
            found |= {p.pid: p for p in process.children(recursive=True)}
    return list(found.values())


def join(userdir: Path, address: str) -> str:
    """Prepare this process, which has not imported Ray yet, for a cluster; return the address to connect to.

    ``auto`` means the cluster of this folder if there is one, else what Ray finds.
    """
    note = read_note(userdir)
    if note is None or address not in ("auto", note.address) or not is_running(note):
        return address
    os.environ.update(LOOPBACK_ENV)
    os.environ.setdefault("RAY_AUTH_MODE", note.auth_mode)
    if note.token_path:
        os.environ.setdefault("RAY_AUTH_TOKEN_PATH", note.token_path)
    return note.address


def client_environment(note: ClusterNote) -> dict[str, str]:
    """Return what a client of the cluster needs in its environment."""
    token = {"RAY_AUTH_TOKEN_PATH": note.token_path} if note.token_path else {}
    return {"RAY_AUTH_MODE": note.auth_mode, **token, "RAY_ADDRESS": note.dashboard}


def submit_command(note: ClusterNote) -> str:
    """Return the command that submits paper trading to the cluster, as a person types it."""
    ray = Path(sys.executable).with_name("ray")
    words = " ".join(f"{k}={v}" for k, v in client_environment(note).items())
    program = str(ray) if ray.exists() else "ray"
    return (
        f"{words} {program} job submit --working-dir . -- python -m cluster.jobs.paper "
        "--data /absolute/BTCUSDT_1h.parquet -p BTC/USDT -i 1h"
    )


def as_result(note: ClusterNote) -> dict[str, Any]:
    """Return the note for a JSON result."""
    return {**asdict(note), "environment": client_environment(note), "submit": submit_command(note)}
