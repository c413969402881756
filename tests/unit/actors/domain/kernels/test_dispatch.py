"""The dispatch point: what is chosen, what is refused, and what it says."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator

import numpy as np
import pytest

from actors.domain.errors import InvalidParamsError, KernelError, KernelUnavailableError
from actors.domain.kernels import (
    _dispatch,
    backend,
    ema_stream,
    restore_stream,
    select_backend,
    sma_stream,
    twins,
)


@pytest.fixture(autouse=True)
def undecided(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = _dispatch._active
    monkeypatch.delenv(_dispatch.ENV, raising=False)
    _dispatch._active = _dispatch._Active()
    yield
    _dispatch._active = before


def test_python_can_be_forced() -> None:
    info = select_backend("python")
    assert (info.name, info.reason) == ("python", "forced")
    assert _dispatch.impl() is twins


def test_the_environment_forces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_dispatch.ENV, "python")
    assert backend().name == "python"


def test_a_missing_module_falls_back_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "_tradecore", None)
    info = select_backend("auto")
    assert info.name == "python"
    assert "cannot be imported" in info.reason


@pytest.mark.parametrize(("version", "tag"), [("9.9.9", 1), (_dispatch.NATIVE_VERSION, 99), (None, None)])
def test_a_foreign_module_is_not_used(monkeypatch: pytest.MonkeyPatch, version: object, tag: object) -> None:
    fake = types.ModuleType("_tradecore")
    fake.__dict__.update(__version__=version, ABI_TAG=tag)
    monkeypatch.setitem(sys.modules, "_tradecore", fake)
    info = select_backend("auto")
    assert info.name == "python"
    assert f"found version {version}, ABI tag {tag}" in info.reason
    _dispatch._active = _dispatch._Active()
    with pytest.raises(KernelUnavailableError) as e:
        select_backend("native")
    assert e.value.code == "KERNEL_NATIVE_UNAVAILABLE"


def test_a_module_older_than_the_sources_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = types.ModuleType("_tradecore")
    fake.__dict__.update(dict.fromkeys(twins.__all__), __version__="0.1.0", ABI_TAG=_dispatch.NATIVE_ABI_TAG)
    monkeypatch.setitem(sys.modules, "_tradecore", fake)
    assert select_backend("auto").name == "native"
    _dispatch._active = _dispatch._Active()
    del fake.__dict__["sma"]
    info = select_backend("auto")
    assert info.name == "python"
    assert "it lacks sma: run `make build`" in info.reason


def test_required_native_is_an_error_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "_tradecore", None)
    with pytest.raises(KernelUnavailableError, match="pip install"):
        select_backend("auto", require_native=True)
    assert _dispatch._active.info is None
    select_backend("auto")
    with pytest.raises(KernelUnavailableError, match="runs the twins"):
        select_backend("auto", require_native=True)


def test_contradicting_wishes_are_refused() -> None:
    with pytest.raises(KernelUnavailableError, match="forced to python"):
        select_backend("python", require_native=True)
    select_backend("python")
    with pytest.raises(KernelError, match="already uses"):
        select_backend("native")
    assert select_backend("auto").name == "python"


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InvalidParamsError, match="expected auto, native or python"):
        select_backend("cuda")  # type: ignore[arg-type]


def test_a_stream_comes_back_from_its_snapshot() -> None:
    select_backend("python")
    s = sma_stream(2)
    s.update(1.0)
    assert restore_stream(s.snapshot()).update(3.0) == 2.0


@pytest.mark.parametrize(
    "data", [b"", b"TWK1", b"TWK1NoSuch\0\0\0\0\0\0", b"TWK1sma\0\0\0\0\0\0\0\0\0", b"PK\3\4" + b"\0" * 20]
)
def test_foreign_bytes_are_refused(data: bytes) -> None:
    select_backend("python")
    with pytest.raises(KernelError, match="kernel snapshot"):
        restore_stream(data)


def test_a_damaged_snapshot_is_refused() -> None:
    with pytest.raises(KernelError) as e:
        restore_stream(ema_stream(3).snapshot()[:-1])
    assert e.value.code == "KERNEL_SNAPSHOT_DAMAGED"
    assert np.isnan(ema_stream(3).update(1.0))
