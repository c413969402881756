"""What ``-s`` and ``--set strategy.X=v`` choose: shipped kinds, a user's classes by module or file, parameters."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from actors.domain import registry
from actors.domain.errors import ConfigError
from config.merge import assign
from config.schema import in_freqtrade_style

PACKAGE = "actors.domain.strategies"
PREFIX = "strategy."
_SECTIONS = ("exits", "adaptive")
"""Sections of a strategy beside its parameters."""


def chosen(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Return ``{"kind", "params"}`` of each strategy of ``-s``, and its ``"exits"`` or ``"adaptive"`` if it has some.

    ``-s`` takes a shipped kind, ``module:Class``, ``FILE.py[:Class]``, or the name of a class in a file of the
    user's ``strategies`` folder.

    Raises
    ------
    ConfigError
        If a file or class is not there, or a parameter addresses no strategy, or more than one.
    """
    words = getattr(args, "strategy", None) or []
    own = [s for s in args.set if s.startswith(PREFIX)]
    if own and not words:
        raise ConfigError("SET_STRATEGY", f"--set {own[0]}: expected -s KIND beside it, found none")
    folder = Path(args.userdir).expanduser() / "strategies"
    kinds = [kind_of(word, folder) for word in words]
    params: list[dict[str, Any]] = [{} for _ in kinds]
    own_sections = {name: [dict[str, Any]() for _ in kinds] for name in _SECTIONS}
    for item in own:
        key, sep, text = item.removeprefix(PREFIX).partition("=")
        if not sep:
            raise ConfigError("SET_SYNTAX", f"--set {item}: expected strategy.KEY=VALUE")
        at, name = _addressed(item, key.strip(), words, kinds)
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as e:
            raise ConfigError("SET_SYNTAX", f"--set {item}: expected a YAML value, found {text!r}") from e
        section = name.partition(".")[0]
        if section in _SECTIONS and "." in name:
            found = own_sections[section]
            found[at] = assign(found[at], name.split(".")[1:], value)
        else:
            params[at][name] = value
    return [
        {"kind": kind, "params": params[i], **{n: rows[i] for n, rows in own_sections.items() if rows[i]}}
        for i, kind in enumerate(kinds)
    ]


def _addressed(item: str, key: str, words: Sequence[str], kinds: Sequence[str]) -> tuple[int, str]:
    """Return which strategy a key means, and the parameter.

    Of several strategies one is named first, ``strategy.rsi.window_bars``; its class or the word of ``-s`` will do.
    """
    for names in (words, kinds, [k.rpartition(":")[2] for k in kinds]):
        fits = [i for i, name in enumerate(names) if key.startswith(f"{name}.")]
        if len(fits) == 1:
            return fits[0], key.removeprefix(f"{names[fits[0]]}.")
    if len(kinds) == 1:
        return 0, key
    each = ", ".join(
        f"{PREFIX}{k.rpartition(':')[2]}.{key.rpartition('.')[2]}=v" for k in dict.fromkeys(kinds)
    )
    raise ConfigError(
        "SET_STRATEGY",
        f"--set {item}: expected the strategy to be named, since -s chooses {len(kinds)}: {each}; a kind that is "
        "chosen twice needs a configuration file",
    )


def kind_of(word: str, folder: Path) -> str:
    """Return the kind that a word of ``-s`` means to the configuration.

    Raises
    ------
    ConfigError
        If it names a file or class that is not there.
    """
    path, _, member = word.partition(".py")
    if word.endswith(".py") or member.startswith(":"):
        return _of_file(Path(f"{path}.py"), member.removeprefix(":"), word)
    if ":" in word:
        module, _, name = word.partition(":")
        found = _source_of(module)
        if found is not None and imports_freqtrade(found):
            return _of_file(found, name, word)
        return word
    if word not in registry.kinds(PACKAGE):
        files = (
            [f for f in sorted(folder.glob("*.py")) if word in (classes_of(f) or {})]
            if folder.is_dir()
            else []
        )
        if len(files) == 1:
            return _of_file(files[0], word, word)
    return word


def _of_file(file: Path, name: str, word: str) -> str:
    """Return ``FILE.py:Class`` of a class in freqtrade's style, ``module:Class`` of one of ours."""
    path = file.expanduser()
    if not path.is_file():
        raise ConfigError("STRATEGY_FILE", f"-s {word}: expected a Python file, found nothing at {file}")
    foreign = imports_freqtrade(path)
    known = classes_of(path)
    if known is None:
        raise ConfigError("STRATEGY_FILE", f"-s {word}: expected Python, found a syntax error in {file}")
    if not name:
        strategies = [c for c, bases in known.items() if any(b.endswith("Strategy") for b in bases)]
        if len(strategies) != 1:
            found = ", ".join(strategies) or "none"
            raise ConfigError(
                "STRATEGY_CLASS",
                f"-s {word}: expected one strategy class, found {found}; name it as {file}:CLASS",
            )
        name = strategies[0]
    elif name not in known:
        raise ConfigError(
            "STRATEGY_CLASS",
            f"-s {word}: expected a class of {file} ({', '.join(known) or 'it has none'}), found {name}",
        )
    if foreign:
        return f"{_near(path)}:{name}"
    beside = str(path.resolve().parent)
    if beside not in sys.path:
        # last, so that a file there never hides a module of ours or of a library
        sys.path.append(beside)
        importlib.invalidate_caches()
    source = _source_of(path.stem)
    if source is None or source.resolve() != path.resolve():
        raise ConfigError(
            "STRATEGY_FILE",
            f"-s {word}: expected a file name that no other module has, found {path.stem}, which Python finds at "
            f"{source}; rename the file",
        )
    return f"{path.stem}:{name}"


def _near(path: Path) -> str:
    """Return a path as it is written from here, so that equal runs in equal folders have equal configurations."""
    full = path.resolve()
    return str(full.relative_to(Path.cwd())) if full.is_relative_to(Path.cwd()) else str(full)


def _source_of(module: str) -> Path | None:
    """Return the file of a module without importing it."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return None
    return Path(spec.origin) if spec is not None and spec.origin and spec.origin.endswith(".py") else None


def _tree(file: Path) -> ast.Module | None:
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError, OSError):
        return None


def classes_of(file: Path) -> dict[str, list[str]] | None:
    """Return the classes of a file with their bases; read, not imported. None of a file that is not Python."""
    tree = _tree(file)
    return (
        None
        if tree is None
        else {
            n.name: [ast.unparse(b).rpartition(".")[2] for b in n.bases]
            for n in tree.body
            if isinstance(n, ast.ClassDef)
        }
    )


def imports_freqtrade(file: Path) -> bool:
    """Tell whether a file imports from freqtrade, that is, holds a class in its style."""
    tree = _tree(file)
    for node in [] if tree is None else ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if any(n.split(".")[0] == "freqtrade" for n in names):
            return True
    return False


def timeframe_of(parts: Sequence[dict[str, Any]]) -> str | None:
    """Return the timeframe that a chosen class in freqtrade's style was written for, None if there is none."""
    for part in parts:
        if in_freqtrade_style(part["kind"]):
            from actors.adapters.freqtrade.loader import load_strategy

            path, _, name = part["kind"].rpartition(":")
            return load_strategy(path, name, params=part["params"], checked=False).timeframe
    return None
