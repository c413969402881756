"""What `tradewind doctor` looks at: one function per check, each with a remedy; nothing is changed."""

from __future__ import annotations

import ctypes
import importlib.metadata
import re
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

State = Literal["ok", "warn", "fail"]
MIN_PYTHON: Final = (3, 11)
MIN_RAY: Final = (2, 52)
_ROOT: Final = Path(__file__).resolve().parents[1]
_GIB: Final = 1 << 30
_TIME_ERROR: Final = 5  # what adjtimex(2) answers while the clock is not synchronised


@dataclass(frozen=True)
class Check:
    """One finding: what was looked at, how it stands, and what to do about it."""

    name: str
    state: State
    found: str
    remedy: str | None = None


def all_checks(userdir: Path) -> list[Check]:
    """Return every check; a check that itself fails is a finding, not a crash."""
    out: list[Check] = []
    for name, look in CHECKS.items():
        try:
            out += [Check(name, *found) for found in look(userdir)]
        except (OSError, ValueError) as e:
            out.append(Check(name, "fail", f"the check failed: {e}", "look at this path or package by hand"))
    return out


Found = tuple[State, str, str | None]


def python(_: Path) -> Iterator[Found]:
    """Version of the interpreter."""
    found = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info[:2] >= MIN_PYTHON
    yield ("ok", found, None) if good else ("fail", found, "install Python 3.11 or newer, then `make build`")


def locked(text: str) -> dict[str, str]:
    """Return package → version of a lock file, for this platform.

    Examples
    --------
    >>> locked("numpy==2.4.1\\nx==1 ; sys_platform == 'none'")
    {'numpy': '2.4.1'}
    """
    from packaging.requirements import Requirement

    out = {}
    for line in re.findall(r"^[A-Za-z0-9][^\n\\]*==[^\n\\]*", text, re.MULTILINE):
        wanted = Requirement(line.strip())
        if wanted.marker is None or wanted.marker.evaluate():
            out[wanted.name] = str(wanted.specifier).removeprefix("==")
    return out


def packages(_: Path) -> Iterator[Found]:
    """Installed packages against the lock file."""
    lock = _ROOT / "requirements.lock"
    if not lock.is_file():
        yield "warn", "no requirements.lock beside the code: versions not compared", "run from a checkout"
        return
    wanted = locked(lock.read_text(encoding="utf-8"))
    missing, other = [], []
    for name, version in wanted.items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if found != version:
            other.append(f"{name} {found} (locked {version})")
    if missing:
        yield "fail", f"missing: {', '.join(missing)}", "make build"
    if other:
        yield "warn", f"other versions than locked: {', '.join(other[:8])}", "make build"
    if not missing and not other:
        yield "ok", f"{len(wanted)} packages as locked", None


def cargo(_: Path) -> Iterator[Found]:
    """The Rust tool chain."""
    home = Path.home() / ".cargo" / "bin" / "cargo"
    found = shutil.which("cargo") or (str(home) if home.exists() else None)
    if found:
        yield "ok", found, None
    else:
        yield (
            "warn",
            "not found: the kernels cannot be built here",
            "install Rust (https://rustup.rs), then `make build`",
        )


def kernels(_: Path) -> Iterator[Found]:
    """Which kernels compute."""
    from actors.domain import kernels as dispatch

    info = dispatch.backend()
    found = f"{info.name} {info.version}: {info.reason}"
    if info.name == "native":
        yield "ok", found, None
    else:
        yield "warn", f"{found}; the Python twins decide the same, slower", "install cargo, then `make build`"


def ray(_: Path) -> Iterator[Found]:
    """Ray's version; below 2.52 its job interface can be reached from a browser (CVE-2025-62593)."""
    try:
        version = importlib.metadata.version("ray")
    except importlib.metadata.PackageNotFoundError:
        yield "fail", "not installed", "make build"
        return
    parts = tuple(int(p) for p in re.findall(r"\d+", version)[:2])
    if parts < MIN_RAY:
        yield "fail", version, "Ray 2.52 or newer is needed (older ones run anyone's code): make build"
    else:
        yield "ok", version, None


def ports(userdir: Path) -> Iterator[Found]:
    """Default ports of `up`."""
    from cluster import local

    note = local.read_note(userdir)
    if note is not None and local.is_running(note):
        yield "ok", f"our own cluster runs at {note.address}", None
        return
    busy = [
        f"{port} (--{name.replace('_', '-')})"
        for name, port in local.PORTS.items()
        if not local.port_free(port)
    ]
    if busy:
        yield "warn", f"in use: {', '.join(busy)}", "give `tradewind up` other ports with these flags"
    else:
        yield "ok", f"{', '.join(map(str, local.PORTS.values()))} are free", None


