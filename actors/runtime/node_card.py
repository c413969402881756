"""What a node is made of: code, kernels, Python, Ray; and in which of these it differs from another. Knows no Ray."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from actors.domain import kernels

PACKAGES = ("actors", "config", "cluster")


@dataclass(frozen=True)
class NodeCard:
    """What must be the same wherever work of one run is done.

    Attributes
    ----------
    code : str
        Hash of our packages' sources, as this process imports them.
    kernels : str
        Backend, version and hash of the sources of the numeric kernels.
    python : str
        Implementation and version up to the minor one: pickles and bytecode depend on it.
    ray, numpy : str
        Versions; numpy's decide what bits a reduction gives.
    """

    code: str
    kernels: str
    python: str
    ray: str
    numpy: str


def kernels_in_use() -> str:
    """Return backend, version and build of this process's kernels.

    Examples
    --------
    >>> kernels_in_use().split()[0] in ("native", "python")
    True
    """
    info = kernels.backend()
    return f"{info.name} {info.version}" + (f" build {info.build}" if info.build else "")


@cache
def code_hash() -> str:
    """Return a hash over names and contents of our packages' Python files, where this process finds them.

    Examples
    --------
    >>> len(code_hash())
    16
    """
    digest = hashlib.sha256()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue  # a node that only computes may lack what only drivers need
        root = Path(spec.origin).parent
        for path in sorted(root.rglob("*.py")):
            digest.update(f"{package}/{path.relative_to(root).as_posix()}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def my_card() -> NodeCard:
    """Return the card of this process."""
    return NodeCard(
        code=code_hash(),
        kernels=kernels_in_use(),
        python=f"{platform.python_implementation()} {'.'.join(platform.python_version_tuple()[:2])}",
        ray=_version("ray"),
        numpy=_version("numpy"),
    )


def differences(ours: NodeCard, theirs: NodeCard) -> list[str]:
    """Return ``what: expected …, found …`` for each part that differs.

    Examples
    --------
    >>> one = NodeCard("a", "native 1", "CPython 3.11", "2.60", "2.4")
    >>> differences(one, NodeCard("a", "python 1", "CPython 3.11", "2.60", "2.4"))
    ['kernels: expected native 1, found python 1']
    """
    return [
        f"{f.name}: expected {getattr(ours, f.name)}, found {getattr(theirs, f.name)}"
        for f in fields(NodeCard)
        if getattr(ours, f.name) != getattr(theirs, f.name)
    ]


def told(where: str, found: Sequence[str]) -> str:
    """Return the sentence that refuses a node."""
    return f"{where}: {'; '.join(found)}"


def here() -> str:
    """Name of this machine."""
    return os.uname().nodename


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
