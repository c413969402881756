"""Which of a user's own files a search rests on: results of one state of them and of another must not be mixed."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from config.schema import Config


def own_code_hash(config: Config, objectives: Iterable[str] = ()) -> str | None:
    """Return the SHA-256 of the files that ``module:Class`` and ``module:function`` name; None where none does.

    Parameters
    ----------
    config : Config
        Its components, wherever they stand.
    objectives : iterable of str
        Names of objectives.

    Notes
    -----
    What such a file itself imports is not followed.

    Examples
    --------
    >>> own_code_hash(Config(strategies=({"kind": "rsi"},))) is None
    True
    >>> len(own_code_hash(Config(strategies=({"kind": "rsi"},)), ["json:dumps"]))
    64
    """
    named = {*_kinds(config.model_dump(mode="json")), *objectives}
    digest, modules = hashlib.sha256(), sorted({n.partition(":")[0] for n in named if ":" in n})
    for name in modules:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            spec = None
        origin = None if spec is None else spec.origin
        text = Path(origin).read_bytes() if origin is not None and Path(origin).is_file() else b""
        digest.update(f"{name} {len(text)}\n".encode() + text)
    return digest.hexdigest() if modules else None


def _kinds(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        kind = tree.get("kind")
        if isinstance(kind, str):
            yield kind
        for value in tree.values():
            yield from _kinds(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _kinds(value)