def clock(_: Path) -> Iterator[Found]:
    """The wall clock: not before this code was written, and disciplined by a time service."""
    now, code = time.time(), Path(__file__).stat().st_mtime
    text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    if now < code - 86_400:
        yield "fail", f"{text} lies before the files of this program", "set the clock (NTP)"
        return
    synchronised = clock_synchronised()
    if synchronised is False:
        yield (
            "warn",
            f"{text}; the system does not call it synchronised",
            "run a time service (chrony, systemd-timesyncd)",
        )
    else:
        yield "ok", text if synchronised else f"{text}; synchronisation unknown on this system", None


def clock_synchronised() -> bool | None:
    """Ask the kernel; None where it cannot be asked."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        answer = libc.adjtimex(ctypes.create_string_buffer(512))  # modes = 0: read only
    except (OSError, AttributeError):
        return None
    return None if answer < 0 else answer != _TIME_ERROR


def disk(userdir: Path) -> Iterator[Found]:
    """Free space where runs are stored."""
    free = shutil.disk_usage(existing(userdir)).free
    found = f"{free / _GIB:.1f} GiB free for {userdir}"
    if free < _GIB // 4:
        yield "fail", found, "free some space or choose another --userdir"
    elif free < 2 * _GIB:
        yield "warn", found, "journals and snapshots of long runs need more"
    else:
        yield "ok", found, None


def existing(path: Path) -> Path:
    """Return the path or its nearest parent that exists."""
    while not path.exists():
        path = path.parent
    return path


def writable(userdir: Path) -> Iterator[Found]:
    """The user's folder takes files."""
    folder = existing(userdir)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as e:
        yield "fail", f"{folder}: {e.strerror}", "choose another --userdir, or change its permissions"
    else:
        yield "ok", str(userdir), None


def data(userdir: Path) -> Iterator[Found]:
    """Bars in the local store."""
    files = sorted((userdir / "data").glob("*/*.parquet"))
    if files:
        yield "ok", f"{len(files)} stored series in {userdir / 'data'}", None
    else:
        yield "ok", "no stored bars yet: verbs take files by --data", "tradewind download-data fetches some"


def keys(userdir: Path) -> Iterator[Found]:
    """Keys are for their owner only."""
    files = sorted(p for p in (userdir / "keys").glob("*") if p.is_file())
    if not files:
        yield "ok", "none made yet", None
        return
    open_ones = [p for p in files if stat.S_IMODE(p.stat().st_mode) & 0o077]
    if open_ones:
        named = " ".join(map(str, open_ones))
        yield (
            "fail",
            f"readable by others: {named}",
            f"chmod 600 {named}, and replace what may have been read",
        )
    else:
        yield "ok", f"{len(files)} keys, readable by their owner only", None


def shared_memory(_: Path) -> Iterator[Found]:
    """Room for Ray's object store."""
    folder = Path("/dev/shm")  # noqa: S108 - where Ray keeps its store, not a file of ours
    if not folder.is_dir():
        yield "warn", "no /dev/shm: Ray falls back to files", "mount a tmpfs there"
        return
    free = shutil.disk_usage(folder).free
    found = f"{free / _GIB:.2f} GiB free in {folder}"
    if free < 256 << 20:
        yield "warn", found, "Ray then uses files: give the container --shm-size 1g"
    else:
        yield "ok", found, None


def memory(_: Path) -> Iterator[Found]:
    """Room for a fleet: about 60 MiB for each of its processes and 400 for Ray's own."""
    import psutil

    free = psutil.virtual_memory().available
    found = f"{free / _GIB:.1f} GiB available"
    if free < 2.5 * _GIB:
        yield "warn", found, "a fleet on Ray needs about 2.5 GiB; `--host local` needs far less"
    else:
        yield "ok", found, None


CHECKS: Final[dict[str, Callable[[Path], Iterator[Found]]]] = {
    "python": python,
    "packages": packages,
    "cargo": cargo,
    "kernels": kernels,
    "ray": ray,
    "ports": ports,
    "clock": clock,
    "disk": disk,
    "userdir": writable,
    "data": data,
    "keys": keys,
    "shared memory": shared_memory,
    "memory": memory,
}
