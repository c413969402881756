"""Reading YAML and JSON into plain trees: safe types only, duplicate keys refused, lines remembered."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from config.problems import Problem

_PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_MAX_NODES = 100_000  # a bomb of nested aliases grows past this; no honest file does


class _Loader(yaml.SafeLoader):
    """The safe loader with YAML 1.2's floats: ``1e-3`` is a number, not a text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


class Document(NamedTuple):
    """A parsed file: its tree, the line of each key path, and what is wrong with it."""

    name: str
    tree: dict[str, Any]
    lines: dict[str, int]
    problems: list[Problem]


def parse_value(text: str) -> Any:
    """Return the YAML value of one override.

    Raises
    ------
    ValueError
        If the text is not YAML of plain types.

    Examples
    --------
    >>> parse_value("1e-3"), parse_value("[1, a]"), parse_value("null")
    (0.001, [1, 'a'], None)
    """
    reader = _Reader("", text)
    value = reader.read()
    if reader.problems:
        raise ValueError("; ".join(p.message for p in reader.problems))
    return value


def read_document(path: Path, name: str) -> Document:
    """Return a YAML or JSON file as a document; all that is wrong with it is in `problems`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Document(name, {}, {}, [Problem("", f"expected a file, found nothing at {path}", name)])
    except (OSError, UnicodeDecodeError) as e:
        return Document(name, {}, {}, [Problem("", f"expected a readable UTF-8 file, found {e}", name)])
    if path.suffix.lower() == ".json":
        return _read_json(text, name)
    reader = _Reader(name, text)
    tree = reader.read()
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        found = type(tree).__name__
        reader.problems.append(Problem("", f"expected a mapping of sections, found {found}", name))
        tree = {}
    return Document(name, tree, reader.lines, reader.problems)


def _read_json(text: str, name: str) -> Document:
    problems: list[Problem] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in items:
            if key in seen:
                problems.append(Problem(key, "expected a key once, found it twice", name))
            seen[key] = value
        return seen

    def constant(word: str) -> Any:
        problems.append(Problem("", f"expected a finite number, found {word}", name))

    try:
        tree = json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except (json.JSONDecodeError, RecursionError) as e:
        problems.append(Problem("", f"expected JSON, found {e}", name))
        return Document(name, {}, {}, problems)
    if not isinstance(tree, dict):
        problems.append(Problem("", f"expected an object of sections, found {type(tree).__name__}", name))
        tree = {}
    return Document(name, tree, {}, problems)


class _Reader:
    """Turns composed YAML nodes into plain trees, noting lines and problems on the way."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []
        self._count = 0

    def read(self) -> Any:
        loader = _Loader(self.text)
        try:
            node = loader.get_single_node()
            return None if node is None else self._value(loader, node, "", ())
        except yaml.YAMLError as e:
            self.problems.append(Problem("", f"expected YAML, found {' '.join(str(e).split())}", self.name))
        except RecursionError:
            self.problems.append(Problem("", "expected YAML, found too deep a nesting", self.name))
        finally:
            loader.dispose()
        return None

    def _value(self, loader: _Loader, node: yaml.Node, path: str, above: tuple[int, ...]) -> Any:
        self._count += 1
        if self._count > _MAX_NODES or id(node) in above:
            raise yaml.YAMLError("aliases that repeat themselves")
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        above = (*above, id(node))
        if isinstance(node, yaml.CollectionNode) and node.tag not in _PLAIN_TAGS:
            self._problem(path, line, f"expected plain lists and mappings, found the tag {node.tag}")
            return None
        if isinstance(node, yaml.SequenceNode):
            return [self._value(loader, n, _join(path, str(i)), above) for i, n in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(loader, node, path, above)
        value = loader.construct_object(node)
        if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
            self._problem(path, line, f"expected a finite number, found {node.value}")
        elif value is not None and not isinstance(value, bool | int | float | str):
            self._problem(
                path, line, f"expected a text, number or truth value, found {node.value!r}; quote it"
            )
            return str(node.value)
        return value

    def _mapping(self, loader: _Loader, node: yaml.MappingNode, path: str, above: tuple[int, ...]) -> Any:
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == "tag:yaml.org,2002:merge":
                self._problem(path, line, "expected a plain key, found a merge key or a structure")
                continue
            key = str(key_node.value)
            here = _join(path, key)
            if key in out:
                first = self.lines.get(here, line)
                self._problem(here, line, f"expected a key once, found it again (first in line {first})")
                continue
            self.lines[here] = line
            out[key] = self._value(loader, value_node, here, above)
        return out

    def _problem(self, path: str, line: int, message: str) -> None:
        self.problems.append(Problem(path, message, f"{self.name}:{line}" if self.name else ""))


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
