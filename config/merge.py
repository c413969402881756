"""Laying one configuration tree over another, and setting single values by key path."""

from __future__ import annotations

from typing import Any


def merge(base: Any, over: Any) -> Any:
    """Return `base` with `over` laid on top: mappings join, everything else is replaced.

    A component of another kind is replaced whole: parameters of one kind mean nothing to another.

    Examples
    --------
    >>> merge({"a": {"x": 1, "y": 2}, "l": [1]}, {"a": {"y": 3}, "l": [2, 3]})
    {'a': {'x': 1, 'y': 3}, 'l': [2, 3]}
    >>> merge({"kind": "a", "params": {"x": 1}}, {"kind": "b"})
    {'kind': 'b'}
    """
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    if "kind" in over and "kind" in base and over["kind"] != base["kind"]:
        return over
    return {**base, **{k: merge(base[k], v) if k in base else v for k, v in over.items()}}


def assign(tree: dict[str, Any], keys: list[str], value: Any) -> dict[str, Any]:
    """Return `tree` with one value set; a member of a list is named by its index or kind.

    Raises
    ------
    ValueError
        If the path leads through something that has no members, or names no member of a list.

    Examples
    --------
    >>> assign({"strategies": [{"kind": "rsi"}]}, ["strategies", "rsi", "weight"], 2)
    {'strategies': [{'kind': 'rsi', 'weight': 2}]}
    """
    out: dict[str, Any] = _assign(tree, keys, value, "")
    return out


def located(tree: Any, keys: list[str]) -> str:
    """Return the key path with members of lists by index, as problems name them.

    Examples
    --------
    >>> located({"strategies": [{"kind": "rsi"}]}, ["strategies", "rsi", "weight"])
    'strategies.0.weight'
    """
    out: list[str] = []
    for key in keys:
        if isinstance(tree, list):
            i = _member(tree, key, ".".join(out))
            tree, key = tree[i], str(i)
        else:
            tree = tree.get(key) if isinstance(tree, dict) else None
        out.append(key)
    return ".".join(out)


def _assign(node: Any, keys: list[str], value: Any, path: str) -> Any:
    if not keys:
        return merge(node, value)
    key, rest = keys[0], keys[1:]
    here = f"{path}.{key}" if path else key
    if node is None or isinstance(node, dict):
        node = node or {}
        return {**node, key: _assign(node.get(key), rest, value, here)}
    if isinstance(node, list):
        i = _member(node, key, path)
        return [_assign(v, rest, value, here) if j == i else v for j, v in enumerate(node)]
    raise ValueError(f"expected a section at {path}, found the value {node!r}")


def _member(members: list[Any], key: str, path: str) -> int:
    labels = [
        str(m["kind"]) if isinstance(m, dict) and "kind" in m else str(i) for i, m in enumerate(members)
    ]
    if key.isdecimal() and int(key) < len(members):
        return int(key)
    if labels.count(key) == 1:
        return labels.index(key)
    raise ValueError(
        f"{path}: expected an index below {len(members)} or one of {', '.join(labels)}, found {key}"
    )
