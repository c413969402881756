"""From a configured `kind` to a class: the file name is the config name, nothing registers itself.

``build("actors.domain.regime", "hmm", params)`` imports `actors.domain.regime.hmm` and takes the class
marked with `@component`. A kind with a colon, ``my_pkg.my_mod:MyDetector``, loads a stranger's class.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from importlib.abc import SourceLoader
from typing import Any, TypeVar

import pydantic

from actors.domain.errors import InvalidParamsError, TradingError, UnknownComponentError

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
            module = importlib.import_module(module_name)
        except Exception as e:
            raise UnknownComponentError(
                "COMPONENT_UNKNOWN",
                f"kind {kind!r}: expected module:Class that can be imported, found {_said(e, module_name)}",
            ) from e
        obj = getattr(module, class_name, None)
        if obj is None:
            own = [n for n, v in vars(module).items() if isinstance(v, type) and v.__module__ == module_name]
            raise UnknownComponentError(
                "COMPONENT_UNKNOWN",
                f"kind {kind!r}: expected a class of {module_name} ({', '.join(own) or 'it has none'}), found "
                f"{class_name}{meant(class_name, own)}",
            )
        if not isinstance(obj, type):
            raise UnknownComponentError(
                "COMPONENT_UNKNOWN", f"kind {kind!r}: expected a class, found {obj!r}"
            )
        return obj
    name = f"{package}.{kind}"
    known = kinds(package)
    if kind not in known:
        raise UnknownComponentError(
            "COMPONENT_UNKNOWN",
            f"kind {kind!r} in {package}: expected one of {', '.join(known)}, or module:Class of your own"
            f"{meant(kind, known)}",
            kind=kind,
        )
    module = importlib.import_module(name)
    found: type[Any] = next(obj for obj in vars(module).values() if _is_component(obj, name))
    return found


def foreign_kinds(params: object) -> list[str]:
    """Return the kinds ``module:Class`` in a tree of parameters: components that are not of this project.

    Examples
    --------
    >>> foreign_kinds({"kind": "limit", "fees": {"kind": "mine:Fees"}, "rules": [{"kind": "mine:Rule"}]})
    ['mine:Fees', 'mine:Rule']
    """
    if isinstance(params, Mapping):
        kind = params.get("kind")
        own = [kind] if isinstance(kind, str) and ":" in kind else []
        return own + [k for value in params.values() for k in foreign_kinds(value)]
    if isinstance(params, list | tuple):
        return [k for value in params for k in foreign_kinds(value)]
    return []


def meant(word: str, known: Iterable[str]) -> str:
    """Return a question after the name that a word is nearest to, nothing if none is near.

    Examples
    --------
    >>> meant("ma_crosover", ["rsi", "ma_crossover"]), meant("xyz", ["rsi"])
    ('; did you mean ma_crossover?', '')
    """
    near = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


def _said(error: Exception, module: str) -> str:
    """Return an import's error with its place in the module, if it has one."""
    if isinstance(error, ImportError):
        return f"{error}{in_module(error, module)}"
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} in {error.filename}, line {error.lineno}"
    text = error.args[0] if isinstance(error, TradingError) else error
    return f"{type(error).__name__}: {text}{in_module(error, module)}"


def in_module(error: BaseException, module: str) -> str:
    """Return the newest line of a module that an error came through, as `` in FILE, line N``; nothing if none."""
    found, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == module:
            found = f" in {trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno}"
        trace = trace.tb_next
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
        rows = "; ".join(_problem(model, dict(err)) for err in e.errors())
        raise InvalidParamsError("PARAMS_INVALID", f"{kind}: {rows}", kind=kind) from e


def _problem(model: type[pydantic.BaseModel], err: Mapping[str, Any]) -> str:
    path = ".".join(map(str, err["loc"]))
    if err["type"] == "extra_forbidden" and len(err["loc"]) == 1:
        known = list(model.model_fields)
        return (
            f"{path}: unknown, expected one of {', '.join(known) or 'no parameters'}{meant(path, known)}, found "
            f"{err.get('input')!r}"
        )
    return told(err)


def told(err: Mapping[str, Any]) -> str:
    """Return one of pydantic's errors as path, what was expected, and what was found.

    Examples
    --------
    >>> told({"type": "greater_than", "loc": ("window_bars",), "msg": "Input should be above 0", "input": -1})
    'window_bars: Input should be above 0, found -1'
    >>> told({"type": "value_error", "loc": (), "msg": "Value error, slow: expected above fast, found 1", "input": {}})
    'slow: expected above fast, found 1'
    """
    path = ".".join(map(str, err["loc"]))
    if (
        err["type"] == "value_error" and not path
    ):  # a check of ours over several parameters says all of it itself
        return str(err["msg"]).removeprefix("Value error, ")
    said = str(err["msg"]).removeprefix("Value error, ")
    return f"{path or 'params'}: {said}, found {err.get('input')!r}"


def build(package: str, kind: str, params: Mapping[str, Any] | None = None, **context: Any) -> Any:
    """Build a component: ``cls(validated_params, **context)``."""
    return load(package, kind)(validate(package, kind, params or {}), **context)
