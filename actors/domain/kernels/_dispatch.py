"""Choose native kernels or their twins once per process, and say which and why."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from actors.domain.errors import InvalidParamsError, KernelError, KernelUnavailableError

Choice = Literal["auto", "native", "python"]

NATIVE_VERSION: Final = "0.1.0"
NATIVE_ABI_TAG: Final = 2
ENV: Final = "TRADEWIND_KERNEL_BACKEND"
_TWINS: Final = "actors.domain.kernels.twins"


class Stream(Protocol):
    """What every streaming object can do beside its own ``update``."""

    def snapshot(self) -> bytes:
        """Return the state as bytes, the same on both backends."""

    def restore(self, data: bytes, /) -> None:
        """Replace the state by that of a snapshot of the same kind."""


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """What computes the kernels in this process.

    Parameters
    ----------
    name : {"native", "python"}
    version : str
        Version of the compiled module, or of the twins.
    reason : str
        Why this one: forced, found, or what is wrong with the other.
    build : str
        Hash of the sources that the compiled module was made of; empty for the twins, which are sources.
    """

    name: Literal["native", "python"]
    version: str
    reason: str
    build: str = ""


@dataclass(slots=True)
class _Active:
    impl: Any = None
    info: BackendInfo | None = None


_active = _Active()


def select_backend(name: Choice = "auto", *, require_native: bool = False) -> BackendInfo:
    """Choose what computes the kernels; later calls must agree with the first.

    Parameters
    ----------
    name : {"auto", "native", "python"}
        ``auto`` takes the compiled module when it is importable and of the right version, else the twins.
        The environment variable ``TRADEWIND_KERNEL_BACKEND`` stands in for ``auto``.
    require_native : bool
        Refuse to run on the twins.

    Returns
    -------
    BackendInfo

    Raises
    ------
    KernelUnavailableError
        If native kernels are required and cannot be used.
    KernelError
        If this process has already chosen the other backend.
    InvalidParamsError
        If the name is unknown.

    Examples
    --------
    >>> select_backend().name in ("native", "python")
    True
    """
    wanted = _wanted(name)
    if require_native and wanted == "python":
        raise KernelUnavailableError(
            "KERNEL_NATIVE_REQUIRED",
            "kernels: native ones are required, but the backend is forced to python: drop one of them",
        )
    if _active.info is not None:
        _agree(_active.info, wanted, require_native)
        return _active.info
    module, problem = (None, "") if wanted == "python" else _load_native()
    if module is not None:
        _active.impl = module
        reason = "forced" if wanted == "native" else "compiled module found"
        _active.info = BackendInfo(
            "native", str(module.__version__), reason, str(getattr(module, "SOURCE_HASH", ""))
        )
        return _active.info
    if wanted == "native" or require_native:
        raise KernelUnavailableError(
            "KERNEL_NATIVE_UNAVAILABLE",
            f"kernels: expected the compiled module _tradecore, found none that fits ({problem}): "
            "install it with `pip install ./rust/bindings`, or allow the python backend",
            problem=problem,
        )
    _active.impl = importlib.import_module(_TWINS)
    _active.info = BackendInfo("python", NATIVE_VERSION, problem or "forced")
    return _active.info


def backend() -> BackendInfo:
    """Return what computes the kernels in this process, choosing now if nobody has."""
    return _active.info or select_backend()


def impl() -> Any:
    """Return the module with the kernels: ``_tradecore`` or the twins, same names in both."""
    if _active.impl is None:
        select_backend()
    return _active.impl


def restore_stream(data: bytes) -> Any:
    """Rebuild a streaming object from its snapshot, on the backend of this process.

    Parameters
    ----------
    data : bytes
        What ``snapshot()`` of any streaming object returned, on either backend.

    Raises
    ------
    KernelError
        If the bytes are no snapshot of a kernel.
    """
    tag = data[4:16].rstrip(b"\0").decode("ascii", "replace") if data[:4] == b"TWK1" else ""
    cls = getattr(impl(), tag, None) if tag.isidentifier() else None
    if cls is None or not hasattr(cls, "from_snapshot"):
        raise KernelError(
            "KERNEL_SNAPSHOT_FOREIGN",
            f"kernel snapshot: expected bytes that start with TWK1 and a known kernel, found {data[:16]!r}: "
            "pass what snapshot() returned",
        )
    try:
        return cls.from_snapshot(data)
    except ValueError as e:
        raise KernelError("KERNEL_SNAPSHOT_DAMAGED", f"kernel snapshot of {tag}: {e}", kind=tag) from e


def _wanted(name: str) -> str:
    wanted = os.environ.get(ENV, "auto") if name == "auto" else name
    if wanted not in ("auto", "native", "python"):
        raise InvalidParamsError(
            "KERNEL_BACKEND_UNKNOWN",
            f"kernels.backend: expected auto, native or python, found {wanted!r}: choose one of them",
        )
    return wanted


def _agree(info: BackendInfo, wanted: str, require_native: bool) -> None:
    if require_native and info.name != "native":
        raise KernelUnavailableError(
            "KERNEL_NATIVE_UNAVAILABLE",
            f"kernels: native ones are required, but this process runs the twins ({info.reason}): "
            "install _tradecore with `pip install ./rust/bindings`",
            problem=info.reason,
        )
    if wanted not in ("auto", info.name):
        raise KernelError(
            "KERNEL_BACKEND_CHOSEN",
            f"kernels: expected {info.name}, which this process already uses, found a wish for {wanted}: "
            "choose before the first call",
        )


def _load_native() -> tuple[Any, str]:
    """Return the compiled module, or None and what is wrong with it."""
    try:
        module = importlib.import_module("_tradecore")
    except ImportError as e:
        return None, f"_tradecore cannot be imported: {e}"
    version, tag = getattr(module, "__version__", None), getattr(module, "ABI_TAG", None)
    if (version, tag) != (NATIVE_VERSION, NATIVE_ABI_TAG):
        found = f"version {version}, ABI tag {tag}"
        return None, f"_tradecore: expected version {NATIVE_VERSION}, ABI tag {NATIVE_ABI_TAG}, found {found}"
    # a checkout moves on, the module that was built in it does not
    missing = sorted(set(importlib.import_module(_TWINS).__all__) - set(dir(module)))
    if missing:
        return (
            None,
            f"_tradecore is older than these sources, it lacks {', '.join(missing)}: run `make build`",
        )
    return module, ""
