"""From a configured `kind` to a class: the file name is the config name, nothing registers itself.

``build("actors.domain.regime", "hmm", params)`` imports `actors.domain.regime.hmm` and takes the class
marked with `@component`. A kind with a colon, ``my_pkg.my_mod:MyDetector``, loads a stranger's class.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator, Mapping
from importlib.abc import SourceLoader
from typing import Any, TypeVar

import pydantic

from actors.domain.errors import InvalidParamsError, UnknownComponentError

T = TypeVar("T", bound=type)
_MARK = "__tradewind_component__"


class Params(pydantic.BaseModel):
    """Base of every component's parameters: frozen, unknown keys refused."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


def component(cls: T) -> T:
    """Mark the one class of its module that configuration can name; it must have a nested or sibling `Params`."""
    setattr(cls, _MARK, cls.__qualname__)
    return cls


def _is_component(obj: object, module: str) -> bool:
    return isinstance(obj, type) and obj.__module__ == module and vars(obj).get(_MARK) is not None


def load(package: str, kind: str) -> type[Any]:
    """Return the class behind `kind`.

    Raises
    ------
    UnknownComponentError
        With the kinds that exist.
    """
    if ":" in kind:
        module_name, _, class_name = kind.partition(":")
        try:
            obj = getattr(importlib.import_module(module_name), class_name)
        except (ImportError, AttributeError) as e:
            raise UnknownComponentError(
                "COMPONENT_UNKNOWN", f"kind {kind!r}: expected module:Class that can be imported, found {e}"
            ) from e
        if not isinstance(obj, type):
            raise UnknownComponentError(
                "COMPONENT_UNKNOWN", f"kind {kind!r}: expected a class, found {obj!r}"
            )
        return obj
    name = f"{package}.{kind}"
    known = kinds(package)
    if kind not in known:
        raise UnknownComponentError(
            "COMPONENT_UNKNOWN", f"kind {kind!r} in {package}: expected one of {', '.join(known)}", kind=kind
        )
    module = importlib.import_module(name)
    found: type[Any] = next(obj for obj in vars(module).values() if _is_component(obj, name))
    return found


def kinds(package: str) -> list[str]:
    """Return the kinds that a package offers, sorted."""
    return [kind for kind, _ in components(package)]


_CACHE: dict[str, list[tuple[str, str]]] = {}


def components(package: str) -> list[tuple[str, str]]:
    """Return ``(kind, module name)`` of each component file; found by the marker in its source, not by import."""
    if package not in _CACHE:
        _CACHE[package] = sorted(_scan(package))
    return _CACHE[package]


def _scan(package: str) -> Iterator[tuple[str, str]]:
    root = importlib.import_module(package)
    for info in pkgutil.iter_modules(root.__path__):
        if info.ispkg or info.name == "base":
            continue
        name = f"{package}.{info.name}"
        # reading the source keeps `list-*` and validation cheap: no component's heavy imports run
        spec = importlib.util.find_spec(name)
        loader = spec.loader if spec is not None else None
        source = loader.get_source(name) if isinstance(loader, SourceLoader) else None
        if source is not None and "\n@component\n" in source:
            yield info.name, name


def params_of(cls: type[Any]) -> type[Params]:
    """Return the parameter model of a component class (its attribute `Params`)."""
    model = getattr(cls, "Params", None)
    if not (isinstance(model, type) and issubclass(model, pydantic.BaseModel)):
        raise UnknownComponentError(
            "COMPONENT_NO_PARAMS", f"{cls.__name__}: expected an attribute Params, found none"
        )
    return model  # type: ignore[return-value]


def validate(package: str, kind: str, params: Mapping[str, Any]) -> Params:
    """Return validated parameters of a kind.

    Raises
    ------
    InvalidParamsError
        With every problem and its path.
    """
    model = params_of(load(package, kind))
    try:
        return model(**dict(params))
    except pydantic.ValidationError as e:
        rows = "; ".join(
            f"{'.'.join(map(str, err['loc'])) or 'params'}: {err['msg']}, found {err.get('input')!r}"
            for err in e.errors()
        )
        raise InvalidParamsError("PARAMS_INVALID", f"{kind}: {rows}", kind=kind) from e


def build(package: str, kind: str, params: Mapping[str, Any] | None = None, **context: Any) -> Any:
    """Build a component: ``cls(validated_params, **context)``."""
    return load(package, kind)(validate(package, kind, params or {}), **context)
